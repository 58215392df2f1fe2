use super::ports::Outcome;

/// An event of the security log (OWASP Logging Vocabulary Cheat Sheet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityEvent {
    /// A user signed in.
    LoginSuccess,
    /// A sign-in failed, or a credential was not accepted.
    LoginFail,
    /// There were too many attempts to sign in.
    LoginFailMax,
    /// A user changed their password.
    PasswordChange,
    /// A user gave a wrong current password when changing it.
    PasswordChangeFail,
    /// A key was issued or rotated.
    TokenCreated,
    /// A sign-in or a key was ended.
    TokenRevoked,
    /// A refresh token was presented after it was used up: it was copied.
    TokenReuse,
    /// A session was continued with new tokens.
    SessionRenewed,
    /// A caller was denied something, or may not even see it.
    AuthzFail,
    /// A user's platform role was changed.
    AuthzChange,
    /// An account was opened.
    UserCreated,
    /// An account was disabled or enabled.
    UserUpdated,
    /// A user was erased.
    UserDeleted,
    /// The members of a project, or their roles, have changed.
    PermissionsChanged,
    /// A provider of models, which holds a key, or a secret of tools was added.
    SensitiveCreate,
    /// A provider of models got another key or another address, or a secret of tools another value.
    SensitiveUpdate,
    /// A provider of models was removed with its key, or a secret of tools.
    SensitiveDelete,
}

impl SecurityEvent {
    const ALL: [Self; 18] = [
        Self::LoginSuccess,
        Self::LoginFail,
        Self::LoginFailMax,
        Self::PasswordChange,
        Self::PasswordChangeFail,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::TokenReuse,
        Self::SessionRenewed,
        Self::AuthzFail,
        Self::AuthzChange,
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDeleted,
        Self::PermissionsChanged,
        Self::SensitiveCreate,
        Self::SensitiveUpdate,
        Self::SensitiveDelete,
    ];

    /// Its name in the vocabulary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoginSuccess => "authn_login_success",
            Self::LoginFail => "authn_login_fail",
            Self::LoginFailMax => "authn_login_fail_max",
            Self::PasswordChange => "authn_password_change",
            Self::PasswordChangeFail => "authn_password_change_fail",
            Self::TokenCreated => "authn_token_created",
            Self::TokenRevoked => "authn_token_revoked",
            Self::TokenReuse => "authn_token_reuse",
            Self::SessionRenewed => "session_renewed",
            Self::AuthzFail => "authz_fail",
            Self::AuthzChange => "authz_change",
            Self::UserCreated => "user_created",
            Self::UserUpdated => "user_updated",
            Self::UserDeleted => "user_deleted",
            Self::PermissionsChanged => "privilege_permissions_changed",
            Self::SensitiveCreate => "sensitive_create",
            Self::SensitiveUpdate => "sensitive_update",
            Self::SensitiveDelete => "sensitive_delete",
        }
    }

    /// Parses a name of the vocabulary.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// The security event of a fact; `None` for most.
    #[must_use]
    pub fn of_fact(event_type: &str) -> Option<Self> {
        match event_type {
            "user.registered" => Some(Self::UserCreated),
            "user.role_changed" => Some(Self::AuthzChange),
            "user.disabled" | "user.enabled" => Some(Self::UserUpdated),
            "user.erased" => Some(Self::UserDeleted),
            "user.password_changed" => Some(Self::PasswordChange),
            "api_key.issued" | "api_key.rotated" => Some(Self::TokenCreated),
            "api_key.revoked" => Some(Self::TokenRevoked),
            "project.member_added" | "project.member_removed" | "project.member_role_changed" => {
                Some(Self::PermissionsChanged)
            }
            "provider.added" | "secret.added" => Some(Self::SensitiveCreate),
            "provider.key_set" | "provider.moved" | "secret.replaced" => Some(Self::SensitiveUpdate),
            "provider.removed" | "secret.removed" => Some(Self::SensitiveDelete),
            _ => None,
        }
    }

    /// Its outcome.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::LoginFail | Self::LoginFailMax | Self::PasswordChangeFail | Self::TokenReuse | Self::AuthzFail => {
                Outcome::Failure
            }
            Self::LoginSuccess
            | Self::PasswordChange
            | Self::TokenCreated
            | Self::TokenRevoked
            | Self::SessionRenewed
            | Self::AuthzChange
            | Self::UserCreated
            | Self::UserUpdated
            | Self::UserDeleted
            | Self::PermissionsChanged
            | Self::SensitiveCreate
            | Self::SensitiveUpdate
            | Self::SensitiveDelete => Outcome::Success,
        }
    }
}
