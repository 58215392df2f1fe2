//! Adapters of the application's ports: databases, cryptography, tools and the outside world.

pub mod crypto;
pub mod es;
pub mod sql;
pub mod system;
