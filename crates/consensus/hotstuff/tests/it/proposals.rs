//! W1, C1, C2, C5, C6: what makes a proposal unacceptable. Each row bends one thing; the leader's signature is fresh,
//! so that nothing else can be the reason.

use quil_hotstuff::{Output, ProposalError, Reject, SchemeError, Verdict, VerifyError};
use quil_types::{
    Beacon, BeaconWitness, Bitmask, Body, Bounded, ConsensusMessage, Digest, Epoch, FinalityProof,
    Header, Justify, Proposal, Rank,
};

use crate::bench::{Bench, Chained, Net, index, peer, rejects, votes};

/// A node that is not the leader of the first ranks, with frame 1 certified, and the chain so far.
fn scene(net: &Net) -> (Bench, Chained) {
    let mut chain = Chained::new(net);
    let me = (0..net.n())
        .find(|m| (1..4).all(|r| chain.leader(r) != *m))
        .unwrap_or(0);
    let mut bench = Bench::started(net, me);
    let first = chain.next();
    bench.proposal(&first);
    bench.certify(&first.header);
    assert_eq!(bench.rank(), 2);
    (bench, chain)
}

fn refused(net: &Net, rank: u64, edit: impl FnOnce(&Net, &mut Proposal)) -> Vec<Reject> {
    let (mut bench, chain) = scene(net);
    let mut p = chain.propose(rank);
    edit(net, &mut p);
    let out = bench.proposal(&p);
    assert!(votes(&out).is_empty(), "voted for {p:?}");
    rejects(&out)
}

fn sign(net: &Net, p: &mut Proposal) {
    p.vote = net.vote(p.vote.member.get(), &p.header);
}

fn header(edit: impl FnOnce(&mut Header)) -> impl FnOnce(&Net, &mut Proposal) {
    |net, p| {
        edit(&mut p.header);
        sign(net, p);
    }
}

#[test]
fn good_proposal_gets_a_vote() {
    let net = Net::new(7);
    let (mut bench, chain) = scene(&net);
    let out = bench.proposal(&chain.propose(2));
    assert_eq!(votes(&out).len(), 1);
    assert_eq!(rejects(&out), []);
}

#[test]
fn header_rules() {
    use ProposalError as E;
    type Edit = fn(&mut Header);
    let rows: Vec<(&str, u64, Edit, E)> = vec![
        (
            "rank not above the parent's",
            2,
            |h| h.parent_rank = h.rank,
            E::Rank,
        ),
        (
            "other committee",
            2,
            |h| h.committee_root = Digest([1; 32]),
            E::CommitteeRoot,
        ),
        (
            "committee named too early",
            2,
            |h| h.next_committee_root = Digest([1; 32]),
            E::NextCommitteeRoot,
        ),
        ("other parent", 2, |h| h.parent.0[0] ^= 1, E::Justify),
        ("other proposer", 2, |h| h.proposer.0[0] ^= 1, E::NotLeader),
        ("other body root", 2, |h| h.requests_root.0[0] ^= 1, E::Body),
        (
            "number",
            2,
            |h| h.number = h.number.next().next(),
            E::Beacon,
        ),
        (
            "anchor on the global chain",
            2,
            |h| h.anchor = Some(quil_types::Anchor::default()),
            E::Anchor,
        ),
    ];
    let net = Net::new(7);
    for (name, rank, edit, expected) in rows {
        assert_eq!(
            refused(&net, rank, header(edit)),
            [Reject::Proposal(expected)],
            "{name}"
        );
    }
    let number = refused(&net, 2, |net, p| {
        p.header.number = p.header.number.prev().unwrap();
        p.beacon.as_mut().unwrap().number = p.header.number;
        sign(net, p);
    });
    assert_eq!(number, [Reject::Proposal(E::Number)]);
}

#[test]
fn proposal_from_non_leader_rejected() {
    let net = Net::new(7);
    let (mut bench, chain) = scene(&net);
    let leader = chain.leader(2);
    let impostor = (0..7).find(|m| *m != leader).unwrap();
    let mut p = chain.propose(2);
    p.header.proposer = net.committee().members[impostor].prover;
    p.vote = net.vote(impostor, &p.header);
    let out = bench.proposal(&p);
    assert_eq!(rejects(&out), [Reject::Proposal(ProposalError::NotLeader)]);
    assert!(matches!(&out[..], [Output::Penalise { peer: p, .. }] if *p == peer(impostor)));
}

#[test]
fn proposal_relayed_by_another_member_is_refused_as_his() {
    let net = Net::new(7);
    let (mut bench, chain) = scene(&net);
    let p = chain.propose(2);
    let relay = (0..7).find(|m| *m != chain.leader(2)).unwrap();
    let out = bench.message(relay, ConsensusMessage::Proposal(Box::new(p)));
    assert_eq!(rejects(&out), [Reject::AuthorMismatch]);
}

#[test]
fn leader_signature_is_checked() {
    let net = Net::new(7);
    let forged = refused(&net, 2, |net, p| {
        p.vote.signature = net.vote((p.vote.member.get() + 1) % 7, &p.header).signature;
    });
    let mismatch = VerifyError::Signature(SchemeError::Mismatch);
    assert_eq!(
        forged,
        [Reject::Proposal(ProposalError::Signature(mismatch))]
    );
    let other_frame = refused(&net, 2, |net, p| {
        let mut h = p.header.clone();
        h.multiplier += 1;
        p.vote = net.vote(p.vote.member.get(), &h);
    });
    assert_eq!(other_frame, [Reject::Proposal(ProposalError::Vote)]);
    let other_rank = refused(&net, 2, |net, p| {
        p.vote = net.vote_for(
            p.vote.member.get(),
            Epoch::ZERO,
            Rank::new(3),
            p.header.id(),
        );
    });
    assert_eq!(other_rank, [Reject::Proposal(ProposalError::Vote)]);
}

#[test]
fn self_signed_qc_rejected() {
    let net = Net::new(7);
    let reasons = refused(&net, 2, |net, p| {
        let Justify::Qc(q) = &p.justify else {
            panic!("a certificate")
        };
        // Another frame of rank 1, certified by its inventor alone.
        let mut id = q.id;
        id.0[0] ^= 1;
        p.justify = Justify::Qc(net.qc_by(q.epoch, q.rank, id, &[p.vote.member.get()]));
        p.header.parent = id;
        sign(net, p);
    });
    assert_eq!(
        reasons,
        [Reject::Verify(VerifyError::BelowQuorum {
            weight: 1,
            quorum: 5
        })]
    );
}

#[test]
fn justification_must_be_for_the_parent() {
    let net = Net::new(7);
    let wrong = [Reject::Proposal(ProposalError::Justify)];
    assert_eq!(refused(&net, 2, |_, p| p.justify = Justify::Genesis), wrong);
    let other_rank = refused(&net, 2, |net, p| {
        p.justify =
            Justify::Qc(net.qc_by(Epoch::ZERO, Rank::new(2), p.header.parent, &[0, 1, 2, 3, 4]));
    });
    assert_eq!(other_rank, wrong);
    let genesis_later = refused(&net, 2, |net, p| {
        p.header.parent = net.genesis().id();
        p.header.parent_rank = Rank::ZERO;
        p.tc = Some(net.tc_over(0, 1, None));
        sign(net, p);
    });
    assert_eq!(genesis_later, wrong);
}

#[test]
fn rank_may_be_skipped_only_with_a_certificate_of_the_one_before() {
    use ProposalError as E;
    let net = Net::new(7);
    let one = |e: E| vec![Reject::Proposal(e)];
    assert_eq!(refused(&net, 3, |_, p| p.tc = None), one(E::MissingTc));
    let needless = |net: &Net, p: &mut Proposal| p.tc = Some(net.tc_over(0, 1, None));
    assert_eq!(refused(&net, 2, needless), one(E::NeedlessTc));
    let other = |net: &Net, p: &mut Proposal| p.tc = Some(net.tc_over(0, 1, None));
    assert_eq!(refused(&net, 3, other), one(E::OtherTc));
    // A member that gave rank 3 up knew a certificate of rank 2: building on rank 1 would abandon it.
    let stale = |net: &Net, p: &mut Proposal| {
        let newer = net.qc_by(Epoch::ZERO, Rank::new(2), p.header.parent, &[0, 1, 2, 3, 4]);
        p.tc = Some(net.tc_over(0, 3, Some(&newer)));
    };
    assert_eq!(refused(&net, 4, stale), one(E::StaleParent));
    let few = |net: &Net, p: &mut Proposal| {
        p.tc = Some(net.tc(0, 2, &[(0, None), (1, None), (2, None), (3, None)]));
    };
    let error = VerifyError::BelowQuorum {
        weight: 4,
        quorum: 5,
    };
    assert_eq!(refused(&net, 3, few), [Reject::Verify(error)]);
    let padded = |_: &Net, p: &mut Proposal| {
        let mut groups = p.tc.clone().unwrap().groups.into_vec();
        groups[0].signers = Bitmask::of(8, (0..8).map(index));
        p.tc.as_mut().unwrap().groups = Bounded::try_from(groups).unwrap();
    };
    assert_eq!(
        refused(&net, 3, padded),
        [Reject::Verify(VerifyError::Mask)]
    );
}

#[test]
fn skipped_rank_with_a_certificate_gets_a_vote() {
    let net = Net::new(7);
    let (mut bench, chain) = scene(&net);
    let out = bench.proposal(&chain.propose(3));
    assert_eq!(
        (votes(&out).len(), bench.rank()),
        (1, 3),
        "{:?}",
        rejects(&out)
    );
}

#[test]
fn witness_and_body_belong_to_the_chain() {
    let net = Net::new(7);
    let witness = [Reject::Proposal(ProposalError::Beacon)];
    assert_eq!(refused(&net, 2, |_, p| p.beacon = None), witness);
    let other = |_: &Net, p: &mut Proposal| {
        let number = p.header.number.next();
        p.beacon = Some(BeaconWitness {
            number,
            y: Bounded::new(),
            pi: Bounded::new(),
        });
    };
    assert_eq!(refused(&net, 2, other), witness);
    let body = [Reject::Proposal(ProposalError::Body)];
    assert_eq!(
        refused(&net, 2, |_, p| p.body = Body::Shard(Bounded::new())),
        body
    );
    let shard = Net::shard(7);
    let anchorless = refused(&shard, 2, header(|h| h.anchor = None));
    assert_eq!(anchorless, [Reject::Proposal(ProposalError::Anchor)]);
}

#[test]
fn anchors_never_go_back() {
    let net = Net::shard(7);
    let mut chain = Chained::new(&net);
    let me = (0..7)
        .find(|m| (1..4).all(|r| chain.leader(r) != *m))
        .unwrap();
    let mut bench = Bench::started(&net, me);
    chain.anchor = 2;
    let first = chain.next();
    bench.proposal(&first);
    bench.certify(&first.header);
    chain.anchor = 1;
    let out = bench.proposal(&chain.propose(2));
    assert_eq!(rejects(&out), [Reject::Proposal(ProposalError::Anchor)]);
}

/// A member that saw the chain up to the certified closing frame.
fn at_closing(net: &Net) -> (Bench, Chained) {
    let (mut bench, mut chain) = scene(net);
    chain.anchor = 3;
    loop {
        let p = chain.next();
        bench.proposal(&p);
        bench.certify(&p.header);
        if p.header.next_committee_root != Digest::ZERO {
            return (bench, chain);
        }
    }
}

#[test]
fn descendants_are_empty_and_repeat() {
    use ProposalError as E;
    for net in [Net::new(7), Net::shard(7)] {
        let try_with = |edit: &dyn Fn(&mut Proposal)| {
            let (mut bench, chain) = at_closing(&net);
            let mut p = chain.propose(chain.tip_rank + 1);
            edit(&mut p);
            sign(&net, &mut p);
            rejects(&bench.proposal(&p))
        };
        assert_eq!(try_with(&|_| {}), [], "as it should be");
        let beacon = try_with(&|p| p.header.beacon = Beacon([9; 32]));
        assert_eq!(beacon, [Reject::Proposal(E::NotRepeated)]);
        let committee = try_with(&|p| p.header.next_committee_root = Digest([1; 32]));
        let expected = match net.chain {
            // On a shard this claims to be a second closing frame.
            quil_types::Chain::Shard(_) => E::Place,
            quil_types::Chain::Global => E::NextCommitteeRoot,
        };
        assert_eq!(committee, [Reject::Proposal(expected)]);
        if net.chain == quil_types::Chain::Global {
            let body = try_with(&|p| {
                let update = FinalityProof {
                    qc: net.qc(&p.header),
                    header: p.header.clone(),
                };
                p.body = Body::Global(Bounded::try_from(vec![update]).unwrap());
                p.header.requests_root = p.body.requests_root();
            });
            assert_eq!(body, [Reject::Proposal(E::NotEmpty)]);
        } else {
            let anchor = try_with(&|p| p.header.anchor = net.anchor(9));
            assert_eq!(anchor, [Reject::Proposal(E::NotRepeated)]);
        }
    }
}

#[test]
fn shard_frame_behind_the_boundary_must_close() {
    let net = Net::shard(7);
    let (mut bench, mut chain) = scene(&net);
    chain.anchor = 3;
    let p = chain.propose_with(2, |h| h.next_committee_root = Digest::ZERO);
    let out = bench.proposal(&p);
    // Without a committee it claims to be a descendant, but its parent does not close the epoch.
    assert_eq!(rejects(&out), [Reject::Proposal(ProposalError::Place)]);
}

#[test]
fn closing_frame_names_the_committee_of_final_state() {
    let net = Net::new(7);
    let (mut bench, mut chain) = scene(&net);
    let p = chain.next();
    bench.proposal(&p);
    bench.certify(&p.header);
    let wrong = chain.propose_with(3, |h| h.next_committee_root.0[0] ^= 1);
    let out = bench.proposal(&wrong);
    assert_eq!(
        rejects(&out),
        [Reject::Proposal(ProposalError::NextCommitteeRoot)]
    );
    assert!(votes(&out).is_empty());
}

#[test]
fn parent_rank_is_that_of_the_parent() {
    let net = Net::new(7);
    let (mut bench, mut chain) = scene(&net);
    // A quorum lies about rank 1's frame: certified as rank 2. More than the faults we bear, yet no panic.
    let first = chain.tip.clone();
    let lie = net.qc_by(Epoch::ZERO, Rank::new(2), first.id(), &[0, 1, 2, 3, 4]);
    chain.tip_rank = 2;
    let mut p = chain.propose(3);
    p.justify = Justify::Qc(lie);
    sign(&net, &mut p);
    let out = bench.proposal(&p);
    assert_eq!(rejects(&out), [Reject::Proposal(ProposalError::ParentRank)]);
}

#[test]
fn body_that_does_not_execute_is_blamed_on_the_leader() {
    let net = Net::new(7);
    let (mut bench, chain) = scene(&net);
    bench.verdict = Verdict::Invalid("state root");
    let out = bench.proposal(&chain.propose(2));
    assert_eq!(rejects(&out), [Reject::Body("state root")]);
    assert!(votes(&out).is_empty());
}

#[test]
fn refused_messages_change_nothing() {
    let net = Net::new(7);
    let (bench, chain) = scene(&net);
    let stranger = Net::shard(7);
    let mut bad = chain.propose(2);
    bad.header.proposer.0[0] ^= 1;
    let messages = [
        ConsensusMessage::Proposal(Box::new(bad)),
        ConsensusMessage::Vote(stranger.vote(chain.leader(2), &chain.tip)),
        ConsensusMessage::Timeout(net.timeout(chain.leader(2), 0, 0, None)),
        ConsensusMessage::Qc(quil_types::Qc {
            rank: Rank::ZERO,
            ..net.qc(&chain.tip)
        }),
    ];
    for message in messages {
        let mut after = bench.clone();
        let out = after.message(chain.leader(2), message.clone());
        assert_eq!(rejects(&out).len(), 1, "{message:?}");
        assert_eq!(after.core, bench.core, "{message:?}");
    }
}
