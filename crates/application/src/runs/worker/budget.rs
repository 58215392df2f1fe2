//! What the model calls of a run mean for budgets.

use devskyy_domain::{
    budgets::{Amount, Settlement},
    conversation::{AppliedPrice, Message, TokenCount},
    definition::Definition,
    kernel::{Json, Refusal, ids::OperationId},
    runs::{Bill, Callee, Failure, Progress, RunEvent},
};

use super::{
    execution::{Execution, Stop},
    stored::Recall,
};
use crate::{
    budgets::{Entry, Posting},
    models::ModelRequest,
};

/// Bytes of what a model reads for each token, at least: texts in many scripts have three, English has four.
const BYTES_PER_TOKEN: u64 = 2;
/// Tokens a message takes beside its text, at most.
const FRAME: u64 = 16;

impl Execution {
    /// What these events mean for the budgets of the run's project, its agent and the agents that called it; nothing where no
    /// model is concerned.
    pub(super) fn posting(&self, events: &[RunEvent]) -> Option<Posting> {
        let entries: Vec<_> = events.iter().filter_map(|event| self.entry(event)).collect();
        let order = self.loaded.state.order().filter(|_| !entries.is_empty())?;
        let budgets = order.budgets().collect();
        Some(Posting { run: self.id, budgets, entries, estimates: self.estimates.clone() })
    }

    fn entry(&self, event: &RunEvent) -> Option<Entry> {
        match event {
            // What is kept for a call is kept over its tries.
            RunEvent::ModelCalled(called) if called.attempt == 1 => Some(Entry::Reserve(called.operation)),
            RunEvent::ModelFailed(failed) if failed.retry_at.is_none() => {
                let settled = self.settlement(failed.operation, failed.billed.clone());
                Some(settled.map_or(Entry::Release(failed.operation), Entry::Settle))
            }
            RunEvent::ModelAnswered(answered) => {
                self.settlement(answered.operation, Some(answered.bill())).map(Entry::Settle)
            }
            _ => None,
        }
    }

    /// What a call used that will not be made again, with what its earlier tries used in vain; nothing, where nobody bills
    /// anything.
    fn settlement(&self, operation: OperationId, bill: Option<Bill>) -> Option<Settlement> {
        let call = self.loaded.state.open_call(operation);
        let mut spent = call.map(|call| call.wasted).unwrap_or_default();
        if bill.is_none() && spent.nothing() {
            return None;
        }
        spent += bill.as_ref().map(Bill::spent).unwrap_or_default();
        let asked = call.map(|call| match &call.callee {
            Callee::Tool(name) | Callee::Model(name) => name.clone(),
        });
        let answered_by = bill.as_ref().map(|bill| bill.answered_by.clone());
        Some(Settlement {
            operation,
            run: self.id,
            model: answered_by.or(asked).unwrap_or_default(),
            usage: spent.usage,
            cost_micros: spent.cost_micros,
            price_list: bill.and_then(|bill| bill.price).map(|price| price.list),
        })
    }

    /// Finds out what the calls that are about to be recorded may use at most.
    pub(super) async fn estimate(
        &mut self,
        definition: &std::sync::Arc<Definition>,
        reports: &[Progress],
    ) -> Result<(), Stop> {
        let Definition::Assistant(assistant) = definition.as_ref() else { return Ok(()) };
        for report in reports {
            let Progress::Prompt { place, operation, .. } = report else { continue };
            let brief = self.instructed(definition)?;
            let prices = brief.prices(assistant).await?;
            // A question that cannot be put costs nothing.
            let request = match self.question(assistant, place).await {
                Ok(asked) => brief.request(assistant, *operation, asked).await.ok(),
                Err(Recall::Lost(_)) => None,
                Err(Recall::Broken(error)) => return Err(error.into()),
            };
            let most = request.map(|request| reserved(&request, &prices));
            self.estimates.insert(*operation, most.unwrap_or_default());
        }
        Ok(())
    }
}

/// A call that does not fit a budget is not made: its step fails instead.
pub(super) fn turn_down(reports: &mut [Progress], operation: OperationId, refusal: &impl Refusal) {
    for report in reports {
        if let Progress::Prompt { place, operation: asked, .. } = report
            && *asked == operation
        {
            let (place, error) = (place.clone(), Failure::new(refusal.code(), refusal.to_string()));
            *report = Progress::Unable { place, error };
        }
    }
}

/// What is kept for a call.
fn reserved(request: &ModelRequest, prices: &[AppliedPrice]) -> Amount {
    let TokenCount { input, output, .. } = at_most(request);
    let cost_micros = prices.iter().map(|applied| applied.price.at_most(input, output)).max().unwrap_or_default();
    Amount { tokens: input.saturating_add(output), cost_micros }
}

/// What a call can use at most.
pub(super) fn at_most(request: &ModelRequest) -> TokenCount {
    TokenCount { input: tokens(request), output: request.max_output_tokens.into(), ..TokenCount::default() }
}

/// Most tokens the model reads.
fn tokens(request: &ModelRequest) -> u64 {
    let json = |value: &Json| value.measure().bytes;
    let messages = request.messages.iter().map(|message| match message {
        Message::System { text } | Message::User { text } => text.len(),
        Message::Assistant { text, calls, carry, .. } => {
            let calls = calls.iter().map(|call| call.name.len() + json(&call.arguments)).sum::<usize>();
            text.len() + calls + carry.as_ref().map_or(0, json)
        }
        Message::Tool { text, .. } => text.len(),
    });
    let tools = request.tools.iter().map(|tool| tool.name.len() + tool.description.len() + json(&tool.schema));
    // As the form of the answer and in words.
    let output = request.output.iter().map(|output| 2 * json(&output.schema));
    let bytes: usize = messages.chain(tools).chain(output).sum();
    let frames = (request.messages.len() + request.tools.len() + 1) as u64;
    (bytes as u64).div_ceil(BYTES_PER_TOKEN) + frames * FRAME
}
