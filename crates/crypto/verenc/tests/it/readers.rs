//! Several readers of one object.

use quil_decaf::{CompressedPoint, DecodePointError, FixedBase, Point, Scalar, SecretScalar};
use quil_types::{Canonical, Digest};
use quil_verenc::{
    Ciphertext, Draft, OpenError, ReaderError, Readers, Record, RecordError, Share,
    limits::{READERS_MAX, RECORD_BYTES_MAX},
};

use crate::support::{Object, bad_points, context, key, point, readers, rng, secret};

#[test]
fn every_reader_opens_the_same_body() {
    for n in [1, 2, 3, 16] {
        let seeds: Vec<u64> = (1..=n).collect();
        let (set, order) = readers(&seeds);
        let o = Object::new(context(), set, b"for all of you", n);
        let v = o.verified();
        for seed in order {
            let opened = v.unlock(&secret(seed)).expect("reader").open(&o.sealed);
            assert_eq!(opened.expect("opens").as_slice(), b"for all of you");
        }
        assert_eq!(v.unlock(&secret(50)).err(), Some(OpenError::NotAReader));
        let wire = o.record.encode();
        assert_eq!(wire.len() as u64, 132 + 168 * n);
        assert!(wire.len() <= RECORD_BYTES_MAX);
    }
}

#[test]
fn reader_sets_are_ascending_distinct_and_bounded() {
    let mut keys: Vec<_> = (1..=17).map(key).collect();
    keys.sort();
    assert!(Readers::new(&keys[..READERS_MAX]).is_ok());
    assert_eq!(Readers::new(&keys), Err(ReaderError::Order));
    assert_eq!(Readers::new(&[]), Err(ReaderError::Empty));
    assert_eq!(
        Readers::new(&[keys[1], keys[0]]),
        Err(ReaderError::Order),
        "order"
    );
    assert_eq!(
        Readers::new(&[keys[0], keys[0]]),
        Err(ReaderError::Order),
        "repeated"
    );
    let one = Readers::one(keys[3]).expect("a key");
    assert_eq!((one.count(), one.position(&keys[3])), (1, Some(0)));
    assert_eq!(one.position(&keys[4]), None);
}

#[test]
fn identity_and_non_canonical_reader_keys_rejected() {
    let err = |k| Readers::one(CompressedPoint(k)).err();
    assert_eq!(
        err([0; 56]),
        Some(ReaderError::Key {
            index: 0,
            error: DecodePointError::Identity
        })
    );
    for bad in bad_points() {
        assert_eq!(
            err(bad),
            Some(ReaderError::Key {
                index: 0,
                error: DecodePointError::Invalid
            })
        );
    }
    assert_eq!(
        Readers::new(&[key(1), CompressedPoint([0xff; 56])]),
        Err(ReaderError::Key {
            index: 1,
            error: DecodePointError::Invalid
        })
    );
}

#[test]
fn swapped_ciphertexts_of_two_readers_rejected() {
    let (set, _) = readers(&[1, 2, 3]);
    let o = Object::new(context(), set, b"body", 5);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let mut whole = o.record.shares.clone().into_vec();
        let mut part = whole.clone();
        whole.swap(a, b);
        (part[a].ciphertext, part[b].ciphertext) = (part[b].ciphertext, part[a].ciphertext);
        let mut responses = o.record.shares.clone().into_vec();
        (responses[a].response, responses[b].response) =
            (responses[b].response, responses[a].response);
        for shares in [whole, part, responses] {
            let mut r = o.record.clone();
            r.shares = shares.try_into().expect("three");
            assert_eq!(
                r.verify(&o.context, &o.readers).err(),
                Some(RecordError::Proof)
            );
        }
    }
    for n in [0, 1, 2, 4] {
        let mut shares = o.record.shares.clone().into_vec();
        shares.resize(n, o.record.shares[0]);
        let mut r = o.record.clone();
        r.shares = shares.try_into().expect("bounded");
        assert_eq!(
            r.verify(&o.context, &o.readers).err(),
            Some(RecordError::ReaderCount {
                found: n,
                readers: 3
            })
        );
    }
}

#[test]
fn more_readers_than_the_bound_do_not_decode() {
    let (set, _) = readers(&(1..=16).collect::<Vec<_>>());
    let o = Object::new(context(), set, b"", 5);
    let mut wire = o.record.encode();
    assert_eq!(wire.len(), RECORD_BYTES_MAX);
    wire[0] = 17;
    wire.splice(4..4, [1; 168]);
    assert!(Record::decode(&wire, RECORD_BYTES_MAX + 168).is_err());
    wire[..4].copy_from_slice(&[0xff; 4]);
    assert!(Record::decode(&wire, RECORD_BYTES_MAX + 168).is_err());
}

fn points(set: &Readers) -> Vec<Point> {
    set.encodings().iter().map(point).collect()
}

/// Ciphertexts of the given elements, proven by hand with the known r_i: where the elements differ, one equation does
/// not hold.
fn by_hand(set: &Readers, elements: &[Point]) -> Record {
    let mut rng = rng(3);
    let y = points(set);
    let base = FixedBase::generator();
    let mut scalars = || -> Vec<Scalar> { y.iter().map(|_| Scalar::random(&mut rng)).collect() };
    let (r, k) = (scalars(), scalars());
    let mut shares: Vec<Share> = (0..y.len())
        .map(|i| Share {
            ciphertext: Ciphertext {
                c1: base.mul(&r[i]).compress().0,
                c2: (elements[i] + y[i] * r[i]).compress().0,
            },
            response: [0; 56],
        })
        .collect();
    let mut record = Record {
        shares: shares.clone().try_into().expect("bounded"),
        key_check: [0; 32],
        body: Digest::ZERO,
        length: 0,
        challenge: [0; 56],
    };
    let commitment = record.commitment(&context(), set);
    let mut parts = vec![commitment.as_bytes().to_vec()];
    parts.extend(k.iter().map(|k| base.mul(k).compress().0.to_vec()));
    parts.extend((1..y.len()).map(|i| (y[i] * k[i] - y[0] * k[0]).compress().0.to_vec()));
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let c = Scalar::hash("data.proof", &parts);
    for (i, share) in shares.iter_mut().enumerate() {
        share.response = (k[i] + c * r[i]).to_bytes();
    }
    record.challenge = c.to_bytes();
    record.shares = shares.try_into().expect("bounded");
    record
}

#[test]
fn different_keys_for_two_readers_rejected() {
    let (set, _) = readers(&[1, 2, 3]);
    let (m, other) = (Point::hash_to("test", b"1"), Point::hash_to("test", b"2"));
    for bad in [[m, other, m], [m, m, other], [other, m, m]] {
        assert_eq!(
            by_hand(&set, &bad).verify(&context(), &set).err(),
            Some(RecordError::Proof)
        );
    }
    // The same hand with equal keys is accepted, so the test rejects for the right reason. Its key check is wrong.
    let honest = by_hand(&set, &[m; 3]);
    let honest = honest.verify(&context(), &set).expect("equal keys");
    for seed in [1, 2, 3] {
        assert_eq!(
            honest.unlock(&secret(seed)).err(),
            Some(OpenError::KeyCheck)
        );
    }
}

/// Keys with a known relation give away nothing, because every reader has a ciphertext with its own r.
#[test]
fn related_reader_keys_do_not_give_the_key_away() {
    let a = secret(1).public();
    let mut keys = vec![a.compress(), a.double().compress(), (-a).compress()];
    keys.sort();
    let set = Readers::new(&keys).expect("distinct");
    let o = Object::new(context(), set.clone(), b"x", 4);
    let (v, at) = (o.verified(), |p: Point| {
        o.record.shares[set.position(&p.compress()).expect("reader")].ciphertext
    });
    let double = SecretScalar::new(*secret(1).expose() + *secret(1).expose());
    for s in [secret(1), double] {
        let opened = v.unlock(&s).expect("reader").open(&o.sealed);
        assert_eq!(opened.expect("opens").as_slice(), b"x");
    }
    // With one r for all, 2 c2(Y) - c2(2Y) would be M, and c2(Y) + c2(-Y) would be 2 M.
    let m = point(&at(a).c2) - point(&at(a).c1) * *secret(1).expose();
    let c2 = |p| point(&at(p).c2);
    assert_ne!(c2(a).double() - c2(a.double()), m);
    assert_ne!(c2(a) + c2(-a), m.double());
    let c1: std::collections::BTreeSet<_> =
        o.record.shares.iter().map(|s| s.ciphertext.c1).collect();
    assert_eq!(c1.len(), 3, "three different r");
}

#[test]
fn drafts_need_a_writer_key() {
    for writer in [[0; 56], [0xff; 56]] {
        let mut c = context();
        c.writer = writer;
        let draft = Draft::new(c, readers(&[1]).0, &mut rng(1));
        assert_eq!(draft.err(), Some(quil_verenc::SealError::Writer));
    }
}
