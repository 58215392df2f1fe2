//! Journeys: the real binary, started as its users start it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on says where it ended")]

mod assisting;
mod at_hand;
mod canaries;
mod client;
mod clustered;
mod command_line;
mod configuration;
mod cutting_short;
mod demo;
mod echo;
mod endurance;
mod handing_over;
mod histories;
mod idling;
mod inviting;
mod keeping;
mod listening;
mod pages;
mod process;
mod program;
mod running;
mod server;
mod serving;
mod signing_in;
mod slow_clients;
mod spending;
mod starting;
mod storm;
mod tour;
mod tracker;
mod upgrading;
mod workers;

use at_hand::at_hand;
