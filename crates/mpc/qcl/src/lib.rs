#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bigint;
pub mod circuit;
mod compile;
mod elab;
mod gates;
mod ir;
pub mod json;
mod lower;
mod packages;
mod source;
mod syntax;
mod types;

pub use compile::{Compiled, Goal, Options, compile, compile_files};
pub use packages::standard_packages;
pub use source::{CompileError, Diagnostic};
