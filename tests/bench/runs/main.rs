//! The cost of executing runs, with a tool and a model that respond at once: steps per second, time from start to first
//! step, memory of waiting runs, and what a model call costs beyond its request. Each beside its baseline, on SQLite
//! with durable commits. Prints one JSON object.
//!
//! `cargo bench -p devskyy-tests --bench runs -- [--runs 64] [--steps 20] [--starts 200] [--waiting 1000] [--turns 50]`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that fails says where"
)]

mod fakes;
mod noted;
mod provider;
mod rig;

use std::time::{Duration, Instant};

use rig::Rig;
use serde_json::{Value, json};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let report = json!({
            "bench": "runs",
            "load_average": std::fs::read_to_string("/proc/loadavg").unwrap().trim(),
            "steps": steps(option("--runs", 64), option("--steps", 20)).await,
            "start_to_first_step_ms": starts(option("--starts", 200)).await,
            "waiting": waiting(option("--waiting", 1_000)).await,
            "model_call_ms": model_calls(option("--turns", 50)).await,
        });
        println!("{report:#}");
    });
}

fn option(name: &str, otherwise: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).map_or(otherwise, |value| value.parse().unwrap())
}

fn share(mut values: Vec<Duration>, percent: usize) -> f64 {
    values.sort();
    let at = (values.len() * percent / 100).min(values.len() - 1);
    (values[at].as_secs_f64() * 1e5).round() / 1e2
}

/// Processor time used by this process, including the fakes.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Steps in a row, each a request, in many concurrent runs; beside as many bare requests at the same concurrency.
async fn steps(runs: usize, steps: usize) -> Value {
    let rig = Rig::start().await;
    let step = |n: usize| {
        let needs: Vec<String> = n.checked_sub(1).map(|before| format!("s{before}")).into_iter().collect();
        json!({"id": format!("s{n}"), "needs": needs, "tool": "act", "arguments": {"n": n}})
    };
    let all: Vec<Value> = (0..steps).map(step).collect();
    let agent = rig.agent(&json!({"tools": {"act": rig.tool.described()}, "steps": all, "output": 1})).await;
    rig.finished(&[rig.queue(agent).await]).await;
    let (begun, used) = (Instant::now(), processor());
    let mut queued = Vec::new();
    for _ in 0..runs {
        queued.push(rig.queue(agent).await);
    }
    rig.finished(&queued).await;
    let (took, used) = (begun.elapsed().as_secs_f64(), processor() - used);
    let (bare, bare_used) = (Instant::now(), processor());
    let requests = (0..runs).map(|_| async {
        for _ in 0..steps {
            rig.bare_tool().await;
        }
    });
    futures_util::future::join_all(requests).await;
    let (bare, bare_used) = (bare.elapsed().as_secs_f64(), processor() - bare_used);
    let count = (runs * steps) as f64;
    json!({
        "runs_at_once": runs, "steps_each": steps,
        "per_second": (count / took).round(), "per_second_of_processor": (count / used).round(),
        "bare_requests_per_second": (count / bare).round(),
        "bare_requests_per_second_of_processor": (count / bare_used).round(),
    })
}

/// From starting a run to the arrival of its first request, one run after the other; beside one durable append.
async fn starts(times: usize) -> Value {
    let rig = Rig::start().await;
    let agent = rig
        .agent(&json!({
            "tools": {"act": rig.tool.described()}, "steps": [{"id": "a", "tool": "act", "arguments": {}}], "output": 1
        }))
        .await;
    let (mut first, mut append) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let asked = Instant::now();
        let run = rig.queue(agent).await;
        append.push(asked.elapsed());
        rig.finished(&[run]).await;
        first.push(rig.tool.arrivals().pop().unwrap() - asked);
    }
    json!({
        "p50": share(first.clone(), 50), "p99": share(first, 99),
        "durable_append_p50": share(append.clone(), 50), "durable_append_p99": share(append, 99),
    })
}

/// The growth of memory while many runs wait for an approval; beside the growth by the same runs after their end.
async fn waiting(runs: usize) -> Value {
    let mut grown = Vec::new();
    for step in [
        json!({"id": "a", "tool": "jq", "arguments": {"program": "1", "input": 1}}),
        json!({"id": "a", "approval": {"prompt": "?"}}),
    ] {
        let rig = Rig::start().await;
        let agent = rig.agent(&json!({"steps": [step], "output": 1})).await;
        // One-time allocations are not counted.
        for round in [100, runs] {
            let before = resident_kib();
            let mut queued = Vec::new();
            for _ in 0..round {
                queued.push(rig.queue(agent).await);
            }
            rig.at_rest(&queued).await;
            if round == runs {
                grown.push(((resident_kib() - before) / 1024.0 * 10.0).round() / 10.0);
            }
        }
    }
    json!({"runs": runs, "grown_mib": grown[1], "grown_mib_for_as_many_that_ended": grown[0]})
}

/// Model calls of one run, of many concurrent ones, and of as many under a budget.
async fn model_calls(turns: usize) -> Vec<Value> {
    let mut told = Vec::new();
    for (runs, limited) in [(1, false), (16, false), (16, true)] {
        told.push(model_calls_of(runs, limited, turns).await);
    }
    told
}

/// What a model call adds to a run, beside the same requests alone: from the end of the previous append until its
/// answer is recorded. And the time between two requests, which includes the call of a builtin tool.
async fn model_calls_of(runs: usize, limited: bool, turns: usize) -> Value {
    let rig = Rig::start_with_turns(turns).await;
    if limited {
        rig.limit().await;
    }
    let agent = rig.agent(&json!({
        "model": "house/echo-1", "instructions": "Go on.",
        "limits": {"max_steps": 10_000},
        "tools": {"act": {"kind": "builtin", "builtin": "jq", "description": "Computes.", "input_schema": {"type": "object"}}}
    })).await;
    let mut queued = Vec::new();
    for _ in 0..runs {
        queued.push(rig.queue(agent).await);
    }
    rig.finished(&queued).await;
    let (between, calls) = (rig.model.between(), rig.noted.model_calls());
    let mut bare = Vec::new();
    for question in rig.model.questions(200) {
        bare.push(rig.bare_model(&question).await);
    }
    assert!(calls.whole.len() >= runs * turns, "{} of {} model calls are noted", calls.whole.len(), runs * turns);
    let (whole_p50, bare_p50) = (share(calls.whole.clone(), 50), share(bare, 50));
    json!({
        "runs_at_once": runs, "under_a_budget": limited, "calls": calls.whole.len(),
        "model_call": {
            "p50": whole_p50, "p99": share(calls.whole, 99), "bare_request_p50": bare_p50,
            "overhead_p50": ((whole_p50 - bare_p50) * 100.0).round() / 100.0, "goal": 3,
            "of_which_p50": {
                "until_the_question_is_recorded": share(calls.before.clone(), 50),
                "recording_the_question": share(calls.intent, 50),
                "asking": share(calls.exchange, 50),
                "until_the_answer_is_recorded": share(calls.after.clone(), 50),
                "recording_the_answer": share(calls.answer, 50),
            },
            "of_which_p99": {
                "until_the_question_is_recorded": share(calls.before, 99),
                "until_the_answer_is_recorded": share(calls.after, 99),
            },
        },
        "between_two_questions_with_a_builtin_call": {"p50": share(between.clone(), 50), "p99": share(between, 99)},
    })
}
