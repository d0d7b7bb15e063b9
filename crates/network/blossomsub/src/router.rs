//! The router: one state machine, fed by [`Router::handle`], that answers with [`Output`]s and per-peer frames.

mod control;
mod events;
mod heartbeat;
mod mesh;
mod publish;
mod receive;
mod subscribe;

use std::collections::{BTreeMap, BTreeSet};

use quil_types::PeerKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

pub use events::{
    DeliveryReport, Direction, Input, Outbox, Output, PublishError, Stats, SubscribeError,
};

pub(crate) use publish::check_size;

use crate::{
    backoff::Backoffs,
    cache::MessageCache,
    id::MessageId,
    mask::Mask,
    params::{Params, ParamsError},
    pending::Pending,
    queue::{Drops, Queue},
    score::Scores,
    seen::Seen,
    wire::Frame,
};

/// A connected peer.
#[derive(Clone, Debug)]
struct Peer {
    direction: Direction,
    /// IPv4 /24 or IPv6 /48, for spreading meshes.
    prefix: Option<[u8; 6]>,
    subs: BTreeSet<Mask>,
    queue: Queue,
    /// Ids not to send, with their end.
    dontwant: BTreeMap<MessageId, u64>,
    used: Used,
    /// The driver was told.
    graylisted: bool,
}

/// What a peer used of its [`crate::params::Budget`] since the last heartbeat.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    frames: u32,
    ihave_frames: u32,
    asked_ids: u32,
    iwant_ids: u32,
    iwant_unknown: u32,
    iwant_bytes: usize,
    dontwant_ids: u32,
    unwanted: u32,
}

/// Slices that must share members: those of one narrow mask, or a single slice of a broad one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    slices: Vec<Mask>,
}

#[derive(Clone, Debug)]
struct Fanout {
    peers: BTreeSet<PeerKey>,
    last_ms: u64,
}

/// An IWANT under way for one id.
#[derive(Clone, Debug, Default)]
struct Asked {
    count: u8,
    until_ms: u64,
    /// Peers whose promise is this id, with its end.
    promises: Vec<(PeerKey, u64)>,
}

/// A BlossomSub router.
///
/// Deterministic: the same parameters, seed and inputs give the same outputs and frames. Cloneable, so that tests can
/// branch. Cost per input is bounded by the constants of [`crate::limits`].
#[derive(Clone, Debug)]
pub struct Router {
    params: Params,
    rng: ChaCha20Rng,
    /// Greatest time seen; a clock that runs back is held.
    now_ms: u64,
    next_heartbeat_ms: u64,
    heartbeats: u64,
    peers: BTreeMap<PeerKey, Peer>,
    /// Connected peers by announced slice.
    holders: BTreeMap<Mask, BTreeSet<PeerKey>>,
    /// Subscribed full masks.
    local: BTreeSet<Mask>,
    groups: BTreeSet<Group>,
    /// Mesh members by subscribed slice, with the time they joined.
    mesh: BTreeMap<Mask, BTreeMap<PeerKey, u64>>,
    fanout: BTreeMap<Mask, Fanout>,
    backoffs: Backoffs,
    seen: Seen,
    pending: Pending,
    cache: MessageCache,
    asked: BTreeMap<MessageId, Asked>,
    scores: Scores,
    stats: Stats,
    /// Peers whose queue or score changed during this input.
    touched: BTreeSet<PeerKey>,
}

impl Router {
    /// A router without peers and subscriptions. `seed` decides every random choice.
    ///
    /// # Errors
    /// Parameters that contradict each other.
    pub fn new(params: Params, seed: [u8; 32], now_ms: u64) -> Result<Self, ParamsError> {
        params.check()?;
        Ok(Self {
            rng: ChaCha20Rng::from_seed(seed),
            now_ms,
            next_heartbeat_ms: now_ms.saturating_add(params.heartbeat_initial_ms),
            heartbeats: 0,
            peers: BTreeMap::new(),
            holders: BTreeMap::new(),
            local: BTreeSet::new(),
            groups: BTreeSet::new(),
            mesh: BTreeMap::new(),
            fanout: BTreeMap::new(),
            backoffs: Backoffs::default(),
            seen: Seen::default(),
            pending: Pending::default(),
            cache: MessageCache::new(params.history_length),
            asked: BTreeMap::new(),
            scores: Scores::new(params.score.clone(), params.devnet, now_ms),
            stats: Stats::default(),
            touched: BTreeSet::new(),
            params,
        })
    }

    /// Takes one input at time `now_ms` (any monotone clock of the driver; a smaller value counts as the greatest so far).
    ///
    /// Never fails: a bad input of a peer lowers its score. The driver carries out the outputs in order, calls
    /// [`Self::next_frame`] for woken peers, and gives [`Input::Tick`] at [`Self::deadline_ms`].
    pub fn handle(&mut self, now_ms: u64, input: Input, out: &mut Outbox) {
        self.now_ms = self.now_ms.max(now_ms);
        match input {
            Input::Connected {
                peer,
                direction,
                ip,
            } => self.connected(peer, direction, ip),
            Input::Disconnected { peer } => self.disconnected(peer),
            Input::Operator { peer, operator } => self.scores.operator(peer, operator),
            Input::Frame { peer, bytes } => self.frame(peer, &bytes, out),
            Input::Rpc { peer, rpc } => self.rpc(peer, rpc, out),
            Input::Malformed { peer } => self.malformed(peer),
            Input::Subscribe(mask) => self.subscribe(mask, out),
            Input::Unsubscribe(mask) => self.unsubscribe(mask),
            Input::Publish { message, again } => {
                let report = self.publish(&message, again);
                out.push(Output::Published(report));
            }
            Input::Validated { id, verdict } => self.validated(id, verdict),
            Input::Penalise { peer, points } => {
                self.scores.penalise(peer, points);
                self.touched.insert(peer);
            }
            Input::Tick => self.tick(),
        }
        self.settle(out);
    }

    /// Wakes peers with new frames and reports peers that fell below the graylist threshold.
    fn settle(&mut self, out: &mut Outbox) {
        for key in core::mem::take(&mut self.touched) {
            let score = self.scores.score(&key, self.now_ms);
            let Some(peer) = self.peers.get_mut(&key) else {
                continue;
            };
            let gray = score < self.params.score.graylist_threshold;
            if gray && !peer.graylisted {
                self.stats.graylisted = self.stats.graylisted.saturating_add(1);
                out.push(Output::Graylisted(key));
            }
            peer.graylisted = gray;
            if !peer.queue.is_empty() && !peer.queue.awake {
                peer.queue.awake = true;
                out.push(Output::Wake(key));
            }
        }
    }

    /// The next frame for a peer, or `None` until the next [`Output::Wake`] for it. Take one only when the transport is
    /// ready to send it: what stays here is still ordered by priority, replaced and cancelled.
    pub fn next_frame(&mut self, peer: &PeerKey) -> Option<Frame> {
        let queue = &mut self.peers.get_mut(peer)?.queue;
        let rpc = queue.pop();
        queue.awake = rpc.is_some();
        let rpc = rpc?;
        self.stats.frames_out = self.stats.frames_out.saturating_add(1);
        self.stats.payloads_out = self
            .stats
            .payloads_out
            .saturating_add(u64::try_from(rpc.messages.len()).unwrap_or(0));
        Some(rpc.encode())
    }

    /// When to give the next [`Input::Tick`].
    #[must_use]
    pub const fn deadline_ms(&self) -> u64 {
        self.next_heartbeat_ms
    }

    /// Score of a peer in units (a point is 1000).
    #[must_use]
    pub fn score(&self, peer: &PeerKey) -> i64 {
        self.scores.score(peer, self.now_ms)
    }

    /// Connected peers, ascending.
    pub fn peers(&self) -> impl Iterator<Item = PeerKey> + '_ {
        self.peers.keys().copied()
    }

    /// Subscribed masks, ascending.
    pub fn subscriptions(&self) -> impl Iterator<Item = Mask> + '_ {
        self.local.iter().copied()
    }

    /// Peers that hold every slice of a mask.
    #[must_use]
    pub fn holders_of(&self, mask: &Mask) -> BTreeSet<PeerKey> {
        intersect(&mask.slices(), |s| {
            self.holders.get(s).map(|set| set.iter().copied().collect())
        })
    }

    /// Peers in the meshes of every slice of a mask: those that get its payloads.
    #[must_use]
    pub fn members_of(&self, mask: &Mask) -> BTreeSet<PeerKey> {
        self.members(&mask.slices())
    }

    /// Counters since construction, and sizes now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            peers: self.peers.len(),
            pending: self.pending.len(),
            seen: self.seen.len(),
            backoffs: self.backoffs.len(),
            retained_scores: self.scores.retained(),
            ..self.stats
        }
    }

    /// What the queue of a connected peer dropped because it was full.
    #[must_use]
    pub fn drops(&self, peer: &PeerKey) -> Drops {
        self.peers
            .get(peer)
            .map(|p| p.queue.dropped)
            .unwrap_or_default()
    }

    fn members(&self, slices: &[Mask]) -> BTreeSet<PeerKey> {
        intersect(slices, |s| {
            self.mesh.get(s).map(|m| m.keys().copied().collect())
        })
    }

    /// Work on a peer's queue; no-op for one that is not connected.
    fn queue(&mut self, peer: PeerKey) -> Option<&mut Queue> {
        self.touched.insert(peer);
        self.peers.get_mut(&peer).map(|p| &mut p.queue)
    }

    fn misbehaved(&mut self, peer: PeerKey, times: u64) {
        self.scores.misbehaved(peer, times);
        self.stats.misbehaviours = self.stats.misbehaviours.saturating_add(times);
        self.touched.insert(peer);
    }

    /// A number below `n`, or 0. The bias of at most n / 2^64 is of no consequence here.
    fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.rng.next_u64()).saturating_mul(n as u128) >> 64;
        usize::try_from(wide).unwrap_or(0)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i.saturating_add(1));
            items.swap(i, j);
        }
    }
}

/// Peers present for every slice.
fn intersect(
    slices: &[Mask],
    of: impl Fn(&Mask) -> Option<BTreeSet<PeerKey>>,
) -> BTreeSet<PeerKey> {
    let Some((first, rest)) = slices.split_first() else {
        return BTreeSet::new();
    };
    let mut out = of(first).unwrap_or_default();
    for slice in rest {
        if out.is_empty() {
            break;
        }
        let there = of(slice).unwrap_or_default();
        out.retain(|p| there.contains(p));
    }
    out
}
