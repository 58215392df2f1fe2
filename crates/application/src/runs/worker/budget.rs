//! How the model calls of a run are booked in budgets.

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

/// Bytes per token, as a lower bound: many scripts have about three, English has four.
const BYTES_PER_TOKEN: u64 = 2;
/// Tokens of a message in addition to its text, as an upper bound.
const FRAME: u64 = 16;

impl Execution {
    /// The ledger entries of these events for the budgets of the run's project, its agent and its callers; `None` if no
    /// model call is involved.
    pub(super) fn posting(&self, events: &[RunEvent]) -> Option<Posting> {
        let entries: Vec<_> = events.iter().filter_map(|event| self.entry(event)).collect();
        let order = self.loaded.state.order().filter(|_| !entries.is_empty())?;
        let budgets = order.budgets().collect();
        Some(Posting { run: self.id, budgets, entries, estimates: self.estimates.clone() })
    }

    fn entry(&self, event: &RunEvent) -> Option<Entry> {
        match event {
            // A reservation is kept over the retries of a call.
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

    /// The usage of a call that will not be repeated, including its unusable attempts; `None` if nothing was billed.
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

    /// Estimates the maximum usage of the calls that are about to be recorded.
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
            // A prompt that cannot be built costs nothing.
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

/// Rejects a call that does not fit a budget: its step fails instead.
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

/// The amount to reserve for a call.
fn reserved(request: &ModelRequest, prices: &[AppliedPrice]) -> Amount {
    let TokenCount { input, output, .. } = at_most(request);
    let cost_micros = prices.iter().map(|applied| applied.price.at_most(input, output)).max().unwrap_or_default();
    Amount { tokens: input.saturating_add(output), cost_micros }
}

/// The maximum usage of a call.
pub(super) fn at_most(request: &ModelRequest) -> TokenCount {
    TokenCount { input: tokens(request), output: request.max_output_tokens.into(), ..TokenCount::default() }
}

/// Maximum number of input tokens.
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
    // Counted twice: as the response format and in the prompt.
    let output = request.output.iter().map(|output| 2 * json(&output.schema));
    let bytes: usize = messages.chain(tools).chain(output).sum();
    let frames = (request.messages.len() + request.tools.len() + 1) as u64;
    (bytes as u64).div_ceil(BYTES_PER_TOKEN) + frames * FRAME
}
