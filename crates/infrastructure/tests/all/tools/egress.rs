use devskyy_infrastructure::tools::EgressPolicy;

fn closed() -> EgressPolicy {
    EgressPolicy::default()
}

#[test]
fn public_addresses_are_reached_over_https() {
    for url in ["https://example.com/x", "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://example.com:8443/"]
    {
        assert_eq!(closed().check(url), Ok(()), "{url}");
    }
}

#[test]
fn addresses_that_are_not_public_are_refused_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[2001:db8::1]",
        "[::127.0.0.1]",
        "127.0.0.1.",
    ] {
        assert!(closed().check(&format!("https://{host}/")).is_err(), "{host}");
    }
}

#[test]
fn only_https_is_spoken_unless_the_operator_allows_http() {
    assert!(closed().check("http://example.com/").is_err());
    let open = EgressPolicy::parse(true, &[]).expect("allowances");
    assert_eq!(open.check("http://example.com/"), Ok(()));
    for url in ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "example.com", "data:text/plain,x"]
    {
        assert!(open.check(url).is_err(), "{url}");
    }
}

#[test]
fn credentials_in_urls_are_refused() {
    assert!(closed().check("https://user:secret@example.com/").is_err());
    assert!(closed().check("https://user@example.com/").is_err());
}

#[test]
fn the_operator_allows_hosts_and_networks() {
    let policy = EgressPolicy::parse(
        false,
        &[
            "127.0.0.1:9000".into(),
            "tracker.local:443".into(),
            "10.1.0.0/16".into(),
            "fd00::/8".into(),
            "[::1]:9000".into(),
        ],
    );
    let policy = policy.expect("allowances");
    for url in [
        "https://127.0.0.1:9000/",
        "https://tracker.local/",
        "https://10.1.2.3/",
        "https://[fd00::1]/",
        "https://[::1]:9000/",
    ] {
        assert_eq!(policy.check(url), Ok(()), "{url}");
    }
    for url in ["https://127.0.0.1:9001/", "https://10.2.0.1/", "https://[fc00::1]/", "https://[::1]:9001/"] {
        assert!(policy.check(url).is_err(), "{url}");
    }
}

#[test]
fn allowances_that_mean_nothing_are_named() {
    for entry in ["localhost", "10.0.0.0/33", "x/8", ":80", "a:b", "a:99999", ""] {
        let error = EgressPolicy::parse(false, &[entry.to_owned()]).expect_err(entry);
        assert!(error.to_string().contains(entry), "{error}");
    }
}
