//! Carries out what the consensus core asks for.

use quil_hotstuff::{Output as CoreOutput, SafetyRecord, Scheme};
use quil_reel::SolverInput;
use quil_types::{
    Canonical, ConsensusMessage, Envelope, Epoch, FrameId, FramesRequest, MemberIndex, Rank,
};

use super::{After, ChainEngine, candidate_key};
use crate::io::{Class, Event, File, Halt, Now, Output, RequestToken, Write};
use crate::jobs::Job;
use crate::keys;
use crate::tables::Table;

/// Core inputs handled per engine input. Each input makes a bounded number of new ones; the rest waits for the next
/// call.
const CORE_STEPS_MAX: usize = 10_000;

impl<S: Scheme> ChainEngine<S> {
    /// Feeds the core with what has queued up and carries out its outputs, in order.
    pub(super) fn run_core(&mut self, now: Now, out: &mut Vec<Output>) {
        for _ in 0..CORE_STEPS_MAX {
            let Some(input) = self.pending.pop_front() else {
                return;
            };
            let mut outbox = Vec::new();
            self.core.handle(now.tick, input, &mut outbox);
            for output in outbox {
                self.on_core(now, output, out);
                if self.halted {
                    return;
                }
            }
        }
    }

    fn on_core(&mut self, now: Now, output: CoreOutput, out: &mut Vec<Output>) {
        match output {
            CoreOutput::PersistCandidate { record, proposal } => {
                let key = candidate_key(&proposal.header);
                self.candidates.insert(key);
                let write = Write {
                    table: Table::Candidates,
                    key: keys::candidate(key),
                    value: Some(proposal.encode()),
                };
                self.persist(File::State, vec![write], After::Core(record), out);
            }
            CoreOutput::PersistSafety { record, safety } => {
                let write = safety_write(&safety);
                self.persist(File::Safety, vec![write], After::Core(record), out);
            }
            CoreOutput::Broadcast(message) => self.broadcast(message.into_message(), 0, out),
            CoreOutput::Rebroadcast(message) => {
                self.attempts = self.attempts.wrapping_add(1).max(1);
                self.broadcast(message.into_message(), self.attempts, out);
            }
            // There is one channel between members, gossip; a late member gets its answer through it.
            CoreOutput::SendTo { message, .. } => {
                self.attempts = self.attempts.wrapping_add(1).max(1);
                self.broadcast(message.into_message(), self.attempts, out);
            }
            CoreOutput::SetDeadline(at) => self.core_deadline = at,
            CoreOutput::Build(request) => self.on_build(now, request, out),
            CoreOutput::Validate(proposal) => self.on_validate(now, proposal, out),
            CoreOutput::Verify(job) => out.push(Output::Run(Job::Consensus(job))),
            other => self.on_core_progress(now, other, out),
        }
    }

    fn on_core_progress(&mut self, now: Now, output: CoreOutput, out: &mut Vec<Output>) {
        match output {
            CoreOutput::Certified { id, .. } => self.on_certified(now, id, out),
            CoreOutput::Finalised { frames, finality } => {
                self.on_finalised(now, frames, finality, out)
            }
            CoreOutput::EpochClosed(proof) => self.on_epoch_closed(&proof, out),
            CoreOutput::NeedCommittee { epoch } => self.give_committees(epoch),
            CoreOutput::EnteredEpoch { epoch, .. } => self.give_committees(epoch),
            CoreOutput::EnteredRank {
                epoch,
                rank,
                leader,
            } => self.on_rank(now, epoch, rank, leader, out),
            CoreOutput::RankTimedOut { rank, .. } => {
                Self::event(Event::RankFailed { rank }, out);
                self.solver(now, SolverInput::TimerFired, out);
            }
            CoreOutput::Fetch { ids, hint } => self.fetch_proposals(ids, hint, out),
            CoreOutput::NeedCatchUp { from, hint } => self.start_catch_up(now, from, hint, out),
            CoreOutput::Penalise { peer, reason } => {
                out.push(Output::Penalise {
                    peer,
                    reason: "consensus",
                    detail: reason.to_string(),
                });
            }
            CoreOutput::Evidence(evidence) => {
                out.push(Output::Event(Event::Equivocation(Box::new(
                    evidence.into_inner(),
                ))));
            }
            CoreOutput::SafetyHalt(_) => self.halt(Halt::Conflict, out),
            // Everything else is handled above; a new kind of output must be handled before it can be ignored.
            _ => {}
        }
    }

    fn broadcast(&mut self, message: ConsensusMessage, attempt: u32, out: &mut Vec<Output>) {
        if let ConsensusMessage::Vote(vote) = &message {
            let event = Event::Voted {
                epoch: vote.epoch,
                rank: vote.rank,
                id: vote.id,
            };
            Self::event(event, out);
        }
        let (chain, epoch, rank) = message.position();
        let Some(member) = self.own_index(epoch) else {
            return;
        };
        let signature = self
            .identity
            .sign_envelope(self.network.hash(), member, attempt, &message);
        let envelope = Envelope {
            chain,
            epoch,
            rank,
            member,
            attempt,
            payload: message,
            signature,
        };
        out.push(Output::Publish {
            class: Class::Consensus(self.chain),
            data: envelope.encode(),
        });
    }

    /// Our place in the committee of an epoch.
    pub(super) fn own_index(&self, epoch: Epoch) -> Option<MemberIndex> {
        self.network
            .roster(self.chain, epoch)
            .and_then(|r| self.identity.position(&r))
    }

    /// Tells the core the committees of an epoch and the two after it (C2).
    pub(super) fn give_committees(&mut self, epoch: Epoch) {
        let mut at = epoch;
        for _ in 0..3 {
            if let Some(roster) = self.network.roster(self.chain, at) {
                let committee = Box::new(roster.committee().clone());
                self.pending.push_back(quil_hotstuff::Input::Committee {
                    epoch: at,
                    committee,
                });
                self.admission.learn(at, roster);
            }
            at = at.next();
        }
    }

    fn on_rank(
        &mut self,
        now: Now,
        epoch: Epoch,
        rank: Rank,
        leader: MemberIndex,
        out: &mut Vec<Output>,
    ) {
        let own = self.own_index(epoch);
        let next = self.core.leader(rank.next());
        let leading = own.is_some_and(|own| own == leader || Some(own) == next);
        self.solver(now, SolverInput::Leading(leading), out);
        if self
            .building
            .as_ref()
            .is_some_and(|b| b.is_before(epoch, rank))
        {
            self.building = None;
        }
        let head = self.ledger.head();
        let event = Event::Head {
            number: head.number(),
            epoch,
            rank,
            id: head.id(),
        };
        Self::event(event, out);
    }

    fn fetch_proposals(
        &mut self,
        ids: Vec<FrameId>,
        hint: Option<quil_types::PeerKey>,
        out: &mut Vec<Output>,
    ) {
        let token = RequestToken(self.next_id());
        let Ok(wanted) = ids.clone().try_into() else {
            return;
        };
        self.fetches.insert(token, ids);
        let request = FramesRequest::Proposals {
            chain: self.chain,
            ids: wanted,
        };
        out.push(Output::Fetch {
            token,
            request,
            hint,
        });
    }
}

fn safety_write(record: &SafetyRecord) -> Write {
    Write {
        table: Table::Safety,
        key: keys::SAFETY.to_vec(),
        value: Some(record.encode()),
    }
}
