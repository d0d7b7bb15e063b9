//! What flows between a master and its worker (W4): final global headers down, final shard frames up.
//!
//! The master sends headers from its store, one after the other from where the worker says it stands: however far a
//! worker is behind, none is left out (R5). Both ends run until the session ends; each direction has a future of its
//! own, so that a full queue of one does not hold up the other. Requests of clients go down and are answered in tasks.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quil_engine::io::{Event, Input};
use quil_engine::tables::{Reader as _, Table};
use quil_engine::{LocalFault, queries};
use quil_p2p::ipc::{IpcError, IpcEvent, IpcSender, IpcSession};
use quil_store::{Store, StoreError};
use quil_types::limits::HEADER_BYTES_MAX;
use quil_types::{Canonical, FrameNumber, Header, PeerKey, SettlementMessage};
use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, warn};

use crate::desk::Desk;
use crate::drive::EngineHandle;
use crate::persist::StoreReader;
use crate::protocol::{
    MESSAGE_BYTES_MAX, Progress, ShardFinal, TOPIC_GLOBAL_FINAL, TOPIC_HELLO, TOPIC_PROGRESS,
    TOPIC_SHARD_FINAL, WorkerHello,
};
use crate::seats::Seat;
use crate::switchboard::{ChainStatus, Line};

/// Headers read from the store at once.
const HEADERS_AT_ONCE: usize = 64;
/// A worker says so often where it stands: the sign of life that its master waits for.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The session.
    #[error(transparent)]
    Ipc(#[from] IpcError),
    /// The own store cannot be read.
    #[error(transparent)]
    Fault(#[from] LocalFault),
    /// The own store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other side sent what the protocol does not know.
    #[error("unexpected message on {0}")]
    Protocol(&'static str),
    /// Another process of this core has a link already (I1).
    #[error("another process of this core is connected")]
    Taken,
    /// The own engine or switchboard has ended.
    #[error("this process is ending")]
    Ending,
}

/// Where a worker stands, for its hello.
///
/// # Errors
/// [`LinkError::Store`], [`LinkError::Fault`].
pub fn hello_of(state: &dyn Store) -> Result<WorkerHello, LinkError> {
    let reader = StoreReader::open(state)?;
    let global = match reader.last(Table::GlobalHeaders)? {
        Some((_, bytes)) => decode::<Header>(&bytes, HEADER_BYTES_MAX, "the store")?.number,
        None => FrameNumber::ZERO,
    };
    let last = queries::last_final(&reader)?;
    let number = last.map_or(FrameNumber::ZERO, |h| h.number);
    Ok(WorkerHello { global, number })
}

fn decode<T: Canonical>(bytes: &[u8], cap: usize, topic: &'static str) -> Result<T, LinkError> {
    T::decode(bytes, cap).map_err(|_| LinkError::Protocol(topic))
}

/// The worker's end. Returns when the session has ended: then the process ends too.
///
/// # Errors
/// [`LinkError`], always: a link has no good end.
pub async fn run_worker_link(
    session: IpcSession,
    hello: WorkerHello,
    line: &Line,
    engine: &EngineHandle,
    desk: &Desk,
) -> LinkError {
    let sender = session.sender();
    let up = hand_up(sender, hello, line);
    let down = take_headers(session, engine, desk);
    let ended = tokio::select! {
        ended = up => ended,
        ended = down => ended,
    };
    ended.err().unwrap_or(LinkError::Ending)
}

async fn hand_up(sender: IpcSender, hello: WorkerHello, line: &Line) -> Result<(), LinkError> {
    let mut events = line.events();
    let status = line.status();
    sender
        .publish(TOPIC_HELLO.as_bytes(), Bytes::from(hello.encode()))
        .await?;
    let mut beat = tokio::time::interval(PROGRESS_EVERY);
    loop {
        tokio::select! {
            _ = beat.tick() => {
                let progress = progress_of(*status.borrow()).encode();
                sender.publish(TOPIC_PROGRESS.as_bytes(), Bytes::from(progress)).await?;
            }
            event = events.recv() => match event {
                Ok(event) => hand_up_event(&sender, &event).await?,
                // A later update covers what was missed (S1).
                Err(RecvError::Lagged(missed)) => debug!(missed, "events were missed"),
                Err(RecvError::Closed) => return Err(LinkError::Ending),
            },
        }
    }
}

const fn progress_of(status: ChainStatus) -> Progress {
    Progress {
        head: status.head,
        final_number: status.final_number,
        final_ms: status.final_time.get(),
        epoch: status.epoch,
        rank: status.rank,
    }
}

async fn hand_up_event(sender: &IpcSender, event: &Event) -> Result<(), LinkError> {
    let Event::Final { header, proof, .. } = event else {
        return Ok(());
    };
    let message = ShardFinal {
        header: (**header).clone(),
        proof: proof.as_deref().cloned(),
    };
    let data = Bytes::from(message.encode());
    Ok(sender.publish(TOPIC_SHARD_FINAL.as_bytes(), data).await?)
}

async fn take_headers(
    mut session: IpcSession,
    engine: &EngineHandle,
    desk: &Desk,
) -> Result<(), LinkError> {
    while let Some(event) = session.next().await {
        match event {
            IpcEvent::Publish { topic, data } if topic == TOPIC_GLOBAL_FINAL.as_bytes() => {
                let header = decode(&data, HEADER_BYTES_MAX, TOPIC_GLOBAL_FINAL)?;
                let input = Input::GlobalFinal(Box::new(header));
                engine.deliver(input).await.map_err(|_| LinkError::Ending)?;
            }
            IpcEvent::Request { data, reply } => {
                let desk = desk.clone();
                tokio::spawn(async move {
                    // Without an answer the reply is dropped, which tells the master so.
                    if let Some(answer) = desk.answer_encoded(&data).await
                        && let Err(e) = reply.send(Bytes::from(answer)).await
                    {
                        debug!(%e, "an answer came too late");
                    }
                });
            }
            IpcEvent::Ended(error) => return Err(error.into()),
            other => debug!(?other, "nothing answers this"),
        }
    }
    Err(LinkError::Ending)
}

/// The master's end, for one worker. Returns when the session has ended.
///
/// # Errors
/// [`LinkError`], always: a link has no good end.
pub async fn run_master_link(
    mut session: IpcSession,
    line: &Line,
    state: &Arc<dyn Store>,
    seat: &Seat,
) -> LinkError {
    let hello = match first(&mut session).await {
        Ok(hello) => hello,
        Err(error) => return error,
    };
    let (sender, worker) = (session.sender(), session.peer());
    let Some(_taken) = seat.take(sender.clone(), hello) else {
        return LinkError::Taken;
    };
    let down = hand_down(sender, hello.global, line, state);
    let up = take_finals(session, worker, line, seat);
    let ended = tokio::select! {
        ended = down => ended,
        ended = up => ended,
    };
    ended.err().unwrap_or(LinkError::Ending)
}

async fn first(session: &mut IpcSession) -> Result<WorkerHello, LinkError> {
    match session.next().await {
        Some(IpcEvent::Publish { topic, data }) if topic == TOPIC_HELLO.as_bytes() => {
            decode(&data, MESSAGE_BYTES_MAX, TOPIC_HELLO)
        }
        Some(IpcEvent::Ended(error)) => Err(error.into()),
        _ => Err(LinkError::Protocol(TOPIC_HELLO)),
    }
}

async fn hand_down(
    sender: IpcSender,
    mut last: FrameNumber,
    line: &Line,
    state: &Arc<dyn Store>,
) -> Result<(), LinkError> {
    let mut status = line.status();
    loop {
        status.borrow_and_update();
        loop {
            let headers = headers_after(Arc::clone(state), last).await?;
            let Some(newest) = headers.last().map(|h| h.number) else {
                break;
            };
            for header in &headers {
                let data = Bytes::from(header.encode());
                sender.publish(TOPIC_GLOBAL_FINAL.as_bytes(), data).await?;
            }
            last = newest;
        }
        status.changed().await.map_err(|_| LinkError::Ending)?;
    }
}

/// Final headers behind `last`, in order.
async fn headers_after(state: Arc<dyn Store>, last: FrameNumber) -> Result<Vec<Header>, LinkError> {
    let read = move || -> Result<Vec<Header>, LinkError> {
        let reader = StoreReader::open(&*state)?;
        let mut headers = Vec::new();
        let mut next = last.next();
        while headers.len() < HEADERS_AT_ONCE {
            let Some(frame) = queries::frame(&reader, next)? else {
                break;
            };
            next = next.next();
            headers.push(frame.header);
        }
        Ok(headers)
    };
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or(Err(LinkError::Ending))
}

async fn take_finals(
    mut session: IpcSession,
    worker: PeerKey,
    line: &Line,
    seat: &Seat,
) -> Result<(), LinkError> {
    while let Some(event) = session.next().await {
        match event {
            IpcEvent::Publish { topic, data } if topic == TOPIC_SHARD_FINAL.as_bytes() => {
                let message: ShardFinal = decode(&data, MESSAGE_BYTES_MAX, TOPIC_SHARD_FINAL)?;
                seat.heard(Progress {
                    final_number: message.header.number,
                    final_ms: message.header.timestamp.get(),
                    ..seat.progress()
                });
                if let Some(proof) = message.proof {
                    let update = SettlementMessage::Update(Box::new(proof)).encode();
                    line.settle(worker, update)
                        .await
                        .map_err(|_| LinkError::Ending)?;
                }
            }
            IpcEvent::Publish { topic, data } if topic == TOPIC_PROGRESS.as_bytes() => {
                seat.heard(decode(&data, MESSAGE_BYTES_MAX, TOPIC_PROGRESS)?);
            }
            IpcEvent::Ended(error) => return Err(error.into()),
            other => warn!(?other, "a worker sent what nothing answers"),
        }
    }
    Err(LinkError::Ending)
}
