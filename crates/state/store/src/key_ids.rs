//! The identifiers of the protocol as keys.

use quil_types::{
    Beacon, Chain, CoinId, Digest, Domain, Epoch, FrameId, FrameNumber, GenesisHash, Nullifier,
    PeerKey, ProverId, Rank, ShardAddr, Timestamp, TxId,
};

use crate::key::{FixedKey, Key};

macro_rules! bytes_key {
    ($($name:ident),* $(,)?) => {$(
        impl Key for $name {
            const ENCODED_MAX: usize = 32;

            fn encode_into(&self, out: &mut Vec<u8>) {
                self.0.encode_into(out);
            }

            fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
                Key::decode_from(bytes).map(Self)
            }
        }

        impl FixedKey for $name {}
    )*};
}

bytes_key!(
    Beacon,
    CoinId,
    Digest,
    Domain,
    FrameId,
    GenesisHash,
    Nullifier,
    PeerKey,
    ProverId,
    ShardAddr,
    TxId,
);

macro_rules! number_key {
    ($($name:ident),* $(,)?) => {$(
        impl Key for $name {
            const ENCODED_MAX: usize = 8;

            fn encode_into(&self, out: &mut Vec<u8>) {
                self.get().encode_into(out);
            }

            fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
                Key::decode_from(bytes).map(Self::new)
            }
        }

        impl FixedKey for $name {}
    )*};
}

number_key!(Epoch, FrameNumber, Rank, Timestamp);

/// One byte for the kind, then the address; the global chain has zero bytes there, so that all chains have one length.
impl Key for Chain {
    const ENCODED_MAX: usize = 33;

    fn encode_into(&self, out: &mut Vec<u8>) {
        let (kind, addr) = match self {
            Self::Global => (0_u8, ShardAddr::ZERO),
            Self::Shard(addr) => (1, *addr),
        };
        (kind, addr).encode_into(out);
    }

    fn decode_from(bytes: &mut &[u8]) -> Option<Self> {
        match Key::decode_from(bytes)? {
            (0_u8, ShardAddr::ZERO) => Some(Self::Global),
            (1, addr) => Some(Self::Shard(addr)),
            _ => None,
        }
    }
}

impl FixedKey for Chain {}
