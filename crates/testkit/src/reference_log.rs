//! A reference log: a list that takes one request at a time and defines the correct results.

use std::collections::{BTreeMap, HashMap};

use devskyy_application::es::{
    AppendError, AppendRequest, Appended, Claim, ClaimChange, Precondition, ScopedKey, StreamId,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::contracts::event_store::{Request, key, lamp};

/// The accepted events and the current claims.
#[derive(Debug, Default)]
pub struct ReferenceLog {
    /// Stream, version and payload of each event.
    pub events: Vec<(StreamId, u64, String)>,
    /// Number of events per stream.
    pub versions: HashMap<StreamId, u64>,
    /// The owner of each claim, by scope and value.
    pub claims: BTreeMap<(String, String), Uuid>,
    /// The fingerprint of each key, and the first and last position recorded under it.
    pub keys: HashMap<ScopedKey, ([u8; 32], u64, u64)>,
}

/// A result, without what a repeated request does not return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The events were recorded; the streams have these versions now.
    Recorded {
        /// The first position.
        first: u64,
        /// The last position.
        last: u64,
        /// One per written stream.
        versions: Vec<u64>,
    },
    /// The events were recorded before.
    Repeated {
        /// The first position.
        first: u64,
        /// The last position.
        last: u64,
    },
    /// A precondition does not hold.
    Conflict {
        /// The stream.
        stream: StreamId,
        /// Its version.
        actual: u64,
    },
    /// Another owner holds the claim.
    Taken(Claim),
    /// The key was used for another request.
    KeyReused,
}

impl Answer {
    /// The result of a log.
    ///
    /// # Panics
    /// When the log failed.
    #[must_use]
    pub fn of(answered: Result<Appended, AppendError>) -> Self {
        match answered {
            Ok(Appended { first, last, replayed: true, .. }) => Self::Repeated { first, last },
            Ok(Appended { first, last, streams, .. }) => {
                Self::Recorded { first, last, versions: streams.iter().map(|written| written.version).collect() }
            }
            Err(AppendError::Conflict { stream, actual, .. }) => Self::Conflict { stream, actual },
            Err(AppendError::ClaimTaken { claim }) => Self::Taken(claim),
            Err(AppendError::KeyReused) => Self::KeyReused,
            Err(error) => panic!("{error:?}"),
        }
    }
}

impl ReferenceLog {
    fn version(&self, stream: StreamId) -> u64 {
        self.versions.get(&stream).copied().unwrap_or_default()
    }

    /// Applies a request, or returns the refusal.
    pub fn answer(&mut self, request: &AppendRequest) -> Answer {
        let used = request.idempotency.as_ref().map(|it| ((it.scope, it.key.clone()), it.fingerprint));
        if let Some((asked, (fingerprint, first, last))) =
            used.as_ref().and_then(|(key, asked)| Some((asked, *self.keys.get(key)?)))
        {
            return if *asked == fingerprint { Answer::Repeated { first, last } } else { Answer::KeyReused };
        }
        for write in &request.writes {
            let actual = self.version(write.stream);
            let holds = match write.precondition {
                Precondition::Any => true,
                Precondition::NoStream => actual == 0,
                Precondition::Exists => actual > 0,
                Precondition::Version(version) => version == actual,
            };
            if !holds {
                return Answer::Conflict { stream: write.stream, actual };
            }
        }
        let mut claims = self.claims.clone();
        for change in &request.claims {
            let claim = change.claim();
            let place = (claim.scope.clone(), claim.value.clone());
            match (change, claims.get(&place).copied()) {
                (ClaimChange::Take { owner, .. }, Some(holder)) if holder != *owner => {
                    return Answer::Taken(claim.clone());
                }
                (ClaimChange::Take { owner, .. }, _) => drop(claims.insert(place, *owner)),
                (ClaimChange::Release { owner, .. }, Some(holder)) if holder == *owner => drop(claims.remove(&place)),
                (ClaimChange::Release { .. }, _) => {}
            }
        }
        self.claims = claims;
        let before = self.events.len() as u64;
        for write in &request.writes {
            for event in &write.events {
                let version = self.versions.entry(write.stream).or_default();
                *version += 1;
                self.events.push((write.stream, *version, event.data.clone()));
            }
        }
        let last = self.events.len() as u64;
        let first = if last > before { before + 1 } else { last };
        if let Some((key, fingerprint)) = used {
            self.keys.insert(key, (fingerprint, first, last));
        }
        let versions = request.writes.iter().map(|write| self.version(write.stream)).collect();
        Answer::Recorded { first, last, versions }
    }
}

fn precondition() -> impl Strategy<Value = Precondition> {
    prop_oneof![
        5 => Just(Precondition::Any),
        1 => Just(Precondition::NoStream),
        1 => Just(Precondition::Exists),
        2 => (0u64..8).prop_map(Precondition::Version),
    ]
}

/// Requests with few streams, names, owners and keys, so that they collide.
pub fn request() -> impl Strategy<Value = AppendRequest> {
    let writes = prop::collection::btree_map(0u64..5, (precondition(), 0usize..3), 0..3);
    let claims = prop::collection::vec((any::<bool>(), 0u8..4, 1u128..4), 0..3);
    let repeat = prop::option::weighted(0.3, (0u128..2, 0u8..5, 0u8..2));
    (writes, claims, repeat, "[a-z]{3}").prop_map(|(writes, claims, repeat, note)| {
        let mut request = Request::default();
        for (stream, (precondition, events)) in writes {
            request = request.and(lamp(stream), precondition, &vec![note.as_str(); events]);
        }
        for (takes, name, owner) in claims {
            let name = format!("n{name}");
            request = if takes { request.taking(&name, owner) } else { request.releasing(&name, owner) };
        }
        let mut request = request.build();
        request.idempotency = repeat.map(|(scope, name, asked)| key(scope, &name.to_string(), asked));
        request
    })
}
