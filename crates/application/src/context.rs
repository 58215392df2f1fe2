//! Who is asking, and within which request.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

pub use devskyy_domain::identity::PlatformRole;
use devskyy_domain::{
    identity::KeyScope,
    kernel::ids::{ApiKeyId, ProjectId, SessionId, UserId},
    projects::ProjectRole,
};
use uuid::Uuid;

use crate::{
    error::Error,
    es::{ActorName, EventContext},
};

/// The addresses that one source holds: an IPv4 address, or the 64 bits below an IPv6 network.
#[must_use]
pub fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// What an API key stands for; what it may do also depends on what its issuer may do at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The only project it opens.
    pub project: ProjectId,
    /// The person whose power it borrows.
    pub issuer: UserId,
    /// What it may be at most.
    pub role: ProjectRole,
    /// What it may do at most.
    pub scopes: BTreeSet<KeyScope>,
}

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
    /// A program with an API key.
    Key {
        /// Which key.
        id: ApiKeyId,
        /// What it stands for.
        grant: Arc<KeyGrant>,
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
    /// Where the request came from, as far as that is known; never stored with events.
    pub source: Option<IpAddr>,
    /// W3C `traceparent` of the request.
    pub traceparent: Option<String>,
}

impl Actor {
    /// A part of the platform acting on its own.
    #[must_use]
    pub const fn system(name: &'static str, correlation_id: Uuid) -> Self {
        Self { subject: Subject::System(name), correlation_id, source: None, traceparent: None }
    }

    /// The signed-in person, where there is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.subject {
            Subject::User { id, .. } => Some(id),
            Subject::Anonymous | Subject::Key { .. } | Subject::System(_) => None,
        }
    }

    /// The signed-in person, for what only people can do.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody has signed in, [`Error::Forbidden`] for programs.
    pub fn person(&self) -> Result<UserId, Error> {
        match self.subject {
            Subject::User { id, .. } => Ok(id),
            Subject::Anonymous => Err(Error::Unauthenticated),
            Subject::Key { .. } | Subject::System(_) => Err(Error::Forbidden),
        }
    }

    /// Whose idempotency keys a request's key is among; nobody's where nobody has signed in.
    #[must_use]
    pub fn idempotency_scope(&self) -> Option<Uuid> {
        match self.subject {
            Subject::User { id, .. } => Some(id.into()),
            Subject::Key { id, .. } => Some(id.into()),
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
        let name = match self.subject {
            Subject::Anonymous => ActorName::Anonymous,
            Subject::User { id, .. } => ActorName::User(id),
            Subject::Key { id, .. } => ActorName::Key(id),
            Subject::System(name) => ActorName::System(name),
        };
        EventContext {
            actor: name.to_string(),
            project,
            correlation_id: self.correlation_id,
            causation_id: self.correlation_id,
            source: self.source,
            traceparent: self.traceparent.clone(),
        }
    }
}
