//! The asynchronous side of a process: gossip, requests of peers and clients, events.
//!
//! The engine thread hands its outputs over a bounded queue and waits while it is full; this side never waits for the
//! engine, so the two cannot block each other.

mod fetch;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use quil_engine::Network;
use quil_engine::io::{Event, GossipToken, Input, Output, RequestToken, SubmitError, Verdict};
use quil_p2p::blossomsub::{Mask, MessageId, Verdict as GossipVerdict};
use quil_p2p::{Ended, HostEvent, HostEvents, HostHandle, JoinError, Penalty};
use quil_store::Store;
use quil_types::{Chain, Epoch, FrameNumber, PeerKey, Rank, Timestamp, TxId};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{debug, warn};

use crate::drive::{EngineHandle, Outside, Stop};
use crate::recent::Recent;
use topics::{class_of, mask_of, topics};

/// Outputs that wait for this side; the engine waits when it is full.
pub const OUTPUTS: usize = 1024;
/// Calls that wait for this side.
pub const CALLS: usize = 256;
/// Events a subscriber may lag behind before it loses the oldest.
pub const EVENTS: usize = 1024;
/// Gossip messages whose verdict is awaited; the oldest is forgotten, and so never forwarded.
pub const VERDICTS_MAX: usize = 4096;
/// Bundles whose answer is awaited; further ones are refused as busy.
pub const SUBMITS_MAX: usize = 1024;

/// Where a chain stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainStatus {
    /// Highest frame proposed or certified.
    pub head: FrameNumber,
    /// Last final frame.
    pub final_number: FrameNumber,
    /// Its timestamp.
    pub final_time: Timestamp,
    /// Current epoch.
    pub epoch: Epoch,
    /// Current rank.
    pub rank: Rank,
}

impl ChainStatus {
    /// Where a chain starts: at its last final frame.
    fn of(recent: &Recent) -> Self {
        let Some(last) = recent.last() else {
            return Self::default();
        };
        let header = last.snapshot.header();
        Self {
            head: header.number,
            final_number: header.number,
            final_time: header.timestamp,
            epoch: header.epoch,
            rank: header.rank,
        }
    }
}

/// The engine stopped by itself; the process should end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct EngineStopped {
    why: String,
    exit_code: u8,
}

/// Why a switchboard ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The engine.
    #[error("engine: {0}")]
    Engine(#[from] EngineStopped),
    /// The host.
    #[error(transparent)]
    Host(#[from] Ended),
    /// A topic could not be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
}

impl SwitchError {
    /// The code that the process exits with: what the store says for its faults, 1 for the rest.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Engine(stopped) => stopped.exit_code,
            Self::Host(_) | Self::Join(_) => 1,
        }
    }
}

/// The engine's end of a switchboard, made before the engine starts.
#[derive(Debug)]
pub struct Port {
    outputs: mpsc::Sender<Output>,
    end: Arc<Mutex<Option<EngineStopped>>>,
}

impl Outside for Port {
    fn carry_out(&mut self, output: Output) {
        // An error means that the process is ending.
        let _ending = self.outputs.blocking_send(output);
    }

    fn stopped(&mut self, reason: &Stop) {
        if !matches!(reason, Stop::Asked) {
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            *end = Some(EngineStopped {
                why: reason.to_string(),
                exit_code: reason.exit_code(),
            });
        }
    }
}

/// The other end of a [`Port`].
#[derive(Debug)]
pub struct Socket {
    outputs: mpsc::Receiver<Output>,
    end: Arc<Mutex<Option<EngineStopped>>>,
}

/// Makes both ends.
#[must_use]
pub fn port() -> (Port, Socket) {
    let (send, outputs) = mpsc::channel(OUTPUTS);
    let end = Arc::<Mutex<Option<EngineStopped>>>::default();
    (
        Port {
            outputs: send,
            end: Arc::clone(&end),
        },
        Socket { outputs, end },
    )
}

/// What a switchboard connects.
#[derive(Debug)]
pub struct Wiring {
    /// The network.
    pub network: Arc<Network>,
    /// The engine's chain.
    pub chain: Chain,
    /// The engine.
    pub engine: EngineHandle,
    /// Its outputs.
    pub socket: Socket,
    /// The host.
    pub host: HostHandle,
    /// Its events.
    pub events: HostEvents,
    /// The state, for requests of peers.
    pub state: Arc<dyn Store>,
    /// Takes note of what happens, for readers; starts with the recovered state.
    pub recent: Recent,
}

enum Call {
    Submit {
        data: Vec<u8>,
        answer: oneshot::Sender<Result<TxId, SubmitError>>,
    },
    Settle {
        data: Vec<u8>,
        from: PeerKey,
    },
}

/// Calls a running switchboard. It ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Line {
    calls: mpsc::Sender<Call>,
    events: broadcast::Sender<Arc<Event>>,
    status: watch::Receiver<ChainStatus>,
    recent: Recent,
}

impl Line {
    /// Hands a bundle to the engine and waits for its answer.
    ///
    /// # Errors
    /// [`SubmitError`]; [`SubmitError::NotReady`] when the process is ending.
    pub async fn submit(&self, data: Vec<u8>) -> Result<TxId, SubmitError> {
        let (answer, wait) = oneshot::channel();
        let sent = self.calls.send(Call::Submit { data, answer }).await;
        sent.map_err(|_| SubmitError::NotReady)?;
        wait.await.unwrap_or(Err(SubmitError::NotReady))
    }

    /// Hands an encoded [`quil_types::SettlementMessage`] of an own worker to the engine and publishes it (S1).
    ///
    /// # Errors
    /// [`Ended`]: the process is ending.
    pub async fn settle(&self, from: PeerKey, data: Vec<u8>) -> Result<(), Ended> {
        self.calls
            .send(Call::Settle { data, from })
            .await
            .map_err(|_| Ended)
    }

    /// Events from now on. A subscriber that lags loses the oldest ones and is told so.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Arc<Event>> {
        self.events.subscribe()
    }

    /// Where the chain stands, and when that changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<ChainStatus> {
        self.status.clone()
    }

    /// The last final states and the standing of submitted bundles.
    #[must_use]
    pub const fn recent(&self) -> &Recent {
        &self.recent
    }
}

/// Connects an engine with its host. Drive it by [`Switchboard::run`].
#[derive(Debug)]
pub struct Switchboard {
    wiring: Wiring,
    calls: mpsc::Receiver<Call>,
    events: broadcast::Sender<Arc<Event>>,
    status: watch::Sender<ChainStatus>,
    tokens: u64,
    verdicts: BTreeMap<u64, MessageId>,
    submits: BTreeMap<u64, oneshot::Sender<Result<TxId, SubmitError>>>,
}

impl core::fmt::Debug for Call {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Submit { .. } => "Submit",
            Self::Settle { .. } => "Settle",
        })
    }
}

impl Switchboard {
    /// Joins the topics of the chain.
    ///
    /// # Errors
    /// [`SwitchError::Join`].
    pub async fn connect(wiring: Wiring) -> Result<(Self, Line), SwitchError> {
        for (mask, _) in topics(wiring.chain) {
            wiring.host.subscribe(mask).await?;
        }
        let (call, calls) = mpsc::channel(CALLS);
        let (events, _) = broadcast::channel(EVENTS);
        let (status, watch) = watch::channel(ChainStatus::of(&wiring.recent));
        let line = Line {
            calls: call,
            events: events.clone(),
            status: watch,
            recent: wiring.recent.clone(),
        };
        let board = Self {
            wiring,
            calls,
            events,
            status,
            tokens: 0,
            verdicts: BTreeMap::new(),
            submits: BTreeMap::new(),
        };
        Ok((board, line))
    }

    /// Runs until the engine or the host ends, or the last [`Line`] is dropped. Then stops the engine; the host stays.
    ///
    /// # Errors
    /// [`SwitchError`], unless the end was asked for.
    pub async fn run(mut self) -> Result<(), SwitchError> {
        let done = self.turn().await;
        self.wiring.engine.stop();
        // The engine may wait for room in this queue.
        self.wiring.socket.outputs.close();
        done
    }

    async fn turn(&mut self) -> Result<(), SwitchError> {
        loop {
            tokio::select! {
                output = self.wiring.socket.outputs.recv() => match output {
                    Some(output) => self.on_output(output).await?,
                    None => return self.ended(),
                },
                event = self.wiring.events.next() => self.on_host(event.ok_or(Ended)?).await?,
                call = self.calls.recv() => match call {
                    Some(Call::Submit { data, answer }) => self.on_submit(data, answer),
                    Some(Call::Settle { data, from }) => self.on_settle(data, from).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    fn ended(&self) -> Result<(), SwitchError> {
        let end = self
            .wiring
            .socket
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        end.map_or(Ok(()), |stopped| Err(stopped.into()))
    }

    const fn token(&mut self) -> u64 {
        self.tokens = self.tokens.wrapping_add(1);
        self.tokens
    }

    async fn on_output(&mut self, output: Output) -> Result<(), SwitchError> {
        match output {
            Output::Publish { class, data } => match mask_of(class) {
                Some(mask) => self.publish(mask, data).await?,
                None => debug!(?class, "nothing listens to this class"),
            },
            Output::Verdict { token, verdict } => {
                if let Some(id) = self.verdicts.remove(&token.0) {
                    self.wiring
                        .host
                        .report_validation(id, gossip_verdict(verdict))
                        .await?;
                }
            }
            Output::Fetch {
                token,
                request,
                hint,
            } => {
                fetch::spawn(&self.wiring, token, &request, hint);
            }
            Output::Penalise {
                peer,
                reason,
                detail,
            } => {
                debug!(%peer, reason, detail, "a peer broke a rule");
                self.wiring
                    .host
                    .penalise(peer, Penalty::BadResponse)
                    .await?;
            }
            Output::Submitted { token, result } => {
                if let Ok(tx) = result {
                    self.wiring.recent.accepted(tx);
                }
                if let Some(answer) = self.submits.remove(&token.0) {
                    // The client may have gone.
                    let _gone = answer.send(result);
                }
            }
            Output::Event(event) => self.on_event(event),
            // The driver carries these out itself.
            Output::Persist { .. }
            | Output::Run(_)
            | Output::CancelSolve
            | Output::Deadline(_)
            | Output::Halt(_) => {}
        }
        Ok(())
    }

    async fn publish(&self, mask: Mask, data: Vec<u8>) -> Result<(), Ended> {
        match self.wiring.host.publish(mask, Bytes::from(data)).await {
            Ok(_) => Ok(()),
            Err(quil_p2p::SendError::Ended(ended)) => Err(ended),
            Err(e) => {
                debug!(?mask, %e, "not published");
                Ok(())
            }
        }
    }

    fn on_event(&self, event: Event) {
        // First, so that whoever is woken by the status finds it noted.
        self.wiring.recent.note(&event);
        self.status.send_if_modified(|status| match &event {
            Event::Head {
                number,
                epoch,
                rank,
                ..
            } => {
                status.head = *number;
                status.epoch = *epoch;
                status.rank = *rank;
                true
            }
            Event::Final { header, .. } => {
                status.final_number = header.number;
                status.final_time = header.timestamp;
                true
            }
            _ => false,
        });
        // Nobody listening is fine.
        let _unheard = self.events.send(Arc::new(event));
    }

    async fn on_host(&mut self, event: HostEvent) -> Result<(), SwitchError> {
        match event {
            HostEvent::Message {
                id,
                mask,
                data,
                from,
            } => self.on_message(id, mask, &data, from).await?,
            HostEvent::Request { peer, data, reply } => {
                fetch::serve(&self.wiring, peer, data, reply);
            }
            other => debug!(?other, "host"),
        }
        Ok(())
    }

    async fn on_message(
        &mut self,
        id: MessageId,
        mask: Mask,
        data: &[u8],
        from: PeerKey,
    ) -> Result<(), Ended> {
        let token = self.token();
        let input = class_of(self.wiring.chain, &mask).map(|class| Input::Gossip {
            token: GossipToken(token),
            from,
            class,
            data: data.to_vec(),
        });
        if input.is_none_or(|i| self.wiring.engine.offer(i).is_err()) {
            // Not ours, or more than we can look at.
            return self
                .wiring
                .host
                .report_validation(id, GossipVerdict::Ignore)
                .await;
        }
        self.verdicts.insert(token, id);
        if self.verdicts.len() > VERDICTS_MAX {
            self.verdicts.pop_first();
        }
        Ok(())
    }

    fn on_submit(&mut self, data: Vec<u8>, answer: oneshot::Sender<Result<TxId, SubmitError>>) {
        let token = self.token();
        let input = Input::Submit {
            token: RequestToken(token),
            data,
        };
        let full = self.submits.len() >= SUBMITS_MAX;
        if full || self.wiring.engine.offer(input).is_err() {
            let _gone = answer.send(Err(SubmitError::Busy));
            return;
        }
        self.submits.insert(token, answer);
    }

    async fn on_settle(&mut self, data: Vec<u8>, from: PeerKey) -> Result<(), SwitchError> {
        let token = GossipToken(self.token());
        let class = quil_engine::io::Class::Settlement;
        let input = Input::Gossip {
            token,
            from,
            class,
            data: data.clone(),
        };
        if self.wiring.engine.offer(input).is_err() {
            warn!("the engine is busy; an update of our worker reaches the others only");
        }
        Ok(self.publish(Mask::GLOBAL_UPDATES, data).await?)
    }
}

const fn gossip_verdict(verdict: Verdict) -> GossipVerdict {
    match verdict {
        Verdict::Accept => GossipVerdict::Accept,
        Verdict::Ignore => GossipVerdict::Ignore,
        Verdict::Reject => GossipVerdict::Reject,
    }
}
