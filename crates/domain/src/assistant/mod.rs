//! The language assistants are written in: shared by agents, who publish it, and runs, who execute it.

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
