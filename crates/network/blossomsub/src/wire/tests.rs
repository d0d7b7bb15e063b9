use proptest::prelude::*;
use quil_types::Canonical as _;

use super::*;
use crate::limits::SMALL_PAYLOAD_BYTES_MAX;

fn mask_of(bytes: &[u8]) -> Mask {
    Mask::new(bytes).unwrap()
}

fn ids(n: u8) -> BTreeSet<MessageId> {
    (0..n).map(|i| MessageId([i; 32])).collect()
}

fn sample() -> Rpc {
    let zero = Mask::GLOBAL_CONSENSUS;
    Rpc {
        subs: [(zero, true), (mask_of(&[0x80, 0]), false)].into(),
        messages: vec![
            Message::new(mask_of(&[3, 1]), Bytes::from_static(b"small")),
            Message::new(zero, vec![9; 3000].into()),
        ],
        ihave: [(mask_of(&[3, 1]), ids(2))].into(),
        iwant: ids(3),
        graft: [zero, mask_of(&[0x80, 0])].into(),
        prune: [(mask_of(&[1]), 60)].into(),
        idontwant: ids(1),
    }
}

/// The same frame through the codec's own encoder.
fn canonical_bytes(rpc: &Rpc) -> Vec<u8> {
    let m = |m: &Mask| MaskBytes::from_slice(m.as_bytes()).unwrap();
    let s = |ids: &BTreeSet<MessageId>| {
        Ids::try_from(ids.iter().map(|i| i.0).collect::<Vec<_>>()).unwrap()
    };
    WireRpc {
        subs: rpc
            .subs
            .iter()
            .map(|(k, on)| (m(k), *on))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        messages: rpc
            .messages
            .iter()
            .map(|x| WireMessage {
                mask: m(&x.mask),
                data: Bounded::from_slice(&x.data).unwrap(),
            })
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        ihave: rpc
            .ihave
            .iter()
            .map(|(k, i)| (m(k), s(i)))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        iwant: s(&rpc.iwant),
        graft: rpc
            .graft
            .iter()
            .map(m)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        prune: rpc
            .prune
            .iter()
            .map(|(k, v)| (m(k), *v))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        idontwant: s(&rpc.idontwant),
    }
    .encode()
}

#[test]
fn chunked_encoder_writes_the_canonical_bytes() {
    let rpc = sample();
    let frame = rpc.encode();
    assert_eq!(frame.to_bytes(), canonical_bytes(&rpc));
    assert_eq!(frame.len(), frame.to_bytes().len());
    assert_eq!(Rpc::decode(&frame.to_bytes()), Ok(rpc));
}

#[test]
fn large_payload_is_shared_not_copied() {
    let rpc = sample();
    let large = rpc.messages[1].data.as_ptr();
    assert!(
        rpc.encode()
            .into_chunks()
            .iter()
            .any(|c| c.as_ptr() == large)
    );
}

#[test]
fn format_is_fixed() {
    let rpc = Rpc {
        subs: [(Mask::GLOBAL_CONSENSUS, true)].into(),
        ..Rpc::default()
    };
    let mut want = vec![1, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    want.extend_from_slice(&[0; 24]);
    assert_eq!(rpc.encode().to_bytes(), want);
}

#[test]
fn truncated_or_extended_frame_is_refused() {
    let bytes = sample().encode().to_bytes();
    for cut in 0..bytes.len() {
        assert!(Rpc::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(matches!(
        Rpc::decode(&[&bytes[..], &[0]].concat()),
        Err(WireError::Decode(DecodeError::Trailing(1)))
    ));
}

/// Whatever is accepted re-encodes to the same bytes: no second encoding of any frame.
#[test]
fn mutated_bytes_are_refused_or_canonical() {
    let bytes = Rpc {
        messages: vec![sample().messages.remove(0)],
        ..sample()
    }
    .encode()
    .to_bytes()
    .to_vec();
    let mut accepted = 0;
    for at in 0..bytes.len() {
        for change in [1u8, 2, 0x80, 0xff] {
            let mut m = bytes.clone();
            m[at] ^= change;
            if let Ok(rpc) = Rpc::decode(&m) {
                assert_eq!(rpc.encode().to_bytes(), m, "byte {at}");
                assert_eq!(canonical_bytes(&rpc), m, "byte {at}");
                accepted += 1;
            }
        }
    }
    assert!(accepted > 0, "payload bytes are free");
}

#[test]
fn claimed_lengths_are_refused_before_allocation() {
    for list in 0..7 {
        // `list` empty lists, then one that claims four billion entries.
        let mut bytes = vec![0u8; 4 * list];
        bytes.extend_from_slice(&[0xff; 4]);
        bytes.extend_from_slice(&[0; 64]);
        assert!(
            matches!(
                Rpc::decode(&bytes),
                Err(WireError::Decode(DecodeError::Malformed(_)))
            ),
            "list {list}"
        );
    }
    assert!(matches!(
        Rpc::decode(&vec![0; FRAME_BYTES_MAX + 1]),
        Err(WireError::Decode(DecodeError::TooLarge { .. }))
    ));
}

#[test]
fn rules_of_masks_ids_and_payloads() {
    let bytes = |rpc: Rpc| rpc.encode().to_bytes();
    assert_eq!(Rpc::decode(&bytes(Rpc::default())), Err(WireError::Empty));
    let two = mask_of(&[3]);
    for rpc in [
        Rpc {
            subs: [(two, true)].into(),
            ..Rpc::default()
        },
        Rpc {
            graft: [two].into(),
            ..Rpc::default()
        },
        Rpc {
            prune: [(two, 1)].into(),
            ..Rpc::default()
        },
    ] {
        assert_eq!(Rpc::decode(&bytes(rpc)), Err(WireError::NotSlice));
    }
    let empty = Rpc {
        ihave: [(two, BTreeSet::new())].into(),
        ..Rpc::default()
    };
    assert_eq!(Rpc::decode(&bytes(empty)), Err(WireError::EmptyIds));
    let payload = |mask, len| Rpc {
        messages: vec![Message::new(mask, vec![1; len].into())],
        ..Rpc::default()
    };
    assert_eq!(
        Rpc::decode(&bytes(payload(two, 0))),
        Err(WireError::Payload(0))
    );
    let over = SMALL_PAYLOAD_BYTES_MAX + 1;
    assert_eq!(
        Rpc::decode(&bytes(payload(Mask::GLOBAL_UPDATES, over))),
        Err(WireError::Payload(over))
    );
    assert!(Rpc::decode(&bytes(payload(Mask::GLOBAL_FRAMES, over))).is_ok());
    // An empty mask, and two equal slices.
    let mut raw = vec![1, 0, 0, 0, 0, 0, 0, 0, 1];
    raw.extend_from_slice(&[0; 24]);
    assert_eq!(Rpc::decode(&raw), Err(WireError::EmptyMask));
    let mut raw = vec![2, 0, 0, 0];
    for _ in 0..2 {
        raw.extend_from_slice(&[1, 0, 0, 0, 0, 1]);
    }
    raw.extend_from_slice(&[0; 24]);
    assert_eq!(Rpc::decode(&raw), Err(WireError::Order));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(rpc) = Rpc::decode(&bytes) {
            prop_assert_eq!(rpc.encode().to_bytes(), bytes);
        }
    }

    #[test]
    fn small_numbers_never_panic(bytes in prop::collection::vec(0u8..3, 0..400)) {
        if let Ok(rpc) = Rpc::decode(&bytes) {
            prop_assert_eq!(rpc.encode().to_bytes(), bytes);
        }
    }
}
