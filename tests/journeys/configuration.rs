use devskyy_testkit::documents::assert_current;

use crate::program::{devskyy, ended, fails};

fn place() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_table_of_configuration_keys_is_current() {
    assert_current("docs/configuration.md", &devskyy_server::configuration::reference());
}

#[test]
fn the_effective_configuration_says_who_set_what() {
    let place = place();
    std::fs::write(place.path().join("devskyy.toml"), "[server]\nport = 8001\nbody_limit = 4096\n").unwrap();
    let (code, out, _) = ended(
        devskyy(place.path())
            .args(["config", "--set", "runs.concurrency=2", "--data-dir", "here"])
            .env("DEVSKYY_SERVER__PORT", "8002"),
    );
    assert_eq!(code, 0);
    for line in [
        "data_dir = \"here\" # flag --data-dir",
        "host = \"127.0.0.1\" # default",
        "port = 8002 # environment DEVSKYY_SERVER__PORT",
        "body_limit = 4096 # file devskyy.toml",
        "concurrency = 2 # flag --set",
        "# url is not set",
    ] {
        assert!(out.contains(line), "`{line}` is missing in: {out}");
    }
}

#[test]
fn the_effective_configuration_is_there_for_programs_too() {
    let (_, out, _) = ended(devskyy(place().path()).args(["config", "--format", "json"]));
    let parsed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(parsed["server.port"], serde_json::json!({"value": 8000, "source": "default"}));
}

#[test]
fn a_secret_is_masked() {
    let (_, out, _) = ended(
        devskyy(place().path())
            .arg("config")
            .env("DEVSKYY_SECURITY__MASTER_KEY", "ab".repeat(32))
            .env("DEVSKYY_DATABASE__URL", "postgres://ada:hush@db/sky"),
    );
    assert!(out.contains("master_key = \"********\"") && !out.contains("hush"), "{out}");
}

#[test]
fn an_unknown_key_ends_the_program_with_78() {
    let place = place();
    std::fs::write(place.path().join("devskyy.toml"), "[server]\nprot = 8001\n").unwrap();
    fails(devskyy(place.path()).arg("config"), 78, &["server.prot", "devskyy.toml", "server.port"]);
}

#[test]
fn an_unknown_variable_ends_the_program_with_78() {
    fails(
        devskyy(place().path()).arg("config").env("DEVSKYY_DATADIR", "x"),
        78,
        &["DEVSKYY_DATADIR", "DEVSKYY_DATA_DIR"],
    );
}

#[test]
fn a_flag_with_an_unknown_key_ends_the_program_with_78() {
    fails(devskyy(place().path()).args(["config", "--set", "log.levle=info"]), 78, &["log.levle", "log.level"]);
}

#[test]
fn a_value_that_does_not_fit_ends_the_program_with_78() {
    fails(
        devskyy(place().path()).args(["config", "--log-format", "xml"]),
        78,
        &["log.format", "xml", "auto, json, text"],
    );
}

#[test]
fn a_named_file_that_is_missing_ends_the_program_with_78() {
    fails(devskyy(place().path()).args(["config", "--config", "nowhere.toml"]), 78, &["nowhere.toml", "--config"]);
}

#[test]
fn production_refuses_unsafe_settings_all_at_once_and_touches_nothing() {
    let place = place();
    let mut command = devskyy(place.path());
    command.args(["serve", "--port", "0", "--set", "profile=production", "--set", "cors.allowed_origins=*"]);
    let (code, _, told) = ended(&mut command);
    let named = ["security.master_key", "server.public_url", "cors.allowed_origins"];
    assert!(named.iter().all(|key| told.contains(key)) && told.lines().count() == named.len(), "{told}");
    assert_eq!((code, place.path().join("devskyy-data").exists()), (78, false));
}

#[test]
fn a_sqlite_url_with_parameters_ends_the_program_with_78() {
    let place = place();
    let url = "database.url=sqlite:///tmp/devskyy.db?mode=ro";
    fails(devskyy(place.path()).args(["migrate", "--set", url]), 78, &["database.url", "without `?`, `#` and `%`"]);
}
