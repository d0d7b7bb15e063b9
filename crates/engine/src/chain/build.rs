//! A frame that this node leads: wait for the parent's state, the time and the beacon, then make a body (C4, R2).

use std::sync::Arc;

use quil_hotstuff::{BuildKind, BuildRequest, FrameContent, Input as CoreInput, Scheme};
use quil_types::{
    Anchor, Beacon, BeaconWitness, Chain, Epoch, FrameId, FrameNumber, Header, Millis, Rank,
    Timestamp,
};

use super::{ChainEngine, Pool};
use crate::error::LocalFault;
use crate::io::{Now, Output};
use crate::jobs::{Build, BuiltBody, Candidates, Job};
use crate::snapshot::{Effects, Snapshot};
use crate::state::StateError;

/// Frames above the last final one beyond which bodies stay empty: what is speculative stays bounded (K6).
const DEPTH_MAX: u64 = 8;

/// A frame in the making.
#[derive(Debug)]
pub(super) struct Building {
    ticket: u64,
    request: Box<BuildRequest>,
    /// When to look again because of the time.
    due: Option<Millis>,
    /// Set once the job runs.
    content: Option<Fixed>,
}

/// What is decided before the body is made.
#[derive(Clone, Debug)]
struct Fixed {
    anchor: Option<Anchor>,
    beacon: Beacon,
    witness: Option<BeaconWitness>,
    version: u16,
    multiplier: u64,
}

impl Building {
    pub(super) const fn due(&self) -> Option<Millis> {
        self.due
    }

    pub(super) fn parent_header(&self) -> &Header {
        &self.request.parent
    }

    pub(super) fn is_before(&self, epoch: Epoch, rank: Rank) -> bool {
        (self.request.epoch, self.request.rank) < (epoch, rank)
    }
}

impl<S: Scheme> ChainEngine<S> {
    pub(super) fn on_build(&mut self, now: Now, request: Box<BuildRequest>, out: &mut Vec<Output>) {
        let ticket = self.next_id();
        self.building = Some(Building {
            ticket,
            request,
            due: None,
            content: None,
        });
        self.aim_reel(now, out);
        self.try_build(now, out);
    }

    /// Starts the job when everything is there.
    pub(super) fn try_build(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(building) = self.building.as_ref().filter(|b| b.content.is_none()) else {
            return;
        };
        let request = &building.request;
        let wait = request.not_before.get().saturating_sub(now.wall.get());
        let parent = self.ledger.get(&request.parent_id).cloned();
        let fixed = parent.as_ref().and_then(|p| self.fix(request, p));
        let ticket = building.ticket;
        let (kind, depth) = (request.kind, request.depth);
        let due = (wait > 0).then(|| now.tick.after(wait));
        if let Some(building) = &mut self.building {
            building.due = due;
        }
        let (Some(parent), Some(fixed), None) = (parent, fixed, due) else {
            return;
        };
        let moment = quil_execution::token::Moment {
            now: fixed
                .anchor
                .map_or_else(|| parent.number().next(), |a| a.number),
            version: fixed.version,
            multiplier: fixed.multiplier,
        };
        let candidates = self.candidates(kind, depth, parent.id());
        let ancestors = self.ledger.ancestors(parent.id());
        if let Some(building) = &mut self.building {
            building.content = Some(fixed);
        }
        out.push(Output::Run(Job::Build(Box::new(Build {
            ticket,
            parent,
            moment,
            candidates,
            ancestors,
        }))));
    }

    fn candidates(&mut self, kind: BuildKind, depth: u64, parent: FrameId) -> Candidates {
        if kind == BuildKind::ClosingDescendant || depth > DEPTH_MAX {
            return Candidates::None;
        }
        match &mut self.pool {
            Pool::Bundles(pool) => {
                let taken = self.ledger.speculative_txs(parent);
                let rules = self.network.rules();
                Candidates::Bundles(pool.mempool.select(rules, &taken))
            }
            Pool::Updates(pool) => Candidates::Updates(pool.candidates()),
        }
    }

    /// Anchor and beacon of the new frame, when they are known.
    fn fix(&self, request: &BuildRequest, parent: &Snapshot) -> Option<Fixed> {
        let version = self.network.genesis().version_at(request.epoch);
        let multiplier = quil_execution::fee::next_multiplier(
            parent.header().multiplier,
            parent.effects().fullness,
        );
        let fixed = |anchor, beacon, witness| Fixed {
            anchor,
            beacon,
            witness,
            version,
            multiplier,
        };
        if request.kind == BuildKind::ClosingDescendant {
            return Some(fixed(parent.header().anchor, parent.header().beacon, None));
        }
        match self.chain {
            Chain::Global => {
                let beacons = self.beacons.as_ref()?;
                let step = beacons.step_after(parent.header(), request.epoch)?;
                let witness = beacons.witness(&step)?.clone();
                Some(fixed(
                    None,
                    quil_reel::Step::beacon(&witness),
                    Some(witness),
                ))
            }
            Chain::Shard(_) => {
                let last = self.globals.last()?;
                let known = parent
                    .header()
                    .anchor
                    .map_or(FrameNumber::ZERO, |a| a.number);
                if last.number < known {
                    return None;
                }
                let anchor = Anchor {
                    number: last.number,
                    id: last.id(),
                };
                Some(fixed(Some(anchor), last.beacon, None))
            }
        }
    }

    pub(super) fn on_built(
        &mut self,
        now: Now,
        ticket: u64,
        result: Result<Box<BuiltBody>, StateError>,
        out: &mut Vec<Output>,
    ) {
        let Some(building) = self.building.take_if(|b| b.ticket == ticket) else {
            return;
        };
        let (Some(fixed), Some(parent)) = (
            building.content,
            self.ledger.get(&building.request.parent_id).cloned(),
        ) else {
            return;
        };
        let built = match result {
            Ok(built) => *built,
            Err(e) => return self.halt(LocalFault::from(e).into(), out),
        };
        // Bundles that it refused stay in the mempool: what refuses them may stand in an ancestor that is abandoned. They go
        // when a frame that contradicts them is final, or when they expire.
        let effects = built.effects;
        let content = FrameContent {
            version: fixed.version,
            timestamp: Timestamp::new(now.wall.get()),
            receipts_root: parent.receipts_root(),
            multiplier: fixed.multiplier,
            state_roots: built.roots.state,
            shards_root: built.roots.shards,
            beacon: fixed.beacon,
            anchor: fixed.anchor,
            body: built.body,
            witness: fixed.witness,
        };
        let snapshot = self.propose(&building.request, content, &parent, effects);
        self.on_new_state(now, &snapshot, out);
    }

    /// The frame goes to the core, its state into the ledger.
    fn propose(
        &mut self,
        request: &BuildRequest,
        content: FrameContent,
        parent: &Arc<Snapshot>,
        effects: Effects,
    ) -> Arc<Snapshot> {
        let draft = request.seal(content);
        let snapshot = Arc::new(Snapshot::child(parent, draft.header.clone(), effects));
        self.ledger.insert(Arc::clone(&snapshot));
        self.pending.push_back(CoreInput::Built(Box::new(draft)));
        snapshot
    }
}
