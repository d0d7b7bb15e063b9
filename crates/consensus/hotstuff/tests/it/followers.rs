//! R6: what a node that does not vote shows.

use quil_hotstuff::{Certified, ForkView, KeyedScheme, Verified, verify_certified};
use quil_types::Header;

use crate::bench::{Chained, Net};

fn certified(net: &Net, header: &Header) -> Verified<Certified> {
    let certified = Certified {
        header: header.clone(),
        qc: net.qc(header),
    };
    verify_certified(&KeyedScheme, &net.term(header.epoch.get()), certified).unwrap()
}

#[test]
fn head_is_the_highest_certified_frame_that_extends_the_final_one() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let mut view = ForkView::new(&net.genesis());
    assert!(view.head().is_none());
    let first = chain.next().header;
    let mut fork = chain.clone();
    let second = chain.next().header;
    let other = fork.propose(5);
    fork.extend(&other);
    for h in [&first, &second] {
        view.observe(certified(&net, h)).unwrap();
        assert_eq!(view.head().map(|c| c.header.id()), Some(h.id()));
    }
    view.observe(certified(&net, &other.header)).unwrap();
    assert_eq!(
        view.head().map(|c| c.header.id()),
        Some(other.header.id()),
        "by rank, not by length"
    );
    view.finalise(&second);
    assert!(
        view.head().is_none(),
        "the other branch does not extend the final frame"
    );
    let third = chain.next().header;
    view.observe(certified(&net, &third)).unwrap();
    assert_eq!(view.head().map(|c| c.header.id()), Some(third.id()));
}

#[test]
fn frame_with_unknown_ancestors_is_not_shown() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let mut view = ForkView::new(&net.genesis());
    let first = chain.next().header;
    let second = chain.next().header;
    view.observe(certified(&net, &second)).unwrap();
    assert!(view.head().is_none());
    view.observe(certified(&net, &first)).unwrap();
    assert_eq!(view.head().map(|c| c.header.id()), Some(second.id()));
}

#[test]
fn head_moves_into_the_next_epoch() {
    let net = Net::new(4);
    let mut chain = Chained::new(&net);
    let mut view = ForkView::new(&net.genesis());
    let (frames, proof) = chain.finish_epoch();
    for p in &frames {
        view.observe(certified(&net, &p.header)).unwrap();
    }
    let first = chain.next().header;
    view.finalise(&proof.closing);
    view.observe(certified(&net, &first)).unwrap();
    assert_eq!(view.head().map(|c| c.header.id()), Some(first.id()));
}

#[test]
fn two_certified_frames_of_one_rank_are_evidence() {
    let net = Net::new(4);
    let chain = Chained::new(&net);
    let mut view = ForkView::new(&net.genesis());
    let a = chain.propose(1).header;
    let b = chain.propose_with(1, |h| h.multiplier += 1).header;
    view.observe(certified(&net, &a)).unwrap();
    view.observe(certified(&net, &a)).unwrap();
    let conflict = view.observe(certified(&net, &b)).unwrap_err();
    assert_eq!(
        (conflict.evidence.0.id, conflict.evidence.1.id),
        (a.id(), b.id())
    );
}
