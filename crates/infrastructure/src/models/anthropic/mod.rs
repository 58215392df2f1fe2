//! Anthropic's Messages API, version 2023-06-01.

mod answer;
mod question;

pub(super) use self::{answer::Answer, question::question};
