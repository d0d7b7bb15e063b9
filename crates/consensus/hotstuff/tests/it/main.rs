//! Integration tests: the rules one by one, and whole committees under faults.

mod simulation;
