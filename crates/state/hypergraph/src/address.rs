//! Addresses of atoms and the sets they live in.

use quil_trie::{Key, SetId};
use quil_types::{Domain, ShardAddr, canonical};

canonical! {
    /// Address of an atom inside its domain.
    #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct DataAddr(pub [u8; 32]);
}

impl core::fmt::Debug for DataAddr {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DataAddr(")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str("..)")
    }
}

canonical! {
    /// Identity of a vertex or hyperedge: the 64-byte key of its leaf.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct AtomId {
        /// The domain.
        pub domain: Domain,
        /// The data address inside it.
        pub data: DataAddr,
    }
}

impl AtomId {
    /// `domain || data`.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::join(&self.domain.0, &self.data.0)
    }

    /// The atom of a key.
    #[must_use]
    pub fn of_key(key: &Key) -> Self {
        let (domain, data) = key.split();
        Self {
            domain: Domain(domain),
            data: DataAddr(data),
        }
    }
}

canonical! {
    /// One of the four sets of a shard. The number is part of the set's identity (K1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Phase {
        /// Vertices.
        VertexAdds = 0,
        /// Removed vertices.
        VertexRemoves = 1,
        /// Hyperedges.
        HyperedgeAdds = 2,
        /// Removed hyperedges.
        HyperedgeRemoves = 3,
    }
}

impl Phase {
    /// All four, in the order of the state roots.
    pub const ALL: [Self; 4] = [
        Self::VertexAdds,
        Self::VertexRemoves,
        Self::HyperedgeAdds,
        Self::HyperedgeRemoves,
    ];

    /// Position among the state roots.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::VertexAdds => 0,
            Self::VertexRemoves => 1,
            Self::HyperedgeAdds => 2,
            Self::HyperedgeRemoves => 3,
        }
    }

    /// The set of this phase in a shard.
    #[must_use]
    pub const fn set(self, shard: ShardAddr) -> SetId {
        let phase = match self {
            Self::VertexAdds => 0,
            Self::VertexRemoves => 1,
            Self::HyperedgeAdds => 2,
            Self::HyperedgeRemoves => 3,
        };
        SetId { addr: shard, phase }
    }
}

canonical! {
    /// Kind of atom; each has an adds and a removes set.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Family {
        /// Typed data.
        Vertex = 0,
        /// Sets of atoms.
        Hyperedge = 1,
    }
}

impl Family {
    /// The set that holds the family's entries.
    #[must_use]
    pub const fn adds(self) -> Phase {
        match self {
            Self::Vertex => Phase::VertexAdds,
            Self::Hyperedge => Phase::HyperedgeAdds,
        }
    }

    /// The set that holds the family's removals.
    #[must_use]
    pub const fn removes(self) -> Phase {
        match self {
            Self::Vertex => Phase::VertexRemoves,
            Self::Hyperedge => Phase::HyperedgeRemoves,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_the_numbers_of_their_roots() {
        for (i, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(phase.index(), i);
            assert_eq!(usize::from(phase.set(ShardAddr::ZERO).phase), i);
        }
        assert_ne!(Family::Vertex.adds(), Family::Vertex.removes());
    }

    #[test]
    fn atoms_and_keys_are_the_same_bytes() {
        let atom = AtomId {
            domain: Domain([1; 32]),
            data: DataAddr([2; 32]),
        };
        assert_eq!(atom.key().0[..32], [1; 32]);
        assert_eq!(AtomId::of_key(&atom.key()), atom);
    }
}
