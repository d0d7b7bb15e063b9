//! A link after `Hello`: two tasks, one reading and one writing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures::{
    AsyncReadExt as _, AsyncWriteExt as _,
    io::{ReadHalf, WriteHalf},
};
use quil_types::PeerKey;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::{IpcError, IpcFrame, Secured, Timing, WorkerCert, frame};
use crate::limits::{IPC_FRAME_BYTES_MAX, IPC_QUEUE_MAX, IPC_REQUESTS_MAX};

/// What the other side sends.
#[derive(Debug)]
#[non_exhaustive]
pub enum IpcEvent {
    /// A published message.
    Publish {
        /// Private topic.
        topic: Bytes,
        /// Payload.
        data: Bytes,
    },
    /// A request: answer by [`IpcReply::send`]. Dropping `reply` tells the other side so.
    Request {
        /// Payload.
        data: Bytes,
        /// Where the answer goes.
        reply: IpcReply,
    },
    /// The link has ended; the last event.
    Ended(IpcError),
}

enum Work {
    Frame(IpcFrame),
    /// Write what waits, then close the stream.
    Close,
}

type Waiters = BTreeMap<u64, oneshot::Sender<Result<Bytes, IpcError>>>;

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    waiters: Waiters,
    /// Set once: requests that come later fail at once.
    ended: Option<IpcError>,
}

#[derive(Clone, Debug, Default)]
struct Open(Arc<Mutex<Waiting>>);

impl Open {
    /// The state stays consistent even if a holder panicked: every critical section is one map operation.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, error: &IpcError) {
        let mut open = self.lock();
        open.ended.get_or_insert_with(|| error.clone());
        for (_, waiter) in core::mem::take(&mut open.waiters) {
            // Whoever asked may have stopped waiting.
            let _gone = waiter.send(Err(error.clone()));
        }
    }
}

/// Forgets a request when its asker stops waiting.
struct Forget<'a>(&'a Open, u64);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.lock().waiters.remove(&self.1);
    }
}

/// Sends on a link. Cheap to clone; outlives the session harmlessly (every call then fails with [`IpcError::Closed`]).
#[derive(Clone, Debug)]
pub struct IpcSender {
    work: mpsc::Sender<Work>,
    open: Open,
    timing: Timing,
}

impl core::fmt::Debug for Work {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Frame(_) => "Frame",
            Self::Close => "Close",
        })
    }
}

impl IpcSender {
    fn closed(&self) -> IpcError {
        self.open.lock().ended.clone().unwrap_or(IpcError::Closed)
    }

    async fn put(&self, frame: IpcFrame) -> Result<(), IpcError> {
        self.work
            .send(Work::Frame(frame))
            .await
            .map_err(|_| self.closed())
    }

    /// Publishes to the other side; waits while the queue is full. Cancel safe: dropped before it returns, nothing is sent.
    ///
    /// # Errors
    /// [`IpcError::TooLarge`], or why the link ended.
    pub async fn publish(&self, topic: &[u8], data: Bytes) -> Result<(), IpcError> {
        self.put(published(topic, data)?).await
    }

    /// The same, but fails when the queue is full.
    ///
    /// # Errors
    /// [`IpcError::TooLarge`], [`IpcError::Full`], or why the link ended.
    pub fn try_publish(&self, topic: &[u8], data: Bytes) -> Result<(), IpcError> {
        self.work
            .try_send(Work::Frame(published(topic, data)?))
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => IpcError::Full,
                mpsc::error::TrySendError::Closed(_) => self.closed(),
            })
    }

    /// Asks the other side and waits for its answer. Cancel safe: dropped, the answer is lost and nothing else.
    ///
    /// # Errors
    /// [`IpcError::TooLarge`], [`IpcError::Busy`], [`IpcError::RequestTimeout`], [`IpcError::Dropped`], or why the link
    /// ended.
    pub async fn request(&self, data: Bytes) -> Result<Bytes, IpcError> {
        let data = Vec::from(data).try_into().map_err(|_| IpcError::TooLarge)?;
        let (id, answer) = self.register()?;
        let _forget = Forget(&self.open, id);
        let ask = async {
            self.put(IpcFrame::Request { id, data }).await?;
            answer.await.unwrap_or_else(|_| Err(self.closed()))
        };
        timeout(self.timing.request, ask)
            .await
            .unwrap_or(Err(IpcError::RequestTimeout))
    }

    fn register(&self) -> Result<(u64, oneshot::Receiver<Result<Bytes, IpcError>>), IpcError> {
        let mut open = self.open.lock();
        if let Some(error) = &open.ended {
            return Err(error.clone());
        }
        if open.waiters.len() >= IPC_REQUESTS_MAX {
            return Err(IpcError::Busy);
        }
        let id = open.next;
        open.next = open.next.wrapping_add(1);
        let (tx, rx) = oneshot::channel();
        open.waiters.insert(id, tx);
        Ok((id, rx))
    }
}

fn published(topic: &[u8], data: Bytes) -> Result<IpcFrame, IpcError> {
    let topic = topic.to_vec().try_into().map_err(|_| IpcError::TooLarge)?;
    let data = Vec::from(data).try_into().map_err(|_| IpcError::TooLarge)?;
    Ok(IpcFrame::Publish { topic, data })
}

/// The right to answer one request, once.
#[derive(Debug)]
pub struct IpcReply {
    id: u64,
    /// `None` once answered.
    work: Option<mpsc::Sender<Work>>,
}

impl IpcReply {
    /// Answers; waits while the queue is full.
    ///
    /// # Errors
    /// [`IpcError::TooLarge`], and the other side is told that the request was dropped; [`IpcError::Closed`].
    pub async fn send(mut self, data: Bytes) -> Result<(), IpcError> {
        let data = Vec::from(data).try_into().map_err(|_| IpcError::TooLarge)?;
        let Some(work) = self.work.take() else {
            return Err(IpcError::Closed);
        };
        let frame = IpcFrame::Response {
            id: self.id,
            data: Some(data),
        };
        work.send(Work::Frame(frame))
            .await
            .map_err(|_| IpcError::Closed)
    }
}

impl Drop for IpcReply {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            // A full queue or an ended link: the asker's timeout or the end of the link tells it.
            let _untold = work.try_send(Work::Frame(IpcFrame::Response {
                id: self.id,
                data: None,
            }));
        }
    }
}

/// One link. Dropping it ends the link at once; [`Self::close`] writes what waits first.
#[derive(Debug)]
pub struct IpcSession {
    peer: PeerKey,
    cert: WorkerCert,
    sender: IpcSender,
    events: mpsc::Receiver<IpcEvent>,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl IpcSession {
    pub(super) fn start<T: Secured>(
        io: T,
        peer: PeerKey,
        cert: WorkerCert,
        timing: Timing,
    ) -> Self {
        let (read, write) = io.split();
        let (work, work_rx) = mpsc::channel(IPC_QUEUE_MAX);
        let (event_tx, events) = mpsc::channel(IPC_QUEUE_MAX);
        let open = Open::default();
        let sender = IpcSender {
            work: work.clone(),
            open: open.clone(),
            timing,
        };
        let writer = tokio::spawn(run_writer(write, work_rx, open.clone(), timing));
        let reader = tokio::spawn(run_reader(read, event_tx, work, open, timing));
        Self {
            peer,
            cert,
            sender,
            events,
            reader,
            writer,
        }
    }

    /// Identity of the other side, proven by the handshake.
    #[must_use]
    pub const fn peer(&self) -> PeerKey {
        self.peer
    }

    /// The worker's certificate, on both sides of the link.
    #[must_use]
    pub const fn cert(&self) -> &WorkerCert {
        &self.cert
    }

    /// A sender.
    #[must_use]
    pub fn sender(&self) -> IpcSender {
        self.sender.clone()
    }

    /// The next event; `None` after [`IpcEvent::Ended`]. Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<IpcEvent> {
        self.events.recv().await
    }

    /// Writes what waits, closes the stream and ends the link.
    pub async fn close(mut self) {
        // An error means that it has ended already.
        let _ended = self.sender.work.send(Work::Close).await;
        let _ended = timeout(self.sender.timing.silence, &mut self.writer).await;
    }
}

impl Drop for IpcSession {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
        self.sender.open.end(&IpcError::Closed);
    }
}

async fn run_writer<T: Secured>(
    mut io: WriteHalf<T>,
    mut work: mpsc::Receiver<Work>,
    open: Open,
    timing: Timing,
) {
    let error = loop {
        let frame = match timeout(timing.heartbeat, work.recv()).await {
            Err(_) => IpcFrame::Heartbeat,
            Ok(Some(Work::Frame(frame))) => frame,
            Ok(Some(Work::Close) | None) => break IpcError::Closed,
        };
        match timeout(timing.silence, frame::write(&mut io, &frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => break error,
            Err(_) => break IpcError::Silence,
        }
    };
    // The reader, or its absence, reports the end; here only the waiting requests are told.
    open.end(&error);
    let _closed = timeout(timing.silence, io.close()).await;
}

async fn run_reader<T: Secured>(
    mut io: ReadHalf<T>,
    events: mpsc::Sender<IpcEvent>,
    work: mpsc::Sender<Work>,
    open: Open,
    timing: Timing,
) {
    let error = loop {
        let read = timeout(timing.silence, frame::read(&mut io, IPC_FRAME_BYTES_MAX)).await;
        let event = match read.unwrap_or(Err(IpcError::Silence)) {
            Ok(IpcFrame::Heartbeat) => continue,
            Ok(IpcFrame::Publish { topic, data }) => IpcEvent::Publish {
                topic: topic.into_vec().into(),
                data: data.into_vec().into(),
            },
            Ok(IpcFrame::Request { id, data }) => IpcEvent::Request {
                data: data.into_vec().into(),
                reply: IpcReply {
                    id,
                    work: Some(work.clone()),
                },
            },
            Ok(IpcFrame::Response { id, data }) => {
                if let Some(waiter) = open.lock().waiters.remove(&id) {
                    let answer = data.map(|d| d.into_vec().into()).ok_or(IpcError::Dropped);
                    let _gone = waiter.send(answer);
                }
                continue;
            }
            Ok(IpcFrame::Hello(_)) => break IpcError::Unexpected,
            Err(error) => break error,
        };
        if events.send(event).await.is_err() {
            break IpcError::Closed;
        }
    };
    open.end(&error);
    // The writer ends with the link, also when senders live on.
    let _ended = work.try_send(Work::Close);
    let _gone = events.send(IpcEvent::Ended(error)).await;
}
