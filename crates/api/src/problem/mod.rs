//! How failures leave the process: RFC 9457 problem documents, from one renderer.
//!
//! A problem never holds a value the client sent, only names of members and limits.

mod application;
mod code;
mod codes;
mod page;

use std::fmt;

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::{
    application::unauthenticated,
    codes::{platform, request},
};
pub use self::{
    code::Code,
    codes::{Chapter, REGISTRY, find, is_defect},
    page::{html, markdown},
};
use crate::edge::secure;

/// Media type of every failure.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error in a part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the body, if a part of the body is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Name of the query parameter or header, if one is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Its code.
    pub code: &'static str,
    /// Prose for people.
    pub detail: String,
}

/// Why a request failed; the only way a failure leaves the process.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
    request_id: Option<String>,
    closes: bool,
    noted: bool,
}

impl Problem {
    /// A problem of a registered kind.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status: code.status,
            code: code.code,
            title: code.title,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            request_id: None,
            closes: false,
            noted: false,
        }))
    }

    /// A problem with one member of the body.
    #[must_use]
    pub(crate) fn at(code: Code, pointer: String, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(code, detail.clone()).with(Fault { pointer: Some(pointer), parameter: None, code: code.code, detail })
    }

    /// A problem with one query parameter or header.
    #[must_use]
    pub(crate) fn parameter(code: Code, name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let parameter = Some(name.to_owned());
        Self::new(code, detail.clone()).with(Fault { pointer: None, parameter, code: code.code, detail })
    }

    /// Several faults at once; a single one gives the problem its own code.
    pub(crate) fn of_faults(mut faults: Vec<Fault>) -> Self {
        faults.sort_by(|a, b| (&a.pointer, &a.parameter, a.code).cmp(&(&b.pointer, &b.parameter, b.code)));
        let several = Self::new(request::INVALID, format!("{} parts of the request are invalid", faults.len()));
        let mut problem = match faults.as_slice() {
            [only] => find(only.code).map_or(several, |code| Self::new(*code, only.detail.clone())),
            [] | [_, _, ..] => several,
        };
        problem.0.errors = faults;
        problem
    }

    fn with(mut self, fault: Fault) -> Self {
        self.0.errors.push(fault);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Closes the connection with the response, because the rest of the request is not read.
    pub(crate) fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    /// Marks it as a denial that is already recorded.
    pub(crate) fn noted(mut self) -> Self {
        self.0.noted = true;
        self
    }

    /// Whether it is already recorded as a denial.
    pub(crate) fn is_noted(&self) -> bool {
        self.0.noted
    }

    /// Adds the id of the request.
    pub(crate) fn within(mut self, request_id: &str) -> Self {
        self.0.request_id = Some(request_id.to_owned());
        self
    }

    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }
}

/// An error response (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/docs/errors#agent.name_length", "title": "Name is too short or too long", "status": 422,
    "detail": "the name must have 3 to 100 characters", "code": "agent.name_length",
    "request_id": "01938f2e-0000-7000-8000-000000000000",
    "errors": [{"pointer": "/name", "code": "agent.name_length", "detail": "the name must have 3 to 100 characters"}]
}))]
pub(crate) struct ProblemDocument<'a> {
    /// The address of the code's explanation, relative to the platform.
    #[schema(format = "uri-reference")]
    r#type: String,
    /// Short and the same for every occurrence.
    title: &'a str,
    /// The HTTP status again.
    status: u16,
    /// The details, for people.
    detail: &'a str,
    /// Stable name of the kind of failure, for programs.
    code: &'a str,
    /// Names the request in the platform's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    /// The parts of the request that are to blame.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let parts = &*self.0;
        let document = ProblemDocument {
            r#type: format!("/docs/errors#{}", parts.code),
            title: parts.title,
            status: parts.status.as_u16(),
            detail: &parts.detail,
            code: parts.code,
            request_id: parts.request_id.as_deref(),
            errors: &parts.errors,
        };
        let mut response = HttpResponseBuilder::new(parts.status);
        if parts.closes {
            response.force_close();
        }
        for (name, value) in &parts.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        let mut response = response
            .insert_header((CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON)))
            .body(serde_json::to_vec(&document).unwrap_or_default());
        secure(response.headers_mut(), parts.request_id.as_deref().unwrap_or_default());
        response
    }
}
