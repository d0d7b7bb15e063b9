//! What can go wrong, one variant per rule. Every variant is the fault of the other party unless it says otherwise.

/// Failure of an oblivious transfer. The run is over; nothing derived from it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OtError {
    /// A message has another length than its step demands.
    #[error("message of {got} bytes where {want} were due")]
    Length {
        /// Bytes received.
        got: usize,
        /// Bytes the step demands.
        want: usize,
    },
    /// Bytes that are no canonical ristretto255 element or no canonical scalar.
    #[error("not a canonical group element or scalar")]
    Encoding,
    /// The neutral element where a key share belongs.
    #[error("neutral group element")]
    Identity,
    /// The base sender does not know the discrete logarithm of its key.
    #[error("proof of knowledge of the base key fails")]
    KeyProof,
    /// The base receiver's answer to the challenge is wrong.
    #[error("base receiver failed its challenge")]
    BaseResponse,
    /// The base sender's opening contradicts its challenge or the transferred key.
    #[error("base sender opened inconsistent keys")]
    BaseOpening,
    /// The seed trees of the extension are inconsistent.
    #[error("seed trees of the extension are inconsistent")]
    SeedTrees,
    /// The extension receiver used different choices in different columns.
    #[error("consistency check of the extension fails")]
    ExtensionCheck,
    /// The silent sender's trees are inconsistent.
    #[error("consistency check of the silent extension fails")]
    SilentCheck,
    /// The caller asked for zero or for more transfers than one message carries.
    #[error("{0} transfers in one message")]
    Count(usize),
    /// A call after a failure, or out of order. Fault of the caller.
    #[error("call after a failure or out of order")]
    State,
    /// The stock has fewer correlations than asked for. Fault of the caller.
    #[error("stock holds {have} correlations, {want} asked for")]
    Stock {
        /// Correlations left.
        have: usize,
        /// Correlations asked for.
        want: usize,
    },
    /// Stored stock bytes that are no stock. Fault of the storage.
    #[error("not a stock of correlations")]
    StockEncoding,
}

/// `Ok` when a message has the length its step demands.
pub(crate) fn expect_len(bytes: &[u8], want: usize) -> Result<(), OtError> {
    if bytes.len() == want {
        Ok(())
    } else {
        Err(OtError::Length {
            got: bytes.len(),
            want,
        })
    }
}
