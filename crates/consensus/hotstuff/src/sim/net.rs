//! Messages on their way, and events in general.

use std::sync::Arc;

use quil_types::{ConsensusMessage, Envelope, FrameId};

use super::node::Write;
use super::{Bundle, Packet, Sim};
use crate::io::BuildRequest;
use crate::jobs::Job;

/// Something that happens at a time. `life` counts a node's restarts: what belongs to an earlier life is void.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Packet(Packet),
    Proposals {
        to: usize,
        from: usize,
        proposals: Bundle,
    },
    Deadline {
        node: usize,
        life: u32,
        number: u64,
    },
    Written {
        node: usize,
        life: u32,
        write: Box<Write>,
    },
    Job {
        node: usize,
        life: u32,
        job: Box<Job>,
    },
    Execute {
        node: usize,
        life: u32,
        id: FrameId,
    },
    Build {
        node: usize,
        life: u32,
        request: Box<BuildRequest>,
    },
    Committee {
        node: usize,
        life: u32,
        epoch: quil_types::Epoch,
    },
    Fetch {
        to: usize,
        from: usize,
        ids: Vec<FrameId>,
    },
    CatchUp {
        node: usize,
        life: u32,
    },
    Restart {
        node: usize,
    },
    /// Cuts the network in two, or heals it.
    Partition,
    /// The driver asks somebody for the head now and then.
    Poll {
        node: usize,
    },
}

impl Sim {
    pub(super) fn broadcast(&mut self, node: usize, message: ConsensusMessage) {
        let Some(envelope) = self.envelope(node, message) else {
            return;
        };
        for to in 0..self.nodes.len() {
            if to != node {
                self.send(node, to, &envelope);
            }
        }
    }

    pub(super) fn send_to(&mut self, node: usize, to: usize, message: ConsensusMessage) {
        if let Some(envelope) = self.envelope(node, message) {
            self.send(node, to, &envelope);
        }
    }

    fn send(&mut self, from: usize, to: usize, envelope: &Arc<Envelope>) {
        if !self.connected(from, to) || (!self.calm() && self.rng.thousandths(self.config.loss)) {
            return;
        }
        let copies = if self.rng.thousandths(self.config.duplicates) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay = self.delay();
            let envelope = Arc::clone(envelope);
            self.at(delay, Event::Packet(Packet { to, envelope }));
        }
    }

    pub(super) fn delay(&mut self) -> u64 {
        let (before, after) = self.config.delay_ms;
        let longest = if self.calm() { after } else { before };
        self.rng.below(longest).saturating_add(1)
    }

    pub(super) fn connected(&self, a: usize, b: usize) -> bool {
        self.groups.get(a) == self.groups.get(b)
    }

    /// Splits the network by chance, or heals it.
    pub(super) fn partition(&mut self) {
        let cut = !self.calm() && self.groups.iter().all(|g| *g == 0);
        for node in 0..self.groups.len() {
            let side = if cut { self.rng.below(2) } else { 0 };
            if let Some(group) = self.groups.get_mut(node) {
                *group = side;
            }
        }
        if !self.calm() {
            let length = self.config.partition_ms;
            let jitter = self.rng.below(length);
            self.at(length.saturating_add(jitter), Event::Partition);
        }
    }
}
