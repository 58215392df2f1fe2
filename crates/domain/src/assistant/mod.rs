//! The language of assistants, shared by agents, which publish it, and runs, which execute it.

mod check;
mod definition;
mod price;
mod problem;
#[cfg(test)]
mod tests;
mod tool;

pub use check::{places, problems, schemas};
pub use definition::{Assistant, AssistantLimits, ContextPolicy};
pub use price::Price;
pub use problem::{Fault, Problem};
pub use tool::AssistantTool;
