use crate::problem::code::codes;

codes! {
    /// Failures of every use case.
    PLATFORM {
        UNAUTHENTICATED = UNAUTHORIZED "unauthenticated" "Sign in first"
            "Send `Authorization: Bearer <access token>`; get a new token from `/api/v1/auth/refresh` or `/api/v1/auth/login`.";
        BAD_CREDENTIALS = UNAUTHORIZED "bad_credentials" "E-mail or password is wrong"
            "Check both; the response deliberately does not show which one is wrong.";
        FORBIDDEN = FORBIDDEN "forbidden" "Not allowed"
            "Ask an owner of the project, or an administrator of the platform, for the role that allows it.";
        PEOPLE_ONLY = FORBIDDEN "people_only" "Only people may do this"
            "Sign in as a person with the role for it. An API key can neither issue nor revoke keys, and can add, invite, promote, demote and remove operators and viewers only.";
        NOT_FOUND = NOT_FOUND "not_found" "Not found"
            "Check the id; objects of projects you are not a member of are not found either.";
        STALE_VERSION = PRECONDITION_FAILED "stale_version" "The resource has changed"
            "Read it again, and send the new `ETag` in `If-Match`.";
        CONTENDED = CONFLICT "contended" "Too many concurrent changes"
            "Try the same request again.";
        CLAIM_TAKEN = CONFLICT "claim_taken" "A unique value is taken"
            "Choose another value.";
        KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency.key_reused" "The idempotency key was used for another request"
            "Use a fresh `Idempotency-Key` for each different request.";
        KEY_IN_FLIGHT = CONFLICT "idempotency.in_flight" "The same request is still in progress"
            "Wait as long as `Retry-After` says and send the same request with the same key again.";
        TOO_MANY_ATTEMPTS = TOO_MANY_REQUESTS "too_many_attempts" "Too many attempts"
            "Wait as long as `Retry-After` says; the response does not depend on whether the account exists.";
        RATE_LIMITED = TOO_MANY_REQUESTS "rate_limited" "Too many requests"
            "Wait as long as `Retry-After` says; `RateLimit` on every response shows how many are left.";
        OVERLOADED = SERVICE_UNAVAILABLE "overloaded" "Too much work is waiting"
            "Wait as long as `Retry-After` says and try again.";
        UNAVAILABLE = SERVICE_UNAVAILABLE "unavailable" "A dependency is unavailable"
            "Wait as long as `Retry-After` says and try again; `/health/ready` shows when it is back.";
        OUTCOME_UNKNOWN = GATEWAY_TIMEOUT "outcome_unknown" "The outcome is unknown"
            "The change may have been recorded. Send the same request with the same `Idempotency-Key`, which has no second effect; without a key, check first whether it was recorded.";
        INTERNAL = INTERNAL_SERVER_ERROR "internal" "Internal error"
            "The request is not at fault; give the operator the `request_id`.";
    }
}
