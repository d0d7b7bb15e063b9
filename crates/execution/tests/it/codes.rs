//! Each of the fourteen codes, and which of two it is (T8).

use quil_decaf::SecretScalar;
use quil_execution::wallet::Mint;
use quil_keys::Account;
use quil_types::bundle::{Home, Mint as MintBody};
use quil_types::{Bundle, Bytes, Code, CoinId, Domain, FrameNumber, GenesisHash};

use crate::world::{SUITE, World, account, authority, bend, edit, raw, rng};

/// One coin of a million, and a payment from it.
fn paid() -> (World, Account, Bundle) {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &account(2), 400_000, 7);
    (w, alice, b)
}

fn code(w: &World, b: &Bundle, f: impl FnOnce(&mut quil_types::Transfer)) -> Option<Code> {
    w.refusal(bend(b, f))
}

#[test]
fn an_honest_transfer_is_accepted() {
    let (w, _, b) = paid();
    assert_eq!(w.refusal(b), None);
}

#[test]
fn tx_network() {
    let (w, _, b) = paid();
    assert_eq!(
        code(&w, &b, |t| t.body.genesis = GenesisHash([9; 32])),
        Some(Code::TxNetwork)
    );
    assert_eq!(code(&w, &b, |t| t.body.version = 2), Some(Code::TxNetwork));
    assert_eq!(
        code(&w, &b, |t| t.body.domain = Domain([9; 32])),
        Some(Code::TxNetwork)
    );
}

#[test]
fn tx_malformed() {
    let two = account(1);
    let w = World::with_coins(&two, &[600_000, 700_000]);
    let b = w.pay(&two, &account(2), 1_000_000, 7);
    let not_a_point = [0xff; 56];
    let malformed: [&dyn Fn(&mut quil_types::Transfer); 12] = [
        &|t| edit(&mut t.body.inputs, |v| v.reverse()),
        &|t| edit(&mut t.body.inputs, |v| v.clear()),
        &|t| edit(&mut t.input_proofs, |v| v.truncate(1)),
        &|t| edit(&mut t.input_proofs, |v| v.push([0; 112])),
        &|t| t.range_proof = Bytes::new(),
        &|t| edit(&mut t.body.outputs, |v| v.clear()),
        &|t| t.mint_signature = Some([0; 112]),
        &|t| edit(&mut t.body.inputs, |v| v[0].image = not_a_point),
        &|t| edit(&mut t.body.inputs, |v| v[0].image = [0; 56]),
        &|t| edit(&mut t.body.outputs, |v| v[0].key = [0; 56]),
        &|t| edit(&mut t.body.outputs, |v| v[0].ephemeral = not_a_point),
        &|t| edit(&mut t.body.outputs, |v| v[1].commitment = [0; 56]),
    ];
    for (i, f) in malformed.iter().enumerate() {
        assert_eq!(code(&w, &b, f), Some(Code::TxMalformed), "case {i}");
    }
}

#[test]
fn mint_of_zero_and_unsigned_mint_are_malformed() {
    let mut w = World::new();
    let b = w.mint(&account(1), 100);
    let zero = |t: &mut quil_types::Transfer| t.body.mint.as_mut().unwrap().amount = 0;
    assert_eq!(code(&w, &b, zero), Some(Code::TxMalformed));
    assert_eq!(
        code(&w, &b, |t| t.mint_signature = None),
        Some(Code::TxMalformed)
    );
}

#[test]
fn input_duplicate() {
    let (w, _, b) = paid();
    let same_coin = code(&w, &b, |t| {
        edit(&mut t.body.inputs, |v| v.push(v[0].clone()));
        edit(&mut t.input_proofs, |v| v.push(v[0]));
    });
    assert_eq!(same_coin, Some(Code::InputDuplicate));
    let same_image = code(&w, &b, |t| {
        edit(&mut t.body.inputs, |v| {
            let mut other = v[0].clone();
            other.coin = CoinId([0xff; 32]);
            v.push(other);
        });
        edit(&mut t.input_proofs, |v| v.push(v[0]));
    });
    assert_eq!(same_image, Some(Code::InputDuplicate));
}

#[test]
fn output_key_reused() {
    let (w, _, b) = paid();
    let reused = code(&w, &b, |t| {
        edit(&mut t.body.outputs, |v| v[1].key = v[0].key)
    });
    assert_eq!(reused, Some(Code::OutputKeyReused));
}

#[test]
fn tx_expired() {
    let (mut w, alice, b) = paid();
    let until = |n| move |t: &mut quil_types::Transfer| t.body.valid_until = FrameNumber::new(n);
    assert_eq!(code(&w, &b, until(w.now - 1)), Some(Code::TxExpired));
    let too_far = w.now + w.rules.validity + 1;
    assert_eq!(code(&w, &b, until(too_far)), Some(Code::TxExpired));
    let short = w.builder().pay(*account(2).address(), 5).valid_for(0);
    let short = short
        .build(&SUITE, &alice, &w.unspent(&alice), &mut rng(3))
        .unwrap()
        .bundle;
    assert_eq!(w.refusal(short.clone()), None, "the last frame counts");
    w.now += 1;
    assert_eq!(w.refusal(short), Some(Code::TxExpired));
}

#[test]
fn fee_low() {
    let (w, _, b) = paid();
    assert_eq!(code(&w, &b, |t| t.body.fee -= 1), Some(Code::FeeLow));
    let mut ctx = w.context();
    ctx.moment.multiplier += 1_000;
    let body = quil_types::Body::Shard(vec![b].try_into().unwrap());
    let risen = quil_execution::frame::execute(&w.state, &body, &ctx);
    assert!(matches!(
        risen,
        Err(quil_execution::frame::FrameError::Refused {
            code: Code::FeeLow,
            ..
        })
    ));
}

#[test]
fn tx_replayed() {
    let (mut w, _, b) = paid();
    w.run(vec![b.clone()]).unwrap();
    assert_eq!(w.refusal(b.clone()), Some(Code::TxReplayed));
    assert_eq!(
        code(&w, &b, |t| t.excess = [1; 112]),
        Some(Code::TxReplayed),
        "the identity leaves proofs out"
    );
}

#[test]
fn replayed_mint_is_a_replay() {
    let mut w = World::new();
    let b = w.mint(&account(1), 100);
    w.run(vec![b.clone()]).unwrap();
    assert_eq!(w.refusal(b), Some(Code::TxReplayed));
}

#[test]
fn input_unknown() {
    let (w, _, b) = paid();
    let other = code(&w, &b, |t| {
        edit(&mut t.body.inputs, |v| v[0].coin = CoinId([3; 32]))
    });
    assert_eq!(other, Some(Code::InputUnknown));
    let elsewhere = code(&w, &b, |t| t.body.home = Home([0, 1]));
    assert_eq!(
        elsewhere,
        Some(Code::InputUnknown),
        "a coin is known at its home only"
    );
    let tail = code(&w, &b, |t| {
        edit(&mut t.body.inputs, |v| v[0].coin.0[31] ^= 1)
    });
    assert_eq!(
        tail,
        Some(Code::InputUnknown),
        "all 32 bytes of the id count"
    );
}

#[test]
fn input_spent() {
    let (mut w, alice, b) = paid();
    let second = w.pay(&alice, &account(3), 300_000, 8);
    w.run(vec![b]).unwrap();
    assert_eq!(w.refusal(second), Some(Code::InputSpent));
}

#[test]
fn mint_unauthorised() {
    let mut w = World::new();
    let b = w.mint(&account(1), 100);
    let mint = |t: &mut quil_types::Transfer| t.body.mint.clone().unwrap();
    let stranger = SecretScalar::random(&mut rng(5)).public().compress().0;
    let other_key = code(&w, &b, |t| {
        t.body.mint = Some(MintBody {
            authority: stranger,
            ..mint(t)
        })
    });
    assert_eq!(other_key, Some(Code::MintUnauthorised));
    let unsigned = code(&w, &b, |t| t.mint_signature = Some([0; 112]));
    assert_eq!(unsigned, Some(Code::MintUnauthorised));
    let other_amount = code(&w, &b, |t| {
        t.body.mint = Some(MintBody {
            amount: 1 << 40,
            ..mint(t)
        })
    });
    assert_eq!(
        other_amount,
        Some(Code::MintUnauthorised),
        "the signature covers the amount"
    );
    let nonce_zero = code(&w, &b, |t| {
        t.body.mint = Some(MintBody {
            nonce: 0,
            ..mint(t)
        })
    });
    assert_eq!(nonce_zero, Some(Code::MintUnauthorised));
}

#[test]
fn mint_nonce_only_rises_and_supply_has_an_end() {
    let mut w = World::new();
    let (first, second) = (w.mint(&account(1), 100), w.mint(&account(1), 100));
    w.run(vec![second]).unwrap();
    assert_eq!(w.refusal(first), Some(Code::MintUnauthorised));
    let key = authority();
    let rest = Mint {
        authority: &key,
        nonce: 9,
        amount: u64::MAX,
    };
    let rest = w
        .builder()
        .mint(rest)
        .build(&SUITE, &account(1), &[], &mut rng(1))
        .unwrap();
    assert_eq!(w.refusal(rest.bundle), Some(Code::MintUnauthorised));
}

#[test]
fn sum_unbalanced() {
    let (w, _, b) = paid();
    assert_eq!(
        code(&w, &b, |t| t.body.fee += 1),
        Some(Code::SumUnbalanced),
        "another fee"
    );
    assert_eq!(
        code(&w, &b, |t| t.body.burn += 1),
        Some(Code::SumUnbalanced),
        "another burn"
    );
    assert_eq!(
        code(&w, &b, |t| t.excess = [0; 112]),
        Some(Code::SumUnbalanced)
    );
    assert_eq!(
        code(&w, &b, |t| t.excess = [0xff; 112]),
        Some(Code::SumUnbalanced),
        "no scalar"
    );
    assert_eq!(
        code(&w, &b, |t| t.body.home = Home::default()),
        None,
        "nothing changed"
    );
}

#[test]
fn more_out_than_in_is_unbalanced() {
    // The outputs of a richer transfer, spent from a poorer coin.
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000, 9_000_000]);
    let small = w.pay(&alice, &account(2), 400_000, 7);
    let big = w.pay(&alice, &account(2), 8_000_000, 7);
    let forged = bend(&small, |t| t.body.outputs = raw(&big).body.outputs.clone());
    assert_eq!(w.refusal(forged), Some(Code::SumUnbalanced));
}

#[test]
fn mint_amount_mismatch() {
    let mut w = World::new();
    let b = w.mint(&account(1), 100);
    let big = w.mint(&account(1), 1_000_000_000);
    // The authority signs a small amount over outputs of a large one.
    let mut forged = bend(&b, |t| t.body.outputs = raw(&big).body.outputs.clone());
    let m =
        quil_execution::token::ids::tx_message(raw(&forged).body.id(), &raw(&forged).range_proof);
    forged = bend(&forged, |t| t.mint_signature = Some(sign(&m.0)));
    assert_eq!(w.refusal(forged), Some(Code::MintAmountMismatch));
}

fn sign(m: &[u8; 32]) -> [u8; 112] {
    let tag = quil_types::tags::AUTHORITY.as_str();
    quil_decaf::schnorr::sign(tag, &authority(), m, &mut rng(1)).to_bytes()
}

#[test]
fn input_signature_of_another_owner() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &account(2), 400_000, 7);
    let other = w.pay(&alice, &account(2), 400_000, 8);
    let foreign = code(&w, &b, |t| {
        t.input_proofs = raw(&other).input_proofs.clone()
    });
    assert_eq!(
        foreign,
        Some(Code::InputSignature),
        "a proof belongs to one transfer"
    );
    assert_eq!(
        code(&w, &b, |t| edit(&mut t.input_proofs, |v| v[0] = [0; 112])),
        Some(Code::InputSignature)
    );
}

#[test]
fn input_signature_without_the_spend_key() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    // Mallory knows the openings (say, through a leaked view key) and tries her own spend key.
    let mallory = account(9);
    let coins = w.unspent(&alice);
    let built =
        w.builder()
            .pay(*account(2).address(), 1)
            .build(&SUITE, &mallory, &coins, &mut rng(2));
    let expected = quil_execution::wallet::WalletError::SelfCheck(Code::InputSignature);
    assert_eq!(built.unwrap_err(), expected);
}

#[test]
fn swapped_key_images_are_refused() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[600_000, 700_000]);
    let b = w.pay(&alice, &alice, 1_000_000, 7);
    let mut t = raw(&b).clone();
    edit(&mut t.body.inputs, |v| {
        let first = v[0].image;
        v[0].image = v[1].image;
        v[1].image = first;
    });
    // Everything that the swap touches is signed again; only the images are wrong.
    let forged = crate::forge::resign(&w, t);
    assert_eq!(w.refusal(forged), Some(Code::InputSignature));
}

#[test]
fn output_range() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &alice, 400_000, 7);
    assert_eq!(
        w.refusal(crate::forge::resign(&w, raw(&b).clone())),
        None,
        "signing again is no forgery"
    );
    for at in [0, 60, 300, 500] {
        let mut proof = raw(&b).range_proof.to_vec();
        proof[at] ^= 1;
        let forged = crate::forge::with_range_proof(&w, raw(&b), &proof);
        assert_eq!(w.refusal(forged), Some(Code::OutputRange), "byte {at}");
    }
    let short = crate::forge::with_range_proof(&w, raw(&b), &raw(&b).range_proof[..56]);
    assert_eq!(w.refusal(short), Some(Code::OutputRange));
}

#[test]
fn a_range_proof_belongs_to_one_transfer() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &alice, 400_000, 7);
    let later = bend(&b, |t| t.body.valid_until = FrameNumber::new(w.now + 5));
    let moved = crate::forge::resign(&w, raw(&later).clone());
    assert_eq!(
        w.refusal(moved),
        Some(Code::OutputRange),
        "its transcript starts with tx_id"
    );
}

#[test]
fn negative_output_balances_but_is_out_of_range() {
    let (w, alice, _) = paid();
    let forged = crate::forge::negative_output(&w, &alice);
    assert_eq!(w.refusal(forged), Some(Code::OutputRange));
}
