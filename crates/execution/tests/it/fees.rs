//! Fee balances (F2) and the price of size.

use quil_decaf::{SecretScalar, schnorr};
use quil_execution::fee::{MULTIPLIER_ONE, least_fee};
use quil_execution::frame::{FrameError, execute};
use quil_execution::state::{MemoryState, Overlay};
use quil_execution::token::ids::debit_message;
use quil_execution::token::records::{account_key, load_account, load_supply, supply_key};
use quil_execution::token::{FeeAccount, TokenRecord};
use quil_types::bundle::{AccountDebit, FeePart};
use quil_types::{Body, Bounded, Bundle, Canonical, Code, FrameNumber, GenesisHash, tags};

use crate::world::{World, account, raw, rng};

fn owner() -> SecretScalar {
    SecretScalar::random(&mut rng(77))
}

fn funded(balance: u64) -> World {
    let mut w = World::new();
    let mut o = Overlay::new(MemoryState::new());
    let record = TokenRecord::Account(FeeAccount { balance, nonce: 3 });
    o.put(
        account_key(w.rules.domain, &owner().public().compress().0),
        record.encode(),
    )
    .unwrap();
    w.state.apply(&o.into_writes());
    w
}

fn debit(w: &World, nonce: u64, fee: u64, f: impl FnOnce(&mut AccountDebit)) -> Bundle {
    let mut d = AccountDebit {
        genesis: w.rules.genesis,
        key: owner().public().compress().0,
        nonce,
        fee,
        valid_until: FrameNumber::new(w.now + 5),
        signature: [0; 112],
    };
    f(&mut d);
    let mut bundle = Bundle {
        fee: FeePart::AccountDebit(Box::new(d.clone())),
        actions: Bounded::new(),
    };
    let m = debit_message(&d, &bundle);
    d.signature = schnorr::sign(tags::DEBIT.as_str(), &owner(), &m.0, &mut rng(1)).to_bytes();
    bundle.fee = FeePart::AccountDebit(Box::new(d));
    bundle
}

#[test]
fn debit_pays_burns_and_moves_the_nonce() {
    let mut w = funded(10_000);
    let result = w
        .run(vec![
            debit(&w, 4, 3_000, |_| {}),
            debit(&w, 9, 2_000, |_| {}),
        ])
        .unwrap();
    assert_eq!(
        result.receipts.iter().map(|r| r.fee).collect::<Vec<_>>(),
        [3_000, 2_000]
    );
    let key = account_key(w.rules.domain, &owner().public().compress().0);
    let left = FeeAccount {
        balance: 5_000,
        nonce: 9,
    };
    assert_eq!(load_account(&w.state, &key).unwrap(), Some(left));
    let supply = load_supply(&w.state, &supply_key(w.rules.domain))
        .unwrap()
        .unwrap();
    assert_eq!(supply.burned, 5_000);
}

#[test]
fn every_way_to_debit_wrongly_has_its_code() {
    let w = funded(10_000);
    let code = |b| w.refusal(b);
    assert_eq!(code(debit(&w, 4, 3_000, |_| {})), None);
    assert_eq!(
        code(debit(&w, 4, 3_000, |d| d.genesis = GenesisHash([1; 32]))),
        Some(Code::TxNetwork)
    );
    assert_eq!(
        code(debit(&w, 4, 3_000, |d| d.key = [0; 56])),
        Some(Code::TxMalformed)
    );
    let late = debit(&w, 4, 3_000, |d| d.valid_until = FrameNumber::ZERO);
    assert_eq!(code(late), Some(Code::TxExpired));
    assert_eq!(code(debit(&w, 4, 10, |_| {})), Some(Code::FeeLow));
    assert_eq!(code(debit(&w, 3, 3_000, |_| {})), Some(Code::TxReplayed));
    assert_eq!(code(debit(&w, 4, 10_001, |_| {})), Some(Code::InputSpent));
    let stranger = SecretScalar::random(&mut rng(5)).public().compress().0;
    assert_eq!(
        code(debit(&w, 4, 3_000, |d| d.key = stranger)),
        Some(Code::InputUnknown)
    );
    let mut forged = debit(&w, 4, 3_000, |_| {});
    if let FeePart::AccountDebit(d) = &mut forged.fee {
        d.fee += 1;
    }
    assert_eq!(code(forged), Some(Code::InputSignature));
}

#[test]
fn builder_pays_exactly_the_least_fee_at_any_multiplier() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[90_000_000]);
    for multiplier in [MULTIPLIER_ONE, 1_125_001, 7_777_777] {
        let mut m = w.moment();
        m.multiplier = multiplier;
        let b =
            quil_execution::wallet::TransferBuilder::new(&w.rules, m).pay(*account(2).address(), 5);
        let b = b
            .build(
                &crate::world::SUITE,
                &alice,
                &w.unspent(&alice),
                &mut rng(1),
            )
            .unwrap();
        let bytes = b.bundle.encode().len();
        assert_eq!(b.fee, least_fee(bytes, w.rules.fee_per_byte, multiplier));
        let mut ctx = w.context();
        ctx.moment = m;
        let body = Body::Shard(vec![b.bundle].try_into().unwrap());
        assert!(execute(&w.state, &body, &ctx).is_ok());
        ctx.moment.multiplier += MULTIPLIER_ONE;
        let dearer = execute(&w.state, &body, &ctx).unwrap_err();
        assert_eq!(
            dearer,
            FrameError::Refused {
                index: 0,
                code: Code::FeeLow
            }
        );
    }
}

#[test]
fn tip_is_paid_above_the_least_fee() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let build = |tip| {
        let b = w.builder().pay(*account(2).address(), 5).tip(tip);
        b.build(
            &crate::world::SUITE,
            &alice,
            &w.unspent(&alice),
            &mut rng(1),
        )
        .unwrap()
    };
    assert_eq!(build(1_000).fee, build(0).fee + 1_000);
    assert_eq!(raw(&build(7).bundle).body.fee, build(7).fee);
}
