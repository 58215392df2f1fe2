//! Rules of agents and their versions.

use uuid::Uuid;

use super::{
    Agent, AgentActivated, AgentArchived, AgentCapabilitiesChanged, AgentDescribed, AgentError, AgentEvent, AgentName,
    AgentPaused, AgentRenamed, AgentResumed, AgentStatus, AgentType, Capabilities, Description, NewAgent,
    VersionNumber, VersionPublished, VersionRestored,
};
use crate::{
    definition::Definition,
    kernel::{
        Json, Refusal,
        given::{Given, given},
    },
    workflow::{Action, Backoff, Limits, Step, Workflow},
};

fn name(raw: &str) -> AgentName {
    AgentName::parse(raw).unwrap()
}

fn new(kind: AgentType) -> NewAgent {
    NewAgent {
        project: Uuid::from_u128(1).into(),
        name: name("Keeper"),
        kind,
        capabilities: Capabilities::default(),
        description: Description::default(),
    }
}

fn workflow(output: &str) -> Definition {
    let step = Step {
        id: "echo".to_owned(),
        needs: vec![],
        when: None,
        for_each: None,
        action: Action::Tool { name: "template".to_owned(), arguments: Json::Null },
    };
    let workflow = Workflow {
        input_schema: None,
        output_schema: None,
        tools: [].into(),
        steps: vec![step],
        output: Json::from(output),
        limits: Limits::default(),
        retry: Backoff::default(),
        approval_expires_s: None,
    };
    workflow.into()
}

fn assistant() -> Definition {
    let text = r#"{"model":"local/small","instructions":"Be brief."}"#;
    serde_json::from_str::<crate::assistant::Assistant>(text).unwrap().into()
}

fn published(number: u32, output: &str) -> AgentEvent {
    VersionPublished { number, definition: workflow(output) }.into()
}

fn after(more: impl IntoIterator<Item = AgentEvent>) -> Given<Agent> {
    let created = Agent::default().create(&new(AgentType::Workflow), None).unwrap();
    given(created.into_iter().chain(more))
}

fn draft() -> Given<Agent> {
    after([])
}

fn active() -> Given<Agent> {
    after([published(1, "one"), AgentActivated {}.into()])
}

fn paused() -> Given<Agent> {
    after([published(1, "one"), AgentActivated {}.into(), AgentPaused {}.into()])
}

fn archived() -> Given<Agent> {
    after([published(1, "one"), AgentArchived {}.into()])
}

/// The current version and its definition.
fn current(agent: &Agent) -> Option<(VersionNumber, Definition)> {
    let details = agent.details()?;
    let number = details.current?;
    Some((number, details.version(number)?.as_ref().clone()))
}

#[test]
fn a_new_agent_is_a_draft() {
    assert_eq!(draft().state().status(), Some(AgentStatus::Draft));
}

#[test]
fn an_agent_created_with_a_definition_is_active_at_version_1() {
    let it = given::<Agent>([]).after(|agent| agent.create(&new(AgentType::Workflow), Some(&workflow("one")))).unwrap();
    assert_eq!((it.status(), current(&it)), (Some(AgentStatus::Active), Some((1, workflow("one")))));
}

#[test]
fn an_assistant_with_a_definition_is_ready_to_run() {
    let it = given::<Agent>([]).after(|agent| agent.create(&new(AgentType::Assistant), Some(&assistant()))).unwrap();
    assert_eq!((it.status(), current(&it)), (Some(AgentStatus::Active), Some((1, assistant()))));
}

#[test]
fn an_agent_takes_only_definitions_of_its_type() {
    let created = given::<Agent>([]).when(|agent| agent.create(&new(AgentType::Assistant), Some(&workflow("one"))));
    let later = draft().when(|agent| agent.publish(&assistant()));
    assert_eq!((created, later), (Err(AgentError::DefinitionType), Err(AgentError::DefinitionType)));
}

#[test]
fn an_agent_is_created_once() {
    let again = draft().when(|agent| agent.create(&new(AgentType::Workflow), None));
    assert_eq!(again, Err(AgentError::AlreadyCreated));
}

#[test]
fn versions_are_numbered_from_1() {
    assert_eq!(draft().when(|agent| agent.publish(&workflow("one"))), Ok(vec![published(1, "one")]));
}

#[test]
fn other_content_is_the_next_version() {
    assert_eq!(active().when(|agent| agent.publish(&workflow("two"))), Ok(vec![published(2, "two")]));
}

#[test]
fn the_content_of_the_current_version_again_changes_nothing() {
    assert_eq!(active().when(|agent| agent.publish(&workflow("one"))), Ok(vec![]));
}

#[test]
fn the_content_of_an_earlier_version_restores_it() {
    let two = after([published(1, "one"), published(2, "two")]);
    assert_eq!(two.when(|agent| agent.publish(&workflow("one"))), Ok(vec![VersionRestored { number: 1 }.into()]));
}

#[test]
fn a_restored_version_is_what_runs_start_from() {
    let restored = VersionRestored { number: 1 }.into();
    let it = after([published(1, "one"), published(2, "two"), AgentActivated {}.into(), restored]);
    assert_eq!(current(it.state()), Some((1, workflow("one"))));
}

#[test]
fn the_version_after_a_restored_one_is_numbered_above_the_newest() {
    let it = after([published(1, "one"), published(2, "two"), VersionRestored { number: 1 }.into()]);
    assert_eq!(it.when(|agent| agent.publish(&workflow("three"))), Ok(vec![published(3, "three")]));
}

#[test]
fn an_earlier_version_never_changes() {
    let it = after([published(1, "one"), published(2, "two")]);
    let first = it.state().details().and_then(|details| details.version(1).cloned());
    assert_eq!(first.map(|version| version.as_ref().clone()), Some(workflow("one")));
}

#[test]
fn there_is_no_version_0() {
    assert_eq!(active().state().details().and_then(|details| details.version(0)), None);
}

#[test]
fn a_draft_without_version_cannot_be_activated() {
    assert_eq!(draft().when(Agent::activate), Err(AgentError::NoVersion));
}

#[test]
fn a_draft_with_a_version_can_be_activated() {
    let ready = after([published(1, "one")]);
    assert_eq!(ready.when(Agent::activate), Ok(vec![AgentActivated {}.into()]));
}

#[test]
fn activating_a_paused_agent_resumes_it() {
    assert_eq!(paused().when(Agent::activate), Ok(vec![AgentResumed {}.into()]));
}

#[test]
fn an_active_agent_can_be_paused() {
    assert_eq!(active().when(Agent::pause), Ok(vec![AgentPaused {}.into()]));
}

#[test]
fn a_paused_agent_can_be_resumed() {
    assert_eq!(paused().when(Agent::resume), Ok(vec![AgentResumed {}.into()]));
}

#[test]
fn a_draft_is_neither_paused_nor_resumed() {
    assert_eq!([draft().when(Agent::pause), draft().when(Agent::resume)], [(); 2].map(|()| Err(AgentError::Draft)));
}

#[test]
fn every_living_agent_can_be_archived() {
    let answers = [draft(), active(), paused()].map(|it| it.when(Agent::archive));
    assert_eq!(answers, [(); 3].map(|()| Ok(vec![AgentArchived {}.into()])));
}

#[test]
fn asking_for_what_is_already_so_changes_nothing() {
    let answers = [
        active().when(Agent::activate),
        active().when(Agent::resume),
        paused().when(Agent::pause),
        archived().when(Agent::archive),
    ];
    assert_eq!(answers, [(); 4].map(|()| Ok(vec![])));
}

#[test]
fn an_archived_agent_can_change_in_no_way() {
    let it = archived();
    let answers = [
        it.when(Agent::activate),
        it.when(Agent::pause),
        it.when(Agent::resume),
        it.when(|agent| agent.publish(&workflow("two"))),
        it.when(|agent| agent.change(Some(&name("Warden")), None, None)),
    ];
    assert_eq!(answers, [(); 5].map(|()| Err(AgentError::Archived)));
}

#[test]
fn what_was_never_created_cannot_change() {
    let nothing = given::<Agent>([]);
    let answers = [
        nothing.when(Agent::activate),
        nothing.when(Agent::archive),
        nothing.when(|agent| agent.publish(&workflow("one"))),
    ];
    assert_eq!(answers, [(); 3].map(|()| Err(AgentError::NotCreated)));
}

#[test]
fn a_change_records_only_what_differs() {
    let (same, other) = (name("Keeper"), Description::parse("Guards.").unwrap());
    let answer = draft().when(|agent| agent.change(Some(&same), Some(&other), None));
    assert_eq!(answer, Ok(vec![AgentDescribed { description: other }.into()]));
}

#[test]
fn name_description_and_capabilities_change_together() {
    let (name, description) = (name("Warden"), Description::parse("Guards.").unwrap());
    let capabilities = Capabilities::parse(&["guard"]).unwrap();
    let answer = draft().when(|agent| agent.change(Some(&name), Some(&description), Some(&capabilities)));
    let expected = vec![
        AgentRenamed { name }.into(),
        AgentDescribed { description }.into(),
        AgentCapabilitiesChanged { capabilities }.into(),
    ];
    assert_eq!(answer, Ok(expected));
}

#[test]
fn names_have_3_to_100_characters_without_control_characters() {
    let refused = ["ab", "  a  ", "a\u{0}bc", &"x".repeat(101)].map(|raw| AgentName::parse(raw).is_err());
    let accepted = ["abc", " Ünï ", &"x".repeat(100)].map(|raw| AgentName::parse(raw).is_ok());
    assert_eq!((refused, accepted), ([true; 4], [true; 3]));
}

#[test]
fn case_and_blanks_do_not_tell_names_apart() {
    assert_eq!(name("Night  Watch").normalised(), name("night watch").normalised());
}

#[test]
fn capabilities_are_sorted_without_repetition() {
    assert_eq!(Capabilities::parse(&["b", "a-1", "b"]).unwrap().as_slice(), ["a-1", "b"]);
}

#[test]
fn a_capability_that_is_no_slug_is_refused_with_its_place() {
    for bad in ["", "A", "a_b", "-a", "a-", "a--b", "ä", "a b", &"x".repeat(51)] {
        let refusal = Capabilities::parse(&["good", bad]).unwrap_err();
        assert_eq!(refusal.pointer().as_deref(), Some("/capabilities/1"), "{bad:?}");
    }
}

#[test]
fn more_than_fifty_capabilities_are_refused() {
    let many: Vec<_> = (0..51).map(|n| format!("c{n}")).collect();
    assert_eq!(Capabilities::parse(&many), Err(AgentError::TooManyCapabilities));
}

#[test]
fn a_description_may_be_empty_and_have_lines_but_no_other_control_characters() {
    let good = ["", "one\ntwo\tthree", &"x".repeat(2_000)].map(|raw| Description::parse(raw).is_ok());
    let bad = ["a\u{1b}[31m", &"x".repeat(2_001)].map(|raw| Description::parse(raw).is_ok());
    assert_eq!((good, bad), ([true; 3], [false; 2]));
}

#[test]
fn types_are_read_back_from_their_names() {
    let types = [AgentType::Workflow, AgentType::Assistant];
    assert_eq!(types.map(|kind| AgentType::parse(kind.as_str())), types.map(Ok));
}

#[test]
fn an_unknown_type_is_refused() {
    assert_eq!(AgentType::parse("robot"), Err(AgentError::TypeUnknown));
}
