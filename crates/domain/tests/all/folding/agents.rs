use devskyy_domain::{
    agents::{Agent, AgentName, AgentStatus, AgentType, Capabilities, Description, NewAgent},
    definition::Definition,
};
use uuid::Uuid;

use super::{Rules, holds};

fn name(n: u8) -> AgentName {
    AgentName::parse(&format!("Lamp {n}")).unwrap()
}

fn capabilities(n: u8) -> Capabilities {
    Capabilities::parse(&[format!("light-{n}")]).unwrap()
}

fn description(n: u8) -> Description {
    Description::parse(&format!("Shines on {n}.")).unwrap()
}

fn kind(n: u8) -> AgentType {
    if n.is_multiple_of(2) { AgentType::Workflow } else { AgentType::Assistant }
}

/// A small definition for agents of this type.
fn definition(n: u8) -> Definition {
    let text = match kind(n) {
        AgentType::Workflow => format!(r#"{{"workflow":{{"steps":[],"output":{n}}}}}"#),
        AgentType::Assistant => format!(r#"{{"assistant":{{"model":"a/b","instructions":"{n}"}}}}"#),
    };
    serde_json::from_str(&text).unwrap()
}

fn new(n: u8) -> NewAgent {
    let project = Uuid::from_u128(1).into();
    NewAgent { project, name: name(n), kind: kind(n), capabilities: capabilities(n), description: description(n) }
}

/// The current version exists, and no content is published twice.
fn sound(agent: &Agent) -> bool {
    let Some(details) = agent.details() else { return true };
    let versions = &details.versions;
    let current = details.current.is_some_and(|current| details.version(current).is_some());
    let waiting = details.current.is_none() && versions.is_empty() && agent.status() != Some(AgentStatus::Active);
    let distinct = versions.iter().enumerate().all(|(n, version)| !versions.iter().skip(n + 1).any(|it| it == version));
    (current || waiting) && distinct
}

const AGENT: Rules<Agent> = Rules {
    asks: &[
        |it, one, _| it.create(&new(one), None),
        |it, one, other| it.create(&new(one), Some(&definition(other))),
        |it, one, _| it.publish(&definition(one)),
        |it, _, _| it.activate(),
        |it, _, _| it.pause(),
        |it, _, _| it.resume(),
        |it, one, other| it.change(Some(&name(one)), None, Some(&capabilities(other))),
        |it, one, _| it.change(None, Some(&description(one)), None),
        |it, one, _| if one == 0 { it.archive() } else { Ok(vec![]) },
    ],
    sound,
    ended: |it, _| it.status() == Some(AgentStatus::Archived),
    noted: |_| false,
};

holds! {
    agent: AGENT;
}
