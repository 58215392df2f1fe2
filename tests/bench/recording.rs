//! The cost of a step of a run for its worker, in deciding what is next and in recording it, at different lengths of
//! the run: elements of a `for_each`, and turns of an assistant. Prints one JSON object; in microseconds per step.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says where")]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use devskyy_domain::{
    assistant::Assistant,
    conversation::{Finish, TokenCount, ToolCall},
    definition::Definition,
    kernel::{
        Aggregate as _, Json,
        ids::{AgentId, OperationId, ProjectId},
    },
    runs::{Allowance, Order, Place, Priority, Progress, Reply, Run, next, tools_step, turn_step},
    workflow::{Effect, Workflow},
};
use serde_json::{Value, json};
use uuid::Uuid;

fn main() {
    let measured = |take: fn(u32) -> Value| [100, 1_000, 10_000].map(take);
    println!("{:#}", json!({"bench": "recording", "elements": measured(elements), "turns": measured(turns)}));
}

struct Worker {
    run: Run,
    definition: Definition,
    deciding: Duration,
    recording: Duration,
    operations: u128,
}

impl Worker {
    fn of(definition: Definition) -> Self {
        let order = Order {
            agent: AgentId::from(Uuid::nil()),
            agent_version: 1,
            project: ProjectId::from(Uuid::nil()),
            parent: None,
            depth: 0,
            callers: vec![],
            allowance: Allowance::default(),
            input: Json::Null,
            priority: Priority::Normal,
            deadline: DateTime::<Utc>::MAX_UTC,
        };
        let run = Run::default();
        let queued = run.queue(&order, DateTime::UNIX_EPOCH).unwrap();
        let run = run.evolved(&queued);
        let claimed = run.claim("bench", 1, DateTime::UNIX_EPOCH).unwrap();
        let (deciding, recording) = (Duration::ZERO, Duration::ZERO);
        Self { run: run.evolved(&claimed), definition, deciding, recording, operations: 0 }
    }

    fn step(&mut self, reports: &[Progress]) {
        let begun = Instant::now();
        std::hint::black_box(next(&self.run, &self.definition, DateTime::UNIX_EPOCH, &BTreeSet::new()));
        self.deciding += begun.elapsed();
        let begun = Instant::now();
        let events = self.run.record(1, reports).unwrap();
        events.iter().for_each(|event| self.run.apply(event));
        self.recording += begun.elapsed();
    }

    fn call(&mut self, place: Place) -> [Progress; 2] {
        let operation = self.operation();
        let (tool, effect, arguments) = ("t".to_owned(), Effect::ReadOnly, Json::Null);
        let call = Progress::Call { place, operation, tool, effect, arguments };
        [call, Progress::Answer { operation, result: Json::from(7_i64).into() }]
    }

    fn operation(&mut self) -> OperationId {
        self.operations += 1;
        OperationId::from(Uuid::from_u128(self.operations))
    }

    fn report(&self, steps: u32) -> Value {
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / f64::from(steps);
        json!({"steps": steps, "deciding_us": each(self.deciding), "recording_us": each(self.recording)})
    }
}

fn elements(count: u32) -> Value {
    let text = r#"{"limits":{"max_steps":20000},"steps":[{"id":"a","for_each":".","tool":"t"}]}"#;
    let mut worker = Worker::of(serde_json::from_str::<Workflow>(text).unwrap().into());
    worker.step(&[Progress::Expand { step: "a".to_owned(), items: vec![Json::Null; count as usize] }]);
    for index in 0..count {
        let reports = worker.call(Place::element("a", index));
        worker.step(&reports);
    }
    worker.report(count)
}

fn turns(count: u32) -> Value {
    let text = r#"{"model":"a/b","instructions":"?","limits":{"max_steps":30000}}"#;
    let mut worker = Worker::of(serde_json::from_str::<Assistant>(text).unwrap().into());
    for turn in 1..=count {
        let operation = worker.operation();
        let prompt = Progress::Prompt { place: Place::step(&turn_step(turn)), operation, model: "a/b".to_owned() };
        worker.step(&[prompt, Progress::Reply { operation, reply: reply() }]);
        let reports = worker.call(Place::element(&tools_step(turn), 0));
        worker.step(&reports);
    }
    worker.report(2 * count)
}

fn reply() -> Reply {
    let call = ToolCall { id: "a".to_owned(), name: "t".to_owned(), arguments: Json::Null };
    let (text, finish, usage) = (String::new(), Finish::ToolCalls, TokenCount::default());
    let (model, answered_by) = ("b".to_owned(), "a/b".to_owned());
    Reply { text, calls: vec![call], finish, usage, estimated: false, model, answered_by, price: None, carry: None }
}
