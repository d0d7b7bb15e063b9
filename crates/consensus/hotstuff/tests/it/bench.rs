//! A committee whose keys the test holds, and one core among it.

use std::sync::Arc;

use quil_hotstuff::limits::EPOCHS_AHEAD_MAX;
use quil_hotstuff::{
    Config, Core, EpochRule, FrameContent, Input, Job, KeyedScheme, KeyedSigner, Outbox, Output,
    Place, RecordId, Recovered, Reject, Roster, SafetyRecord, Scheme, Term, Verdict, Verified,
    genesis_leader_seed, leader_seed, permutation, verify_qc, verify_tc,
};
use quil_types::{
    Anchor, Beacon, BeaconWitness, Bitmask, Body, Bounded, Chain, Committee, ConsensusMessage,
    Digest, Epoch, EpochProof, FrameId, FrameNumber, GenesisHash, Header, Justify, Member,
    MemberIndex, Millis, PeerKey, Proposal, ProverId, Qc, Rank, ShardAddr, Tc, TcGroup, Timeout,
    Timestamp, Vote,
};

pub(crate) const GENESIS: GenesisHash = GenesisHash([1; 32]);
pub(crate) const INTERVAL: u64 = 1_000;
pub(crate) const EPOCH: u64 = 4;

/// A committee whose keys are all known, the same in every epoch.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    pub(crate) chain: Chain,
    pub(crate) keys: Vec<KeyedSigner>,
}

pub(crate) fn peer(member: usize) -> PeerKey {
    PeerKey([u8::try_from(member).unwrap() + 1; 32])
}

pub(crate) fn index(member: usize) -> MemberIndex {
    MemberIndex(u16::try_from(member).unwrap())
}

impl Net {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            chain: Chain::Global,
            keys: (0..n as u64).map(KeyedSigner::new).collect(),
        }
    }

    pub(crate) fn shard(n: usize) -> Self {
        Self {
            chain: Chain::Shard(ShardAddr([5; 32])),
            ..Self::new(n)
        }
    }

    pub(crate) fn n(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn quorum(&self) -> usize {
        self.committee().quorum()
    }

    pub(crate) fn committee(&self) -> Committee {
        let members: Vec<Member> = self
            .keys
            .iter()
            .enumerate()
            .map(|(i, k)| Member {
                prover: ProverId([u8::try_from(i).unwrap(); 32]),
                key: k.public(),
                peer: peer(i),
            })
            .collect();
        Committee {
            members: Bounded::try_from(members).unwrap(),
        }
    }

    pub(crate) fn term(&self, epoch: u64) -> Term {
        Term {
            genesis: GENESIS,
            chain: self.chain,
            epoch: Epoch::new(epoch),
            rule: EpochRule::new(EPOCH),
            roster: Arc::new(Roster::new(self.committee())),
        }
    }

    pub(crate) fn genesis(&self) -> Header {
        Header {
            version: 1,
            chain: self.chain,
            epoch: Epoch::ZERO,
            rank: Rank::ZERO,
            parent_rank: Rank::ZERO,
            number: FrameNumber::ZERO,
            timestamp: Timestamp::new(0),
            parent: Header::genesis_parent(GENESIS),
            proposer: ProverId::ZERO,
            requests_root: Digest::ZERO,
            receipts_root: Digest::ZERO,
            multiplier: 0,
            committee_root: self.committee().root(),
            next_committee_root: Digest::ZERO,
            state_roots: [[0; 64]; 4],
            shards_root: [0; 64],
            beacon: Beacon([2; 32]),
            anchor: self.anchor(0),
        }
    }

    pub(crate) fn anchor(&self, number: u64) -> Option<Anchor> {
        matches!(self.chain, Chain::Shard(_)).then(|| Anchor {
            number: FrameNumber::new(number),
            id: FrameId([3; 32]),
        })
    }

    /// The leader of a rank of an epoch that was opened by a frame with this beacon.
    pub(crate) fn leader(&self, epoch: u64, opened_by: Beacon, rank: u64) -> usize {
        let seed = if epoch < 2 {
            genesis_leader_seed(GENESIS, self.chain)
        } else {
            leader_seed(opened_by, self.chain)
        };
        let n = self.n() as u64;
        let order = permutation(seed, (rank - 1) / n, u16::try_from(n).unwrap());
        order[usize::try_from((rank - 1) % n).unwrap()].get()
    }

    pub(crate) fn vote(&self, member: usize, h: &Header) -> Vote {
        self.vote_for(member, h.epoch, h.rank, h.id())
    }

    pub(crate) fn vote_for(&self, member: usize, epoch: Epoch, rank: Rank, id: FrameId) -> Vote {
        let bytes = self.term(epoch.get()).vote_bytes(rank, id);
        Vote {
            chain: self.chain,
            epoch,
            rank,
            id,
            member: index(member),
            signature: KeyedScheme.sign(&self.keys[member], &bytes),
        }
    }

    pub(crate) fn qc(&self, h: &Header) -> Qc {
        self.qc_by(
            h.epoch,
            h.rank,
            h.id(),
            &(0..self.quorum()).collect::<Vec<_>>(),
        )
    }

    pub(crate) fn qc_by(&self, epoch: Epoch, rank: Rank, id: FrameId, members: &[usize]) -> Qc {
        let votes: Vec<_> = members
            .iter()
            .map(|m| self.vote_for(*m, epoch, rank, id).signature)
            .collect();
        Qc {
            chain: self.chain,
            epoch,
            rank,
            id,
            signers: Bitmask::of(self.n(), members.iter().map(|m| index(*m))),
            signature: KeyedScheme.aggregate(&votes).unwrap(),
        }
    }

    pub(crate) fn timeout(
        &self,
        member: usize,
        epoch: u64,
        rank: u64,
        high: Option<Qc>,
    ) -> Timeout {
        let qc_rank = high.as_ref().map_or(Rank::ZERO, |q| q.rank);
        let bytes = self.term(epoch).timeout_bytes(Rank::new(rank), qc_rank);
        Timeout {
            chain: self.chain,
            epoch: Epoch::new(epoch),
            rank: Rank::new(rank),
            high_qc: high,
            member: index(member),
            signature: KeyedScheme.sign(&self.keys[member], &bytes),
        }
    }

    /// A timeout certificate from what each member names.
    pub(crate) fn tc(&self, epoch: u64, rank: u64, named: &[(usize, Option<Qc>)]) -> Tc {
        let parts: Vec<Timeout> = named
            .iter()
            .map(|(m, high)| self.timeout(*m, epoch, rank, high.clone()))
            .collect();
        let mut ranks: Vec<Rank> = parts.iter().map(Timeout::qc_rank).collect();
        ranks.sort();
        ranks.dedup();
        let groups: Vec<TcGroup> = ranks
            .iter()
            .map(|r| TcGroup {
                qc_rank: *r,
                signers: Bitmask::of(
                    self.n(),
                    parts.iter().filter(|p| p.qc_rank() == *r).map(|p| p.member),
                ),
            })
            .collect();
        let signatures: Vec<_> = parts.iter().map(|p| p.signature.clone()).collect();
        Tc {
            chain: self.chain,
            epoch: Epoch::new(epoch),
            rank: Rank::new(rank),
            high_qc: parts
                .iter()
                .max_by_key(|p| p.qc_rank())
                .unwrap()
                .high_qc
                .clone(),
            groups: Bounded::try_from(groups).unwrap(),
            signature: KeyedScheme.aggregate(&signatures).unwrap(),
        }
    }

    /// A quorum that gives up a rank with one certificate.
    pub(crate) fn tc_over(&self, epoch: u64, rank: u64, high: Option<&Qc>) -> Tc {
        let named: Vec<_> = (0..self.quorum()).map(|m| (m, high.cloned())).collect();
        self.tc(epoch, rank, &named)
    }

    pub(crate) fn checked(&self, qc: Qc) -> Verified<Qc> {
        verify_qc(&KeyedScheme, &self.term(qc.epoch.get()), qc).unwrap()
    }

    pub(crate) fn checked_tc(&self, tc: Tc) -> Verified<Tc> {
        verify_tc(&KeyedScheme, &self.term(tc.epoch.get()), tc).unwrap()
    }
}

/// A chain of proposals under construction.
#[derive(Clone, Debug)]
pub(crate) struct Chained {
    pub(crate) net: Net,
    /// The frame to build on, and its rank in the epoch.
    pub(crate) tip: Header,
    pub(crate) tip_rank: u64,
    pub(crate) epoch: u64,
    pub(crate) opened_by: Beacon,
    pub(crate) opened: Option<EpochProof>,
    pub(crate) anchor: u64,
}

impl Chained {
    pub(crate) fn new(net: &Net) -> Self {
        Self {
            net: net.clone(),
            tip: net.genesis(),
            tip_rank: 0,
            epoch: 0,
            opened_by: net.genesis().beacon,
            opened: None,
            anchor: 0,
        }
    }

    pub(crate) fn leader(&self, rank: u64) -> usize {
        self.net.leader(self.epoch, self.opened_by, rank)
    }

    /// The proposal of a rank on the tip; `edit` may bend the header before the leader signs it.
    pub(crate) fn propose_with(&self, rank: u64, edit: impl FnOnce(&mut Header)) -> Proposal {
        let net = &self.net;
        let number = self.tip.number.next();
        let rule = EpochRule::new(EPOCH);
        let parent_place = (self.tip_rank > 0).then(|| rule.place(&self.tip));
        let descends = matches!(parent_place, Some(Place::Closing | Place::Descendant));
        let leader = self.leader(rank);
        let body = Body::empty(net.chain);
        let mut header = Header {
            epoch: Epoch::new(self.epoch),
            rank: Rank::new(rank),
            parent_rank: Rank::new(self.tip_rank),
            number,
            timestamp: Timestamp::new(self.tip.timestamp.get() + INTERVAL),
            parent: self.tip.id(),
            proposer: ProverId([u8::try_from(leader).unwrap(); 32]),
            requests_root: body.requests_root(),
            beacon: if descends {
                self.tip.beacon
            } else {
                Beacon([u8::try_from(number.get() % 251).unwrap(); 32])
            },
            anchor: if descends {
                self.tip.anchor
            } else {
                net.anchor(self.anchor)
            },
            ..net.genesis()
        };
        let boundary = rule.boundary(header.epoch);
        let closes = !descends
            && match net.chain {
                Chain::Global => number == boundary,
                Chain::Shard(_) => header.anchor.is_some_and(|a| a.number >= boundary),
            };
        if closes {
            header.next_committee_root = net.committee().root();
        }
        edit(&mut header);
        let witness = BeaconWitness {
            number,
            y: Bounded::new(),
            pi: Bounded::new(),
        };
        let skipped = rank != self.tip_rank + 1;
        let high = (self.tip_rank > 0).then(|| net.qc(&self.tip));
        Proposal {
            vote: net.vote(leader, &header),
            beacon: (net.chain == Chain::Global && !descends).then_some(witness),
            body,
            justify: match (&high, &self.opened) {
                (Some(qc), _) => Justify::Qc(qc.clone()),
                (None, Some(proof)) => Justify::Epoch(Box::new(proof.clone())),
                (None, None) => Justify::Genesis,
            },
            tc: skipped.then(|| net.tc_over(self.epoch, rank - 1, high.as_ref())),
            header,
        }
    }

    pub(crate) fn propose(&self, rank: u64) -> Proposal {
        self.propose_with(rank, |_| {})
    }

    /// Makes a frame the tip.
    pub(crate) fn extend(&mut self, p: &Proposal) {
        self.tip = p.header.clone();
        self.tip_rank = p.header.rank.get();
    }

    /// The next proposal, made the tip.
    pub(crate) fn next(&mut self) -> Proposal {
        let p = self.propose(self.tip_rank + 1);
        self.extend(&p);
        p
    }

    /// Proposals up to the one whose certificate closes the epoch, and the proof; enters the next epoch.
    pub(crate) fn finish_epoch(&mut self) -> (Vec<Proposal>, EpochProof) {
        let mut frames = Vec::new();
        loop {
            let p = self.next();
            let descendant = EpochRule::new(EPOCH).place(&p.header) == Place::Descendant;
            frames.push(p);
            if descendant {
                break;
            }
        }
        let closing = frames[frames.len() - 2].header.clone();
        let tip = frames[frames.len() - 1].header.clone();
        let proof = EpochProof {
            closing: closing.clone(),
            between: Bounded::new(),
            qc: self.net.qc(&tip),
            tip,
        };
        self.epoch += 1;
        self.opened_by = closing.beacon;
        self.opened = Some(proof.clone());
        self.tip = closing;
        self.tip_rank = 0;
        (frames, proof)
    }
}

/// A core with a driver that answers at once, as far as the test lets it.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) net: Net,
    pub(crate) me: Option<usize>,
    pub(crate) core: Core<KeyedScheme>,
    pub(crate) now: u64,
    pub(crate) verdict: Verdict,
    /// Answers to durable writes are held back.
    pub(crate) hold_writes: bool,
    pub(crate) held: Vec<RecordId>,
    /// Answers to checks are held back.
    pub(crate) hold_jobs: bool,
    pub(crate) jobs: Vec<Job>,
    /// What is on disk.
    pub(crate) safety: Option<SafetyRecord>,
    pub(crate) candidates: Vec<Proposal>,
    pub(crate) deadline: Option<Millis>,
    pub(crate) checks: usize,
}

pub(crate) fn config(net: &Net, me: Option<usize>) -> Config {
    Config {
        genesis: GENESIS,
        chain: net.chain,
        rule: EpochRule::new(EPOCH),
        interval_ms: INTERVAL,
        min_spacing_ms: INTERVAL,
        key: me.map(|m| net.keys[m].public()),
    }
}

pub(crate) fn fresh(net: &Net) -> Recovered {
    Recovered {
        head: net.genesis(),
        finality: None,
        opened: None,
        committees: (0..=EPOCHS_AHEAD_MAX)
            .map(|e| (Epoch::new(e), net.committee()))
            .collect(),
        safety: None,
        fresh_key: true,
        candidates: Vec::new(),
    }
}

impl Bench {
    pub(crate) fn new(net: &Net, me: Option<usize>) -> (Self, Outbox) {
        Self::from(net, me, fresh(net))
    }

    /// A started core; what it says first is dropped.
    pub(crate) fn started(net: &Net, me: usize) -> Self {
        Self::new(net, Some(me)).0
    }

    pub(crate) fn from(net: &Net, me: Option<usize>, recovered: Recovered) -> (Self, Outbox) {
        let safety = recovered.safety.clone();
        let candidates = recovered.candidates.clone();
        let signer = me.map(|m| Arc::new(net.keys[m].clone()));
        let core = Core::recover(config(net, me), KeyedScheme, signer, recovered).unwrap();
        let mut bench = Self {
            net: net.clone(),
            me,
            core,
            now: 1,
            verdict: Verdict::Vote,
            hold_writes: false,
            held: Vec::new(),
            hold_jobs: false,
            jobs: Vec::new(),
            safety,
            candidates,
            deadline: None,
            checks: 0,
        };
        let out = bench.feed(Input::Start);
        (bench, out)
    }

    /// What is on disk, after a crash.
    pub(crate) fn restart(&self) -> (Self, Outbox) {
        let recovered = Recovered {
            safety: self.safety.clone(),
            fresh_key: self.safety.is_none(),
            candidates: self.candidates.clone(),
            ..fresh(&self.net)
        };
        Self::from(&self.net, self.me, recovered)
    }

    /// One step without any answer by the driver.
    pub(crate) fn raw(&mut self, input: Input) -> Outbox {
        let mut out = Outbox::new();
        self.core.handle(Millis::new(self.now), input, &mut out);
        out
    }

    /// A step and everything that follows from the driver's answers.
    pub(crate) fn feed(&mut self, input: Input) -> Outbox {
        let mut all = Outbox::new();
        let mut open = vec![input];
        while !open.is_empty() {
            for output in self.raw(open.remove(0)) {
                open.extend(self.answer(&output));
                all.push(output);
            }
        }
        all
    }

    fn answer(&mut self, output: &Output) -> Option<Input> {
        match output {
            Output::PersistCandidate { record, .. } | Output::PersistSafety { record, .. }
                if self.hold_writes =>
            {
                self.held.push(*record);
                None
            }
            Output::PersistCandidate { record, proposal } => {
                self.candidates.push((**proposal).clone());
                Some(Input::Persisted(*record))
            }
            Output::PersistSafety { record, safety } => {
                self.safety = Some((**safety).clone());
                Some(Input::Persisted(*record))
            }
            Output::Validate(p) => Some(Input::Validated {
                id: p.header.id(),
                verdict: self.verdict,
            }),
            Output::Verify(job) => {
                self.checks += 1;
                if self.hold_jobs {
                    self.jobs.push(job.clone());
                    return None;
                }
                Some(Input::Checked(Box::new(job.run(&KeyedScheme))))
            }
            Output::SetDeadline(at) => {
                self.deadline = *at;
                None
            }
            _ => None,
        }
    }

    pub(crate) fn message(&mut self, from: usize, message: ConsensusMessage) -> Outbox {
        self.feed(Input::Message {
            author: index(from),
            message,
        })
    }

    pub(crate) fn proposal(&mut self, p: &Proposal) -> Outbox {
        self.message(
            p.vote.member.get(),
            ConsensusMessage::Proposal(Box::new(p.clone())),
        )
    }

    pub(crate) fn vote(&mut self, vote: Vote) -> Outbox {
        self.message(vote.member.get(), ConsensusMessage::Vote(vote))
    }

    pub(crate) fn timeout(&mut self, t: Timeout) -> Outbox {
        self.message(t.member.get(), ConsensusMessage::Timeout(t))
    }

    /// Lets time pass until the deadline.
    pub(crate) fn expire(&mut self) -> Outbox {
        self.now = self.deadline.unwrap().get().max(self.now);
        self.feed(Input::Deadline)
    }

    /// Votes of a quorum of the others for a frame.
    pub(crate) fn certify(&mut self, h: &Header) -> Outbox {
        let others: Vec<usize> = (0..self.net.n()).filter(|m| Some(*m) != self.me).collect();
        let count = self.net.quorum().min(others.len());
        let mut out = Outbox::new();
        for m in &others[..count] {
            let vote = self.net.vote(*m, h);
            out.extend(self.vote(vote));
        }
        out
    }

    pub(crate) fn committee(&mut self, epoch: u64) -> Outbox {
        let committee = Box::new(self.net.committee());
        self.feed(Input::Committee {
            epoch: Epoch::new(epoch),
            committee,
        })
    }

    pub(crate) fn rank(&self) -> u64 {
        self.core.status().rank.get()
    }
}

/// Votes among outputs, alone or inside proposals.
pub(crate) fn votes(out: &[Output]) -> Vec<Vote> {
    sent(out)
        .into_iter()
        .filter_map(|m| match m {
            ConsensusMessage::Vote(v) => Some(v),
            ConsensusMessage::Proposal(p) => Some(p.vote),
            _ => None,
        })
        .collect()
}

pub(crate) fn timeouts(out: &[Output]) -> Vec<Timeout> {
    sent(out)
        .into_iter()
        .filter_map(|m| {
            if let ConsensusMessage::Timeout(t) = m {
                Some(t)
            } else {
                None
            }
        })
        .collect()
}

/// Everything that left the process.
pub(crate) fn sent(out: &[Output]) -> Vec<ConsensusMessage> {
    out.iter()
        .filter_map(|o| match o {
            Output::Broadcast(m) | Output::Rebroadcast(m) | Output::SendTo { message: m, .. } => {
                Some(m.message().clone())
            }
            _ => None,
        })
        .collect()
}

pub(crate) fn rejects(out: &[Output]) -> Vec<Reject> {
    out.iter()
        .filter_map(|o| {
            if let Output::Penalise { reason, .. } = o {
                Some(reason.clone())
            } else {
                None
            }
        })
        .collect()
}

pub(crate) fn finals(out: &[Output]) -> Vec<u64> {
    out.iter()
        .filter_map(|o| {
            if let Output::Finalised { frames, .. } = o {
                Some(frames)
            } else {
                None
            }
        })
        .flatten()
        .map(|p| p.header.number.get())
        .collect()
}

/// Content that a driver would put into a frame.
pub(crate) fn content(net: &Net, parent: &Header, now: u64) -> FrameContent {
    let number = parent.number.next();
    let witness = BeaconWitness {
        number,
        y: Bounded::new(),
        pi: Bounded::new(),
    };
    FrameContent {
        version: 1,
        timestamp: Timestamp::new(now),
        receipts_root: Digest::ZERO,
        multiplier: 0,
        state_roots: [[0; 64]; 4],
        shards_root: [0; 64],
        beacon: Beacon([u8::try_from(number.get() % 251).unwrap(); 32]),
        anchor: parent.anchor,
        body: Body::empty(net.chain),
        witness: (net.chain == Chain::Global).then_some(witness),
    }
}
