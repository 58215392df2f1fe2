//! Who can give and take the roles of owners and maintainers.

use devskyy_application::access::Permission;
use serde_json::json;

use super::{Place, Rule, Who, document, documented, judge, on, status};

#[actix_web::test]
async fn whoever_makes_somebody_an_owner_or_a_maintainer_is_judged_by_the_table() {
    let rule = Rule::PersonInProject(Permission::OwnersWrite);
    let rows = [
        on("add_member", rule).sending(|_, _| json!({"email": Who::Stranger.email(), "role": "owner"})),
        on("add_member", rule).sending(|_, _| json!({"email": Who::Stranger.email(), "role": "maintainer"})),
        on("change_member_role", rule).sending(|_, _| json!({"role": "owner"})),
        on("change_member_role", rule).sending(|_, _| json!({"role": "maintainer"})),
        on("invite_member", rule)
            .sending(|_, who| json!({"email": format!("invited-{who:?}@example.org"), "role": "owner"})),
        on("invite_member", rule)
            .sending(|_, who| json!({"email": format!("invited-{who:?}@example.org"), "role": "maintainer"})),
    ];
    let mut findings = Vec::new();
    for operation in documented(&document()) {
        let id = operation.id.strip_prefix("v2_").unwrap_or(&operation.id);
        for row in rows.iter().filter(|row| row.id == id) {
            let place = Place::new(false).await;
            place.acquaint(Who::Owner, Who::Stranger).await;
            let ask = async |request| status(place.world.ask(request).await);
            findings.extend(judge(ask, &place, &operation, row).await);
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[actix_web::test]
async fn whoever_demotes_or_removes_an_owner_or_a_maintainer_is_judged_by_the_table() {
    let rule = Rule::PersonInProject(Permission::OwnersWrite);
    let rows = [on("change_member_role", rule).sending(|_, _| json!({"role": "operator"})), on("remove_member", rule)];
    let mut findings = Vec::new();
    for operation in documented(&document()) {
        let id = operation.id.strip_prefix("v2_").unwrap_or(&operation.id);
        for (row, role) in rows.iter().filter(|row| row.id == id).flat_map(|row| [(row, "owner"), (row, "maintainer")])
        {
            let place = Place::new(false).await;
            place.promote_the_guest(role).await;
            let ask = async |request| status(place.world.ask(request).await);
            findings.extend(judge(ask, &place, &operation, row).await);
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
