use std::{collections::HashMap, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
    web::{Bytes, BytesMut, Data},
};
use devskyy_application::{context::Actor, es::Idempotency};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

use super::{
    idempotency::{self, KeyedRequest},
    json, pointer,
};
use crate::{
    problem::{Fault, Problem, find, request},
    settings::Settings,
};

/// How long a body may take to begin, whatever the required rate.
const GRACE: Duration = Duration::from_secs(3);

/// A request body that is strict JSON of the right shape and passes its own validation.
pub(crate) struct Body<T> {
    value: T,
    keyed: Option<KeyedRequest>,
}

impl<T> Body<T> {
    /// What the client sent.
    pub(crate) fn into_inner(self) -> T {
        self.value
    }

    /// What the client sent, and how a repetition is recognised.
    pub(crate) fn keyed(self, actor: &Actor) -> (T, Option<Idempotency>) {
        let idempotency = self.keyed.map(|keyed| keyed.of(actor, ""));
        (self.value, idempotency)
    }

    /// What the client sent, and its key, for a caller who has not signed in and is identified by what they sent.
    pub(crate) fn of_stranger(self) -> (T, Option<KeyedRequest>) {
        (self.value, self.keyed)
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let key = idempotency::key(request.headers())?;
            media_type(&request)?;
            let text = read(&request, payload).await?;
            Self::parse(&request, key, &text)
        })
    }
}

impl<T: DeserializeOwned + Validate> Body<T> {
    fn parse(request: &HttpRequest, key: Option<String>, text: &[u8]) -> Result<Self, Problem> {
        let value: T = json::parse(text)?;
        value.validate().map_err(|errors| Problem::of_faults(faults(&errors)))?;
        let keyed = key.map(|key| KeyedRequest::new(key, request, text)).transpose()?;
        Ok(Self { value, keyed })
    }
}

/// A request body that may be omitted.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = OptionalKeyedBody::from_request(request, payload);
        Box::pin(async move { Ok(Self(body.await?.0.into_inner())) })
    }
}

/// A request body that may be omitted, of a repeatable request.
pub(crate) struct OptionalKeyedBody<T>(Body<T>);

impl<T> OptionalKeyedBody<T> {
    /// What the client sent, and how a repetition is recognised.
    pub(crate) fn keyed(self, actor: &Actor) -> (T, Option<Idempotency>) {
        self.0.keyed(actor)
    }
}

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for OptionalKeyedBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let key = idempotency::key(request.headers())?;
            let text = if is_announced(&request) { read(&request, payload).await? } else { Bytes::new() };
            if text.is_empty() {
                // Some clients name a media type even if they send nothing.
                let keyed = key.map(|key| KeyedRequest::new(key, &request, b"")).transpose()?;
                return Ok(Self(Body { value: T::default(), keyed }));
            }
            media_type(&request)?;
            Body::parse(&request, key, &text).map(Self)
        })
    }
}

/// Whether a request announces a body.
fn is_announced(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
        || headers.contains_key(CONTENT_TYPE)
        || headers.contains_key(TRANSFER_ENCODING)
}

fn media_type(request: &HttpRequest) -> Result<(), Problem> {
    let sent = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    let charset = sent.split_once("charset=").map_or("utf-8", |(_, charset)| charset.trim().trim_matches('"'));
    if essence.eq_ignore_ascii_case("application/json") && charset.eq_ignore_ascii_case("utf-8") {
        return Ok(());
    }
    Err(Problem::new(request::UNSUPPORTED_MEDIA_TYPE, "the body must be `application/json` in UTF-8"))
}

/// Reads the body within the limits of size, time and rate.
async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let settings = request.app_data::<Data<Settings>>().cloned().unwrap_or_default();
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > settings.body_bytes) {
        return Err(too_large(settings.body_bytes));
    }
    collect(payload, &settings).await
}

async fn collect(mut payload: Payload, settings: &Settings) -> Result<Bytes, Problem> {
    let mut text = BytesMut::new();
    let began = Instant::now();
    let slow = |_| Problem::new(request::BODY_TIMEOUT, "the body did not arrive in time").closing();
    while let Some(chunk) = timeout_at(began + patience(text.len(), settings), payload.next()).await.map_err(slow)? {
        let chunk = chunk.map_err(|_| Problem::new(request::BODY_UNREADABLE, "the body ended early or is damaged"))?;
        if text.len() + chunk.len() > settings.body_bytes {
            return Err(too_large(settings.body_bytes));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text.freeze())
}

/// How long after its beginning more of a body must have arrived, so that a trickle is cut off early.
fn patience(arrived: usize, settings: &Settings) -> Duration {
    let arrived = u32::try_from(arrived).unwrap_or(u32::MAX);
    let earned = Duration::from_secs(1) * arrived / settings.body_rate.max(1);
    settings.body_deadline.min(GRACE + earned)
}

fn too_large(most: usize) -> Problem {
    Problem::new(request::BODY_TOO_LARGE, format!("the body may have at most {most} bytes")).closing()
}

/// The errors of validation, by pointer; the offending values are left out.
fn faults(errors: &ValidationErrors) -> Vec<Fault> {
    let mut found = Vec::new();
    gather(errors.errors(), "", &mut found);
    found
}

fn gather(errors: &HashMap<std::borrow::Cow<'static, str>, ValidationErrorsKind>, above: &str, found: &mut Vec<Fault>) {
    for (name, kind) in errors {
        let mut place = above.to_owned();
        if name != "__all__" {
            pointer::push(&mut place, name);
        }
        match kind {
            ValidationErrorsKind::Struct(nested) => gather(nested.errors(), &place, found),
            ValidationErrorsKind::List(elements) => {
                for (index, nested) in elements {
                    let mut element = place.clone();
                    pointer::push(&mut element, &index.to_string());
                    gather(nested.errors(), &element, found);
                }
            }
            ValidationErrorsKind::Field(broken) => found.extend(broken.iter().map(|rule| fault(place.clone(), rule))),
        }
    }
}

fn fault(place: String, rule: &ValidationError) -> Fault {
    let code = find(&rule.code).unwrap_or(match rule.code.as_ref() {
        "length" => &request::TEXT_LENGTH,
        "range" => &request::OUT_OF_RANGE,
        _ => &request::WRONG_TYPE,
    });
    let detail = match (&rule.message, rule.params.get("min"), rule.params.get("max")) {
        (Some(message), ..) => message.to_string(),
        (None, Some(min), Some(max)) => format!("{}: from {min} to {max}", lower(code.title)),
        (None, Some(min), None) => format!("{}: at least {min}", lower(code.title)),
        (None, None, Some(max)) => format!("{}: at most {max}", lower(code.title)),
        (None, None, None) => lower(code.title),
    };
    Fault { pointer: Some(place), parameter: None, code: code.code, detail }
}

fn lower(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
