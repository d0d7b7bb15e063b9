#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod backoff;
mod cache;
mod id;
pub mod limits;
mod mask;
pub mod params;
mod pending;
mod queue;
mod router;
mod score;
mod seen;
mod wire;

pub use id::MessageId;
pub use mask::{Class, Mask, MaskError, Priority, filter};
pub use params::{Params, ParamsError};
pub use queue::Drops;
pub use router::{
    DeliveryReport, Direction, Input, Outbox, Output, PublishError, Router, Stats, SubscribeError,
};
pub use seen::Verdict;
pub use wire::{Frame, Message, Rpc, WireError};
