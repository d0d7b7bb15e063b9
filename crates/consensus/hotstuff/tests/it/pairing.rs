//! C6, D5: the same rules over BLS48-581.

use std::sync::Arc;

use quil_bls48581::SecretKey;
use quil_hotstuff::{
    BlsScheme, EpochRule, Group, Roster, Scheme, SchemeError, Term, VerifyError, verify_qc,
    verify_tc,
};
use quil_types::{
    Bitmask, Bounded, Bytes, Chain, Committee, Epoch, FrameId, GenesisHash, Member, PeerKey,
    ProverId, Qc, Rank, SignatureBytes, Tc, TcGroup,
};

use crate::bench::index;

fn keys(n: u8) -> Vec<SecretKey> {
    (0..n)
        .map(|i| SecretKey::from_seed(&[i; 32], b"test").unwrap())
        .collect()
}

fn term(keys: &[SecretKey]) -> Term {
    let members: Vec<Member> = keys
        .iter()
        .map(|k| Member {
            prover: ProverId::ZERO,
            key: k.public_key().to_bytes(),
            peer: PeerKey::ZERO,
        })
        .collect();
    Term {
        genesis: GenesisHash([1; 32]),
        chain: Chain::Global,
        epoch: Epoch::ZERO,
        rule: EpochRule::new(8),
        roster: Arc::new(Roster::new(Committee {
            members: Bounded::try_from(members).unwrap(),
        })),
    }
}

fn sum(scheme: &BlsScheme, parts: &[SignatureBytes]) -> SignatureBytes {
    scheme.aggregate(parts).unwrap()
}

#[test]
fn quorum_certificate() {
    let (scheme, keys) = (BlsScheme::new(), keys(4));
    let term = term(&keys);
    scheme.prepare(&term.roster);
    let (rank, id) = (Rank::new(3), FrameId([9; 32]));
    let parts: Vec<_> = keys
        .iter()
        .map(|k| scheme.sign(k, &term.vote_bytes(rank, id)))
        .collect();
    assert_eq!(
        parts[0],
        scheme.sign(&keys[0], &term.vote_bytes(rank, id)),
        "deterministic (C8)"
    );
    let qc = |members: &[usize], signature| Qc {
        chain: term.chain,
        epoch: term.epoch,
        rank,
        id,
        signers: Bitmask::of(4, members.iter().map(|m| index(*m))),
        signature,
    };
    let three = sum(&scheme, &parts[1..]);
    assert!(verify_qc(&scheme, &term, qc(&[1, 2, 3], three.clone())).is_ok());
    let mismatch = VerifyError::Signature(SchemeError::Mismatch);
    assert_eq!(
        verify_qc(&scheme, &term, qc(&[0, 1, 2], three.clone())).unwrap_err(),
        mismatch
    );
    assert_eq!(
        verify_qc(&scheme, &term, qc(&[0, 1, 2, 3], three)).unwrap_err(),
        mismatch
    );
    let single = scheme.verify(
        &term.roster,
        index(2),
        &term.vote_bytes(rank, id),
        &parts[2],
    );
    assert_eq!(single, Ok(()));
    let other = scheme.verify(
        &term.roster,
        index(1),
        &term.vote_bytes(rank, id),
        &parts[2],
    );
    assert_eq!(other, Err(SchemeError::Mismatch));
    let stranger = scheme.verify(
        &term.roster,
        index(4),
        &term.vote_bytes(rank, id),
        &parts[2],
    );
    assert_eq!(stranger, Err(SchemeError::UnknownMember));
}

#[test]
fn timeout_certificate_over_two_ranks() {
    let (scheme, keys) = (BlsScheme::new(), keys(4));
    let term = term(&keys);
    let id = FrameId([9; 32]);
    let votes: Vec<_> = keys[..3]
        .iter()
        .map(|k| scheme.sign(k, &term.vote_bytes(Rank::new(1), id)))
        .collect();
    let qc = Qc {
        chain: term.chain,
        epoch: term.epoch,
        rank: Rank::new(1),
        id,
        signers: Bitmask::of(4, (0..3).map(index)),
        signature: sum(&scheme, &votes),
    };
    let rank = Rank::new(4);
    let named = [(0, Rank::ZERO), (1, Rank::ZERO), (3, Rank::new(1))];
    let parts: Vec<_> = named
        .iter()
        .map(|(m, q)| scheme.sign(&keys[*m], &term.timeout_bytes(rank, *q)))
        .collect();
    let groups = vec![
        TcGroup {
            qc_rank: Rank::ZERO,
            signers: Bitmask::of(4, [0, 1].map(index)),
        },
        TcGroup {
            qc_rank: Rank::new(1),
            signers: Bitmask::of(4, [3].map(index)),
        },
    ];
    let tc = Tc {
        chain: term.chain,
        epoch: term.epoch,
        rank,
        high_qc: Some(qc),
        groups: Bounded::try_from(groups).unwrap(),
        signature: sum(&scheme, &parts),
    };
    assert!(verify_tc(&scheme, &term, tc.clone()).is_ok());
    let mut moved = tc;
    moved.groups = Bounded::try_from(vec![
        TcGroup {
            qc_rank: Rank::ZERO,
            signers: Bitmask::of(4, [0].map(index)),
        },
        TcGroup {
            qc_rank: Rank::new(1),
            signers: Bitmask::of(4, [1, 3].map(index)),
        },
    ])
    .unwrap();
    let mismatch = VerifyError::Signature(SchemeError::Mismatch);
    assert_eq!(verify_tc(&scheme, &term, moved).unwrap_err(), mismatch);
}

#[test]
fn identity_and_malformed_points_are_refused() {
    let (scheme, keys) = (BlsScheme::new(), keys(2));
    let term = term(&keys);
    let check = |bytes: &[u8]| {
        let signature = Bytes::from_slice(bytes).unwrap();
        scheme.verify(&term.roster, index(0), b"m", &signature)
    };
    assert_eq!(check(&[0; 74]), Err(SchemeError::Identity));
    assert_eq!(check(&[1; 74]), Err(SchemeError::Malformed));
    assert_eq!(check(&[]), Err(SchemeError::Malformed));
    assert_eq!(scheme.aggregate(&[]), Err(SchemeError::Malformed));
}

#[test]
fn keys_that_cancel_certify_nothing() {
    let keys = keys(2);
    let mut members = term(&keys).roster.committee().members.clone().into_vec();
    members[1].key = keys[0].public_key().neg().to_bytes();
    let roster = Roster::new(Committee {
        members: Bounded::try_from(members).unwrap(),
    });
    let scheme = BlsScheme::new();
    let group = Group {
        signers: Bitmask::of(2, [0, 1].map(index)),
        message: b"m".to_vec(),
    };
    let some = scheme.sign(&keys[0], b"m");
    assert_eq!(
        scheme.verify_same(&roster, &group, &some),
        Err(SchemeError::Identity)
    );
}

#[test]
fn undecodable_key_costs_only_its_own_member() {
    let keys = keys(2);
    let mut members = term(&keys).roster.committee().members.clone().into_vec();
    members[1].key = [7; 585];
    let roster = Roster::new(Committee {
        members: Bounded::try_from(members).unwrap(),
    });
    let scheme = BlsScheme::new();
    let signature = scheme.sign(&keys[0], b"m");
    assert_eq!(scheme.verify(&roster, index(0), b"m", &signature), Ok(()));
    assert_eq!(
        scheme.verify(&roster, index(1), b"m", &signature),
        Err(SchemeError::Malformed)
    );
}
