//! Rules about the shape of the code, each a function over a file and tested with a made-up offender.
//!
//! A rule that cannot fail is removed or repaired: beside every check of the repository is a culprit that it detects.

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
