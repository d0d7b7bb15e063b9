//! C7, C10: counting votes, checking them once, evidence.

use quil_hotstuff::{Halt, Output, Reject, SchemeError, VerifyError};
use quil_types::{ConsensusMessage, Epoch, FrameId, Qc, Rank};

use crate::bench::{Bench, Chained, Net, peer, rejects};

fn certified(out: &[Output]) -> usize {
    out.iter()
        .filter(|o| matches!(o, Output::Certified { .. }))
        .count()
}

/// A node that leads none of the first ranks and has voted for frame 1.
fn scene(n: usize) -> (Net, Bench, Chained) {
    let net = Net::new(n);
    let mut chain = Chained::new(&net);
    let me = (0..n)
        .find(|m| (1..4).all(|r| chain.leader(r) != *m))
        .unwrap_or(0);
    let mut bench = Bench::started(&net, me);
    let p = chain.next();
    bench.proposal(&p);
    (net, bench, chain)
}

fn others(bench: &Bench, chain: &Chained) -> Vec<usize> {
    let leader = chain.leader(1);
    (0..bench.net.n())
        .filter(|m| Some(*m) != bench.me && *m != leader)
        .collect()
}

#[test]
fn votes_are_checked_once_at_the_quorum() {
    let (net, mut bench, chain) = scene(10);
    let before = bench.checks;
    // The leader's and our own vote are in; seven are needed.
    let rest = others(&bench, &chain);
    for m in &rest[..4] {
        assert_eq!(certified(&bench.vote(net.vote(*m, &chain.tip))), 0);
    }
    assert_eq!(bench.checks, before, "nothing to check below the quorum");
    assert_eq!(certified(&bench.vote(net.vote(rest[4], &chain.tip))), 1);
    assert_eq!(bench.checks, before + 1);
    for m in &rest[5..] {
        bench.vote(net.vote(*m, &chain.tip));
    }
    assert_eq!(bench.checks, before + 1, "late votes are not checked");
    assert_eq!(bench.rank(), 2);
}

#[test]
fn one_bad_vote_is_found_and_the_rest_counts() {
    let (net, mut bench, chain) = scene(10);
    let rest = others(&bench, &chain);
    let mut bad = net.vote(rest[0], &chain.tip);
    bad.signature = net.vote(rest[1], &chain.tip).signature;
    bench.vote(bad.clone());
    let mut out = Vec::new();
    for m in &rest[1..5] {
        out.extend(bench.vote(net.vote(*m, &chain.tip)));
    }
    let mismatch = Reject::Verify(VerifyError::Signature(SchemeError::Mismatch));
    assert_eq!(rejects(&out), [mismatch]);
    assert!(
        out.iter()
            .any(|o| matches!(o, Output::Penalise { peer: p, .. } if *p == peer(rest[0])))
    );
    assert_eq!(certified(&out), 0);
    assert_eq!(
        certified(&bench.vote(bad)),
        0,
        "no further say in this rank"
    );
    assert_eq!(certified(&bench.vote(net.vote(rest[5], &chain.tip))), 1);
}

#[test]
fn vote_from_non_member_rejected() {
    let (net, mut bench, chain) = scene(4);
    let mut vote = net.vote(0, &chain.tip);
    vote.member = quil_types::MemberIndex(4);
    let before = bench.core.clone();
    assert_eq!(bench.message(4, ConsensusMessage::Vote(vote)), []);
    assert_eq!(bench.core, before);
}

#[test]
fn vote_in_anothers_name_is_refused() {
    let (net, mut bench, chain) = scene(4);
    let out = bench.message(0, ConsensusMessage::Vote(net.vote(1, &chain.tip)));
    assert_eq!(rejects(&out), [Reject::AuthorMismatch]);
}

#[test]
fn two_votes_in_one_rank_are_evidence() {
    let (net, mut bench, chain) = scene(4);
    let thief = others(&bench, &chain)[0];
    bench.vote(net.vote(thief, &chain.tip));
    let other = net.vote_for(thief, Epoch::ZERO, Rank::new(1), FrameId([8; 32]));
    let out = bench.vote(other.clone());
    let evidence: Vec<_> = out
        .iter()
        .filter_map(|o| {
            if let Output::Evidence(e) = o {
                Some(e)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(evidence.len(), 1);
    assert_eq!(
        (evidence[0].a.id, evidence[0].b.id),
        (chain.tip.id(), other.id)
    );
    assert_eq!(rejects(&out), [Reject::SecondVote]);
    assert_eq!(bench.vote(other), [], "reported once");
}

#[test]
fn two_proposals_of_one_leader_are_evidence() {
    let (_, mut bench, chain) = scene(4);
    let mut root = chain.clone();
    root.tip = chain.net.genesis();
    root.tip_rank = 0;
    let twin = root.propose_with(1, |h| h.multiplier += 1);
    let out = bench.proposal(&twin);
    assert!(out.iter().any(|o| matches!(o, Output::Evidence(_))));
    assert_eq!(bench.core.status().forest, 1, "the twin is not kept");
}

#[test]
fn forged_second_vote_is_no_evidence() {
    let (net, mut bench, chain) = scene(4);
    let victim = others(&bench, &chain)[0];
    bench.vote(net.vote(victim, &chain.tip));
    let mut forged = net.vote_for(victim, Epoch::ZERO, Rank::new(1), FrameId([8; 32]));
    forged.signature = net.vote(victim, &chain.tip).signature;
    let out = bench.vote(forged);
    assert!(!out.iter().any(|o| matches!(o, Output::Evidence(_))));
}

#[test]
fn certificate_is_checked_once_per_rank_and_frame() {
    let (net, mut bench, chain) = scene(7);
    let qc = net.qc(&chain.tip);
    let twin = net.qc_by(qc.epoch, qc.rank, qc.id, &[2, 3, 4, 5, 6]);
    let before = bench.checks;
    bench.message(0, ConsensusMessage::Qc(qc));
    bench.message(1, ConsensusMessage::Qc(twin.clone()));
    bench.timeout(net.timeout(2, 0, 2, Some(twin)));
    assert_eq!(bench.checks, before + 1);
    assert_eq!(bench.rank(), 2);
}

#[test]
fn refused_certificate_costs_one_check() {
    let (net, mut bench, chain) = scene(7);
    let bad = Qc {
        signature: net.vote(0, &chain.tip).signature,
        ..net.qc(&chain.tip)
    };
    let before = bench.checks;
    for m in 0..6 {
        let out = bench.message(m, ConsensusMessage::Qc(bad.clone()));
        let mismatch = Reject::Verify(VerifyError::Signature(SchemeError::Mismatch));
        assert_eq!(rejects(&out), [mismatch]);
    }
    assert_eq!(bench.checks, before + 1);
    bench.message(0, ConsensusMessage::Qc(net.qc(&chain.tip)));
    assert_eq!(bench.rank(), 2, "the good one still counts");
}

#[test]
fn twin_of_a_certificate_under_check_waits_and_is_checked_by_itself() {
    let (net, mut bench, chain) = scene(7);
    bench.hold_jobs = true;
    let bad = Qc {
        signature: net.vote(0, &chain.tip).signature,
        ..net.qc(&chain.tip)
    };
    bench.message(0, ConsensusMessage::Qc(bad));
    bench.message(1, ConsensusMessage::Qc(net.qc(&chain.tip)));
    assert_eq!(bench.jobs.len(), 1);
    bench.hold_jobs = false;
    let job = bench.jobs.remove(0);
    let outcome = job.run(&quil_hotstuff::KeyedScheme);
    let out = bench.feed(quil_hotstuff::Input::Checked(Box::new(outcome)));
    assert!(matches!(&out[0], Output::Penalise { peer: p, .. } if *p == peer(0)));
    assert_eq!(bench.rank(), 2);
}

#[test]
fn checked_copy_of_a_proposal_is_the_one_that_is_kept() {
    let net = Net::new(7);
    let chain = Chained::new(&net);
    let leader = chain.leader(1);
    let me = (leader + 1) % 7;
    let mut bench = Bench::started(&net, me);
    bench.hold_jobs = true;
    let good = chain.propose(1);
    let mut bent = good.clone();
    bent.vote.signature = net.vote((leader + 2) % 7, &good.header).signature;
    bench.proposal(&good);
    bench.proposal(&bent);
    assert_eq!(bench.jobs.len(), 1, "one identity, one check");
    bench.hold_jobs = false;
    let outcome = bench.jobs.remove(0).run(&quil_hotstuff::KeyedScheme);
    bench.feed(quil_hotstuff::Input::Checked(Box::new(outcome)));
    assert_eq!(**bench.core.proposal(&good.header.id()).unwrap(), good);
}

#[test]
fn votes_far_ahead_are_not_kept() {
    let (net, mut bench, _) = scene(4);
    let before = bench.core.clone();
    for rank in 1_000..1_200 {
        bench.vote(net.vote_for(0, Epoch::ZERO, Rank::new(rank), FrameId([8; 32])));
    }
    // Only the wish to catch up remains.
    assert_eq!(bench.core.status(), before.status());
    assert!(bench.deadline.is_some());
}

#[test]
fn two_certificates_of_one_rank_stop_the_core_with_evidence() {
    let (net, mut bench, chain) = scene(4);
    bench.message(0, ConsensusMessage::Qc(net.qc(&chain.tip)));
    let other = net.qc_by(Epoch::ZERO, Rank::new(1), FrameId([8; 32]), &[0, 1, 2]);
    let out = bench.message(0, ConsensusMessage::Qc(other.clone()));
    let halt = out.iter().find_map(|o| {
        if let Output::SafetyHalt(h) = o {
            Some(h)
        } else {
            None
        }
    });
    let expected = Halt::ConflictingCertificates {
        a: Box::new(net.qc(&chain.tip)),
        b: Box::new(other),
    };
    let Halt::ConflictingCertificates { a, b } = &**halt.unwrap() else {
        panic!("{halt:?}")
    };
    assert_eq!(
        (a.id, b.id),
        (chain.tip.id(), FrameId([8; 32])),
        "{expected:?}"
    );
    assert!(bench.core.status().halted);
    assert_eq!(
        bench.proposal(&chain.propose(2)),
        [],
        "signs nothing any more"
    );
}
