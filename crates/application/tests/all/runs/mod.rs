//! Runs: real handlers and the real worker over adapters in memory.

mod assistant_crashes;
mod assistants;
mod back_then;
mod budgets;
mod clocks;
mod crashes;
mod doubts;
mod ends;
mod fakes;
mod forks;
mod handing_over;
mod left_alone;
mod narrow;
mod nesting;
mod publishing;
mod relaying;
mod resting;
mod setbacks;
mod steering;
mod stopping;
mod stored;
mod unreadable;
mod upgrades;
mod waiting;
mod workflows;
mod world;
