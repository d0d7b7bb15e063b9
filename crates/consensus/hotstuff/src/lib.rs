#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod admission;
mod certs;
mod core;
mod epoch;
mod follow;
mod forest;
mod held;
mod io;
mod jobs;
mod leader;
pub mod limits;
mod pacemaker;
mod proposal;
mod reject;
mod roster;
mod safety;
mod scheme;
#[cfg(any(test, feature = "test-support"))]
pub mod sim;
mod timeouts;
mod verify;
mod votes;

pub use self::core::{Config, Core, RecoverError, Recovered, Status};
pub use admission::{Admission, AdmissionError, Admitted};
pub use epoch::{EPOCH_FRAMES_MIN, EpochRule, Place};
pub use follow::{Conflict, EpochWalk, ForkView};
pub use io::{
    BuildKind, BuildRequest, CaughtUp, Draft, Finality, FrameContent, Halt, Input, Outbox, Output,
    RecordId, Verdict,
};
pub use jobs::{Job, JobId, JobOutcome};
pub use leader::{Leaders, genesis_leader_seed, leader_seed, permutation};
pub use proposal::ProposalError;
pub use reject::Reject;
pub use roster::{Roster, Term};
pub use safety::{Outgoing, SAFETY_RECORD_BYTES_MAX, SafetyError, SafetyRecord};
pub use scheme::{BlsScheme, Group, Scheme, SchemeError};
#[cfg(any(test, feature = "test-support"))]
pub use scheme::{KeyedScheme, KeyedSigner};
pub use verify::{
    Certified, Verified, VerifyError, verify_certified, verify_epoch_proof, verify_equivocation,
    verify_finality_proof, verify_qc, verify_tc, verify_tc_over, verify_vote,
};
