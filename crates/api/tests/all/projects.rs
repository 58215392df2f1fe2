use serde_json::json;

use crate::world::World;

#[actix_web::test]
async fn a_new_project_has_a_slug_a_place_and_a_version() {
    let world = World::new();
    let ada = world.person("ada").await;
    let answer = world.post("/api/v1/projects").by(&ada).json(&json!({"name": "Supply chain"})).send().await;
    let project = answer.expect(201);
    assert_eq!((project["slug"].as_str(), project["version"].as_u64()), (Some("supply-chain"), Some(1)));
    assert_eq!(answer.header("location"), format!("/api/v1/projects/{}", project["id"].as_str().unwrap()));
    assert_eq!(answer.header("etag"), "\"1\"");
    let shown = world.get(answer.header("location")).by(&ada).send().await.expect(200);
    assert_eq!(shown, project);
}

#[actix_web::test]
async fn a_repeated_creation_with_the_same_key_makes_one_project() {
    let world = World::new();
    let ada = world.person("ada").await;
    let create = |name: &str| {
        let body = json!({"name": name});
        world.post("/api/v1/projects").by(&ada).header("idempotency-key", "p-1").json(&body).send()
    };
    let first = create("Supply chain").await.expect(201);
    let head = world.head().await;
    assert_eq!(create("Supply chain").await.expect(201)["id"], first["id"]);
    create("Something else").await.refused(422, "idempotency.key_reused");
    assert_eq!(world.head().await, head);
}

#[actix_web::test]
async fn keys_of_different_people_never_meet() {
    let world = World::new();
    let mut made = Vec::new();
    for name in ["ada", "eve"] {
        let token = world.person(name).await;
        let body = json!({"name": "Supply chain"});
        let call = world.post("/api/v1/projects").by(&token).header("idempotency-key", "p-1").json(&body);
        made.push(call.send().await.expect(201)["id"].clone());
    }
    assert_ne!(made[0], made[1]);
}

#[actix_web::test]
async fn a_malformed_key_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    for key in ["", "a b", &"x".repeat(256)] {
        let call = world.post("/api/v1/projects").by(&ada).header("idempotency-key", key);
        call.json(&json!({"name": "Supply chain"})).send().await.refused(400, "request.idempotency_key");
    }
}

#[actix_web::test]
async fn a_short_name_is_refused_by_pointer() {
    let world = World::new();
    let ada = world.person("ada").await;
    let answer = world.post("/api/v1/projects").by(&ada).json(&json!({"name": "x"})).send().await;
    answer.refused_at(422, "project.name_length", "/name");
}

#[actix_web::test]
async fn other_peoples_projects_are_not_there() {
    let world = World::new();
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let project = world.project(&ada).await;
    world.get(&format!("/api/v1/projects/{project}")).by(&eve).send().await.refused(404, "not_found");
    let members = format!("/api/v1/projects/{project}/members");
    world.get(&members).by(&eve).send().await.refused(404, "not_found");
    let listed = world.get("/api/v1/projects").by(&eve).send().await.expect(200);
    assert_eq!(listed["total"], 1, "only the personal one: {listed}");
}

#[actix_web::test]
async fn a_list_says_where_its_neighbours_are() {
    let world = World::new();
    let ada = world.person("ada").await;
    for _ in 0..4 {
        world.project(&ada).await;
    }
    let answer = world.get("/api/v1/projects?page=2&page_size=2").by(&ada).send().await;
    let page = answer.expect(200);
    assert_eq!((page["total"].as_u64(), page["total_pages"].as_u64()), (Some(5), Some(3)));
    assert_eq!((page["page"].as_u64(), page["page_size"].as_u64()), (Some(2), Some(2)));
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let expected = "</api/v1/projects?page=1&page_size=2>; rel=\"first\", \
                    </api/v1/projects?page=1&page_size=2>; rel=\"prev\", \
                    </api/v1/projects?page=3&page_size=2>; rel=\"next\", \
                    </api/v1/projects?page=3&page_size=2>; rel=\"last\"";
    assert_eq!(answer.header("link"), expected);
}

#[actix_web::test]
async fn a_page_beyond_the_last_is_empty() {
    let world = World::new();
    let ada = world.person("ada").await;
    let page = world.get("/api/v1/projects?page=9").by(&ada).send().await.expect(200);
    assert_eq!((page["items"].as_array().unwrap().len(), page["total"].as_u64()), (0, Some(1)));
}

#[actix_web::test]
async fn pages_out_of_range_are_refused_by_name() {
    let world = World::new();
    let ada = world.person("ada").await;
    for (query, code, parameter) in [
        ("page=0", "list.page_range", "page"),
        ("page_size=0", "list.page_size_range", "page_size"),
        ("page_size=101", "list.page_size_range", "page_size"),
        ("page=-1", "request.parameter", "page"),
        ("page=two", "request.parameter", "page"),
        ("page=1&page=2", "request.parameter", "page"),
        ("pagesize=5", "request.unknown_parameter", "pagesize"),
    ] {
        let answer = world.get(&format!("/api/v1/projects?{query}")).by(&ada).send().await;
        let problem = answer.refused(422, code);
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{problem}");
    }
}

#[actix_web::test]
async fn several_wrong_parameters_are_refused_together() {
    let world = World::new();
    let ada = world.person("ada").await;
    let answer = world.get("/api/v1/projects?page=0&page_size=0").by(&ada).send().await;
    assert_eq!(answer.refused(422, "request.invalid")["errors"].as_array().unwrap().len(), 2);
}
