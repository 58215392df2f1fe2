//! Chat completions as OpenAI defined them and as gateways and local servers understand them.

mod answer;
mod question;
mod terms;
mod thoughts;

pub(super) use self::{answer::Answer, question::question, terms::Terms};
