use devskyy_application::models::{Deltas, ModelError};
use devskyy_domain::{
    conversation::{Finish, TokenCount, ToolCall},
    kernel::Json,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        endpoint::Endpoint,
        failure::{Fault, unavailable},
        provider::{Reading, Reply, arguments, stopped},
        sse::Event,
    },
    thoughts::Thoughts,
};

/// An answer that is being streamed.
#[derive(Default)]
pub(in super::super) struct Answer {
    reply: Reply,
    calls: Vec<Pieces>,
    refusal: bool,
    thoughts: Thoughts,
}

#[derive(Default)]
struct Pieces {
    index: Option<usize>,
    id: String,
    name: String,
    arguments: String,
    /// Additional data for the provider itself.
    extra: Option<Json>,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    model: Option<String>,
    usage: Option<Billed>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning_details: Option<Vec<Json>>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionDelta>,
    extra_content: Option<Json>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Billed {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl Billed {
    /// Counts each token in one class: the details are part of the sums. Some providers count reasoning in addition to
    /// the completion, which their total reveals.
    fn by_class(self) -> TokenCount {
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let (read, write) = (prompt.cached_tokens.unwrap_or(0), prompt.cache_write_tokens.unwrap_or(0));
        let reasoning = self.completion_tokens_details.and_then(|it| it.reasoning_tokens).unwrap_or(0);
        // The values are untrusted, so additions saturate.
        let together = self.prompt_tokens.saturating_add(self.completion_tokens).saturating_add(reasoning);
        let beside = reasoning > 0 && self.total_tokens == together;
        TokenCount {
            input: self.prompt_tokens.saturating_sub(read).saturating_sub(write),
            output: if beside { self.completion_tokens } else { self.completion_tokens.saturating_sub(reasoning) },
            cache_read: read,
            cache_write: write,
            reasoning,
        }
    }
}

impl Answer {
    fn call_for(&mut self, delta: &CallDelta) -> &mut Pieces {
        let id = delta.id.as_deref().filter(|id| !id.is_empty());
        let continues = |pieces: &Pieces| id.is_none_or(|id| pieces.id.is_empty() || pieces.id == id);
        let at = match delta.index {
            Some(index) => self.calls.iter().rposition(|pieces| pieces.index == Some(index) && continues(pieces)),
            None => self.calls.len().checked_sub(1).filter(|last| self.calls.get(*last).is_some_and(continues)),
        };
        let at = at.unwrap_or_else(|| {
            self.calls.push(Pieces { index: delta.index, ..Pieces::default() });
            self.calls.len() - 1
        });
        &mut self.calls[at]
    }

    fn take_call(&mut self, delta: CallDelta) {
        let pieces = self.call_for(&delta);
        if pieces.id.is_empty() {
            pieces.id = delta.id.unwrap_or_default();
        }
        pieces.extra = delta.extra_content.or(pieces.extra.take());
        let Some(function) = delta.function else { return };
        if pieces.name.is_empty() {
            pieces.name = function.name.unwrap_or_default();
        }
        pieces.arguments.push_str(&function.arguments.unwrap_or_default());
    }

    fn take_choice(&mut self, choice: Choice, endpoint: &Endpoint, deltas: &dyn Deltas) -> Result<(), ModelError> {
        self.thoughts.take(choice.delta.reasoning_content, choice.delta.reasoning_details);
        self.refusal |= choice.delta.refusal.is_some();
        for piece in [choice.delta.content, choice.delta.refusal].into_iter().flatten().filter(|it| !it.is_empty()) {
            self.reply.text.push_str(&piece);
            deltas.text(&piece);
        }
        choice.delta.tool_calls.into_iter().flatten().for_each(|call| self.take_call(call));
        // Some servers send an empty reason until the end.
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.reply.finish = Some(match stopped(&reason, endpoint)? {
                // Some servers report a stop when they wait for calls.
                Finish::Stop | Finish::ToolCalls if !self.calls.is_empty() => Finish::ToolCalls,
                Finish::Stop | Finish::ToolCalls if self.refusal => Finish::Refused,
                Finish::ToolCalls => Finish::Stop,
                other => other,
            });
        }
        Ok(())
    }
}

impl Reading for Answer {
    fn take(&mut self, event: &Event, endpoint: &Endpoint, deltas: &dyn Deltas) -> Result<bool, ModelError> {
        if event.data.trim() == "[DONE]" {
            return Ok(true);
        }
        let chunk: Chunk = serde_json::from_str(&event.data).map_err(|_| unavailable("its answer makes no sense"))?;
        if chunk.error.is_some() {
            return Err(Fault::read(event.data.as_bytes()).in_stream(endpoint));
        }
        if let Some(model) = chunk.model.filter(|model| !model.is_empty()) {
            self.reply.model = model;
        }
        if let Some(usage) = chunk.usage {
            self.reply.usage = usage.by_class();
        }
        for choice in chunk.choices {
            self.take_choice(choice, endpoint, deltas)?;
        }
        Ok(false)
    }

    fn answer(self: Box<Self>) -> Option<Reply> {
        let Self { reply, calls, thoughts, .. } = *self;
        let extras: Vec<_> = calls.iter().map(|call| call.extra.clone()).collect();
        let carry = if calls.is_empty() { None } else { thoughts.carry(extras) };
        let calls = calls.into_iter().enumerate().map(|(at, pieces)| {
            let id = if pieces.id.is_empty() { format!("call_{at}") } else { pieces.id };
            ToolCall { id, name: pieces.name, arguments: arguments(&pieces.arguments) }
        });
        Some(Reply { calls: calls.collect(), carry, ..reply })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_beyond_all_numbers_is_taken_as_it_is() {
        let reasoning = Some(CompletionDetails { reasoning_tokens: Some(2) });
        let (prompt_tokens, completion_tokens) = (u64::MAX, 3);
        let claimed = Billed {
            prompt_tokens,
            completion_tokens,
            total_tokens: 5,
            prompt_tokens_details: None,
            completion_tokens_details: reasoning,
        };
        let read = TokenCount { input: u64::MAX, output: 1, reasoning: 2, ..TokenCount::default() };
        assert_eq!(claimed.by_class(), read);
    }
}
