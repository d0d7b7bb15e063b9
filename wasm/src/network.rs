//! The genesis document, from which rules and verifiers follow.

use std::cell::RefCell;
use std::rc::Rc;

use quil_kzg::{SrsFile, Verifier};
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{Bytes, Canonical, Genesis, GenesisHash, canonical};

use crate::error::CallError;

canonical! {
    /// A genesis document. The caller compares its hash with the one it trusts.
    #[derive(Clone)]
    pub struct GenesisRequest {
        /// Its encoding.
        pub genesis: Bytes<GENESIS_BYTES_MAX>,
    }
}

impl GenesisRequest {
    pub(crate) fn read(&self) -> Result<Genesis, CallError> {
        Genesis::decode(&self.genesis, GENESIS_BYTES_MAX).map_err(CallError::Genesis)
    }
}

/// The last ceremony that was checked, by the hash of its genesis document.
type Last = Option<(GenesisHash, Rc<Verifier>)>;

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(None) };
}

pub(crate) fn hash(request: GenesisRequest) -> Result<Vec<u8>, CallError> {
    Ok(request.read()?.hash().0.to_vec())
}

/// The verifier of a network's state proofs. The ceremony is checked once for proofs of one network in a row.
pub(crate) fn verifier(genesis: &Genesis) -> Result<Rc<Verifier>, CallError> {
    let key = genesis.hash();
    let known = LAST.with_borrow(|last| {
        last.as_ref()
            .filter(|l| l.0 == key)
            .map(|l| Rc::clone(&l.1))
    });
    if let Some(verifier) = known {
        return Ok(verifier);
    }
    let srs = SrsFile::decode(&genesis.srs)?.verify(&genesis.binding)?;
    let verifier = Rc::new(Verifier::new(&srs));
    LAST.set(Some((key, Rc::clone(&verifier))));
    Ok(verifier)
}
