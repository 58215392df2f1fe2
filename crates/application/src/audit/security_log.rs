use std::sync::Arc;

use devskyy_domain::kernel::ids::{ProjectId, UserId};

use super::ports::{Origin, Outcome, SecurityRecord, SecurityRecords};
use crate::{
    context::Actor,
    es::EventContext,
    ports::{Clock, IdGenerator},
};

/// What is worth a line in the security log (OWASP Logging Vocabulary Cheat Sheet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityEvent {
    /// Somebody signed in.
    LoginSuccess,
    /// Somebody could not sign in.
    LoginFail,
    /// Somebody changed their password.
    PasswordChange,
    /// A key was issued or got another secret.
    TokenCreated,
    /// A sign-in or a key was ended.
    TokenRevoked,
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
}

impl SecurityEvent {
    const ALL: [Self; 11] = [
        Self::LoginSuccess,
        Self::LoginFail,
        Self::PasswordChange,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::AuthzFail,
        Self::AuthzChange,
        Self::UserCreated,
        Self::UserUpdated,
        Self::UserDeleted,
        Self::PermissionsChanged,
    ];

    /// The name of the vocabulary.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoginSuccess => "authn_login_success",
            Self::LoginFail => "authn_login_fail",
            Self::PasswordChange => "authn_password_change",
            Self::TokenCreated => "authn_token_created",
            Self::TokenRevoked => "authn_token_revoked",
            Self::AuthzFail => "authz_fail",
            Self::AuthzChange => "authz_change",
            Self::UserCreated => "user_created",
            Self::UserUpdated => "user_updated",
            Self::UserDeleted => "user_deleted",
            Self::PermissionsChanged => "privilege_permissions_changed",
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
            _ => None,
        }
    }

    /// How it ended.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::LoginFail | Self::AuthzFail => Outcome::Failure,
            Self::LoginSuccess
            | Self::PasswordChange
            | Self::TokenCreated
            | Self::TokenRevoked
            | Self::AuthzChange
            | Self::UserCreated
            | Self::UserUpdated
            | Self::UserDeleted
            | Self::PermissionsChanged => Outcome::Success,
        }
    }
}

/// Writes lines about security under the target `devskyy::security`, and keeps what is no fact.
#[derive(Clone)]
pub struct SecurityLog {
    records: Arc<dyn SecurityRecords>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl SecurityLog {
    /// A log that keeps its records there.
    #[must_use]
    pub fn new(records: Arc<dyn SecurityRecords>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { records, clock, ids }
    }

    /// Notes that somebody signed in.
    pub fn signed_in(&self, actor: &Actor, user: UserId) {
        let context = EventContext { actor: format!("user:{user}"), ..actor.event_context(None) };
        self.note(SecurityEvent::LoginSuccess, &context, None);
    }

    /// Notes that somebody could not sign in; deliberately not as whom.
    pub fn not_signed_in(&self, actor: &Actor) {
        self.note(SecurityEvent::LoginFail, &actor.event_context(None), None);
    }

    /// Notes that somebody ended a sign-in.
    pub fn signed_out(&self, actor: &Actor) {
        self.note(SecurityEvent::TokenRevoked, &actor.event_context(None), Some("session".to_owned()));
    }

    /// Notes that somebody was denied something, in a project or on the platform.
    pub fn denied(&self, actor: &Actor, project: Option<ProjectId>, wanted: &str) {
        self.note(SecurityEvent::AuthzFail, &actor.event_context(project), Some(wanted.to_owned()));
    }

    fn note(&self, event: SecurityEvent, context: &EventContext, target: Option<String>) {
        line(event, context, target.as_deref());
        self.records.keep(SecurityRecord {
            id: self.ids.next(),
            at: self.clock.now(),
            event,
            actor: context.actor.clone(),
            source: context.source,
            project: context.project,
            target,
            correlation_id: context.correlation_id,
        });
    }

    /// Writes a line about a fact; the fact itself is in the log.
    pub(super) fn recorded(&self, event: SecurityEvent, context: &EventContext, target: &str) {
        line(event, context, Some(target));
    }

    /// Keeps where a request came from that recorded facts.
    pub(super) fn locate(&self, context: &EventContext) {
        if let Some(source) = context.source {
            self.records.locate(Origin { correlation_id: context.correlation_id, source, at: self.clock.now() });
        }
    }
}

fn line(event: SecurityEvent, context: &EventContext, target: Option<&str>) {
    let project = context.project.map(|project| project.to_string());
    let source = context.source.map(|source| source.to_string());
    tracing::info!(
        target: "devskyy::security",
        event = event.as_str(),
        outcome = event.outcome().as_str(),
        actor = context.actor,
        source,
        project,
        object = target,
        correlation_id = %context.correlation_id,
        "security"
    );
}
