#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod difficulty;
mod epoch;
mod follower;
mod machine;
mod pacing;
mod solver;
mod step;
mod work;

pub use difficulty::{Adjuster, Asert, DifficultyAdjuster, EpochMeasure, Fixed, Median};
pub use epoch::{REEL_EPOCH_BYTES_MAX, ReelEpoch};
pub use follower::{Conflict, Follower};
pub use machine::ReelMachine;
pub use pacing::{
    AnchorError, ClockVerdict, FinalGlobal, check_anchor, check_anchor_age, clock_verdict,
    earliest_child, future_tolerance_ms,
};
pub use solver::{Solver, SolverInput, SolverOutput};
pub use step::{Step, discriminant_seed, genesis_beacon};
pub use work::{SAMPLED_EXPECTED, WorkTask, sampled};
