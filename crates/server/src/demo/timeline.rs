//! The run's events as readable lines: what began, its result, and how long it took.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{events::Event, screen::Screen};

/// Characters of a progress bar.
const BAR: u64 = 24;

/// Prints a run event by event.
pub(super) struct Timeline<'a> {
    screen: &'a Screen,
    begun: Option<DateTime<Utc>>,
    calls: BTreeMap<String, Call>,
    /// Steps that run once per element: the number of elements, and how many are done.
    loops: BTreeMap<String, (u64, u64, DateTime<Utc>)>,
    ended: bool,
}

struct Call {
    step: String,
    tool: String,
    at: DateTime<Utc>,
}

impl<'a> Timeline<'a> {
    pub(super) const fn new(screen: &'a Screen) -> Self {
        Self { screen, begun: None, calls: BTreeMap::new(), loops: BTreeMap::new(), ended: false }
    }

    /// Whether the run has ended.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Prints an event.
    pub(super) fn show(&mut self, event: &Event) {
        self.begun.get_or_insert(event.at);
        let data = &event.data;
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        match event.kind.as_str() {
            "run.queued" => self.line(event, "·", "queued", ""),
            "run.claimed" => self.line(event, "·", "claimed", "by a worker"),
            "run.tool_called" => self.called(event),
            "run.tool_succeeded" => self.succeeded(event),
            "run.tool_failed" | "run.outcome_unknown" => self.failed(event),
            "run.step_expanded" => {
                let count = data["count"].as_u64().unwrap_or_default();
                self.loops.insert(text("step").to_owned(), (count, 0, event.at));
            }
            "run.step_skipped" => self.line(event, "○", text("step"), "skipped: its condition does not hold"),
            "run.step_failed" => self.line(event, "✗", text("step"), message(data)),
            "run.approval_requested" => self.line(event, "?", text("step"), text("prompt")),
            "run.approval_decided" => {
                self.line(event, "✓", "decision", &format!("{}, {}", text("decision"), text("reason")))
            }
            "run.waiting" => self.line(event, "·", "waiting", &waiting_for(data)),
            "run.completed" | "run.failed" | "run.cancelled" | "run.expired" => {
                let how = event.kind.trim_start_matches("run.");
                self.line(event, if how == "completed" { "✓" } else { "✗" }, how, message(data));
                self.ended = true;
            }
            other => self.line(event, "·", other.trim_start_matches("run."), ""),
        }
    }

    fn called(&mut self, event: &Event) {
        let text = |name: &str| event.data[name].as_str().unwrap_or_default().to_owned();
        let call = Call { step: text("step"), tool: text("tool"), at: event.at };
        if !self.loops.contains_key(&call.step) {
            self.screen.passing(&format!("{} … {:<10} {}", self.time(event), call.step, call.tool));
        }
        self.calls.insert(text("operation_id"), call);
    }

    fn succeeded(&mut self, event: &Event) {
        let operation = event.data["operation_id"].as_str().unwrap_or_default();
        let Some(Call { step, tool, at }) = self.calls.remove(operation) else { return };
        let Some((count, done, begun)) = self.loops.get_mut(&step) else {
            let given = given(&event.data["result"]);
            return self.line(event, "✓", &step, &format!("{tool:<12} {}{given}", took(at, event)));
        };
        *done += 1;
        let (count, done, begun) = (*count, *done, *begun);
        if done < count {
            let filled = usize::try_from(done * BAR / count.max(1)).unwrap_or_default();
            let bar = "█".repeat(filled) + &"░".repeat(usize::try_from(BAR).unwrap_or_default().saturating_sub(filled));
            self.screen.passing(&format!("{} … {step:<10} {bar} {done}/{count}", self.time(event)));
        } else {
            self.line(event, "✓", &step, &format!("{tool:<12} {}  {count} times", took(begun, event)));
        }
    }

    fn failed(&self, event: &Event) {
        let operation = event.data["operation_id"].as_str().unwrap_or_default();
        let step = self.calls.get(operation).map_or("", |call| call.step.as_str());
        let again = if event.data["retry_at"].is_null() { "" } else { " (will be tried again)" };
        self.line(event, "✗", step, &format!("{}{again}", message(&event.data)));
    }

    fn line(&self, event: &Event, mark: &str, what: &str, detail: &str) {
        let colour = match mark {
            "✓" => "32",
            "✗" => "31",
            "?" => "33",
            _ => "2",
        };
        let line = format!("{} {} {what:<10} {detail}", self.time(event), self.screen.paint(colour, mark));
        self.screen.line(line.trim_end());
    }

    /// Seconds since the run's first event.
    fn time(&self, event: &Event) -> String {
        let since = event.at - self.begun.unwrap_or(event.at);
        let seconds = since.num_milliseconds();
        self.screen.paint("2", &format!("{:>4}.{:03} s", seconds / 1_000, seconds % 1_000))
    }
}

/// How long something took, if the events show that.
fn took(since: DateTime<Utc>, event: &Event) -> String {
    match (event.at - since).num_milliseconds() {
        0 => " ".repeat(9),
        milliseconds => format!("{milliseconds:>6} ms"),
    }
}

fn message(data: &Value) -> &str {
    data["error"]["message"].as_str().unwrap_or_default()
}

fn waiting_for(data: &Value) -> String {
    let what: Vec<_> = data["waiting_for"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("for {}", what.join(", "))
}

/// A short summary of a result.
fn given(result: &Value) -> String {
    let ticket = result["body"]["ticket"].as_str().map(|ticket| format!("  {ticket}"));
    let counted = result["duplicated"].as_u64().map(|count| {
        format!("  {count} names in several versions, rating {}", result["rating"].as_str().unwrap_or("none"))
    });
    ticket.or(counted).unwrap_or_default()
}
