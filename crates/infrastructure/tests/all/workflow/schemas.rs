use std::sync::LazyLock;

use devskyy_application::workflow::Schemas as _;
use devskyy_domain::kernel::Json;
use devskyy_infrastructure::workflow::JsonSchemas;

use super::json;

static SCHEMAS: LazyLock<JsonSchemas> = LazyLock::new(|| JsonSchemas::start().expect("threads"));

/// Why a schema is refused, and where.
async fn refusal(schema: &str) -> (String, String) {
    let violation = SCHEMAS.check(&json(schema)).await.expect_err("a refusal").remove(0);
    (violation.pointer, violation.message)
}

/// The violations of a schema by a document.
async fn told(schema: &str, document: &Json) -> Vec<String> {
    let told = SCHEMAS.validate(&json(schema), document).await.err().unwrap_or_default();
    told.into_iter().map(|violation| violation.message).collect()
}

#[tokio::test]
async fn violations_point_into_the_document() {
    let schema =
        json(r#"{"type":"object","properties":{"a/b":{"type":"array","items":{"type":"integer"}}},"required":["c"]}"#);
    let violations = SCHEMAS.validate(&schema, &json(r#"{"a/b":[1,"x"]}"#)).await.expect_err("violations");
    let pointers: Vec<_> = violations.iter().map(|violation| violation.pointer.as_str()).collect();
    assert_eq!(pointers, ["", "/a~1b/1"]);
}

#[tokio::test]
async fn messages_do_not_repeat_the_value() {
    let violations =
        SCHEMAS.validate(&json(r#"{"type":"integer"}"#), &json("\"hunter2\"")).await.expect_err("no integer");
    assert!(!violations[0].message.contains("hunter2"), "{violations:?}");
}

#[tokio::test]
async fn what_is_no_schema_is_refused_with_a_pointer() {
    let violations = SCHEMAS.check(&json(r#"{"properties":{"a":{"type":"nothing"}}}"#)).await.expect_err("no schema");
    assert_eq!(violations[0].pointer, "/properties/a/type");
}

#[tokio::test]
async fn references_outside_the_schema_are_refused() {
    for reference in ["http://localhost:1/schema.json", "file:///etc/passwd", "other.json", "#/$defs/nothing"] {
        let schema = json(&format!(r#"{{"$ref":"{reference}"}}"#));
        assert!(SCHEMAS.check(&schema).await.is_err(), "{reference}");
    }
}

#[tokio::test]
async fn references_within_the_schema_work_even_recursively() {
    let schema = json(r##"{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}"##);
    assert_eq!(SCHEMAS.validate(&schema, &json("[[],[[]]]")).await, Ok(()));
    assert!(SCHEMAS.validate(&schema, &json("[[1]]")).await.is_err());
}

#[tokio::test]
async fn references_in_a_circle_are_refused() {
    for (schema, place) in [
        (r##"{"$ref":"#"}"##, ""),
        (
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
            "/$defs/a",
        ),
    ] {
        let told = (place.to_owned(), "it refers to itself for the value it is asked about".to_owned());
        assert_eq!(refusal(schema).await, told);
    }
}

/// Each of these refers twice to the next, so that the first refers to the last 33 million times.
#[tokio::test]
async fn references_that_multiply_are_refused_where_they_become_too_many() {
    let twice = |n: usize| format!(r##"{{"allOf":[{{"$ref":"#/$defs/a{n}"}},{{"$ref":"#/$defs/a{n}"}}]}}"##);
    let chain = (0..25).map(|n| format!(r#""a{n}":{},"#, twice(n + 1)));
    let schema = format!(r##"{{"$defs":{{{}"a25":{{}}}},"$ref":"#/$defs/a0"}}"##, chain.collect::<String>());
    let (place, message) = refusal(&schema).await;
    assert!(place.starts_with("/$defs/a"), "{place}");
    assert_eq!(message, "one value is held against more than 4096 schemas here");
}

#[tokio::test]
async fn references_that_lead_to_references_for_too_long_are_refused() {
    let chain = (0..100).map(|n| format!(r##""a{n}":{{"$ref":"#/$defs/a{}"}},"##, n + 1));
    let schema = format!(r##"{{"$defs":{{{}"a100":{{}}}}}}"##, chain.collect::<String>());
    assert_eq!(refusal(&schema).await.1, "more than 64 schemas are nested for one value here");
}

/// As many references as are allowed, each resolved only after the next one.
#[tokio::test]
async fn the_longest_chain_of_references_is_understood() {
    let chain = (0..511).map(|n| format!(r##""a{n}":{{"items":{{"$ref":"#/$defs/a{}"}}}},"##, n + 1));
    let schema = format!(r##"{{"$defs":{{{}"a511":{{}}}},"$ref":"#/$defs/a0"}}"##, chain.collect::<String>());
    assert_eq!(SCHEMAS.check(&json(&schema)).await, Ok(()));
}

#[tokio::test]
async fn more_references_than_that_are_refused() {
    let many = (0..513).map(|n| format!(r##""a{n}":{{"items":{{"$ref":"#/$defs/a{}"}}}},"##, n + 1));
    let schema = format!(r##"{{"$defs":{{{}"a513":{{}}}}}}"##, many.collect::<String>());
    assert_eq!(refusal(&schema).await.1, "the schema refers to more than 512 places");
}

/// No number in the schema limits this: it depends on the depth of the document.
#[tokio::test]
async fn a_document_that_multiplies_the_work_at_every_level_is_not_checked_to_the_end() {
    let schema = r##"{"items":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]},
        "$defs":{"a":{"items":{"allOf":[{"$ref":"#"},{"$ref":"#/$defs/b"}]}},
                 "b":{"type":["array","integer"],"items":{"$ref":"#"}}}}"##;
    let deep = format!("{}null{}", "[".repeat(60), "]".repeat(60));
    let told = told(schema, &json(&deep)).await;
    assert_eq!(told, ["the schema is broken, but where was not found out: it takes too many steps"]);
}

/// As deep as documents may be, and as deep as schemas may be nested for each of their values.
#[tokio::test]
async fn the_deepest_document_fits_the_deepest_schema() {
    let chain = (0..61).map(|n| format!(r##""a{n}":{{"$ref":"#/$defs/a{}"}},"##, n + 1));
    let end = r##""a61":{"type":["array","integer"],"items":{"$ref":"#/$defs/a0"}}"##;
    let schema = format!(r##"{{"$defs":{{{}{end}}},"$ref":"#/$defs/a0"}}"##, chain.collect::<String>());
    let deep = json(&format!("{}1{}", "[".repeat(64), "]".repeat(64)));
    assert_eq!(SCHEMAS.validate(&json(&schema), &deep).await, Ok(()));
}

/// All violations are in memory at once before the first is reported.
#[tokio::test]
async fn a_document_that_breaks_the_schema_in_too_many_places_is_told_to_break_it() {
    let document = Json::Array(vec![Json::Null; 300_000]);
    let told = told(r#"{"items":{"type":"string"}}"#, &document).await;
    assert_eq!(told, ["the schema is broken, but where was not found out: it takes too many steps"]);
}

#[tokio::test]
async fn more_patterns_than_can_be_kept_are_refused() {
    let many = (1..2_000).map(|n| format!(r#"{{"pattern":"\\w{{{n}}}"}}"#)).collect::<Vec<_>>();
    let schema = format!(r#"{{"prefixItems":[{}]}}"#, many.join(","));
    assert_eq!(refusal(&schema).await.1, "the schema has more than 128 patterns");
}

#[tokio::test]
async fn patterns_share_what_they_may_take_together() {
    let pattern = |n: usize| format!(r#"{{"pattern":"^(\\p{{L}}\\p{{N}}){{1,{n}}}$"}}"#);
    let many = |from: usize| (from..from + 100).map(pattern).collect::<Vec<_>>().join(",");
    assert_eq!(SCHEMAS.check(&json(&pattern(3))).await, Ok(()));
    assert!(SCHEMAS.check(&json(&format!(r#"{{"anyOf":[{}]}}"#, many(3)))).await.is_err());
}

#[tokio::test]
async fn a_text_that_is_too_long_to_be_matched_is_not_matched() {
    let document = Json::from("a".repeat(100_000));
    let told = told(r#"{"pattern":"^a+$"}"#, &document).await;
    let message = "it matches a text with a pattern that is too long for that";
    assert_eq!(told, [format!("whether the schema is kept was not found out: {message}")]);
}

#[tokio::test]
async fn only_the_schema_as_a_whole_has_a_name() {
    let named = r##"{"$id":"https://devskyy.example/a","$ref":"#/$defs/b","$defs":{"b":{"$id":"b"}}}"##;
    assert_eq!(refusal(named).await.0, "/$defs/b/$id");
}

#[tokio::test]
async fn references_are_read_without_their_encoding() {
    let schema = r##"{"$ref":"#/$defs/a%5Bb%5D","$defs":{"a[b]":{"type":"integer"}}}"##;
    assert_eq!(SCHEMAS.validate(&json(schema), &json("1")).await, Ok(()));
    assert!(SCHEMAS.validate(&json(schema), &json("[]")).await.is_err());
}

#[tokio::test]
async fn at_most_twenty_violations_are_told() {
    let document = json(&format!("[{}]", vec!["1"; 100].join(",")));
    let violations =
        SCHEMAS.validate(&json(r#"{"items":{"type":"string"}}"#), &document).await.expect_err("violations");
    assert_eq!(violations.len(), 20);
}

#[tokio::test]
async fn patterns_that_would_backtrack_take_linear_time() {
    let document = json(&format!("\"{}b\"", "a".repeat(50_000)));
    assert!(SCHEMAS.validate(&json(r#"{"pattern":"^(a+)+$"}"#), &document).await.is_err());
    assert!(SCHEMAS.check(&json(r#"{"pattern":"(?=a)b"}"#)).await.is_err(), "look-around needs backtracking");
}

#[tokio::test]
async fn whole_numbers_are_compared_exactly() {
    let schema = json(r#"{"const":9007199254740993}"#);
    assert_eq!(SCHEMAS.validate(&schema, &json("9007199254740993")).await, Ok(()));
    assert!(SCHEMAS.validate(&schema, &json("9007199254740992")).await.is_err());
}
