//! Builds and proves transfers and mints (T5-T7).

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_bulletproofs::excess::ExcessProof;
use quil_bulletproofs::image::{SpendProof, key_image};
use quil_bulletproofs::stealth::{Position, Recipient};
use quil_bulletproofs::{Opening, RangeProof, RangeSuite};
use quil_decaf::{SecretScalar, schnorr};
use quil_keys::{Account, Address};
use quil_types::bundle::{self, FeePart, Home, Input, Output, Transfer, TransferBody};
use quil_types::limits::{DECAF_PROOF_BYTES, OUTPUTS_MAX};
use quil_types::{Bounded, Bundle, Bytes, Canonical, CoinId, Digest, FrameNumber, TxId, tags};
use rand_core::CryptoRng;

use super::{OwnedCoin, WalletError, select};
use crate::fee::least_fee;
use crate::rules::Rules;
use crate::token::ids::{rho, tx_message};
use crate::token::proofs::verify_with;
use crate::token::{Moment, stateless};

/// Payments of one transfer: one output is the change.
const PAYMENTS_MAX: usize = OUTPUTS_MAX - 1;

/// An amount for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The receiver.
    pub to: Address,
    /// Units.
    pub amount: u64,
}

/// New value by the domain's authority (T9).
#[derive(Debug)]
pub struct Mint<'a> {
    /// The authority's secret key.
    pub authority: &'a SecretScalar,
    /// Above the last one used.
    pub nonce: u64,
    /// Units.
    pub amount: u64,
}

/// A finished transfer, checked by its builder.
#[derive(Clone, Debug)]
pub struct BuiltTransfer {
    /// Ready to submit.
    pub bundle: Bundle,
    /// The identity to wait for.
    pub tx: TxId,
    /// Public fee, units.
    pub fee: u64,
    /// Coins that it spends.
    pub spent: Vec<CoinId>,
    /// Units that come back.
    pub change: u64,
}

/// What a transfer shall do.
#[derive(Debug)]
pub struct TransferBuilder<'a> {
    rules: &'a Rules,
    moment: Moment,
    home: Home,
    valid_for: u64,
    payments: Vec<Payment>,
    burn: u64,
    tip: u64,
    mint: Option<Mint<'a>>,
}

impl<'a> TransferBuilder<'a> {
    /// A transfer of nothing at the present price. `moment` is that of the latest final frame; the fee is what
    /// its multiplier asks.
    #[must_use]
    pub const fn new(rules: &'a Rules, moment: Moment) -> Self {
        Self {
            rules,
            moment,
            home: Home([0; 2]),
            // Half, so that a frame with an older anchor still finds it not too far away.
            valid_for: rules.validity / 2,
            payments: Vec::new(),
            burn: 0,
            tip: 0,
            mint: None,
        }
    }

    /// Adds a payment.
    #[must_use]
    pub fn pay(mut self, to: Address, amount: u64) -> Self {
        self.payments.push(Payment { to, amount });
        self
    }

    /// Spends coins of this home and leaves new ones there; without it, home zero.
    #[must_use]
    pub const fn home(mut self, home: Home) -> Self {
        self.home = home;
        self
    }

    /// Destroys units in public.
    #[must_use]
    pub const fn burn(mut self, units: u64) -> Self {
        self.burn = units;
        self
    }

    /// Pays this much above the least fee: covers a rising multiplier, and goes first.
    #[must_use]
    pub const fn tip(mut self, units: u64) -> Self {
        self.tip = units;
        self
    }

    /// Global frames for which the transfer stays valid, at most what the genesis allows; without it, half of that. The
    /// maximum is refused by frames whose anchor is older than the builder's moment.
    #[must_use]
    pub fn valid_for(mut self, frames: u64) -> Self {
        self.valid_for = frames.min(self.rules.validity);
        self
    }

    /// Creates new value as well.
    #[must_use]
    pub const fn mint(mut self, mint: Mint<'a>) -> Self {
        self.mint = Some(mint);
        self
    }

    /// Chooses coins of `owned` at the builder's home, adds the change, proves everything and checks the result as
    /// a node does.
    ///
    /// Coins that are spent already must not be in `owned`. Cost: about one range proof of all outputs.
    ///
    /// # Errors
    /// [`WalletError`], one variant per reason.
    pub fn build<R: CryptoRng + ?Sized>(
        &self,
        suite: &RangeSuite,
        owner: &Account,
        owned: &[OwnedCoin],
        rng: &mut R,
    ) -> Result<BuiltTransfer, WalletError> {
        let plan = self.plan(owner, owned)?;
        let transfer = self.prove(suite, owner, &plan, rng)?;
        let bundle = Bundle::transfer(transfer);
        self.self_check(suite, &bundle, &plan)?;
        Ok(BuiltTransfer {
            tx: bundle.id(),
            bundle,
            fee: plan.fee,
            spent: plan.coins.iter().map(|c| c.id()).collect(),
            change: plan.change,
        })
    }

    fn plan<'c>(&self, owner: &Account, owned: &'c [OwnedCoin]) -> Result<Plan<'c>, WalletError> {
        let got = self.payments.len();
        if got > PAYMENTS_MAX {
            return Err(WalletError::TooManyPayments {
                got,
                max: PAYMENTS_MAX,
            });
        }
        let minted = self.mint.as_ref().map_or(0, |m| m.amount);
        if self.mint.is_some() && minted == 0 {
            return Err(WalletError::Nothing);
        }
        let paid = self
            .payments
            .iter()
            .try_fold(self.burn, |sum, p| sum.checked_add(p.amount));
        let paid = paid.ok_or(WalletError::Overflow)?;
        let (coins, sum, fee) = self.inputs(owned, paid, minted)?;
        let available = sum.checked_add(minted).ok_or(WalletError::Overflow)?;
        let need = paid.checked_add(fee).ok_or(WalletError::Overflow)?;
        let change = available.checked_sub(need);
        let change = change.ok_or(WalletError::Insufficient {
            have: available,
            need,
        })?;
        let mut payments = self.payments.clone();
        payments.push(Payment {
            to: *owner.address(),
            amount: change,
        });
        Ok(Plan {
            coins,
            payments,
            fee,
            change,
        })
    }

    /// Coins, their sum, and the fee.
    fn inputs<'c>(
        &self,
        owned: &'c [OwnedCoin],
        paid: u64,
        minted: u64,
    ) -> Result<(Vec<&'c OwnedCoin>, u64, u64), WalletError> {
        let outputs = self.payments.len().saturating_add(1);
        let fee = |inputs| self.fee(inputs, outputs);
        // A mint that covers everything needs no coins.
        if self.mint.is_some() && paid.checked_add(fee(0)).is_some_and(|need| need <= minted) {
            return Ok((Vec::new(), 0, fee(0)));
        }
        let here = owned.iter().filter(|c| c.home() == self.home);
        let mut chosen = select(here, paid.saturating_sub(minted), fee)?;
        chosen.coins.sort_by_key(|c| c.id());
        Ok((chosen.coins, chosen.sum, chosen.fee))
    }

    /// The fee that this transfer would pay with so many inputs, units.
    #[must_use]
    pub fn fee_for(&self, inputs: usize) -> u64 {
        self.fee(inputs, self.payments.len().saturating_add(1))
    }

    /// What the size costs, plus the tip.
    fn fee(&self, inputs: usize, outputs: usize) -> u64 {
        let bytes = bundle_bytes(inputs, outputs, self.mint.is_some());
        let least = least_fee(bytes, self.rules.fee_per_byte, self.moment.multiplier);
        least.saturating_add(self.tip)
    }

    fn prove<R: CryptoRng + ?Sized>(
        &self,
        suite: &RangeSuite,
        owner: &Account,
        plan: &Plan<'_>,
        rng: &mut R,
    ) -> Result<Transfer, WalletError> {
        let secrets: Vec<_> = plan
            .coins
            .iter()
            .map(|c| c.one_time_secret(owner))
            .collect();
        let mut body = self.body(plan, &secrets);
        let (raw, openings) = self.outputs(suite, plan, rho(&body), rng)?;
        body.outputs = Bounded::try_from(raw).map_err(|_| WalletError::Overflow)?;
        let tx = body.id();
        let range_proof = RangeProof::prove(suite, &tx.0, &openings, rng);
        let range_proof = range_proof.map_err(|_| WalletError::RangeProof)?.to_bytes();
        let m = tx_message(tx, &range_proof).0;
        let spent = plan.coins.iter().map(|c| c.blinding());
        let made = openings.iter().map(|o| &o.blinding);
        let excess = ExcessProof::prove(suite.generators(), spent, made, &m, rng);
        let coins = plan.coins.iter().zip(&secrets);
        let input_proofs: Vec<_> = coins
            .map(|(c, x)| SpendProof::prove(x, c.id(), &m, rng).to_bytes())
            .collect();
        let authority = self.mint.as_ref().map(|mint| mint.authority);
        let sign = |key| schnorr::sign(tags::AUTHORITY.as_str(), key, &m, rng).to_bytes();
        Ok(Transfer {
            body,
            range_proof: Bytes::try_from(range_proof).map_err(|_| WalletError::RangeProof)?,
            excess: excess.to_bytes(),
            input_proofs: Bounded::try_from(input_proofs).map_err(|_| WalletError::Overflow)?,
            mint_signature: authority.map(sign),
        })
    }

    /// The body without outputs.
    fn body(&self, plan: &Plan<'_>, secrets: &[SecretScalar]) -> TransferBody {
        let inputs = plan.coins.iter().zip(secrets).map(|(c, x)| Input {
            coin: c.id(),
            image: key_image(x, c.id()).compress().0,
        });
        TransferBody {
            version: self.moment.version,
            genesis: self.rules.genesis,
            domain: self.rules.domain,
            home: self.home,
            // `select` keeps within the limit.
            inputs: Bounded::try_from(inputs.collect::<Vec<_>>()).unwrap_or_default(),
            outputs: Bounded::new(),
            fee: plan.fee,
            burn: self.burn,
            mint: self.mint.as_ref().map(|m| bundle::Mint {
                authority: m.authority.public().compress().0,
                nonce: m.nonce,
                amount: m.amount,
            }),
            valid_until: FrameNumber::new(self.moment.now.get().saturating_add(self.valid_for)),
        }
    }

    /// New outputs in random order, so that the position of the change says nothing.
    fn outputs<R: CryptoRng + ?Sized>(
        &self,
        suite: &RangeSuite,
        plan: &Plan<'_>,
        rho: Digest,
        rng: &mut R,
    ) -> Result<(Vec<Output>, Vec<Opening>), WalletError> {
        let mut shuffled = BTreeMap::new();
        for payment in &plan.payments {
            let mut at = rng.next_u64();
            while shuffled.contains_key(&at) {
                at = rng.next_u64();
            }
            shuffled.insert(at, payment);
        }
        let mut made = (Vec::new(), Vec::new());
        for (index, p) in (0u16..).zip(shuffled.into_values()) {
            let to =
                Recipient::new(*p.to.view(), *p.to.spend()).map_err(|_| WalletError::Address)?;
            let position = Position { rho, index };
            let (output, opening) = to.pay(suite.generators(), p.amount, position, rng);
            made.0.push(output);
            made.1.push(opening);
        }
        Ok(made)
    }

    fn self_check(
        &self,
        suite: &RangeSuite,
        bundle: &Bundle,
        plan: &Plan<'_>,
    ) -> Result<(), WalletError> {
        let checked = stateless(Arc::new(bundle.clone()), self.rules, self.moment.version);
        let checked = checked.map_err(WalletError::SelfCheck)?;
        let coins: Vec<_> = plan.coins.iter().map(|c| c.record().clone()).collect();
        verify_with(suite, &checked, &coins).map_err(WalletError::SelfCheck)
    }
}

struct Plan<'c> {
    coins: Vec<&'c OwnedCoin>,
    payments: Vec<Payment>,
    fee: u64,
    change: u64,
}

/// Encoded size of a bundle with these counts: every field of a transfer has a fixed size.
fn bundle_bytes(inputs: usize, outputs: usize, mints: bool) -> usize {
    let input = Input {
        coin: CoinId::ZERO,
        image: [0; 56],
    };
    let output = Output {
        key: [0; 56],
        commitment: [0; 56],
        ephemeral: [0; 56],
        view_tag: 0,
        enc_amount: [0; 8],
        kind: bundle::CoinKind::Plain,
    };
    let mint = bundle::Mint {
        authority: [0; 56],
        nonce: 0,
        amount: 0,
    };
    let body = TransferBody {
        version: 0,
        genesis: quil_types::GenesisHash::ZERO,
        domain: quil_types::Domain::ZERO,
        home: Home::default(),
        inputs: Bounded::try_from(vec![input; inputs]).unwrap_or_default(),
        outputs: Bounded::try_from(vec![output; outputs]).unwrap_or_default(),
        fee: 0,
        burn: 0,
        mint: mints.then_some(mint),
        valid_until: FrameNumber::ZERO,
    };
    let template = Bundle {
        fee: FeePart::Transfer(Box::new(Transfer {
            body,
            range_proof: Bytes::try_from(vec![
                0;
                RangeSuite::standard()
                    .proof_bytes(outputs)
                    .unwrap_or(0)
            ])
            .unwrap_or_default(),
            excess: [0; DECAF_PROOF_BYTES],
            input_proofs: Bounded::try_from(vec![[0; DECAF_PROOF_BYTES]; inputs])
                .unwrap_or_default(),
            mint_signature: mints.then_some([0; DECAF_PROOF_BYTES]),
        })),
        actions: Bounded::new(),
    };
    template.encode().len()
}
