//! Values of every wire type, small and with every variant.

use quil_types::bundle::{
    AccountDebit, Bundle, CoinKind, FeePart, Home, Input, Mint, Output, Transfer, TransferBody,
};
use quil_types::genesis::{
    Difficulty, Genesis, Lifecycle, Limits, NetworkBinding, Pacing, ProverEntry, ShardEntry,
    ShardMember, TokenGenesis, Upgrade,
};
use quil_types::{
    Anchor, Beacon, BeaconWitness, Bitmask, Body, Bounded, Bytes, Chain, Code, CoinId,
    ConsensusMessage, Digest, Domain, Envelope, Epoch, EpochProof, Equivocation, FinalFrame,
    FinalityProof, FrameId, FrameNumber, FramesRequest, FramesResponse, GenesisHash, Header,
    Justify, MemberIndex, PeerKey, Proposal, ProverId, Qc, Rank, Receipt, SealedFrame,
    SettlementMessage, ShardAddr, ShardRow, SignatureBytes, Sorted, Tc, TcGroup, Text, Timeout,
    Timestamp, TxId, Vote,
};

const SHARD: Chain = Chain::Shard(ShardAddr([0x22; 32]));

fn bounded<T, const N: usize>(items: Vec<T>) -> Bounded<T, N> {
    Bounded::try_from(items).expect("few items")
}

fn signature() -> SignatureBytes {
    Bytes::from_slice(&[0x5a; 74]).expect("74 bytes")
}

fn header(chain: Chain) -> Header {
    Header {
        version: 1,
        chain,
        epoch: Epoch::new(2),
        rank: Rank::new(9),
        parent_rank: Rank::new(8),
        number: FrameNumber::new(77),
        timestamp: Timestamp::new(1_700_000_000_000),
        parent: FrameId([1; 32]),
        proposer: ProverId([2; 32]),
        requests_root: Digest([3; 32]),
        receipts_root: Digest([4; 32]),
        multiplier: 1_000_000,
        committee_root: Digest([5; 32]),
        next_committee_root: Digest::ZERO,
        state_roots: [[6; 64]; 4],
        shards_root: [7; 64],
        beacon: Beacon([8; 32]),
        anchor: (chain != Chain::Global).then_some(Anchor {
            number: FrameNumber::new(70),
            id: FrameId([9; 32]),
        }),
    }
}

pub(super) fn headers() -> Vec<Header> {
    vec![header(Chain::Global), header(SHARD)]
}

fn qc(chain: Chain) -> Qc {
    Qc {
        chain,
        epoch: Epoch::new(2),
        rank: Rank::new(8),
        id: FrameId([1; 32]),
        signers: Bitmask::of(9, [MemberIndex(0), MemberIndex(8)]),
        signature: signature(),
    }
}

fn tc() -> Tc {
    let group = |rank, member| TcGroup {
        qc_rank: Rank::new(rank),
        signers: Bitmask::of(9, [MemberIndex(member)]),
    };
    Tc {
        chain: SHARD,
        epoch: Epoch::new(2),
        rank: Rank::new(8),
        high_qc: Some(qc(SHARD)),
        groups: bounded(vec![group(6, 1), group(8, 3)]),
        signature: signature(),
    }
}

fn vote(id: u8) -> Vote {
    Vote {
        chain: SHARD,
        epoch: Epoch::new(2),
        rank: Rank::new(9),
        id: FrameId([id; 32]),
        member: MemberIndex(3),
        signature: signature(),
    }
}

fn timeout() -> Timeout {
    Timeout {
        chain: SHARD,
        epoch: Epoch::new(2),
        rank: Rank::new(9),
        high_qc: Some(qc(SHARD)),
        member: MemberIndex(3),
        signature: signature(),
    }
}

fn finality_proof() -> FinalityProof {
    FinalityProof {
        header: header(SHARD),
        qc: qc(SHARD),
    }
}

pub(super) fn finality_proofs() -> Vec<FinalityProof> {
    vec![finality_proof()]
}

fn epoch_proof() -> EpochProof {
    EpochProof {
        closing: header(Chain::Global),
        between: bounded(vec![header(Chain::Global)]),
        tip: header(Chain::Global),
        qc: qc(Chain::Global),
    }
}

fn beacon() -> BeaconWitness {
    BeaconWitness {
        number: FrameNumber::new(77),
        y: Bytes::from_slice(&[1; 258]).expect("a form"),
        pi: Bytes::from_slice(&[2; 258]).expect("a form"),
    }
}

fn transfer() -> Transfer {
    let output = |n: u8| Output {
        key: [n; 56],
        commitment: [n; 56],
        ephemeral: [n; 56],
        view_tag: n,
        enc_amount: [n; 8],
        kind: CoinKind::Plain,
    };
    let body = TransferBody {
        version: 1,
        genesis: GenesisHash([1; 32]),
        domain: Domain([2; 32]),
        home: Home([3, 4]),
        inputs: bounded(vec![Input {
            coin: CoinId([5; 32]),
            image: [6; 56],
        }]),
        outputs: bounded(vec![output(1), output(2)]),
        fee: 10,
        burn: 1,
        mint: Some(Mint {
            authority: [7; 56],
            nonce: 1,
            amount: 5,
        }),
        valid_until: FrameNumber::new(99),
    };
    Transfer {
        body,
        range_proof: Bytes::from_slice(&[8; 600]).expect("a proof"),
        excess: [9; 112],
        input_proofs: bounded(vec![[10; 112]]),
        mint_signature: Some([11; 112]),
    }
}

pub(super) fn bundles() -> Vec<Bundle> {
    let debit = AccountDebit {
        genesis: GenesisHash([1; 32]),
        key: [2; 56],
        nonce: 3,
        fee: 4,
        valid_until: FrameNumber::new(5),
        signature: [6; 112],
    };
    vec![
        Bundle::transfer(transfer()),
        Bundle {
            fee: FeePart::AccountDebit(Box::new(debit)),
            actions: Bounded::new(),
        },
    ]
}

pub(super) fn receipts() -> Vec<Receipt> {
    [None, Some(Code::InputSpent)]
        .map(|failed| Receipt {
            tx: TxId([1; 32]),
            fee: 5,
            actions_applied: 0,
            failed,
        })
        .to_vec()
}

fn bodies() -> [Body; 2] {
    [
        Body::Global(bounded(vec![finality_proof()])),
        Body::Shard(bounded(bundles())),
    ]
}

fn sealed(body: Body) -> SealedFrame {
    SealedFrame {
        header: header(SHARD),
        body,
        beacon: Some(beacon()),
    }
}

fn proposal(body: Body, justify: Justify) -> Proposal {
    Proposal {
        header: header(SHARD),
        body,
        beacon: Some(beacon()),
        justify,
        tc: Some(tc()),
        vote: vote(1),
    }
}

fn envelope(payload: ConsensusMessage) -> Envelope {
    let (chain, epoch, rank) = payload.position();
    Envelope {
        chain,
        epoch,
        rank,
        member: MemberIndex(3),
        attempt: 1,
        payload,
        signature: [0x77; 64],
    }
}

pub(super) fn envelopes() -> Vec<Envelope> {
    let [global, shard] = bodies();
    let proposals = [
        proposal(global, Justify::Qc(qc(SHARD))),
        proposal(shard, Justify::Epoch(Box::new(epoch_proof()))),
    ];
    proposals
        .map(|p| ConsensusMessage::Proposal(Box::new(p)))
        .into_iter()
        .chain([
            ConsensusMessage::Qc(qc(SHARD)),
            ConsensusMessage::Tc(tc()),
            ConsensusMessage::EpochProof(Box::new(epoch_proof())),
        ])
        .map(envelope)
        .collect()
}

pub(super) fn vote_envelopes() -> Vec<Envelope> {
    vec![
        envelope(ConsensusMessage::Vote(vote(1))),
        envelope(ConsensusMessage::Timeout(timeout())),
    ]
}

pub(super) fn final_frames() -> Vec<FinalFrame> {
    bodies()
        .map(|body| FinalFrame {
            frame: sealed(body),
            proof: finality_proof(),
        })
        .to_vec()
}

pub(super) fn settlements() -> Vec<SettlementMessage> {
    vec![
        SettlementMessage::Update(Box::new(finality_proof())),
        SettlementMessage::Beacon(Box::new(beacon())),
    ]
}

pub(super) fn equivocations() -> Vec<Equivocation> {
    vec![Equivocation {
        a: vote(1),
        b: vote(2),
    }]
}

pub(super) fn frames_requests() -> Vec<FramesRequest> {
    vec![
        FramesRequest::Head { chain: SHARD },
        FramesRequest::Frames {
            chain: Chain::Global,
            from: FrameNumber::new(5),
            max: 64,
        },
        FramesRequest::Proposals {
            chain: SHARD,
            ids: bounded(vec![FrameId([1; 32]), FrameId([2; 32])]),
        },
    ]
}

pub(super) fn frames_responses() -> Vec<FramesResponse> {
    let [global, shard] = bodies();
    vec![
        FramesResponse::Unknown,
        FramesResponse::Head {
            number: FrameNumber::new(5),
            id: FrameId([1; 32]),
            proof: Some(Box::new(finality_proof())),
        },
        FramesResponse::Frames {
            frames: bounded(vec![sealed(global), sealed(shard.clone())]),
            proof: None,
            epochs: bounded(vec![epoch_proof()]),
        },
        FramesResponse::Proposals(bounded(vec![proposal(shard, Justify::Genesis)])),
    ]
}

pub(super) fn shard_rows() -> Vec<ShardRow> {
    vec![ShardRow {
        epoch: Epoch::new(1),
        height: FrameNumber::new(2),
        id: FrameId([3; 32]),
        roots: [[4; 64]; 4],
        size: 5,
    }]
}

pub(super) fn genesis() -> Vec<Genesis> {
    let entry = |n: u8| ProverEntry {
        key: [n; 585],
        possession: [n; 74],
        peer: PeerKey([n; 32]),
    };
    let member = ShardMember {
        prover: ProverId([1; 32]),
        worker: entry(2),
        certificate: [3; 74],
    };
    let shard = ShardEntry {
        addr: ShardAddr([4; 32]),
        members: bounded(vec![member]),
    };
    let upgrade = |epoch, version| Upgrade {
        epoch: Epoch::new(epoch),
        version,
    };
    vec![Genesis {
        version: 1,
        binding: NetworkBinding {
            name: Text::new("fuzz").expect("short"),
            seed: [1; 32],
        },
        devnet: true,
        time: Timestamp::new(5),
        pacing: Pacing {
            min_spacing_ms: 800,
            target_ms: 1000,
            difficulty: Difficulty::Median {
                initial: 1000,
                floor: 100,
            },
            discriminant_bits: 2048,
        },
        epoch_frames: 100,
        limits: Limits {
            body_bytes: 1 << 20,
            body_cost_us: 250_000,
            anchor_age: 20,
        },
        lifecycle: Lifecycle {
            shard_stall: 3,
            weak_subjectivity: 100,
            validity: 100,
        },
        srs: Bytes::from_slice(&[9; 500]).expect("short"),
        committee: bounded(vec![entry(5), entry(6)]),
        shards: bounded(vec![shard]),
        token: TokenGenesis {
            domain: Domain([7; 32]),
            authority: [8; 56],
            fee_per_byte: 2,
        },
        upgrades: Sorted::try_from(vec![upgrade(3, 2), upgrade(9, 3)]).expect("ascending"),
    }]
}
