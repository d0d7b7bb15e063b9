use std::sync::OnceLock;

use quil_engine::state::ChainState;
use quil_execution::global::ShardTable;
use quil_hotstuff::BlsScheme;
use quil_store::{MemStore, SafetyFile};
use quil_types::{Chain, Header};

use super::*;
use crate::fixture;
use crate::persist::Files;

fn snapshot(number: u64) -> Arc<Snapshot> {
    let files = Files::new(
        Arc::new(MemStore::new()),
        SafetyFile::over(Box::new(MemStore::new())),
        Chain::Global,
    );
    static BASE: OnceLock<Header> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        let engine = fixture::master().start(BlsScheme::new(), &files).unwrap();
        engine.ledger().last().header().clone()
    });
    let header = Header {
        number: FrameNumber::new(number),
        ..base.clone()
    };
    Arc::new(Snapshot::base(
        header,
        ChainState::empty(Chain::Global),
        ShardTable::default(),
        quil_engine::Effects::default(),
    ))
}

fn finality(number: u64) -> Event {
    let snapshot = snapshot(number);
    Event::Final {
        header: Box::new(snapshot.header().clone()),
        proof: None,
        snapshot,
    }
}

#[test]
fn states_are_kept_up_to_the_bound() {
    let recent = Recent::new(snapshot(0));
    let many = u64::try_from(STATES_MAX).unwrap();
    (1..=many).for_each(|n| recent.note(&finality(n)));
    assert_eq!(recent.first_where(|_| true), Some(FrameNumber::new(1)));
    assert_eq!(recent.last().unwrap().snapshot.number().get(), many);
    assert!(recent.last_proven().is_none());
}

#[test]
fn bundle_of_a_discarded_frame_waits_again() {
    let recent = Recent::new(snapshot(0));
    let (tx, number) = (TxId([7; 32]), FrameNumber::new(2));
    assert_eq!(recent.standing(tx), None);
    recent.accepted(tx);
    assert_eq!(recent.standing(tx), Some(Pending::Accepted));
    recent.note(&Event::Included { tx, number });
    recent.accepted(tx);
    assert_eq!(recent.standing(tx), Some(Pending::Included(number)));
    recent.note(&finality(2));
    assert_eq!(recent.standing(tx), Some(Pending::Accepted));
}

#[test]
fn standings_are_bounded() {
    let recent = Recent::default();
    let name = |i: usize| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&i.to_le_bytes());
        TxId(id)
    };
    (0..=STANDINGS_MAX).for_each(|i| recent.accepted(name(i)));
    assert_eq!(recent.standing(name(0)), None);
    assert_eq!(recent.standing(name(1)), Some(Pending::Accepted));
}
