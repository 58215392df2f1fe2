//! Every read of one resource returns its state (`ETag`), and is not sent again while that is unchanged.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    body::{BoxBody, to_bytes},
    http::{
        Method,
        header::{CONTENT_TYPE, ETAG},
    },
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{Cell, Place, Rule, TestRequest, Who, document, documented, rule_of};

/// The schema of a response of the document.
fn schema<'a>(document: &'a Value, response: &Value) -> Option<&'a Value> {
    let name = response["content"]["application/json"]["schema"]["$ref"].as_str()?.rsplit('/').next()?;
    document["components"]["schemas"].get(name)
}

/// Operations that show one resource: their responses have no `items`.
fn shows_one(document: &Value, path: &str, operation: &Value) -> bool {
    let shown = schema(document, &operation["responses"]["200"]);
    path.starts_with("/api/") && shown.is_some_and(|shown| shown["properties"].get("items").is_none())
}

/// What is wrong with the operations that show one resource.
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
        let cell = Cell { operation, row, who: reader(row.rule) };
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

/// A caller that may read everything with this rule.
const fn reader(rule: Rule) -> Who {
    if matches!(rule, Rule::Platform(_)) { Who::Admin } else { Who::Owner }
}

/// What is wrong with a response to `HEAD`.
async fn with_a_body(answer: HttpResponse<BoxBody>) -> Option<String> {
    match tokio::time::timeout(Duration::from_secs(5), to_bytes(answer.into_body())).await {
        Ok(Ok(body)) if body.is_empty() => None,
        Ok(Ok(body)) => Some(format!("a body of {} bytes", body.len())),
        Ok(Err(error)) => Some(format!("a body that breaks off: {error}")),
        Err(_) => Some("a body without an end".to_owned()),
    }
}

#[actix_web::test]
async fn whoever_asks_for_the_head_alone_gets_the_head_of_the_answer_and_no_body() {
    let place = Place::new(true).await;
    let (mut asked, mut found) = (0, Vec::new());
    for operation in documented(&document()).iter().filter(|it| it.method == Method::GET) {
        let Some(row) = rule_of(&operation.id) else { continue };
        let cell = Cell { operation, row, who: reader(row.rule) };
        for accept in ["application/json", "text/event-stream"] {
            let ask = async |method| {
                let request = cell.request(&place).method(method).append_header(("accept", accept));
                place.world.ask(request).await.unwrap().into_parts().1
            };
            let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
            let told = |answer: &HttpResponse| (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
            if told(&get) != told(&head) {
                found.push(format!("{cell}: {:?} instead of {:?}", told(&head), told(&get)));
            }
            found.extend(with_a_body(head).await.map(|wrong| format!("{cell} as {accept}: {wrong}")));
            asked += 1;
        }
    }
    assert!(found.is_empty() && asked > 100, "{asked} asked\n{}", found.join("\n"));
}

#[actix_web::test]
async fn an_answer_to_head_that_goes_on_is_caught() {
    let pieces = stream::repeat_with(|| Ok::<_, actix_web::Error>(actix_web::web::Bytes::from_static(b":")));
    let endless = HttpResponse::Ok().streaming(pieces.take(3));
    assert_eq!(with_a_body(endless).await, Some("a body of 3 bytes".to_owned()));
}
