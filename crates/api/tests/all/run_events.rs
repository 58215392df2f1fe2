use std::time::Duration;

use actix_web::{body::BoxBody, body::MessageBody, web::Bytes};
use chrono::TimeDelta;
use devskyy_application::{es::EventStore, ports::Clock};
use serde_json::{Value, json};

use crate::world::{Call, World};

/// A run of Ada's that no worker has claimed yet.
struct Started {
    world: World,
    ada: String,
    path: String,
}

impl Started {
    async fn new() -> Self {
        Self::with_heartbeat(None).await
    }

    /// The same on a platform with this heartbeat.
    async fn with_heartbeat(heartbeat: Option<Duration>) -> Self {
        let mut world = World::new();
        if let Some(heartbeat) = heartbeat {
            world.state.settings.heartbeat = heartbeat;
        }
        let ada = world.person("ada").await;
        let agent = world.agent(&ada, "Greeter").await;
        let execute = format!("/api/v1/agents/{agent}/execute");
        let run = world.post(&execute).by(&ada).json(&json!({})).send().await.expect(202);
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        Self { world, ada, path }
    }

    /// Lets a worker execute the run.
    async fn complete(&self) {
        self.world.work();
        self.world.until(&self.path, &self.ada, |run| run["status"] == "completed").await;
    }

    /// Requests the run's events, for example with `?after=1`.
    fn events(&self, query: &str) -> Call<'_> {
        self.world.get(&format!("{}/events{query}", self.path)).by(&self.ada)
    }

    fn stream(&self) -> Call<'_> {
        self.events("").header("accept", "text/event-stream")
    }
}

/// Id, type and data of each event of a stream.
fn events(text: &str) -> Vec<(u64, String, Value)> {
    let frames = text.split("\n\n").filter(|frame| frame.starts_with("id: "));
    frames
        .map(|frame| {
            let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            (field("id: ").parse().unwrap(), field("event: "), serde_json::from_str(&field("data: ")).unwrap())
        })
        .collect()
}

async fn chunk(body: &mut BoxBody) -> Option<Bytes> {
    let mut body = std::pin::Pin::new(body);
    let next = std::future::poll_fn(|context| body.as_mut().poll_next(context));
    tokio::time::timeout(Duration::from_secs(10), next).await.unwrap().map(Result::unwrap)
}

#[actix_web::test]
async fn events_are_read_page_by_page_in_order() {
    let it = Started::new().await;
    it.complete().await;
    let all = it.events("").send().await.expect(200);
    assert_eq!((all["ended"].as_bool(), all["more"].as_bool()), (Some(true), Some(false)));
    let mut paged = Vec::new();
    let mut after = 0;
    loop {
        let page = it.events(&format!("?after={after}&limit=2")).send().await.expect(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        after = page["next_after"].as_u64().unwrap();
        if page["ended"] == true {
            break;
        }
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
    }
    assert_eq!(&paged, all["items"].as_array().unwrap());
    let first = &paged[0];
    assert_eq!((first["type"].as_str(), first["sequence"].as_u64()), (Some("run.queued"), Some(1)));
    assert!(first["position"].is_u64() && first["actor"].as_str().unwrap().starts_with("user:"), "{first}");
    assert_eq!(paged.last().unwrap()["type"], "run.completed");
}

#[actix_web::test]
async fn a_stream_tells_every_event_as_it_happens_and_ends_with_the_run() {
    let it = Started::new().await;
    let response = it.stream().open().await;
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    assert!(!response.headers().contains_key("content-encoding"));
    it.world.work();
    let text = actix_web::body::to_bytes(response.into_body()).await.unwrap();
    let told = events(std::str::from_utf8(&text).unwrap());
    let page = it.events("").send().await.expect(200);
    let kept = page["items"].as_array().unwrap().clone();
    assert_eq!(told.iter().map(|(_, _, data)| data.clone()).collect::<Vec<_>>(), kept);
    assert!(told.iter().all(|(id, kind, data)| data["position"] == *id && data["type"] == kind.as_str()));
    assert_eq!(told.last().unwrap().1, "run.completed");
}

#[actix_web::test]
async fn a_stream_resumes_after_the_last_event_seen() {
    let it = Started::new().await;
    it.complete().await;
    let stream = |last: Option<u64>, query: String| {
        let call = it.events(&query).header("accept", "text/event-stream");
        let call = last.into_iter().fold(call, |call, last| call.header("last-event-id", &last.to_string()));
        async { events(&call.send().await.text()) }
    };
    let all = stream(None, String::new()).await;
    let (seen, rest) = all.split_at(2);
    let last = seen[1].0;
    assert_eq!(stream(Some(last), String::new()).await, rest);
    assert_eq!(stream(None, format!("?after={last}")).await, rest);
    assert_eq!(stream(Some(last), "?after=0".to_owned()).await, rest, "the header is newer than the address");
}

#[actix_web::test]
async fn a_stream_resumed_after_the_end_ends_at_once() {
    let it = Started::new().await;
    it.complete().await;
    let head = it.world.store.head().await.unwrap().to_string();
    let answer = it.stream().header("last-event-id", &head).send().await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""));
}

#[actix_web::test]
async fn a_silent_stream_is_kept_alive_until_the_listener_signs_out() {
    let it = Started::with_heartbeat(Some(Duration::from_millis(20))).await;
    let mut body = it.stream().open().await.into_body();
    assert_eq!(events(std::str::from_utf8(&chunk(&mut body).await.unwrap()).unwrap()).len(), 1);
    assert_eq!(chunk(&mut body).await.unwrap(), Bytes::from_static(b":\n\n"));
    it.world.post("/api/v1/auth/logout").by(&it.ada).send().await;
    while let Some(silence) = chunk(&mut body).await {
        assert_eq!(silence, Bytes::from_static(b":\n\n"));
    }
}

#[actix_web::test]
async fn a_silent_stream_is_kept_alive_for_a_program_with_its_key() {
    let it = Started::with_heartbeat(Some(Duration::from_millis(20))).await;
    let me = it.world.get("/api/v1/auth/me").by(&it.ada).send().await.expect(200);
    let keys = format!("/api/v1/projects/{}/api-keys", me["personal_project_id"].as_str().unwrap());
    let wanted = json!({"name": "watch", "role": "viewer", "expires_at": it.world.clock.now() + TimeDelta::days(1)});
    let key =
        it.world.post(&keys).by(&it.ada).json(&wanted).send().await.expect(201)["key"].as_str().unwrap().to_owned();
    let call =
        it.world.get(&format!("{}/events", it.path)).header("x-api-key", &key).header("accept", "text/event-stream");
    let mut body = call.open().await.into_body();
    chunk(&mut body).await.unwrap();
    for _ in 0..3 {
        assert_eq!(chunk(&mut body).await, Some(Bytes::from_static(b":\n\n")));
    }
}

#[actix_web::test]
async fn a_stream_ends_when_the_server_stops() {
    let it = Started::new().await;
    let mut body = it.stream().open().await.into_body();
    chunk(&mut body).await.unwrap();
    let ended = async {
        assert_eq!(chunk(&mut body).await, None);
    };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        it.world.drain();
    };
    tokio::join!(ended, stop);
}

#[actix_web::test]
async fn a_client_that_goes_away_cancels_nothing() {
    let it = Started::new().await;
    let mut body = it.stream().open().await.into_body();
    chunk(&mut body).await.unwrap();
    drop(body);
    it.complete().await;
}

#[actix_web::test]
async fn a_cursor_that_is_none_is_refused() {
    let it = Started::new().await;
    for id in ["x", "-1", "1.5"] {
        it.events("").header("last-event-id", id).send().await.refused(400, "request.last_event_id");
    }
    for query in ["after=x", "after=-1", "limit=0", "limit=501"] {
        it.events(&format!("?{query}")).send().await.refused(422, "request.parameter");
    }
    it.events("?before=1").send().await.refused(422, "request.unknown_parameter");
}
