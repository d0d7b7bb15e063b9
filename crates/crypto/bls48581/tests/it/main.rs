//! Integration tests: known answers, laws, rejections.

mod codec;
mod curve;
mod field;
mod pairing;
mod sign;
mod support;
