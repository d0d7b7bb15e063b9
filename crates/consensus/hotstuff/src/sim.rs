//! Whole committees in one thread: virtual clock, seeded network, disks that forget, Byzantine members.
//!
//! One seed gives one run; [`Report::digest`] is the same whenever it is run again. After every step the invariants
//! of [`Violation`] are checked for the honest nodes.

mod byzantine;
mod check;
mod driver;
mod net;
mod node;
mod rng;
mod sync;

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{
    Anchor, Beacon, Bounded, Chain, Committee, ConsensusMessage, Digest, Envelope, Epoch, FrameId,
    FrameNumber, GenesisHash, Header, Member, Millis, PeerKey, Proposal, ProverId, Rank, ShardAddr,
    Timestamp,
};

use crate::core::Config;
use crate::epoch::EpochRule;
use crate::roster::{Roster, Term};
use crate::scheme::KeyedSigner;
use check::Checker;
use net::Event;
use node::Node;
use rng::Rng;

pub use byzantine::Behaviour;
pub use check::Violation;

/// What a run looks like. Times are virtual milliseconds.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Decides everything that is random.
    pub seed: u64,
    /// A shard chain with anchors instead of the global chain.
    pub shard: bool,
    /// All nodes; those outside the committee of an epoch observe.
    pub pool: usize,
    /// Members of every committee.
    pub committee: usize,
    /// Places by which the committee moves through the pool from epoch to epoch.
    pub stride: usize,
    /// Frames per epoch.
    pub epoch_frames: u64,
    /// Frame interval.
    pub interval_ms: u64,
    /// Who misbehaves, and how.
    pub byzantine: Vec<(usize, Behaviour)>,
    /// From then on nothing is lost and nobody crashes.
    pub gst_ms: u64,
    /// The run ends when every honest node has this frame final.
    pub target: u64,
    /// Time for that after `gst_ms`; beyond it the run has stalled.
    pub patience_ms: u64,
    /// Messages lost before `gst_ms`, in thousandths.
    pub loss: u64,
    /// Messages duplicated, in thousandths.
    pub duplicates: u64,
    /// Longest delay of a message before and after `gst_ms`.
    pub delay_ms: (u64, u64),
    /// Durable writes after which the node crashes before `gst_ms`, in thousandths: half before the core hears of
    /// the write, half after it reacted but before anything was sent.
    pub crashes: u64,
    /// Length of partitions before `gst_ms`; zero for none.
    pub partition_ms: u64,
}

impl SimConfig {
    /// A calm network of four members out of five nodes.
    #[must_use]
    pub const fn calm(seed: u64) -> Self {
        Self {
            seed,
            shard: false,
            pool: 5,
            committee: 4,
            stride: 1,
            epoch_frames: 8,
            interval_ms: 1_000,
            byzantine: Vec::new(),
            gst_ms: 0,
            target: 20,
            patience_ms: 120_000,
            loss: 0,
            duplicates: 0,
            delay_ms: (50, 50),
            crashes: 0,
            partition_ms: 0,
        }
    }

    /// Loss, delay, reordering, duplication, partitions and crashes for 20 seconds, then calm.
    #[must_use]
    pub fn rough(seed: u64) -> Self {
        Self {
            gst_ms: 20_000,
            target: 12,
            patience_ms: 240_000,
            loss: 150,
            duplicates: 50,
            delay_ms: (900, 80),
            crashes: 15,
            partition_ms: 3_000,
            ..Self::calm(seed)
        }
    }
}

impl SimConfig {
    /// A network that differs in every respect from seed to seed, with as many Byzantine members as a committee
    /// bears.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5eed);
        let committee = rng.index(7).saturating_add(1);
        let pool = committee.saturating_add(rng.index(3));
        let traitors = committee.saturating_sub(1) / 3;
        let byzantine = (0..traitors)
            .map(|i| (i, rng.pick(&Behaviour::ALL).unwrap_or(Behaviour::Silent)))
            .collect();
        Self {
            seed,
            shard: rng.below(2) == 1,
            pool,
            committee,
            stride: rng.index(3),
            epoch_frames: rng.below(8).saturating_add(1),
            interval_ms: 1_000,
            byzantine,
            gst_ms: rng.below(25_000),
            target: 8,
            patience_ms: 400_000,
            loss: rng.below(300),
            duplicates: rng.below(100),
            delay_ms: (rng.pick(&[50, 300, 1_200]).unwrap_or(50), 80),
            crashes: rng.below(120),
            partition_ms: rng.below(2) * 3_000,
        }
    }
}

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Digest of everything that was sent and became final.
    pub digest: [u8; 32],
    /// Virtual time at the end.
    pub ended: Millis,
    /// Highest final frame.
    pub final_number: u64,
    /// Highest epoch entered.
    pub epoch: Epoch,
    /// Crashes.
    pub crashes: u64,
    /// Pieces of evidence that honest nodes found.
    pub evidence: u64,
    /// Reasons for which Byzantine members were blamed, with counts.
    pub blame: BTreeMap<String, u64>,
    /// Events processed.
    pub events: u64,
}

/// A whole network.
#[derive(Debug)]
pub struct Sim {
    config: SimConfig,
    world: World,
    nodes: Vec<Node>,
    checker: Checker,
    rng: Rng,
    now: Millis,
    queue: BTreeMap<(Millis, u64), Event>,
    next_event: u64,
    groups: Vec<u64>,
    crashes: u64,
}

/// What every node knows.
#[derive(Clone, Debug)]
pub(crate) struct World {
    genesis: Header,
    genesis_hash: GenesisHash,
    chain: Chain,
    rule: EpochRule,
    pool: Vec<KeyedSigner>,
    committee: usize,
    stride: usize,
    interval: u64,
}

fn bytes(tag: &str, number: u64) -> [u8; 32] {
    use sha3::{Digest as _, Sha3_256};
    Sha3_256::digest([tag.as_bytes(), &number.to_le_bytes()].concat()).into()
}

pub(crate) fn peer(node: usize) -> PeerKey {
    PeerKey(bytes("peer", u64::try_from(node).unwrap_or(u64::MAX)))
}

/// The state root after a frame: enough to notice a wrong one.
pub(crate) fn roots_after(frame: &FrameId) -> quil_types::StateRoots {
    let mut roots = [[0; 64]; 4];
    for (i, root) in roots.iter_mut().enumerate() {
        let (low, high) = root.split_at_mut(32);
        low.copy_from_slice(frame.as_bytes());
        high.fill(u8::try_from(i).unwrap_or(0));
    }
    roots
}

impl World {
    fn new(config: &SimConfig) -> Self {
        let chain = if config.shard {
            Chain::Shard(ShardAddr([9; 32]))
        } else {
            Chain::Global
        };
        let count = u64::try_from(config.pool).unwrap_or(1);
        let mut world = Self {
            genesis: genesis_header(chain),
            genesis_hash: GenesisHash([7; 32]),
            chain,
            rule: EpochRule::new(config.epoch_frames),
            pool: (0..count).map(KeyedSigner::new).collect(),
            committee: config.committee.clamp(1, config.pool.max(1)),
            stride: config.stride,
            interval: config.interval_ms,
        };
        world.genesis.committee_root = world.committee(Epoch::ZERO).root();
        world
    }

    pub(crate) fn members(&self, epoch: Epoch) -> Vec<usize> {
        let shift = usize::try_from(epoch.get())
            .unwrap_or(0)
            .wrapping_mul(self.stride);
        let len = self.pool.len().max(1);
        (0..self.committee)
            .map(|i| i.wrapping_add(shift) % len)
            .collect()
    }

    pub(crate) fn committee(&self, epoch: Epoch) -> Committee {
        let members: Vec<Member> = self
            .members(epoch)
            .into_iter()
            .filter_map(|i| {
                Some(Member {
                    prover: ProverId(bytes("prover", u64::try_from(i).unwrap_or(0))),
                    key: self.pool.get(i)?.public(),
                    peer: peer(i),
                })
            })
            .collect();
        Committee {
            members: Bounded::try_from(members).unwrap_or_default(),
        }
    }

    pub(crate) fn term(&self, epoch: Epoch) -> Term {
        Term {
            genesis: self.genesis_hash,
            chain: self.chain,
            epoch,
            rule: self.rule,
            roster: Arc::new(Roster::new(self.committee(epoch))),
        }
    }

    pub(crate) fn config(&self, node: usize) -> Config {
        Config {
            genesis: self.genesis_hash,
            chain: self.chain,
            rule: self.rule,
            interval_ms: self.interval,
            min_spacing_ms: self.interval,
            key: self.pool.get(node).map(KeyedSigner::public),
        }
    }

    /// The final global frame that a shard leader knows at a time.
    pub(crate) fn anchor(&self, now: Millis) -> Anchor {
        let number = now.get() / self.interval.max(1);
        Anchor {
            number: FrameNumber::new(number),
            id: FrameId(bytes("global", number)),
        }
    }
}

fn genesis_header(chain: Chain) -> Header {
    Header {
        version: 1,
        chain,
        epoch: Epoch::ZERO,
        rank: Rank::ZERO,
        parent_rank: Rank::ZERO,
        number: FrameNumber::ZERO,
        timestamp: Timestamp::new(0),
        parent: Header::genesis_parent(GenesisHash([7; 32])),
        proposer: ProverId::ZERO,
        requests_root: Digest::ZERO,
        receipts_root: Digest::ZERO,
        multiplier: 1,
        committee_root: Digest::ZERO,
        next_committee_root: Digest::ZERO,
        state_roots: [[0; 64]; 4],
        shards_root: [0; 64],
        beacon: Beacon(bytes("beacon", 0)),
        anchor: matches!(chain, Chain::Shard(_)).then(|| Anchor {
            number: FrameNumber::ZERO,
            id: FrameId(bytes("global", 0)),
        }),
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    to: usize,
    envelope: Arc<Envelope>,
}

/// Proposals sent as an answer.
pub(crate) type Bundle = Vec<Arc<Proposal>>;

impl Sim {
    /// Sets up a run.
    #[must_use]
    pub fn new(config: SimConfig) -> Self {
        let world = World::new(&config);
        let mut rng = Rng::new(config.seed);
        let nodes = (0..config.pool)
            .map(|i| {
                let behaviour = config
                    .byzantine
                    .iter()
                    .find(|(n, _)| *n == i)
                    .map(|(_, b)| *b);
                Node::new(i, &world, behaviour, rng.below(40))
            })
            .collect();
        let checker = Checker::new(&world, &config);
        let groups = vec![0; config.pool];
        Self {
            world,
            nodes,
            checker,
            rng,
            now: Millis::new(1),
            queue: BTreeMap::new(),
            next_event: 0,
            groups,
            crashes: 0,
            config,
        }
    }

    /// Runs to the target.
    ///
    /// # Errors
    /// The first [`Violation`] of an invariant.
    pub fn run(mut self) -> Result<Report, Violation> {
        for node in 0..self.nodes.len() {
            self.boot(node)?;
            self.at(500, Event::Poll { node });
        }
        if self.config.partition_ms > 0 {
            self.at(self.config.partition_ms, Event::Partition);
        }
        let end = self.config.gst_ms.saturating_add(self.config.patience_ms);
        let mut events = 0u64;
        while !self.reached() {
            let Some(((at, _), event)) = self.queue.pop_first() else {
                return Err(Violation::Stalled {
                    at: self.now,
                    finals: self.finals(),
                });
            };
            if at.get() > end {
                return Err(Violation::Stalled {
                    at,
                    finals: self.finals(),
                });
            }
            self.now = at;
            events = events.saturating_add(1);
            self.step(event)?;
        }
        Ok(self.report(events))
    }

    fn reached(&self) -> bool {
        let honest = self.nodes.iter().filter(|n| n.behaviour.is_none());
        self.now.get() >= self.config.gst_ms
            && honest
                .map(Node::final_number)
                .all(|n| n >= self.config.target)
    }

    fn finals(&self) -> Vec<u64> {
        self.nodes.iter().map(Node::final_number).collect()
    }

    fn report(self, events: u64) -> Report {
        let epochs = self
            .nodes
            .iter()
            .filter_map(|n| n.core.as_ref())
            .map(|c| c.status().epoch);
        Report {
            ended: self.now,
            final_number: self.finals().into_iter().max().unwrap_or(0),
            epoch: epochs.max().unwrap_or_default(),
            crashes: self.crashes,
            evidence: self.checker.evidence(),
            blame: self.checker.blame(),
            digest: self.checker.digest(),
            events,
        }
    }

    fn at(&mut self, delay: u64, event: Event) {
        self.queue
            .insert((self.now.after(delay), self.next_event), event);
        self.next_event = self.next_event.saturating_add(1);
    }

    fn calm(&self) -> bool {
        self.now.get() >= self.config.gst_ms
    }

    /// Puts a message of a node into an envelope of its place in the committee of the message's epoch.
    fn envelope(&mut self, node: usize, payload: ConsensusMessage) -> Option<Arc<Envelope>> {
        let (chain, epoch, rank) = payload.position();
        let member = self.world.members(epoch).iter().position(|i| *i == node)?;
        let sender = self.nodes.get_mut(node)?;
        sender.attempt = sender.attempt.saturating_add(1);
        Some(Arc::new(Envelope {
            chain,
            epoch,
            rank,
            member: quil_types::MemberIndex(u16::try_from(member).ok()?),
            attempt: sender.attempt,
            payload,
            signature: [0; 64],
        }))
    }
}
