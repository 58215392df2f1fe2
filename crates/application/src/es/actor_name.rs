use std::fmt;

use devskyy_domain::kernel::ids::{ApiKeyId, UserId};

/// The prefix of the name of a part of the platform.
pub(super) const SYSTEM: &str = "system:";

/// Who caused an event, as stored with it: `user:<id>`, `key:<id>`, `system:<name>` or `anonymous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorName<'a> {
    /// A request without credentials.
    Anonymous,
    /// A person.
    User(UserId),
    /// A program with an API key.
    Key(ApiKeyId),
    /// A part of the platform that acts by itself.
    System(&'a str),
}

impl fmt::Display for ActorName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::System(name) => write!(f, "{SYSTEM}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::ActorName;

    #[test]
    fn names_are_as_events_have_them() {
        let id = Uuid::from_u128(7);
        let names =
            [ActorName::Anonymous, ActorName::User(id.into()), ActorName::Key(id.into()), ActorName::System("worker")];
        let expected = ["anonymous".to_owned(), format!("user:{id}"), format!("key:{id}"), "system:worker".to_owned()];
        assert_eq!(names.map(|name| name.to_string()), expected);
    }
}
