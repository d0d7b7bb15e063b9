//! Identities of T1 and T6, each with exactly the inputs that the rule names.

use quil_types::bundle::{AccountDebit, FeePart, Mint, Output, PointBytes, TransferBody};
use quil_types::hash::{h, h_bytes};
use quil_types::{
    Bundle, Canonical, CoinId, Digest, Domain, FrameNumber, GenesisHash, Nullifier, TxId,
    canonical, tags,
};

canonical! {
    /// Hash of every byte of a bundle, proofs included: key of proof caches and mempools.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct BundleHash(pub [u8; 32]);
}

impl BundleHash {
    /// The greatest hash.
    pub const LAST: Self = Self([0xff; 32]);
}

/// `H("bundle", bytes)` over an encoded bundle.
#[must_use]
pub fn bundle_hash(encoded: &[u8]) -> BundleHash {
    BundleHash(h_bytes(tags::BUNDLE, encoded))
}

canonical! {
    /// What a nullifier hashes.
    struct NullifierInput {
        genesis: GenesisHash,
        domain: Domain,
        image: PointBytes,
    }
}

/// `H("nullifier", genesis, domain, I)` of a plain coin (T1).
#[must_use]
pub fn nullifier(genesis: GenesisHash, domain: Domain, image: &PointBytes) -> Nullifier {
    Nullifier(h(
        tags::NULLIFIER,
        &NullifierInput {
            genesis,
            domain,
            image: *image,
        },
    ))
}

/// `H("mint", authority, nonce)`: rho of a mint, and the mark that it leaves behind (T1).
#[must_use]
pub fn mint_mark(mint: &Mint) -> Digest {
    Digest(h(tags::MINT, &(mint.authority, mint.nonce)))
}

/// rho of a transfer: its mint mark when it mints, else its smallest nullifier; zero when it has neither, which
/// no valid transfer has (T1).
#[must_use]
pub fn rho(body: &TransferBody) -> Digest {
    if let Some(mint) = &body.mint {
        return mint_mark(mint);
    }
    let all = body.inputs.iter();
    all.map(|i| nullifier(body.genesis, body.domain, &i.image).0)
        .min()
        .map_or(Digest::ZERO, Digest)
}

canonical! {
    /// What a coin's identity hashes (T1): every field of the output and where it comes from.
    struct CoinInput {
        genesis: GenesisHash,
        domain: Domain,
        rho: Digest,
        index: u16,
        output: Output,
    }
}

/// `H("coin", genesis, domain, rho, index, P, C, R, view_tag, enc_amount, kind)` (T1).
#[must_use]
pub fn coin_id(
    genesis: GenesisHash,
    domain: Domain,
    rho: Digest,
    index: u16,
    output: &Output,
) -> CoinId {
    CoinId(h(
        tags::COIN,
        &CoinInput {
            genesis,
            domain,
            rho,
            index,
            output: output.clone(),
        },
    ))
}

/// `m = H("txm", tx_id, H(range proof))`: what the proofs of a transfer sign (T6).
#[must_use]
pub fn tx_message(tx: TxId, range_proof: &[u8]) -> Digest {
    let proof = Digest(h_bytes(tags::RANGE_HASH, range_proof));
    Digest(h(tags::TX_MESSAGE, &(tx, proof)))
}

/// What no second bundle may claim beside this one: its nullifiers and mint mark, or the account that it debits.
#[must_use]
pub fn claims(bundle: &Bundle) -> Vec<[u8; 32]> {
    match &bundle.fee {
        FeePart::Transfer(t) => {
            let b = &t.body;
            let spent = b
                .inputs
                .iter()
                .map(|i| nullifier(b.genesis, b.domain, &i.image).0);
            spent
                .chain(b.mint.as_ref().map(|m| mint_mark(m).0))
                .collect()
        }
        FeePart::AccountDebit(d) => vec![h(tags::FEE_ACCOUNT, &d.key)],
    }
}

canonical! {
    /// What the signature of a debit covers: every other field, and the actions that it pays for (F2).
    struct DebitInput {
        genesis: GenesisHash,
        key: PointBytes,
        nonce: u64,
        fee: u64,
        valid_until: FrameNumber,
        actions: Digest,
    }
}

/// Message that the owner of a fee balance signs (F2).
#[must_use]
pub fn debit_message(debit: &AccountDebit, bundle: &Bundle) -> Digest {
    Digest(h(
        tags::DEBIT,
        &DebitInput {
            genesis: debit.genesis,
            key: debit.key,
            nonce: debit.nonce,
            fee: debit.fee,
            valid_until: debit.valid_until,
            actions: Digest(h_bytes(tags::BUNDLE, &bundle.actions.encode())),
        },
    ))
}
