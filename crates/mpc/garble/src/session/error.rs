//! Ends of a session that are not its result.

use quil_ot::OtError;

/// Why a session stopped. Every variant has an abort code that is told to the other party, except
/// [`SessionError::Peer`], [`SessionError::Over`], and those found before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The other party speaks another version of the protocol.
    #[error("another protocol version")]
    Version,
    /// The other party offers another suite; there is no negotiation.
    #[error("another suite")]
    Suite,
    /// Both parties claim the same role.
    #[error("both parties have the same role")]
    Role,
    /// The other party came for another rendezvous or code address.
    #[error("another rendezvous or code address")]
    Rendezvous,
    /// The other party has another circuit, other input widths or other parameters.
    #[error("another circuit, other widths or other parameters")]
    Circuit,
    /// A frame of unknown type, wrong length or wrong content.
    #[error("malformed frame")]
    Frame,
    /// A frame that does not belong to this step.
    #[error("frame out of order")]
    Order,
    /// An oblivious transfer failed.
    #[error("oblivious transfer: {0}")]
    Transfer(#[from] OtError),
    /// An output label or its hash is not one of the two of its wire.
    #[error("output is not authentic")]
    Output,
    /// The parties saw different bytes.
    #[error("transcripts differ")]
    Transcript,
    /// A step took longer than allowed.
    #[error("deadline passed")]
    Deadline,
    /// The own side stopped the session.
    #[error("cancelled")]
    Cancelled,
    /// The other party stopped, with this code.
    #[error("the other party aborted with code {0}")]
    Peer(u16),
    /// The session already failed.
    #[error("the session is over")]
    Over,
    /// Inputs of another width than the circuit's. Found before anything is sent.
    #[error("{found} input bits given, the circuit takes {expected}")]
    Inputs {
        /// Bits of the circuit.
        expected: usize,
        /// Bits given.
        found: usize,
    },
    /// The stock is the other party's half. Found before anything is sent.
    #[error("the stock is the half of the other party")]
    StockHalf,
    /// A stock of no or too many correlations. Found before anything is sent.
    #[error("a stock of {0} correlations is not made")]
    StockSize(usize),
}

impl SessionError {
    /// The code of the ABORT frame; `None` for ends that are not told.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        Some(match self {
            Self::Version => 1,
            Self::Suite => 2,
            Self::Role => 3,
            Self::Rendezvous => 4,
            Self::Circuit => 5,
            Self::Frame => 6,
            Self::Order => 7,
            Self::Transfer(_) => 8,
            Self::Output => 9,
            Self::Transcript => 10,
            Self::Deadline => 11,
            Self::Cancelled => 12,
            Self::Peer(_)
            | Self::Over
            | Self::Inputs { .. }
            | Self::StockHalf
            | Self::StockSize(_) => return None,
        })
    }

    /// Whether the other party may have deviated, or says that this one did. Correlations shared with it are then given
    /// up.
    pub(super) const fn is_deviation(&self) -> bool {
        match self {
            Self::Frame | Self::Order | Self::Transfer(_) | Self::Output | Self::Transcript => true,
            Self::Peer(code) => matches!(code, 6..=10),
            _ => false,
        }
    }
}
