#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod dialer;
mod gossip;
mod handle;
mod host;
mod identity;
pub mod ipc;
pub mod limits;
mod records;
mod rpc;

pub use config::{Connections, HostConfig};
pub use handle::{
    DialError, Ended, HostEvent, HostEvents, HostHandle, HostStats, JoinError, PeerStatus, Penalty,
    Reply, RequestError, RespondError, SendError,
};
pub use host::{Host, HostError};
pub use identity::{Identity, peer_id, peer_key};
pub use libp2p::{Multiaddr, PeerId};
pub use quil_blossomsub as blossomsub;
pub use records::RecordError;
