//! A record belongs to one object, version, writer, reader and body.

use quil_decaf::{FixedBase, Point, Scalar};
use quil_types::{Canonical, Digest, Domain, GenesisHash, tags};
use quil_verenc::{
    Ciphertext, Context, ObjectId, OpenError, Record, RecordError, Version,
    limits::RECORD_BYTES_MAX,
};

use crate::support::{Object, bad_points, context, key, order, point, readers, rng, secret, share};

fn rejected_in(object: &Object, change: impl FnOnce(&mut Context)) {
    let mut other = object.context.clone();
    change(&mut other);
    assert_ne!(other, object.context, "the change changes something");
    assert_eq!(
        object.record.verify(&other, &object.readers).err(),
        Some(RecordError::Proof)
    );
}

#[test]
fn record_bound_to_network_domain_object_version_previous() {
    let o = Object::simple(b"body");
    o.verified();
    rejected_in(&o, |c| c.genesis = GenesisHash([9; 32]));
    rejected_in(&o, |c| c.domain = Domain([9; 32]));
    rejected_in(&o, |c| c.object = ObjectId([9; 32]));
    rejected_in(&o, |c| c.version = Version::new(8));
    rejected_in(&o, |c| c.version = Version::new(6));
    rejected_in(&o, |c| c.previous = Digest::ZERO);
    // Fields that trade places are not the same fields.
    rejected_in(&o, |c| {
        core::mem::swap(&mut c.domain.0, &mut c.object.0);
    });
}

#[test]
fn record_bound_to_writer() {
    let o = Object::simple(b"body");
    rejected_in(&o, |c| c.writer = key(101).0);
    rejected_in(&o, |c| c.writer = (-secret(100).public()).compress().0);
}

#[test]
fn record_bound_to_reader() {
    let o = Object::simple(b"body");
    for other in [2, 3, 100] {
        let (r, _) = readers(&[other]);
        assert_eq!(
            o.record.verify(&o.context, &r).err(),
            Some(RecordError::Proof)
        );
    }
    let (two, _) = readers(&[1, 2]);
    assert_eq!(
        o.record.verify(&o.context, &two).err(),
        Some(RecordError::ReaderCount {
            found: 1,
            readers: 2
        })
    );
}

#[test]
fn record_bound_to_body_length_and_key_check() {
    let o = Object::simple(b"body");
    let changed = |f: &dyn Fn(&mut Record)| {
        let mut r = o.record.clone();
        f(&mut r);
        r.verify(&o.context, &o.readers).err()
    };
    assert_eq!(changed(&|r| r.body.0[0] ^= 1), Some(RecordError::Proof));
    assert_eq!(changed(&|r| r.length += 1), Some(RecordError::Proof));
    assert_eq!(changed(&|r| r.key_check[31] ^= 1), Some(RecordError::Proof));
    assert_eq!(changed(&|r| r.length = u64::MAX), Some(RecordError::Length));
}

#[test]
fn proof_of_another_record_rejected() {
    let a = Object::simple(b"body");
    let b = Object::new(context(), a.readers.clone(), b"body", 12);
    let mut next = context();
    next.version = Version::new(8);
    let c = Object::new(next, a.readers.clone(), b"body", 11);
    for other in [&b, &c] {
        let mut mixed = a.record.clone();
        mixed.challenge = other.record.challenge;
        share(&mut mixed).response = other.record.shares[0].response;
        assert_eq!(
            mixed.verify(&a.context, &a.readers).err(),
            Some(RecordError::Proof)
        );
    }
}

#[test]
fn ciphertexts_of_another_record_rejected() {
    let a = Object::simple(b"body");
    let b = Object::new(context(), a.readers.clone(), b"body", 12);
    let mixes: [fn(&mut Record, &Record); 5] = [
        |r, o| share(r).ciphertext.c1 = o.shares[0].ciphertext.c1,
        |r, o| share(r).ciphertext.c2 = o.shares[0].ciphertext.c2,
        |r, o| share(r).ciphertext = o.shares[0].ciphertext,
        |r, o| r.shares = o.shares.clone(),
        |r, o| (r.shares, r.key_check) = (o.shares.clone(), o.key_check),
    ];
    for mix in mixes {
        let mut mixed = a.record.clone();
        mix(&mut mixed, &b.record);
        assert_eq!(
            mixed.verify(&a.context, &a.readers).err(),
            Some(RecordError::Proof)
        );
    }
    let mut swapped = a.record.clone();
    let c = swapped.shares[0].ciphertext;
    share(&mut swapped).ciphertext = Ciphertext { c1: c.c2, c2: c.c1 };
    assert_eq!(
        swapped.verify(&a.context, &a.readers).err(),
        Some(RecordError::Proof)
    );
}

/// Who knows no r cannot turn a ciphertext into one of the same or a related key for a record of their own.
#[test]
fn shifted_ciphertext_with_adapted_proof_rejected() {
    let o = Object::simple(b"body");
    let d = Scalar::from(5_u64);
    // r' = r + d: the same M, another randomness; s' = s + c d would fit if the challenge stayed.
    let mut moved = o.record.clone();
    let c = Scalar::from_bytes(&moved.challenge).expect("canonical");
    let mut part = share(&mut moved);
    let (c1, c2) = (point(&part.ciphertext.c1), point(&part.ciphertext.c2));
    part.ciphertext.c1 = (c1 + FixedBase::generator().mul(&d)).compress().0;
    part.ciphertext.c2 = (c2 + secret(1).public() * d).compress().0;
    let s = Scalar::from_bytes(&part.response).expect("canonical");
    part.response = (s + c * d).to_bytes();
    drop(part);
    assert_eq!(
        moved.verify(&o.context, &o.readers).err(),
        Some(RecordError::Proof)
    );
}

#[test]
fn every_flipped_bit_of_a_record_rejected() {
    let o = Object::simple(b"body");
    let wire = o.record.encode();
    assert_eq!(wire.len(), 300);
    for bit in 0..wire.len() * 8 {
        let mut bent = wire.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        let verdict = Record::decode(&bent, RECORD_BYTES_MAX)
            .map(|r| r.verify(&o.context, &o.readers).is_ok());
        assert_ne!(verdict.ok(), Some(true), "bit {bit}");
    }
}

#[test]
fn identity_and_non_canonical_points_rejected() {
    use quil_decaf::DecodePointError::{Identity, Invalid};
    let o = Object::simple(b"body");
    let with = |f: &dyn Fn(&mut Record)| {
        let mut r = o.record.clone();
        f(&mut r);
        r.verify(&o.context, &o.readers).err()
    };
    assert_eq!(
        with(&|r| share(r).ciphertext.c1 = [0; 56]),
        Some(RecordError::Ciphertext(Identity))
    );
    assert_eq!(
        with(&|r| share(r).ciphertext.c2 = [0; 56]),
        Some(RecordError::Ciphertext(Identity))
    );
    for bad in bad_points() {
        assert_eq!(
            with(&|r| share(r).ciphertext.c1 = bad),
            Some(RecordError::Ciphertext(Invalid))
        );
        assert_eq!(
            with(&|r| share(r).ciphertext.c2 = bad),
            Some(RecordError::Ciphertext(Invalid))
        );
        let mut context = o.context.clone();
        context.writer = bad;
        assert_eq!(
            o.record.verify(&context, &o.readers).err(),
            Some(RecordError::Writer(Invalid))
        );
    }
    let mut context = o.context.clone();
    context.writer = [0; 56];
    assert_eq!(
        o.record.verify(&context, &o.readers).err(),
        Some(RecordError::Writer(Identity))
    );
}

#[test]
fn non_canonical_scalars_rejected() {
    let o = Object::simple(b"body");
    let order = order();
    let set: [fn(&mut Record, [u8; 56]); 2] =
        [|r, s| r.challenge = s, |r, s| share(r).response = s];
    let old = [o.record.challenge, o.record.shares[0].response];
    for (set, mut value) in set.into_iter().zip(old) {
        // The same scalar plus the order is the same residue, and no second encoding of the proof.
        let mut carry = 0u16;
        for (b, l) in value.iter_mut().zip(order) {
            let sum = u16::from(*b) + u16::from(l) + carry;
            *b = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(carry, 0, "the sum has 56 bytes");
        for bad in [order, value, [0xff; 56]] {
            let mut r = o.record.clone();
            set(&mut r, bad);
            assert_eq!(
                r.verify(&o.context, &o.readers).err(),
                Some(RecordError::ProofEncoding)
            );
        }
    }
}

#[test]
fn zero_and_trivial_proofs_rejected() {
    let o = Object::simple(b"body");
    let one = Scalar::ONE.to_bytes();
    for (challenge, response) in [([0; 56], [0; 56]), (one, one), ([0; 56], one)] {
        let mut r = o.record.clone();
        r.challenge = challenge;
        share(&mut r).response = response;
        assert_eq!(
            r.verify(&o.context, &o.readers).err(),
            Some(RecordError::Proof)
        );
    }
}

/// A record made without knowing r: c1 copied from another writer's record, re-randomised c2, simulated proof.
#[test]
fn simulated_proof_rejected() {
    let o = Object::simple(b"body");
    let mut r = o.record.clone();
    r.key_check = [1; 32];
    let c1 = point(&r.shares[0].ciphertext.c1);
    let (c, s) = (Scalar::from(3_u64), Scalar::from(9_u64));
    // kG that fits c and s; the challenge that it hashes to is another one.
    let kg = FixedBase::generator().double_mul_vartime(&s, &-c, &c1);
    let commitment = r.commitment(&o.context, &o.readers);
    let hashed = Scalar::hash(
        tags::DATA_PROOF.as_str(),
        &[commitment.as_bytes(), kg.compress().as_bytes()],
    );
    for (c, s) in [(c, s), (hashed, s)] {
        r.challenge = c.to_bytes();
        share(&mut r).response = s.to_bytes();
        assert_eq!(
            r.verify(&o.context, &o.readers).err(),
            Some(RecordError::Proof)
        );
    }
}

/// The proof is of r over the generator: an implementation of the equation by hand accepts the same records.
#[test]
fn proof_is_the_documented_equation() {
    let o = Object::simple(b"body");
    let c1 = point(&o.record.shares[0].ciphertext.c1);
    let c = Scalar::from_bytes(&o.record.challenge).expect("canonical");
    let s = Scalar::from_bytes(&o.record.shares[0].response).expect("canonical");
    let kg: Point = Point::generator() * s - c1 * c;
    let commitment = o.record.commitment(&o.context, &o.readers);
    let again = Scalar::hash(
        "data.proof",
        &[commitment.as_bytes(), kg.compress().as_bytes()],
    );
    assert_eq!(again, c);
}

#[test]
fn commitment_covers_all_but_the_proof() {
    let o = Object::simple(b"body");
    let base = o.record.commitment(&o.context, &o.readers);
    assert_eq!(base, o.verified().commitment());
    let mut r = o.record.clone();
    r.challenge = [7; 56];
    share(&mut r).response = [7; 56];
    assert_eq!(r.commitment(&o.context, &o.readers), base);
    let edits: [fn(&mut Record); 5] = [
        |r| share(r).ciphertext.c1[0] ^= 1,
        |r| share(r).ciphertext.c2[55] ^= 1,
        |r| r.key_check[0] ^= 1,
        |r| r.body.0[0] ^= 1,
        |r| r.length ^= 1,
    ];
    for edit in edits {
        let mut r = o.record.clone();
        edit(&mut r);
        assert_ne!(r.commitment(&o.context, &o.readers), base);
    }
    assert_ne!(o.record.commitment(&o.context, &readers(&[2]).0), base);
}

#[test]
fn another_readers_secret_opens_nothing() {
    let o = Object::simple(b"body");
    let v = o.verified();
    v.unlock(&secret(1)).expect("the reader");
    for other in [2, 3, 100] {
        assert_eq!(
            v.unlock(&secret(other)).err(),
            Some(OpenError::NotAReader),
            "{other}"
        );
    }
    let random = quil_decaf::SecretScalar::random(&mut rng(77));
    assert_eq!(v.unlock(&random).err(), Some(OpenError::NotAReader));
    let negative = quil_decaf::SecretScalar::new(-*secret(1).expose());
    assert_eq!(v.unlock(&negative).err(), Some(OpenError::NotAReader));
}
