//! The stored shapes of everything that happens to people, projects and agents.

use devskyy_domain::{
    agents::{
        AgentActivated, AgentArchived, AgentCapabilitiesChanged, AgentCreated, AgentDescribed, AgentEvent, AgentName,
        AgentPaused, AgentRenamed, AgentResumed, AgentType, Capabilities, Description, VersionPublished,
        VersionRestored,
    },
    identity::{
        AdministratorLeft, PasswordChanged, PlatformRole, PlatformRoleChanged, RosterEvent, UserDisabled, UserEnabled,
        UserErased, UserEvent, UserRegistered,
    },
    kernel::{Json, ids::UserId},
    projects::{
        MemberAdded, MemberRemoved, MemberRoleChanged, ProjectArchived, ProjectCreated, ProjectEvent, ProjectName,
        ProjectRenamed, ProjectResumed, ProjectRole, ProjectSuspended,
    },
    workflow::{Action, Backoff, Limits, Step, Workflow},
};
use uuid::Uuid;

use crate::golden::{holds, today};

fn id<T: From<Uuid>>(n: u64) -> T {
    Uuid::from_u64_pair(0x0199_0000_0000_7000, 0x8000_0000_0000_0000 | n).into()
}

#[test]
fn everything_that_happened_to_a_person_is_still_understood() {
    holds::<UserEvent>(&[
        today(UserRegistered { role: PlatformRole::Member, personal_project: id(2) }),
        today(UserDisabled {}),
        today(UserEnabled {}),
        today(PasswordChanged {}),
        today(UserErased {}),
        today(PlatformRoleChanged { role: PlatformRole::Admin }),
    ]);
}

#[test]
fn everything_that_happened_to_a_project_is_still_understood() {
    let name = ProjectName::parse("Light House").unwrap_or_else(|error| panic!("{error}"));
    let (slug, user): (_, UserId) = (name.slug(), id(1));
    holds::<ProjectEvent>(&[
        today(ProjectCreated { name: name.clone(), slug: slug.clone(), owner: user, personal: false }),
        today(ProjectRenamed { name, slug }),
        today(MemberAdded { user, role: ProjectRole::Viewer }),
        today(MemberRoleChanged { user, role: ProjectRole::Maintainer }),
        today(MemberRemoved { user }),
        today(ProjectSuspended {}),
        today(ProjectResumed {}),
        today(ProjectArchived {}),
    ]);
}

fn definition() -> Workflow {
    let step = Step {
        id: "greet".to_owned(),
        needs: vec![],
        when: Some(".input.name".to_owned()),
        for_each: None,
        action: Action::Tool {
            name: "template".to_owned(),
            arguments: Json::from_iter([("template".to_owned(), Json::from("Hello {{ name }}"))]),
        },
    };
    Workflow {
        input_schema: Some(Json::from(true)),
        output_schema: None,
        tools: [].into(),
        steps: vec![step],
        output: Json::from("done"),
        limits: Limits::default(),
        retry: Backoff::default(),
    }
}

#[test]
fn everything_that_happened_to_an_agent_is_still_understood() {
    let name = AgentName::parse("Night Watch").unwrap_or_else(|error| panic!("{error}"));
    let capabilities = Capabilities::parse(&["audit", "report"]).unwrap_or_else(|error| panic!("{error}"));
    let description = Description::parse("Watches.\nReports.").unwrap_or_else(|error| panic!("{error}"));
    holds::<AgentEvent>(&[
        today(AgentCreated {
            project: id(2),
            name: name.clone(),
            kind: AgentType::Workflow,
            capabilities: capabilities.clone(),
            description: description.clone(),
        }),
        today(VersionPublished { number: 1, definition: definition() }),
        today(VersionRestored { number: 1 }),
        today(AgentActivated {}),
        today(AgentPaused {}),
        today(AgentResumed {}),
        today(AgentArchived {}),
        today(AgentRenamed { name }),
        today(AgentDescribed { description }),
        today(AgentCapabilitiesChanged { capabilities }),
    ]);
}

#[test]
fn everything_that_happened_to_the_roster_is_still_understood() {
    holds::<RosterEvent>(&[today(AdministratorLeft { user: id(1) })]);
}
