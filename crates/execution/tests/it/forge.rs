//! What a dishonest wallet can make: T1, T5, T6 and T7 written out a second time, on group operations alone.

use quil_decaf::{CompressedPoint, FixedBase, Point, Scalar, SecretScalar, dleq, schnorr};
use quil_execution::token::ids::{rho, tx_message};
use quil_keys::Account;
use quil_types::bundle::{Output, Transfer};
use quil_types::hash::h;
use quil_types::{Bundle, Bytes, CoinId, Digest, tags};

use crate::world::{World, account, bend, edit, raw, rng};

fn hash_point(tag: tags::Tag, data: &[u8]) -> Point {
    Point::hash_to(tag.as_str(), data)
}

fn blinding_base() -> Point {
    hash_point(tags::GEN_BLINDING, &[])
}

/// What the receiver of an output knows: offset `k` and blinding.
pub(crate) struct Known {
    pub(crate) k: Scalar,
    pub(crate) blinding: Scalar,
}

/// T7 from the receiver's side.
pub(crate) fn known(view: &SecretScalar, o: &Output, rho: Digest, index: u16) -> Known {
    let ephemeral = CompressedPoint(o.ephemeral).decompress().unwrap();
    let s = (&ephemeral * view.expose()).compress().0;
    let shared = h(tags::SHARE, &(o.ephemeral, s, rho, index));
    Known {
        k: Scalar::hash(tags::SHARE_KEY.as_str(), &[&shared]),
        blinding: Scalar::hash(tags::SHARE_BLINDING.as_str(), &[&shared]),
    }
}

/// Signs a transfer of account 1 again, whose outputs all belong to account 1 too: excess and input proofs fit the
/// body as it is now, the range proof is left alone.
pub(crate) fn resign(w: &World, t: Transfer) -> Bundle {
    let made = blinding_sum(&t);
    sign_with(w, t, made)
}

/// Signs a transfer of account 1 whose outputs have blindings that sum to `made`.
pub(crate) fn sign_with(w: &World, mut t: Transfer, made: Scalar) -> Bundle {
    let owner = account(1);
    let m = tx_message(t.body.id(), &t.range_proof);
    let coins = w.coins_at(t.body.home);
    let mut spent = Scalar::default();
    let mut proofs = Vec::new();
    for input in &t.body.inputs {
        let c = coins
            .iter()
            .find(|c| c.id(w.rules.genesis, w.rules.domain) == input.coin)
            .unwrap();
        let opened = known(owner.view_secret(), &c.output, c.rho, c.index);
        spent += opened.blinding;
        let x = SecretScalar::new(opened.k + *owner.spend_secret().expose());
        proofs.push(prove_input(&m, input.coin, &x, input.image));
    }
    let z = SecretScalar::new(spent - made);
    let base = FixedBase::new(&blinding_base());
    t.excess = schnorr::sign_on(&base, tags::EXCESS.as_str(), &z, &m.0, &mut rng(1)).to_bytes();
    edit(&mut t.input_proofs, |v| *v = proofs);
    Bundle::transfer(t)
}

fn prove_input(m: &Digest, coin: CoinId, x: &SecretScalar, image: [u8; 56]) -> [u8; 112] {
    let statement = dleq::Statement {
        message: m.0,
        base: hash_point(tags::IMAGE, &coin.0),
        public: x.public(),
        image: CompressedPoint(image).decompress().unwrap(),
    };
    dleq::prove(tags::DLEQ.as_str(), &statement, x, &mut rng(2)).to_bytes()
}

/// A transfer of account 1 to itself with another range proof, signed again.
pub(crate) fn with_range_proof(w: &World, t: &Transfer, proof: &[u8]) -> Bundle {
    let mut t = t.clone();
    t.range_proof = Bytes::from_slice(proof).unwrap();
    resign(w, t)
}

/// Two outputs worth more than the input and less than nothing: the sum balances in the exponent.
pub(crate) fn negative_output(w: &World, from: &Account) -> Bundle {
    let honest = w.pay(from, &account(1), 1_000, 5);
    let body = &raw(&honest).body;
    let spent: u64 = w
        .unspent(from)
        .iter()
        .map(quil_execution::wallet::OwnedCoin::amount)
        .sum();
    let rest = Scalar::from(spent - body.fee);
    let amounts = [
        rest + Scalar::from(5_000_000u64),
        -Scalar::from(5_000_000u64),
    ];
    let blindings = [Scalar::from(11u64), Scalar::from(12u64)];
    let forged = bend(&honest, |t| {
        edit(&mut t.body.outputs, |v| {
            for ((o, a), b) in v.iter_mut().zip(amounts).zip(blindings) {
                let c = Point::generator() * a + blinding_base() * b;
                o.commitment = c.compress().0;
            }
        });
    });
    sign_with(w, raw(&forged).clone(), blindings.into_iter().sum())
}

/// Sum of the output blindings of a transfer whose outputs all belong to account 1.
pub(crate) fn blinding_sum(t: &Transfer) -> Scalar {
    let (rho, owner) = (rho(&t.body), account(1));
    let made = (0u16..).zip(&t.body.outputs);
    made.map(|(i, o)| known(owner.view_secret(), o, rho, i).blinding)
        .sum()
}
