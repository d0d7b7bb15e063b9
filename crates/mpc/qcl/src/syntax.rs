//! From text to a syntax tree.

pub(crate) mod ast;
pub(crate) mod lexer;
pub(crate) mod parser;
