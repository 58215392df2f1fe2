//! Every code a client can meet, in one registry; `docs/errors.md` is generated from it.

pub(crate) mod agents;
mod assistants;
pub(crate) mod budgets;
mod defects;
pub(crate) mod identity;
pub(crate) mod models;
pub(crate) mod platform;
pub(crate) mod projects;
pub(crate) mod request;
pub(crate) mod runs;
mod secrets;
pub(crate) mod workflows;

pub use defects::is_defect;

use super::Code;

/// One part of the registry with its heading.
#[derive(Debug, Clone, Copy)]
pub struct Chapter {
    /// Heading in the documentation.
    pub heading: &'static str,
    /// The codes in it.
    pub codes: &'static [Code],
}

/// The whole registry, in the order of the documentation.
pub const REGISTRY: &[Chapter] = &[
    Chapter { heading: "The request", codes: request::REQUEST },
    Chapter { heading: "The platform", codes: platform::PLATFORM },
    Chapter { heading: "Identity", codes: identity::IDENTITY },
    Chapter { heading: "API keys", codes: identity::API_KEYS },
    Chapter { heading: "Projects", codes: projects::PROJECTS },
    Chapter { heading: "Invitations", codes: projects::INVITATIONS },
    Chapter { heading: "Agents", codes: agents::AGENTS },
    Chapter { heading: "Workflows", codes: workflows::WORKFLOWS },
    Chapter { heading: "Assistants", codes: assistants::ASSISTANTS },
    Chapter { heading: "Runs", codes: runs::RUNS },
    Chapter { heading: "Providers of models", codes: models::PROVIDERS },
    Chapter { heading: "Secrets of tools", codes: secrets::SECRETS },
    Chapter { heading: "Budgets", codes: budgets::BUDGETS },
];

/// Finds a code by its name.
#[must_use]
pub fn find(code: &str) -> Option<&'static Code> {
    REGISTRY.iter().flat_map(|chapter| chapter.codes).find(|known| known.code == code)
}
