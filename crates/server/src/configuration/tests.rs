use std::{ffi::OsString, path::PathBuf};

use super::{Effective, Flag, Layers, Settings, as_json, as_toml};

fn variable(name: &str, value: &str) -> (OsString, OsString) {
    (name.into(), value.into())
}

/// Layers with a file of this text, which exists as long as the returned directory.
fn written(text: &str) -> (tempfile::TempDir, Layers) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("devskyy.toml");
    std::fs::write(&file, text).unwrap();
    (directory, Layers { file: Some(file), ..Layers::default() })
}

fn port(layers: &Layers) -> u16 {
    Settings::from(&Effective::read(layers).unwrap()).server.listen.port()
}

fn refusal(layers: &Layers) -> String {
    Effective::read(layers).unwrap_err().to_string()
}

#[test]
fn nothing_needs_to_be_configured() {
    assert_eq!(port(&Layers::default()), 8000);
}

#[test]
fn later_layers_win_over_earlier_ones() {
    let (_directory, mut layers) = written("[server]\nport = 8001\n");
    assert_eq!(port(&layers), 8001);
    layers.environment.push(variable("DEVSKYY_SERVER__PORT", "8002"));
    assert_eq!(port(&layers), 8002);
    layers.flags.push(Flag { name: "--port", key: "server.port".into(), value: "8003".into() });
    assert_eq!(port(&layers), 8003);
}

#[test]
fn an_unknown_key_in_the_file_names_the_nearest_known_one() {
    let (_directory, layers) = written("[server]\nprot = 8001\n");
    let line = refusal(&layers);
    assert!(line.contains("server.prot") && line.contains("did you mean server.port?"), "{line}");
}

#[test]
fn an_unknown_section_names_the_nearest_known_key() {
    let (_directory, layers) = written("[databse]\nurl = \"sqlite::memory:\"\n");
    assert!(refusal(&layers).contains("did you mean database.url?"));
}

#[test]
fn an_unknown_variable_names_the_nearest_known_one() {
    let layers = Layers { environment: vec![variable("DEVSKYY_SERVER__PROT", "1")], ..Layers::default() };
    assert!(refusal(&layers).ends_with("did you mean DEVSKYY_SERVER__PORT?"));
}

#[test]
fn variables_of_the_test_suites_are_none_of_ours() {
    let layers = Layers { environment: vec![variable("DEVSKYY_TEST_POSTGRES_URL", "x")], ..Layers::default() };
    assert_eq!(port(&layers), 8000);
}

#[test]
fn a_value_out_of_range_names_key_source_and_range() {
    let layers = Layers { environment: vec![variable("DEVSKYY_SERVER__PORT", "70000")], ..Layers::default() };
    assert_eq!(
        refusal(&layers),
        "server.port is \"70000\" (environment DEVSKYY_SERVER__PORT), but must be a whole number from 0 to 65535"
    );
}

#[test]
fn a_number_in_quotes_is_not_a_number() {
    let (_directory, layers) = written("[server]\nport = \"8001\"\n");
    assert!(refusal(&layers).contains("must be a whole number"));
}

#[test]
fn a_damaged_file_names_the_line() {
    let (_directory, layers) = written("[server]\nport = = 1\n");
    assert!(refusal(&layers).contains("is not TOML: line 2"));
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let layers = Layers { file: Some(PathBuf::from("/nowhere/devskyy.toml")), ..Layers::default() };
    assert!(refusal(&layers).contains("cannot read the configuration file /nowhere/devskyy.toml"));
}

#[test]
fn secrets_are_never_printed() {
    let secret = "ab".repeat(32);
    let layers = Layers {
        environment: vec![
            variable("DEVSKYY_SECURITY__MASTER_KEY", &secret),
            variable("DEVSKYY_DATABASE__URL", "postgres://ada:hush@db/sky"),
        ],
        ..Layers::default()
    };
    let effective = Effective::read(&layers).unwrap();
    for text in [as_toml(&effective), as_json(&effective), format!("{:?}", Settings::from(&effective))] {
        assert!(!text.contains(&secret) && !text.contains("hush"), "{text}");
    }
}

#[test]
fn a_secret_that_does_not_fit_is_not_repeated() {
    let layers = Layers { environment: vec![variable("DEVSKYY_SECURITY__MASTER_KEY", "hunter2")], ..Layers::default() };
    assert!(!refusal(&layers).contains("hunter2"));
}

#[test]
fn the_printed_configuration_can_be_read_again() {
    let (_directory, layers) = written(&as_toml(&Effective::read(&Layers::default()).unwrap()));
    assert_eq!(port(&layers), 8000);
}

#[test]
fn a_list_is_separated_by_commas_in_the_environment() {
    let layers =
        Layers { environment: vec![variable("DEVSKYY_EGRESS__ALLOW_PRIVATE", "a:1, 10.0.0.0/8")], ..Layers::default() };
    let settings = Settings::from(&Effective::read(&layers).unwrap());
    assert_eq!(settings.egress.allow_private, ["a:1", "10.0.0.0/8"]);
}

#[test]
fn a_trusted_proxy_must_be_an_address_or_a_network() {
    let layers = Layers {
        environment: vec![variable("DEVSKYY_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, proxy.example")],
        ..Layers::default()
    };
    assert!(refusal(&layers).contains("must be a list of addresses and networks"));
}

#[test]
fn every_bound_of_the_server_has_a_value() {
    let server = Settings::from(&Effective::read(&Layers::default()).unwrap()).server;
    let times =
        [server.header_timeout, server.body_timeout, server.write_timeout, server.keep_alive, server.drain_timeout];
    assert!(times.iter().all(|time| !time.is_zero()) && server.max_connections > 0 && server.body_limit > 0);
}

const PROVIDERS: &str = r#"
[models.my-gpu]
base_url = "http://127.0.0.1:11434/v1/"
models = ["llama3.2"]
prices = ["llama3.2 input=1 output=2"]

[models.claude]
kind = "anthropic"
api_key = "sk-ant-secret"
"#;

#[test]
fn a_local_provider_needs_only_its_address() {
    let (_directory, layers) = written("[models.my-gpu]\nbase_url = \"http://127.0.0.1:11434/v1/\"\n");
    let provider = Settings::from(&Effective::read(&layers).unwrap()).models["my-gpu"].clone();
    assert_eq!((provider.kind.as_str(), provider.base_url.as_str()), ("openai", "http://127.0.0.1:11434/v1"));
}

#[test]
fn a_cloud_needs_only_its_kind_and_key() {
    let (_directory, layers) = written(PROVIDERS);
    let provider = Settings::from(&Effective::read(&layers).unwrap()).models["claude"].clone();
    assert_eq!((provider.kind.as_str(), provider.base_url.as_str()), ("anthropic", "https://api.anthropic.com"));
}

#[test]
fn a_provider_may_be_silent_for_as_long_as_its_operator_says() {
    let (_directory, layers) = written("[models.claude]\nkind = \"anthropic\"\nfirst_byte_s = 20\n");
    let models = Settings::from(&Effective::read(&layers).unwrap()).models;
    assert_eq!(models["claude"].first_byte, Some(std::time::Duration::from_secs(20)));
}

#[test]
fn a_variable_names_a_provider_with_underscores() {
    let (_directory, mut layers) = written(PROVIDERS);
    layers.environment.push(variable("DEVSKYY_MODELS__MY_GPU__MODELS", "a, b"));
    assert_eq!(Settings::from(&Effective::read(&layers).unwrap()).models["my-gpu"].models, ["a", "b"]);
}

#[test]
fn a_providers_key_is_never_printed() {
    let (_directory, layers) = written(PROVIDERS);
    let effective = Effective::read(&layers).unwrap();
    for text in [as_toml(&effective), as_json(&effective), format!("{:?}", Settings::from(&effective))] {
        assert!(!text.contains("sk-ant-secret"), "{text}");
    }
}

#[test]
fn printed_providers_can_be_read_again() {
    let (_directory, layers) = written(PROVIDERS);
    let (_again, layers) = written(&as_toml(&Effective::read(&layers).unwrap()));
    let models = Settings::from(&Effective::read(&layers).unwrap()).models;
    assert_eq!(models.keys().collect::<Vec<_>>(), ["claude", "my-gpu"]);
}

#[test]
fn an_unknown_member_of_a_provider_names_the_nearest_known_one() {
    let (_directory, layers) = written("[models.cloud]\napi_kye = \"x\"\n");
    assert!(refusal(&layers).contains("did you mean models.cloud.api_key?"), "{}", refusal(&layers));
}
