//! What engines ask for: jobs, links, peers, and what their events mean for the invariants.

use quil_engine::io::{Class, Event, GossipToken, Input, Output, RequestToken};
use quil_engine::jobs::Job;
use quil_engine::{Identity, queries};
use quil_hotstuff::KeyedScheme;
use quil_types::hash::h_bytes;
use quil_types::{Canonical, Chain, FramesRequest, PeerKey, SettlementMessage, tags};

use super::{EngineId, Happening, Observation, SimNet};
use crate::genesis::peer_secret;

impl SimNet {
    #[expect(
        clippy::panic,
        reason = "a halted engine is a defect of the code under test"
    )]
    pub(super) fn output(&mut self, id: EngineId, life: u32, output: Output) {
        match output {
            Output::Persist {
                id: batch,
                file,
                writes,
            } => {
                self.at(
                    self.faults.disk_ms,
                    Happening::Disk(id, life, batch, file, writes),
                );
            }
            Output::Publish { class, data } => self.publish(id, class, &data),
            Output::Run(job) => self.run(id, job),
            Output::Deadline(at) => {
                let Some(process) = self.processes.get_mut(&id) else {
                    return;
                };
                let at = at.get().saturating_add(process.started_at);
                process.deadline = Some(at);
                self.at(
                    at.saturating_sub(self.now_ms),
                    Happening::Timer(id, life, at),
                );
            }
            Output::Fetch {
                token,
                request,
                hint,
            } => self.fetch(id, token, &request, hint),
            Output::Submitted { token, result } => {
                self.seen.push_back(Observation::Answer(token, result))
            }
            Output::Event(event) => self.event(id, event),
            Output::Halt(reason) => {
                let expected = self.processes.get(&id).is_some_and(|p| p.disk.is_broken());
                if !expected {
                    panic!("{id:?} halted: {reason}");
                }
                self.crash(id);
                self.seen.push_back(Observation::Halted(id, reason));
            }
            Output::Verdict { .. } | Output::CancelSolve | Output::Penalise { .. } => {}
        }
    }

    pub(super) fn run(&mut self, id: EngineId, job: Job) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let network = &process.network;
        let outcome = self.costs.time(id.core, "job", job.label(), || {
            job.run(network, &KeyedScheme, &|| false)
        });
        self.deliver(id, self.faults.cpu_ms, Input::Done(outcome));
    }

    pub(super) fn reaches(&mut self, from: EngineId, to: EngineId) -> bool {
        let apart =
            self.faults.island.contains(&from.node) != self.faults.island.contains(&to.node);
        !apart && !self.dice.per_mille(self.faults.loss_per_mille)
    }

    pub(super) fn link_ms(&mut self) -> u64 {
        self.faults
            .latency_ms
            .saturating_add(self.dice.below(self.faults.jitter_ms.saturating_add(1)))
    }

    pub(super) fn peer(&self, id: EngineId) -> PeerKey {
        Identity::new(
            &peer_secret(id.node, id.core),
            None,
            quil_types::ProverId::ZERO,
        )
        .peer()
    }

    /// Gossip reaches everybody whose chain it concerns; the sender hears nothing of its own.
    pub(super) fn publish(&mut self, from: EngineId, class: Class, data: &[u8]) {
        let mut record = self.trace.to_vec();
        record.extend_from_slice(&self.now_ms.to_le_bytes());
        record.extend_from_slice(data);
        self.trace = h_bytes(tags::GOSSIP, &record);
        let peer = self.peer(from);
        let all: Vec<EngineId> = self.processes.keys().copied().collect();
        for to in all {
            let concerned = match class {
                Class::Consensus(c) | Class::FinalFrame(c) | Class::Bundle(c) => {
                    self.chain(to) == c
                }
                Class::Settlement => to.core == 0,
            };
            if to != from && concerned && self.reaches(from, to) {
                self.gossip = self.gossip.saturating_add(1);
                let token = GossipToken(self.gossip);
                let delay = self.link_ms();
                self.deliver(
                    to,
                    delay,
                    Input::Gossip {
                        token,
                        from: peer,
                        class,
                        data: data.to_vec(),
                    },
                );
            }
        }
    }

    pub(super) fn fetch(
        &mut self,
        id: EngineId,
        token: RequestToken,
        request: &FramesRequest,
        hint: Option<PeerKey>,
    ) {
        let chain = self.chain(id);
        let others: Vec<EngineId> = self
            .processes
            .iter()
            .filter(|(to, p)| **to != id && to.core == id.core && p.engine.is_some())
            .map(|(to, _)| *to)
            .collect();
        let hinted = others
            .iter()
            .copied()
            .find(|to| Some(self.peer(*to)) == hint);
        let n = u64::try_from(others.len()).unwrap_or(1);
        let pick = usize::try_from(self.dice.below(n)).unwrap_or(0);
        let Some(to) = hinted.or_else(|| others.get(pick).copied()) else {
            return;
        };
        let delay = self.link_ms().saturating_add(self.link_ms());
        if !self.reaches(id, to) {
            return self.deliver(
                id,
                delay.saturating_add(1_000),
                Input::Fetched {
                    from: None,
                    token,
                    response: None,
                },
            );
        }
        let Some(process) = self.processes.get(&to) else {
            return;
        };
        let response = queries::serve(&process.disk, chain, request).ok();
        let from = Some(self.peer(to));
        self.deliver(
            id,
            delay,
            Input::Fetched {
                from,
                token,
                response,
            },
        );
    }

    #[expect(
        clippy::panic,
        reason = "a broken invariant is what simulations look for"
    )]
    pub(super) fn event(&mut self, id: EngineId, event: Event) {
        match event {
            Event::Final { header, proof, .. } => {
                let (chain, number, frame) = (header.chain, header.number, header.id());
                let agreed = *self.finals.entry((chain, number)).or_insert(frame);
                assert!(
                    agreed == frame,
                    "{id:?} finalised another frame {number} of {chain}"
                );
                self.seen.push_back(Observation::Final(id, number, frame));
                if id.core == 0 {
                    self.hand_down(id.node);
                } else if let Some(proof) = proof {
                    self.hand_up(id, &SettlementMessage::Update(proof).encode());
                }
            }
            Event::Settled { shard, row } => {
                let known = self.finals.get(&(Chain::Shard(shard), row.height));
                assert!(
                    known == Some(&row.id),
                    "{id:?} settled another frame {} of {shard} than {known:?}",
                    row.height
                );
                self.seen.push_back(Observation::Settled(id, shard, row))
            }
            Event::Voted {
                epoch,
                rank,
                id: frame,
            } => {
                let first = *self.votes.entry((id, epoch, rank)).or_insert(frame);
                if first != frame {
                    panic!("{id:?} voted twice at epoch {epoch}, rank {rank}");
                }
            }
            Event::Head { .. }
            | Event::Included { .. }
            | Event::RankFailed { .. }
            | Event::Equivocation(_) => {}
        }
    }

    /// A worker tells its master that a frame is final; the master publishes it.
    pub(super) fn hand_up(&mut self, worker: EngineId, data: &[u8]) {
        let master = EngineId { core: 0, ..worker };
        self.gossip = self.gossip.saturating_add(1);
        let token = GossipToken(self.gossip);
        let from = self.peer(worker);
        self.deliver(
            master,
            1,
            Input::Gossip {
                token,
                from,
                class: Class::Settlement,
                data: data.to_vec(),
            },
        );
        self.publish(master, Class::Settlement, data);
    }
}
