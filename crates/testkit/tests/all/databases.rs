//! Names of the databases that tests create.

use devskyy_testkit::databases::Own;

/// The address of a database created on such a server, without its name.
fn beside(server: &str) -> String {
    let Own { name, url } = Own::beside(server, "test");
    url.replace(&name, "NAME")
}

#[test]
fn it_is_beside_the_one_that_is_named() {
    assert_eq!(beside("postgres://ada:hush@db:5432/devskyy"), "postgres://ada:hush@db:5432/NAME");
}

#[test]
fn it_is_reached_with_the_same_parameters() {
    let server = "postgres://db/devskyy?sslmode=verify-full&sslrootcert=/etc/ca.pem";
    assert_eq!(beside(server), "postgres://db/NAME?sslmode=verify-full&sslrootcert=/etc/ca.pem");
}

#[test]
fn it_is_on_the_server_where_no_database_is_named() {
    assert_eq!(beside("postgres://db?sslmode=disable"), "postgres://db/NAME?sslmode=disable");
}

#[test]
fn nobody_else_calls_a_database_so() {
    assert!(Own::beside("postgres://db/devskyy", "bench").name.starts_with("devskyy_bench_"));
}
