//! Generators: bases of commitments and vectors of the range proof (T6).

use std::sync::{Arc, LazyLock, OnceLock};

use quil_decaf::{FixedBase, Point, PointTable, hash::BlockStream};
use quil_types::tags;

use crate::limits::{BITS_MAX, VALUES_MAX};

/// The vector generators of one value: 64 points G and 64 points H.
pub type ValueVectors = ([Point; BITS_MAX], [Point; BITS_MAX]);

/// All generators of a suite. Nobody may know a discrete logarithm between any two of them.
///
/// Vector tables (768 KiB per value) are built when a proof of that many values first needs them.
#[derive(Debug)]
pub struct Generators {
    value: FixedBase,
    blinding: FixedBase,
    derive: fn(usize) -> ValueVectors,
    vectors: [OnceLock<VectorTables>; VALUES_MAX],
}

/// Tables of the vector generators of one value.
#[derive(Debug)]
pub(crate) struct VectorTables {
    pub(crate) g: Vec<PointTable>,
    pub(crate) h: Vec<PointTable>,
}

static STANDARD: LazyLock<Arc<Generators>> = LazyLock::new(|| {
    let blinding = Point::hash_to(tags::GEN_BLINDING.as_str(), &[]);
    Arc::new(Generators::new(
        &Point::generator(),
        &blinding,
        standard_vectors,
    ))
});

fn standard_vectors(value: usize) -> ValueVectors {
    let index = u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let mut g = BlockStream::new(tags::GEN_G.as_str(), &[&index]);
    let mut h = BlockStream::new(tags::GEN_H.as_str(), &[&index]);
    (
        core::array::from_fn(|_| g.next_point()),
        core::array::from_fn(|_| h.next_point()),
    )
}

impl Generators {
    /// Generators from the base of amounts, the base of blindings, and a function that derives the vectors of the
    /// value with the given index (below [`VALUES_MAX`]).
    #[must_use]
    pub fn new(value: &Point, blinding: &Point, derive: fn(usize) -> ValueVectors) -> Self {
        Self {
            value: FixedBase::new(value),
            blinding: FixedBase::new(blinding),
            derive,
            vectors: [const { OnceLock::new() }; VALUES_MAX],
        }
    }

    /// The generators of the network: amounts on the generator of RFC 9496, everything else from SHAKE256 blocks:
    /// `H_b = map("gen.blinding")`, `G_{j,i}` and `H_{j,i}` = map of block i of `("gen.g" | "gen.h", u32 j)`.
    #[must_use]
    pub fn standard() -> &'static Arc<Self> {
        &STANDARD
    }

    /// `G_v`, the base of amounts.
    #[must_use]
    pub const fn value(&self) -> &FixedBase {
        &self.value
    }

    /// `H_b`, the base of blindings.
    #[must_use]
    pub const fn blinding(&self) -> &FixedBase {
        &self.blinding
    }

    /// Tables of the first `values` values.
    pub(crate) fn vectors(&self, values: usize) -> impl Iterator<Item = &VectorTables> {
        self.vectors
            .iter()
            .enumerate()
            .take(values)
            .map(|(j, cell)| {
                cell.get_or_init(|| {
                    let (g, h) = (self.derive)(j);
                    VectorTables {
                        g: PointTable::batch(&g),
                        h: PointTable::batch(&h),
                    }
                })
            })
    }
}
