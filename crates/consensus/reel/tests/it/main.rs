//! Rules R1 to R8, one module per subject.

mod difficulty;
mod follower;
mod pacing;
mod solver;
mod steps;
