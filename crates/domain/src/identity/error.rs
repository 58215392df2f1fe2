use crate::kernel::{Refusal, RefusalKind};

/// Why a request about an account is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a valid e-mail address.
    #[error("the e-mail must look like name@example.org and have at most 254 characters")]
    EmailFormat,
    /// Empty, too long or with control characters.
    #[error("the name must have 1 to 100 characters and no control characters")]
    NameFormat,
    /// Too short to resist guessing, or too long to hash.
    #[error("the password must have 8 to 128 characters")]
    PasswordLength,
    /// Too short for a policy that only requires length.
    #[error("the password must have 12 to 128 characters")]
    PasswordTooShort,
    /// No digit.
    #[error("the password must contain at least one digit")]
    PasswordNeedsDigit,
    /// No upper-case letter.
    #[error("the password must contain at least one upper-case letter")]
    PasswordNeedsUpperCase,
    /// On the list of common passwords.
    #[error("the password is one of the most common ones, choose another")]
    PasswordCommon,
    /// The password is the e-mail address.
    #[error("the password must not be the e-mail")]
    PasswordIsEmail,
    /// An account with this e-mail exists.
    #[error("an account with this e-mail exists, sign in instead")]
    EmailTaken,
    /// The bootstrap token is wrong or was used.
    #[error("the bootstrap token is not valid, or the first administrator exists already")]
    BootstrapRefused,
    /// Registration is closed, with or without an invitation.
    #[error("registration is closed; the operator creates accounts on the command line")]
    RegistrationClosed,
    /// The invitation is unknown, expired or used.
    #[error("the invitation is not valid, ask for another one")]
    InvitationRefused,
    /// Changing the password requires the current one.
    #[error("the current password is wrong")]
    CurrentPasswordWrong,
    /// The platform must keep at least one active administrator.
    #[error("the platform needs at least one active administrator, make somebody else one first")]
    LastAdministrator,
    /// An erased account cannot be restored.
    #[error("the account is erased")]
    Erased,
    /// The id is registered already.
    #[error("the user is registered already")]
    AlreadyRegistered,
    /// No account has this id.
    #[error("there is no such user")]
    NotRegistered,
}

impl Refusal for IdentityError {
    fn code(&self) -> &'static str {
        match self {
            Self::EmailFormat => "user.email_format",
            Self::NameFormat => "user.name_format",
            Self::PasswordLength => "user.password_length",
            Self::PasswordTooShort => "user.password_too_short",
            Self::RegistrationClosed => "user.registration_closed",
            Self::InvitationRefused => "user.invitation_refused",
            Self::CurrentPasswordWrong => "user.current_password_wrong",
            Self::LastAdministrator => "user.last_administrator",
            Self::Erased => "user.erased",
            Self::PasswordNeedsDigit => "user.password_needs_digit",
            Self::PasswordNeedsUpperCase => "user.password_needs_upper_case",
            Self::PasswordCommon => "user.password_common",
            Self::PasswordIsEmail => "user.password_is_email",
            Self::EmailTaken => "user.email_taken",
            Self::BootstrapRefused => "user.bootstrap_refused",
            Self::AlreadyRegistered => "user.already_registered",
            Self::NotRegistered => "user.not_registered",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::EmailFormat
            | Self::NameFormat
            | Self::PasswordLength
            | Self::PasswordTooShort
            | Self::PasswordNeedsDigit
            | Self::PasswordNeedsUpperCase
            | Self::PasswordCommon
            | Self::PasswordIsEmail
            | Self::CurrentPasswordWrong => RefusalKind::Invalid,
            Self::BootstrapRefused | Self::RegistrationClosed | Self::InvitationRefused => RefusalKind::Forbidden,
            Self::LastAdministrator
            | Self::Erased
            | Self::EmailTaken
            | Self::AlreadyRegistered
            | Self::NotRegistered => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        let member = match self {
            Self::EmailFormat | Self::EmailTaken => "/email",
            Self::NameFormat => "/name",
            Self::PasswordLength
            | Self::PasswordTooShort
            | Self::PasswordNeedsDigit
            | Self::PasswordNeedsUpperCase
            | Self::PasswordCommon
            | Self::PasswordIsEmail => "/password",
            Self::BootstrapRefused => "/bootstrap_token",
            Self::InvitationRefused => "/invitation_token",
            Self::CurrentPasswordWrong => "/current_password",
            Self::RegistrationClosed
            | Self::LastAdministrator
            | Self::Erased
            | Self::AlreadyRegistered
            | Self::NotRegistered => return None,
        };
        Some(member.to_owned())
    }
}
