//! The global reel and the final global frames that shards follow (R2, R5).

use quil_hotstuff::Scheme;
use quil_reel::{SolverInput, SolverOutput};
use quil_types::{BeaconWitness, Canonical, Header, SettlementMessage};

use super::{After, ChainEngine};
use crate::io::{Class, File, Now, Output, Write};
use crate::jobs::Job;
use crate::keys;
use crate::tables::Table;

impl<S: Scheme> ChainEngine<S> {
    /// Points the solver at the step behind the highest executed frame.
    pub(super) fn aim_reel(&mut self, now: Now, out: &mut Vec<Output>) {
        let parent = match &self.building {
            Some(b) => b.parent_header().clone(),
            None => self.ledger.head().header().clone(),
        };
        let Some(beacons) = &self.beacons else { return };
        // Behind a closing frame only its own epoch's descendants follow until the epoch is closed; the step that
        // will be needed is the first one of the next epoch, whose parent is the closing frame.
        let place = self.rule.place(&parent);
        let epoch = if place == quil_hotstuff::Place::Normal {
            parent.epoch
        } else {
            parent.epoch.next()
        };
        if place == quil_hotstuff::Place::Descendant {
            return;
        }
        if let Some(step) = beacons.step_after(&parent, epoch) {
            self.solver(now, SolverInput::Next(step), out);
        }
    }

    pub(super) fn solver(&mut self, now: Now, input: SolverInput, out: &mut Vec<Output>) {
        let Some(beacons) = &mut self.beacons else {
            return;
        };
        let mut outputs = Vec::new();
        beacons.handle(input, &mut outputs);
        for output in outputs {
            match output {
                SolverOutput::Start(step) => out.push(Output::Run(Job::Solve(step))),
                SolverOutput::Cancel => out.push(Output::CancelSolve),
                SolverOutput::Check(step, witness) => {
                    out.push(Output::Run(Job::CheckBeacon(step, witness)))
                }
                SolverOutput::Gossip(witness) => {
                    let message = SettlementMessage::Beacon(Box::new(witness));
                    out.push(Output::Publish {
                        class: Class::Settlement,
                        data: message.encode(),
                    });
                }
                SolverOutput::Ready(..) => self.try_build(now, out),
                SolverOutput::Invalid(witness) => self.settle_beacon_gossip(&witness, false, out),
            }
        }
    }

    pub(super) fn on_solved(
        &mut self,
        now: Now,
        witness: Option<BeaconWitness>,
        out: &mut Vec<Output>,
    ) {
        if let Some(witness) = witness {
            self.solver(now, SolverInput::Solved(witness), out);
        }
    }

    pub(super) fn on_beacon_checked(
        &mut self,
        now: Now,
        witness: BeaconWitness,
        valid: bool,
        out: &mut Vec<Output>,
    ) {
        if valid {
            self.settle_beacon_gossip(&witness, true, out);
        }
        self.solver(now, SolverInput::Checked { witness, valid }, out);
    }

    /// A shard's master handed down the next final global frame.
    pub(super) fn on_global_final(&mut self, now: Now, header: Header, out: &mut Vec<Output>) {
        let (number, bytes) = (header.number, header.encode());
        if !self.globals.push(header) {
            return;
        }
        let write = Write {
            table: Table::GlobalHeaders,
            key: keys::number(number),
            value: Some(bytes),
        };
        self.persist(File::State, vec![write], After::Nothing, out);
        self.try_build(now, out);
    }
}
