//! What a host is started with.

use std::time::Duration;

use bytes::Bytes;
use libp2p::{Multiaddr, StreamProtocol};
use quil_blossomsub::Params;
use quil_types::GenesisHash;

use crate::identity::Identity;

/// Configuration of a [`crate::Host`].
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Identity of this process.
    pub identity: Identity,
    /// Names the network in every protocol id.
    pub genesis: GenesisHash,
    /// Addresses to listen on; port 0 takes a free one. TCP and QUIC (`/udp/<port>/quic-v1`) on IP addresses.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, best with `/p2p/<peer id>` at the end.
    pub bootstrap: Vec<Multiaddr>,
    /// Peer records of an earlier run, from [`crate::HostHandle::records`].
    pub records: Vec<Bytes>,
    /// Fresh random bytes: seed of the router and of pauses.
    pub seed: [u8; 32],
    /// Parameters of the router; `devnet` also decides whether loopback addresses are passed on.
    pub gossip: Params,
    /// Connections.
    pub connections: Connections,
    /// Time for a request until its response has arrived.
    pub request_timeout: Duration,
}

/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Established by peers.
    pub inbound_max: u32,
    /// Established by this node.
    pub outbound_max: u32,
    /// Being established, each way.
    pub pending_max: u32,
    /// Peer records are dialled while fewer peers are connected.
    pub wanted: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            inbound_max: 192,
            outbound_max: 64,
            pending_max: 64,
            wanted: 24,
        }
    }
}

impl HostConfig {
    /// Listens on a free port of the loopback interface, by TCP and QUIC, and knows nobody.
    #[must_use]
    pub fn loopback(identity: Identity, genesis: GenesisHash, seed: [u8; 32]) -> Self {
        let listen = ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"];
        Self {
            identity,
            genesis,
            listen: listen.iter().filter_map(|a| a.parse().ok()).collect(),
            bootstrap: Vec::new(),
            records: Vec::new(),
            seed,
            gossip: Params {
                devnet: true,
                ..Params::default()
            },
            connections: Connections::default(),
            request_timeout: Duration::from_secs(15),
        }
    }

    /// `/quil/<first 8 hex digits of the genesis hash>/<suffix>` (W2, W3).
    pub(crate) fn protocol(&self, suffix: &str) -> Option<StreamProtocol> {
        StreamProtocol::try_from_owned(format!("/quil/{}/{suffix}", network_tag(&self.genesis)))
            .ok()
    }
}

/// First 8 hex digits of the genesis hash.
pub(crate) fn network_tag(genesis: &GenesisHash) -> String {
    genesis.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_ids_name_the_network() {
        let genesis = GenesisHash([0xab; 32]);
        let config = HostConfig::loopback(Identity::from_secret(&mut [1; 32]), genesis, [0; 32]);
        assert_eq!(
            config.protocol("blossomsub/1").unwrap(),
            "/quil/abababab/blossomsub/1"
        );
        assert_eq!(
            config.protocol("frames/1").unwrap(),
            "/quil/abababab/frames/1"
        );
        assert_eq!(config.listen.len(), 2);
    }
}
