use std::sync::Arc;

use devskyy_domain::kernel::ids::{ProjectId, SessionId, UserId};

use super::{
    flood::{Flood, Whose},
    ports::{Origin, SecurityRecord, SecurityRecords},
    security_event::SecurityEvent,
};
use crate::{
    context::Actor,
    es::{ActorName, EventContext},
    ports::{Clock, IdGenerator},
};

/// Writes lines about security under the target `devskyy::security`, and keeps what is not in the log.
#[derive(Clone)]
pub struct SecurityLog {
    records: Arc<dyn SecurityRecords>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    flood: Arc<Flood>,
}

impl SecurityLog {
    /// A log that keeps its records in `records`.
    #[must_use]
    pub fn new(records: Arc<dyn SecurityRecords>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { records, clock, ids, flood: Arc::default() }
    }

    /// Records a sign-in.
    pub fn signed_in(&self, actor: &Actor, user: UserId) {
        self.note(SecurityEvent::LoginSuccess, &context_of(actor, user), None);
    }

    /// Records a failed sign-in, and the account if there is one; never what was typed.
    pub fn not_signed_in(&self, actor: &Actor, account: Option<UserId>) {
        let target = account.map(|user| ActorName::User(user).to_string());
        self.note(SecurityEvent::LoginFail, &actor.event_context(None), target);
    }

    /// Records too many attempts to sign in; under a flood only the first of each source.
    pub fn not_let_try(&self, actor: &Actor) {
        self.note_within_bounds(SecurityEvent::LoginFailMax, actor, None);
    }

    /// Records that a credential was not accepted, for example an `access_token`; under a flood only the first of each
    /// source.
    pub fn not_accepted(&self, actor: &Actor, proof: &str) {
        self.note_within_bounds(SecurityEvent::LoginFail, actor, Some(proof.to_owned()));
    }

    /// Logs that a session was continued with new tokens. It is not kept: it happens to each session every few minutes.
    pub fn renewed(&self, actor: &Actor, user: UserId) {
        line(SecurityEvent::SessionRenewed, &context_of(actor, user), None);
    }

    /// Records that a used refresh token was presented; under a flood only the first of each source.
    pub fn reused(&self, actor: &Actor, session: SessionId) {
        self.note_within_bounds(SecurityEvent::TokenReuse, actor, Some(format!("session:{session}")));
    }

    /// Records that a user ended a session of theirs, the present one or another.
    pub fn signed_out(&self, actor: &Actor, session: SessionId) {
        self.note(SecurityEvent::TokenRevoked, &actor.event_context(None), Some(format!("session:{session}")));
    }

    /// Records that a signed-in user gave a wrong current password when changing it; bounded like denials.
    pub fn not_confirmed(&self, actor: &Actor) {
        self.note_of_known(SecurityEvent::PasswordChangeFail, actor);
    }

    /// Records that a signed-in user tried to change the password too often; bounded like denials.
    pub fn not_let_change(&self, actor: &Actor) {
        self.note_of_known(SecurityEvent::LoginFailMax, actor);
    }

    /// Records a denial, in a project or on the platform; under a flood only the first of each source, and of each
    /// signed-in caller.
    pub fn denied(&self, actor: &Actor, project: Option<ProjectId>, wanted: &str) {
        if actor.is_anonymous() {
            return self.note_within_bounds(SecurityEvent::AuthzFail, actor, Some(wanted.to_owned()));
        }
        let context = actor.event_context(project);
        if self.flood.admits(SecurityEvent::AuthzFail, Whose::Actor(context.actor.clone()), self.clock.now()) {
            self.note(SecurityEvent::AuthzFail, &context, Some(wanted.to_owned()));
        }
    }

    /// Records what a signed-in user did with their own account.
    fn note_of_known(&self, event: SecurityEvent, actor: &Actor) {
        let context = actor.event_context(None);
        if self.flood.admits(event, Whose::Actor(context.actor.clone()), self.clock.now()) {
            let account = context.actor.clone();
            self.note(event, &context, Some(account));
        }
    }

    /// Unauthenticated callers decide how often this happens, so it is bounded.
    fn note_within_bounds(&self, event: SecurityEvent, actor: &Actor, target: Option<String>) {
        let context = actor.event_context(None);
        if self.flood.admits(event, Whose::Source(context.source), self.clock.now()) {
            self.note(event, &context, target);
        }
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

    /// Writes a line about a fact, which is itself in the log.
    pub(super) fn recorded(&self, event: SecurityEvent, context: &EventContext, target: &str) {
        line(event, context, Some(target));
    }

    /// Keeps the address of a request that recorded facts.
    pub(super) fn locate(&self, context: &EventContext) {
        if let Some(source) = context.source {
            self.records.locate(Origin { correlation_id: context.correlation_id, source, at: self.clock.now() });
        }
    }
}

/// The context of a request in which a user has just been authenticated.
fn context_of(actor: &Actor, user: UserId) -> EventContext {
    EventContext { actor: ActorName::User(user).to_string(), ..actor.event_context(None) }
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
