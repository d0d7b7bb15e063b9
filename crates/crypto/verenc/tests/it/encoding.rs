//! One encoding per record.

use proptest::prelude::*;
use quil_types::{Canonical, DecodeError, Digest};
use quil_verenc::{Context, ObjectId, Record, Version, limits::RECORD_BYTES_MAX};

use crate::support::{Object, context, readers};

#[test]
fn wire_fields_stand_where_the_format_says() {
    let o = Object::simple(b"body");
    let wire = o.record.encode();
    let share = o.record.shares[0];
    assert_eq!(wire[..4], 1u32.to_le_bytes());
    assert_eq!(wire[4..60], share.ciphertext.c1);
    assert_eq!(wire[60..116], share.ciphertext.c2);
    assert_eq!(wire[116..172], share.response);
    assert_eq!(wire[172..204], o.record.key_check);
    assert_eq!(wire[204..236], o.record.body.0);
    assert_eq!(wire[236..244], 4u64.to_le_bytes());
    assert_eq!(wire[244..300], o.record.challenge);
}

#[test]
fn context_fields_stand_where_the_format_says() {
    let c = Context {
        object: ObjectId([9; 32]),
        version: Version::new(0x0102),
        previous: Digest([8; 32]),
        ..context()
    };
    let mut want = c.genesis.0.to_vec();
    want.extend(c.domain.0);
    want.extend([9; 32]);
    want.extend([2, 1, 0, 0, 0, 0, 0, 0]);
    want.extend(c.writer);
    want.extend([8; 32]);
    assert_eq!(c.encode(), want);
    assert_eq!(c.version.get(), 0x0102);
}

#[test]
fn truncated_and_longer_records_do_not_decode() {
    for n in [1, 2, 16] {
        let o = Object::new(context(), readers(&(1..=n).collect::<Vec<_>>()).0, b"", n);
        let wire = o.record.encode();
        assert_eq!(Record::decode(&wire, RECORD_BYTES_MAX), Ok(o.record));
        for cut in 0..wire.len() {
            assert!(Record::decode(&wire[..cut], RECORD_BYTES_MAX).is_err());
        }
        let mut longer = wire.clone();
        longer.push(0);
        assert!(Record::decode(&longer, RECORD_BYTES_MAX + 1).is_err());
    }
    assert!(matches!(
        Record::decode(&[0; RECORD_BYTES_MAX + 1], RECORD_BYTES_MAX),
        Err(DecodeError::TooLarge { .. })
    ));
}

proptest! {
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(r) = Record::decode(&bytes, RECORD_BYTES_MAX) {
            prop_assert_eq!(r.encode(), bytes);
        }
    }

    #[test]
    fn random_records_do_not_verify(bytes in proptest::collection::vec(any::<u8>(), 300)) {
        let mut bytes = bytes;
        bytes[..4].copy_from_slice(&[1, 0, 0, 0]);
        let r = Record::decode(&bytes, RECORD_BYTES_MAX).expect("any bytes of the right shape");
        prop_assert!(r.verify(&context(), &readers(&[1]).0).is_err());
    }
}
