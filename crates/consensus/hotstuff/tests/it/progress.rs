//! C3, C5, C6: ranks, timeouts, leading, finality, missing frames.

use quil_hotstuff::limits::{FETCH_GAP_MAX, REBROADCAST_MS};
use quil_hotstuff::{
    BuildKind, BuildRequest, CaughtUp, Finality, Halt, Input, KeyedScheme, Output, Reject, Verdict,
    verify_finality_proof,
};
use quil_types::{
    ConsensusMessage, Epoch, FinalityProof, FrameId, Justify, Millis, Rank, Timestamp,
};

use crate::bench::{
    Bench, Chained, INTERVAL, Net, content, finals, peer, rejects, sent, timeouts, votes,
};

fn build(out: &[Output]) -> Option<&BuildRequest> {
    out.iter().rev().find_map(|o| {
        if let Output::Build(r) = o {
            Some(&**r)
        } else {
            None
        }
    })
}

#[test]
fn certified_child_one_rank_above_makes_its_parent_final() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let first = chain.next();
    bench.proposal(&first);
    assert_eq!(
        finals(&bench.certify(&first.header)),
        [],
        "one certificate is not enough"
    );
    let second = chain.next();
    bench.proposal(&second);
    let out = bench.certify(&second.header);
    assert_eq!(finals(&out), [1]);
    let finality = out.iter().find_map(|o| {
        if let Output::Finalised { finality, .. } = o {
            Some(finality)
        } else {
            None
        }
    });
    let Some(Finality::Child(proof)) = finality else {
        panic!("{finality:?}")
    };
    assert_eq!(proof.parent(), first.header.id());
}

#[test]
fn gap_in_ranks_delays_finality_and_then_takes_all() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let first = chain.next();
    let second = chain.propose(3);
    chain.extend(&second);
    for p in [&first, &second] {
        bench.proposal(p);
        assert_eq!(finals(&bench.certify(&p.header)), []);
    }
    let third = chain.next();
    assert_eq!(third.header.rank, Rank::new(4));
    bench.proposal(&third);
    // Numbers 1 and 2 at once: 3 is a closing frame, certified but not final.
    assert_eq!(finals(&bench.certify(&third.header)), [1, 2]);
}

#[test]
fn branch_that_lost_is_dropped() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let first = chain.next();
    bench.proposal(&first);
    bench.certify(&first.header);
    let lost = chain.propose(2);
    bench.proposal(&lost);
    let second = chain.propose(3);
    chain.extend(&second);
    bench.proposal(&second);
    bench.certify(&second.header);
    assert_eq!(bench.core.status().forest, 3);
    let third = chain.next();
    bench.proposal(&third);
    bench.certify(&third.header);
    assert_eq!(bench.core.status().final_id, second.header.id());
    assert!(bench.core.proposal(&lost.header.id()).is_none());
}

#[test]
fn single_member_makes_a_chain_at_its_spacing() {
    let net = Net::new(1);
    let (mut bench, mut out) = Bench::new(&net, Some(0));
    let mut final_number = 0;
    for _ in 0..12 {
        let request = build(&out).cloned().expect("we lead every rank");
        let spaced = request.parent.timestamp.get() + INTERVAL;
        assert_eq!(request.not_before.get(), spaced, "paced by the spacing");
        let draft = request.seal(content(&net, &request.parent, bench.now));
        assert_eq!(draft.header.timestamp, request.not_before);
        out = bench.feed(Input::Built(Box::new(draft)));
        final_number = finals(&out).last().copied().unwrap_or(final_number);
        for epoch in 2..6 {
            out.extend(bench.committee(epoch));
        }
    }
    assert!(final_number >= 7, "{final_number}");
    assert!(bench.core.status().epoch >= Epoch::new(1));
}

#[test]
fn frame_is_never_stamped_before_its_time() {
    let net = Net::new(1);
    let (_, out) = Bench::new(&net, Some(0));
    let request = build(&out).unwrap();
    let early = request.seal(content(&net, &net.genesis(), 3));
    assert_eq!(early.header.timestamp, Timestamp::new(INTERVAL));
}

#[test]
fn leader_builds_on_the_highest_certificate() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let me = chain.leader(2);
    let mut bench = Bench::started(&net, me);
    let first = chain.next();
    let mut out = bench.proposal(&first);
    assert!(build(&out).is_none());
    out.extend(bench.certify(&first.header));
    let request = build(&out).unwrap();
    assert_eq!(
        (request.rank, request.parent_id),
        (Rank::new(2), first.header.id())
    );
    assert_eq!((request.kind, request.depth), (BuildKind::Normal, 2));
    let draft = request.seal(content(&net, &first.header, 5_000));
    let sent = sent(&bench.feed(Input::Built(Box::new(draft))));
    let [ConsensusMessage::Proposal(p)] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert!(matches!(&p.justify, Justify::Qc(q) if q.id == first.header.id()));
    assert!(p.tc.is_none());
}

#[test]
fn leader_after_a_failed_rank_shows_the_timeout_certificate() {
    let net = Net::new(4);
    let chain = Chained::new(&net);
    let me = chain.leader(2);
    let mut bench = Bench::started(&net, me);
    let mut out = Vec::new();
    for m in (0..4).filter(|m| *m != me) {
        out.extend(bench.timeout(net.timeout(m, 0, 1, None)));
    }
    let request = build(&out).unwrap().clone();
    assert_eq!(
        (request.rank, request.parent_id),
        (Rank::new(2), net.genesis().id())
    );
    let draft = request.seal(content(&net, &net.genesis(), 5_000));
    let out = bench.feed(Input::Built(Box::new(draft)));
    let [ConsensusMessage::Proposal(p)] = &sent(&out)[..] else {
        panic!("{out:?}")
    };
    let tc = net.checked_tc(p.tc.clone().unwrap());
    assert_eq!((tc.rank, tc.high_qc_rank()), (Rank::new(1), Rank::ZERO));
    assert!(matches!(p.justify, Justify::Genesis));
}

#[test]
fn leader_that_gave_its_rank_up_does_not_propose() {
    let net = Net::new(4);
    let me = Chained::new(&net).leader(1);
    let (mut bench, out) = Bench::new(&net, Some(me));
    let request = build(&out).unwrap().clone();
    bench.expire();
    let draft = request.seal(content(&net, &net.genesis(), 5_000));
    assert_eq!(sent(&bench.feed(Input::Built(Box::new(draft)))), []);
}

#[test]
fn broken_draft_is_reported_to_the_driver() {
    let net = Net::new(4);
    let me = Chained::new(&net).leader(1);
    let (mut bench, out) = Bench::new(&net, Some(me));
    let mut draft = build(&out)
        .unwrap()
        .seal(content(&net, &net.genesis(), 5_000));
    draft.header.committee_root.0[0] ^= 1;
    let out = bench.feed(Input::Built(Box::new(draft)));
    assert!(matches!(out[..], [Output::DraftRefused(_)]), "{out:?}");
}

#[test]
fn a_third_giving_up_takes_us_along() {
    let net = Net::new(7);
    let chain = Chained::new(&net);
    let me = (0..7)
        .find(|m| (1..9).all(|r| chain.leader(r) != *m))
        .unwrap_or(6);
    let mut bench = Bench::started(&net, me);
    let others: Vec<usize> = (0..7).filter(|m| *m != me).collect();
    // Three of seven are more than a third; they are in different ranks, all beyond ours.
    for (m, rank) in [(others[0], 5), (others[1], 6)] {
        assert_eq!(timeouts(&bench.timeout(net.timeout(m, 0, rank, None))), []);
    }
    let out = bench.timeout(net.timeout(others[2], 0, 8, None));
    let mine = timeouts(&out);
    assert_eq!(mine.len(), 1);
    assert_eq!((mine[0].rank, bench.rank()), (Rank::new(5), 5));
}

#[test]
fn quorum_of_timeouts_opens_the_next_rank() {
    let net = Net::new(4);
    let chain = Chained::new(&net);
    let me = (0..4)
        .find(|m| chain.leader(1) != *m && chain.leader(2) != *m)
        .unwrap();
    let mut bench = Bench::started(&net, me);
    let others: Vec<usize> = (0..4).filter(|m| *m != me).collect();
    let mut bad = net.timeout(others[0], 0, 1, None);
    bad.signature = net.timeout(others[1], 0, 1, None).signature;
    bench.timeout(bad);
    bench.timeout(net.timeout(others[1], 0, 1, None));
    // Ours came with the amplification; one of the three is bad.
    assert_eq!(bench.rank(), 1);
    bench.timeout(net.timeout(others[2], 0, 1, None));
    assert_eq!(bench.rank(), 2);
}

#[test]
fn certificate_inside_a_timeout_counts() {
    let net = Net::new(7);
    let mut chain = Chained::new(&net);
    let first = chain.next().header;
    let me = (0..7)
        .find(|m| chain.leader(1) != *m && chain.leader(2) != *m)
        .unwrap();
    let mut bench = Bench::started(&net, me);
    bench.timeout(net.timeout((me + 1) % 7, 0, 2, Some(net.qc(&first))));
    assert_eq!(bench.rank(), 2);
}

#[test]
fn timeout_with_a_certificate_that_cannot_be_is_refused() {
    let net = Net::new(7);
    let first = Chained::new(&net).next().header;
    let mut bench = Bench::started(&net, 0);
    let not_below = net.timeout(1, 0, 1, Some(net.qc(&first)));
    assert_eq!(
        rejects(&bench.timeout(not_below)),
        [Reject::TimeoutCertificate]
    );
    let mut other_epoch = net.qc(&first);
    other_epoch.epoch = Epoch::new(1);
    let bad = net.timeout(1, 0, 2, Some(other_epoch));
    assert_eq!(rejects(&bench.timeout(bad)), [Reject::TimeoutCertificate]);
    assert_eq!(bench.rank(), 1);
}

#[test]
fn second_timeout_of_a_rank_is_refused() {
    let net = Net::new(7);
    let first = Chained::new(&net).next().header;
    let mut bench = Bench::started(&net, 0);
    bench.timeout(net.timeout(1, 0, 3, None));
    let other = net.timeout(1, 0, 3, Some(net.qc(&first)));
    assert_eq!(rejects(&bench.timeout(other)), [Reject::SecondTimeout]);
}

#[test]
fn late_member_gets_the_certificate_that_leads_on() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let me = 0;
    let mut bench = Bench::started(&net, me);
    let first = chain.next();
    if first.vote.member.get() != me {
        bench.proposal(&first);
    }
    bench.message(1, ConsensusMessage::Qc(net.qc(&first.header)));
    let out = bench.timeout(net.timeout(2, 0, 1, None));
    let answers: Vec<_> = out
        .iter()
        .filter_map(|o| {
            if let Output::SendTo { peer, message } = o {
                Some((peer, message))
            } else {
                None
            }
        })
        .collect();
    assert!(
        matches!(&answers[..], [(to, m)] if **to == peer(2)
            && matches!(m.message(), ConsensusMessage::Qc(q) if q.rank == Rank::new(1))),
        "{out:?}"
    );
    assert_eq!(
        sent(&bench.timeout(net.timeout(2, 0, 1, None))),
        [],
        "not at once again"
    );
    bench.now += REBROADCAST_MS;
    assert_eq!(sent(&bench.timeout(net.timeout(2, 0, 1, None))).len(), 1);
    // A failed rank is left by its timeout certificate.
    let tc = net.tc_over(0, 2, Some(&net.qc(&first.header)));
    bench.message(1, ConsensusMessage::Tc(tc.clone()));
    bench.now += REBROADCAST_MS;
    let out = bench.timeout(net.timeout(3, 0, 2, None));
    assert_eq!(sent(&out), [ConsensusMessage::Tc(tc)]);
}

#[test]
fn timeout_certificate_survives_a_crash() {
    let net = Net::new(3);
    let chain = Chained::new(&net);
    let me = (0..3).find(|m| chain.leader(2) != *m).unwrap();
    let mut bench = Bench::started(&net, me);
    bench.message((me + 1) % 3, ConsensusMessage::Tc(net.tc_over(0, 1, None)));
    bench.expire();
    let (mut again, _) = bench.restart();
    assert_eq!(again.rank(), 2);
    // The others never saw the certificate and still give rank 1 up: we can lead them out.
    let out = again.timeout(net.timeout((me + 1) % 3, 0, 1, None));
    assert!(matches!(&sent(&out)[..], [ConsensusMessage::Tc(tc)] if tc.rank == Rank::new(1)));
}

#[test]
fn parked_frame_is_asked_about_again_at_its_time() {
    let net = Net::new(7);
    let chain = Chained::new(&net);
    let me = (0..7).find(|m| chain.leader(1) != *m).unwrap();
    let mut bench = Bench::started(&net, me);
    bench.verdict = Verdict::ParkUntil(Millis::new(300));
    let out = bench.proposal(&chain.propose(1));
    assert_eq!((votes(&out), rejects(&out)), (vec![], vec![]));
    assert_eq!(bench.deadline, Some(Millis::new(300)));
    bench.verdict = Verdict::Vote;
    assert_eq!(votes(&bench.expire()).len(), 1);
    assert_eq!(bench.now, 300);
}

#[test]
fn proposal_of_a_later_rank_carries_us_there() {
    let net = Net::new(7);
    let mut chain = Chained::new(&net);
    let me = (0..7)
        .find(|m| (1..5).all(|r| chain.leader(r) != *m))
        .unwrap_or(0);
    let mut bench = Bench::started(&net, me);
    let first = chain.next();
    let second = chain.next();
    // Out of order: the child first.
    let out = bench.proposal(&second);
    assert_eq!(bench.rank(), 2);
    assert_eq!(votes(&out), [], "its parent is not here");
    let out = bench.proposal(&first);
    assert_eq!(votes(&out).first().map(|v| v.id), Some(second.header.id()));
}

#[test]
fn missing_parent_is_fetched_and_only_what_was_asked_for_is_taken() {
    let net = Net::new(7);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let first = chain.next();
    let second = chain.next();
    bench.proposal(&second);
    let out = bench.expire();
    let fetched = out.iter().find_map(|o| {
        if let Output::Fetch { ids, .. } = o {
            Some(ids)
        } else {
            None
        }
    });
    assert_eq!(fetched, Some(&vec![first.header.id()]));
    let stranger = Chained::new(&net).propose_with(1, |h| h.multiplier += 1);
    bench.feed(Input::Proposals {
        from: peer(1),
        proposals: vec![stranger.clone()],
    });
    assert!(bench.core.proposal(&stranger.header.id()).is_none());
    bench.feed(Input::Proposals {
        from: peer(1),
        proposals: vec![first.clone()],
    });
    assert!(
        bench.core.proposal(&second.header.id()).is_some(),
        "connected now"
    );
    assert!(bench.core.proposal(&first.header.id()).is_some());
}

#[test]
fn unanswered_fetch_becomes_catch_up() {
    let net = Net::new(7);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    chain.next();
    bench.proposal(&chain.next());
    let mut asked = 0;
    for _ in 0..20 {
        let out = bench.expire();
        asked += out
            .iter()
            .filter(|o| matches!(o, Output::Fetch { .. }))
            .count();
        if out
            .iter()
            .any(|o| matches!(o, Output::NeedCatchUp { from, .. } if from.get() == 1))
        {
            assert!(asked > 2);
            return;
        }
    }
    panic!("never asked to catch up");
}

#[test]
fn wide_gap_is_left_to_catch_up() {
    let net = Net::new(4);
    let (mut bench, _) = Bench::new(&net, None);
    let mut chain = Chained::new(&net);
    chain.tip.number = quil_types::FrameNumber::new(0);
    // A shard epoch can be long; here the numbers alone matter.
    let net = Net::shard(4);
    let mut far = Chained::new(&net);
    let (mut shard, _) = Bench::new(&net, None);
    for _ in 0..FETCH_GAP_MAX + 2 {
        far.next();
    }
    shard.proposal(&far.next());
    let out = shard.expire();
    assert!(
        out.iter().any(|o| matches!(o, Output::NeedCatchUp { .. })),
        "{out:?}"
    );
    assert!(bench.feed(Input::Deadline).is_empty());
}

#[test]
fn catch_up_moves_the_final_frame() {
    let net = Net::shard(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let frames: Vec<_> = (0..6).map(|_| chain.next()).collect();
    let header = frames[5].header.clone();
    let proof = FinalityProof {
        qc: net.qc(&header),
        header,
    };
    let proof = verify_finality_proof(&KeyedScheme, &net.term(0), proof).unwrap();
    let caught_up = |head: usize| CaughtUp {
        head: frames[head].header.clone(),
        finality: Finality::Child(Box::new(proof.clone())),
        opened: None,
    };
    bench.feed(Input::CaughtUp(Box::new(caught_up(3))));
    assert_eq!(
        bench.core.status().final_number.get(),
        0,
        "the proof is for another frame"
    );
    bench.feed(Input::CaughtUp(Box::new(caught_up(4))));
    assert_eq!(bench.core.status().final_number.get(), 5);
    assert_eq!(bench.rank(), 7, "and the certificate counts");
    let out = bench.feed(Input::CaughtUp(Box::new(caught_up(4))));
    assert_eq!(out, [], "once");
}

#[test]
fn certified_frame_that_leaves_the_final_one_out_stops_the_core() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    for _ in 0..2 {
        let p = chain.next();
        bench.proposal(&p);
        bench.certify(&p.header);
    }
    assert_eq!(bench.core.status().final_number.get(), 1);
    // All keys collude: rank 3 on genesis, with a certificate.
    let other = Chained::new(&net).propose(3);
    bench.message(0, ConsensusMessage::Qc(net.qc(&other.header)));
    bench.expire();
    let out = bench.feed(Input::Proposals {
        from: peer(0),
        proposals: vec![other.clone()],
    });
    let halt = out.iter().find_map(|o| {
        if let Output::SafetyHalt(h) = o {
            Some(&**h)
        } else {
            None
        }
    });
    let Some(Halt::ConflictingFinality {
        last,
        finality,
        other: qc,
        ..
    }) = halt
    else {
        panic!("{out:?}")
    };
    assert_eq!(
        (*last, qc.id),
        (bench.core.status().final_id, other.header.id())
    );
    assert!(finality.is_some());
}

#[test]
fn quorum_for_a_frame_that_does_not_execute_here_stops_the_core() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    bench.verdict = Verdict::Invalid("roots");
    let p = chain.next();
    bench.proposal(&p);
    bench.certify(&p.header);
    bench.verdict = Verdict::Vote;
    let q = chain.next();
    bench.proposal(&q);
    let out = bench.certify(&q.header);
    let halt = out.iter().find_map(|o| {
        if let Output::SafetyHalt(h) = o {
            Some(&**h)
        } else {
            None
        }
    });
    assert!(
        matches!(
            halt,
            Some(Halt::CertifiedInvalid {
                reason: Reject::Body("roots"),
                ..
            })
        ),
        "{out:?}"
    );
}

#[test]
fn frame_with_unknown_parent_far_away_is_kept_within_bounds() {
    let net = Net::new(4);
    let (mut bench, _) = Bench::new(&net, None);
    let mut sizes = Vec::new();
    for rank in 1..60u64 {
        let mut chain = Chained::new(&net);
        chain.tip.parent = FrameId([u8::try_from(rank).unwrap(); 32]);
        let orphan = chain.propose(rank);
        bench.proposal(&orphan);
        sizes.push((bench.core.status().forest, bench.core.status().jobs));
    }
    assert!(
        sizes
            .iter()
            .all(|(forest, jobs)| *forest <= 60 && *jobs == 0),
        "{sizes:?}"
    );
}
