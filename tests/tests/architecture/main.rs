//! The rules that keep the code's shape, each written as a function over a file and tested with a made-up offender.
//!
//! A rule that cannot fail is removed or repaired: next to every check of the repository stands the culprit it catches.

mod codes;
mod contexts;
mod contracts;
mod documents;
mod layers;
mod names;
mod published;
mod rust_text;
mod shape;
mod source;
mod strictness;
