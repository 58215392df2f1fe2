//! The contract of secrets as tools see them.

use chrono::DateTime;
use devskyy_application::{secrets::SecretBinding, workflow::ToolSecret};
use devskyy_domain::secrets::SecretValue;

use super::{SecretsUnderTest, hosts, project, secret, value};

fn text(n: u128) -> SecretValue {
    SecretValue::parse(&format!("Bearer 0123456789-{n}")).expect("a good value")
}

impl SecretsUnderTest {
    async fn valued(&self, n: u128, host: &str) {
        let binding = SecretBinding { id: value(n), secret: secret(1), hosts: hosts(&[host]) };
        self.vault.save(&binding, &text(n), DateTime::UNIX_EPOCH).await.expect("it is kept");
    }

    async fn given_to_tools(&self, of_project: u128) -> Option<ToolSecret> {
        self.opened.open(project(of_project), "key").await.expect("an answer")
    }
}

/// With the hosts it may be sent to.
pub async fn a_tool_is_given_the_value_and_where_it_may_go(under_test: &SecretsUnderTest) {
    under_test.valued(1, "api.example.org").await;
    under_test.given(1, 1, "key").await;
    let given = under_test.given_to_tools(1).await.expect("it is there");
    assert!(given.value == text(1) && given.hosts == hosts(&["api.example.org"]));
}

/// From the next call on.
pub async fn a_tool_is_given_the_value_that_took_its_place(under_test: &SecretsUnderTest) {
    under_test.valued(1, "api.example.org").await;
    under_test.given(1, 1, "key").await;
    under_test.valued(2, "other.example.org").await;
    under_test.decide(1, |it| it.replace(&hosts(&["other.example.org"]), value(2))).await;
    let given = under_test.given_to_tools(1).await.expect("it is there");
    assert!(given.value == text(2) && given.hosts == hosts(&["other.example.org"]));
}

/// Even under the same name.
pub async fn a_tool_is_given_nothing_of_another_project(under_test: &SecretsUnderTest) {
    under_test.valued(1, "api.example.org").await;
    under_test.given(1, 1, "key").await;
    assert!(under_test.given_to_tools(2).await.is_none());
}

/// And nothing else is.
pub async fn what_a_project_has_is_known(under_test: &SecretsUnderTest) {
    under_test.given(1, 1, "key").await;
    let mut known = vec![];
    for (of_project, name) in [(1, "key"), (1, "other"), (2, "key")] {
        known.push(under_test.opened.knows(project(of_project), name).await.expect("an answer"));
    }
    assert_eq!(known, [true, false, false]);
}
