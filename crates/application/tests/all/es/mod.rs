//! The log's rules on random histories, and subscriptions over the in-memory log.

mod logs;
mod planning;
mod setting_aside;
mod subscribing;
