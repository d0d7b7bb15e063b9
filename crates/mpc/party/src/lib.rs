#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod compile;
mod error;
mod failure;
mod input;
mod local;
mod peer;
mod program;
mod progress;
mod report;
mod stop;

pub use compile::{Compilation, Emit, Emitted, compile};
pub use error::PartyError;
pub use local::{LocalRun, local};
pub use peer::{PeerRun, evaluate, garble};
pub use program::{MAX_FILE, Program, Sizes};
pub use progress::{Say, silent};
pub use stop::Stop;
