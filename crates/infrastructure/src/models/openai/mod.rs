//! OpenAI's Chat Completions API, as gateways and local servers implement it.

mod answer;
mod question;
mod terms;
mod thoughts;

pub(super) use self::{answer::Answer, question::question, terms::Terms};
