//! Sealed bodies open whole, in order, and only for their record.

use proptest::prelude::*;
use quil_types::merkle::MerklePath;
use quil_verenc::{
    Draft, OpenError, Version, body,
    body::{Layout, SEALED_CHUNK_BYTES},
    limits::{CHUNK_BYTES, TAG_BYTES},
};

use crate::support::{Object, context, readers, rng, secret, text};

/// Three chunks, the last one short.
fn three() -> Object {
    Object::simple(&text(2 * CHUNK_BYTES + 100))
}

#[test]
fn bodies_of_every_edge_size_open() {
    for n in [
        0,
        1,
        100,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        2 * CHUNK_BYTES,
        3 * CHUNK_BYTES + 5,
    ] {
        let o = Object::simple(&text(n));
        let v = o.verified();
        assert_eq!(o.record.length, n as u64);
        assert_eq!(o.sealed.len() as u64, v.layout().sealed_bytes());
        let opened = v.unlock(&secret(1)).expect("reader").open(&o.sealed);
        assert_eq!(opened.expect("opens").as_slice(), text(n));
    }
}

#[test]
fn pieces_of_any_size_seal_the_same() {
    let plain = text(2 * CHUNK_BYTES + 777);
    let whole = Object::simple(&plain);
    for size in [1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 100_000] {
        let mut rng = rng(11);
        let draft = Draft::new(context(), readers(&[1]).0, &mut rng).expect("draft");
        let (mut sealer, mut out) = (draft.into_sealer(), Vec::new());
        for piece in plain.chunks(size) {
            sealer.push(piece, &mut out).expect("short");
            sealer.push(&[], &mut out).expect("nothing");
        }
        let record = sealer.finish(&mut out, &mut rng).expect("sealed");
        assert_eq!((record, out), (whole.record.clone(), whole.sealed.clone()));
    }
}

#[test]
fn truncated_body_rejected() {
    let o = three();
    let v = o.verified();
    let k = v.unlock(&secret(1)).expect("reader");
    for n in [
        0,
        1,
        TAG_BYTES,
        SEALED_CHUNK_BYTES,
        2 * SEALED_CHUNK_BYTES,
        o.sealed.len() - 1,
    ] {
        assert_eq!(k.open(&o.sealed[..n]).err(), Some(OpenError::Body), "{n}");
        assert!(!v.has_body(&o.sealed[..n]));
    }
    let longer = [&o.sealed[..], &[0]].concat();
    assert_eq!(k.open(&longer).err(), Some(OpenError::Body));
}

#[test]
fn reordered_or_repeated_chunks_rejected() {
    let o = Object::simple(&text(3 * CHUNK_BYTES));
    let v = o.verified();
    let k = v.unlock(&secret(1)).expect("reader");
    let chunks: Vec<&[u8]> = o.sealed.chunks(SEALED_CHUNK_BYTES).collect();
    for order in [[1, 0, 2], [0, 2, 1], [2, 1, 0], [0, 0, 2], [0, 1, 1]] {
        let mixed: Vec<u8> = order.iter().flat_map(|i| chunks[*i].to_vec()).collect();
        assert_eq!(k.open(&mixed).err(), Some(OpenError::Body));
    }
    // Without the digest the tags alone refuse the same.
    for (index, chunk) in (0..).zip(&chunks) {
        for at in 0..3 {
            let opened = k.open_chunk(at, chunk);
            if at == index {
                let want = &text(3 * CHUNK_BYTES)[at as usize * CHUNK_BYTES..][..CHUNK_BYTES];
                assert_eq!(opened.expect("its place").as_slice(), want);
            } else {
                assert_eq!(opened.err(), Some(OpenError::Chunk(at)));
            }
        }
    }
}

/// A body cut at a chunk border is not the body of a shorter record: the last chunk carries the flag.
#[test]
fn chunk_that_was_not_last_does_not_open_as_last() {
    let long = Object::simple(&text(2 * CHUNK_BYTES));
    let mut short = long.record.clone();
    short.length = CHUNK_BYTES as u64;
    short.body = body::digest(&long.sealed[..SEALED_CHUNK_BYTES]).expect("a size");
    // The network refuses such a record; a reader that skipped the proof would still be refused by the tag.
    assert!(short.verify(&long.context, &long.readers).is_err());
    let same_key = Object::simple(&text(CHUNK_BYTES));
    assert_eq!(
        same_key.record.key_check, long.record.key_check,
        "the same generator and context give the same key in this test"
    );
    let v = same_key.verified();
    let k = v.unlock(&secret(1)).expect("reader");
    assert_eq!(
        k.open_chunk(0, &long.sealed[..SEALED_CHUNK_BYTES]).err(),
        Some(OpenError::Chunk(0))
    );
}

#[test]
fn every_flipped_bit_of_a_short_body_rejected() {
    let o = Object::simple(b"a short body");
    let v = o.verified();
    let k = v.unlock(&secret(1)).expect("reader");
    for bit in 0..o.sealed.len() * 8 {
        let mut bent = o.sealed.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(!v.has_body(&bent));
        assert_eq!(k.open(&bent).err(), Some(OpenError::Body));
        assert_eq!(k.open_chunk(0, &bent).err(), Some(OpenError::Chunk(0)));
    }
}

#[test]
fn body_bound_to_object_version_and_writer() {
    let plain = text(1000);
    let a = Object::simple(&plain);
    let mut others = Vec::new();
    for change in 0..4 {
        let mut c = context();
        match change {
            0 => c.object.0[0] ^= 1,
            1 => c.version = Version::new(8),
            2 => c.writer = crate::support::key(101).0,
            _ => c.previous.0[0] ^= 1,
        }
        others.push(Object::new(c, a.readers.clone(), &plain, 11));
    }
    for o in &others {
        let v = o.verified();
        let k = v.unlock(&secret(1)).expect("reader");
        assert_eq!(k.open(&a.sealed).err(), Some(OpenError::Body));
        assert_eq!(k.open_chunk(0, &a.sealed).err(), Some(OpenError::Chunk(0)));
        assert_ne!(o.sealed, a.sealed);
    }
}

/// What the proof does not show: a writer may commit to a body under another key. Readers then see an error.
#[test]
fn body_sealed_with_another_key_is_an_error_for_readers() {
    let a = Object::simple(&text(500));
    let b = Object::new(context(), a.readers.clone(), &text(500), 12);
    let k = a.verified();
    let k = k.unlock(&secret(1)).expect("reader");
    assert_eq!(k.open_chunk(0, &b.sealed).err(), Some(OpenError::Chunk(0)));
}

#[test]
fn storers_check_bodies_and_parts_without_a_key() {
    let o = three();
    let v = o.verified();
    assert!(v.has_body(&o.sealed));
    assert_eq!(body::digest(&o.sealed), Some(o.record.body));
    for i in 0..3 {
        let range = v.layout().sealed_range(i).expect("chunk");
        let path = body::path(&o.sealed, i).expect("path");
        let chunk = &o.sealed[range];
        assert!(v.has_chunk(i, chunk, &path));
        for other in 0..4 {
            assert_eq!(v.has_chunk(other, chunk, &path), other == i);
        }
        let mut bent = chunk.to_vec();
        bent[0] ^= 1;
        assert!(!v.has_chunk(i, &bent, &path));
        assert!(!v.has_chunk(i, &chunk[1..], &path));
        let moved = MerklePath {
            count: path.count + 1,
            ..path
        };
        assert!(!v.has_chunk(i, chunk, &moved));
    }
    assert_eq!(body::path(&o.sealed, 3), None);
    assert_eq!(body::path(&o.sealed[1..][..8], 0), None);
    assert_eq!(body::digest(&[0; 8]), None);
}

#[test]
fn chunks_that_do_not_exist_do_not_open() {
    let o = three();
    let v = o.verified();
    let k = v.unlock(&secret(1)).expect("reader");
    assert_eq!(k.layout(), Layout::new(o.record.length).expect("short"));
    for (index, bytes) in [
        (3, &o.sealed[..SEALED_CHUNK_BYTES]),
        (u64::MAX, &o.sealed[..SEALED_CHUNK_BYTES]),
        (0, &o.sealed[..SEALED_CHUNK_BYTES - 1]),
        (0, &o.sealed[..0]),
        (2, &o.sealed[..SEALED_CHUNK_BYTES]),
    ] {
        assert_eq!(
            k.open_chunk(index, bytes).err(),
            Some(OpenError::NoChunk(index))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_body_opens_and_no_bent_one_does(
        plain in proptest::collection::vec(any::<u8>(), 0..3000),
        seed in any::<u64>(),
        at in any::<prop::sample::Index>(),
        mask in 1..=255u8,
    ) {
        let o = Object::new(context(), readers(&[1, 2]).0, &plain, seed);
        let v = o.verified();
        let k = v.unlock(&secret(2)).expect("reader");
        let opened = k.open(&o.sealed).expect("opens");
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        let mut bent = o.sealed.clone();
        bent[at.index(o.sealed.len())] ^= mask;
        prop_assert_eq!(k.open(&bent).err(), Some(OpenError::Body));
        prop_assert_eq!(k.open_chunk(0, &bent).err(), Some(OpenError::Chunk(0)));
    }
}
