//! Clock tests. They decide whether a member votes, never whether a frame is valid (R4): catch-up does not
//! apply them, and a frame that a quorum certified is as good as any other.

use quil_types::genesis::Pacing;
use quil_types::{Anchor, FrameNumber, Header, Timestamp};

/// What a member does with a proposal because of its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockVerdict {
    /// The timestamp is fine.
    Vote,
    /// Too far in the future: look again at this time.
    ParkUntil(Timestamp),
    /// Earlier than the parent allows: this never becomes right.
    TooEarly {
        /// The earliest timestamp that the parent allows.
        earliest: Timestamp,
    },
}

/// Largest lead of a timestamp over the voter's clock, milliseconds: `min(500, I / 4)` (R4).
#[must_use]
pub const fn future_tolerance_ms(pacing: &Pacing) -> u64 {
    let quarter = pacing.target_ms / 4;
    if quarter < 500 { quarter } else { 500 }
}

/// The earliest timestamp of a child: `t_parent + min_spacing`.
#[must_use]
pub const fn earliest_child(pacing: &Pacing, parent: Timestamp) -> Timestamp {
    Timestamp::new(parent.get().saturating_add(pacing.min_spacing_ms))
}

/// Applies R4 to a proposal: `t >= t_parent + min_spacing` and `t <= now + min(500 ms, I/4)`.
#[must_use]
pub fn clock_verdict(
    pacing: &Pacing,
    parent: Timestamp,
    proposed: Timestamp,
    now: Timestamp,
) -> ClockVerdict {
    let earliest = earliest_child(pacing, parent);
    if proposed < earliest {
        return ClockVerdict::TooEarly { earliest };
    }
    let lead = future_tolerance_ms(pacing);
    if proposed.get() > now.get().saturating_add(lead) {
        return ClockVerdict::ParkUntil(Timestamp::new(proposed.get().saturating_sub(lead)));
    }
    ClockVerdict::Vote
}

/// Why a shard frame's anchor is refused (R5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// A shard frame without anchor, or a global frame with one.
    #[error("anchor missing or not allowed on this chain")]
    Presence,
    /// Below the parent's anchor, or another frame of the same number.
    #[error("anchor {got} is behind the parent's {parent}")]
    NotMonotone {
        /// Number in the frame.
        got: FrameNumber,
        /// Number in the parent.
        parent: FrameNumber,
    },
    /// Not a final global frame here (yet).
    #[error("anchor {0} is not a final global frame here")]
    NotFinal(FrameNumber),
    /// The frame's beacon is not the anchor's.
    #[error("beacon differs from the anchor's")]
    Beacon,
    /// Older than the genesis allows at vote time.
    #[error("anchor {got} is more than {max} frames behind {head}")]
    TooOld {
        /// Number in the frame.
        got: FrameNumber,
        /// Last final global frame.
        head: FrameNumber,
        /// Allowed distance.
        max: u64,
    },
}

/// What a worker knows about final global frames.
pub trait FinalGlobal {
    /// Header of the final global frame with this number.
    fn header(&self, number: FrameNumber) -> Option<Header>;
    /// Number of the last final global frame.
    fn head(&self) -> FrameNumber;
}

/// The part of R5 that makes a frame valid: the anchor is a final global frame, monotone, and the beacon is its.
///
/// # Errors
/// One variant of [`AnchorError`] per rule; `NotFinal` may pass later.
pub fn check_anchor(
    frame: &Header,
    parent: &Header,
    global: &impl FinalGlobal,
) -> Result<Anchor, AnchorError> {
    let (Some(anchor), Some(before)) = (frame.anchor, parent.anchor) else {
        return Err(AnchorError::Presence);
    };
    let repeated = anchor.number == before.number && anchor.id != before.id;
    if anchor.number < before.number || repeated {
        return Err(AnchorError::NotMonotone {
            got: anchor.number,
            parent: before.number,
        });
    }
    let header = global.header(anchor.number).filter(|h| h.id() == anchor.id);
    let header = header.ok_or(AnchorError::NotFinal(anchor.number))?;
    if header.beacon != frame.beacon {
        return Err(AnchorError::Beacon);
    }
    Ok(anchor)
}

/// The part of R5 that only decides a vote: the anchor is at most `max_age` behind the last final global frame.
///
/// # Errors
/// [`AnchorError::TooOld`].
pub fn check_anchor_age(
    anchor: &Anchor,
    head: FrameNumber,
    max_age: u64,
) -> Result<(), AnchorError> {
    if head.get().saturating_sub(anchor.number.get()) > max_age {
        return Err(AnchorError::TooOld {
            got: anchor.number,
            head,
            max: max_age,
        });
    }
    Ok(())
}
