//! Message ids.

use core::fmt;

use quil_types::tags;
use sha3::{Digest as _, Sha3_256};

use crate::mask::Mask;

/// `H("gossip", mask, data)` (rule W2): equal data on two masks are two messages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 32]);

impl MessageId {
    /// Hashes a message. Cost: one SHA3-256 over the data.
    #[must_use]
    pub fn of(mask: &Mask, data: &[u8]) -> Self {
        let mut hash = Sha3_256::new();
        hash.update(tags::GOSSIP.prefix());
        for part in [mask.as_bytes(), data] {
            hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageId(")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str("..)")
    }
}

#[cfg(test)]
mod tests {
    use quil_types::{Bounded, hash};

    use super::*;

    /// The streamed hash is the tagged hash of the pair (mask, data).
    #[test]
    fn id_is_the_tagged_hash_of_mask_and_data() {
        let mask = Mask::GLOBAL_FRAMES;
        let pair = (
            Bounded::<u8, 64>::from_slice(mask.as_bytes()).unwrap(),
            Bounded::<u8, 64>::from_slice(b"frame").unwrap(),
        );
        assert_eq!(
            MessageId::of(&mask, b"frame").0,
            hash::h(tags::GOSSIP, &pair)
        );
    }

    #[test]
    fn id_binds_mask_and_data() {
        let id = MessageId::of(&Mask::GLOBAL_FRAMES, b"a");
        assert_ne!(id, MessageId::of(&Mask::GLOBAL_UPDATES, b"a"));
        assert_ne!(id, MessageId::of(&Mask::GLOBAL_FRAMES, b"b"));
        // Moving a byte between mask and data changes the id.
        let (m, n) = (Mask::new(&[0]).unwrap(), Mask::new(&[0, 0]).unwrap());
        assert_ne!(MessageId::of(&m, &[0, 1]), MessageId::of(&n, &[1]));
    }
}
