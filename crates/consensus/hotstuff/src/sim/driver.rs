//! What a driver does with the outputs of the core.

use std::sync::Arc;

use quil_types::{
    Beacon, BeaconWitness, Body, Chain, ConsensusMessage, Digest, Epoch, FrameId, Millis, Timestamp,
};

use super::net::Event;
use super::node::{Stored, Write};
use super::{Packet, Sim, Violation, bytes, peer, roots_after};
use crate::admission::{AdmissionError, Admitted};
use crate::core::Core;
use crate::io::{BuildRequest, Finality, FrameContent, Input, Outbox, Output, Verdict};
use crate::jobs::Job;
use crate::limits::CLOSED_EPOCHS_MAX;
use crate::roster::Roster;
use crate::scheme::KeyedScheme;

pub(super) type Step = Result<(), Violation>;

impl Sim {
    pub(super) fn step(&mut self, event: Event) -> Step {
        match event {
            Event::Packet(packet) => self.deliver(&packet),
            Event::Proposals {
                to,
                from,
                proposals,
            } => {
                let proposals = proposals.iter().map(|p| (**p).clone()).collect();
                self.input(
                    to,
                    Input::Proposals {
                        from: peer(from),
                        proposals,
                    },
                )
            }
            Event::Deadline { node, life, number } => {
                let current = self.nodes.get(node).is_some_and(|n| n.deadline == number);
                if current {
                    self.live_input(node, life, Input::Deadline)
                } else {
                    Ok(())
                }
            }
            Event::Written { node, life, write } => self.written(node, life, &write),
            Event::Job { node, life, job } => self.run_job(node, life, &job),
            Event::Execute { node, life, id } => {
                let verdict = self.execute(node, id);
                self.live_input(node, life, Input::Validated { id, verdict })
            }
            Event::Build {
                node,
                life,
                request,
            } => self.build(node, life, &request),
            Event::Committee { node, life, epoch } => self.give_committee(node, life, epoch),
            Event::Fetch { to, from, ids } => {
                self.serve(to, from, &ids);
                Ok(())
            }
            Event::CatchUp { node, life } => self.catch_up(node, life),
            Event::Restart { node } => self.boot(node),
            Event::Partition => {
                self.partition();
                Ok(())
            }
            Event::Poll { node } => {
                self.request_catch_up(node);
                self.at(3_000, Event::Poll { node });
                Ok(())
            }
        }
    }

    pub(super) fn boot(&mut self, node: usize) -> Step {
        let config = self.world.config(node);
        let Some(n) = self.nodes.get_mut(node).filter(|n| n.core.is_none()) else {
            return Ok(());
        };
        let Some(recovered) = n.recovered(&self.world) else {
            return Ok(());
        };
        for (epoch, committee) in &recovered.committees {
            n.admission
                .learn(*epoch, Arc::new(Roster::new(committee.clone())));
        }
        let signer = Some(Arc::clone(&n.signer));
        match Core::recover(config, KeyedScheme, signer, recovered) {
            Ok(core) => n.core = Some(core),
            Err(error) => return Err(Violation::NoRecovery { node, error }),
        }
        self.input(node, Input::Start)
    }

    fn crash(&mut self, node: usize) {
        self.crashes = self.crashes.saturating_add(1);
        if let Some(n) = self.nodes.get_mut(node) {
            n.crash();
        }
        let pause = self.rng.below(2_000).saturating_add(1);
        self.at(pause, Event::Restart { node });
    }

    pub(super) fn live_input(&mut self, node: usize, life: u32, input: Input) -> Step {
        if self.nodes.get(node).is_some_and(|n| n.life == life) {
            self.input(node, input)
        } else {
            Ok(())
        }
    }

    fn input(&mut self, node: usize, input: Input) -> Step {
        let mut out = Outbox::new();
        let now = self.now;
        let Some(core) = self.nodes.get_mut(node).and_then(|n| n.core.as_mut()) else {
            return Ok(());
        };
        core.handle(now, input, &mut out);
        for output in out {
            self.carry_out(node, output)?;
        }
        Ok(())
    }

    fn deliver(&mut self, packet: &Packet) -> Step {
        let (node, envelope) = (packet.to, &packet.envelope);
        let Some(n) = self.nodes.get_mut(node).filter(|n| n.core.is_some()) else {
            return Ok(());
        };
        match n
            .admission
            .screen(envelope)
            .and_then(|_| n.admission.admit(envelope))
        {
            Ok(Admitted::Forward | Admitted::Conflict) => {}
            Err(AdmissionError::UnknownEpoch(epoch)) if epoch > n.epoch() => {
                self.request_catch_up(node);
                return Ok(());
            }
            Err(_) => return Ok(()),
        }
        self.tempt(node, &envelope.payload);
        let message = envelope.payload.clone();
        self.input(
            node,
            Input::Message {
                author: envelope.member,
                message,
            },
        )
    }

    fn carry_out(&mut self, node: usize, output: Output) -> Step {
        let Some(n) = self.nodes.get(node) else {
            return Ok(());
        };
        let life = n.life;
        self.checker.output(&self.world, n, self.now, &output)?;
        match output {
            Output::PersistCandidate { record, proposal } => {
                self.write_state(node, Write::Candidate { record, proposal });
            }
            Output::PersistSafety { record, safety } => {
                self.write_safety(node, Write::Safety { record, safety });
            }
            Output::Broadcast(message) | Output::Rebroadcast(message) => {
                self.say(node, message.into_message());
            }
            Output::SendTo { peer, message } => self.whisper(node, peer, message.into_message()),
            Output::SetDeadline(at) => self.set_deadline(node, at),
            Output::Build(request) => {
                let wait = self.build_delay(node, &request);
                self.at(
                    wait,
                    Event::Build {
                        node,
                        life,
                        request,
                    },
                );
            }
            Output::Validate(proposal) => {
                let id = proposal.header.id();
                if let Some(n) = self.nodes.get_mut(node) {
                    n.proposals.insert(id, proposal);
                }
                let delay = self.queue_execution(node);
                self.at(delay, Event::Execute { node, life, id });
            }
            Output::Verify(job) => {
                let delay = self.rng.below(4);
                self.at(
                    delay,
                    Event::Job {
                        node,
                        life,
                        job: Box::new(job),
                    },
                );
            }
            Output::Finalised { frames, finality } => self.store_finals(node, &frames, finality),
            Output::EpochClosed(proof) => self.epoch_closed(node, life, proof.closing.epoch),
            Output::EnteredEpoch { epoch, .. } => self.entered_epoch(node, epoch),
            Output::EnteredRank { rank, .. } => self.misbehave(node, rank),
            Output::Fetch { ids, hint } => self.fetch(node, &ids, hint),
            Output::NeedCatchUp { .. } => self.request_catch_up(node),
            Output::NeedCommittee { .. }
            | Output::Certified { .. }
            | Output::RankTimedOut { .. }
            | Output::DraftRefused(_)
            | Output::Evidence(_)
            | Output::Penalise { .. }
            | Output::SafetyHalt(_) => {}
        }
        Ok(())
    }

    fn whisper(&mut self, node: usize, to: quil_types::PeerKey, message: ConsensusMessage) {
        if let Some(to) = (0..self.nodes.len()).find(|i| peer(*i) == to) {
            self.send_to(node, to, message);
        }
    }

    fn set_deadline(&mut self, node: usize, at: Option<Millis>) {
        let now = self.now;
        let Some(n) = self.nodes.get_mut(node) else {
            return;
        };
        n.deadline = n.deadline.saturating_add(1);
        let (life, number) = (n.life, n.deadline);
        if let Some(at) = at {
            self.at(at.since(now), Event::Deadline { node, life, number });
        }
    }

    /// Writes to one file become durable in order; what is on its way is lost in a crash.
    pub(super) fn write_state(&mut self, node: usize, write: Write) {
        let (delay, now) = (self.rng.below(12), self.now.get());
        let Some(n) = self.nodes.get_mut(node) else {
            return;
        };
        n.busy.0 = n.busy.0.max(now).saturating_add(delay);
        let (wait, life) = (n.busy.0.saturating_sub(now), n.life);
        self.at(
            wait,
            Event::Written {
                node,
                life,
                write: Box::new(write),
            },
        );
    }

    fn write_safety(&mut self, node: usize, write: Write) {
        let (delay, now) = (self.rng.below(12), self.now.get());
        let Some(n) = self.nodes.get_mut(node) else {
            return;
        };
        n.busy.1 = n.busy.1.max(now).saturating_add(delay);
        let (wait, life) = (n.busy.1.saturating_sub(now), n.life);
        self.at(
            wait,
            Event::Written {
                node,
                life,
                write: Box::new(write),
            },
        );
    }

    /// Frames are executed one after the other.
    fn queue_execution(&mut self, node: usize) -> u64 {
        let (delay, now) = (self.rng.below(5), self.now.get());
        let Some(n) = self.nodes.get_mut(node) else {
            return delay;
        };
        n.busy.2 = n.busy.2.max(now).saturating_add(delay);
        n.busy.2.saturating_sub(now)
    }

    fn written(&mut self, node: usize, life: u32, write: &Write) -> Step {
        let Some(n) = self.nodes.get_mut(node).filter(|n| n.life == life) else {
            return Ok(());
        };
        n.write(write);
        let crash = !self.calm() && self.rng.thousandths(self.config.crashes);
        if crash && self.rng.thousandths(500) {
            self.crash(node);
            return Ok(());
        }
        let record = match write {
            Write::Candidate { record, .. } | Write::Safety { record, .. } => *record,
            Write::Finals { .. } => return Ok(()),
        };
        if !crash {
            return self.live_input(node, life, Input::Persisted(record));
        }
        // The core hears of the write, but nothing that it says gets out.
        let now = self.now;
        if let Some(core) = self.nodes.get_mut(node).and_then(|n| n.core.as_mut()) {
            core.handle(now, Input::Persisted(record), &mut Outbox::new());
        }
        self.crash(node);
        Ok(())
    }

    fn run_job(&mut self, node: usize, life: u32, job: &Job) -> Step {
        let outcome = job.run(&KeyedScheme);
        self.live_input(node, life, Input::Checked(Box::new(outcome)))
    }

    /// Checks state roots and the clock rules (R4).
    fn execute(&mut self, node: usize, id: FrameId) -> Verdict {
        let (now, interval) = (self.now, self.world.interval);
        let Some(n) = self.nodes.get_mut(node) else {
            return Verdict::Abstain;
        };
        let Some(proposal) = n.proposals.get(&id) else {
            return Verdict::Abstain;
        };
        let header = proposal.header.clone();
        let base = n
            .finals
            .iter()
            .rev()
            .find(|s| s.header.id() == header.parent);
        let base = base
            .map(|s| &s.header)
            .or_else(|| n.executed.get(&header.parent));
        let Some(spaced) = base.map(|h| h.timestamp.get().saturating_add(interval)) else {
            return Verdict::Invalid("executed before its parent");
        };
        if header.state_roots != roots_after(&header.parent) {
            return Verdict::Invalid("state roots");
        }
        let wall = now.get().saturating_add(n.skew);
        let timestamp = header.timestamp.get();
        n.executed.insert(id, header);
        if timestamp < spaced {
            return Verdict::Abstain;
        }
        let latest = wall.saturating_add((interval / 4).min(500));
        if timestamp > latest {
            return Verdict::ParkUntil(now.after(timestamp.saturating_sub(latest)));
        }
        Verdict::Vote
    }

    fn build_delay(&mut self, node: usize, request: &BuildRequest) -> u64 {
        let skew = self.nodes.get(node).map_or(0, |n| n.skew);
        let wall = self.now.get().saturating_add(skew);
        let wait = request.not_before.get().saturating_sub(wall);
        wait.saturating_add(self.rng.below(20))
    }

    fn build(&mut self, node: usize, life: u32, request: &BuildRequest) -> Step {
        let (now, noise) = (self.now, self.rng.next());
        let anchor = (self.world.chain != Chain::Global).then(|| {
            let fresh = self.world.anchor(now);
            let parent = request.parent.anchor.unwrap_or(fresh);
            if fresh.number > parent.number {
                fresh
            } else {
                parent
            }
        });
        let Some(n) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        let number = request.parent.number.next();
        let witness = BeaconWitness {
            number,
            y: quil_types::Bounded::new(),
            pi: quil_types::Bounded::new(),
        };
        let draft = request.seal(FrameContent {
            version: 1,
            timestamp: Timestamp::new(now.get().saturating_add(n.skew)),
            receipts_root: Digest::ZERO,
            multiplier: noise,
            state_roots: roots_after(&request.parent_id),
            shards_root: [0; 64],
            beacon: Beacon(bytes("beacon", number.get())),
            anchor,
            body: Body::empty(request.parent.chain),
            witness: anchor.is_none().then_some(witness),
        });
        n.executed.insert(draft.header.id(), draft.header.clone());
        self.live_input(node, life, Input::Built(Box::new(draft)))
    }

    fn store_finals(
        &mut self,
        node: usize,
        frames: &[Arc<quil_types::Proposal>],
        finality: Finality,
    ) {
        let Some(n) = self.nodes.get_mut(node) else {
            return;
        };
        let mut stored: Vec<Stored> = frames
            .iter()
            .map(|p| Stored {
                header: p.header.clone(),
                proposal: Some(Arc::clone(p)),
                finality: None,
            })
            .collect();
        if let Some(last) = stored.last_mut() {
            last.finality = Some(finality.clone());
        }
        n.finals.extend(stored.iter().cloned());
        if let Finality::Closed(proof) = &finality {
            n.epochs.insert(proof.closing.epoch, (**proof).clone());
        }
        self.write_state(
            node,
            Write::Finals {
                frames: stored,
                finality,
            },
        );
    }

    /// The state after `B_e` gives the committee of epoch e + 2, a little later.
    pub(super) fn epoch_closed(&mut self, node: usize, life: u32, closed: Epoch) {
        let delay = self.rng.below(30);
        let epoch = closed.next().next();
        self.at(delay, Event::Committee { node, life, epoch });
    }

    fn give_committee(&mut self, node: usize, life: u32, epoch: Epoch) -> Step {
        let committee = self.world.committee(epoch);
        let Some(n) = self.nodes.get_mut(node).filter(|n| n.life == life) else {
            return Ok(());
        };
        n.admission
            .learn(epoch, Arc::new(Roster::new(committee.clone())));
        self.input(
            node,
            Input::Committee {
                epoch,
                committee: Box::new(committee),
            },
        )
    }

    fn entered_epoch(&mut self, node: usize, epoch: Epoch) {
        if let Some(n) = self.nodes.get_mut(node) {
            let kept = u64::try_from(CLOSED_EPOCHS_MAX).unwrap_or(0);
            n.admission
                .prune(Epoch::new(epoch.get().saturating_sub(kept)));
        }
    }
}
