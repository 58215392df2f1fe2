//! The audit trail, as administrators and owners see it.

use std::time::Duration;

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use crate::world::World;

pub(crate) async fn told(world: &World, token: &str, query: &str) -> Vec<Value> {
    let answer = world.get(&format!("/api/v1/audit{query}")).by(token).send().await.expect(200);
    answer["items"].as_array().unwrap().clone()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

pub(crate) async fn root(world: &World) -> String {
    let offer = world.state.identity.bootstrap.handle().await.unwrap().unwrap();
    let password = "Analytical1843";
    let body = json!({
        "email": "root@example.org", "password": password, "name": "root", "bootstrap_token": offer.token
    });
    world.post("/api/v1/auth/register").json(&body).send().await.expect(201);
    let body = json!({"email": "root@example.org", "password": password});
    let answer = world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    answer["access_token"].as_str().unwrap().to_owned()
}

pub(crate) async fn id_of(world: &World, token: &str) -> String {
    let me = world.get("/api/v1/auth/me").by(token).send().await.expect(200);
    me["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_sign_in_and_a_failed_one_are_told() {
    let world = World::new();
    let root = root(&world).await;
    world.person("ada").await;
    let wrong = json!({"email": "ada@example.org", "password": "Wrong12345"});
    world.post("/api/v1/auth/login").json(&wrong).send().await.refused(401, "bad_credentials");
    let failed = told(&world, &root, "?kind=authn_login_fail").await;
    assert_eq!((failed.len(), &failed[0]["outcome"], &failed[0]["actor"]), (1, &json!("failure"), &json!("anonymous")));
    assert_eq!(told(&world, &root, "?kind=authn_login_success").await.len(), 2);
}

#[actix_web::test]
async fn where_a_request_came_from_is_told_beside_facts_and_records() {
    let world = World::new();
    let root = root(&world).await;
    let ask = |uri: &str, token: &str, body: Option<Value>| {
        let request = TestRequest::default().method(if body.is_some() { Method::POST } else { Method::GET }).uri(uri);
        let request = request.peer_addr("203.0.113.7:4711".parse().unwrap());
        let request = request.append_header(("authorization", format!("Bearer {token}")));
        match body {
            Some(body) => request.set_json(body),
            None => request,
        }
    };
    let ada = world.person("ada").await;
    world.ask(ask("/api/v1/projects", &ada, Some(json!({"name": "Harbour"})))).await.unwrap();
    world.ask(ask("/api/v1/users", &ada, None)).await.unwrap();
    let actor = format!("actor=user:{}", id_of(&world, &ada).await);
    let made = told(&world, &root, &format!("?kind=project.created&{actor}")).await;
    let denied = told(&world, &root, &format!("?kind=authz_fail&{actor}")).await;
    assert_eq!((&made[0]["source"], &denied[0]["source"]), (&json!("203.0.113.7"), &json!("203.0.113.7")));
    assert_eq!(denied[0]["target"], "GET /api/v1/users");
}

#[actix_web::test]
async fn a_request_id_sent_before_from_elsewhere_does_not_say_where_a_request_came_from() {
    let world = World::new();
    let (root, ada) = (root(&world).await, world.person("ada").await);
    for (address, name) in [("198.51.100.9:1", "Lighthouse"), ("203.0.113.7:1", "Harbour")] {
        world.clock.advance(Duration::from_secs(1));
        let request = TestRequest::post().uri("/api/v1/projects").peer_addr(address.parse().unwrap());
        let request = request.append_header(("x-request-id", "01938f2e-0000-7000-8000-00000000abcd"));
        let request = request.append_header(("authorization", format!("Bearer {ada}")));
        world.ask(request.set_json(json!({"name": name}))).await.unwrap();
    }
    let actor = format!("actor=user:{}", id_of(&world, &ada).await);
    let made = told(&world, &root, &format!("?kind=project.created&{actor}")).await;
    let sources: Vec<_> = made.iter().take(2).map(|it| it["source"].as_str().unwrap_or_default()).collect();
    assert_eq!(sources, ["203.0.113.7", "198.51.100.9"]);
}

#[actix_web::test]
async fn an_owner_is_told_what_happened_in_the_project_and_who_knocked() {
    let world = World::new();
    let (ada, eve, kim) = (world.person("ada").await, world.person("eve").await, world.person("kim").await);
    let path = format!("/api/v1/projects/{}", world.project(&ada).await);
    world.acquaint(&ada, &eve).await;
    let member = json!({"email": "eve@example.org", "role": "viewer"});
    world.post(&format!("{path}/members")).by(&ada).json(&member).send().await.expect(201);
    world.post(&format!("{path}/suspend")).by(&eve).send().await.refused(403, "forbidden");
    world.get(&path).by(&kim).send().await.refused(404, "not_found");
    world.project(&kim).await;
    let query = format!("?project_id={}", path.rsplit('/').next().unwrap());
    let entries = told(&world, &ada, &query).await;
    let mut found = kinds(&entries);
    found.sort_unstable();
    assert_eq!(found, ["authz_fail", "authz_fail", "project.created", "project.member_added"]);
    let denied: Vec<_> = entries.iter().filter(|it| it["kind"] == "authz_fail").map(|it| &it["target"]).collect();
    assert!(denied.contains(&&json!("projects.write")) && denied.contains(&&json!("projects.read")), "{denied:?}");
}

#[actix_web::test]
async fn only_administrators_are_told_about_the_whole_platform() {
    let world = World::new();
    let (root, ada) = (root(&world).await, world.person("ada").await);
    world.get("/api/v1/audit").by(&ada).send().await.refused(403, "forbidden");
    let denied = told(&world, &root, "?kind=authz_fail").await;
    assert_eq!(denied[0]["target"], "GET /api/v1/audit");
}

#[actix_web::test]
async fn the_trail_is_walked_into_the_past() {
    let world = World::new();
    let root = root(&world).await;
    for name in ["ada", "eve", "kim"] {
        world.person(name).await;
    }
    let whole = told(&world, &root, "").await;
    let (mut walked, mut query) = (Vec::new(), "?limit=4".to_owned());
    loop {
        let answer = world.get(&format!("/api/v1/audit{query}")).by(&root).send().await.expect(200);
        walked.extend(answer["items"].as_array().unwrap().iter().cloned());
        let Some(next) = answer["next_before"].as_str() else { break };
        query = format!("?limit=4&before={next}");
    }
    assert_eq!(walked, whole);
}

#[actix_web::test]
async fn a_wrong_wish_about_the_trail_is_refused() {
    let world = World::new();
    let root = root(&world).await;
    for query in ["?before=yesterday", "?since=noon", "?limit=0", "?limit=201", "?kind=", "?colour=red"] {
        let status = world.get(&format!("/api/v1/audit{query}")).by(&root).send().await.status;
        assert_eq!(status, 422, "{query}");
    }
}

#[actix_web::test]
async fn proofs_that_are_not_accepted_are_told_and_a_flood_of_them_is_not() {
    let world = World::new();
    let root = root(&world).await;
    for _ in 0..30 {
        world.get("/api/v1/agents").by("forged").send().await.refused(401, "unauthenticated");
    }
    world.get("/api/v1/agents").header("x-api-key", "dsk_mistyped").send().await.refused(401, "unauthenticated");
    let refresh = json!({"refresh_token": "forged"});
    world.post("/api/v1/auth/refresh").json(&refresh).send().await.refused(401, "unauthenticated");
    let failed = told(&world, &root, "?kind=authn_login_fail").await;
    let targets: Vec<_> = failed.iter().map(|entry| entry["target"].as_str().unwrap()).collect();
    assert_eq!(targets, ["bearer"; 10]);
}

#[actix_web::test]
async fn a_spent_refresh_token_is_told_with_its_sign_in() {
    let world = World::new();
    let root = root(&world).await;
    world.person("ada").await;
    let body = json!({"email": "ada@example.org", "password": "Analytical1843"});
    let first = world.post("/api/v1/auth/login").json(&body).send().await.expect(200);
    let trade = |tokens: &Value| {
        let body = json!({"refresh_token": tokens["refresh_token"]});
        let world = &world;
        async move { world.post("/api/v1/auth/refresh").json(&body).send().await }
    };
    let second = trade(&first).await.expect(200);
    trade(&second).await.expect(200);
    trade(&first).await.refused(401, "unauthenticated");
    let told = told(&world, &root, "?kind=authn_token_reuse").await;
    let target = told[0]["target"].as_str().unwrap();
    assert!(told.len() == 1 && target.starts_with("session:"), "{told:?}");
}

#[actix_web::test]
async fn whoever_tries_to_sign_in_too_often_is_told() {
    let world = World::new();
    let root = root(&world).await;
    let body = json!({"email": "nobody@example.org", "password": "Wrong12345"});
    for _ in 0..7 {
        world.post("/api/v1/auth/login").json(&body).send().await;
    }
    assert_eq!(told(&world, &root, "?kind=authn_login_fail").await.len(), 5);
    assert_eq!(told(&world, &root, "?kind=authn_login_fail_max").await.len(), 2);
}

#[actix_web::test]
async fn a_denial_anywhere_is_told_once() {
    let world = World::new();
    let root = root(&world).await;
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    let expires_at = devskyy_application::ports::Clock::now(&*world.clock) + chrono::TimeDelta::days(1);
    let body = json!({"name": "deploy", "role": "owner", "expires_at": expires_at});
    let issued = world.post(&format!("/api/v1/projects/{project}/api-keys")).by(&ada).json(&body).send().await;
    let key = issued.expect(201)["key"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        world
            .post("/api/v1/projects")
            .by(&key)
            .json(&json!({"name": "Harbour"}))
            .send()
            .await
            .refused(403, "forbidden");
    }
    world.post("/api/v1/auth/register").json(&bootstrapping()).send().await.refused(403, "user.bootstrap_refused");
    let mut denied: Vec<_> =
        told(&world, &root, "?kind=authz_fail").await.iter().map(|entry| entry["target"].to_string()).collect();
    denied.sort_unstable();
    let (projects, register) = ("\"POST /api/v1/projects\"", "\"POST /api/v1/auth/register\"");
    assert_eq!(denied, [register, projects, projects]);
}

fn bootstrapping() -> Value {
    json!({"email": "kim@example.org", "password": "Analytical1843", "name": "Kim", "bootstrap_token": "forged"})
}

#[actix_web::test]
async fn owners_are_told_who_changed_a_provider() {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    let body = json!({"name": "cloud", "kind": "openai", "base_url": "https://example.org/v1", "key": "some-key"});
    let path = format!("/api/v1/projects/{project}/providers");
    world.post(&path).by(&ada).json(&body).send().await.expect(201);
    let told = told(&world, &ada, &format!("?project_id={project}")).await;
    let found: Vec<_> = kinds(&told).into_iter().filter(|kind| kind.starts_with("provider.")).collect();
    assert!(found.contains(&"provider.added"), "{told:?}");
}

/// The kinds with this prefix, in the order they happened.
fn since(told: &[Value], prefix: &str) -> Vec<String> {
    let mut kinds: Vec<_> =
        kinds(told).into_iter().filter(|kind| kind.starts_with(prefix)).map(str::to_owned).collect();
    kinds.reverse();
    kinds
}

#[actix_web::test]
async fn owners_are_told_who_kept_a_secret_and_never_what_it_is() {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    let path = format!("/api/v1/projects/{project}/secrets");
    let body = json!({"name": "tracker", "value": "tr-first-value", "hosts": ["tracker.example.org"]});
    let secret = world.post(&path).by(&ada).json(&body).send().await.expect(201);
    let one = format!("{path}/{}", secret["id"].as_str().unwrap());
    let replace = world.call(Method::PUT, &one).by(&ada).json(&json!({"value": "tr-second-value"}));
    world.clock.advance(Duration::from_secs(1));
    replace.send().await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.call(Method::DELETE, &one).by(&ada).send().await.status, 204);
    let told = told(&world, &ada, &format!("?project_id={project}")).await;
    assert_eq!(since(&told, "secret."), ["secret.added", "secret.replaced", "secret.removed"]);
    let text = Value::from(told).to_string();
    assert!(text.contains(&format!("\"secret:{}\"", secret["id"].as_str().unwrap())), "{text}");
    assert!(!text.contains("-value"), "{text}");
}

#[actix_web::test]
async fn owners_are_told_who_set_a_budget() {
    let world = World::new();
    let ada = world.person("ada").await;
    let agent = world.agent(&ada, "Greeter").await;
    let agent = world.get(&format!("/api/v1/agents/{agent}")).by(&ada).send().await.expect(200);
    let (id, project) = (agent["id"].as_str().unwrap(), agent["project_id"].as_str().unwrap());
    for of in [format!("projects/{project}"), format!("agents/{id}")] {
        let path = format!("/api/v1/{of}/budget");
        for most in [1_000, 2_000] {
            let set = world.call(Method::PUT, &path).by(&ada).json(&json!({"max_tokens": most, "period": "day"}));
            set.send().await.expect(200);
            world.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(world.call(Method::DELETE, &path).by(&ada).send().await.status, 204);
        world.clock.advance(Duration::from_secs(1));
    }
    let told = told(&world, &ada, &format!("?project_id={project}")).await;
    let once = ["budget.set", "budget.set", "budget.removed"];
    assert_eq!(since(&told, "budget."), [once, once].concat());
    let ada = format!("user:{}", id_of(&world, &ada).await);
    let mut set = told.iter().filter(|entry| entry["kind"].as_str().unwrap().starts_with("budget."));
    assert!(set.all(|entry| entry["actor"] == ada), "{told:?}");
}

#[actix_web::test]
async fn a_denial_at_the_edge_is_told_to_the_project_that_the_path_names() {
    for base in ["/api/v1/projects/", "/api/v2/projects/prj_"] {
        let world = World::new();
        let ada = world.person("ada").await;
        let project = world.project(&ada).await;
        let expires_at = devskyy_application::ports::Clock::now(&*world.clock) + chrono::TimeDelta::days(1);
        let body = json!({"name": "deploy", "role": "owner", "expires_at": expires_at});
        let issued = world.post(&format!("/api/v1/projects/{project}/api-keys")).by(&ada).json(&body).send().await;
        let key = issued.expect(201)["key"].as_str().unwrap().to_owned();
        let call = world.post(&format!("{base}{project}/api-keys")).by(&key).json(&body);
        call.send().await.refused(403, "people_only");
        let told = told(&world, &ada, &format!("?project_id={project}&kind=authz_fail")).await;
        assert_eq!(told.len(), 1, "{base}: {told:?}");
    }
}

#[actix_web::test]
async fn version_2_walks_the_trail_by_sealed_cursors_as_it_walks_every_list() {
    let world = World::new();
    let root = root(&world).await;
    for name in ["ada", "eve", "kim"] {
        world.person(name).await;
    }
    let whole = told(&world, &root, "?kind=user.registered").await;
    let (mut walked, mut next) = (Vec::new(), "/api/v2/audit?limit=3&kind=user.registered".to_owned());
    loop {
        let answer = world.get(&next).by(&root).send().await;
        let list = answer.expect(200);
        walked.extend(list["items"].as_array().unwrap().iter().cloned());
        assert_eq!(list["next_cursor"].is_null(), answer.header("link").is_empty(), "{list}");
        let Some(link) = answer.header("link").strip_prefix('<') else { break };
        next = link.split('>').next().unwrap().to_owned();
    }
    let ids = |entries: &[Value]| entries.iter().map(|entry| entry["id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&walked), walked.len()), (ids(&whole), 4));
}

#[actix_web::test]
async fn a_place_in_the_trail_that_the_platform_has_not_sealed_is_refused_in_version_2() {
    let world = World::new();
    let root = root(&world).await;
    world.person("ada").await;
    let first = world.get("/api/v2/audit?limit=1").by(&root).send().await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let ask = |query: String| world.get(&format!("/api/v2/audit?{query}")).by(&root).send();
    ask(format!("cursor={cursor}")).await.expect(200);
    ask(format!("cursor={cursor}&kind=project.created")).await.refused(422, "list.cursor");
    ask("cursor=1767268800000000.01938f2e-0000-7000-8000-000000000000".to_owned()).await.refused(422, "list.cursor");
    ask("before=1767268800000000.01938f2e-0000-7000-8000-000000000000".to_owned())
        .await
        .refused(422, "request.unknown_parameter");
    ask("limit=101".to_owned()).await.refused(422, "list.limit_range");
}

#[actix_web::test]
async fn version_1_links_to_the_next_stretch_of_the_trail() {
    let world = World::new();
    let root = root(&world).await;
    let answer = world.get("/api/v1/audit?limit=1&kind=user.registered").by(&root).send().await;
    assert!(!answer.header("link").contains("rel=\"next\""), "{}", answer.header("link"));
    world.person("ada").await;
    let answer = world.get("/api/v1/audit?limit=1&kind=user.registered").by(&root).send().await;
    let link = answer.header("link").strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    let rest = world.get(&link).by(&root).send().await.expect(200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_before"]), (1, &Value::Null), "{link}");
}

#[actix_web::test]
async fn a_filter_with_a_control_character_is_refused() {
    let world = World::new();
    let root = root(&world).await;
    for (parameter, value) in [("kind", "%00"), ("actor", "%00"), ("actor", "user%0A"), ("before", "%00")] {
        let answer = world.get(&format!("/api/v1/audit?{parameter}={value}")).by(&root).send().await;
        let problem = answer.refused(422, "request.parameter");
        assert_eq!(problem["errors"][0]["parameter"], parameter);
    }
}
