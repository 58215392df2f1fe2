use devskyy_application::workflow::ToolError;
use devskyy_domain::{
    kernel::Json,
    workflow::{Builtin, Tool},
};

use super::{call_of, json, tools};
use devskyy_application::workflow::ToolExecutor as _;

async fn parse(format: &str, text: &str) -> Result<Json, String> {
    let mut call = call_of(Tool::Builtin { builtin: Builtin::Parse }, "null");
    let members = [("format", format), ("text", text)];
    call.arguments = members.into_iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
    match tools(false, &[]).call(call).await {
        Ok(document) => Ok(document),
        Err(ToolError::Permanent { code, message }) if code == "tool.parse" => Err(message),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_format_gives_the_same_kind_of_document() {
    let expected = json(r#"{"a":1,"b":[true,"x"],"c":{"d":1.5}}"#);
    for (format, text) in [
        ("json", "{\"a\":1,\"b\":[true,\"x\"],\"c\":{\"d\":1.5}}"),
        ("toml", "a = 1\nb = [true, \"x\"]\n[c]\nd = 1.5\n"),
        ("yaml", "a: 1\nb:\n  - true\n  - x\nc: {d: 1.5}\n"),
    ] {
        assert_eq!(parse(format, text).await, Ok(expected.clone()), "{format}");
    }
}

#[tokio::test]
async fn csv_gives_rows_named_by_the_header() {
    let rows = parse("csv", "\u{feff}name,note\na,\"x, \"\"y\"\"\nline\"\nb,\n").await;
    assert_eq!(rows, Ok(json("[{\"name\":\"a\",\"note\":\"x, \\\"y\\\"\\nline\"},{\"name\":\"b\",\"note\":\"\"}]")));
}

#[tokio::test]
async fn mistakes_are_told_with_their_place() {
    for (format, text, place) in [
        ("json", "{\"a\": 1,\n  b}", "the text is not JSON: line 2, column 3: "),
        ("json", "", "the text is not JSON: line 1, column 0: "),
        ("toml", "a = 1\nb = \n", "the text is not TOML: line 2, column 5: "),
        ("yaml", "a: 1\nb: [1,\n", "the text is not YAML: "),
        ("csv", "a,b\n1\n", "the text is not CSV: line 2: the row has 1 cells, the header 2"),
        ("xml", "<a/>", "`xml` is not a format"),
    ] {
        let message = parse(format, text).await.expect_err(text);
        assert!(message.starts_with(place), "{format}: {message}");
    }
}

#[tokio::test]
async fn names_that_occur_twice_are_refused() {
    for (format, text) in [
        ("json", "{\"a\":1,\"a\":2}"),
        ("json", "[{\"x\":{\"a\":1,\"a\":1}}]"),
        ("toml", "a = 1\na = 2\n"),
        ("yaml", "a: 1\na: 2\n"),
        ("csv", "a,a\n1,2\n"),
    ] {
        assert!(parse(format, text).await.is_err(), "{format}: {text}");
    }
}

#[tokio::test]
async fn whole_numbers_stay_exact_and_impossible_ones_are_refused() {
    for format in ["json", "yaml"] {
        assert_eq!(
            parse(format, "[9007199254740993, 18446744073709551615]").await,
            Ok(json("[9007199254740993,18446744073709551615]")),
            "{format}"
        );
    }
    assert!(parse("toml", "a = inf").await.is_err());
    assert!(parse("yaml", ".nan").await.is_err());
}

#[tokio::test]
async fn dates_become_text() {
    assert_eq!(parse("toml", "d = 2024-05-01T10:00:00Z").await, Ok(json(r#"{"d":"2024-05-01T10:00:00Z"}"#)));
}

#[tokio::test]
async fn aliases_that_explode_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let before = n - 1;
        text += &format!(
            "a{n}: &a{n} [*a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}, *a{before}]\n"
        );
    }
    assert!(parse("yaml", &text).await.is_err());
}

#[tokio::test]
async fn nesting_is_bounded_in_every_format() {
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    for (format, text) in [
        ("json", format!("{open}{close}")),
        ("toml", format!("a = {open}{close}")),
        ("yaml", format!("{open}{close}")),
        ("json", format!("{}{}", "[".repeat(65), "]".repeat(65))),
        ("yaml", format!("{}{}", "[".repeat(65), "]".repeat(65))),
        ("toml", format!("a = {}{}", "[".repeat(64), "]".repeat(64))),
        ("toml", vec!["a"; 70].join(".") + " = 1"),
        ("yaml", (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect()),
    ] {
        assert!(parse(format, &text).await.is_err(), "{format}: {:.40}", text);
    }
}

#[tokio::test]
async fn size_is_bounded() {
    assert!(parse("json", &format!("\"{}\"", "x".repeat(5 << 20))).await.is_err());
    assert!(parse("json", &format!("[{}0]", "0,".repeat(600_000))).await.is_err());
}

#[tokio::test]
async fn a_real_lock_file_is_understood() {
    let lock = include_str!("../../../../../Cargo.lock");
    let document = parse("toml", lock).await.expect("a document");
    let packages = document.get("package").and_then(Json::as_array).expect("packages");
    assert_eq!(packages.len(), lock.matches("[[package]]").count());
}
