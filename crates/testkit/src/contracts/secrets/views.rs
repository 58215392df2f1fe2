//! The contract of the read model of secrets.

use devskyy_application::paging::Part;
use devskyy_domain::secrets::Secret;

use super::{SecretsUnderTest, hosts, project, secret, value};

/// All properties except the value.
pub async fn a_new_secret_shows_what_it_was_made_of(under_test: &SecretsUnderTest) {
    under_test.given(1, 1, "key").await;
    let found = under_test.views.find(secret(1)).await.expect("an answer").expect("it is there");
    let shown = (found.project, found.name.as_str(), found.hosts, found.value, found.version);
    assert_eq!(shown, (project(1), "key", hosts(&["api.example.org"]), value(1), 1));
}

/// The next call sends the new value.
pub async fn a_replaced_secret_shows_its_new_value_and_hosts(under_test: &SecretsUnderTest) {
    under_test.given(1, 1, "key").await;
    under_test.decide(1, |it| it.replace(&hosts(&["other.example.org"]), value(2))).await;
    let found = under_test.named(1, "key").await.expect("it is there");
    assert_eq!((found.hosts, found.value), (hosts(&["other.example.org"]), value(2)));
}

/// Two projects may use the same name.
pub async fn a_secret_is_found_by_name_in_its_project_only(under_test: &SecretsUnderTest) {
    under_test.given(1, 1, "key").await;
    under_test.given(2, 2, "key").await;
    let mut found = vec![];
    for n in 1..=3 {
        found.push(under_test.named(n, "key").await.map(|view| view.id));
    }
    assert_eq!(found, [Some(secret(1)), Some(secret(2)), None]);
}

/// By id and by name; a new secret may use the name.
pub async fn a_removed_secret_is_absent(under_test: &SecretsUnderTest) {
    under_test.given(1, 1, "key").await;
    under_test.decide(1, Secret::remove).await;
    let gone = (under_test.views.find(secret(1)).await.expect("an answer"), under_test.named(1, "key").await);
    under_test.given(2, 1, "key").await;
    let after = under_test.named(1, "key").await.map(|view| view.id);
    assert_eq!((gone, after), ((None, None), Some(secret(2))));
}

/// Of equal times, the greater id comes first.
pub async fn a_list_shows_the_newest_first_and_no_other_projects(under_test: &SecretsUnderTest) {
    for (n, of_project, name) in [(1, 1, "a"), (2, 1, "b"), (3, 2, "c"), (4, 1, "d")] {
        under_test.given(n, of_project, name).await;
    }
    under_test.decide(2, Secret::remove).await;
    let listed = under_test.views.list(project(1), &Part::default()).await.expect("a list");
    assert_eq!(listed.items.iter().map(|view| view.id).collect::<Vec<_>>(), [secret(4), secret(1)]);
}
