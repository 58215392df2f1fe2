use crate::problem::code::codes;

codes! {
    /// What every use case can answer.
    PLATFORM {
        UNAUTHENTICATED = UNAUTHORIZED "unauthenticated" "Sign in first"
            "Send `Authorization: Bearer <access token>`; get a new token from `/api/v1/auth/refresh` or `/api/v1/auth/login`.";
        BAD_CREDENTIALS = UNAUTHORIZED "bad_credentials" "E-mail or password is wrong"
            "Check both; the answer deliberately does not say which one is wrong.";
        FORBIDDEN = FORBIDDEN "forbidden" "Not allowed"
            "Ask an owner of the project, or an administrator of the platform, for the role that allows it.";
        PEOPLE_ONLY = FORBIDDEN "people_only" "Only people may do this"
            "Sign in as a person with the role for it. An API key neither issues nor revokes keys, and lets in, promotes, demotes and removes operators and viewers only.";
        NOT_FOUND = NOT_FOUND "not_found" "Not found"
            "Check the id; what belongs to projects you are not a member of is not found either.";
        STALE_VERSION = PRECONDITION_FAILED "stale_version" "It has changed meanwhile"
            "Read it again, decide again, and send the new `ETag` in `If-Match`.";
        CONTENDED = CONFLICT "contended" "Too many concurrent changes"
            "Try the same request again.";
        CLAIM_TAKEN = CONFLICT "claim_taken" "A unique value is taken"
            "Choose another value.";
        KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency.key_reused" "The idempotency key was used for another request"
            "Use a fresh `Idempotency-Key` for each different request.";
        KEY_IN_FLIGHT = CONFLICT "idempotency.in_flight" "The same request is still being answered"
            "Wait as long as `Retry-After` says and send the same request with the same key again.";
        TOO_MANY_ATTEMPTS = TOO_MANY_REQUESTS "too_many_attempts" "Too much has been tried"
            "Wait as long as `Retry-After` says; the answer is the same for accounts that there are and that there are not.";
        RATE_LIMITED = TOO_MANY_REQUESTS "rate_limited" "Too many requests"
            "Wait as long as `Retry-After` says; `RateLimit` on every answer tells how many are left.";
        OVERLOADED = SERVICE_UNAVAILABLE "overloaded" "Too much work is waiting"
            "Wait as long as `Retry-After` says and try again.";
        UNAVAILABLE = SERVICE_UNAVAILABLE "unavailable" "A part of the platform is away"
            "Wait as long as `Retry-After` says and try again; `/health/ready` shows when it is back.";
        OUTCOME_UNKNOWN = GATEWAY_TIMEOUT "outcome_unknown" "It is unknown whether it was done"
            "It may have been recorded. Send the same request under the same `Idempotency-Key`, which has no second effect; sent without one, look first whether it was done.";
        INTERNAL = INTERNAL_SERVER_ERROR "internal" "The platform failed"
            "Nothing is wrong with the request; give the operator the `request_id`.";
    }
}
