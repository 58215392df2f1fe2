//! The actor of a request.

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

/// The network that one source controls: an IPv4 address, or an IPv6 /64 prefix.
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

/// The permissions of an API key. What it may do also depends on what its issuer may do at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The only project it gives access to.
    pub project: ProjectId,
    /// The user on whose behalf it acts.
    pub issuer: UserId,
    /// Its highest role.
    pub role: ProjectRole,
    /// Its scopes.
    pub scopes: BTreeSet<KeyScope>,
}

/// The subject of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A request without credentials.
    Anonymous,
    /// A signed-in person.
    User {
        /// The user.
        id: UserId,
        /// Their platform role, from the token.
        role: PlatformRole,
        /// Their session.
        session: SessionId,
    },
    /// A program with an API key.
    Key {
        /// The key.
        id: ApiKeyId,
        /// Its permissions.
        grant: Arc<KeyGrant>,
    },
    /// A part of the platform that acts by itself, for example the run worker.
    System(&'static str),
}

/// The subject of a request and its metadata; every handler takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The subject.
    pub subject: Subject,
    /// Shared by everything that results from the request.
    pub correlation_id: Uuid,
    /// The client's address, if known; never stored with events.
    pub source: Option<IpAddr>,
    /// W3C `traceparent` of the request.
    pub traceparent: Option<String>,
}

impl Actor {
    /// A part of the platform that acts by itself.
    #[must_use]
    pub const fn system(name: &'static str, correlation_id: Uuid) -> Self {
        Self { subject: Subject::System(name), correlation_id, source: None, traceparent: None }
    }

    /// The signed-in user, if there is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.subject {
            Subject::User { id, .. } => Some(id),
            Subject::Anonymous | Subject::Key { .. } | Subject::System(_) => None,
        }
    }

    /// The signed-in user, for operations reserved to people.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] without credentials, [`Error::Forbidden`] for programs.
    pub fn person(&self) -> Result<UserId, Error> {
        match self.subject {
            Subject::User { id, .. } => Ok(id),
            Subject::Anonymous => Err(Error::Unauthenticated),
            Subject::Key { .. } | Subject::System(_) => Err(Error::Forbidden),
        }
    }

    /// The namespace of the request's idempotency key; `None` for anonymous requests and the platform itself.
    #[must_use]
    pub fn idempotency_scope(&self) -> Option<Uuid> {
        match self.subject {
            Subject::User { id, .. } => Some(id.into()),
            Subject::Key { id, .. } => Some(id.into()),
            Subject::Anonymous | Subject::System(_) => None,
        }
    }

    /// Whether the request has no credentials.
    #[must_use]
    pub const fn is_anonymous(&self) -> bool {
        matches!(self.subject, Subject::Anonymous)
    }

    /// The context of the events that result from this request.
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
