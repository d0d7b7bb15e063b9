//! No byte of a bundle can be changed: it does not decode, is refused with a code, or is another bundle's bytes.

use proptest::prelude::*;
use quil_execution::token::{Refusal, contextual, stateless, verify_batch};
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{Bundle, Canonical, Code};

use crate::world::{SUITE, World, account, bend};

/// Everything a node does with received bytes.
fn receive(w: &World, bytes: &[u8]) -> Result<(), Option<Code>> {
    let bundle = Bundle::decode(bytes, BUNDLE_BYTES_MAX).map_err(|_| None)?;
    let checked = stateless(bundle.into(), &w.rules, 1).map_err(Some)?;
    let ready = contextual(&w.state, &checked, &w.rules, &w.moment()).map_err(|r| match r {
        Refusal::Code(c) => Some(c),
        Refusal::Fault(f) => panic!("{f}"),
    })?;
    verify_batch(&SUITE, &[ready]).remove(0).map_err(Some)
}

#[test]
fn every_kind_of_byte_matters() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[600_000, 700_000]);
    for bundle in [w.pay(&alice, &account(2), 1_000_000, 1), w.mint(&alice, 5)] {
        let bytes = bundle.encode();
        assert_eq!(receive(&w, &bytes), Ok(()));
        // Every ninth byte keeps the test short and meets every field.
        for at in (0..bytes.len()).step_by(9) {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << (at % 8);
            assert!(receive(&w, &bent).is_err(), "byte {at}");
        }
        for cut in (0..bytes.len()).step_by(17) {
            assert_eq!(receive(&w, &bytes[..cut]), Err(None));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let w = World::new();
        prop_assert!(receive(&w, &bytes).is_err());
    }
}

#[test]
fn one_bad_bundle_in_a_batch_has_exactly_its_code() {
    let people: Vec<_> = (0..6).map(|i| account(20 + i)).collect();
    let mut w = World::new();
    let mints: Vec<_> = people.iter().map(|p| w.mint(p, 1_000_000)).collect();
    w.run(mints).unwrap();
    let good: Vec<_> = people.iter().map(|p| w.pay(p, &account(2), 5, 1)).collect();
    let flip = |p: &quil_types::Bytes<2048>| {
        let mut v = p.to_vec();
        v[70] ^= 1;
        v.try_into().unwrap()
    };
    type Bend<'a> = &'a dyn Fn(&mut quil_types::Transfer);
    let bends: [(Bend<'_>, Code); 3] = [
        (&|t| t.excess[3] ^= 1, Code::SumUnbalanced),
        (
            &|t| crate::world::edit(&mut t.input_proofs, |v| v[0][60] ^= 1),
            Code::InputSignature,
        ),
        (
            &|t| t.range_proof = flip(&t.range_proof),
            Code::SumUnbalanced,
        ),
    ];
    for (f, code) in bends {
        for at in [0, 3, 5] {
            let mut bundles = good.clone();
            bundles[at] = bend(&good[at], f);
            let checked: Vec<_> = bundles.iter().map(|b| w.checked(b)).collect();
            let ready: Vec<_> = checked
                .iter()
                .map(|c| contextual(&w.state, c, &w.rules, &w.moment()).unwrap())
                .collect();
            let verdicts = verify_batch(&SUITE, &ready);
            for (i, v) in verdicts.iter().enumerate() {
                assert_eq!(*v, if i == at { Err(code) } else { Ok(()) });
            }
        }
    }
}

#[test]
fn one_bad_range_proof_in_a_batch_is_found_alone() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[1_000_000]);
    let mints: Vec<_> = (0..5)
        .map(|i| w.mint(&account(20 + i), 1_000_000))
        .collect();
    w.run(mints).unwrap();
    let mut bundles: Vec<_> = (0..5)
        .map(|i| w.pay(&account(20 + i), &account(2), 5, 1))
        .collect();
    bundles.insert(2, crate::forge::negative_output(&w, &alice));
    let checked: Vec<_> = bundles.iter().map(|b| w.checked(b)).collect();
    let ready: Vec<_> = checked
        .iter()
        .map(|c| contextual(&w.state, c, &w.rules, &w.moment()).unwrap())
        .collect();
    let expected: Vec<_> = (0..6)
        .map(|i| {
            if i == 2 {
                Err(Code::OutputRange)
            } else {
                Ok(())
            }
        })
        .collect();
    assert_eq!(verify_batch(&SUITE, &ready), expected);
}
