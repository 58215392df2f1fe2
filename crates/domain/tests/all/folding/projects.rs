use chrono::{DateTime, TimeDelta, Utc};
use devskyy_domain::{
    kernel::ids::UserId,
    projects::{Invitation, Project, ProjectEvent, ProjectName, ProjectRole, ProjectStatus},
};
use uuid::Uuid;

use super::{Rules, holds};

const ROLES: [ProjectRole; 4] =
    [ProjectRole::Owner, ProjectRole::Maintainer, ProjectRole::Operator, ProjectRole::Viewer];

fn role(n: u8) -> ProjectRole {
    ROLES[usize::from(n) % ROLES.len()]
}

fn name(n: u8) -> ProjectName {
    ProjectName::parse(&format!("Light House {n}")).unwrap()
}

fn user(n: u8) -> UserId {
    Uuid::from_u128(n.into()).into()
}

fn on(day: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(i64::from(day) * 3)
}

/// It always has an owner, and its slug is that of its name.
fn sound(project: &Project) -> bool {
    project.details().is_none_or(|details| {
        details.members.values().any(|role| *role == ProjectRole::Owner) && details.slug == details.name.slug()
    })
}

const PROJECT: Rules<Project> = Rules {
    asks: &[
        |it, one, other| it.create(&name(one), user(other), other == 0),
        |it, one, _| it.rename(&name(one)),
        |it, one, other| it.add_member(user(one), role(other)),
        |it, one, other| it.change_member_role(user(one), role(other)),
        |it, one, _| it.remove_member(user(one)),
        |it, one, other| it.transfer(Some(user(one)).filter(|_| one > 0), user(other)),
        |it, _, _| it.suspend(),
        |it, _, _| it.resume(),
        |it, one, _| if one == 0 { it.archive() } else { Ok(vec![]) },
    ],
    sound,
    // Members can leave an archived project too and get lesser roles, and it can be transferred.
    ended: |it, event| {
        it.status() == Some(ProjectStatus::Archived)
            && !matches!(event, ProjectEvent::MemberRemoved(_) | ProjectEvent::MemberRoleChanged(_))
    },
    noted: |_| false,
};

const INVITATION: Rules<Invitation> = Rules {
    asks: &[
        |it, one, other| it.issue(Uuid::from_u128(1).into(), role(one), usize::from(other) * 40, on(one)),
        |it, one, other| it.accept(user(one), on(other)),
        |it, one, _| it.decline(user(one)),
        |it, _, _| it.withdraw(),
    ],
    sound: |it| !matches!(it, Invitation::Open { expires_at, .. } if *expires_at > on(3) + TimeDelta::days(7)),
    ended: |it, _| *it == Invitation::Ended,
    noted: |_| false,
};

holds! {
    project: PROJECT;
    invitation: INVITATION;
}
