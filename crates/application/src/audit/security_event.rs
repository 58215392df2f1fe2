use super::ports::Outcome;

/// What is worth a line in the security log (OWASP Logging Vocabulary Cheat Sheet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityEvent {
    /// Somebody signed in.
    LoginSuccess,
    /// Somebody could not sign in, or proved themselves with what is not accepted.
    LoginFail,
    /// Somebody tried to sign in too often.
    LoginFailMax,
    /// Somebody changed their password.
    PasswordChange,
    /// Somebody asked for another password and did not know the present one.
    PasswordChangeFail,
    /// A key was issued or got another secret.
    TokenCreated,
    /// A sign-in or a key was ended.
    TokenRevoked,
    /// A refresh token was presented after it was spent: somebody has a copy.
    TokenReuse,
    /// A sign-in went on with new tokens.
    SessionRenewed,
    /// Somebody asked for what they may not, or may not even see.
    AuthzFail,
    /// Somebody got another role on the platform.
    AuthzChange,
    /// An account was opened.
    UserCreated,
    /// An account was disabled or enabled.
    UserUpdated,
    /// A person was forgotten.
    UserDeleted,
    /// Who belongs to a project, or as what, has changed.
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

    /// The name of the vocabulary.
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

    /// Reads the name of the vocabulary.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// What a fact means for security; most mean nothing.
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

    /// How it ended.
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
