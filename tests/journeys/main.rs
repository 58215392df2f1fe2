//! Journeys: the real binary, started as its users start it.

mod command_line;
mod configuration;
mod program;
