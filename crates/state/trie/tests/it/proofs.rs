//! Every shape that proves something is accepted; every other one is rejected with its own error.

use proptest::prelude::*;
use quil_kzg::{Commitment, MultiProof, OpeningError};
use quil_trie::{
    CLAIMS_MAX, Claim, EMPTY_SLOT, End, Expectation, Key, LeafValue, Path, Proof, ProofError, Slot,
    Step, Trie, leaf_slot, prove_many, verify, verify_many,
};
use quil_types::{Bounded, Bytes, ShardAddr};

use crate::support::{Model, OTHER_SET, SET, build, key_of, kzg, model_of, random_keys, value};

fn check(trie: &Trie, key: &Key, expect: Expectation, proof: &Proof) -> Result<(), ProofError> {
    verify(
        kzg().verifier(),
        &trie.root(),
        trie.set(),
        key,
        expect,
        proof,
    )
}

/// root: prefix [] -> 5: prefix [6, 7] -> {1: leaf, 2: prefix [3] -> {0, 9}}, 8: leaf
fn sample() -> (Trie, Model) {
    let model: Model = [
        (key_of(&[5, 6, 7, 1], 0), value(1)),
        (key_of(&[5, 6, 7, 2, 3, 0], 0), value(2)),
        (key_of(&[5, 6, 7, 2, 3, 9], 0), value(3)),
        (key_of(&[8], 4), value(4)),
    ]
    .into();
    (build(SET, &model), model)
}

fn prove(trie: &Trie, key: &Key) -> (Expectation, Proof) {
    trie.prove(&kzg(), key).unwrap()
}

fn path(proof: &Proof) -> Path {
    proof.paths[0].clone()
}

fn with_path(proof: &Proof, change: impl FnOnce(&mut Path)) -> Proof {
    let mut p = path(proof);
    change(&mut p);
    Proof {
        paths: vec![p].try_into().unwrap(),
        opening: proof.opening,
    }
}

fn with_steps(proof: &Proof, change: impl FnOnce(&mut Vec<Step>)) -> Proof {
    with_path(proof, |p| {
        let mut steps = p.steps.clone().into_vec();
        change(&mut steps);
        p.steps = steps.try_into().unwrap();
    })
}

#[test]
fn every_member_is_proven() {
    let (trie, model) = sample();
    for (k, v) in &model {
        let (expect, proof) = prove(&trie, k);
        assert_eq!(expect, Expectation::Present(*v));
        assert_eq!(path(&proof).end, End::Leaf);
        assert_eq!(check(&trie, k, expect, &proof), Ok(()));
        assert_eq!(Proof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
        assert_eq!(
            check(&trie, k, Expectation::Absent, &proof),
            Err(ProofError::NotAbsent(0))
        );
    }
}

#[test]
fn every_form_of_absence_is_proven() {
    let (trie, _) = sample();
    let cases = [
        (key_of(&[1], 0), "empty", 1),
        (key_of(&[5, 6, 7, 9], 0), "empty", 2),
        (key_of(&[5, 6, 7, 2, 3, 4], 0), "empty", 3),
        (key_of(&[8], 5), "leaf", 1),
        (key_of(&[5, 6, 7, 1], 1), "leaf", 2),
        (key_of(&[5, 6, 1], 0), "branch", 1),
        (key_of(&[5, 1], 0), "branch", 1),
        (key_of(&[5, 6, 7, 2, 4], 0), "branch", 2),
    ];
    for (key, form, steps) in cases {
        let (expect, proof) = prove(&trie, &key);
        assert_eq!(expect, Expectation::Absent);
        let p = path(&proof);
        assert_eq!(p.steps.len(), steps, "{key:?}");
        let got = match p.end {
            End::Leaf => "member",
            End::Empty => "empty",
            End::OtherLeaf { .. } => "leaf",
            End::OtherBranch { .. } => "branch",
        };
        assert_eq!(got, form, "{key:?}");
        assert_eq!(check(&trie, &key, expect, &proof), Ok(()), "{key:?}");
        assert_eq!(
            check(&trie, &key, Expectation::Present(value(1)), &proof),
            Err(ProofError::NotMember(0))
        );
        assert_eq!(Proof::from_bytes(&proof.to_bytes()), Ok(proof));
    }
}

#[test]
fn tries_without_branches_need_no_opening() {
    let key = key_of(&[1], 2);
    let empty = Trie::empty(SET);
    let (expect, proof) = prove(&empty, &key);
    assert_eq!((expect, proof.opening), (Expectation::Absent, None));
    assert_eq!(check(&empty, &key, expect, &proof), Ok(()));
    let one = build(SET, &[(key, value(5))].into());
    let (expect, proof) = prove(&one, &key);
    assert_eq!(
        (expect, proof.opening),
        (Expectation::Present(value(5)), None)
    );
    assert_eq!(check(&one, &key, expect, &proof), Ok(()));
    assert_eq!(
        check(&one, &key, Expectation::Present(value(6)), &proof),
        Err(ProofError::Root(0))
    );
    let other = key_of(&[1], 3);
    let (expect, proof) = prove(&one, &other);
    assert_eq!(expect, Expectation::Absent);
    assert_eq!(check(&one, &other, expect, &proof), Ok(()));
    // A top branch whose prefix leads elsewhere is an absence without openings, too.
    let two = build(SET, &model_of(&[key_of(&[1, 1], 0), key_of(&[1, 2], 0)]));
    let (expect, proof) = prove(&two, &key_of(&[2], 0));
    assert!(matches!(path(&proof).end, End::OtherBranch { .. }) && proof.opening.is_none());
    assert_eq!(check(&two, &key_of(&[2], 0), expect, &proof), Ok(()));
}

#[test]
fn proof_bound_to_root_set_key_and_value() {
    let (trie, model) = sample();
    let (k, v) = model.iter().next().unwrap();
    let (_, proof) = prove(&trie, k);
    let verifier_says = |root: &Slot, set, key: &Key, value: LeafValue| {
        verify(
            kzg().verifier(),
            root,
            set,
            key,
            Expectation::Present(value),
            &proof,
        )
    };
    let root = trie.root();
    assert_eq!(verifier_says(&root, &SET, k, *v), Ok(()));
    let mut other_root = root;
    other_root[0] ^= 1;
    assert_eq!(
        verifier_says(&other_root, &SET, k, *v),
        Err(ProofError::Root(0))
    );
    assert_eq!(
        verifier_says(&EMPTY_SLOT, &SET, k, *v),
        Err(ProofError::Root(0))
    );
    assert_eq!(
        verifier_says(&root, &OTHER_SET, k, *v),
        Err(ProofError::Root(0))
    );
    let rejected = Err(ProofError::Opening(OpeningError::Rejected));
    assert_eq!(
        verifier_says(
            &root,
            &SET,
            k,
            LeafValue {
                size: v.size + 1,
                ..*v
            }
        ),
        rejected
    );
    assert_eq!(
        verifier_says(
            &root,
            &SET,
            k,
            LeafValue {
                content: [0xee; 32],
                ..*v
            }
        ),
        rejected
    );
    let neighbour = key_of(&[5, 6, 7, 1], 1);
    assert_eq!(verifier_says(&root, &SET, &neighbour, *v), rejected);
    assert_eq!(
        verifier_says(&root, &SET, &key_of(&[8], 4), *v),
        Err(ProofError::Prefix(0))
    );
}

#[test]
fn no_shape_proves_absence_of_a_member() {
    let (trie, model) = sample();
    for (k, v) in &model {
        let (_, proof) = prove(&trie, k);
        let ends = [
            End::Empty,
            End::OtherLeaf { key: *k, value: *v },
            End::OtherLeaf {
                key: key_of(&[8], 5),
                value: *v,
            },
            End::OtherLeaf {
                key: {
                    let mut o = *k;
                    o.0[63] ^= 1;
                    o
                },
                value: *v,
            },
            End::OtherBranch {
                prefix: Bytes::new(),
                commitment: Commitment::from_bytes([2; 74]),
            },
            End::OtherBranch {
                prefix: Bytes::from_slice(&[60]).unwrap(),
                commitment: Commitment::from_bytes([2; 74]),
            },
        ];
        for end in ends {
            // At the leaf's place, and at every branch above it.
            for keep in 0..=path(&proof).steps.len() {
                let bent = with_path(&with_steps(&proof, |s| s.truncate(keep)), |p| {
                    p.end = end.clone()
                });
                let bare = Proof {
                    opening: None,
                    ..bent.clone()
                };
                assert!(
                    check(&trie, k, Expectation::Absent, &bent).is_err(),
                    "{end:?} {keep}"
                );
                assert!(
                    check(&trie, k, Expectation::Absent, &bare).is_err(),
                    "{end:?} {keep}"
                );
            }
        }
    }
}

#[test]
fn claims_and_paths_are_counted() {
    let (trie, model) = sample();
    let (k, v) = model.iter().next().unwrap();
    let (_, proof) = prove(&trie, k);
    let claim = Claim {
        root: trie.root(),
        set: SET,
        key: *k,
        expect: Expectation::Present(*v),
    };
    let says = |claims: &[Claim], proof: &Proof| verify_many(kzg().verifier(), claims, proof);
    assert_eq!(says(&[], &proof), Err(ProofError::NoClaims));
    assert_eq!(
        says(&vec![claim; CLAIMS_MAX + 1], &proof),
        Err(ProofError::TooManyClaims(65))
    );
    assert_eq!(
        says(&[claim, claim], &proof),
        Err(ProofError::PathCount {
            paths: 1,
            claims: 2
        })
    );
    let p = path(&proof);
    let two = Proof {
        paths: vec![p.clone(), p].try_into().unwrap(),
        opening: proof.opening,
    };
    assert_eq!(
        says(&[claim], &two),
        Err(ProofError::PathCount {
            paths: 2,
            claims: 1
        })
    );
    let none = Proof {
        paths: Bounded::new(),
        opening: None,
    };
    assert_eq!(
        says(&[claim], &none),
        Err(ProofError::PathCount {
            paths: 0,
            claims: 1
        })
    );
    // A repeated claim adds no opening.
    assert_eq!(says(&[claim, claim], &two), Ok(()));
}

#[test]
fn steps_must_follow_the_key() {
    let (trie, model) = sample();
    let k = key_of(&[5, 6, 7, 2, 3, 9], 0);
    let expect = Expectation::Present(model[&k]);
    let (_, proof) = prove(&trie, &k);
    assert_eq!(path(&proof).steps.len(), 3);
    let says = |p: &Proof| check(&trie, &k, expect, p);
    let prefix = |p: &[u8]| Bytes::from_slice(p).unwrap();
    assert_eq!(
        says(&with_steps(&proof, |s| s[1].prefix = prefix(&[6, 8]))),
        Err(ProofError::Prefix(0))
    );
    assert_eq!(
        says(&with_steps(&proof, |s| s[1].prefix = prefix(&[6, 64]))),
        Err(ProofError::Prefix(0))
    );
    // Right nibbles but another split of them hash differently.
    assert!(says(&with_steps(&proof, |s| s[1].prefix = prefix(&[6]))).is_err());
    // Prefix 5 and index 6 at the top: the nibbles match, the hash does not.
    let merged = with_steps(&proof, |s| {
        s[0].prefix = prefix(&[5]);
        s[1].prefix = prefix(&[7]);
    });
    assert_eq!(says(&merged), Err(ProofError::Root(0)));
    let long = with_steps(&proof, |s| {
        let step = s[0].clone();
        s.extend((0..81).map(|_| step.clone()));
    });
    assert_eq!(says(&long), Err(ProofError::PathLength(0)));
    let too_long = with_steps(&proof, |s| s[2].prefix = prefix(&[3; 85]));
    assert_eq!(says(&too_long), Err(ProofError::PathLength(0)));
}

#[test]
fn missing_extra_and_exchanged_steps_are_rejected() {
    let (trie, model) = sample();
    let k = key_of(&[5, 6, 7, 2, 3, 9], 0);
    let expect = Expectation::Present(model[&k]);
    let (_, proof) = prove(&trie, &k);
    let says = |p: &Proof| check(&trie, &k, expect, p);
    assert_eq!(
        says(&with_steps(&proof, |s| drop(s.remove(0)))),
        Err(ProofError::Prefix(0))
    );
    assert_eq!(
        says(&with_steps(&proof, |s| drop(s.pop()))),
        Err(ProofError::Opening(OpeningError::Rejected))
    );
    let last = with_steps(&proof, |s| {
        s.push(Step {
            prefix: Bytes::new(),
            commitment: s[0].commitment,
        })
    });
    assert_eq!(
        says(&last),
        Err(ProofError::Opening(OpeningError::Rejected))
    );
    let swapped = with_steps(&proof, |s| {
        let c = s[0].commitment;
        s[0].commitment = s[1].commitment;
        s[1].commitment = c;
    });
    assert_eq!(says(&swapped), Err(ProofError::Root(0)));
    let foreign = with_steps(&proof, |s| s[1].commitment = s[2].commitment);
    assert_eq!(
        says(&foreign),
        Err(ProofError::Opening(OpeningError::Rejected))
    );
}

#[test]
fn exhibits_must_be_elsewhere_but_on_the_path() {
    let (trie, model) = sample();
    let absent = key_of(&[8], 5);
    let (_, proof) = prove(&trie, &absent);
    let says = |end: End| {
        check(
            &trie,
            &absent,
            Expectation::Absent,
            &with_path(&proof, |p| p.end = end),
        )
    };
    let v = model[&key_of(&[8], 4)];
    assert_eq!(
        says(End::OtherLeaf {
            key: key_of(&[8], 4),
            value: v
        }),
        Ok(())
    );
    assert_eq!(
        says(End::OtherLeaf {
            key: absent,
            value: v
        }),
        Err(ProofError::SameKey(0))
    );
    assert_eq!(
        says(End::OtherLeaf {
            key: key_of(&[9], 4),
            value: v
        }),
        Err(ProofError::LeafOffPath(0))
    );
    let rejected = Err(ProofError::Opening(OpeningError::Rejected));
    assert_eq!(
        says(End::OtherLeaf {
            key: key_of(&[8], 6),
            value: v
        }),
        rejected
    );
    assert_eq!(
        says(End::OtherLeaf {
            key: key_of(&[8], 4),
            value: value(9)
        }),
        rejected
    );
    assert_eq!(says(End::Empty), rejected);
}

#[test]
fn exhibited_branch_must_lead_elsewhere() {
    let (trie, _) = sample();
    let rejected = Err(ProofError::Opening(OpeningError::Rejected));
    let absent = key_of(&[5, 6, 1], 0);
    let (_, proof) = prove(&trie, &absent);
    let End::OtherBranch { prefix, commitment } = path(&proof).end else {
        panic!("branch expected")
    };
    assert_eq!(&*prefix, [6, 7]);
    let says = |prefix: &[u8]| {
        let end = End::OtherBranch {
            prefix: Bytes::from_slice(prefix).unwrap(),
            commitment,
        };
        check(
            &trie,
            &absent,
            Expectation::Absent,
            &with_path(&proof, |p| p.end = end),
        )
    };
    assert_eq!(says(&[6, 7]), Ok(()));
    assert_eq!(says(&[6, 1]), Err(ProofError::BranchMatches(0)));
    assert_eq!(says(&[]), Err(ProofError::BranchMatches(0)));
    assert_eq!(says(&[6, 64]), Err(ProofError::ExhibitPrefix(0)));
    assert_eq!(says(&[60; 85]), Err(ProofError::ExhibitPrefix(0)));
    assert_eq!(says(&[60; 84]), rejected);
    assert_eq!(says(&[6, 8]), rejected);
}

#[test]
fn openings_are_neither_missing_nor_unused() {
    let (trie, model) = sample();
    let (k, v) = model.iter().next().unwrap();
    let (_, proof) = prove(&trie, k);
    let bare = Proof {
        opening: None,
        ..proof.clone()
    };
    assert_eq!(
        check(&trie, k, Expectation::Present(*v), &bare),
        Err(ProofError::OpeningMissing)
    );
    let empty = Trie::empty(SET);
    let unused = Proof {
        opening: proof.opening,
        ..prove(&empty, k).1
    };
    assert_eq!(
        check(&empty, k, Expectation::Absent, &unused),
        Err(ProofError::OpeningUnused)
    );
    let MultiProof {
        quotient,
        proof: pi,
    } = proof.opening.unwrap();
    let swapped = Proof {
        opening: Some(MultiProof {
            quotient: pi,
            proof: quotient,
        }),
        ..proof
    };
    assert_eq!(
        check(&trie, k, Expectation::Present(*v), &swapped),
        Err(ProofError::Opening(OpeningError::Rejected))
    );
}

/// A trie with a single branch: its one opening is checked like any other.
#[test]
fn one_step_proof_needs_its_opening() {
    let keys = [key_of(&[1], 0), key_of(&[2], 0)];
    let trie = build(SET, &model_of(&keys));
    let (expect, proof) = prove(&trie, &keys[0]);
    assert_eq!(path(&proof).steps.len(), 1);
    assert_eq!(check(&trie, &keys[0], expect, &proof), Ok(()));
    let forged = Expectation::Present(value(77));
    assert_eq!(
        check(&trie, &keys[0], forged, &proof),
        Err(ProofError::Opening(OpeningError::Rejected))
    );
}

#[test]
fn every_changed_byte_of_a_proof_is_rejected() {
    let (trie, _) = sample();
    for key in [
        key_of(&[5, 6, 7, 2, 3, 9], 0),
        key_of(&[5, 6, 7, 1], 1),
        key_of(&[5, 6, 1], 0),
    ] {
        let (expect, proof) = prove(&trie, &key);
        let bytes = proof.to_bytes();
        for i in 0..bytes.len() {
            // Bytes inside the commitments and the opening are all alike.
            if bytes.len() > 200 && i % 9 != 0 && i > 12 {
                continue;
            }
            let mut bent = bytes.clone();
            bent[i] ^= 1 << (i % 8);
            let verdict = Proof::from_bytes(&bent)
                .ok()
                .map(|p| check(&trie, &key, expect, &p));
            assert!(!matches!(verdict, Some(Ok(()))), "byte {i}");
        }
        for cut in [0, 1, bytes.len() - 1] {
            assert!(Proof::from_bytes(&bytes[..cut]).is_err());
        }
        let mut long = bytes;
        long.push(0);
        assert!(Proof::from_bytes(&long).is_err());
    }
}

#[test]
fn several_keys_of_several_tries_in_one_opening() {
    let (a, model_a) = sample();
    let keys = random_keys(1, 30);
    let b = build(OTHER_SET, &model_of(&keys));
    let shards = quil_trie::SetId::SHARDS;
    let c = build(
        shards,
        &model_of(&[Key::join(&[3; 32], &[0; 32]), Key::join(&[4; 32], &[0; 32])]),
    );
    let mut queries: Vec<(&Trie, Key)> = model_a.keys().map(|k| (&a, *k)).collect();
    queries.extend(keys.iter().take(5).map(|k| (&b, *k)));
    queries.push((&b, random_keys(2, 1)[0]));
    queries.push((&c, Key::join(&[3; 32], &[0; 32])));
    let empty = Trie::empty(SET);
    queries.push((&empty, keys[0]));
    let (found, proof) = prove_many(&kzg(), &queries).unwrap();
    let claims: Vec<Claim> = queries
        .iter()
        .zip(&found)
        .map(|((t, k), leaf)| Claim {
            root: t.root(),
            set: *t.set(),
            key: *k,
            expect: leaf
                .as_ref()
                .map_or(Expectation::Absent, |l| Expectation::Present(l.value)),
        })
        .collect();
    assert_eq!(found.iter().flatten().count(), 10);
    assert_eq!(verify_many(kzg().verifier(), &claims, &proof), Ok(()));
    assert_eq!(Proof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
    let mut swapped = claims.clone();
    swapped.swap(0, 1);
    assert!(verify_many(kzg().verifier(), &swapped, &proof).is_err());
    for i in 0..claims.len() {
        let mut bent = claims.clone();
        bent[i].expect = match bent[i].expect {
            Expectation::Present(v) => Expectation::Present(LeafValue {
                size: v.size ^ 1,
                ..v
            }),
            Expectation::Absent => Expectation::Present(value(1)),
        };
        assert!(
            verify_many(kzg().verifier(), &bent, &proof).is_err(),
            "claim {i}"
        );
    }
}

/// The root of an inner trie is bound by a claim about an outer one: no step of either may be free.
#[test]
fn degenerate_commitment_below_does_not_open_the_trie_above() {
    let (outer, _) = sample();
    let key = key_of(&[5, 6, 7, 1], 0);
    // (-1, 0), a point of order two.
    let mut two = [0; 74];
    two[0] = 2;
    two[1..].copy_from_slice(&(-quil_bls48581::Fp::ONE).to_be_bytes());
    let two = Commitment::from_bytes(two);
    let forged_value = LeafValue {
        size: 1,
        content: [0xbb; 32],
    };
    let inner_key = key_of(&[1], 1);
    let inner_root = quil_trie::branch_slot(&SET, &quil_trie::Nibbles::EMPTY, &two);
    let claims = [
        Claim {
            root: outer.root(),
            set: SET,
            key,
            expect: Expectation::Present(forged_value),
        },
        Claim {
            root: inner_root,
            set: SET,
            key: inner_key,
            expect: Expectation::Present(forged_value),
        },
    ];
    let honest = path(&prove(&outer, &key).1);
    let inner = Path {
        steps: vec![Step {
            prefix: Bytes::new(),
            commitment: two,
        }]
        .try_into()
        .unwrap(),
        end: End::Leaf,
    };
    let nothing = Commitment::from_point(&quil_bls48581::G1Affine::identity());
    let proof = Proof {
        paths: vec![honest, inner].try_into().unwrap(),
        opening: Some(MultiProof {
            quotient: nothing,
            proof: nothing,
        }),
    };
    assert_eq!(
        verify_many(kzg().verifier(), &claims, &proof),
        Err(ProofError::Opening(OpeningError::Rejected))
    );
}

#[test]
fn too_many_openings_are_refused_on_both_sides() {
    // 43 pairs, three branches each under one top branch: more than 128 distinct openings.
    let mut keys = Vec::new();
    for i in 0..50 {
        for j in 0..3 {
            keys.push(key_of(&[i, j], 0));
            keys.push(key_of(&[i, j], 1));
        }
    }
    let trie = build(SET, &model_of(&keys));
    let queries: Vec<_> = keys.iter().step_by(6).map(|k| (&trie, *k)).collect();
    assert_eq!(
        prove_many(&kzg(), &queries).err(),
        Some(quil_trie::TrieError::Opening(OpeningError::TooMany(150)))
    );
    assert_eq!(
        prove_many(&kzg(), &[]).err(),
        Some(quil_trie::TrieError::Opening(OpeningError::Empty))
    );
    let many = vec![(&trie, keys[0]); CLAIMS_MAX + 1];
    assert_eq!(
        prove_many(&kzg(), &many).err(),
        Some(quil_trie::TrieError::TooManyClaims(65))
    );
    let (found, proof) = prove_many(&kzg(), &queries[..40]).unwrap();
    let claims: Vec<Claim> = queries[..40]
        .iter()
        .zip(found.iter().flatten())
        .map(|((_, k), l)| Claim {
            root: trie.root(),
            set: SET,
            key: *k,
            expect: Expectation::Present(l.value),
        })
        .collect();
    assert_eq!(verify_many(kzg().verifier(), &claims, &proof), Ok(()));
    // The verifier counts by itself.
    let mut paths = Vec::new();
    let mut claims = Vec::new();
    for (t, k) in &queries {
        let (expect, p) = t.prove(&kzg(), k).unwrap();
        paths.push(p.paths[0].clone());
        claims.push(Claim {
            root: t.root(),
            set: SET,
            key: *k,
            expect,
        });
    }
    let all = Proof {
        paths: paths.try_into().unwrap(),
        opening: proof.opening,
    };
    assert_eq!(
        verify_many(kzg().verifier(), &claims, &all),
        Err(ProofError::Opening(OpeningError::TooMany(150)))
    );
}

#[test]
fn sets_of_shards_and_phases_are_distinct_in_every_hash() {
    let (k, v) = (key_of(&[1], 1), value(1));
    let sets = [
        SET,
        OTHER_SET,
        quil_trie::SetId::SHARDS,
        quil_trie::SetId {
            addr: ShardAddr([0x12; 32]),
            phase: 0,
        },
    ];
    for (i, a) in sets.iter().enumerate() {
        for b in &sets[i + 1..] {
            assert_ne!(leaf_slot(a, &k, &v), leaf_slot(b, &k, &v));
        }
    }
}

fn crowded_key() -> impl Strategy<Value = Key> {
    (prop::collection::vec(0u8..3, 0..4), 0u8..3).prop_map(|(head, fill)| key_of(&head, fill * 20))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// In any trie every key has a proof of exactly what holds, and of nothing else.
    #[test]
    fn any_key_of_any_trie(
        members in prop::collection::btree_map(crowded_key(), 1u64..9, 0..12),
        asked in prop::collection::vec(crowded_key(), 1..6),
    ) {
        let model: Model = members.iter().map(|(k, n)| (*k, value(*n))).collect();
        let trie = build(SET, &model);
        let queries: Vec<(&Trie, Key)> = asked.iter().map(|k| (&trie, *k)).collect();
        let (found, proof) = prove_many(&kzg(), &queries).unwrap();
        let claims: Vec<Claim> = asked
            .iter()
            .map(|key| {
                let expect = model.get(key).map_or(Expectation::Absent, |v| Expectation::Present(*v));
                Claim { root: trie.root(), set: SET, key: *key, expect }
            })
            .collect();
        for (claim, leaf) in claims.iter().zip(&found) {
            prop_assert_eq!(leaf.as_ref().map(|l| l.value), model.get(&claim.key).copied());
        }
        prop_assert_eq!(verify_many(kzg().verifier(), &claims, &proof), Ok(()));
        for i in 0..claims.len() {
            let mut bent = claims.clone();
            bent[i].expect = match bent[i].expect {
                Expectation::Absent => Expectation::Present(value(3)),
                Expectation::Present(_) => Expectation::Absent,
            };
            prop_assert!(verify_many(kzg().verifier(), &bent, &proof).is_err());
        }
    }
}
