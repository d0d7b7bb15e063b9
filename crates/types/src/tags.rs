//! Every domain-separation tag of the system, each once (D3).
//!
//! On the wire of a hash a tag is `u8 len || bytes`, so no tag can be the prefix of another one's input.

/// A domain-separation tag: 1 to 64 ASCII bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(&'static str);

impl Tag {
    const fn new(text: &'static str) -> Self {
        assert!(
            !text.is_empty() && text.len() <= 64 && text.is_ascii(),
            "1 to 64 ASCII bytes"
        );
        Self(text)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// `u8 len || bytes`.
    #[must_use]
    pub fn prefix(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len().saturating_add(1));
        // `new` bounds the length by 64.
        out.push(u8::try_from(self.0.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.0.as_bytes());
        out
    }
}

macro_rules! tags {
    ($($(#[$m:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$m])* pub const $name: Tag = Tag::new($text);)*
        /// All tags, for the uniqueness test and for readers.
        pub const ALL: &[Tag] = &[$($name),*];
    };
}

tags! {
    /// Genesis document (D2).
    GENESIS = "genesis";
    /// Frame identity (section 1).
    FRAME = "frame";
    /// Beacon of the genesis frame (D4).
    BEACON_ZERO = "beacon0";
    /// Beacon from a reel output (R1).
    BEACON = "beacon";
    /// Seed of a reel step (R1).
    REEL = "reel";
    /// Discriminant seed of an epoch (R1).
    DISCRIMINANT = "disc";
    /// Hash to a class-group form (R1).
    FORM = "form";
    /// Fiat-Shamir prime of a Wesolowski proof (R7).
    VDF_PRIME = "vdf.prime";
    /// Discriminant of a core's work proof (R8).
    WORK_DISCRIMINANT = "work.disc";
    /// Who owes a work proof (R8).
    WORK_SAMPLE = "work.sample";
    /// Base of a work proof (R8).
    WORK_BASE = "work.base";
    /// Leader seed (C5).
    LEADER = "leader";
    /// Leader permutation blocks (C5).
    LEADER_BLOCK = "leader.block";
    /// Vote signature (C6).
    VOTE = "vote";
    /// Timeout signature (C6).
    TIMEOUT = "timeout";
    /// Consensus envelope, Ed25519 (W1).
    ENVELOPE = "envelope";
    /// Committee list root (C2).
    COMMITTEE = "committee";
    /// Prover address.
    PROVER = "prover";
    /// Worker certificate (D4, I1).
    WORKER = "worker";
    /// Statement of a BLS proof of possession (D2, I2).
    POSSESSION = "pop";
    /// Certificate of a worker process's network identity, Ed25519 (W4).
    IPC_CERT = "ipc.cert";
    /// Key record (I2).
    KEY_RECORD = "keyrecord";
    /// Checksum of an encrypted key store file.
    KEY_STORE = "keystore";
    /// Merkle leaf of requests and receipts (D3).
    MERKLE_LEAF = "merkle.leaf";
    /// Merkle inner node (D3).
    MERKLE_INNER = "merkle.inner";
    /// Merkle root: binds the count (D3).
    MERKLE_ROOT = "merkle.root";
    /// Gossip message id (W2).
    GOSSIP = "gossip";
    /// Multi-opening challenges (K4).
    KZG_MULTI = "kzg.multi";
    /// Multi-opening evaluation point (K4).
    KZG_MULTI_POINT = "kzg.multi.point";
    /// SRS ceremony binding and steps (D5).
    CEREMONY = "ceremony";
    /// Proof of knowledge inside a contribution (D5).
    CEREMONY_POK = "ceremony.pok";
    /// Signature of a contribution by its prover (D5).
    CEREMONY_SIGN = "ceremony.sign";
    /// Random weights of batch checks.
    BATCH = "batch";
    /// Content of a trie leaf (K1).
    CONTENT = "content";
    /// Transfer identity (T6).
    TX = "tx";
    /// Message that the signatures of a transfer sign (T6).
    TX_MESSAGE = "txm";
    /// Range proof bytes inside that message (T6).
    RANGE_HASH = "txm.range";
    /// Merlin label of the range proof (T6).
    RANGE = "range";
    /// Coin identity (T1).
    COIN = "coin";
    /// Nullifier (T1).
    NULLIFIER = "nullifier";
    /// rho of a mint (T1).
    MINT = "mint";
    /// Key image base point (T1).
    IMAGE = "image";
    /// DLEQ of an input (T6).
    DLEQ = "dleq";
    /// Excess signature (T5).
    EXCESS = "excess";
    /// Mint authority signature (T6).
    AUTHORITY = "authority";
    /// Hedged nonces (T6).
    NONCE = "nonce";
    /// Shared secret of an output (T7).
    SHARE = "share";
    /// Key scalar of an output (T7).
    SHARE_KEY = "share.key";
    /// Blinding of an output (T7).
    SHARE_BLINDING = "share.blinding";
    /// Amount mask of an output (T7).
    SHARE_AMOUNT = "share.amount";
    /// View tag of an output (T7).
    SHARE_VIEW = "share.view";
    /// Pedersen blinding generator (T6).
    GEN_BLINDING = "gen.blinding";
    /// Range-proof vector generators (T6).
    GEN_G = "gen.g";
    /// Range-proof vector generators (T6).
    GEN_H = "gen.h";
    /// Inner-product generator of the range proof (T6).
    GEN_U = "gen.u";
    /// Address of the native token's shard and domain.
    NATIVE = "native";
    /// Address of a shard that holds a part of a domain (K1).
    SHARD = "shard";
    /// Whole encoding of a bundle: key of proof caches and mempools.
    BUNDLE = "bundle";
    /// Signature of an account debit (F2).
    DEBIT = "debit";
    /// Address of a public fee balance (F2).
    FEE_ACCOUNT = "fee.account";
    /// Address of a domain's supply record (T9).
    TOKEN_SUPPLY = "token.supply";
    /// Address of an authority's mint nonce (T9).
    TOKEN_NONCE = "token.nonce";
    /// Address of the coin count of a home (T3).
    TOKEN_COUNT = "token.count";
    /// Address of an entry of a home's coin index (T3).
    TOKEN_INDEX = "token.index";
    /// Commitment of a version of an encrypted object (V1).
    DATA_OBJECT = "data.object";
    /// Proof of an encrypted object (V1).
    DATA_PROOF = "data.proof";
    /// Data key of an encrypted object (V1).
    DATA_KEY = "data.key";
    /// Context that every chunk of a sealed body is bound to (V1).
    DATA_CONTEXT = "data.context";
    /// Leaf of a sealed body's digest (V1).
    DATA_CHUNK = "data.chunk";
    /// Identity of a boolean circuit of private computation.
    CIRCUIT = "circuit";
    /// Domain of the prover registry.
    REGISTRY = "registry";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_unique_and_prefix_free() {
        for (i, a) in ALL.iter().enumerate() {
            for b in &ALL[i + 1..] {
                let (pa, pb) = (a.prefix(), b.prefix());
                assert!(!pa.starts_with(&pb) && !pb.starts_with(&pa), "{a:?} {b:?}");
            }
        }
    }
}
