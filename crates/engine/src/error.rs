//! Faults of this node: never a peer's doing.

use crate::state::StateError;

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
    /// Execution cannot read the state.
    #[error("execution: {0}")]
    Execution(#[from] quil_execution::state::StateFault),
    /// The chain's durable records contradict each other.
    #[error("recovery: {0}")]
    Recovery(String),
}

impl From<StateError> for LocalFault {
    fn from(e: StateError) -> Self {
        match e {
            StateError::Source(message) => Self::Store(message),
            StateError::Fault(fault) => Self::Execution(fault),
            StateError::Corrupt(table) => Self::Corrupt { table },
            other => Self::State(other.to_string()),
        }
    }
}
