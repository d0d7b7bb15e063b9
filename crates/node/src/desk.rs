//! Answers what a master asks a worker on behalf of clients: bundles go to the engine, reads to the store and to the last
//! final states.
//!
//! Every request is answered in a task of its own, a bounded number at a time; reads and proofs run on blocking threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_engine::io::SubmitError;
use quil_engine::state::StateSource;
use quil_engine::{LocalFault, Network, Snapshot, kept_state, queries};
use quil_execution::light::{ProveError, prove_record};
use quil_execution::state::RecordKey;
use quil_execution::token::records::{
    count_key, index_key, load_coin, load_count, load_index, load_spent, nullifier_key,
};
use quil_hypergraph::ShardTable;
use quil_store::{Store, StoreError};
use quil_types::bundle::Home;
use quil_types::{
    Body, Bounded, Bytes, Canonical as _, CoinId, Domain, FrameNumber, Header, Nullifier,
    SealedFrame, ShardAddr, ShardRow, TxId,
};
use tokio::sync::Semaphore;
use tracing::warn;

use crate::persist::{StoreReader, StoreSource};
use crate::protocol::{
    CoinEntry, FRAMES_MAX, MESSAGE_BYTES_MAX, SubmitRefusal, TxStanding, WorkerRequest,
    WorkerResponse,
};
use crate::recent::Pending;
use crate::switchboard::Line;

/// Requests that are worked on at once; further ones wait.
pub const AT_ONCE: usize = 64;

/// Why a request has no answer: the fault is local, the other side learns only that there is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it holds is damaged.
    #[error(transparent)]
    Fault(#[from] LocalFault),
    /// The state cannot answer.
    #[error("state: {0}")]
    State(String),
    /// No proof.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// A task did not end.
    #[error("this process is ending")]
    Ending,
}

fn state(e: impl core::fmt::Display) -> DeskError {
    DeskError::State(e.to_string())
}

/// Answers requests about the chain of this process.
#[derive(Clone, Debug)]
pub struct Desk {
    line: Line,
    store: Arc<dyn Store>,
    network: Arc<Network>,
    room: Arc<Semaphore>,
}

impl Desk {
    /// Over the parts of a running process.
    #[must_use]
    pub fn new(line: Line, store: Arc<dyn Store>, network: Arc<Network>) -> Self {
        Self {
            line,
            store,
            network,
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Decodes a request and answers it; `None` for what is no request.
    pub async fn answer_encoded(&self, request: &[u8]) -> Option<Vec<u8>> {
        let request = WorkerRequest::decode(request, MESSAGE_BYTES_MAX).ok()?;
        Some(self.answer(request).await.encode())
    }

    /// Answers a request.
    pub async fn answer(&self, request: WorkerRequest) -> WorkerResponse {
        // The semaphore is never closed.
        let _place = self.room.acquire().await;
        let answered = match request {
            WorkerRequest::Submit(data) => Ok(self.submit(data.into_vec()).await),
            other => self.read(other).await,
        };
        answered.unwrap_or_else(|e| {
            warn!(%e, "a request cannot be answered");
            WorkerResponse::Failed
        })
    }

    async fn submit(&self, data: Vec<u8>) -> WorkerResponse {
        match self.line.submit(data).await {
            Ok(tx) => WorkerResponse::Submitted(tx),
            Err(e) => WorkerResponse::Refused(match e {
                SubmitError::Rejected(code) => SubmitRefusal::Rule(code),
                SubmitError::Malformed => SubmitRefusal::Malformed,
                SubmitError::Busy => SubmitRefusal::Busy,
                _ => SubmitRefusal::NotReady,
            }),
        }
    }

    async fn read(&self, request: WorkerRequest) -> Result<WorkerResponse, DeskError> {
        let desk = self.clone();
        let read = tokio::task::spawn_blocking(move || desk.read_now(request));
        read.await.unwrap_or(Err(DeskError::Ending))
    }

    fn read_now(&self, request: WorkerRequest) -> Result<WorkerResponse, DeskError> {
        match request {
            WorkerRequest::Frame(number) => {
                let frame = self.frame(number)?;
                Ok(WorkerResponse::Frame(frame.map(Box::new)))
            }
            WorkerRequest::Frames { limit } => {
                let frames = self.frames(usize::from(limit))?;
                Ok(WorkerResponse::Frames(bounded(frames)))
            }
            WorkerRequest::Transaction(tx) => self.standing(tx).map(WorkerResponse::Transaction),
            WorkerRequest::Scan {
                domain,
                home,
                from,
                limit,
            } => self.scan(domain, home, from, u64::from(limit)),
            WorkerRequest::Coins {
                domain,
                home,
                coins,
                nullifiers,
            } => self.coins(domain, home, &coins, &nullifiers),
            WorkerRequest::Prove { height, key, rows } => {
                let proof = self.prove(height, &key, rows.into_vec())?;
                Ok(WorkerResponse::Proof(proof.map(encoded).transpose()?))
            }
            // Submits are answered above.
            WorkerRequest::Submit(_) => Ok(WorkerResponse::Failed),
        }
    }

    fn last(&self) -> Result<Arc<Snapshot>, DeskError> {
        let last = self.line.recent().last();
        last.map(|s| s.snapshot).ok_or(DeskError::Ending)
    }

    /// A final frame; the latest without a number.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn frame(&self, number: Option<FrameNumber>) -> Result<Option<SealedFrame>, DeskError> {
        let reader = StoreReader::open(&*self.store)?;
        let number = match number {
            Some(number) => number,
            None => match queries::last_final(&reader)? {
                Some(last) => last.number,
                None => return Ok(None),
            },
        };
        Ok(queries::frame(&reader, number)?)
    }

    /// Final headers with the number of items in their bodies, newest first.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn frames(&self, limit: usize) -> Result<Vec<(Header, u32)>, DeskError> {
        let reader = StoreReader::open(&*self.store)?;
        let mut next = queries::last_final(&reader)?.map(|h| h.number);
        let mut found = Vec::new();
        while found.len() < limit.min(FRAMES_MAX) {
            let Some(frame) = next
                .map(|n| queries::frame(&reader, n))
                .transpose()?
                .flatten()
            else {
                break;
            };
            next = frame
                .header
                .number
                .get()
                .checked_sub(1)
                .map(FrameNumber::new);
            let items = items(&frame.body);
            found.push((frame.header, items));
        }
        Ok(found)
    }

    fn standing(&self, tx: TxId) -> Result<TxStanding, DeskError> {
        let reader = StoreReader::open(&*self.store)?;
        if let Some((position, receipt)) = queries::transaction(&reader, tx)? {
            return Ok(TxStanding::Final {
                number: position.number,
                index: position.index,
                fee: receipt.fee,
            });
        }
        Ok(match self.line.recent().standing(tx) {
            Some(Pending::Accepted) => TxStanding::Accepted,
            Some(Pending::Included(number)) => TxStanding::Included { number },
            None => TxStanding::Unknown,
        })
    }

    fn coin(
        &self,
        view: &Snapshot,
        (domain, home): (Domain, Home),
        index: Option<u64>,
        id: CoinId,
    ) -> Result<Option<CoinEntry>, DeskError> {
        let genesis = self.network.rules().genesis;
        let record = load_coin(view, genesis, domain, home, id).map_err(state)?;
        let entry = record
            .map(|r| Bytes::try_from(r.encode()).map(|record| CoinEntry { index, id, record }));
        entry.transpose().map_err(state)
    }

    fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u64,
    ) -> Result<WorkerResponse, DeskError> {
        let view = self.last()?;
        let count = load_count(&*view, &count_key(domain, home)).map_err(state)?;
        let most = u64::try_from(crate::protocol::COINS_MAX).unwrap_or(u64::MAX);
        let end = count.unwrap_or(0).min(from.saturating_add(limit.min(most)));
        let mut coins = Vec::new();
        for index in from..end {
            let id = load_index(&*view, &index_key(domain, home, index)).map_err(state)?;
            let coin = id.map(|id| self.coin(&view, (domain, home), Some(index), id));
            coins.extend(coin.transpose()?.flatten());
        }
        Ok(WorkerResponse::Coins {
            coins: bounded(coins),
            next: end.max(from),
            spent: Bounded::new(),
            number: view.number(),
        })
    }

    fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: &[CoinId],
        nullifiers: &[Nullifier],
    ) -> Result<WorkerResponse, DeskError> {
        let view = self.last()?;
        let mut found = Vec::new();
        for id in coins {
            found.extend(self.coin(&view, (domain, home), None, *id)?);
        }
        let spent = |n: &Nullifier| {
            let mark = load_spent(&*view, &nullifier_key(domain, home, *n));
            mark.map(|m| m.is_some()).map_err(state)
        };
        let spent: Vec<bool> = nullifiers.iter().map(spent).collect::<Result<_, _>>()?;
        Ok(WorkerResponse::Coins {
            coins: bounded(found),
            next: 0,
            spent: bounded(spent),
            number: view.number(),
        })
    }

    /// One opening for the shard's row and the record (S4): the table's trie is made again from its rows.
    fn prove(
        &self,
        height: FrameNumber,
        key: &[u8; 64],
        rows: Vec<(ShardAddr, ShardRow)>,
    ) -> Result<Option<quil_execution::light::RecordProof>, DeskError> {
        let chain = self.last()?.header().chain;
        let source: Arc<dyn StateSource> = Arc::new(StoreSource::over(Arc::clone(&self.store)));
        let Some(view) = kept_state(chain, height, &source)? else {
            return Ok(None);
        };
        let kzg = self.network.kzg();
        let rows: BTreeMap<ShardAddr, ShardRow> = rows.into_iter().collect();
        let updated = ShardTable::empty().update(kzg, height.get(), &rows);
        let (table, _) = updated.map_err(state)?;
        let key = RecordKey::from_bytes(key);
        Ok(Some(prove_record(kzg, &table, view.graph(), &key)?))
    }
}

fn encoded<const N: usize>(
    proof: quil_execution::light::RecordProof,
) -> Result<Bytes<N>, DeskError> {
    Bytes::try_from(proof.encode()).map_err(state)
}

/// Number of items in a body.
pub(crate) fn items(body: &Body) -> u32 {
    let items = match body {
        Body::Global(updates) => updates.len(),
        Body::Shard(bundles) => bundles.len(),
    };
    u32::try_from(items).unwrap_or(u32::MAX)
}

/// Callers stop at the bound.
fn bounded<T, const N: usize>(items: Vec<T>) -> Bounded<T, N> {
    Bounded::try_from(items).unwrap_or_default()
}
