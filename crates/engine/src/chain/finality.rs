//! Final frames: execute if need be, commit, write one durable batch, tell everybody (K6, S1, S2).

use std::sync::Arc;

use quil_hotstuff::{CaughtUp, EpochRule, Finality, Input as CoreInput, Place, Scheme, Verified};
use quil_types::{
    Body, Canonical, Chain, EpochProof, FinalFrame, FinalityProof, FrameId, Header, Proposal,
    SealedFrame, canonical,
};

use super::{After, ChainEngine, Pool};
use crate::beacons::Beacons;
use crate::error::LocalFault;
use crate::io::{Class, Event, File, Halt, Now, Output, Write};
use crate::jobs::moment_of;
use crate::keys;
use crate::ledger::PendingFinal;
use crate::snapshot::Snapshot;
use crate::state::StateError;
use crate::tables::Table;

canonical! {
    /// The position of an executed bundle.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TxPosition {
        /// Number of its frame.
        pub number: quil_types::FrameNumber,
        /// Index in the body.
        pub index: u32,
    }
}

impl<S: Scheme> ChainEngine<S> {
    pub(super) fn on_certified(&mut self, _: Now, id: FrameId, out: &mut Vec<Output>) {
        let Some(snapshot) = self.ledger.get(&id) else {
            return;
        };
        for receipt in &snapshot.effects().receipts {
            Self::event(
                Event::Included {
                    tx: receipt.tx,
                    number: snapshot.number(),
                },
                out,
            );
        }
    }

    pub(super) fn on_finalised(
        &mut self,
        now: Now,
        frames: Vec<Arc<Proposal>>,
        finality: Finality,
        out: &mut Vec<Output>,
    ) {
        let last = frames.len().saturating_sub(1);
        for (i, proposal) in frames.into_iter().enumerate() {
            let id = proposal.header.id();
            // A catch-up may have been faster.
            if proposal.header.number <= self.ledger.final_header().number {
                let known = self.ledger.final_id(proposal.header.number);
                if known.is_some_and(|known| known != id) {
                    return self.halt(Halt::Conflict, out);
                }
                continue;
            }
            let frame = SealedFrame {
                header: proposal.header.clone(),
                body: proposal.body.clone(),
                beacon: proposal.beacon.clone(),
            };
            let finality = (i == last).then(|| finality.clone());
            self.ledger.enqueue(PendingFinal {
                frame,
                id,
                finality,
                caught_up: false,
            });
            if self.ledger.get(&id).is_none() {
                self.judge_final(now, id, proposal, out);
            }
        }
        self.try_seal(now, out);
    }

    /// Writes the front of the final queue when its state is committed.
    pub(super) fn try_seal(&mut self, _: Now, out: &mut Vec<Output>) {
        if self.sealing {
            return;
        }
        let Some(pending) = self.ledger.next_final() else {
            return;
        };
        let Some(snapshot) = self.ledger.get(&pending.id).cloned() else {
            return;
        };
        if snapshot.roots().is_none() {
            // A commit job runs since the state exists; its end calls again.
            return;
        }
        let mut writes = seal_writes(pending, &snapshot);
        let header = snapshot.header();
        writes.extend(pace_write(&mut self.beacons, self.rule, header));
        // Proposals up to this position are final or never will be.
        while let Some(first) = self.candidates.first().copied() {
            if (first.0, first.1) > (header.epoch, header.rank) {
                break;
            }
            self.candidates.remove(&first);
            writes.push(Write {
                table: Table::Candidates,
                key: keys::candidate(first),
                value: None,
            });
        }
        self.sealing = true;
        self.persist(File::State, writes, After::Final(snapshot), out);
    }

    pub(super) fn on_committed(
        &mut self,
        now: Now,
        result: &Result<(), StateError>,
        out: &mut Vec<Output>,
    ) {
        if let Err(e) = result {
            return self.halt(LocalFault::from(e.clone()).into(), out);
        }
        self.try_build(now, out);
        self.try_seal(now, out);
    }

    /// The front of the queue is on disk.
    pub(super) fn on_sealed(&mut self, now: Now, snapshot: Arc<Snapshot>, out: &mut Vec<Output>) {
        self.sealing = false;
        let Some(done) = self.ledger.settle(Arc::clone(&snapshot)) else {
            return;
        };
        self.settle_pool(&done, &snapshot, out);
        if done.caught_up
            && let Some(finality) = &done.finality
        {
            self.tell_core_caught_up(&snapshot, finality);
        }
        let proof = done.finality.as_ref().and_then(child_proof);
        self.publish_final(&done, proof.as_ref(), out);
        let event = Event::Final {
            header: Box::new(snapshot.header().clone()),
            proof: proof.map(Box::new),
            snapshot,
        };
        Self::event(event, out);
        self.try_seal(now, out);
        self.try_build(now, out);
    }

    fn tell_core_caught_up(&mut self, snapshot: &Snapshot, finality: &Finality) {
        let caught_up = CaughtUp {
            head: snapshot.header().clone(),
            finality: finality.clone(),
            opened: self.catch_up.opened(snapshot.header().epoch),
        };
        self.pending
            .push_back(CoreInput::CaughtUp(Box::new(caught_up)));
    }

    /// The proposer of a final frame publishes it for those who only follow (W2).
    fn publish_final(
        &self,
        done: &PendingFinal,
        proof: Option<&FinalityProof>,
        out: &mut Vec<Output>,
    ) {
        let own = !done.caught_up && self.identity.prover() == done.frame.header.proposer;
        if let Some(proof) = proof.filter(|_| own) {
            let message = FinalFrame {
                frame: done.frame.clone(),
                proof: proof.clone(),
            };
            out.push(Output::Publish {
                class: Class::FinalFrame(self.chain),
                data: message.encode(),
            });
        }
    }

    fn settle_pool(
        &mut self,
        done: &PendingFinal,
        snapshot: &Arc<Snapshot>,
        out: &mut Vec<Output>,
    ) {
        match &mut self.pool {
            Pool::Updates(pool) => {
                for (shard, row) in &snapshot.effects().rows {
                    pool.settle(*shard, row.height.get());
                    Self::event(
                        Event::Settled {
                            shard: *shard,
                            row: Box::new(row.clone()),
                        },
                        out,
                    );
                }
            }
            Pool::Bundles(pool) => {
                let moment = moment_of(snapshot.header());
                let rules = self.network.rules();
                let gone = pool
                    .mempool
                    .settle(&done.frame.body, &**snapshot, rules, &moment);
                if let Err(fault) = gone {
                    self.halt(LocalFault::from(fault).into(), out);
                }
            }
        }
    }

    /// Stores the proof of an epoch before anything of the next one is signed: the closing frame itself is written when
    /// it is executed, and a restart in between finds the proof (C1).
    pub(super) fn on_epoch_closed(&mut self, proof: &Verified<EpochProof>, out: &mut Vec<Output>) {
        self.persist(File::State, vec![epoch_write(proof)], After::Nothing, out);
    }
}

fn epoch_write(proof: &EpochProof) -> Write {
    Write {
        table: Table::EpochProofs,
        key: keys::epoch(proof.closing.epoch),
        value: Some(proof.encode()),
    }
}

/// Counts a final frame; a closing frame fixes the constants of the epoch after the next one (R3). They go into the
/// frame's own batch: a node that lost them could not follow that epoch.
fn pace_write(beacons: &mut Option<Beacons>, rule: EpochRule, header: &Header) -> Option<Write> {
    let beacons = beacons.as_mut()?;
    beacons.measure(header);
    if rule.place(header) != Place::Closing {
        return None;
    }
    let after = beacons.close(header)?;
    Some(Write {
        table: Table::Reel,
        key: keys::epoch(after.epoch),
        value: Some(after.encode()),
    })
}

/// The proof by a certified child, when it is of that kind.
fn child_proof(finality: &Finality) -> Option<FinalityProof> {
    match finality {
        Finality::Child(p) => Some((***p).clone()),
        Finality::Closed(p) => {
            let tip = FinalityProof {
                header: p.tip.clone(),
                qc: p.qc.clone(),
            };
            // Only when the tip is the direct child does its certificate prove the closing frame by itself.
            (p.tip.parent == p.closing.id()).then_some(tip)
        }
    }
}

/// Everything of one final frame, in one batch.
fn seal_writes(pending: &PendingFinal, snapshot: &Snapshot) -> Vec<Write> {
    let header = &pending.frame.header;
    let number = keys::number(header.number);
    let put = |table, key: Vec<u8>, value: Vec<u8>| Write {
        table,
        key,
        value: Some(value),
    };
    let mut writes = vec![
        put(Table::Frames, number.clone(), pending.frame.encode()),
        put(Table::FrameIds, number.clone(), pending.id.0.to_vec()),
        put(Table::Meta, keys::LAST_FINAL.to_vec(), header.encode()),
    ];
    if let Some(Finality::Closed(proof)) = &pending.finality {
        writes.push(epoch_write(proof));
    }
    if let Some(proof) = pending.finality.as_ref().and_then(child_proof) {
        writes.push(put(Table::FinalityProofs, number.clone(), proof.encode()));
    }
    if matches!(pending.frame.body, Body::Shard(_)) && matches!(header.chain, Chain::Shard(_)) {
        for (index, receipt) in (0u32..).zip(&snapshot.effects().receipts) {
            let position = TxPosition {
                number: header.number,
                index,
            };
            writes.push(put(
                Table::Transactions,
                receipt.tx.0.to_vec(),
                position.encode(),
            ));
            let mut key = number.clone();
            key.extend_from_slice(&index.to_be_bytes());
            writes.push(put(Table::Receipts, key, receipt.encode()));
        }
    }
    if let Some(commit) = snapshot.take_commit() {
        writes.extend(commit.into_writes());
    }
    writes
}
