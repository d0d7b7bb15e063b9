//! C4, C8: what is signed, in which order it becomes durable, and what a restart may do.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use quil_hotstuff::{
    Core, Input, KeyedScheme, Output, RecoverError, Recovered, SafetyRecord, Verdict,
};
use quil_types::{ConsensusMessage, Epoch, FrameId, Millis, Proposal, Rank};

use crate::bench::{Bench, Chained, Net, config, content, fresh, rejects, sent, timeouts, votes};

/// A node that leads none of the first ranks.
fn follower(net: &Net) -> (Bench, Chained) {
    let chain = Chained::new(net);
    let me = (0..net.n())
        .find(|m| (1..4).all(|r| chain.leader(r) != *m))
        .unwrap();
    (Bench::started(net, me), chain)
}

fn kinds(out: &[Output]) -> Vec<&'static str> {
    out.iter()
        .filter_map(|o| match o {
            Output::PersistCandidate { .. } => Some("candidate"),
            Output::PersistSafety { .. } => Some("safety"),
            Output::Broadcast(_) => Some("send"),
            Output::Rebroadcast(_) => Some("again"),
            _ => None,
        })
        .collect()
}

#[test]
fn candidate_then_safety_record_then_vote() {
    let (mut bench, chain) = follower(&Net::new(7));
    let out = bench.proposal(&chain.propose(1));
    assert_eq!(kinds(&out), ["candidate", "safety", "send"]);
}

#[test]
fn vote_waits_for_each_write() {
    let (mut bench, chain) = follower(&Net::new(7));
    bench.hold_writes = true;
    let out = bench.proposal(&chain.propose(1));
    assert_eq!(
        kinds(&out),
        ["candidate"],
        "nothing is signed before the frame is durable"
    );
    let candidate = bench.held.remove(0);
    let out = bench.feed(Input::Persisted(candidate));
    assert_eq!(kinds(&out), ["safety"]);
    let safety = bench.held.remove(0);
    assert_eq!(kinds(&bench.feed(Input::Persisted(safety))), ["send"]);
    assert_eq!(bench.feed(Input::Persisted(safety)), [], "once");
}

#[test]
fn vote_waits_for_the_execution() {
    let (mut bench, chain) = follower(&Net::new(7));
    for verdict in [
        Verdict::Abstain,
        Verdict::Invalid("x"),
        Verdict::ParkUntil(Millis::new(500)),
    ] {
        let mut bench = bench.clone();
        bench.verdict = verdict;
        assert_eq!(votes(&bench.proposal(&chain.propose(1))), [], "{verdict:?}");
    }
    bench.verdict = Verdict::Vote;
    assert_eq!(votes(&bench.proposal(&chain.propose(1))).len(), 1);
}

#[test]
fn own_proposal_leaves_after_both_writes() {
    let net = Net::new(4);
    let me = Chained::new(&net).leader(1);
    let (mut bench, out) = Bench::new(&net, Some(me));
    let request = out.iter().find_map(|o| {
        if let Output::Build(r) = o {
            Some(r)
        } else {
            None
        }
    });
    let draft = request.unwrap().seal(content(&net, &net.genesis(), 2_000));
    bench.hold_writes = true;
    let out = bench.feed(Input::Built(Box::new(draft.clone())));
    assert_eq!(kinds(&out), ["candidate"]);
    let stored = out.iter().find_map(|o| {
        if let Output::PersistCandidate { proposal, .. } = o {
            Some(proposal.clone())
        } else {
            None
        }
    });
    assert!(
        stored.unwrap().vote.signature.is_empty(),
        "no signature on disk before its record"
    );
    assert!(
        bench.core.proposal(&draft.header.id()).is_none(),
        "nor given to others"
    );
    let record = bench.held.remove(0);
    assert_eq!(kinds(&bench.feed(Input::Persisted(record))), ["safety"]);
    let record = bench.held.remove(0);
    let out = bench.feed(Input::Persisted(record));
    assert!(matches!(&sent(&out)[..], [ConsensusMessage::Proposal(p)] if p.header == draft.header));
    assert!(bench.core.proposal(&draft.header.id()).is_some());
    assert_eq!(
        bench.feed(Input::Built(Box::new(draft))),
        [],
        "one frame per rank"
    );
}

#[test]
fn timeout_waits_for_its_record_and_is_repeated_as_it_is() {
    let (mut bench, _) = follower(&Net::new(7));
    bench.hold_writes = true;
    assert_eq!(kinds(&bench.expire()), ["safety"]);
    assert_eq!(
        kinds(&bench.expire()),
        Vec::<&str>::new(),
        "still on its way to the disk"
    );
    let record = bench.held.remove(0);
    let first = timeouts(&bench.feed(Input::Persisted(record)));
    assert_eq!(first.len(), 1);
    let out = bench.expire();
    assert_eq!((kinds(&out), timeouts(&out)), (vec!["again"], first));
}

#[test]
fn timeout_after_vote_allowed_but_no_vote_after_timeout() {
    let (mut bench, chain) = follower(&Net::new(7));
    let voted = bench.proposal(&chain.propose(1));
    assert_eq!(votes(&voted).len(), 1);
    assert_eq!(timeouts(&bench.expire()).len(), 1, "timeout after a vote");
    let (mut bench, chain) = follower(&Net::new(7));
    assert_eq!(timeouts(&bench.expire()).len(), 1);
    let out = bench.proposal(&chain.propose(1));
    assert_eq!(
        (votes(&out), rejects(&out)),
        (vec![], vec![]),
        "no vote after a timeout, no blame"
    );
}

#[test]
fn no_second_vote_after_restart() {
    let net = Net::new(7);
    let (mut bench, chain) = follower(&net);
    let first = chain.propose(1);
    let vote = votes(&bench.proposal(&first));
    let (mut again, out) = bench.restart();
    assert_eq!(votes(&out), vote, "the identical vote is sent again");
    let twin = chain.propose_with(1, |h| h.multiplier += 1);
    assert_eq!(votes(&again.proposal(&twin)), []);
    // Not even when the candidate was lost with the state file.
    let mut lost = bench.clone();
    lost.candidates.clear();
    let (mut lost, out) = lost.restart();
    assert_eq!(votes(&out), vote);
    assert_eq!(votes(&lost.proposal(&twin)), []);
    assert_eq!(
        votes(&lost.proposal(&first)),
        [],
        "sent at the start already"
    );
}

#[test]
fn no_vote_after_timeout_and_restart() {
    let (mut bench, chain) = follower(&Net::new(7));
    let timeout = timeouts(&bench.expire());
    let (mut again, out) = bench.restart();
    assert_eq!(timeouts(&out), timeout, "the identical timeout");
    assert_eq!(votes(&again.proposal(&chain.propose(1))), []);
}

#[test]
fn killed_between_candidate_and_record_the_node_is_free() {
    let (mut bench, chain) = follower(&Net::new(7));
    bench.hold_writes = true;
    bench.proposal(&chain.propose(1));
    // Only the candidate reached the disk.
    bench.candidates = vec![chain.propose(1)];
    let (mut again, out) = bench.restart();
    assert_eq!(votes(&out).len(), 1, "votes for the stored frame");
    let twin = chain.propose_with(1, |h| h.multiplier += 1);
    assert_eq!(votes(&again.proposal(&twin)), []);
}

#[test]
fn own_unsent_candidate_is_forgotten() {
    let net = Net::new(4);
    let me = Chained::new(&net).leader(1);
    let (mut bench, out) = Bench::new(&net, Some(me));
    let request = out.iter().find_map(|o| {
        if let Output::Build(r) = o {
            Some(r)
        } else {
            None
        }
    });
    let draft = request.unwrap().seal(content(&net, &net.genesis(), 2_000));
    bench.hold_writes = true;
    let out = bench.feed(Input::Built(Box::new(draft)));
    let Some(Output::PersistCandidate { proposal, .. }) = out
        .iter()
        .find(|o| matches!(o, Output::PersistCandidate { .. }))
    else {
        panic!("{out:?}")
    };
    bench.candidates = vec![Proposal::clone(proposal)];
    let (_, out) = bench.restart();
    assert!(
        out.iter().any(|o| matches!(o, Output::Build(_))),
        "builds anew"
    );
    assert_eq!(sent(&out), []);
}

#[test]
fn own_proposal_is_sent_again_after_restart() {
    let net = Net::new(4);
    let me = Chained::new(&net).leader(1);
    let (mut bench, out) = Bench::new(&net, Some(me));
    let request = out.iter().find_map(|o| {
        if let Output::Build(r) = o {
            Some(r)
        } else {
            None
        }
    });
    let draft = request.unwrap().seal(content(&net, &net.genesis(), 2_000));
    let first = sent(&bench.feed(Input::Built(Box::new(draft))));
    let (_, out) = bench.restart();
    assert_eq!(sent(&out), first);
    assert!(!out.iter().any(|o| matches!(o, Output::Build(_))));
}

#[test]
fn missing_record_beside_chain_data_is_an_error() {
    let net = Net::new(4);
    let recovered = |fresh_key, candidates| Recovered {
        fresh_key,
        candidates,
        ..fresh(&net)
    };
    let start = |me: Option<usize>, recovered| {
        let signer = me.map(|m| std::sync::Arc::new(net.keys[m].clone()));
        Core::recover(config(&net, me), KeyedScheme, signer, recovered).map(|_| ())
    };
    let candidates = vec![Chained::new(&net).propose(1)];
    assert_eq!(
        start(Some(0), recovered(false, candidates.clone())),
        Err(RecoverError::SafetyLost)
    );
    assert_eq!(
        start(Some(0), recovered(true, candidates.clone())),
        Ok(()),
        "a fresh key"
    );
    assert_eq!(
        start(None, recovered(false, candidates)),
        Ok(()),
        "an observer signs nothing"
    );
    assert_eq!(
        start(Some(0), recovered(false, vec![])),
        Ok(()),
        "no chain data yet"
    );
}

#[test]
fn start_needs_the_committee_and_fitting_proofs() {
    let net = Net::new(4);
    let start =
        |recovered| Core::recover(config(&net, None), KeyedScheme, None, recovered).map(|_| ());
    let none = Recovered {
        committees: vec![],
        ..fresh(&net)
    };
    assert_eq!(start(none), Err(RecoverError::NoCommittee(Epoch::ZERO)));
    let mut chain = Chained::new(&net);
    let first = chain.next().header;
    let mid = Recovered {
        head: first,
        ..fresh(&net)
    };
    assert_eq!(start(mid), Ok(()), "a trusted frame of epoch 0");
    let (_, proof) = Chained::new(&net).finish_epoch();
    let closing = Recovered {
        head: proof.closing,
        ..fresh(&net)
    };
    assert_eq!(
        start(closing),
        Err(RecoverError::Inconsistent),
        "a closing frame without proof"
    );
    let foreign = Recovered {
        head: Net::shard(4).genesis(),
        ..fresh(&net)
    };
    assert_eq!(start(foreign), Err(RecoverError::Inconsistent));
}

#[test]
fn record_of_a_later_epoch_forbids_the_earlier_one() {
    let net = Net::new(7);
    let (bench, chain) = follower(&net);
    let later = SafetyRecord {
        epoch: Epoch::new(1),
        ..SafetyRecord::default()
    };
    let recovered = Recovered {
        safety: Some(later),
        ..fresh(&net)
    };
    let (mut bench, _) = Bench::from(&net, bench.me, recovered);
    assert_eq!(votes(&bench.proposal(&chain.propose(1))), []);
    assert_eq!(timeouts(&bench.expire()), []);
}

#[test]
fn observers_and_strangers_sign_nothing() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let (mut bench, out) = Bench::new(&net, None);
    let mut all = out;
    for _ in 0..3 {
        let p = chain.next();
        all.extend(bench.proposal(&p));
        all.extend(bench.certify(&p.header));
    }
    all.extend(
        bench
            .deadline
            .is_some()
            .then(|| bench.expire())
            .into_iter()
            .flatten(),
    );
    assert_eq!(sent(&all), []);
    assert_eq!(bench.core.status().final_number.get(), 2);
}

#[derive(Clone, Debug)]
enum Wish {
    See {
        rank: u64,
        twin: bool,
    },
    Expire,
    Crash,
    /// The next write is lost in a crash before it is durable.
    LoseNext,
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        4 => (1u64..7, any::<bool>()).prop_map(|(rank, twin)| Wish::See { rank, twin }),
        2 => Just(Wish::Expire),
        1 => Just(Wish::Crash),
        1 => Just(Wish::LoseNext),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever arrives in whatever order, with crashes anywhere: one vote per rank, none after a timeout, one
    /// timeout per rank, and a timeout never hides a certificate that a vote relied on.
    #[test]
    fn signatures_never_contradict_each_other(wishes in prop::collection::vec(wish(), 1..24)) {
        let net = Net::new(4);
        let chain = Chained::new(&net);
        let mut bench = Bench::started(&net, 0);
        let mut voted: BTreeMap<Rank, FrameId> = BTreeMap::new();
        let mut relied = Rank::ZERO;
        let mut gone = BTreeSet::new();
        for wish in wishes {
            let mut lose = false;
            let out = match wish {
                Wish::See { rank, twin } if chain.leader(rank) != 0 => {
                    bench.proposal(&chain.propose_with(rank, |h| h.multiplier = u64::from(twin)))
                }
                Wish::See { .. } => continue,
                Wish::Expire => bench.expire(),
                Wish::Crash => {
                    let (next, out) = bench.restart();
                    bench = next;
                    out
                }
                Wish::LoseNext => {
                    lose = true;
                    bench.hold_writes = true;
                    bench.expire()
                }
            };
            for vote in votes(&out) {
                let known = voted.insert(vote.rank, vote.id);
                prop_assert!(known.is_none_or(|id| id == vote.id), "two votes in {}", vote.rank);
                let late = gone.range(vote.rank..).next().is_some();
                prop_assert!(known.is_some() || !late, "vote in {} after giving it up", vote.rank);
                relied = relied.max(bench.core.safety_record().high_qc_rank);
            }
            for timeout in timeouts(&out) {
                prop_assert!(timeout.qc_rank() >= relied);
                gone.insert(timeout.rank);
            }
            if lose {
                bench = bench.restart().0;
            }
        }
    }
}
