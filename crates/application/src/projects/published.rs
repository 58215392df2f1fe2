//! The public form of a project's events: stable, and independent of the stored form.

use devskyy_domain::{
    kernel::{Json, ids::UserId},
    projects::{ProjectEvent, ProjectName, ProjectRole, Slug},
};

type Data = Vec<(&'static str, Json)>;

/// The public form of an event. Users appear by id only, which identifies no one after an erasure.
pub(super) fn public(event: &ProjectEvent) -> (&'static str, Data) {
    match event {
        ProjectEvent::Created(it) => {
            let mut data = named(&it.name, &it.slug);
            data.extend([("owner_id", it.owner.to_string().into()), ("personal", it.personal.into())]);
            ("project.created", data)
        }
        ProjectEvent::Renamed(it) => ("project.renamed", named(&it.name, &it.slug)),
        ProjectEvent::MemberAdded(it) => ("project.member_added", member(it.user, Some(it.role))),
        ProjectEvent::MemberRoleChanged(it) => ("project.member_role_changed", member(it.user, Some(it.role))),
        ProjectEvent::MemberRemoved(it) => ("project.member_removed", member(it.user, None)),
        ProjectEvent::Suspended(_) => ("project.suspended", vec![]),
        ProjectEvent::Resumed(_) => ("project.resumed", vec![]),
        ProjectEvent::Archived(_) => ("project.archived", vec![]),
    }
}

fn named(name: &ProjectName, slug: &Slug) -> Data {
    vec![("name", name.as_str().into()), ("slug", slug.as_str().into())]
}

fn member(user: UserId, role: Option<ProjectRole>) -> Data {
    let role = role.map(|role| ("role", role.as_str().into()));
    std::iter::once(("user_id", user.to_string().into())).chain(role).collect()
}
