use devskyy_application::workflow::Expressions as _;

use super::{EXPRESSIONS, json};

async fn outcome(template: &str, context: &str) -> Result<String, String> {
    EXPRESSIONS.render(template, &json(context)).await.map_err(|error| error.message)
}

#[tokio::test]
async fn templates_insert_what_they_name_as_it_is() {
    let rendered = outcome("{{ a.b }} <{{ list | join(', ') }}>\n", r#"{"a":{"b":"<x> & \"y\""},"list":[1,2]}"#).await;
    assert_eq!(rendered, Ok("<x> & \"y\" <1, 2>\n".to_owned()));
}

#[tokio::test]
async fn templates_repeat_and_choose() {
    let template = "{% for p in items if p.n > 1 %}| {{ loop.index }} | {{ p.n }} |\n{% else %}none\n{% endfor %}";
    assert_eq!(outcome(template, r#"{"items":[{"n":1},{"n":2}]}"#).await, Ok("| 1 | 2 |\n".to_owned()));
    assert_eq!(outcome(template, r#"{"items":[]}"#).await, Ok("none\n".to_owned()));
}

#[tokio::test]
async fn large_whole_numbers_stay_exact() {
    let rendered = outcome("{{ a }} {{ b }}", r#"{"a":18446744073709551615,"b":-9007199254740993}"#).await;
    assert_eq!(rendered, Ok("18446744073709551615 -9007199254740993".to_owned()));
}

#[tokio::test]
async fn unknown_names_are_errors() {
    for template in [
        "{{ nobody }}",
        "{{ a.nothing }}",
        "{{ a.b.c.d }}",
        "{% if nobody %}{% endif %}",
        "{% for x in nobody %}{% endfor %}",
    ] {
        let error = outcome(template, r#"{"a":{"b":1}}"#).await.expect_err(template);
        assert!(error.contains("not defined"), "{template}: {error}");
    }
}

#[tokio::test]
async fn templates_that_make_too_much_are_stopped() {
    for template in [
        "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
        "{% set ns = namespace(x='x') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
        "{{ 'x' * 10000000000 }}",
        "{{ 'x'|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx')|replace('x','xxxxxxxxxx') }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ range(100000)|list|tojson * 100 }}",
    ] {
        assert!(outcome(template, "{}").await.is_err(), "{template}");
    }
}

#[tokio::test]
async fn other_templates_and_files_are_out_of_reach() {
    for template in
        ["{% include '/etc/passwd' %}", "{% extends 'a' %}", "{% import 'a' as a %}", "{% macro f() %}{% endmacro %}"]
    {
        assert!(EXPRESSIONS.check_template(template).await.is_err(), "{template}");
    }
    assert!(outcome("{{ debug() }}", "{}").await.is_err());
}

#[tokio::test]
async fn mistakes_are_told_with_their_line() {
    let error = EXPRESSIONS.check_template("a\n{% if x %}").await.expect_err("refused");
    assert!(error.message.starts_with("line 2: "), "{}", error.message);
    let error = EXPRESSIONS.check_template("{{ '|x' | upper }} | plain\n{{ a | nothing }}").await.expect_err("refused");
    assert_eq!(error.message, "line 2: there is no filter `nothing`");
}

#[tokio::test]
async fn deeply_nested_templates_are_answered() {
    for template in
        ["{{ ".to_owned() + &"(".repeat(20_000), "{% if 1 %}".repeat(5_000), "{{ ".to_owned() + &"[".repeat(20_000)]
    {
        assert!(EXPRESSIONS.check_template(&template).await.is_err());
    }
    assert!(outcome(&("{{ 1".to_owned() + &" + 1".repeat(10_000) + " }}"), "{}").await.is_ok());
}
