//! What a record belongs to.

use core::fmt;

use quil_types::{Digest, Domain, GenesisHash, canonical, limits::DECAF_POINT_BYTES};

canonical! {
    /// Address of an object inside its domain.
    #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct ObjectId(pub [u8; 32]);
}

canonical! {
    /// Number of a version of an object: the first is 1, a write carries the last one plus 1 (K3).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Version(u64);
}

canonical! {
    /// What a record belongs to. None of it travels in the record: a verifier takes it from the write that it checks
    /// and from the state of the domain.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Context {
        /// The network.
        pub genesis: GenesisHash,
        /// The domain of the object.
        pub domain: Domain,
        /// The object.
        pub object: ObjectId,
        /// The version that the record makes.
        pub version: Version,
        /// Key of the writer, a Decaf448 point. Its signature of the write is the caller's check.
        pub writer: [u8; DECAF_POINT_BYTES],
        /// Commitment of the version before this one; zero for the first.
        pub previous: Digest,
    }
}

impl Version {
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
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectId(")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str("..)")
    }
}
