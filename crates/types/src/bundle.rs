//! What users submit: bundles, transfers and their receipts (F1, T5, T6, T8).
//!
//! Points and scalars are byte strings here; the execution crate parses them strictly.

use crate::hash::h;
use crate::limits::{
    ACTIONS_MAX, DECAF_POINT_BYTES, DECAF_PROOF_BYTES, INPUTS_MAX, OUTPUTS_MAX,
    RANGE_PROOF_BYTES_MAX,
};
use crate::{Bounded, Bytes, CoinId, Domain, FrameNumber, GenesisHash, TxId, canonical, tags};

/// A compressed Decaf448 point.
pub type PointBytes = [u8; DECAF_POINT_BYTES];
/// A Schnorr or DLEQ proof, `c || s`.
pub type ProofBytes = [u8; DECAF_PROOF_BYTES];

canonical! {
    /// First two bytes of the data addresses that a transfer touches (T3).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Home(pub [u8; 2]);
}

canonical! {
    /// What holds a coin (T2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum CoinKind {
        /// Spendable by its one-time key.
        #[default]
        Plain = 0,
    }
}

canonical! {
    /// A coin that a transfer spends.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Input {
        /// Which coin.
        pub coin: CoinId,
        /// Its key image `I = x * Hp("image", coin_id)` (T1).
        pub image: PointBytes,
    }
}

canonical! {
    /// A coin that a transfer creates (T7).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Output {
        /// One-time public key `P`.
        pub key: PointBytes,
        /// Amount commitment `C`.
        pub commitment: PointBytes,
        /// Ephemeral key `R`.
        pub ephemeral: PointBytes,
        /// First byte a receiver compares.
        pub view_tag: u8,
        /// Amount under the receiver's mask.
        pub enc_amount: [u8; 8],
        /// What holds the coin.
        pub kind: CoinKind,
    }
}

canonical! {
    /// New value by the domain's authority (T9).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Mint {
        /// The authority's public key; must be the domain's.
        pub authority: PointBytes,
        /// Strictly increasing per authority.
        pub nonce: u64,
        /// Public amount in units.
        pub amount: u64,
    }
}

canonical! {
    /// Everything that a transfer's identity binds (T6).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct TransferBody {
        /// Protocol version.
        pub version: u16,
        /// The network.
        pub genesis: GenesisHash,
        /// The token.
        pub domain: Domain,
        /// Where the new coins live.
        pub home: Home,
        /// Coins spent, strictly ascending by id.
        pub inputs: Bounded<Input, INPUTS_MAX>,
        /// Coins created.
        pub outputs: Bounded<Output, OUTPUTS_MAX>,
        /// Public fee, units.
        pub fee: u64,
        /// Public burn beyond the fee, units.
        pub burn: u64,
        /// New value, if the authority makes some.
        pub mint: Option<Mint>,
        /// Last global frame number at which it may be executed.
        pub valid_until: FrameNumber,
    }
}

impl TransferBody {
    /// `H("tx", body)`.
    #[must_use]
    pub fn id(&self) -> TxId {
        TxId(h(tags::TX, self))
    }
}

canonical! {
    /// A transfer with its proofs.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Transfer {
        /// What it does.
        pub body: TransferBody,
        /// One aggregated proof for all outputs; empty iff there are no outputs.
        pub range_proof: Bytes<RANGE_PROOF_BYTES_MAX>,
        /// Proof that the sum balances (T5).
        pub excess: ProofBytes,
        /// Per input: knowledge of the one-time key and correctness of the image.
        pub input_proofs: Bounded<ProofBytes, INPUTS_MAX>,
        /// The authority's signature; present iff `body.mint` is.
        pub mint_signature: Option<ProofBytes>,
    }
}

canonical! {
    /// A debit of a public fee balance (F2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AccountDebit {
        /// The network.
        pub genesis: GenesisHash,
        /// The balance's key.
        pub key: PointBytes,
        /// Strictly increasing per key.
        pub nonce: u64,
        /// Units.
        pub fee: u64,
        /// Last global frame number at which it may be executed.
        pub valid_until: FrameNumber,
        /// Schnorr signature by `key` over all of the above and the actions.
        pub signature: ProofBytes,
    }
}

canonical! {
    /// How a bundle pays.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FeePart {
        /// By a transfer with a public fee.
        Transfer(Box<Transfer>) = 0,
        /// From a fee balance.
        AccountDebit(Box<AccountDebit>) = 1,
    }
}

canonical! {
    /// Something a bundle does beside paying. The first network has transfers only: this type has no value, so
    /// a bundle that claims an action does not decode.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Action {
        /// Uninhabited.
        never: Never,
    }
}

/// Uninhabited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Never {}

impl borsh::BorshSerialize for Never {
    fn serialize<W: borsh::io::Write>(&self, _: &mut W) -> borsh::io::Result<()> {
        match *self {}
    }
}

impl borsh::BorshDeserialize for Never {
    fn deserialize_reader<R: borsh::io::Read>(_: &mut R) -> borsh::io::Result<Self> {
        Err(borsh::io::Error::new(
            borsh::io::ErrorKind::InvalidData,
            "no action is defined in this version",
        ))
    }
}

impl crate::codec::private::Sealed for Never {}
impl crate::Canonical for Never {}

canonical! {
    /// The unit of submission: a fee part, then actions that may fail without undoing it (F1).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Bundle {
        /// Applied first, outside the savepoint.
        pub fee: FeePart,
        /// Applied in order.
        pub actions: Bounded<Action, ACTIONS_MAX>,
    }
}

impl Bundle {
    /// A plain transfer: a bundle without actions.
    #[must_use]
    pub fn transfer(transfer: Transfer) -> Self {
        Self {
            fee: FeePart::Transfer(Box::new(transfer)),
            actions: Bounded::new(),
        }
    }

    /// The transaction identity users wait for: that of the fee part.
    #[must_use]
    pub fn id(&self) -> TxId {
        match &self.fee {
            FeePart::Transfer(t) => t.body.id(),
            FeePart::AccountDebit(d) => TxId(h(tags::TX, d)),
        }
    }
}

canonical! {
    /// What executing a bundle gave; committed by the child's `receipts_root`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Receipt {
        /// The bundle.
        pub tx: TxId,
        /// Units that left circulation as fee.
        pub fee: u64,
        /// Actions that took effect.
        pub actions_applied: u16,
        /// Why the following action failed, if one did.
        pub failed: Option<Code>,
    }
}

canonical! {
    /// The complete list of reasons for which a transfer is refused, in the order of the checks (T8).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Code {
        /// Wrong version, genesis or size.
        TxNetwork = 1,
        /// Counts or canonical order.
        TxMalformed = 2,
        /// A coin is named twice.
        InputDuplicate = 3,
        /// A one-time key occurs twice in the bundle.
        OutputKeyReused = 4,
        /// `valid_until` has passed or is too far away.
        TxExpired = 5,
        /// The fee is below what the size costs.
        FeeLow = 6,
        /// This very transfer was executed before.
        TxReplayed = 7,
        /// No such coin.
        InputUnknown = 8,
        /// The coin was spent.
        InputSpent = 9,
        /// Not the domain's authority, or its signature or nonce is wrong.
        MintUnauthorised = 10,
        /// Inputs and outputs differ.
        SumUnbalanced = 11,
        /// The public mint amount is not what the outputs commit to.
        MintAmountMismatch = 12,
        /// Not the owner of the coin, or a wrong key image.
        InputSignature = 13,
        /// An output is not proven to be in range.
        OutputRange = 14,
    }
}

impl Code {
    /// All codes, in the order of the checks.
    pub const ALL: [Self; 14] = [
        Self::TxNetwork,
        Self::TxMalformed,
        Self::InputDuplicate,
        Self::OutputKeyReused,
        Self::TxExpired,
        Self::FeeLow,
        Self::TxReplayed,
        Self::InputUnknown,
        Self::InputSpent,
        Self::MintUnauthorised,
        Self::SumUnbalanced,
        Self::MintAmountMismatch,
        Self::InputSignature,
        Self::OutputRange,
    ];

    /// The text that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TxNetwork => "tx.network",
            Self::TxMalformed => "tx.malformed",
            Self::InputDuplicate => "input.duplicate",
            Self::OutputKeyReused => "output.key_reused",
            Self::TxExpired => "tx.expired",
            Self::FeeLow => "fee.low",
            Self::TxReplayed => "tx.replayed",
            Self::InputUnknown => "input.unknown",
            Self::InputSpent => "input.spent",
            Self::MintUnauthorised => "mint.unauthorised",
            Self::SumUnbalanced => "sum.unbalanced",
            Self::MintAmountMismatch => "mint.amount_mismatch",
            Self::InputSignature => "input.signature",
            Self::OutputRange => "output.range",
        }
    }
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    #[test]
    fn bundle_without_actions_round_trips_and_a_claimed_action_does_not_decode() {
        let bundle = Bundle {
            fee: FeePart::AccountDebit(Box::new(AccountDebit {
                genesis: GenesisHash([1; 32]),
                key: [2; DECAF_POINT_BYTES],
                nonce: 3,
                fee: 4,
                valid_until: FrameNumber::new(5),
                signature: [6; DECAF_PROOF_BYTES],
            })),
            actions: Bounded::new(),
        };
        let bytes = bundle.encode();
        assert_eq!(Bundle::decode(&bytes, 1024), Ok(bundle));
        let mut claimed = bytes;
        let count = claimed.len() - 4;
        claimed[count] = 1;
        assert!(Bundle::decode(&claimed, 1024).is_err());
    }
}
