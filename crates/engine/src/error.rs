//! Faults of this node: never a peer's doing.

/// The local state or store cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalFault {
    /// A stored value does not decode.
    #[error("table {table}: a stored value is damaged")]
    Corrupt {
        /// Where.
        table: &'static str,
    },
    /// The store failed.
    #[error("store: {0}")]
    Store(String),
    /// The state failed.
    #[error("state: {0}")]
    State(String),
    /// The chain's durable records contradict each other.
    #[error("recovery: {0}")]
    Recovery(String),
}
