//! Which shard holds an address: the one routing function.
//!
//! A domain is held by one shard, or is cut by leading bits of the data address. The parts of a domain cover it
//! without overlap, and no part is smaller than a `home` (the first two bytes, T3), so a transaction never crosses
//! a cut.

use std::collections::BTreeSet;

use quil_types::hash::h;
use quil_types::{Domain, ShardAddr, canonical, tags};

use crate::address::{AtomId, DataAddr};

/// Longest prefix of a part, bits: a home has 16 (T3).
pub const PREFIX_BITS_MAX: u8 = 16;

canonical! {
    /// Leading bits of data addresses. Bits behind `bits` are zero.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Prefix {
        start: u16,
        bits: u8,
    }
}

impl Prefix {
    /// Every address.
    pub const ALL: Self = Self { start: 0, bits: 0 };

    /// The first `bits` bits of `start`; `None` beyond [`PREFIX_BITS_MAX`] or with bits behind the prefix.
    #[must_use]
    pub fn new(start: u16, bits: u8) -> Option<Self> {
        let prefix = Self { start, bits };
        (bits <= PREFIX_BITS_MAX && start & !prefix.mask() == 0).then_some(prefix)
    }

    /// First two bytes of the lowest address.
    #[must_use]
    pub const fn start(&self) -> u16 {
        self.start
    }

    /// Number of bits.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// The two halves; `None` at the longest prefix.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        let bits = self.bits.checked_add(1)?;
        let upper = self.start | 1u16.checked_shl(u32::from(PREFIX_BITS_MAX.checked_sub(bits)?))?;
        Some([Self::new(self.start, bits)?, Self::new(upper, bits)?])
    }

    fn mask(&self) -> u16 {
        let low = u32::from(PREFIX_BITS_MAX.saturating_sub(self.bits));
        u16::MAX.checked_shl(low).unwrap_or(0)
    }

    /// Whether an address begins with the prefix.
    #[must_use]
    pub fn covers(&self, data: &DataAddr) -> bool {
        let [a, b, ..] = data.0;
        u16::from_be_bytes([a, b]) & self.mask() == self.start
    }

    /// Number of homes below the prefix.
    fn homes(&self) -> u32 {
        1u32.checked_shl(u32::from(PREFIX_BITS_MAX.saturating_sub(self.bits)))
            .unwrap_or(0)
    }
}

canonical! {
    #[derive(Debug)]
    struct PartName {
        domain: Domain,
        prefix: Prefix,
    }
}

canonical! {
    /// A part of a domain, held by one shard.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Part {
        /// The domain.
        pub domain: Domain,
        /// The leading bits of its data addresses.
        pub prefix: Prefix,
    }
}

impl Part {
    /// A whole domain.
    #[must_use]
    pub const fn whole(domain: Domain) -> Self {
        Self {
            domain,
            prefix: Prefix::ALL,
        }
    }

    /// The shard that holds it: the domain's own address for a whole domain, else `H("shard", domain, prefix)`.
    #[must_use]
    pub fn shard(&self) -> ShardAddr {
        if self.prefix == Prefix::ALL {
            return ShardAddr(self.domain.0);
        }
        ShardAddr(h(
            tags::SHARD,
            &PartName {
                domain: self.domain,
                prefix: self.prefix,
            },
        ))
    }

    /// Whether it holds an atom.
    #[must_use]
    pub fn holds(&self, atom: &AtomId) -> bool {
        self.domain == atom.domain && self.prefix.covers(&atom.data)
    }
}

/// Why parts are not a routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoutingError {
    /// A prefix is too long or has bits behind its length.
    #[error("malformed prefix in domain {0}")]
    Prefix(Domain),
    /// The parts of a domain overlap or leave a gap.
    #[error("parts of domain {0} do not cover it exactly once")]
    Cover(Domain),
    /// Two parts have the same shard address.
    #[error("shard {0} holds two parts")]
    Shard(ShardAddr),
}

/// All parts of all domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// By domain, then start.
    parts: Vec<Part>,
}

impl Routes {
    /// Checks that every named domain is covered exactly once.
    ///
    /// # Errors
    /// [`RoutingError`], one variant per rule.
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Result<Self, RoutingError> {
        let mut parts: Vec<Part> = parts.into_iter().collect();
        parts.sort_unstable();
        if let Some(bad) = parts
            .iter()
            .find(|p| Prefix::new(p.prefix.start, p.prefix.bits).is_none())
        {
            return Err(RoutingError::Prefix(bad.domain));
        }
        for domain in parts.iter().map(|p| p.domain).collect::<BTreeSet<_>>() {
            let mut next = 0u32;
            for part in parts.iter().filter(|p| p.domain == domain) {
                if u32::from(part.prefix.start) != next {
                    return Err(RoutingError::Cover(domain));
                }
                next = next.saturating_add(part.prefix.homes());
            }
            if next != 1 << PREFIX_BITS_MAX {
                return Err(RoutingError::Cover(domain));
            }
        }
        let mut shards = BTreeSet::new();
        if let Some(twice) = parts.iter().map(Part::shard).find(|s| !shards.insert(*s)) {
            return Err(RoutingError::Shard(twice));
        }
        Ok(Self { parts })
    }

    /// The part that holds an atom; `None` for an unknown domain. Cost: one binary search.
    #[must_use]
    pub fn route(&self, atom: &AtomId) -> Option<&Part> {
        let [a, b, ..] = atom.data.0;
        let home = u16::from_be_bytes([a, b]);
        let after = self
            .parts
            .partition_point(|p| (p.domain, p.prefix.start) <= (atom.domain, home));
        self.parts
            .get(after.checked_sub(1)?)
            .filter(|p| p.holds(atom))
    }

    /// The shard that holds an atom.
    #[must_use]
    pub fn shard(&self, atom: &AtomId) -> Option<ShardAddr> {
        self.route(atom).map(Part::shard)
    }

    /// All parts, by domain and start.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}
