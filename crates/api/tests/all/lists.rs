//! The filters and sort orders of lists; anything else is refused.

use std::{collections::BTreeSet, time::Duration};

use devskyy_api::openapi;
use serde_json::{Value, json};

use crate::world::{World, agent};

async fn names(world: &World, token: &str, path: &str) -> Vec<String> {
    let list = world.get(path).by(token).send().await.expect(200);
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn some_agents(world: &World, token: &str) {
    for (name, capability) in [("Dependency review", "review"), ("Greeter", "greeting"), ("Reviewer", "review")] {
        let mut body = agent(name);
        body["capabilities"] = json!([capability]);
        world.post("/api/v1/agents").by(token).json(&body).send().await.expect(201);
    }
}

#[actix_web::test]
async fn agents_are_narrowed_down_and_sorted() {
    let world = World::new();
    let ada = world.person("ada").await;
    some_agents(&world, &ada).await;
    for (query, found) in [
        ("name=REVIEW&sort=name", vec!["Dependency review", "Reviewer"]),
        ("name=%25", vec![]),
        ("capability=greeting", vec!["Greeter"]),
        ("status=active&sort=-name", vec!["Reviewer", "Greeter", "Dependency review"]),
        ("status=draft", vec![]),
    ] {
        for version in ["v1", "v2"] {
            assert_eq!(
                names(&world, &ada, &format!("/api/{version}/agents?{query}")).await,
                found,
                "{version} {query}"
            );
        }
    }
}

#[actix_web::test]
async fn projects_are_narrowed_down_and_sorted() {
    let world = World::new();
    let ada = world.person("ada").await;
    for name in ["Alpha", "beta"] {
        world.post("/api/v1/projects").by(&ada).json(&json!({"name": name})).send().await.expect(201);
    }
    assert_eq!(names(&world, &ada, "/api/v1/projects?name=ALPH").await, ["Alpha"]);
    assert_eq!(names(&world, &ada, "/api/v2/projects?status=suspended").await, Vec::<String>::new());
    let by_name = names(&world, &ada, "/api/v2/projects?sort=-name").await;
    let beta = by_name.iter().position(|name| name == "beta");
    assert!(beta < by_name.iter().position(|name| name == "Alpha"), "{by_name:?}");
}

#[actix_web::test]
async fn runs_are_found_by_when_they_were_asked_for() {
    let world = World::new();
    let ada = world.person("ada").await;
    let id = world.agent(&ada, "Ada").await;
    let run = world.post(&format!("/api/v1/agents/{id}/execute")).by(&ada).json(&json!({})).send().await.expect(202);
    let at = run["created_at"].as_str().unwrap();
    for (query, found) in [
        (format!("created_from={at}"), 1),
        (format!("created_before={at}"), 0),
        ("created_from=2000-01-01T00:00:00%2B00:00&created_before=2001-01-01T00:00:00Z".to_owned(), 0),
        ("sort=created_at".to_owned(), 1),
    ] {
        let list = world.get(&format!("/api/v2/runs?{query}")).by(&ada).send().await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), found, "{query}");
    }
    let answer = world.get("/api/v1/runs?created_from=yesterday").by(&ada).send().await;
    assert_eq!(answer.refused(422, "request.parameter")["errors"][0]["parameter"], "created_from");
}

#[actix_web::test]
async fn administrators_find_an_account_by_its_exact_email() {
    let world = World::new();
    let offer = world.state.identity.bootstrap.handle().await.unwrap().unwrap();
    let account = json!({"email": "root@example.org", "password": "Analytical1843", "name": "Root",
                         "bootstrap_token": offer.token});
    world.post("/api/v1/auth/register").json(&account).send().await.expect(201);
    let sign_in = json!({"email": "root@example.org", "password": "Analytical1843"});
    let admin = world.post("/api/v1/auth/login").json(&sign_in).send().await.expect(200);
    let admin = admin["access_token"].as_str().unwrap();
    let ada = world.person("ada").await;
    assert_eq!(names(&world, admin, "/api/v2/users?email=ADA@example.org").await, ["ada"]);
    assert_eq!(names(&world, admin, "/api/v1/users?email=eve@example.org").await, Vec::<String>::new());
    world.get("/api/v1/users?email=ada@example.org").by(&ada).send().await.refused(403, "forbidden");
}

/// Every list with its documented query parameters.
fn lists() -> Vec<(String, Vec<Value>)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    let gets = paths.filter_map(|(path, item)| Some((path.clone(), item["get"]["parameters"].as_array()?.clone())));
    let query = |parameters: Vec<Value>| parameters.into_iter().filter(|it| it["in"] == "query").collect();
    let all = gets.map(|(path, parameters)| (path, query(parameters)));
    all.filter(|(path, parameters): &(String, Vec<Value>)| !path.contains('{') && !parameters.is_empty()).collect()
}

#[actix_web::test]
async fn every_list_refuses_a_parameter_and_a_sort_it_does_not_know() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (path, parameters) in lists().into_iter().filter(|(path, _)| !path.ends_with("/users")) {
        let answer = world.get(&format!("{path}?colour=red")).by(&ada).send().await;
        let problem = answer.refused(422, "request.unknown_parameter");
        assert_eq!(problem["errors"][0]["parameter"], "colour", "{path}");
        if parameters.iter().any(|parameter| parameter["name"] == "sort") {
            let answer = world.get(&format!("{path}?sort=colour")).by(&ada).send().await;
            assert_eq!(answer.refused(422, "request.parameter")["errors"][0]["parameter"], "sort", "{path}");
        }
    }
}

#[actix_web::test]
async fn every_documented_sort_is_taken_in_both_directions() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut taken = BTreeSet::new();
    for (path, parameters) in lists().into_iter().filter(|(path, _)| !path.ends_with("/users")) {
        let Some(sort) = parameters.iter().find(|parameter| parameter["name"] == "sort") else { continue };
        let pattern = sort["schema"]["pattern"].as_str().unwrap();
        let names = pattern.strip_prefix("^-?(").unwrap().strip_suffix(")$").unwrap();
        for name in names.split('|').flat_map(|name| [name.to_owned(), format!("-{name}")]) {
            world.get(&format!("{path}?sort={name}")).by(&ada).send().await.expect(200);
            taken.insert((path.clone(), name));
        }
    }
    assert_eq!(taken.len(), 2 * (6 + 4 + 2), "agents, projects and runs in two versions");
}

#[actix_web::test]
async fn a_list_that_is_told_whole_takes_no_part_of_it() {
    let world = World::new();
    let ada = world.person("ada").await;
    let project = world.project(&ada).await;
    for (version, path) in [
        ("v1", "/auth/sessions".to_owned()),
        ("v1", "/invitations".to_owned()),
        ("v1", format!("/projects/{project}/invitations")),
    ] {
        let path = format!("/api/{version}{path}");
        world.get(&path).by(&ada).send().await.expect(200);
        for query in ["page=1", "limit=1", "sort=name"] {
            let answer = world.get(&format!("{path}?{query}")).by(&ada).send().await;
            answer.refused(422, "request.unknown_parameter");
        }
    }
}

#[actix_web::test]
async fn what_version_1_tells_whole_version_2_tells_in_stretches() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let project = world.project(&ada).await;
    for number in 0..3 {
        world.clock.advance(Duration::from_secs(1));
        let entry = json!({"email": "eve@example.org", "password": "Analytical1843"});
        world.post("/api/v1/auth/login").json(&entry).send().await.expect(200);
        let invited = world.project(&ada).await;
        for (project, email) in
            [(&project, format!("guest-{number}@example.org")), (&invited, "eve@example.org".into())]
        {
            let body = json!({"email": email, "role": "viewer"});
            let call = world.post(&format!("/api/v1/projects/{project}/invitations"));
            call.by(&ada).json(&body).send().await.expect(201);
        }
    }
    for (path, token, amount) in [
        ("/auth/sessions".to_owned(), &eve, 4),
        ("/invitations".to_owned(), &eve, 3),
        (format!("/projects/prj_{project}/invitations"), &ada, 3),
    ] {
        let whole = world.get(&format!("/api/v2{path}")).by(token).send().await.expect(200);
        let (mut walked, mut next) = (Vec::new(), format!("/api/v2{path}?limit=2"));
        loop {
            let answer = world.get(&next).by(token).send().await;
            walked.extend(answer.expect(200)["items"].as_array().unwrap().iter().cloned());
            let Some(link) = answer.header("link").strip_prefix('<') else { break };
            next = link.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        assert_eq!((walked.len(), json!(walked)), (amount, whole["items"].clone()), "{path}");
    }
}

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Responses of version 2 with `items` that do not continue by cursor, and why.
const OTHERWISE: [(&str, &str); 1] =
    [("/api/v2/runs/{id}/events", "goes on after a position of the log, as the stream of the same events does")];

/// Operations of version 2 whose response has `items` but lacks other members of a list.
fn incomplete(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(get) = item.get("get").filter(|_| path.starts_with("/api/v2/")) else { continue };
        let answer = &get["responses"]["200"];
        let schema = &answer["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let properties = &document["components"]["schemas"][name]["properties"];
        if properties["items"].is_null() || OTHERWISE.iter().any(|(otherwise, _)| path == otherwise) {
            continue;
        }
        let parameters = get["parameters"].as_array().into_iter().flatten();
        let parameters: BTreeSet<_> = parameters.filter_map(|it| it["name"].as_str()).collect();
        let complete = parameters.is_superset(&BTreeSet::from(["cursor", "limit"]))
            && !properties["next_cursor"].is_null()
            && !answer["headers"]["Link"].is_null();
        if !complete {
            found.push(path.clone());
        }
    }
    found
}

#[test]
fn whatever_version_2_answers_with_items_goes_on_by_cursor() {
    assert_eq!(incomplete(&document()), Vec::<String>::new());
}

#[test]
fn a_list_of_version_2_that_cannot_go_on_is_caught() {
    let mut document = document();
    let list = &mut document["paths"]["/api/v2/auth/sessions"]["get"];
    list["parameters"].as_array_mut().unwrap().retain(|parameter| parameter["name"] != "cursor");
    assert_eq!(incomplete(&document), ["/api/v2/auth/sessions"]);
}

#[actix_web::test]
async fn a_parameter_with_a_control_character_is_refused_before_it_is_read() {
    let world = World::new();
    let ada = world.person("ada").await;
    for query in ["v1/agents?name=lamp%00", "v1/projects?name=%00lamp", "v2/agents?cursor=%00", "v2/runs?status=%7F"] {
        world.get(&format!("/api/{query}")).by(&ada).send().await.refused(422, "request.parameter");
    }
}
