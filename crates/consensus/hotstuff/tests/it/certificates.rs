//! C3, C6, C10: every way to bend a certificate or a proof is refused, each with its own reason.

use proptest::prelude::*;
use quil_hotstuff::{
    Certified, EpochWalk, KeyedScheme, Scheme, SchemeError, VerifyError, verify_certified,
    verify_epoch_proof, verify_equivocation, verify_finality_proof, verify_qc, verify_tc,
};
use quil_types::{
    Bitmask, Bounded, Bytes, Canonical, Chain, Epoch, Equivocation, FinalityProof, FrameId,
    GenesisHash, Qc, Rank, ShardAddr, Tc, TcGroup,
};

use crate::bench::{Chained, Net, index};

fn qc_error(net: &Net, edit: impl FnOnce(&mut Qc)) -> VerifyError {
    let mut qc = net.qc(&Chained::new(net).propose(1).header);
    edit(&mut qc);
    verify_qc(&KeyedScheme, &net.term(0), qc).unwrap_err()
}

#[test]
fn qc_of_a_quorum_is_accepted() {
    for n in 1..12 {
        let net = Net::new(n);
        let qc = net.qc(&Chained::new(&net).propose(1).header);
        assert!(
            verify_qc(&KeyedScheme, &net.term(0), qc).is_ok(),
            "{n} members"
        );
    }
}

#[test]
fn qc_below_two_thirds_is_refused() {
    for n in 2..12 {
        let net = Net::new(n);
        let h = Chained::new(&net).propose(1).header;
        let few: Vec<usize> = (0..net.quorum() - 1).collect();
        let qc = net.qc_by(h.epoch, h.rank, h.id(), &few);
        assert!(3 * few.len() <= 2 * n);
        let error = verify_qc(&KeyedScheme, &net.term(0), qc).unwrap_err();
        let expected = VerifyError::BelowQuorum {
            weight: few.len(),
            quorum: net.quorum(),
        };
        assert_eq!(error, expected, "{n} members");
    }
}

#[test]
fn self_signed_qc_is_refused() {
    let net = Net::new(4);
    let h = Chained::new(&net).propose(1).header;
    let qc = net.qc_by(h.epoch, h.rank, h.id(), &[2]);
    let error = verify_qc(&KeyedScheme, &net.term(0), qc).unwrap_err();
    assert_eq!(
        error,
        VerifyError::BelowQuorum {
            weight: 1,
            quorum: 3
        }
    );
}

#[test]
fn qc_claiming_more_signers_than_signed_is_refused() {
    let net = Net::new(4);
    let error = qc_error(&net, |q| q.signers = Bitmask::of(4, (0..4).map(index)));
    assert_eq!(error, VerifyError::Signature(SchemeError::Mismatch));
}

#[test]
fn qc_is_bound_to_network_chain_epoch_rank_and_frame() {
    let net = Net::new(4);
    let other = Chain::Shard(ShardAddr([8; 32]));
    let mismatch = VerifyError::Signature(SchemeError::Mismatch);
    assert_eq!(qc_error(&net, |q| q.chain = other), VerifyError::WrongChain);
    let expected = VerifyError::WrongEpoch {
        expected: Epoch::ZERO,
        got: Epoch::new(1),
    };
    assert_eq!(qc_error(&net, |q| q.epoch = Epoch::new(1)), expected);
    assert_eq!(qc_error(&net, |q| q.rank = Rank::new(2)), mismatch);
    assert_eq!(
        qc_error(&net, |q| q.rank = Rank::ZERO),
        VerifyError::RankZero
    );
    assert_eq!(qc_error(&net, |q| q.id = FrameId([9; 32])), mismatch);
    let qc = net.qc(&Chained::new(&net).propose(1).header);
    for bend in 0..3 {
        let (mut term, mut qc) = (net.term(0), qc.clone());
        match bend {
            0 => term.genesis = GenesisHash([2; 32]),
            1 => (term.epoch, qc.epoch) = (Epoch::new(1), Epoch::new(1)),
            _ => (term.chain, qc.chain) = (other, other),
        }
        assert_eq!(
            verify_qc(&KeyedScheme, &term, qc).unwrap_err(),
            mismatch,
            "{bend}"
        );
    }
}

#[test]
fn qc_mask_length_and_padding_are_exact() {
    let net = Net::new(4);
    let padded = Bitmask::of(8, [0, 1, 2, 5].map(index));
    assert_eq!(qc_error(&net, |q| q.signers = padded), VerifyError::Mask);
    let long = Bitmask::of(9, [0, 1, 2].map(index));
    assert_eq!(qc_error(&net, |q| q.signers = long), VerifyError::Mask);
    assert_eq!(
        qc_error(&net, |q| q.signers = Bitmask::default()),
        VerifyError::Mask
    );
}

#[test]
fn identity_and_malformed_signatures_are_refused() {
    let net = Net::new(4);
    let zero = Bytes::from_slice(&[0; 32]).unwrap();
    let error = qc_error(&net, |q| q.signature = zero);
    assert_eq!(error, VerifyError::Signature(SchemeError::Identity));
    let error = qc_error(&net, |q| q.signature = Bytes::new());
    assert_eq!(error, VerifyError::Signature(SchemeError::Malformed));
}

#[test]
fn empty_committee_certifies_nothing() {
    let net = Net::new(0);
    let qc = Qc {
        chain: net.chain,
        epoch: Epoch::ZERO,
        rank: Rank::new(1),
        id: FrameId([1; 32]),
        signers: Bitmask::empty(0),
        signature: Bytes::from_slice(&[1; 32]).unwrap(),
    };
    let error = verify_qc(&KeyedScheme, &net.term(0), qc).unwrap_err();
    assert_eq!(
        error,
        VerifyError::BelowQuorum {
            weight: 0,
            quorum: 1
        }
    );
}

proptest! {
    #[test]
    fn any_flipped_bit_of_a_certificate_is_refused(bit in 0usize..2000) {
        let net = Net::new(4);
        let qc = net.qc(&Chained::new(&net).propose(1).header);
        let mut bytes = qc.encode();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bent) = Qc::decode(&bytes, 4096) {
            prop_assert!(verify_qc(&KeyedScheme, &net.term(0), bent).is_err());
        }
    }

    #[test]
    fn any_flipped_bit_of_a_timeout_certificate_is_refused(bit in 0usize..20_000) {
        let net = Net::new(4);
        let mut bytes = sample_tc(&net).encode();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bent) = Tc::decode(&bytes, 4096) {
            prop_assert!(verify_tc(&KeyedScheme, &net.term(0), bent).is_err());
        }
    }
}

/// Rank 5 given up: one member knows only the root, one rank 1, one rank 2.
fn sample_tc(net: &Net) -> Tc {
    let mut chain = Chained::new(net);
    let (a, b) = (chain.next(), chain.next());
    let (qa, qb) = (net.qc(&a.header), net.qc(&b.header));
    net.tc(0, 5, &[(0, None), (1, Some(qa)), (2, Some(qb))])
}

fn tc_error(edit: impl FnOnce(&Net, &mut Tc)) -> VerifyError {
    let net = Net::new(4);
    let mut tc = sample_tc(&net);
    edit(&net, &mut tc);
    verify_tc(&KeyedScheme, &net.term(0), tc).unwrap_err()
}

fn groups(groups: &[(u64, &[usize])]) -> Bounded<TcGroup, 64> {
    let groups: Vec<TcGroup> = groups
        .iter()
        .map(|(rank, members)| TcGroup {
            qc_rank: Rank::new(*rank),
            signers: Bitmask::of(4, members.iter().map(|m| index(*m))),
        })
        .collect();
    Bounded::try_from(groups).unwrap()
}

#[test]
fn tc_of_members_that_name_different_ranks_is_accepted() {
    let net = Net::new(4);
    let tc = verify_tc(&KeyedScheme, &net.term(0), sample_tc(&net)).unwrap();
    assert_eq!((tc.groups.len(), tc.high_qc_rank()), (3, Rank::new(2)));
    assert!(verify_tc(&KeyedScheme, &net.term(0), net.tc_over(0, 1, None)).is_ok());
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row per rule")]
fn tc_rules() {
    type Edit = fn(&Net, &mut Tc);
    let mismatch = VerifyError::Signature(SchemeError::Mismatch);
    let rows: Vec<(&str, Edit, VerifyError)> = vec![
        (
            "no groups",
            |_, t| t.groups = Bounded::new(),
            VerifyError::EmptyGroup,
        ),
        (
            "empty group",
            |_, t| t.groups = groups(&[(0, &[0, 1, 3]), (1, &[]), (2, &[2])]),
            VerifyError::EmptyGroup,
        ),
        (
            "descending",
            |_, t| t.groups = groups(&[(2, &[2]), (1, &[1]), (0, &[0])]),
            VerifyError::GroupOrder,
        ),
        (
            "repeated rank",
            |_, t| t.groups = groups(&[(0, &[0]), (2, &[1]), (2, &[2])]),
            VerifyError::GroupOrder,
        ),
        (
            "member twice",
            |_, t| t.groups = groups(&[(0, &[0, 1]), (1, &[1]), (2, &[2])]),
            VerifyError::GroupsOverlap,
        ),
        (
            "below quorum",
            |_, t| t.groups = groups(&[(1, &[1]), (2, &[2])]),
            VerifyError::BelowQuorum {
                weight: 2,
                quorum: 3,
            },
        ),
        (
            "other rank named",
            |_, t| t.groups = groups(&[(1, &[0, 1]), (2, &[2])]),
            mismatch.clone(),
        ),
        (
            "highest is not carried",
            |_, t| t.high_qc = None,
            VerifyError::HighQcRank {
                named: Rank::new(2),
                carried: Rank::ZERO,
            },
        ),
        (
            "carries more than named",
            |_, t| t.groups = groups(&[(0, &[0, 2]), (1, &[1])]),
            VerifyError::HighQcRank {
                named: Rank::new(1),
                carried: Rank::new(2),
            },
        ),
        (
            "not below the rank",
            |_, t| t.rank = Rank::new(2),
            VerifyError::HighQcNotBelow,
        ),
        ("other rank", |_, t| t.rank = Rank::new(6), mismatch.clone()),
        (
            "other chain",
            |_, t| t.chain = Chain::Shard(ShardAddr::ZERO),
            VerifyError::WrongChain,
        ),
        (
            "other epoch",
            |_, t| t.epoch = Epoch::new(1),
            VerifyError::WrongEpoch {
                expected: Epoch::ZERO,
                got: Epoch::new(1),
            },
        ),
        (
            "certificate of another epoch",
            |n, t| {
                t.high_qc = Some(n.qc_by(Epoch::new(1), Rank::new(2), FrameId([1; 32]), &[0, 1, 2]))
            },
            VerifyError::HighQc(Box::new(VerifyError::WrongEpoch {
                expected: Epoch::ZERO,
                got: Epoch::new(1),
            })),
        ),
        (
            "self-signed certificate",
            |n, t| {
                let q = t.high_qc.clone().unwrap();
                t.high_qc = Some(n.qc_by(q.epoch, q.rank, q.id, &[3]));
            },
            VerifyError::HighQc(Box::new(VerifyError::BelowQuorum {
                weight: 1,
                quorum: 3,
            })),
        ),
        (
            "padding",
            |_, t| {
                let mut g = t.groups.clone().into_vec();
                g[0].signers = Bitmask::of(8, [0, 6].map(index));
                t.groups = Bounded::try_from(g).unwrap();
            },
            VerifyError::Mask,
        ),
        (
            "signature",
            |n, t| t.signature = KeyedScheme.sign(&n.keys[0], b"x"),
            mismatch,
        ),
    ];
    for (name, edit, expected) in rows {
        assert_eq!(tc_error(edit), expected, "{name}");
    }
}

#[test]
fn tc_is_kept_with_the_certificate_that_was_checked() {
    let net = Net::new(4);
    let tc = sample_tc(&net);
    let mut twin = tc.clone();
    let q = tc.high_qc.unwrap();
    // The same frame, certified by other members.
    twin.high_qc = Some(net.qc_by(q.epoch, q.rank, q.id, &[1, 2, 3]));
    let known = net.checked(q.clone());
    let kept =
        quil_hotstuff::verify_tc_over(&KeyedScheme, &net.term(0), twin.clone(), &known).unwrap();
    assert_eq!(kept.high_qc, Some(q));
    twin.high_qc = Some(net.qc_by(Epoch::ZERO, Rank::new(2), FrameId([4; 32]), &[1, 2, 3]));
    let error =
        quil_hotstuff::verify_tc_over(&KeyedScheme, &net.term(0), twin, &known).unwrap_err();
    assert_eq!(error, VerifyError::OtherFrame);
}

fn finality(net: &Net) -> FinalityProof {
    let mut chain = Chained::new(net);
    chain.next();
    let header = chain.next().header;
    FinalityProof {
        qc: net.qc(&header),
        header,
    }
}

#[test]
fn finality_proof_rules() {
    let net = Net::new(4);
    let check = |p: FinalityProof| verify_finality_proof(&KeyedScheme, &net.term(0), p);
    let good = check(finality(&net)).unwrap();
    assert_eq!(good.parent(), finality(&net).header.parent);
    assert!(!good.closes(net.term(0).rule));

    let mut gap = Chained::new(&net);
    let first = gap.next();
    let skipped = gap.propose(3).header;
    assert_eq!(skipped.parent, first.header.id());
    let proof = FinalityProof {
        qc: net.qc(&skipped),
        header: skipped,
    };
    assert_eq!(check(proof).unwrap_err(), VerifyError::NotConsecutive);

    let mut other = finality(&net);
    other.header.multiplier += 1;
    assert_eq!(check(other).unwrap_err(), VerifyError::OtherFrame);

    let mut few = finality(&net);
    few.qc = net.qc_by(few.qc.epoch, few.qc.rank, few.qc.id, &[0, 1]);
    assert!(matches!(
        check(few).unwrap_err(),
        VerifyError::BelowQuorum { .. }
    ));

    let foreign = Chained::new(&net);
    let header = foreign
        .propose_with(1, |h| h.committee_root.0[0] ^= 1)
        .header;
    let proof = FinalityProof {
        qc: net.qc(&header),
        header,
    };
    assert_eq!(check(proof).unwrap_err(), VerifyError::CommitteeRoot);

    let mut later = finality(&net);
    later.header.epoch = Epoch::new(1);
    assert!(matches!(
        check(later).unwrap_err(),
        VerifyError::WrongEpoch { .. }
    ));
}

#[test]
fn certified_header_needs_its_own_certificate() {
    let net = Net::new(4);
    let a = Chained::new(&net).propose(1).header;
    let b = Chained::new(&net).propose(3).header;
    let check = |header, qc| verify_certified(&KeyedScheme, &net.term(0), Certified { header, qc });
    assert!(
        check(b.clone(), net.qc(&b)).is_ok(),
        "no claim about the parent"
    );
    assert_eq!(check(a, net.qc(&b)).unwrap_err(), VerifyError::OtherFrame);
}

#[test]
fn proof_that_a_descendant_is_certified_says_so() {
    let net = Net::new(4);
    let (_, proof) = Chained::new(&net).finish_epoch();
    let direct = FinalityProof {
        header: proof.tip,
        qc: proof.qc,
    };
    let checked = verify_finality_proof(&KeyedScheme, &net.term(0), direct).unwrap();
    assert!(checked.closes(net.term(0).rule));
}

#[test]
fn epoch_proof_rules() {
    let net = Net::new(4);
    let (frames, good) = Chained::new(&net).finish_epoch();
    let check = |p| verify_epoch_proof(&KeyedScheme, &net.term(0), p);
    assert!(check(good.clone()).is_ok());

    let mut p = good.clone();
    p.closing = frames[0].header.clone();
    assert_eq!(check(p).unwrap_err(), VerifyError::NotClosing);

    let mut p = good.clone();
    p.closing.next_committee_root = quil_types::Digest::ZERO;
    assert_eq!(
        check(p).unwrap_err(),
        VerifyError::NotClosing,
        "names no committee"
    );

    // Another closing frame cannot be slipped under certified descendants.
    let mut p = good.clone();
    p.closing.next_committee_root.0[0] ^= 1;
    assert_eq!(check(p).unwrap_err(), VerifyError::BrokenLink(0));

    let mut p = good.clone();
    p.qc = net.qc_by(p.qc.epoch, p.qc.rank, p.qc.id, &[0]);
    assert!(matches!(
        check(p).unwrap_err(),
        VerifyError::BelowQuorum { .. }
    ));

    let mut p = good.clone();
    p.tip.multiplier += 1;
    assert_eq!(check(p).unwrap_err(), VerifyError::OtherFrame);

    let stale = verify_epoch_proof(&KeyedScheme, &net.term(1), good).unwrap_err();
    assert_eq!(
        stale,
        VerifyError::WrongEpoch {
            expected: Epoch::new(1),
            got: Epoch::ZERO
        }
    );
}

#[test]
fn epoch_proof_over_several_descendants() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    while chain.tip.number.get() < 3 {
        chain.next();
    }
    let closing = chain.tip.clone();
    let mut between = Vec::new();
    for _ in 0..3 {
        // Every second rank fails, so no descendant commits its parent.
        let p = chain.propose(chain.tip_rank + 2);
        chain.extend(&p);
        between.push(p.header);
    }
    let tip = chain.next().header;
    let proof = quil_types::EpochProof {
        closing,
        between: Bounded::try_from(between.clone()).unwrap(),
        qc: net.qc(&tip),
        tip,
    };
    let check = |p| verify_epoch_proof(&KeyedScheme, &net.term(0), p);
    assert!(check(proof.clone()).is_ok());

    let mut p = proof.clone();
    p.between = Bounded::try_from(between[1..].to_vec()).unwrap();
    assert_eq!(
        check(p).unwrap_err(),
        VerifyError::BrokenLink(0),
        "a header left out"
    );

    let mut p = proof.clone();
    let mut bent = between.clone();
    bent[1].multiplier += 1;
    p.between = Bounded::try_from(bent).unwrap();
    assert_eq!(
        check(p).unwrap_err(),
        VerifyError::BrokenLink(2),
        "a header replaced"
    );

    let mut p = proof.clone();
    p.tip = between[2].clone();
    p.between = Bounded::try_from(between[..2].to_vec()).unwrap();
    p.qc = net.qc(&p.tip);
    assert_eq!(check(p).unwrap_err(), VerifyError::NotConsecutive);

    let mut p = proof;
    p.tip.next_committee_root = p.closing.next_committee_root;
    p.qc = net.qc(&p.tip);
    assert_eq!(check(p).unwrap_err(), VerifyError::NotDescendant(3));
}

#[test]
fn walk_follows_committees_from_genesis() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let mut walk = EpochWalk::new(net.term(0));
    for epoch in 1..4 {
        let (_, proof) = chain.finish_epoch();
        let stranger = Net::new(5).committee();
        let error = walk
            .advance(&KeyedScheme, proof.clone(), stranger)
            .unwrap_err();
        assert_eq!(error, VerifyError::NextCommittee);
        let root = proof.closing.id();
        walk.advance(&KeyedScheme, proof.clone(), net.committee())
            .unwrap();
        assert_eq!(
            (walk.term().epoch, walk.root()),
            (Epoch::new(epoch), Some(root))
        );
        assert!(
            walk.advance(&KeyedScheme, proof, net.committee()).is_err(),
            "stale"
        );
    }
}

#[test]
fn equivocation_rules() {
    let net = Net::new(4);
    let vote = |m, rank, id: u8| net.vote_for(m, Epoch::ZERO, Rank::new(rank), FrameId([id; 32]));
    let check = |a, b| verify_equivocation(&KeyedScheme, &net.term(0), Equivocation { a, b });
    assert!(check(vote(1, 1, 1), vote(1, 1, 2)).is_ok());
    for (name, a, b) in [
        ("same frame", vote(1, 1, 1), vote(1, 1, 1)),
        ("different ranks", vote(1, 1, 1), vote(1, 2, 2)),
        ("different members", vote(1, 1, 1), vote(2, 1, 2)),
    ] {
        assert_eq!(check(a, b).unwrap_err(), VerifyError::NoConflict, "{name}");
    }
    let mut forged = vote(1, 1, 2);
    forged.signature = vote(2, 1, 2).signature;
    let error = check(vote(1, 1, 1), forged).unwrap_err();
    assert_eq!(
        error,
        VerifyError::Signature(SchemeError::Mismatch),
        "framing is not possible"
    );
    let (mut a, mut b) = (vote(1, 1, 1), vote(1, 1, 2));
    (a.member, b.member) = (index(7), index(7));
    assert_eq!(
        check(a, b).unwrap_err(),
        VerifyError::Signature(SchemeError::UnknownMember)
    );
}
