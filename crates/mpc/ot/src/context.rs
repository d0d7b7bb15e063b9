//! Binding of every derived value to one session: a 32-byte context and labelled, length-delimited hashing.

use core::fmt;

use crate::block::Block;

/// Digest that two parties agreed on before they transfer anything: it names session, parties and parameters.
/// Equal contexts must never be used twice with the same long-lived secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Context([u8; 32]);

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

impl Context {
    /// A context from an agreed digest.
    #[must_use]
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// A context below this one.
    #[must_use]
    pub fn child(&self, label: &'static str, number: u64) -> Self {
        Self(self.hasher(label).number(number).digest())
    }

    /// Hash of labelled parts under this context.
    #[must_use]
    pub fn hasher(&self, label: &'static str) -> Hasher {
        Hasher(blake3::Hasher::new_keyed(&self.0)).part(label.as_bytes())
    }
}

/// Keyed hash of parts; every part is preceded by its length, so no two lists of parts collide.
#[derive(Clone)]
pub struct Hasher(blake3::Hasher);

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(..)")
    }
}

impl Hasher {
    /// Appends one part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Appends a number as a part.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.part(&number.to_le_bytes())
    }

    /// 32 bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// The first 16 bytes, as a block.
    #[must_use]
    pub fn block(&self) -> Block {
        let mut bytes = [0_u8; 16];
        self.0.finalize_xof().fill(&mut bytes);
        Block::from_bytes(bytes)
    }
}
