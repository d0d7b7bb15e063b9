//! How a node gets what it misses (W3).

use quil_types::{FrameId, Header, PeerKey};

use super::driver::Step;
use super::net::Event;
use super::node::{Stored, Write};
use super::{Sim, Violation, peer};
use crate::io::{CaughtUp, Finality, Input};
use crate::scheme::KeyedScheme;
use crate::verify::{verify_epoch_proof, verify_finality_proof};

impl Sim {
    pub(super) fn fetch(&mut self, node: usize, ids: &[FrameId], hint: Option<PeerKey>) {
        let count = self.nodes.len();
        let hinted = hint.and_then(|h| (0..count).find(|i| peer(*i) == h));
        let other = self.rng.index(count);
        for to in hinted.into_iter().chain([other]) {
            if to != node && self.connected(node, to) {
                let delay = self.delay();
                self.at(
                    delay,
                    Event::Fetch {
                        to,
                        from: node,
                        ids: ids.to_vec(),
                    },
                );
            }
        }
    }

    pub(super) fn serve(&mut self, node: usize, to: usize, ids: &[FrameId]) {
        let Some(n) = self.nodes.get(node).filter(|n| n.core.is_some()) else {
            return;
        };
        let proposals: Vec<_> = ids.iter().filter_map(|id| n.proposal(id)).collect();
        if !proposals.is_empty() && self.connected(node, to) {
            let delay = self.delay();
            self.at(
                delay,
                Event::Proposals {
                    to,
                    from: node,
                    proposals,
                },
            );
        }
    }

    pub(super) fn request_catch_up(&mut self, node: usize) {
        let delay = self.delay().saturating_add(self.delay());
        let Some(n) = self
            .nodes
            .get_mut(node)
            .filter(|n| n.core.is_some() && !n.catching_up)
        else {
            return;
        };
        n.catching_up = true;
        let life = n.life;
        self.at(delay, Event::CatchUp { node, life });
    }

    /// Takes final frames from somebody (W3), checks the proof and executes them.
    pub(super) fn catch_up(&mut self, node: usize, life: u32) -> Step {
        let from = self.rng.index(self.nodes.len());
        let reachable = self.connected(node, from);
        let Some(n) = self.nodes.get_mut(node).filter(|n| n.life == life) else {
            return Ok(());
        };
        n.catching_up = false;
        let next = n.finals.len();
        let Some(server) = self
            .nodes
            .get(from)
            .filter(|s| s.core.is_some() && reachable)
        else {
            return Ok(());
        };
        // Frames up to the end of an epoch, or to the last one that has a proof.
        let closes = |s: &&Stored| matches!(s.finality, Some(Finality::Closed(_)));
        let behind: Vec<&Stored> = server.finals.iter().skip(next).collect();
        let last = behind
            .iter()
            .position(closes)
            .or_else(|| behind.iter().rposition(|s| s.finality.is_some()));
        let Some(last) = last else { return Ok(()) };
        let frames: Vec<Stored> = behind
            .into_iter()
            .take(last.saturating_add(1))
            .cloned()
            .collect();
        self.take_finals(node, life, frames)
    }

    fn take_finals(&mut self, node: usize, life: u32, frames: Vec<Stored>) -> Step {
        let Some(head) = frames.last().map(|s| s.header.clone()) else {
            return Ok(());
        };
        let Some(finality) = frames.last().and_then(|s| s.finality.clone()) else {
            return Ok(());
        };
        let finality = self.verify_again(node, &head, finality)?;
        let Some(n) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        // Its own finality may have moved meanwhile.
        if n.final_number()
            .saturating_add(u64::try_from(frames.len()).unwrap_or(0))
            != head.number.get()
        {
            return Ok(());
        }
        let opened = head.epoch.prev().and_then(|e| n.epochs.get(&e)).cloned();
        n.finals.extend(frames.iter().cloned());
        let closed = match &finality {
            Finality::Closed(proof) => {
                n.epochs.insert(proof.closing.epoch, (**proof).clone());
                Some(proof.closing.epoch)
            }
            Finality::Child(_) => None,
        };
        self.write_state(
            node,
            Write::Finals {
                frames,
                finality: finality.clone(),
            },
        );
        let caught_up = CaughtUp {
            head,
            finality,
            opened: opened.map(Box::new),
        };
        self.live_input(node, life, Input::CaughtUp(Box::new(caught_up)))?;
        if let Some(epoch) = closed {
            self.epoch_closed(node, life, epoch);
        }
        self.request_catch_up(node);
        Ok(())
    }

    /// A node trusts only what it verified itself.
    fn verify_again(
        &self,
        node: usize,
        head: &Header,
        finality: Finality,
    ) -> Result<Finality, Violation> {
        let term = self.world.term(head.epoch);
        let again = match finality {
            Finality::Child(proof) => {
                verify_finality_proof(&KeyedScheme, &term, proof.into_inner())
                    .map(|p| Finality::Child(Box::new(p)))
            }
            Finality::Closed(proof) => verify_epoch_proof(&KeyedScheme, &term, proof.into_inner())
                .map(|p| Finality::Closed(Box::new(p))),
        };
        again.map_err(|error| Violation::BadProof { node, error })
    }
}
