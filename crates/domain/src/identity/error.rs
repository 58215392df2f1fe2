use crate::kernel::{Refusal, RefusalKind};

/// Why something about a person is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not an address mail could be sent to.
    #[error("the e-mail must look like name@example.org and have at most 254 characters")]
    EmailFormat,
    /// Empty, too long or with control characters.
    #[error("the name must have 1 to 100 characters and no control characters")]
    NameFormat,
    /// Too short to resist guessing, or too long to hash.
    #[error("the password must have 8 to 128 characters")]
    PasswordLength,
    /// Too short where length is all that is asked for.
    #[error("the password must have 12 to 128 characters")]
    PasswordTooShort,
    /// No digit.
    #[error("the password must contain at least one digit")]
    PasswordNeedsDigit,
    /// No upper-case letter.
    #[error("the password must contain at least one upper-case letter")]
    PasswordNeedsUpperCase,
    /// On every attacker's list.
    #[error("the password is one of the most common ones, choose another")]
    PasswordCommon,
    /// The first thing an attacker tries.
    #[error("the password must not be the e-mail")]
    PasswordIsEmail,
    /// Somebody has registered with this e-mail.
    #[error("an account with this e-mail exists, sign in instead")]
    EmailTaken,
    /// The one-time token is wrong, or was used.
    #[error("the bootstrap token is not valid, or the first administrator exists already")]
    BootstrapRefused,
    /// This platform takes nobody in who asks, invited or not.
    #[error("registration is closed; the operator creates accounts on the command line")]
    RegistrationClosed,
    /// Not made, expired or used.
    #[error("the invitation is not valid, ask for another one")]
    InvitationRefused,
    /// Whoever wants another password proves that they have this one.
    #[error("the current password is wrong")]
    CurrentPasswordWrong,
    /// A platform without an administrator could not be run.
    #[error("the platform needs at least one active administrator, make somebody else one first")]
    LastAdministrator,
    /// What was erased does not come back.
    #[error("the account is erased")]
    Erased,
    /// An id is registered once.
    #[error("the user is registered already")]
    AlreadyRegistered,
    /// Nobody with this id.
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
