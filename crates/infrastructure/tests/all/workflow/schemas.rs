use devskyy_application::workflow::Schemas as _;
use devskyy_infrastructure::workflow::JsonSchemas;

use super::json;

#[test]
fn violations_point_into_the_document() {
    let schema =
        json(r#"{"type":"object","properties":{"a/b":{"type":"array","items":{"type":"integer"}}},"required":["c"]}"#);
    let violations = JsonSchemas::new().validate(&schema, &json(r#"{"a/b":[1,"x"]}"#)).expect_err("violations");
    let pointers: Vec<_> = violations.iter().map(|violation| violation.pointer.as_str()).collect();
    assert_eq!(pointers, ["", "/a~1b/1"]);
}

#[test]
fn messages_do_not_repeat_the_value() {
    let violations =
        JsonSchemas::new().validate(&json(r#"{"type":"integer"}"#), &json("\"hunter2\"")).expect_err("no integer");
    assert!(!violations[0].message.contains("hunter2"), "{violations:?}");
}

#[test]
fn what_is_no_schema_is_refused_with_a_pointer() {
    let violations =
        JsonSchemas::new().check(&json(r#"{"properties":{"a":{"type":"nothing"}}}"#)).expect_err("no schema");
    assert_eq!(violations[0].pointer, "/properties/a/type");
}

#[test]
fn references_outside_the_schema_are_refused() {
    for reference in ["http://localhost:1/schema.json", "file:///etc/passwd", "other.json", "#/$defs/nothing"] {
        let schema = json(&format!(r#"{{"$ref":"{reference}"}}"#));
        assert!(JsonSchemas::new().check(&schema).is_err(), "{reference}");
    }
}

#[test]
fn references_within_the_schema_work_even_recursively() {
    let schema = json(r##"{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}"##);
    let schemas = JsonSchemas::new();
    assert_eq!(schemas.validate(&schema, &json("[[],[[]]]")), Ok(()));
    assert!(schemas.validate(&schema, &json("[[1]]")).is_err());
}

#[test]
fn references_in_a_circle_are_answered() {
    let schemas = JsonSchemas::new();
    for schema in
        [r##"{"$ref":"#"}"##, r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##]
    {
        let _ = schemas.check(&json(schema));
        let _ = schemas.validate(&json(schema), &json("[1]"));
    }
}

#[test]
fn at_most_twenty_violations_are_told() {
    let document = json(&format!("[{}]", vec!["1"; 100].join(",")));
    let violations =
        JsonSchemas::new().validate(&json(r#"{"items":{"type":"string"}}"#), &document).expect_err("violations");
    assert_eq!(violations.len(), 20);
}

#[test]
fn patterns_that_would_backtrack_take_linear_time() {
    let document = json(&format!("\"{}b\"", "a".repeat(50_000)));
    assert!(JsonSchemas::new().validate(&json(r#"{"pattern":"^(a+)+$"}"#), &document).is_err());
    assert!(JsonSchemas::new().check(&json(r#"{"pattern":"(?=a)b"}"#)).is_err(), "look-around needs backtracking");
}

#[test]
fn whole_numbers_are_compared_exactly() {
    let schema = json(r#"{"const":9007199254740993}"#);
    assert_eq!(JsonSchemas::new().validate(&schema, &json("9007199254740993")), Ok(()));
    assert!(JsonSchemas::new().validate(&schema, &json("9007199254740992")).is_err());
}
