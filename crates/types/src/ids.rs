//! Newtypes: a byte string or number with a meaning never stands for another one.

use crate::canonical;

macro_rules! bytes32 {
    ($($(#[$m:meta])* $name:ident),* $(,)?) => {$(
        canonical! {
            $(#[$m])*
            #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub [u8; 32]);
        }
        impl $name {
            /// All zero bytes.
            pub const ZERO: Self = Self([0; 32]);
            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "("))?;
                self.0.iter().take(4).try_for_each(|b| write!(f, "{b:02x}"))?;
                f.write_str("..)")
            }
        }
    )*};
}

bytes32! {
    /// Hash of the whole genesis document; every signature after genesis binds it (D2).
    GenesisHash,
    /// Identity of a frame: `H("frame", Header)`.
    FrameId,
    /// Address of an application shard.
    ShardAddr,
    /// Address of a token or data domain.
    Domain,
    /// Address of a prover: `H("prover", public key)`.
    ProverId,
    /// Identity of a transfer: `H("tx", body)` (T6).
    TxId,
    /// Identity of a coin (T1).
    CoinId,
    /// What a coin leaves behind when it is spent (T1).
    Nullifier,
    /// Output of the reel: `H("beacon", y)` (R1).
    Beacon,
    /// A SHA3-256 value without a more precise name.
    Digest,
    /// An Ed25519 public key: the network identity of a process.
    PeerKey,
}

macro_rules! number {
    ($($(#[$m:meta])* $name:ident),* $(,)?) => {$(
        canonical! {
            $(#[$m])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(u64);
        }
        impl $name {
            /// The first value.
            pub const ZERO: Self = Self(0);
            /// Wraps a plain number.
            #[must_use]
            pub const fn new(value: u64) -> Self {
                Self(value)
            }
            /// The plain number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
            /// The following value; stays at the maximum.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
            /// The preceding value; `None` at zero.
            #[must_use]
            pub const fn prev(self) -> Option<Self> {
                match self.0.checked_sub(1) {
                    Some(v) => Some(Self(v)),
                    None => None,
                }
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

number! {
    /// A committee's term; each chain counts its own (C1).
    Epoch,
    /// Consensus round within an epoch; the epoch root has rank 0 (C1).
    Rank,
    /// Position of a frame in its chain; genesis is 0.
    FrameNumber,
    /// Wall-clock milliseconds since 1970, as written into headers.
    Timestamp,
    /// Milliseconds of the driver's clock; cores never read a clock themselves.
    Millis,
}

impl Millis {
    /// `self + ms`, staying at the maximum.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// `self - earlier` in milliseconds, zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

canonical! {
    /// One chain of the network.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Chain {
        /// The chain of all masters; the only one with a reel (R5).
        Global = 0,
        /// The chain of one application shard.
        Shard(ShardAddr) = 1,
    }
}

impl core::fmt::Display for Chain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Shard(addr) => addr.fmt(f),
        }
    }
}
