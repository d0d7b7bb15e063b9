//! What goes in and comes out: types with a bit layout, and who learns a result.

/// Type of an input or an output. Bit 0 is the least significant; elements and fields follow each other, no padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IoType {
    /// One bit.
    Bool,
    /// Integer of `width` bits.
    Int {
        /// Two's complement.
        signed: bool,
        /// Bits.
        width: u32,
    },
    /// Byte string of fixed length.
    Text {
        /// Bytes.
        bytes: u32,
    },
    /// Elements in order.
    Array {
        /// Number of elements.
        len: u32,
        /// Type of each.
        elem: Box<Self>,
    },
    /// Named fields in order.
    Struct {
        /// Names and types.
        fields: Vec<(String, Self)>,
    },
}

impl IoType {
    /// Deepest nesting of arrays and structs.
    pub const MAX_DEPTH: usize = 16;
    /// Longest name of a field or port, bytes.
    pub const MAX_NAME: usize = 255;

    /// Width in bits; saturates far above every limit.
    #[must_use]
    pub fn bits(&self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int { width, .. } => usize::try_from(*width).unwrap_or(usize::MAX),
            Self::Text { bytes } => usize::try_from(*bytes)
                .unwrap_or(usize::MAX)
                .saturating_mul(8),
            Self::Array { len, elem } => usize::try_from(*len)
                .unwrap_or(usize::MAX)
                .saturating_mul(elem.bits()),
            Self::Struct { fields } => fields
                .iter()
                .fold(0usize, |sum, (_, ty)| sum.saturating_add(ty.bits())),
        }
    }

    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Bool | Self::Int { .. } | Self::Text { .. } => 1,
            Self::Array { elem, .. } => elem.depth().saturating_add(1),
            Self::Struct { fields } => fields
                .iter()
                .map(|(_, ty)| ty.depth())
                .max()
                .unwrap_or(0)
                .saturating_add(1),
        }
    }
}

/// Input of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the source.
    pub name: String,
    /// Shape.
    pub ty: IoType,
}

/// Set of parties that learn an output, bit `i` for party `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipients(pub u16);

impl Recipients {
    /// Party 0 only.
    pub const GARBLER: Self = Self(1);
    /// Party 1 only.
    pub const EVALUATOR: Self = Self(2);
    /// Parties 0 and 1.
    pub const BOTH: Self = Self(3);

    /// Whether the party learns it.
    #[must_use]
    pub const fn includes(self, party: u8) -> bool {
        party < 16 && (self.0 >> party) & 1 == 1
    }
}

/// One output bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutWire {
    /// Result of the entry function with this index.
    Result(u32),
    /// The same for all inputs; nothing is computed or sent for it.
    Const(bool),
}

/// One output value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputGroup {
    /// Name of the result, `r0`, `r1` … when the source gives none.
    pub name: String,
    /// Shape.
    pub ty: IoType,
    /// Who learns it.
    pub to: Recipients,
    /// Bits, least significant first.
    pub wires: Vec<OutWire>,
}
