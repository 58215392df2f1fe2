use crate::problem::code::refusals;

refusals! {
    /// Why a request about people is refused.
    IDENTITY {
        UNPROCESSABLE_ENTITY "user.email_format" "Not an e-mail address"
            "Send an address like `name@example.org` of at most 254 characters.";
        UNPROCESSABLE_ENTITY "user.name_format" "Name is empty, too long or unprintable"
            "Send a name of 1 to 100 characters without control characters.";
        UNPROCESSABLE_ENTITY "user.password_length" "Password is too short or too long"
            "Choose a password of 8 to 128 characters.";
        UNPROCESSABLE_ENTITY "user.password_too_short" "Password is too short"
            "Choose a password of 12 to 128 characters; this platform requires length instead of composition.";
        UNPROCESSABLE_ENTITY "user.current_password_wrong" "The current password is wrong"
            "Send the password you sign in with.";
        FORBIDDEN "user.registration_closed" "Registration is closed"
            "Ask the operator for an account (`devskyy user create`), or to set `registration.mode` to `invite` or `open`.";
        FORBIDDEN "user.invitation_refused" "The invitation is not valid"
            "Ask an administrator for another invitation; each can be used for one account.";
        CONFLICT "user.last_administrator" "The platform would have no administrator"
            "Make somebody else an administrator first.";
        CONFLICT "user.erased" "The account is erased"
            "An erased account cannot be restored; the person may register again.";
        UNPROCESSABLE_ENTITY "user.password_needs_digit" "Password has no digit"
            "Add at least one digit.";
        UNPROCESSABLE_ENTITY "user.password_needs_upper_case" "Password has no upper-case letter"
            "Add at least one upper-case letter.";
        UNPROCESSABLE_ENTITY "user.password_common" "Password is too common"
            "Choose a password that is not on a list of common passwords.";
        UNPROCESSABLE_ENTITY "user.password_is_email" "Password is the e-mail"
            "Choose a password that is not the e-mail.";
        CONFLICT "user.email_taken" "The e-mail is already registered"
            "Sign in instead, or register with another e-mail.";
        FORBIDDEN "user.bootstrap_refused" "Bootstrap token is not accepted"
            "Use the token from the file that the first start names; it is valid until there is an administrator.";
    }
}

refusals! {
    /// Why a request about API keys is refused.
    API_KEYS {
        UNPROCESSABLE_ENTITY "api_key.name_format" "Name is empty, too long or unprintable"
            "Send a name of 1 to 100 characters without control characters.";
        UNPROCESSABLE_ENTITY "api_key.scope_unknown" "Unknown scope"
            "Send names of permissions that API keys can have, or leave `scopes` out for all that the role allows.";
        UNPROCESSABLE_ENTITY "api_key.scopes_empty" "No scopes"
            "Send at least one scope, or leave `scopes` out for all that the role allows.";
        UNPROCESSABLE_ENTITY "api_key.expiry_range" "Expiry is in the past or too far away"
            "Send a time in the future, at most 365 days away.";
        UNPROCESSABLE_ENTITY "api_key.overlap_range" "Overlap is too long"
            "Keep the old secret valid for at most 604800 seconds.";
        FORBIDDEN "api_key.exceeds_issuer" "The key would exceed its issuer"
            "Choose a role that is at most your own in the project.";
        CONFLICT "api_key.revoked" "The key is revoked"
            "Issue another key.";
        CONFLICT "api_key.expired" "The key has expired"
            "Issue another key.";
    }
}
