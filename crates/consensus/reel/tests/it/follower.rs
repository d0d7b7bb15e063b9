use quil_reel::Follower;
use quil_types::{
    Beacon, Bitmask, Bytes, Chain, Digest, Epoch, FinalityProof, FrameId, FrameNumber, Header,
    ProverId, Qc, Rank, Timestamp,
};

/// A frame whose parent stands one rank below.
pub(crate) fn header(number: u64, rank: u64, parent: FrameId) -> Header {
    Header {
        version: 1,
        chain: Chain::Global,
        epoch: Epoch::ZERO,
        rank: Rank::new(rank),
        parent_rank: Rank::new(rank.saturating_sub(1)),
        number: FrameNumber::new(number),
        timestamp: Timestamp::new(number * 2_000),
        parent,
        proposer: ProverId::ZERO,
        requests_root: Digest::ZERO,
        receipts_root: Digest::ZERO,
        multiplier: 0,
        committee_root: Digest::ZERO,
        next_committee_root: Digest::ZERO,
        state_roots: [[0; 64]; 4],
        shards_root: [0; 64],
        beacon: Beacon::ZERO,
        anchor: None,
    }
}

fn certified(header: Header) -> FinalityProof {
    let qc = Qc {
        chain: header.chain,
        epoch: header.epoch,
        rank: header.rank,
        id: header.id(),
        signers: Bitmask::default(),
        signature: Bytes::new(),
    };
    FinalityProof { header, qc }
}

fn follower() -> (Follower, FrameId) {
    let root = header(0, 0, FrameId::ZERO).id();
    (Follower::new(FrameNumber::ZERO, root), root)
}

#[test]
fn consecutive_ranks_finalise_the_parent() {
    let (mut f, root) = follower();
    let a = header(1, 1, root);
    let b = header(2, 2, a.id());
    assert_eq!(
        f.certify(certified(a.clone())),
        Ok(None),
        "the root is final already"
    );
    assert_eq!(
        f.certify(certified(b.clone())),
        Ok(Some((FrameNumber::new(1), a.id())))
    );
    assert_eq!(f.last_final(), (FrameNumber::new(1), a.id()));
    assert_eq!(f.head().map(|p| p.header.id()), Some(b.id()));
    assert_eq!(
        f.certify(certified(b)),
        Ok(None),
        "a repetition changes nothing"
    );
}

#[test]
fn gap_in_ranks_finalises_nothing() {
    let (mut f, root) = follower();
    let a = header(1, 1, root);
    let mut b = header(2, 3, a.id());
    b.parent_rank = Rank::new(1);
    f.certify(certified(a)).unwrap();
    assert_eq!(f.certify(certified(b.clone())), Ok(None));
    assert_eq!(f.last_final().0, FrameNumber::ZERO);
    assert_eq!(f.head().map(|p| p.header.id()), Some(b.id()));
}

#[test]
fn head_is_the_highest_rank_that_extends_the_final_frame() {
    let (mut f, root) = follower();
    let a = header(1, 1, root);
    let stranger = header(9, 9, FrameId([9; 32]));
    f.certify(certified(a.clone())).unwrap();
    let mut stray = stranger;
    stray.parent_rank = Rank::new(3);
    f.certify(certified(stray)).unwrap();
    assert_eq!(f.head().map(|p| p.header.id()), Some(a.id()));
}

#[test]
fn two_certified_frames_of_one_rank_stop_with_evidence() {
    let (mut f, root) = follower();
    let a = header(1, 1, root);
    let mut twin = a.clone();
    twin.timestamp = Timestamp::new(77);
    f.certify(certified(a.clone())).unwrap();
    let conflict = f.certify(certified(twin.clone())).unwrap_err();
    assert_eq!(
        (
            conflict.evidence.0.header.id(),
            conflict.evidence.1.header.id()
        ),
        (a.id(), twin.id())
    );
}

#[test]
fn conflicting_finality_stops() {
    let (mut f, root) = follower();
    let a = header(1, 1, root);
    f.certify(certified(a.clone())).unwrap();
    f.certify(certified(header(2, 2, a.id()))).unwrap();
    let other = header(1, 4, root);
    assert!(f.certify(certified(header(2, 5, other.id()))).is_err());
}
