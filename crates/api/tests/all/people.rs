//! Users of a world, and the projects they share.

use devskyy_application::{context::Actor, es::Repository};
use devskyy_domain::{
    kernel::ids::UserId,
    projects::{Project, ProjectName, ProjectRole},
};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

impl World {
    /// Registers and signs in; returns the access token.
    pub(crate) async fn person(&self, name: &str) -> String {
        let email = format!("{name}@example.org");
        let password = "Analytical1843";
        let account = json!({"email": email, "password": password, "name": name});
        self.post("/api/v1/auth/register").json(&account).send().await.expect(201);
        let answer = self.post("/api/v1/auth/login").json(&json!({"email": email, "password": password})).send().await;
        answer.expect(200)["access_token"].as_str().unwrap().to_owned()
    }

    /// Creates a project and returns its id.
    pub(crate) async fn project(&self, token: &str) -> String {
        let answer = self.post("/api/v1/projects").by(token).json(&json!({"name": "Supply chain"})).send().await;
        answer.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Makes two users members of a common project, so that one of them may add the other elsewhere.
    pub(crate) async fn acquaint(&self, one: &str, other: &str) {
        let [one, other] = [self.id_of(one).await, self.id_of(other).await];
        let (projects, project) = (Repository::<Project>::new(self.store.clone()), self.state.ids.next().into());
        let (name, context) =
            (ProjectName::parse("Meeting place").unwrap(), || Actor::system("tests", Uuid::nil()).event_context(None));
        projects.update(context(), project, None, |it| it.create(&name, one, false)).await.unwrap();
        projects.update(context(), project, None, |it| it.add_member(other, ProjectRole::Viewer)).await.unwrap();
    }

    async fn id_of(&self, token: &str) -> UserId {
        let me = self.get("/api/v1/auth/me").by(token).send().await.expect(200);
        me["id"].as_str().unwrap().parse::<Uuid>().unwrap().into()
    }
}
