//! The SRS file: `QSRS1`, 64 G1 powers, 2 G2 powers, transcript (D5).

use quil_types::genesis::NetworkBinding;
use quil_types::limits::SRS_BYTES_MAX;
use quil_types::{Canonical, DecodeError};

use crate::ceremony::{Ceremony, CeremonyError, Transcript};
use crate::srs::{POWERS_BYTES, Srs, SrsError};

/// First bytes of an SRS file.
pub const MAGIC: &[u8; 5] = b"QSRS1";

/// A decoded but unverified SRS file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrsFile {
    powers: Vec<u8>,
    transcript: Transcript,
}

/// Why an SRS file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Larger than [`SRS_BYTES_MAX`].
    #[error("SRS file of {0} bytes, at most {SRS_BYTES_MAX} allowed")]
    TooLarge(usize),
    /// Does not begin with [`MAGIC`].
    #[error("not an SRS file")]
    Magic,
    /// Ends inside the powers.
    #[error("SRS file ends inside the powers")]
    Truncated,
    /// The transcript does not decode.
    #[error("transcript: {0}")]
    Transcript(#[from] DecodeError),
    /// The powers are not well formed.
    #[error("{0}")]
    Srs(#[from] SrsError),
    /// The ceremony does not prove the powers.
    #[error("{0}")]
    Ceremony(#[from] CeremonyError),
}

impl SrsFile {
    /// The file of a ceremony's current state.
    #[must_use]
    pub fn of(ceremony: &Ceremony) -> Self {
        Self {
            powers: ceremony.powers_bytes(),
            transcript: ceremony.transcript().clone(),
        }
    }

    /// Reads a file without judging its points.
    ///
    /// # Errors
    /// [`FileError::TooLarge`], [`FileError::Magic`], [`FileError::Truncated`], [`FileError::Transcript`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FileError> {
        if bytes.len() > SRS_BYTES_MAX {
            return Err(FileError::TooLarge(bytes.len()));
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(FileError::Magic)?;
        let (powers, transcript) = rest
            .split_at_checked(POWERS_BYTES)
            .ok_or(FileError::Truncated)?;
        Ok(Self {
            powers: powers.to_vec(),
            transcript: Transcript::decode(transcript, SRS_BYTES_MAX)?,
        })
    }

    /// The file's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.powers);
        out.extend_from_slice(&self.transcript.encode());
        out
    }

    /// The ceremony's steps.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The checked powers, after checking that the ceremony produced them for this network.
    ///
    /// Cost: some tens of milliseconds for the powers and per contribution; callers may remember the hash of
    /// an accepted file.
    ///
    /// # Errors
    /// [`FileError::Srs`], [`FileError::Ceremony`].
    pub fn verify(&self, binding: &NetworkBinding) -> Result<Srs, FileError> {
        let srs = Srs::from_bytes(&self.powers)?;
        self.transcript.verify(binding, &srs)?;
        Ok(srs)
    }

    /// Continues the ceremony: checked as by [`Self::verify`]; a file without contributions starts it.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn into_ceremony(self, binding: &NetworkBinding) -> Result<Ceremony, FileError> {
        if self.transcript.contributions.is_empty() {
            let start = Ceremony::init(binding.clone());
            if start.powers_bytes() != self.powers || self.transcript.binding != *binding {
                return Err(CeremonyError::Powers.into());
            }
            return Ok(start);
        }
        let srs = Srs::from_bytes(&self.powers)?;
        Ok(Ceremony::resume(binding, &srs, self.transcript)?)
    }
}
