use proptest::prelude::*;

use super::*;

fn mask(bytes: &[u8]) -> Mask {
    Mask::new(bytes).unwrap()
}

/// Positions of the set bits of a filter, position 0 being its last bit.
fn positions(filter: &[u8; 32]) -> Vec<usize> {
    (0..256)
        .filter(|p| filter[31 - p / 8] & (1 << (p % 8)) != 0)
        .collect()
}

#[test]
fn length_is_one_to_the_limit() {
    assert_eq!(Mask::new(&[]), Err(MaskError(0)));
    assert!(Mask::new(&[0; MASK_BYTES_MAX]).is_ok());
    assert_eq!(
        Mask::new(&[0; MASK_BYTES_MAX + 1]),
        Err(MaskError(MASK_BYTES_MAX + 1))
    );
    assert_eq!(Mask::new(&[0; 300]), Err(MaskError(300)));
}

#[test]
fn length_is_part_of_the_identity() {
    assert_ne!(mask(&[0]), mask(&[0, 0]));
    assert!(!mask(&[0, 0xff]).covers(&mask(&[0xff])));
    assert!(
        !mask(&[0xff]).covers(&mask(&[0])),
        "zeros are only their own slice"
    );
    assert!(!mask(&[0]).covers(&mask(&[1])));
}

#[test]
fn slices_by_byte_then_from_the_high_bit() {
    assert_eq!(mask(&[0, 0]).slices(), [mask(&[0, 0])]);
    assert_eq!(
        mask(&[0x81, 0x10]).slices(),
        [mask(&[0x80, 0]), mask(&[1, 0]), mask(&[0, 0x10])]
    );
    assert_eq!(mask(&[0xff; 32]).slices().len(), 256);
}

#[test]
fn broad_subscription_accepts_what_it_covers_narrow_only_itself() {
    let broad = mask(&[0xff; 32]);
    let shard = Mask::shard_frames(&ShardAddr([7; 32]));
    assert!(broad.is_broad() && !shard.is_broad());
    assert!(broad.accepts(&shard) && !shard.accepts(&broad));
    let three = mask(&[7]);
    assert!(three.covers(&mask(&[3])) && !three.accepts(&mask(&[3])));
}

/// Known answers for the filter, as bit positions.
#[test]
fn filter_known_answers() {
    let known: [(&[u8], [usize; 3]); 5] = [
        (&[0; 4], [69, 73, 130]),
        (&[0; 60], [53, 132, 146]),
        (&[0; 32], [114, 121, 220]),
        (
            &core::array::from_fn::<u8, 32, _>(|i| u8::try_from(i).unwrap()),
            [41, 121, 176],
        ),
        (&[1; 32], [34, 105, 147]),
    ];
    for (address, bits) in known {
        assert_eq!(positions(&filter(address)), bits, "{address:?}");
    }
    let f = filter(&[0; 4]);
    assert_eq!((f[15], f[22], f[23]), (4, 2, 0x20));
}

#[test]
fn masks_of_a_shard_have_their_classes_and_prefixes() {
    let shard = ShardAddr(core::array::from_fn(|i| u8::try_from(i).unwrap()));
    let (f, c, r) = (
        Mask::shard_frames(&shard),
        Mask::shard_consensus(&shard),
        Mask::shard_requests(&shard),
    );
    assert_eq!(f.as_bytes(), filter(shard.as_bytes()));
    assert_eq!(c.as_bytes(), [&[0][..], f.as_bytes()].concat());
    assert_eq!(r.as_bytes(), [&[0; 3][..], f.as_bytes()].concat());
    let set: Vec<usize> = f
        .slices()
        .iter()
        .map(|s| s.as_bytes().iter().position(|b| *b != 0).unwrap())
        .collect();
    assert_eq!(set, [9, 16, 26]);
    let classes = [
        (Mask::GLOBAL_CONSENSUS, Class::GlobalConsensus),
        (Mask::GLOBAL_FRAMES, Class::GlobalFrames),
        (Mask::GLOBAL_UPDATES, Class::GlobalUpdates),
        (c, Class::ShardConsensus),
        (f, Class::ShardFrames),
        (r, Class::ShardRequests),
        (mask(&[0; 4]), Class::Other),
        (mask(&[1; 33]), Class::Other),
        (mask(&[0; 32]), Class::Other),
    ];
    for (m, class) in classes {
        assert_eq!(m.class(), class, "{m}");
    }
    assert_eq!(Class::ShardRequests.payload_bytes_max(), 64 << 10);
    assert_eq!(Class::ShardFrames.payload_bytes_max(), 8 << 20);
    assert!(Class::GlobalConsensus.priority() < Class::GlobalFrames.priority());
}

proptest! {
    #[test]
    fn slices_partition_the_mask(bytes in prop::collection::vec(any::<u8>(), 1..=MASK_BYTES_MAX)) {
        let m = mask(&bytes);
        let slices = m.slices();
        let mut union = vec![0u8; bytes.len()];
        for s in &slices {
            prop_assert!(s.is_slice() && m.covers(s));
            for (u, b) in union.iter_mut().zip(s.as_bytes()) {
                prop_assert_eq!(*u & b, 0, "slices are disjoint");
                *u |= b;
            }
        }
        prop_assert_eq!(union, bytes);
    }

    #[test]
    fn covering_is_inclusion_of_slices(a in prop::collection::vec(any::<u8>(), 2), b in prop::collection::vec(any::<u8>(), 2)) {
        let (a, b) = (mask(&a), mask(&b));
        let (sa, sb) = (a.slices(), b.slices());
        prop_assert_eq!(a.covers(&b), sb.iter().all(|s| sa.contains(s)));
    }

    #[test]
    fn filter_has_at_most_three_bits(address in prop::collection::vec(any::<u8>(), 0..70)) {
        prop_assert!((1..=3).contains(&positions(&filter(&address)).len()));
    }
}
