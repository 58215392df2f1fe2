//! Whatever one thing is read tells its state (`ETag`), and is not sent again while that is the same.

use actix_web::http::{Method, header::ETAG};
use serde_json::{Value, json};

use super::{Cell, Place, Rule, TestRequest, Who, document, documented, rule_of};

/// What an answer of the document refers to.
fn schema<'a>(document: &'a Value, response: &Value) -> Option<&'a Value> {
    let name = response["content"]["application/json"]["schema"]["$ref"].as_str()?.rsplit('/').next()?;
    document["components"]["schemas"].get(name)
}

/// The operations that show one thing: what they answer has no `items`.
fn shows_one(document: &Value, path: &str, operation: &Value) -> bool {
    let shown = schema(document, &operation["responses"]["200"]);
    path.starts_with("/api/") && shown.is_some_and(|shown| shown["properties"].get("items").is_none())
}

/// What is wrong with the operations that show one thing.
fn findings(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get").filter(|operation| shows_one(document, path, operation)) else {
            continue;
        };
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let conditional = parameters.any(|it| it["name"] == "If-None-Match");
        let tagged = operation["responses"]["200"]["headers"].get("ETag").is_some();
        if !conditional || !tagged || operation["responses"].get("304").is_none() {
            found.push(format!("{path} does not tell its state, or not whether it is the same still"));
        }
    }
    found
}

#[test]
fn whatever_shows_one_thing_tells_its_state() {
    assert_eq!(findings(&document()), Vec::<String>::new());
}

#[test]
fn an_endpoint_that_does_not_tell_the_state_of_what_it_shows_is_caught() {
    let mut document = document();
    let answer = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Agent"}}}});
    document["paths"]["/api/v1/wishes/{id}"] = json!({"get": {"responses": {"200": answer}}});
    assert_eq!(findings(&document).len(), 1);
}

#[actix_web::test]
async fn what_is_the_same_still_is_not_sent_again() {
    let place = Place::new(true).await;
    let document = document();
    let (mut asked, mut found) = (0, Vec::new());
    for operation in documented(&document).iter().filter(|it| it.method == Method::GET) {
        let described = &document["paths"][&operation.path]["get"];
        let Some(row) = rule_of(&operation.id).filter(|_| shows_one(&document, &operation.path, described)) else {
            continue;
        };
        let who = if matches!(row.rule, Rule::Platform(_)) { Who::Admin } else { Who::Owner };
        let cell = Cell { operation, row, who };
        let ask = async |request: TestRequest| place.world.ask(request).await.unwrap();
        let first = ask(cell.request(&place)).await;
        let tag = first.headers().get(ETAG).map(|tag| tag.to_str().unwrap().to_owned()).unwrap_or_default();
        let again = ask(cell.request(&place).append_header(("if-none-match", tag.as_str()))).await;
        let same = again.headers().get(ETAG).is_some_and(|same| *same == *tag);
        let (first, again) = (first.status().as_u16(), again.status().as_u16());
        let strong = tag.starts_with('"') && tag.len() > 2;
        if !(strong && same && (first, again) == (200, 304)) {
            found.push(format!("{cell}: {first} with {tag}, then {again}"));
        }
        asked += 1;
    }
    assert!(found.is_empty() && asked > 16, "{asked} asked\n{}", found.join("\n"));
}
