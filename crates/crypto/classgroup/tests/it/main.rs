//! Integration tests of the class group.

mod codec;
mod differential;
mod discriminants;
mod hashing;
mod laws;
mod primes;
mod twin;
mod vectors;
