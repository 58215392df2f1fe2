//! Configuration: one table of keys, four layers, typed settings.
//!
//! The environment is only read here. An unknown key or an invalid value ends the program before it changes anything.

mod effective;
mod keys;
mod print;
mod production;
mod settings;
#[cfg(test)]
mod tests;
mod value;

pub use effective::{Effective, Flag, Layers, Source};
pub use print::{as_json, as_toml, reference};
pub use production::refuse_unsafe;
pub use settings::{Database, Egress, Log, LogFormat, ModelProvider, Profile, Runs, Security, Server, Settings};
pub use value::without_password;
