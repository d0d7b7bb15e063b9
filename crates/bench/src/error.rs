//! Why there is no report.

use quil_client::Failure;

/// No report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// No row begins with this.
    #[error("no row begins with `{prefix}`")]
    NoRow {
        /// What was asked for.
        prefix: String,
        /// All rows.
        ids: Vec<&'static str>,
    },
    /// A crate did not give a row that is listed.
    #[error("no operation for {0}")]
    Missing(&'static str),
    /// The commitment setup could not be made.
    #[error("no commitment setup: {0}")]
    Setup(#[from] SetupError),
    /// A load of two-party computation failed.
    #[error(transparent)]
    Party(#[from] quil_session_io::bench::BenchError),
}

/// The ceremony of the bench failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Its name.
    #[error(transparent)]
    Name(#[from] quil_types::BadText),
    /// A contribution.
    #[error(transparent)]
    Ceremony(#[from] quil_kzg::CeremonyError),
    /// Its file.
    #[error(transparent)]
    File(#[from] quil_kzg::FileError),
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        let message = error.to_string();
        match error {
            BenchError::NoRow { ids, .. } => {
                let hint = "--only takes the beginning of a row's id, such as `bls.`";
                let failure = Self::new("bench.no_row", message, hint).usage();
                failure.with("ids", ids)
            }
            BenchError::Missing(_) | BenchError::Setup(_) => {
                Self::new("bench.broken", message, "this build is broken: report it")
            }
            BenchError::Party(_) => {
                let hint = "free memory and processors, then try again";
                Self::new("bench.failed", message, hint)
            }
        }
    }
}
