//! One kind of resource of a project, from its owner's point of view.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

/// Ada, a project of hers, and one kind of resource in it, for example its `providers`.
pub(crate) struct Owned {
    pub(crate) world: World,
    pub(crate) ada: String,
    pub(crate) project: String,
    kind: &'static str,
}

impl Owned {
    pub(crate) async fn new(kind: &'static str) -> Self {
        let world = World::new();
        let ada = world.person("ada").await;
        let project = world.project(&ada).await;
        Self { world, ada, project, kind }
    }

    /// The path of the project, or one below it, for example `/members`.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/api/v1/projects/{}{below}", self.project)
    }

    /// The path of all things of the kind.
    pub(crate) fn all(&self) -> String {
        self.path(&format!("/{}", self.kind))
    }

    /// The path of one of them.
    pub(crate) fn one(&self, thing: &Value) -> String {
        format!("{}/{}", self.all(), thing["id"].as_str().unwrap())
    }

    pub(crate) async fn add(&self, body: &Value) -> Answer {
        self.world.post(&self.all()).by(&self.ada).json(body).send().await
    }

    /// A call by Ada.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        self.world.call(method, path).by(&self.ada)
    }

    /// Registers and signs in a user whom Ada may add to the project.
    pub(crate) async fn acquaintance(&self, name: &str) -> String {
        let person = self.world.person(name).await;
        self.world.acquaint(&self.ada, &person).await;
        person
    }

    /// Makes an acquaintance a member of the project.
    pub(crate) async fn join(&self, name: &str, role: &str) -> Answer {
        let body = json!({"email": format!("{name}@example.org"), "role": role});
        self.world.post(&self.path("/members")).by(&self.ada).json(&body).send().await
    }

    /// Registers and signs in a new member of the project.
    pub(crate) async fn member(&self, name: &str, role: &str) -> String {
        let person = self.acquaintance(name).await;
        self.join(name, role).await.expect(201);
        person
    }
}
