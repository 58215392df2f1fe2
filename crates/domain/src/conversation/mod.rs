//! Messages between a run and a model, independent of the provider.

mod message;
mod price;
mod token_count;

pub use self::{
    message::{Finish, Message, ToolCall},
    price::{AppliedPrice, Price},
    token_count::TokenCount,
};
