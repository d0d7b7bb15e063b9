//! Shard updates (S1) and genesis states (D4).

use quil_execution::global::registry::{
    GenesisError, PROVER_RECORD_BYTES_MAX, ProverRecord, genesis_row, global_genesis, prover_key,
    token_genesis,
};
use quil_execution::global::{
    Certificates, FinalAnchors, GlobalError, ShardTable, UpdateError, execute_global, row_key,
};
use quil_execution::state::{MemoryState, StateView};
use quil_execution::token::records::{load_supply, supply_key};
use quil_types::genesis::{ProverEntry, ShardEntry, ShardMember};
use quil_types::{
    Anchor, Beacon, Bitmask, Body, Bounded, Canonical, Chain, Digest, Epoch, FinalityProof,
    FrameId, FrameNumber, Genesis, Header, PeerKey, ProverId, Qc, Rank, ShardAddr, ShardRow,
    SignatureBytes, Timestamp,
};

use crate::world::{genesis, rules};

struct AnchorsUpTo(u64);

impl FinalAnchors for AnchorsUpTo {
    fn is_final(&self, anchor: &Anchor) -> bool {
        anchor.number.get() <= self.0 && anchor.id == FrameId([5; 32])
    }
}

/// Accepts certificates whose signature is one byte 1.
struct OneByte;

impl Certificates for OneByte {
    fn verify(&self, updates: &[(ShardAddr, &FinalityProof)]) -> Vec<bool> {
        updates
            .iter()
            .map(|(_, u)| u.qc.signature[..] == [1])
            .collect()
    }
}

struct NoVerdicts;

impl Certificates for NoVerdicts {
    fn verify(&self, _: &[(ShardAddr, &FinalityProof)]) -> Vec<bool> {
        Vec::new()
    }
}

fn shard(n: u8) -> ShardAddr {
    ShardAddr([n; 32])
}

fn header(addr: ShardAddr, number: u64) -> Header {
    Header {
        version: 1,
        chain: Chain::Shard(addr),
        epoch: Epoch::ZERO,
        rank: Rank::new(number + 3),
        parent_rank: Rank::new(number + 2),
        number: FrameNumber::new(number),
        timestamp: Timestamp::ZERO,
        parent: FrameId([9; 32]),
        proposer: ProverId::ZERO,
        requests_root: Digest::ZERO,
        receipts_root: Digest::ZERO,
        multiplier: 1_000_000,
        committee_root: Digest::ZERO,
        next_committee_root: Digest::ZERO,
        state_roots: [[3; 64]; 4],
        shards_root: [0; 64],
        beacon: Beacon::ZERO,
        anchor: Some(Anchor {
            number: FrameNumber::new(4),
            id: FrameId([5; 32]),
        }),
    }
}

fn certified(header: Header) -> FinalityProof {
    FinalityProof {
        qc: Qc {
            chain: header.chain,
            epoch: header.epoch,
            rank: header.rank,
            id: header.id(),
            signers: Bitmask::empty(1),
            signature: SignatureBytes::from_slice(&[1]).unwrap(),
        },
        header,
    }
}

fn table() -> ShardTable {
    ShardTable::new([shard(1), shard(2)].map(|s| (s, genesis_row([[0; 64]; 4]))))
}

fn run(updates: Vec<FinalityProof>) -> Result<Vec<(ShardAddr, ShardRow)>, GlobalError> {
    let body = Body::Global(Bounded::try_from(updates).unwrap());
    execute_global(&table(), &body, &rules(), &AnchorsUpTo(1000), &OneByte)
}

fn reason(update: FinalityProof) -> UpdateError {
    match run(vec![certified(header(shard(2), 5)), update]) {
        Err(GlobalError::Update { index: 1, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn valid_updates_record_the_parent_and_its_results() {
    let rows = run(vec![
        certified(header(shard(2), 8)),
        certified(header(shard(1), 2)),
    ])
    .unwrap();
    assert_eq!(
        rows.iter().map(|(s, _)| *s).collect::<Vec<_>>(),
        [shard(2), shard(1)]
    );
    let row = &rows[0].1;
    assert_eq!(
        (row.height, row.id, row.epoch),
        (FrameNumber::new(7), FrameId([9; 32]), Epoch::ZERO)
    );
    assert_eq!(row.roots, [[3; 64]; 4]);
    let mut t = table();
    t.apply(&rows);
    assert_eq!(t.row(shard(1)).unwrap().height, FrameNumber::new(1));
}

#[test]
fn one_update_per_shard_and_body() {
    let twice = vec![
        certified(header(shard(1), 5)),
        certified(header(shard(1), 6)),
    ];
    let expected = GlobalError::Update {
        index: 1,
        reason: UpdateError::Repeated,
    };
    assert_eq!(run(twice), Err(expected));
}

#[test]
fn every_rule_of_an_update_has_its_error() {
    let base = || header(shard(1), 5);
    let bent = |f: &dyn Fn(&mut Header)| {
        let mut h = base();
        f(&mut h);
        reason(certified(h))
    };
    assert_eq!(bent(&|h| h.chain = Chain::Global), UpdateError::NotAShard);
    assert_eq!(
        bent(&|h| h.chain = Chain::Shard(shard(7))),
        UpdateError::UnknownShard
    );
    assert_eq!(bent(&|h| h.version = 2), UpdateError::Version);
    assert_eq!(
        bent(&|h| h.rank = Rank::new(99)),
        UpdateError::NotCommitting
    );
    assert_eq!(
        bent(&|h| h.epoch = Epoch::new(1)),
        UpdateError::AnchorEpoch(Epoch::new(1))
    );
    let height = UpdateError::Height {
        recorded: FrameNumber::ZERO,
    };
    assert_eq!(bent(&|h| h.number = FrameNumber::new(1)), height);
    assert_eq!(bent(&|h| h.number = FrameNumber::ZERO), height);
    assert_eq!(bent(&|h| h.anchor = None), UpdateError::NoAnchor);
    let unknown = Anchor {
        number: FrameNumber::new(4),
        id: FrameId([6; 32]),
    };
    assert_eq!(
        bent(&|h| h.anchor = Some(unknown)),
        UpdateError::AnchorUnknown
    );
}

#[test]
fn certificate_must_name_the_header_and_verify() {
    let good = certified(header(shard(1), 5));
    for bend in [0, 1, 2, 3] {
        let mut u = good.clone();
        match bend {
            0 => u.qc.id = FrameId::ZERO,
            1 => u.qc.rank = Rank::new(1),
            2 => u.qc.epoch = Epoch::new(1),
            _ => u.qc.chain = Chain::Shard(shard(2)),
        }
        assert_eq!(reason(u), UpdateError::OtherCertificate);
    }
    let mut forged = good.clone();
    forged.qc.signature = SignatureBytes::from_slice(&[2]).unwrap();
    assert_eq!(reason(forged), UpdateError::Certificate);
    let body = Body::Global(Bounded::try_from(vec![good]).unwrap());
    let silent = execute_global(&table(), &body, &rules(), &AnchorsUpTo(1000), &NoVerdicts);
    assert_eq!(silent, Err(GlobalError::Verifier { got: 0, asked: 1 }));
}

fn anchored(epoch: u64, number: u64, anchor: u64, next: Digest) -> FinalityProof {
    let mut h = header(shard(1), number);
    h.epoch = Epoch::new(epoch);
    h.anchor = Some(Anchor {
        number: FrameNumber::new(anchor),
        id: FrameId([5; 32]),
    });
    h.next_committee_root = next;
    certified(h)
}

#[test]
fn discarded_descendants_of_a_closing_frame_are_never_recorded() {
    let closing = rules().epoch_frames - 1;
    let epoch = |update| run(vec![update]).map(|rows| rows[0].1.epoch);
    assert_eq!(
        epoch(anchored(0, 5, closing - 1, Digest::ZERO)),
        Ok(Epoch::ZERO),
        "an ordinary frame"
    );
    assert_eq!(
        epoch(anchored(0, 5, closing, Digest([1; 32]))),
        Ok(Epoch::ZERO),
        "the closing frame finalises its parent"
    );
    for anchor in [closing, closing + 3] {
        assert_eq!(
            reason(anchored(0, 6, anchor, Digest::ZERO)),
            UpdateError::Discarded,
            "its parent may be the closing frame or a descendant of it"
        );
    }
}

#[test]
fn first_frame_of_an_epoch_records_the_closing_frame_before_it() {
    let closing = rules().epoch_frames - 1;
    let mut update = anchored(1, 6, closing, Digest::ZERO);
    update.header.rank = Rank::new(1);
    update.header.parent_rank = Rank::ZERO;
    let rows = run(vec![certified(update.header.clone())]).unwrap();
    let row = &rows[0].1;
    assert_eq!(
        (row.epoch, row.height, row.id),
        (Epoch::new(1), FrameNumber::new(5), update.header.parent)
    );
    assert_eq!(
        reason(anchored(1, 6, closing - 1, Digest::ZERO)),
        UpdateError::AnchorEpoch(Epoch::new(1)),
        "the epoch before cannot be closed at this anchor"
    );
}

#[test]
fn rows_are_ordered_by_epoch_and_height() {
    let e = rules().epoch_frames;
    let mut t = table();
    let step = |t: &ShardTable, update| {
        let body = Body::Global(Bounded::try_from(vec![update]).unwrap());
        execute_global(t, &body, &rules(), &AnchorsUpTo(1 << 40), &OneByte)
    };
    let rows = step(&t, anchored(2, 9, 2 * e, Digest::ZERO)).unwrap();
    t.apply(&rows);
    let refused = |update| match step(&t, update) {
        Err(GlobalError::Update { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(anchored(1, 30, e, Digest::ZERO)),
        UpdateError::Epoch {
            got: Epoch::new(1),
            recorded: Epoch::new(2)
        },
        "a higher frame of an epoch that is over"
    );
    let recorded = FrameNumber::new(8);
    assert_eq!(
        refused(anchored(3, 9, 3 * e, Digest::ZERO)),
        UpdateError::Height { recorded },
        "the same height in a later epoch"
    );
    assert!(step(&t, anchored(3, 10, 3 * e, Digest::ZERO)).is_ok());
}

#[test]
fn shard_body_and_oversized_body_are_refused() {
    let wrong = execute_global(
        &table(),
        &Body::Shard(Bounded::new()),
        &rules(),
        &AnchorsUpTo(1),
        &OneByte,
    );
    assert_eq!(wrong, Err(GlobalError::WrongChain));
    let mut tight = rules();
    tight.limits.body_bytes = 100;
    let body = Body::Global(Bounded::try_from(vec![certified(header(shard(1), 5))]).unwrap());
    let big = execute_global(&table(), &body, &tight, &AnchorsUpTo(1000), &OneByte);
    assert!(matches!(big, Err(GlobalError::TooLarge { limit: 100, .. })));
}

#[test]
fn row_key_is_address_then_zeros() {
    let key = row_key(shard(6));
    assert_eq!((&key[..32], &key[32..]), (&[6; 32][..], &[0; 32][..]));
}

fn prover(n: u8) -> ProverEntry {
    ProverEntry {
        key: [n; 585],
        possession: [n; 74],
        peer: PeerKey([n; 32]),
    }
}

fn member(of: u8, worker: u8) -> ShardMember {
    ShardMember {
        prover: prover(of).id(),
        worker: prover(worker),
        certificate: [0; 74],
    }
}

fn network(shards: Vec<ShardEntry>) -> Genesis {
    let mut g = genesis();
    g.committee = Bounded::try_from(vec![prover(1), prover(2)]).unwrap();
    g.shards = Bounded::try_from(shards).unwrap();
    g
}

fn entry(addr: u8, members: Vec<ShardMember>) -> ShardEntry {
    ShardEntry {
        addr: shard(addr),
        members: Bounded::try_from(members).unwrap(),
    }
}

#[test]
fn genesis_registry_has_one_record_per_prover_with_its_workers() {
    let g = network(vec![
        entry(1, vec![member(1, 11), member(2, 12)]),
        entry(2, vec![member(1, 13)]),
    ]);
    let mut state = MemoryState::new();
    state.apply(&global_genesis(&g).unwrap());
    assert_eq!(state.len(), 2);
    let stored = state.read(&prover_key(prover(1).id())).unwrap().unwrap();
    let record = ProverRecord::decode(&stored.content, PROVER_RECORD_BYTES_MAX).unwrap();
    assert_eq!(record.entry, prover(1));
    let shards: Vec<_> = record.assignments.iter().map(|a| a.shard).collect();
    assert_eq!(shards, [shard(1), shard(2)]);
}

#[test]
fn contradictory_genesis_documents_make_no_state() {
    let stranger = network(vec![entry(1, vec![member(9, 11)])]);
    assert_eq!(
        global_genesis(&stranger),
        Err(GenesisError::UnknownProver(prover(9).id()))
    );
    let disorder = network(vec![entry(2, vec![]), entry(1, vec![])]);
    assert_eq!(global_genesis(&disorder), Err(GenesisError::ShardOrder));
    let mut twice = network(vec![]);
    twice.committee = Bounded::try_from(vec![prover(1), prover(1)]).unwrap();
    assert_eq!(
        global_genesis(&twice),
        Err(GenesisError::RepeatedProver(prover(1).id()))
    );
}

#[test]
fn genesis_token_state_is_a_zero_supply() {
    let domain = rules().domain;
    let writes = token_genesis(domain);
    assert_eq!(writes.len(), 1);
    let mut state = MemoryState::new();
    state.apply(&writes);
    let supply = load_supply(&state, &supply_key(domain)).unwrap().unwrap();
    assert_eq!((supply.minted, supply.burned), (0, 0));
}
