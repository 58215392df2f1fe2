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
        UNPROCESSABLE_ENTITY "user.password_needs_digit" "Password has no digit"
            "Add at least one digit.";
        UNPROCESSABLE_ENTITY "user.password_needs_upper_case" "Password has no upper-case letter"
            "Add at least one upper-case letter.";
        UNPROCESSABLE_ENTITY "user.password_common" "Password is a common one"
            "Choose a password that is not on every attacker's list.";
        UNPROCESSABLE_ENTITY "user.password_is_email" "Password is the e-mail"
            "Choose a password that is not the e-mail.";
        CONFLICT "user.email_taken" "The e-mail has an account"
            "Sign in instead, or register with another e-mail.";
        FORBIDDEN "user.bootstrap_refused" "Bootstrap token is not accepted"
            "Use the token the first start printed, before anybody else has.";
        CONFLICT "user.already_registered" "The user is registered already"
            "Nothing needs to be done.";
        CONFLICT "user.not_registered" "There is no such user"
            "Check the id.";
    }
}
