//! From the files of a process to an engine that is ready for its first input (C4, C8).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use quil_bls48581::SecretKey;
use quil_engine::io::File;
use quil_engine::{ChainEngine, Consensus, Identity, LocalFault, Network, queries, recover};
use quil_hotstuff::BlsScheme;
use quil_store::StoreError;
use quil_types::Chain;
use quil_types::limits::G2_BYTES;

use crate::persist::Files;

/// What the engine of a process is made of, beside its files.
#[derive(Debug)]
pub struct Boot {
    /// The network.
    pub network: Arc<Network>,
    /// The chain.
    pub chain: Chain,
    /// Network and prover identity.
    pub identity: Identity,
    /// Consensus key; `None` for an observer.
    pub signer: Option<Arc<SecretKey>>,
    /// The operator has replaced the key after the safety file was lost (C8).
    pub accept_lost_safety: bool,
}

/// Why no engine was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootError {
    /// The files cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What they hold cannot be continued.
    #[error(transparent)]
    Fault(#[from] LocalFault),
}

impl Boot {
    /// The public part of the consensus key, as committees list it.
    #[must_use]
    pub fn key(&self) -> Option<[u8; G2_BYTES]> {
        self.signer.as_ref().map(|s| s.public_key().to_bytes())
    }

    /// Makes the engine and writes what must be on disk before its first input.
    ///
    /// A safety file gets an empty record when a key comes to an empty store: from then on its absence means loss.
    ///
    /// # Errors
    /// [`BootError`]; among them a lost safety record, unless its loss is accepted.
    pub fn start(
        self,
        scheme: BlsScheme,
        files: &Files,
    ) -> Result<ChainEngine<BlsScheme>, BootError> {
        let reader = files.reader()?;
        let record = match files.safety_record()? {
            Some(record) => Some(record),
            None if queries::last_final(&reader)?.is_none() || self.accept_lost_safety => {
                files.mark_unsigned()?;
                Some(Vec::new())
            }
            None => None,
        };
        let fresh_key = record.as_ref().is_some_and(Vec::is_empty);
        let key = self.key();
        let consensus = Consensus {
            scheme,
            signer: self.signer,
            key,
            safety: record.filter(|r| !r.is_empty()),
            fresh_key,
        };
        let source = files.source();
        let (engine, writes) = recover(
            &self.network,
            self.chain,
            self.identity,
            consensus,
            &reader,
            &source,
        )?;
        if !writes.is_empty() {
            files.write(File::State, writes)?;
        }
        Ok(engine)
    }
}
