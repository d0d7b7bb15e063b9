//! C1, C2, S3: how epochs end and begin.

use quil_hotstuff::{
    BuildKind, CaughtUp, Core, Finality, Halt, Input, KeyedScheme, Output, Recovered,
    verify_epoch_proof,
};
use quil_types::{Chain, ConsensusMessage, Digest, Epoch, EpochProof, Justify, Rank};

use crate::bench::{
    Bench, Chained, EPOCH, Net, config, content, finals, fresh, peer, sent, timeouts, votes,
};

fn epochs(out: &[Output]) -> Vec<u64> {
    out.iter()
        .filter_map(|o| {
            if let Output::EnteredEpoch { epoch, .. } = o {
                Some(epoch.get())
            } else {
                None
            }
        })
        .collect()
}

/// An observer that saw a whole epoch.
fn closed(net: &Net) -> (Bench, Chained, Vec<Output>, EpochProof) {
    let mut chain = Chained::new(net);
    if matches!(net.chain, Chain::Shard(_)) {
        chain.next();
        chain.anchor = EPOCH - 1;
        chain = Chained {
            anchor: EPOCH - 1,
            ..Chained::new(net)
        };
    }
    let (mut bench, mut out) = Bench::new(net, None);
    let (frames, proof) = chain.finish_epoch();
    for p in frames {
        out.extend(bench.proposal(&p));
        out.extend(bench.certify(&p.header));
    }
    (bench, chain, out, proof)
}

#[test]
fn closing_frame_is_final_and_descendants_are_discarded() {
    let (bench, chain, out, proof) = closed(&Net::new(4));
    assert_eq!(
        finals(&out),
        [1, 2, 3],
        "the descendant, number 4, is not among them"
    );
    assert_eq!(epochs(&out), [0, 1]);
    let closed = out.iter().find_map(|o| {
        if let Output::EpochClosed(p) = o {
            Some(p)
        } else {
            None
        }
    });
    let closed = closed.unwrap();
    assert_eq!((&closed.closing, &closed.tip), (&proof.closing, &proof.tip));
    let status = bench.core.status();
    assert_eq!(
        (status.rank, status.final_id),
        (Rank::new(1), chain.tip.id())
    );
    assert_eq!(
        status.high_rank,
        Rank::ZERO,
        "the closing frame is the root of the new epoch"
    );
}

#[test]
fn shard_epoch_ends_with_the_first_frame_anchored_behind_the_boundary() {
    let net = Net::shard(4);
    let (bench, _, out, _) = closed(&net);
    assert_eq!((finals(&out), epochs(&out)), (vec![1], vec![0, 1]));
    assert_eq!(bench.core.status().final_number.get(), 1);
    // The anchor already lies behind the boundary of the closed epoch; the next one goes on until its own.
    let mut chain = Chained::new(&net);
    chain.anchor = EPOCH - 2;
    let p = chain.propose(1);
    assert_eq!(p.header.next_committee_root, Digest::ZERO);
}

#[test]
fn epochs_follow_each_other_and_numbers_go_on() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, mut out) = Bench::new(&net, None);
    for epoch in 2..6 {
        let (frames, _) = chain.finish_epoch();
        for p in frames {
            out.extend(bench.proposal(&p));
            out.extend(bench.certify(&p.header));
        }
        out.extend(bench.committee(epoch + 1));
    }
    assert_eq!(epochs(&out), [0, 1, 2, 3, 4]);
    assert_eq!(finals(&out), (1..=4 * EPOCH - 1).collect::<Vec<_>>());
    assert_eq!(
        out.iter()
            .filter(|o| matches!(o, Output::Penalise { .. }))
            .count(),
        0
    );
}

#[test]
fn leader_closes_descends_and_opens() {
    let net = Net::new(1);
    let (mut bench, mut out) = Bench::new(&net, Some(0));
    let mut kinds = Vec::new();
    for _ in 0..6 {
        let request = out
            .iter()
            .rev()
            .find_map(|o| {
                if let Output::Build(r) = o {
                    Some(r.clone())
                } else {
                    None
                }
            })
            .unwrap();
        kinds.push((request.epoch.get(), request.rank.get(), request.kind));
        let draft = request.seal(content(&net, &request.parent, bench.now));
        out = bench.feed(Input::Built(Box::new(draft)));
    }
    use BuildKind::{Closing, ClosingDescendant, Normal};
    let expected = [
        (0, 1, Normal),
        (0, 2, Normal),
        (0, 3, Closing),
        (0, 4, ClosingDescendant),
        (1, 1, Normal),
        (1, 2, Normal),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn first_frame_of_an_epoch_carries_the_proof_and_takes_late_members_along() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let (frames, proof) = chain.finish_epoch();
    // The observer saw all frames but not the certificate of the last one.
    for p in &frames {
        bench.proposal(p);
    }
    assert_eq!(bench.core.status().epoch, Epoch::ZERO);
    let first = chain.propose(1);
    assert!(matches!(&first.justify, Justify::Epoch(p) if p.closing.id() == proof.closing.id()));
    let out = bench.proposal(&first);
    assert_eq!((epochs(&out), finals(&out)), (vec![1], vec![3]));
    assert!(
        bench.core.proposal(&first.header.id()).is_some(),
        "and is itself taken"
    );
}

#[test]
fn proof_of_the_end_is_remembered_until_the_frames_are_here() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let (frames, proof) = chain.finish_epoch();
    bench.message(0, ConsensusMessage::EpochProof(Box::new(proof)));
    assert_eq!(bench.core.status().epoch, Epoch::ZERO);
    let mut out = Vec::new();
    while bench.deadline.is_some() {
        for o in bench.expire() {
            let Output::Fetch { ids, .. } = o else {
                continue;
            };
            let proposals = frames
                .iter()
                .filter(|p| ids.contains(&p.header.id()))
                .cloned()
                .collect();
            out.extend(bench.feed(Input::Proposals {
                from: peer(0),
                proposals,
            }));
        }
    }
    assert_eq!((epochs(&out), finals(&out)), (vec![1], vec![1, 2, 3]));
}

#[test]
fn forged_proof_of_the_end_is_refused() {
    let net = Net::new(4);
    let (_, mut proof) = Chained::new(&net).finish_epoch();
    proof.qc = net.qc_by(proof.qc.epoch, proof.qc.rank, proof.qc.id, &[0]);
    let (mut bench, _) = Bench::new(&net, None);
    let out = bench.message(0, ConsensusMessage::EpochProof(Box::new(proof.clone())));
    assert!(
        matches!(out[..], [Output::Verify(_), Output::Penalise { .. }]),
        "{out:?}"
    );
    let out = bench.message(1, ConsensusMessage::EpochProof(Box::new(proof)));
    assert!(
        matches!(out[..], [Output::Penalise { .. }]),
        "the second copy costs nothing"
    );
}

#[test]
fn message_of_a_closed_epoch_is_answered_with_its_proof() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (frames, proof) = chain.finish_epoch();
    let mut bench = Bench::started(&net, 0);
    for p in &frames {
        if p.vote.member.get() != 0 {
            bench.proposal(p);
        } else {
            bench.feed(Input::Proposals {
                from: peer(1),
                proposals: vec![p.clone()],
            });
        }
        bench.message(1, ConsensusMessage::Qc(net.qc(&p.header)));
        bench.now += 200;
        bench.feed(Input::Deadline);
        bench.feed(Input::Proposals {
            from: peer(1),
            proposals: vec![p.clone()],
        });
    }
    assert_eq!(bench.core.status().epoch, Epoch::new(1));
    let out = bench.timeout(net.timeout(2, 0, 3, None));
    let [Output::SendTo { peer: to, message }] = &out[..] else {
        panic!("{out:?}")
    };
    let ConsensusMessage::EpochProof(answer) = message.message() else {
        panic!("{message:?}")
    };
    assert_eq!((*to, &answer.closing), (peer(2), &proof.closing));
    assert_eq!(
        sent(&bench.vote(net.vote(3, &frames[0].header))),
        [],
        "votes in flight need none"
    );
}

#[test]
fn no_timeout_certificate_crosses_an_epoch() {
    let net = Net::new(4);
    let (mut bench, chain, _, _) = closed(&net);
    let mut p = chain.propose(2);
    p.tc = Some(net.tc_over(0, 1, None));
    let out = bench.proposal(&p);
    assert!(matches!(out[..], [Output::Penalise { .. }]), "{out:?}");
    let before = bench.core.clone();
    bench.message(0, ConsensusMessage::Tc(net.tc_over(0, 7, None)));
    assert_eq!(bench.core, before);
}

#[test]
fn certificate_of_another_epoch_says_nothing() {
    let net = Net::new(4);
    let (mut bench, _, _, proof) = closed(&net);
    let before = bench.rank();
    bench.message(0, ConsensusMessage::Qc(proof.qc));
    assert_eq!(
        (bench.rank(), bench.core.status().high_rank),
        (before, Rank::ZERO)
    );
}

#[test]
fn early_votes_count_when_the_epoch_begins() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let (frames, _) = chain.finish_epoch();
    let first = chain.propose(1);
    for m in 0..3 {
        bench.vote(net.vote(m, &first.header));
    }
    for p in &frames {
        bench.proposal(p);
        bench.certify(&p.header);
    }
    assert_eq!(
        bench.core.status().high_rank,
        Rank::new(1),
        "certified by the votes that came early"
    );
}

#[test]
fn one_member_cannot_fill_the_room_for_early_messages() {
    let net = Net::new(4);
    let (mut bench, _) = Bench::new(&net, None);
    let id = quil_types::FrameId([1; 32]);
    for rank in 1..5 {
        bench.vote(net.vote_for(0, Epoch::new(1), Rank::new(rank), id));
    }
    let before = bench.core.clone();
    for rank in 5..500 {
        bench.vote(net.vote_for(0, Epoch::new(1), Rank::new(rank), id));
    }
    assert_eq!(bench.core, before);
}

#[test]
fn epoch_waits_for_its_committee() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let recovered = Recovered {
        committees: vec![(Epoch::ZERO, net.committee())],
        ..fresh(&net)
    };
    let (mut bench, _) = Bench::from(&net, None, recovered);
    let (frames, _) = chain.finish_epoch();
    let mut out = Vec::new();
    for p in &frames {
        out.extend(bench.proposal(p));
        out.extend(bench.certify(&p.header));
    }
    assert_eq!(epochs(&out), Vec::<u64>::new());
    assert!(
        out.iter()
            .any(|o| matches!(o, Output::NeedCommittee { epoch } if epoch.get() == 1))
    );
    assert_eq!(
        bench.proposal(&chain.propose(1)),
        [],
        "nothing happens meanwhile"
    );
    assert_eq!(epochs(&bench.committee(1)), [1]);
    bench.proposal(&chain.propose(1));
    assert_eq!(bench.core.status().forest, 1);
}

#[test]
fn nobody_votes_for_a_closing_frame_before_knowing_the_next_committee() {
    let net = Net::new(7);
    let mut chain = Chained::new(&net);
    let me = (0..7)
        .find(|m| (1..4).all(|r| chain.leader(r) != *m))
        .unwrap();
    let recovered = Recovered {
        committees: vec![(Epoch::ZERO, net.committee())],
        ..fresh(&net)
    };
    let (mut bench, _) = Bench::from(&net, Some(me), recovered);
    for _ in 0..2 {
        let p = chain.next();
        assert_eq!(votes(&bench.proposal(&p)).len(), 1);
        bench.certify(&p.header);
    }
    let closing = chain.next();
    assert_eq!(votes(&bench.proposal(&closing)), []);
    assert_eq!(
        votes(&bench.committee(1)).len(),
        1,
        "as soon as it is known"
    );
}

#[test]
fn committee_that_the_chain_does_not_name_stops_the_core() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (frames, _) = chain.finish_epoch();
    let mut committees = fresh(&net).committees;
    committees[1].1 = Net::new(5).committee();
    let (mut bench, _) = Bench::from(
        &net,
        None,
        Recovered {
            committees,
            ..fresh(&net)
        },
    );
    let mut out = Vec::new();
    for p in &frames {
        out.extend(bench.proposal(p));
        out.extend(bench.certify(&p.header));
    }
    assert!(
        out.iter().any(|o| matches!(o, Output::Penalise { .. })),
        "its leader is blamed at first"
    );
    // A quorum certified it all the same, so it is fetched.
    bench.expire();
    let proposals = vec![frames[2].clone()];
    let out = bench.feed(Input::Proposals {
        from: peer(0),
        proposals,
    });
    let halt = out.iter().find_map(|o| {
        if let Output::SafetyHalt(h) = o {
            Some(&**h)
        } else {
            None
        }
    });
    assert!(
        matches!(halt, Some(Halt::CertifiedInvalid { .. })),
        "{out:?}"
    );
}

#[test]
fn catch_up_leads_through_epochs() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, _) = Bench::new(&net, None);
    let mut opened = None;
    for epoch in 0..3 {
        let (_, proof) = chain.finish_epoch();
        let proof = verify_epoch_proof(&KeyedScheme, &net.term(epoch), proof).unwrap();
        let caught_up = CaughtUp {
            head: proof.closing.clone(),
            finality: Finality::Closed(Box::new(proof.clone())),
            opened: opened.replace(Box::new(proof)),
        };
        let out = bench.feed(Input::CaughtUp(Box::new(caught_up)));
        assert_eq!(epochs(&out), [epoch + 1]);
        bench.committee(epoch + 2);
    }
    assert_eq!(bench.core.status().final_number.get(), 3 * EPOCH - 1);
    let p = chain.next();
    bench.proposal(&p);
    assert_eq!(bench.core.status().forest, 1, "and takes part again");
}

#[test]
fn catch_up_may_skip_epochs_with_the_proof_that_opened_the_last_one() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    chain.finish_epoch();
    let (_, opened) = chain.finish_epoch();
    let (_, last) = chain.finish_epoch();
    let opened = verify_epoch_proof(&KeyedScheme, &net.term(1), opened).unwrap();
    let last = verify_epoch_proof(&KeyedScheme, &net.term(2), last).unwrap();
    let (mut bench, _) = Bench::new(&net, None);
    let caught_up = |opened| {
        Input::CaughtUp(Box::new(CaughtUp {
            head: last.closing.clone(),
            finality: Finality::Closed(Box::new(last.clone())),
            opened,
        }))
    };
    assert_eq!(
        bench.feed(caught_up(None)),
        [],
        "unknown how its epoch was opened"
    );
    let out = bench.feed(caught_up(Some(Box::new(opened))));
    assert_eq!(epochs(&out), [2]);
    assert!(
        out.iter()
            .any(|o| matches!(o, Output::NeedCommittee { epoch } if epoch.get() == 3))
    );
    assert_eq!(epochs(&bench.committee(3)), [3]);
}

#[test]
fn restart_within_and_between_epochs() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (_, proof) = chain.finish_epoch();
    let opened = verify_epoch_proof(&KeyedScheme, &net.term(0), proof).unwrap();
    let between = Recovered {
        head: opened.closing.clone(),
        finality: Some(Finality::Closed(Box::new(opened.clone()))),
        ..fresh(&net)
    };
    let (bench, out) = Bench::from(&net, Some(0), between);
    assert_eq!((epochs(&out), bench.rank()), (vec![1], 1));
    let first = chain.next();
    let second = chain.next();
    let proof = quil_types::FinalityProof {
        qc: net.qc(&second.header),
        header: second.header,
    };
    let proof = quil_hotstuff::verify_finality_proof(&KeyedScheme, &net.term(1), proof).unwrap();
    let within = Recovered {
        head: first.header,
        finality: Some(Finality::Child(Box::new(proof))),
        opened: Some(Box::new(opened)),
        ..fresh(&net)
    };
    let (bench, out) = Bench::from(&net, Some(0), within.clone());
    assert_eq!((epochs(&out), bench.rank()), (vec![1], 3));
    let error = Core::recover(
        config(&net, None),
        KeyedScheme,
        None,
        Recovered {
            opened: None,
            ..within
        },
    );
    assert!(error.is_err(), "the epoch's leaders cannot be known");
}

#[test]
fn signatures_of_an_epoch_end_with_it() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let mut bench = Bench::started(&net, 0);
    bench.hold_writes = true;
    bench.expire();
    let record = bench.held.remove(0);
    let (_, proof) = chain.finish_epoch();
    let proof = verify_epoch_proof(&KeyedScheme, &net.term(0), proof).unwrap();
    let caught_up = CaughtUp {
        head: proof.closing.clone(),
        finality: Finality::Closed(Box::new(proof)),
        opened: None,
    };
    bench.feed(Input::CaughtUp(Box::new(caught_up)));
    assert_eq!(
        timeouts(&bench.feed(Input::Persisted(record))),
        [],
        "nobody needs it any more"
    );
}
