//! The cache of discriminants.

use quil_vdf::{Discriminant, DiscriminantCache, DiscriminantError, derive_discriminant};

#[test]
fn cached_values_are_the_derived_ones_and_the_oldest_goes() {
    let mut cache = DiscriminantCache::new(64, 2);
    assert!(cache.is_empty());
    let derive = |s: u8| Discriminant::derive(&[s; 32], 64).expect("size");
    for s in [1, 2] {
        assert_eq!(cache.get_or_derive(&[s; 32]), Ok(derive(s)));
    }
    assert_eq!(
        cache.get(&[1; 32]),
        Some(derive(1)),
        "1 is now the most recent"
    );
    assert_eq!(cache.get_or_derive(&[3; 32]), Ok(derive(3)));
    assert_eq!(cache.len(), 2);
    assert_eq!(cache.get(&[2; 32]), None);
    assert_eq!(cache.get(&[1; 32]), Some(derive(1)));
}

#[test]
fn inserted_values_replace_and_stay_bounded() {
    let mut cache = DiscriminantCache::new(64, 0);
    for s in 0..5u8 {
        let d = Discriminant::derive(&[s], 40).expect("size");
        cache.insert([s; 32], d);
        cache.insert([s; 32], d);
        assert_eq!((cache.len(), cache.get(&[s; 32])), (1, Some(d)));
    }
}

#[test]
fn unsupported_size_is_an_error_and_not_kept() {
    let mut cache = DiscriminantCache::new(4096, 4);
    let got = cache.get_or_derive(&[0; 32]);
    assert!(matches!(
        got,
        Err(DiscriminantError::Bits { bits: 4096, .. })
    ));
    assert!(cache.is_empty());
}

#[test]
fn parallel_derivation_finds_the_same_discriminant() {
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("pool");
        for seed in 0..8u8 {
            let parallel = pool.install(|| derive_discriminant(&[seed], 256));
            assert_eq!(parallel, Discriminant::derive(&[seed], 256));
        }
    }
    assert!(derive_discriminant(&[], 31).is_err());
}
