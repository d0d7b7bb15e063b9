//! Integration tests of the delay function.

mod cache;
mod evaluation;
mod soundness;
mod vectors;
