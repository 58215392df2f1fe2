//! Language models, as far as the platform speaks to them.

mod ports;

pub use self::ports::{
    ConfiguredModels, Deltas, ModelAnswer, ModelError, ModelRequest, Models, OutputFormat, ToolOffer,
};
