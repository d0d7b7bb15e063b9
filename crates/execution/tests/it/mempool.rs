//! The mempool core: bounded, one bundle per coin, by price and age.

use std::collections::BTreeSet;
use std::sync::Arc;

use quil_execution::mempool::{Departure, InsertError, Mempool, MempoolLimits};
use quil_execution::token::Checked;
use quil_keys::Account;
use quil_types::{Body, Bundle, Code};

use crate::world::{SUITE, World, account, rng};

fn pool() -> Mempool {
    Mempool::new(MempoolLimits::default())
}

/// Payments from separate accounts with rising tips, cheapest first.
fn priced(tips: &[u64]) -> (World, Vec<Arc<Checked>>) {
    let people: Vec<Account> = (0..tips.len()).map(|i| account(10 + i as u64)).collect();
    let mut w = World::new();
    let mints: Vec<_> = people.iter().map(|p| w.mint(p, 1_000_000)).collect();
    w.run(mints).unwrap();
    let bundles = people
        .iter()
        .zip(tips)
        .map(|(p, tip)| w.checked(&tipped(&w, p, *tip)));
    let bundles = bundles.collect();
    (w, bundles)
}

fn tipped(w: &World, from: &Account, tip: u64) -> Bundle {
    let b = w.builder().pay(*account(2).address(), 5).tip(tip);
    b.build(&SUITE, from, &w.unspent(from), &mut rng(tip))
        .unwrap()
        .bundle
}

fn body(bundles: &[&Arc<Checked>]) -> Body {
    let list: Vec<_> = bundles.iter().map(|b| Bundle::clone(b.bundle())).collect();
    Body::Shard(list.try_into().unwrap())
}

#[test]
fn duplicate_and_conflicting_bundles_are_refused() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let (a, b) = (
        w.checked(&tipped(&w, &alice, 0)),
        w.checked(&tipped(&w, &alice, 900)),
    );
    let mut m = pool();
    assert_eq!(m.insert(Arc::clone(&a)), Ok(vec![]));
    assert_eq!(m.insert(Arc::clone(&a)), Err(InsertError::Duplicate));
    assert_eq!(
        m.insert(Arc::clone(&b)),
        Err(InsertError::Conflict(a.hash()))
    );
    assert_eq!((m.len(), m.bytes()), (1, a.bytes()));
    assert!(m.remove(a.hash()) && !m.remove(a.hash()));
    assert_eq!(m.insert(b), Ok(vec![]), "the coin is free again");
}

#[test]
fn selection_is_by_price_after_the_oldest() {
    let (w, b) = priced(&[0, 9_000, 3_000, 6_000]);
    let mut m = pool();
    for x in &b {
        m.insert(Arc::clone(x)).unwrap();
    }
    // The age share of this limit holds exactly one bundle.
    let mut tight = w.rules;
    tight.limits.body_cost_us = b[0].cost_us() * 8;
    let chosen: Vec<_> = m
        .select(&tight, &BTreeSet::new())
        .iter()
        .map(|c| c.hash())
        .collect();
    let expected: Vec<_> = [0, 1, 3, 2].map(|i| b[i].hash()).into();
    assert_eq!(chosen, expected);
    tight.limits.body_cost_us = b[0].cost_us() * 2;
    let chosen: Vec<_> = m
        .select(&tight, &BTreeSet::new())
        .iter()
        .map(|c| c.hash())
        .collect();
    assert_eq!(
        chosen,
        [b[1].hash(), b[3].hash()],
        "no room for an age share"
    );
}

#[test]
fn full_mempool_gives_way_to_better_paying_bundles_only() {
    let (_, b) = priced(&[1_000, 2_000, 500, 9_000]);
    let mut m = Mempool::new(MempoolLimits {
        bundles: 2,
        bytes: usize::MAX,
    });
    m.insert(Arc::clone(&b[0])).unwrap();
    m.insert(Arc::clone(&b[1])).unwrap();
    assert_eq!(m.insert(Arc::clone(&b[2])), Err(InsertError::Full));
    assert_eq!(m.insert(Arc::clone(&b[3])), Ok(vec![b[0].hash()]));
    assert!(m.contains(b[1].hash()) && m.contains(b[3].hash()) && m.len() == 2);
    let mut small = Mempool::new(MempoolLimits {
        bundles: 9,
        bytes: b[0].bytes() - 1,
    });
    assert_eq!(small.insert(Arc::clone(&b[0])), Err(InsertError::Full));
    assert!(small.is_empty());
}

#[test]
fn included_bundles_and_their_rivals_leave() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[1_000_000, 2_000_000]);
    let ours = w.checked(&tipped(&w, &alice, 0));
    let rival = w.checked(&tipped(&w, &alice, 7));
    let other = {
        let b = w.builder().pay(*account(2).address(), 1_500_000);
        w.checked(
            &b.build(&SUITE, &alice, &w.unspent(&alice), &mut rng(1))
                .unwrap()
                .bundle,
        )
    };
    let mut m = pool();
    m.insert(Arc::clone(&rival)).unwrap();
    m.insert(Arc::clone(&other)).unwrap();
    let frame = body(&[&ours]);
    w.run(vec![Bundle::clone(ours.bundle())]).unwrap();
    let gone = m.settle(&frame, &w.state, &w.rules, &w.moment()).unwrap();
    assert_eq!(gone, [(rival.hash(), Departure::Refused(Code::InputSpent))]);
    let frame = body(&[&other]);
    w.run(vec![Bundle::clone(other.bundle())]).unwrap();
    let gone = m.settle(&frame, &w.state, &w.rules, &w.moment()).unwrap();
    assert_eq!(gone, [(other.hash(), Departure::Included)]);
    assert!(m.is_empty() && m.bytes() == 0);
}

#[test]
fn expired_bundles_leave_and_cheap_ones_stay() {
    let (mut w, b) = priced(&[0]);
    let mut m = pool();
    m.insert(Arc::clone(&b[0])).unwrap();
    let mut dear = w.moment();
    dear.multiplier *= 100;
    assert_eq!(m.settle(&body(&[]), &w.state, &w.rules, &dear), Ok(vec![]));
    w.now = b[0].valid_until();
    assert_eq!(
        m.settle(&body(&[]), &w.state, &w.rules, &w.moment()),
        Ok(vec![])
    );
    w.now += 1;
    let gone = m
        .settle(&body(&[]), &w.state, &w.rules, &w.moment())
        .unwrap();
    assert_eq!(gone, [(b[0].hash(), Departure::Refused(Code::TxExpired))]);
}

#[test]
fn what_stands_in_an_unfinal_ancestor_is_left_out_and_kept() {
    let (w, bundles) = priced(&[1, 2, 3]);
    let mut m = pool();
    for b in &bundles {
        m.insert(Arc::clone(b)).unwrap();
    }
    let taken = BTreeSet::from([bundles[2].tx()]);
    let chosen: BTreeSet<_> = m.select(&w.rules, &taken).iter().map(|c| c.tx()).collect();
    let expected = BTreeSet::from([bundles[0].tx(), bundles[1].tx()]);
    assert_eq!(chosen, expected);
    assert!(m.contains(bundles[2].hash()));
    // A mint whose turn is in the ancestor makes way for the next one.
    let mut w = World::new();
    let mints: Vec<_> = (0..2).map(|_| w.mint(&account(1), 1_000)).collect();
    let mut m = pool();
    let checked: Vec<_> = mints.iter().map(|b| w.checked(b)).collect();
    for c in &checked {
        m.insert(Arc::clone(c)).unwrap();
    }
    let taken = BTreeSet::from([checked[0].tx()]);
    let chosen = m.select(&w.rules, &taken);
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].tx(), checked[1].tx());
}

#[test]
fn mints_are_selected_by_nonce_whatever_they_pay() {
    let mut w = World::new();
    let mints: Vec<_> = (0..4).map(|_| w.mint(&account(1), 1_000)).collect();
    let checked: Vec<_> = mints.iter().map(|b| w.checked(b)).collect();
    let mut m = pool();
    for i in [2, 0, 3, 1] {
        m.insert(Arc::clone(&checked[i])).unwrap();
    }
    let chosen: Vec<_> = m
        .select(&w.rules, &BTreeSet::new())
        .iter()
        .map(|c| c.hash())
        .collect();
    assert_eq!(chosen, checked.iter().map(|c| c.hash()).collect::<Vec<_>>());
    // A frame with nonce 2 makes 1 and 2 impossible and leaves 3 and 4.
    w.run(vec![mints[1].clone()]).unwrap();
    let gone = m
        .settle(&body(&[&checked[1]]), &w.state, &w.rules, &w.moment())
        .unwrap();
    let expected = [
        (checked[1].hash(), Departure::Included),
        (
            checked[0].hash(),
            Departure::Refused(Code::MintUnauthorised),
        ),
    ];
    assert_eq!(gone, expected);
    assert_eq!(m.len(), 2);
}

#[test]
fn revalidation_drops_what_a_state_does_not_know() {
    let (w, b) = priced(&[0, 5]);
    let mut m = pool();
    for x in &b {
        m.insert(Arc::clone(x)).unwrap();
    }
    assert_eq!(m.revalidate(&w.state, &w.rules, &w.moment()), Ok(vec![]));
    let other = World::new();
    let gone = m.revalidate(&other.state, &w.rules, &w.moment()).unwrap();
    assert!(
        gone.iter()
            .all(|(_, d)| *d == Departure::Refused(Code::InputUnknown))
    );
    assert_eq!((gone.len(), m.len()), (2, 0));
}

#[test]
fn selection_keeps_within_the_limits_of_a_body() {
    let (w, b) = priced(&[0, 1, 2, 3]);
    let mut m = pool();
    for x in &b {
        m.insert(Arc::clone(x)).unwrap();
    }
    for limit in [0, b[0].bytes(), 2 * b[0].bytes() + 5, 1 << 20] {
        let mut tight = w.rules.clone();
        tight.limits.body_bytes = u32::try_from(limit).unwrap();
        let chosen = m.select(&tight, &BTreeSet::new());
        let list: Vec<_> = chosen.iter().collect();
        assert!(chosen.is_empty() || body(&list).bytes() <= limit);
    }
}
