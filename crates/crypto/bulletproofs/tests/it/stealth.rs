use quil_bulletproofs::{
    Generators,
    image::{SpendProof, key_image},
    stealth::{FoundCoin, Position, Recipient, SpendKey, ViewKey},
};
use quil_decaf::{CompressedPoint, DecodePointError, Point, Scalar, SecretScalar};
use quil_types::{CoinId, Digest, bundle::Output, hash::h, tags};

use crate::support::rng;

struct Account {
    view: ViewKey,
    spend: SpendKey,
}

impl Account {
    fn new(seed: u64) -> Self {
        let mut r = rng(seed);
        let spend = SpendKey::new(SecretScalar::random(&mut r));
        Self {
            view: ViewKey::new(SecretScalar::random(&mut r), spend.public()),
            spend,
        }
    }

    fn recipient(&self) -> Recipient {
        self.view.recipient().expect("keys are not the identity")
    }

    fn find(&self, output: &Output, at: Position) -> Option<FoundCoin> {
        self.view.scan(Generators::standard(), output, at)
    }
}

fn at(index: u16) -> Position {
    Position {
        rho: Digest([5; 32]),
        index,
    }
}

fn pay(to: &Account, amount: u64, position: Position, seed: u64) -> Output {
    to.recipient()
        .pay(Generators::standard(), amount, position, &mut rng(seed))
        .0
}

#[test]
fn receiver_finds_opens_and_can_spend() {
    let bob = Account::new(1);
    for amount in [0, 1, 1000, u64::MAX] {
        let (output, opening) =
            bob.recipient()
                .pay(Generators::standard(), amount, at(3), &mut rng(amount));
        let found = bob.find(&output, at(3)).expect("own output");
        assert_eq!(found.opening.amount, amount);
        assert_eq!(found.opening.blinding.expose(), opening.blinding.expose());
        assert_eq!(
            found.opening.commit(Generators::standard()).to_bytes(),
            output.commitment
        );
        let x = bob.spend.coin_secret(&found);
        let key = CompressedPoint(output.key)
            .decompress_nonidentity()
            .expect("key");
        assert_eq!(x.public(), key);
        let coin = CoinId([amount as u8; 32]);
        let proof = SpendProof::prove(&x, coin, &[1; 32], &mut rng(9));
        assert_eq!(
            proof.verify(&key, &key_image(&x, coin), coin, &[1; 32]),
            Ok(())
        );
    }
}

#[test]
fn others_find_nothing() {
    let (bob, eve) = (Account::new(1), Account::new(2));
    for seed in 0..8 {
        assert!(eve.find(&pay(&bob, 5, at(0), seed), at(0)).is_none());
    }
    // Not even with the same view secret but another spend key, or the reverse.
    let mixed = ViewKey::new(SecretScalar::random(&mut rng(99)), bob.spend.public());
    assert!(
        mixed
            .scan(Generators::standard(), &pay(&bob, 5, at(0), 1), at(0))
            .is_none()
    );
}

#[test]
fn view_key_alone_does_not_spend() {
    let bob = Account::new(1);
    let output = pay(&bob, 5, at(0), 7);
    let found = bob.find(&output, at(0)).expect("own output");
    let key = CompressedPoint(output.key).decompress().expect("key");
    assert_ne!(found.offset.public(), key);
    assert_eq!(found.offset.public() + bob.spend.public(), key);
}

#[test]
fn output_bound_to_rho_and_index() {
    let bob = Account::new(1);
    let output = pay(&bob, 5, at(1), 7);
    assert!(bob.find(&output, at(1)).is_some());
    assert!(bob.find(&output, at(2)).is_none());
    assert!(
        bob.find(
            &output,
            Position {
                rho: Digest([6; 32]),
                index: 1
            }
        )
        .is_none()
    );
}

#[test]
fn repeated_ephemeral_secret_gives_distinct_keys() {
    // The same seed repeats r; index and rho still separate key, commitment and mask.
    let bob = Account::new(1);
    let (a, b) = (pay(&bob, 5, at(0), 7), pay(&bob, 5, at(1), 7));
    let c = pay(
        &bob,
        5,
        Position {
            rho: Digest([6; 32]),
            index: 0,
        },
        7,
    );
    assert_eq!(a.ephemeral, b.ephemeral);
    for (x, y) in [(&a, &b), (&a, &c), (&b, &c)] {
        assert_ne!(x.key, y.key);
        assert_ne!(x.commitment, y.commitment);
        assert_ne!(x.enc_amount, y.enc_amount);
    }
}

#[test]
fn every_mutated_field_is_refused() {
    let bob = Account::new(1);
    let good = pay(&bob, 5, at(0), 7);
    let refused = |o: &Output| bob.find(o, at(0)).is_none();
    for i in 0..56 {
        let flip = |b: &mut [u8; 56]| b[i] ^= 1 << (i % 8);
        let mut o = good.clone();
        flip(&mut o.key);
        assert!(refused(&o));
        let mut o = good.clone();
        flip(&mut o.commitment);
        assert!(refused(&o));
        let mut o = good.clone();
        flip(&mut o.ephemeral);
        assert!(refused(&o));
    }
    for i in 0..8 {
        let mut o = good.clone();
        o.enc_amount[i] ^= 1 << i;
        assert!(refused(&o), "commitment of another amount");
    }
    for bit in 0..8 {
        let mut o = good.clone();
        o.view_tag ^= 1 << bit;
        assert!(refused(&o));
    }
}

#[test]
fn overstated_amount_is_refused() {
    // The sender announces 1000 but commits to 5.
    let bob = Account::new(1);
    let mut o = pay(&bob, 5, at(0), 7);
    let honest = pay(&bob, 1000, at(0), 7);
    o.enc_amount = honest.enc_amount;
    assert!(bob.find(&o, at(0)).is_none());
}

#[test]
fn secrets_follow_the_rule_of_t7() {
    let (bob, mut r) = (Account::new(1), rng(7));
    let output = pay(&bob, 5, at(4), 7);
    let ephemeral = SecretScalar::random(&mut r);
    assert_eq!(ephemeral.public().compress().0, output.ephemeral);
    let mut view = rng(1);
    let _spend = SecretScalar::random(&mut view);
    let view = SecretScalar::random(&mut view);
    let s = view.public() * *ephemeral.expose();
    let shared = h(
        tags::SHARE,
        &(output.ephemeral, s.compress().0, Digest([5; 32]), 4u16),
    );
    let k = Scalar::hash("share.key", &[&shared]);
    let b = Scalar::hash("share.blinding", &[&shared]);
    assert_eq!(
        (Point::generator() * k + bob.spend.public()).compress().0,
        output.key
    );
    let g = Generators::standard();
    let c = Point::generator() * Scalar::from(5u64) + Point::hash_to("gen.blinding", &[]) * b;
    assert_eq!(c.compress().0, output.commitment);
    assert_eq!(*g.blinding().point(), Point::hash_to("gen.blinding", &[]));
    let mask = h(tags::SHARE_AMOUNT, &shared);
    let plain: Vec<u8> = output
        .enc_amount
        .iter()
        .zip(mask)
        .map(|(a, m)| a ^ m)
        .collect();
    assert_eq!(plain, 5u64.to_le_bytes());
    assert_eq!(output.view_tag, h(tags::SHARE_VIEW, &shared)[0]);
}

#[test]
fn identity_keys_rejected() {
    let o = Point::IDENTITY;
    let g = Point::generator();
    assert_eq!(Recipient::new(o, g), Err(DecodePointError::Identity));
    assert_eq!(Recipient::new(g, o), Err(DecodePointError::Identity));
    assert_eq!(
        Recipient::from_bytes(&[0; 56], &g.compress().0),
        Err(DecodePointError::Identity)
    );
    assert_eq!(
        Recipient::from_bytes(&g.compress().0, &[0xff; 56]),
        Err(DecodePointError::Invalid)
    );
    assert!(Recipient::from_bytes(&g.compress().0, &g.compress().0).is_ok());
    let bob = Account::new(1);
    let mut output = pay(&bob, 5, at(0), 7);
    output.ephemeral = [0; 56];
    assert!(bob.find(&output, at(0)).is_none());
    assert!(
        ViewKey::new(SecretScalar::new(Scalar::ZERO), g)
            .recipient()
            .is_err()
    );
}

#[test]
fn secrets_print_nothing() {
    let bob = Account::new(1);
    let found = bob
        .find(&pay(&bob, 5, at(0), 7), at(0))
        .expect("own output");
    assert_eq!(
        format!("{found:?}"),
        "FoundCoin { opening: Opening(..), offset: SecretScalar(..) }"
    );
    assert_eq!(format!("{:?}", bob.spend), "SpendKey(SecretScalar(..))");
    assert!(format!("{:?}", bob.view).starts_with("ViewKey { secret: SecretScalar(..)"));
}
