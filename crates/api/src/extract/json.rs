//! Gives a checked JSON text its type; an error is located by a pointer, never by its value.

use devskyy_application::misfit::Misfit;
use serde::de::DeserializeOwned;

use super::{pointer, strict};
use crate::problem::{Problem, request};

/// Reads one strict JSON document.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    strict::check(text)?;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let place = pointer::of(error.path());
        misfit(place, Misfit::read(&error.inner().to_string()))
    })
}

fn misfit(mut place: String, misfit: Misfit) -> Problem {
    let expected = |wanted: Option<String>| wanted.map(|wanted| format!(", expected {wanted}")).unwrap_or_default();
    match misfit {
        Misfit::Missing(name) => {
            pointer::push(&mut place, &name);
            Problem::at(request::MISSING_MEMBER, place, "this member is required")
        }
        Misfit::Unknown(known) => {
            Problem::at(request::UNKNOWN_MEMBER, place, format!("this member is unknown{}", expected(known)))
        }
        Misfit::Wrong(wanted) => {
            let detail = format!("this member has the wrong type or form{}", expected(wanted));
            Problem::at(request::WRONG_TYPE, place, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError;
    use actix_web::body::MessageBody;
    use serde::Deserialize;

    use super::parse;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its shape matters here")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its shape matters here")]
        count: u32,
    }

    fn refusal(text: &str) -> serde_json::Value {
        let problem = parse::<Outer>(text.as_bytes()).unwrap_err();
        serde_json::from_slice(&problem.error_response().into_body().try_into_bytes().unwrap()).unwrap()
    }

    #[test]
    fn a_wrong_type_is_named_by_pointer_and_not_by_value() {
        let problem = refusal(r#"{"inner": [{"count": 1}, {"count": "hunter2 expected "}]}"#);
        assert_eq!(problem["code"], "request.wrong_type");
        assert_eq!(problem["errors"][0]["pointer"], "/inner/1/count");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }

    #[test]
    fn an_unknown_member_is_named() {
        let problem = refusal(r#"{"inner": [{"count": 1, "colour": 2}]}"#);
        assert_eq!(problem["code"], "request.unknown_member");
        assert_eq!(problem["errors"][0]["pointer"], "/inner/0/colour");
    }

    #[test]
    fn a_missing_member_is_named() {
        let problem = refusal(r#"{"inner": [{}]}"#);
        assert_eq!(problem["code"], "request.missing_member");
        assert_eq!(problem["errors"][0]["pointer"], "/inner/0/count");
    }
}
