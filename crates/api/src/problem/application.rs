use actix_web::http::{
    StatusCode,
    header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use devskyy_application::error::{Error, Refused};
use devskyy_domain::kernel::RefusalKind;

use super::{Code, Fault, Problem, find, is_defect, platform};

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self { pointer: refused.pointer, parameter: None, code: refused.code, detail: refused.detail }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        if is_defect(refused.code) {
            tracing::error!(code = refused.code, detail = refused.detail, "a refusal no request can bring about");
            return failed();
        }
        let status = match refused.kind {
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        };
        let title = find(refused.code).map_or("Refused", |code| code.title);
        let code = Code { code: refused.code, status, title, remedy: "" };
        let problem = Self::new(code, refused.detail.clone());
        match refused.pointer {
            Some(_) => problem.with(refused.into()),
            None => problem,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Refused(refused) => refused.into(),
            Error::Invalid(refused) => several(refused),
            Error::Unauthenticated => unauthenticated(),
            Error::BadCredentials => challenging(Self::new(platform::BAD_CREDENTIALS, detail)),
            Error::Forbidden => Self::new(platform::FORBIDDEN, detail),
            Error::Denied => Self::new(platform::FORBIDDEN, detail).noted(),
            Error::PeopleOnly => Self::new(platform::PEOPLE_ONLY, detail).noted(),
            Error::NotFound(_) => Self::new(platform::NOT_FOUND, detail),
            Error::StaleVersion { .. } | Error::Stale => Self::new(platform::STALE_VERSION, detail),
            Error::Contended => later(Self::new(platform::CONTENDED, detail), 1),
            Error::ClaimTaken(_) => Self::new(platform::CLAIM_TAKEN, detail),
            Error::KeyReused => Self::new(platform::KEY_REUSED, detail),
            Error::TooManyAttempts { wait_s } => later(Self::new(platform::TOO_MANY_ATTEMPTS, detail), wait_s),
            Error::Overloaded => later(Self::new(platform::OVERLOADED, detail), 1),
            Error::Unknown(failure) => {
                tracing::warn!(error = %failure, cause = %root(&failure), "it is unknown whether a change was recorded");
                Self::new(
                    platform::OUTCOME_UNKNOWN,
                    "the change may or may not have been recorded; check before repeating it",
                )
            }
            Error::Port(failure) if failure.retryable => {
                tracing::warn!(error = %failure, cause = %root(&failure), "a port is unavailable");
                later(Self::new(platform::UNAVAILABLE, "a dependency of the platform is unavailable, try again"), 2)
            }
            Error::Port(failure) => {
                tracing::error!(error = %failure, cause = %root(&failure), "a port failed");
                failed()
            }
        }
    }
}

/// The response to a failure that the caller cannot fix.
fn failed() -> Problem {
    Problem::new(platform::INTERNAL, "internal error; the server's log has the details under this request id")
}

/// Several refusals at once; a single one stands for itself.
fn several(mut refused: Vec<Refused>) -> Problem {
    if refused.len() == 1 {
        return refused.remove(0).into();
    }
    Problem::of_faults(refused.into_iter().map(Fault::from).collect())
}

/// The response to a caller without a valid credential.
pub(crate) fn unauthenticated() -> Problem {
    challenging(Problem::new(platform::UNAUTHENTICATED, Error::Unauthenticated.to_string()))
}

/// Every 401 names the accepted credentials (RFC 9110, section 15.5.2).
fn challenging(problem: Problem) -> Problem {
    problem.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"devskyy\""))
}

fn later(problem: Problem, seconds: u64) -> Problem {
    problem.header(RETRY_AFTER, HeaderValue::from(seconds))
}

fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_no_request_can_bring_about_is_a_failure_of_the_platform() {
        let (kind, detail) = (RefusalKind::Conflict, "the run has begun already".to_owned());
        let problem = Problem::from(Refused { code: "run.begun", kind, detail, pointer: None });
        assert_eq!((problem.code(), problem.0.status), ("internal", StatusCode::INTERNAL_SERVER_ERROR));
    }
}
