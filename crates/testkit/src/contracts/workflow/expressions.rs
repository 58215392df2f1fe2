use super::{WorkflowUnderTest, json};

/// Programs read their input.
pub async fn a_path_leads_to_a_member(it: &WorkflowUnderTest) {
    let found = it.expressions.evaluate(".a.b", &json(r#"{"a":{"b":[1,"x"]}}"#)).await;
    assert_eq!(found.unwrap(), json(r#"[1,"x"]"#));
}

/// As in jq.
pub async fn a_missing_member_is_null(it: &WorkflowUnderTest) {
    assert_eq!(it.expressions.evaluate(".a.b", &json("{}")).await.unwrap(), json("null"));
}

/// Conditions are programs.
pub async fn a_comparison_is_true_or_false(it: &WorkflowUnderTest) {
    let document = json(r#"{"a":"x"}"#);
    assert_eq!(it.expressions.evaluate(r#".a == "x""#, &document).await.unwrap(), json("true"));
    assert_eq!(it.expressions.evaluate(r#".a == "y""#, &document).await.unwrap(), json("false"));
}

/// The check accepts valid programs.
pub async fn a_sound_program_is_accepted(it: &WorkflowUnderTest) {
    assert_eq!(it.expressions.check_program(".a.b").await, Ok(()));
}

/// Errors are found on publication, not in the first run.
pub async fn a_program_that_does_not_parse_is_refused(it: &WorkflowUnderTest) {
    assert!(it.expressions.check_program("((").await.is_err());
}

/// Unchecked programs are refused, too.
pub async fn a_program_that_does_not_parse_is_not_run(it: &WorkflowUnderTest) {
    assert!(it.expressions.evaluate("((", &json("{}")).await.is_err());
}

/// An error is not a value.
pub async fn a_program_that_fails_says_so(it: &WorkflowUnderTest) {
    assert!(it.expressions.evaluate(".a.b", &json(r#"{"a":1}"#)).await.is_err());
    assert!(it.expressions.evaluate("error", &json("{}")).await.is_err());
}

/// Exactly one result is expected.
pub async fn a_program_without_a_result_fails(it: &WorkflowUnderTest) {
    assert!(it.expressions.evaluate("empty", &json("{}")).await.is_err());
}

/// Exactly one result is expected.
pub async fn a_program_with_several_results_fails(it: &WorkflowUnderTest) {
    assert!(it.expressions.evaluate(".a, .b", &json(r#"{"a":1,"b":2}"#)).await.is_err());
}

/// Strings are inserted as they are, other values as JSON.
pub async fn a_template_is_filled_in(it: &WorkflowUnderTest) {
    let context = json(r#"{"name":"Ada","at":{"n":3}}"#);
    let rendered = it.expressions.render("Hello {{ name }}, {{ at.n }}!", &context).await;
    assert_eq!(rendered.unwrap(), "Hello Ada, 3!");
}

/// The check accepts valid templates.
pub async fn a_sound_template_is_accepted(it: &WorkflowUnderTest) {
    assert_eq!(it.expressions.check_template("Hello {{ name }}!").await, Ok(()));
}

/// Errors are found on publication, not in the first run.
pub async fn a_template_that_does_not_parse_is_refused(it: &WorkflowUnderTest) {
    assert!(it.expressions.check_template("Hello {{ name").await.is_err());
}

/// Missing values are not rendered as empty text.
pub async fn an_unknown_name_in_a_template_fails(it: &WorkflowUnderTest) {
    assert!(it.expressions.render("Hello {{ name }}!", &json("{}")).await.is_err());
}
