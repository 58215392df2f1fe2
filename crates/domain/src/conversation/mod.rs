//! What is said between a run and a model, in words that belong to no provider.

mod message;
mod price;
mod token_count;

pub use self::{
    message::{Finish, Message, ToolCall},
    price::{AppliedPrice, Price},
    token_count::TokenCount,
};
