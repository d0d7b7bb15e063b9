//! Where epochs end and what a frame is within its epoch (C1, S3).

use quil_types::{Chain, Digest, Epoch, FrameNumber, Header};

/// Fewest frames of an epoch: with one, the genesis frame would close epoch 0.
pub const EPOCH_FRAMES_MIN: u64 = 2;

/// Length of an epoch in global frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochRule {
    frames: u64,
}

/// What a frame is within its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Before the closing frame.
    Normal,
    /// The closing frame `B_e`: the root of the next epoch.
    Closing,
    /// Behind the closing frame: serves to finalise it and is discarded.
    Descendant,
}

impl EpochRule {
    /// `E` frames per epoch, at least [`EPOCH_FRAMES_MIN`]; a smaller number counts as that.
    #[must_use]
    pub const fn new(frames: u64) -> Self {
        Self {
            frames: if frames < EPOCH_FRAMES_MIN {
                EPOCH_FRAMES_MIN
            } else {
                frames
            },
        }
    }

    /// Number of the global closing frame of an epoch: `(e + 1) E - 1`.
    #[must_use]
    pub const fn boundary(self, epoch: Epoch) -> FrameNumber {
        FrameNumber::new(
            epoch
                .get()
                .saturating_add(1)
                .saturating_mul(self.frames)
                .saturating_sub(1),
        )
    }

    /// What a header claims to be. Global frames go by number; a shard frame closes its epoch when it is the first
    /// with an anchor at or behind the boundary, and only a closing frame names the next committee. That the claim
    /// fits the parent is checked by [`follows`](Self::follows).
    #[must_use]
    pub fn place(self, header: &Header) -> Place {
        let boundary = self.boundary(header.epoch);
        match header.chain {
            Chain::Global if header.number < boundary => Place::Normal,
            Chain::Global if header.number == boundary => Place::Closing,
            Chain::Global => Place::Descendant,
            Chain::Shard(_) if header.anchor.is_none_or(|a| a.number < boundary) => Place::Normal,
            Chain::Shard(_) if header.next_committee_root != Digest::ZERO => Place::Closing,
            Chain::Shard(_) => Place::Descendant,
        }
    }

    /// Whether a frame may follow a parent; `None` stands for the epoch root as parent.
    #[must_use]
    pub const fn follows(parent: Option<Place>, child: Place) -> bool {
        match parent {
            None | Some(Place::Normal) => matches!(child, Place::Normal | Place::Closing),
            Some(Place::Closing | Place::Descendant) => matches!(child, Place::Descendant),
        }
    }

    /// Whether the committee root of a header is set exactly on a closing frame (C2).
    #[must_use]
    pub fn committee_root_in_place(self, header: &Header) -> bool {
        (self.place(header) == Place::Closing) == (header.next_committee_root != Digest::ZERO)
    }
}
