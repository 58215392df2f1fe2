use devskyy_domain::kernel::Json;

use super::{WorkflowUnderTest, json};

const PERSON: &str = r#"{"required":["name"],"properties":{"age":{"type":"integer"}}}"#;

async fn pointers(it: &WorkflowUnderTest, schema: &str, document: &str) -> Vec<String> {
    let violations = it.schemas.validate(&json(schema), &json(document)).await.err().unwrap_or_default();
    violations.into_iter().map(|violation| violation.pointer).collect()
}

/// A valid document and its schema have no violations.
pub async fn a_document_that_fits_its_schema_passes(it: &WorkflowUnderTest) {
    assert_eq!(it.schemas.check(&json(PERSON)).await, Ok(()));
    assert_eq!(pointers(it, PERSON, r#"{"name":"Ada","age":36}"#).await, [""; 0]);
}

/// A schema without rules accepts everything.
pub async fn a_schema_without_rules_takes_everything(it: &WorkflowUnderTest) {
    assert_eq!(it.schemas.validate(&json("{}"), &json(r#"[1,{"a":null}]"#)).await, Ok(()));
}

/// A missing member is reported at its object.
pub async fn a_missing_member_is_told_at_its_object(it: &WorkflowUnderTest) {
    assert_eq!(pointers(it, PERSON, "{}").await, [""]);
    let nested = format!(r#"{{"properties":{{"at":{PERSON}}}}}"#);
    assert_eq!(pointers(it, &nested, r#"{"at":{}}"#).await, ["/at"]);
}

/// The pointer identifies the invalid value.
pub async fn a_wrong_type_is_told_at_its_member(it: &WorkflowUnderTest) {
    assert_eq!(pointers(it, PERSON, r#"{"name":"Ada","age":"old"}"#).await, ["/age"]);
}

/// A schema is validated as a document of its own.
pub async fn what_is_no_schema_is_refused_at_its_place(it: &WorkflowUnderTest) {
    let violations = it.schemas.check(&json(r#"{"required":1}"#)).await.unwrap_err();
    assert_eq!(violations[0].pointer, "/required");
}

/// The number and length of violations are limited.
pub async fn violations_are_few_and_short(it: &WorkflowUnderTest) {
    let names: Vec<Json> = (0..50).map(|n| Json::from(format!("member_{n}"))).collect();
    let schema = Json::Object([("required".to_owned(), Json::Array(names))].into());
    let violations = it.schemas.validate(&schema, &json("{}")).await.unwrap_err();
    assert!((1..=20).contains(&violations.len()), "{}", violations.len());
    let huge = Json::from("x".repeat(100_000));
    let violations = it.schemas.validate(&json(r#"{"type":"integer"}"#), &huge).await.unwrap_err();
    assert!(violations.iter().all(|violation| violation.message.chars().count() <= 500));
}
