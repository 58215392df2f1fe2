//! Who is asking, and within which request.

pub use devskyy_domain::identity::PlatformRole;
use devskyy_domain::kernel::ids::{ProjectId, SessionId, UserId};
use uuid::Uuid;

use crate::es::EventContext;

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Nobody has signed in.
    Anonymous,
    /// A signed-in person.
    User {
        /// Who.
        id: UserId,
        /// Their role on the platform, as the token says.
        role: PlatformRole,
        /// The sign-in they use.
        session: SessionId,
    },
    /// A part of the platform acting on its own, for example the run worker.
    System(&'static str),
}

/// Who is asking, and within which request; every handler takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub subject: Subject,
    /// Everything that follows from the request shares this id.
    pub correlation_id: Uuid,
    /// W3C `traceparent` of the request.
    pub traceparent: Option<String>,
}

impl Actor {
    /// A part of the platform acting on its own.
    #[must_use]
    pub const fn system(name: &'static str, correlation_id: Uuid) -> Self {
        Self { subject: Subject::System(name), correlation_id, traceparent: None }
    }

    /// The signed-in person, where there is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.subject {
            Subject::User { id, .. } => Some(id),
            Subject::Anonymous | Subject::System(_) => None,
        }
    }

    /// Whether nobody has signed in.
    #[must_use]
    pub const fn is_anonymous(&self) -> bool {
        matches!(self.subject, Subject::Anonymous)
    }

    /// What is stored with the events that follow from this request.
    #[must_use]
    pub fn event_context(&self, project: Option<ProjectId>) -> EventContext {
        let actor = match self.subject {
            Subject::Anonymous => "anonymous".to_owned(),
            Subject::User { id, .. } => format!("user:{id}"),
            Subject::System(name) => format!("system:{name}"),
        };
        EventContext {
            actor,
            project,
            correlation_id: self.correlation_id,
            causation_id: self.correlation_id,
            traceparent: self.traceparent.clone(),
        }
    }
}
