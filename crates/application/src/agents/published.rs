//! The public form of an agent's events: stable, and independent of the stored form.

use devskyy_domain::{
    agents::{AgentEvent, Capabilities, VersionNumber},
    kernel::Json,
};

type Data = Vec<(&'static str, Json)>;

/// The public form of an event. Versions appear by number only, because they never change.
pub(super) fn public(event: &AgentEvent) -> (&'static str, Data) {
    match event {
        AgentEvent::Created(it) => (
            "agent.created",
            vec![
                ("name", it.name.as_str().into()),
                ("type", it.kind.as_str().into()),
                ("capabilities", slugs(&it.capabilities)),
                ("description", it.description.as_str().into()),
            ],
        ),
        AgentEvent::VersionPublished(it) => ("agent.version_published", numbered(it.number)),
        AgentEvent::VersionRestored(it) => ("agent.version_restored", numbered(it.number)),
        AgentEvent::Activated(_) => ("agent.activated", vec![]),
        AgentEvent::Paused(_) => ("agent.paused", vec![]),
        AgentEvent::Resumed(_) => ("agent.resumed", vec![]),
        AgentEvent::Archived(_) => ("agent.archived", vec![]),
        AgentEvent::Renamed(it) => ("agent.renamed", vec![("name", it.name.as_str().into())]),
        AgentEvent::Described(it) => ("agent.described", vec![("description", it.description.as_str().into())]),
        AgentEvent::CapabilitiesChanged(it) => {
            ("agent.capabilities_changed", vec![("capabilities", slugs(&it.capabilities))])
        }
    }
}

fn numbered(number: VersionNumber) -> Data {
    vec![("number", u64::from(number).into())]
}

fn slugs(capabilities: &Capabilities) -> Json {
    Json::Array(capabilities.as_slice().iter().map(|slug| slug.as_str().into()).collect())
}
