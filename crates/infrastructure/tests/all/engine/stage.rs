//! The scenarios: one external call of each kind, and its required outcome.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use devskyy_domain::{
    conversation::{Finish, TokenCount},
    kernel::ids::RunId,
    models::ProviderKind,
    runs::Phase,
};
use devskyy_infrastructure::{
    models::{Endpoint, Patience, ProviderModels, Wire},
    system::SystemClock,
    tools::EgressPolicy,
};
use devskyy_testkit::{
    contracts::models::{Act, CallScript, Reply},
    fakes::{McpServer, ModelServer},
};
use serde_json::{Value, json};

use super::{
    death::{Death, Moment, Mortal},
    rig::{Outside, Rig, tool, tools},
};
use crate::databases::Fresh;

/// Which external call is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A step of a workflow sends a request.
    Http,
    /// A step of a workflow sends a request whose response is too large for events.
    Large,
    /// An assistant calls a tool.
    AssistantTool,
    /// An assistant calls a tool whose response is too large for events.
    AssistantLarge,
    /// An assistant calls a tool of an MCP server.
    AssistantMcp,
    /// An assistant runs another agent, which sends a request.
    AssistantChild,
    /// An assistant calls its model.
    Model,
    /// A workflow runs another agent, which sends a request.
    Child,
    /// A step of a workflow calls a tool of an MCP server.
    Mcp,
}

/// Longer than any of these runs takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A model that calls its tool once and then reports that.
fn plays(question: &Value) -> Option<Act> {
    let told = question["messages"].as_array().is_some_and(|all| all.iter().any(|message| message["role"] == "tool"));
    let call = CallScript { id: "call_1", name: "act", arguments: vec!["{}"] };
    let usage = TokenCount { input: 20, output: 7, ..TokenCount::default() };
    Some(Act::Answer(if told {
        Reply::says(&["It is ", "done."])
    } else {
        Reply { pieces: vec![], calls: vec![call], finish: Finish::ToolCalls, usage, cut: 0, mind: None }
    }))
}

/// A tool of an MCP server with this effect.
fn finding(finder: &McpServer, effect: &str) -> Value {
    let server = json!({"url": finder.url(), "tool": "find", "timeout_s": 10});
    json!({"kind": "mcp", "effect": effect, "input_schema": {"type": "object"}, "server": server})
}

/// An assistant with these tools, and the output of its run.
fn assistant(mut acts: Value) -> (Value, Value) {
    acts["act"]["description"] = json!("Does it.");
    (json!({"model": "house/echo-1", "instructions": "Do it.", "tools": acts}), json!("It is done."))
}

/// A platform with one run that has not begun.
pub(crate) struct Stage {
    pub(crate) rig: Rig,
    pub(crate) run: RunId,
    effect: &'static str,
    output: Value,
}

impl Stage {
    pub(crate) async fn set(fresh: Fresh, kind: Kind, effect: &'static str) -> Self {
        let server = ModelServer::playing(ProviderKind::OpenAi, plays).await.unwrap();
        let wire = Wire::new(EgressPolicy::default(), Arc::new(SystemClock), Patience::default()).unwrap();
        let endpoint = Endpoint {
            kind: ProviderKind::OpenAi,
            base_url: server.base_url(),
            key: Some("sk".into()),
            trusted: true,
            first_byte: None,
        };
        let models = Arc::new(ProviderModels::new(endpoint, Arc::new(wire)));
        let rig = Rig::over(fresh, models).await;
        let path = if matches!(kind, Kind::Large | Kind::AssistantLarge) { "large" } else { effect };
        let finds = matches!(kind, Kind::Mcp | Kind::AssistantMcp);
        let act = if finds { finding(&rig.finder, effect) } else { tool(&rig.ledger, effect, path) };
        let acts = tools([("act", act)]);
        let result = match kind {
            Kind::Mcp => ".steps.a.output.structured_content.found",
            _ => ".steps.a.output.done // .steps.a.output.body.done",
        };
        let requests = json!({
            "tools": acts.clone(), "steps": [{"id": "a", "tool": "act", "arguments": {}}],
            "output": {"$jq": result}
        });
        let (definition, output) = match kind {
            Kind::Http | Kind::Large => (requests, json!(42)),
            Kind::Mcp => (requests, json!(1)),
            Kind::AssistantTool | Kind::AssistantLarge | Kind::AssistantMcp | Kind::Model => assistant(acts),
            Kind::AssistantChild => {
                let child = rig.agent(2, &requests);
                let act = json!({"kind": "agent", "agent": child.to_string(), "input_schema": {"type": "object"}});
                assistant(tools([("act", act)]))
            }
            Kind::Child => {
                let child = rig.agent(2, &requests);
                let step = json!({"id": "c", "agent": child.to_string(), "input": 1});
                (json!({"steps": [step], "output": {"$jq": ".steps.c.output"}}), json!(42))
            }
        };
        let agent = rig.agent(1, &definition);
        let run = rig.start(agent).await;
        Self { rig, run, effect, output }
    }

    /// Runs until a process died at that moment, then with one that lives; returns what went wrong.
    pub(crate) async fn play(self, moment: Moment) -> Vec<String> {
        let outside = self.rig.outside.clone();
        self.play_through(moment, outside, PATIENCE).await
    }

    /// The same with changed connections to the outside.
    pub(crate) async fn play_through(self, moment: Moment, outside: Outside, patience: Duration) -> Vec<String> {
        let death = Death::at(moment);
        let Outside { store, tools, models, results } = outside.clone();
        let mortal = Outside {
            store: Arc::new(Mortal { inner: store, death: death.clone() }),
            tools: Arc::new(Mortal { inner: tools, death: death.clone() }),
            models: Arc::new(Mortal { inner: models, death: death.clone() }),
            results: Arc::new(Mortal { inner: results, death: death.clone() }),
        };
        let mut wrong = Vec::new();
        if moment != Moment::Never {
            let _first = self.rig.process(&mortal, 1);
            if tokio::time::timeout(patience, death.came()).await.is_err() {
                wrong.push("the process never came to the moment at which it dies".to_owned());
            }
        }
        let _second = self.rig.process(&outside, 1);
        wrong.extend(self.judge(patience).await);
        wrong
    }

    async fn judge(&self, patience: Duration) -> Vec<String> {
        let ended = self.rig.wait(self.run, patience).await;
        let mut wrong = self.rig.faults().await;
        let output = ended.output().and_then(devskyy_domain::runs::Value::inline);
        let output = output.map(|output| serde_json::to_value(output).unwrap());
        if *ended.phase() != Phase::Completed || output.as_ref() != Some(&self.output) {
            wrong.push(format!("the run is {:?} with {output:?}", ended.phase()));
        }
        let Witnessed { requests, effects, bare } = self.witnessed();
        match self.effect {
            "unsafe" if effects != 1 => wrong.push(format!("an unsafe tool had {effects} effects")),
            "idempotent" if effects != 1 || bare != 0 => {
                wrong.push(format!("an idempotent tool had {effects} effects, {bare} of them without a key"));
            }
            _ if requests == 0 => wrong.push("nothing was asked".to_owned()),
            _ => {}
        }
        wrong
    }

    /// What the service and the MCP server saw, of which a run calls one. The MCP server recognises a known operation,
    /// unless the tool is unsafe.
    fn witnessed(&self) -> Witnessed {
        let Rig { ledger, finder, .. } = &self.rig;
        let calls = finder.calls();
        let operations = calls.iter().filter_map(|call| call["_meta"]["devskyy/operationId"].as_str());
        let named = operations.clone().count();
        let found = if self.effect == "unsafe" { named } else { operations.collect::<BTreeSet<_>>().len() };
        let unnamed = calls.len() - named;
        Witnessed {
            requests: ledger.requests() + calls.len(),
            effects: ledger.effects() + found + unnamed,
            bare: ledger.bare() + unnamed,
        }
    }
}

/// What reached the outside.
struct Witnessed {
    requests: usize,
    /// Number of effects.
    effects: usize,
    /// Requests without an operation id.
    bare: usize,
}
