//! Catching up with final frames (W3, R6): ask, check one proof, execute every frame, tell the core.

use quil_hotstuff::{Finality, Input as CoreInput, Place, Scheme, Verified};
use quil_types::limits::{FRAMES_PER_RESPONSE_MAX, PROPOSAL_BYTES_MAX};
use quil_types::{
    Canonical, Chain, Epoch, EpochProof, FinalFrame, FrameNumber, FramesRequest, FramesResponse,
    Millis, PeerKey,
};

use super::ChainEngine;
use crate::error::LocalFault;
use crate::io::{GossipToken, Now, Output, RequestToken, Verdict};
use crate::jobs::{Job, JudgeError, Replay, Replayed, WireFinality};
use crate::ledger::PendingFinal;

/// Milliseconds after a failed request before the next one.
const RETRY_MS: u64 = 500;
/// Milliseconds after which a request that has to wait for frames in progress is looked at again.
const WAIT_MS: u64 = 50;
/// Failed requests in a row after which the engine waits for the core to ask again.
const ATTEMPTS_MAX: u32 = 20;

/// State of the catch-up.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    /// The running request.
    token: Option<RequestToken>,
    /// Who answered it.
    from: Option<PeerKey>,
    /// Whether frames are being executed or written.
    replaying: bool,
    /// When to ask again.
    retry: Option<Millis>,
    hint: Option<PeerKey>,
    attempts: u32,
    /// Whether somebody waits for frames that nobody was asked for yet.
    wanted: bool,
    /// The proof that closed the epoch before the one we are in.
    opened: Option<Verified<EpochProof>>,
}

impl CatchUp {
    pub(super) const fn due(&self) -> Option<Millis> {
        self.retry
    }

    pub(super) fn opened(&self, epoch: Epoch) -> Option<Box<Verified<EpochProof>>> {
        let proof = self
            .opened
            .as_ref()
            .filter(|p| p.closing.epoch.next() == epoch);
        proof.cloned().map(Box::new)
    }

    const fn is_busy(&self) -> bool {
        self.token.is_some() || self.replaying
    }
}

impl<S: Scheme> ChainEngine<S> {
    pub(super) fn start_catch_up(
        &mut self,
        now: Now,
        _: FrameNumber,
        hint: Option<PeerKey>,
        out: &mut Vec<Output>,
    ) {
        self.catch_up.hint = hint.or(self.catch_up.hint);
        self.catch_up.attempts = 0;
        self.catch_up.wanted = true;
        self.ask(now, out);
    }

    /// Asks for the frames behind the last final one, now or when those in progress are done.
    fn ask(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.catch_up.is_busy() || self.ledger.waiting() > 0 {
            if self.catch_up.wanted {
                self.catch_up.retry = Some(now.tick.after(WAIT_MS));
            }
            return;
        }
        let token = RequestToken(self.next_id());
        let from = self.ledger.final_header().number.next();
        let max = u16::try_from(FRAMES_PER_RESPONSE_MAX).unwrap_or(u16::MAX);
        self.catch_up.token = Some(token);
        self.catch_up.retry = None;
        let request = FramesRequest::Frames {
            chain: self.chain,
            from,
            max,
        };
        out.push(Output::Fetch {
            token,
            request,
            hint: self.catch_up.hint,
        });
    }

    pub(super) fn retry_catch_up(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.catch_up.retry.is_some_and(|at| at <= now.tick) {
            self.catch_up.retry = None;
            self.ask(now, out);
        }
    }

    fn fail_catch_up(&mut self, now: Now) {
        self.catch_up.token = None;
        self.catch_up.replaying = false;
        self.catch_up.hint = None;
        self.catch_up.attempts = self.catch_up.attempts.saturating_add(1);
        if self.catch_up.attempts < ATTEMPTS_MAX {
            self.catch_up.retry = Some(now.tick.after(RETRY_MS));
        } else {
            self.catch_up.wanted = false;
        }
    }

    pub(super) fn on_fetched(
        &mut self,
        now: Now,
        from: Option<PeerKey>,
        token: RequestToken,
        response: Option<FramesResponse>,
        out: &mut Vec<Output>,
    ) {
        if self.fetches.remove(&token).is_some() {
            if let (Some(FramesResponse::Proposals(proposals)), Some(from)) = (response, from) {
                let proposals = proposals.into_vec();
                self.pending
                    .push_back(CoreInput::Proposals { from, proposals });
            }
            return;
        }
        if self.catch_up.token != Some(token) {
            return;
        }
        self.catch_up.token = None;
        self.catch_up.from = from;
        match response {
            Some(FramesResponse::Frames {
                frames,
                proof,
                epochs,
            }) if !frames.is_empty() => {
                let closed = epochs
                    .into_iter()
                    .last()
                    .map(|p| WireFinality::Closed(Box::new(p)));
                let finality = closed.or_else(|| proof.map(WireFinality::Child));
                self.replay(now, frames.into_vec(), finality, out);
            }
            // Nothing newer there: not a failure of the peer.
            _ => self.fail_catch_up(now),
        }
    }

    fn replay(
        &mut self,
        now: Now,
        frames: Vec<quil_types::SealedFrame>,
        finality: Option<WireFinality>,
        out: &mut Vec<Output>,
    ) {
        let base = self.ledger.last().clone();
        let known = base.number();
        let frames: Vec<_> = frames
            .into_iter()
            .filter(|f| f.header.number > known)
            .collect();
        let (Some(finality), Some(first)) = (finality, frames.first()) else {
            return self.fail_catch_up(now);
        };
        let finality = self.closed_by(finality, frames.last());
        let epoch = first.header.epoch;
        let one_epoch = frames
            .iter()
            .all(|f| f.header.epoch == epoch && f.header.chain == self.chain);
        let (Some(term), true) = (self.network.term(self.chain, epoch), one_epoch) else {
            return self.fail_catch_up(now);
        };
        let reel = self.beacons.as_ref().and_then(|b| b.epoch(epoch).copied());
        if self.chain == Chain::Global && reel.is_none() {
            return self.fail_catch_up(now);
        }
        self.catch_up.replaying = true;
        let ancestors = self.ledger.ancestors(base.id());
        out.push(Output::Run(Job::Replay(Box::new(Replay {
            base,
            frames,
            finality,
            term,
            ancestors,
            reel,
        }))));
    }

    /// What makes a closing frame final closes its epoch: a certified child of it is such a proof too.
    fn closed_by(
        &self,
        finality: WireFinality,
        last: Option<&quil_types::SealedFrame>,
    ) -> WireFinality {
        let closing = last.filter(|f| self.rule.place(&f.header) == Place::Closing);
        match (finality, closing) {
            (WireFinality::Child(child), Some(closing)) => {
                WireFinality::Closed(Box::new(EpochProof {
                    closing: closing.header.clone(),
                    between: quil_types::Bounded::new(),
                    tip: child.header,
                    qc: child.qc,
                }))
            }
            (other, _) => other,
        }
    }

    pub(super) fn on_replayed(
        &mut self,
        now: Now,
        result: Result<Box<Replayed>, JudgeError>,
        out: &mut Vec<Output>,
    ) {
        self.catch_up.replaying = false;
        let replayed = match result {
            Ok(replayed) => *replayed,
            Err(JudgeError::Local(e)) => return self.halt(LocalFault::from(e).into(), out),
            Err(reason) => {
                if let Some(peer) = self.catch_up.from.take() {
                    out.push(Output::Penalise {
                        peer,
                        reason: "frames",
                        detail: reason.to_string(),
                    });
                }
                return self.fail_catch_up(now);
            }
        };
        // Consensus may have finalised the same frames in the meantime.
        let last = self.ledger.final_header().number;
        if replayed
            .frames
            .first()
            .is_none_or(|(f, _)| f.header.number != last.next())
        {
            return;
        }
        if let Finality::Closed(proof) = &replayed.finality {
            self.catch_up.opened = Some((**proof).clone());
        }
        self.take_replayed(now, replayed, out);
    }

    fn take_replayed(&mut self, now: Now, replayed: Replayed, out: &mut Vec<Output>) {
        let mut finality = Some(replayed.finality);
        let count = replayed.frames.len();
        for (i, (frame, snapshot)) in replayed.frames.into_iter().enumerate() {
            let id = snapshot.id();
            let finality = if i.saturating_add(1) == count {
                finality.take()
            } else {
                None
            };
            self.ledger.enqueue(PendingFinal {
                frame,
                id,
                finality,
                caught_up: true,
            });
            self.ledger.insert(snapshot);
        }
        self.catch_up.attempts = 0;
        if self.catch_up.wanted {
            // The last answer may not have been all.
            self.catch_up.retry = Some(now.tick.after(1));
        }
        self.try_seal(now, out);
    }

    /// A final frame from gossip: for a follower it is the next frame, for a member old news.
    pub(super) fn on_final_frame(
        &mut self,
        now: Now,
        origin: (GossipToken, PeerKey),
        data: &[u8],
        out: &mut Vec<Output>,
    ) {
        let Ok(message) = FinalFrame::decode(data, PROPOSAL_BYTES_MAX) else {
            out.push(Output::Verdict {
                token: origin.0,
                verdict: Verdict::Reject,
            });
            out.push(Output::Penalise {
                peer: origin.1,
                reason: "malformed",
                detail: String::new(),
            });
            return;
        };
        let head = self.ledger.final_header().number;
        let number = message.frame.header.number;
        let fresh = number > head;
        let verdict = if fresh {
            Verdict::Accept
        } else {
            Verdict::Ignore
        };
        out.push(Output::Verdict {
            token: origin.0,
            verdict,
        });
        if self.catch_up.is_busy() || !fresh {
            return;
        }
        if self.ledger.get(&message.frame.header.id()).is_some() {
            // Executed already: consensus is about to make it final here.
            return;
        }
        if number == head.next() && self.ledger.waiting() == 0 {
            self.catch_up.from = Some(origin.1);
            let finality = WireFinality::Child(Box::new(message.proof));
            self.replay(now, vec![message.frame], Some(finality), out);
        } else if number.get() > head.get().saturating_add(3) {
            self.start_catch_up(now, head, Some(origin.1), out);
        }
    }
}
