//! What the public API asks of a node: the global chain from its own store, shards from its workers.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use quil_api::backend::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, Readiness,
    ShardList, ShardView, TxState, TxView, WorkerView,
};
use quil_api::{ApiError, Backend};
use quil_engine::light::LightProof;
use quil_engine::{Network, queries};
use quil_execution::light::{RECORD_PROOF_BYTES_MAX, RecordProof};
use quil_p2p::HostHandle;
use quil_store::Store;
use quil_types::bundle::Home;
use quil_types::{
    Bounded, Canonical as _, Chain, CoinId, Domain, Epoch, EpochProof, FrameNumber, GenesisHash,
    Nullifier, ShardAddr, Timestamp, TxId,
};
use tracing::error;

use crate::desk::{Desk, DeskError};
use crate::persist::StoreReader;
use crate::protocol::{CoinEntry, SubmitRefusal, TxStanding, WorkerRequest, WorkerResponse};
use crate::seats::{AskError, Seat};
use crate::switchboard::{ChainStatus, Line};

/// A chain is fresh while its last final frame is no older than so many intervals.
const FRESH_INTERVALS: u64 = 6;

/// See the module documentation.
pub struct Service {
    line: Line,
    desk: Desk,
    store: Arc<dyn Store>,
    host: HostHandle,
    network: Arc<Network>,
    seats: Vec<Seat>,
    genesis: Arc<[u8]>,
    peer_id: String,
    started: Instant,
}

impl core::fmt::Debug for Service {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

/// What a service is made of.
#[derive(Debug)]
pub struct Sources {
    /// The master's switchboard.
    pub line: Line,
    /// The master's state.
    pub store: Arc<dyn Store>,
    /// The master's host.
    pub host: HostHandle,
    /// The network.
    pub network: Arc<Network>,
    /// The workers.
    pub seats: Vec<Seat>,
    /// Network identity as text.
    pub peer_id: String,
}

fn internal(e: impl core::fmt::Display) -> ApiError {
    ApiError::Internal(e.to_string())
}

impl From<DeskError> for ApiError {
    fn from(e: DeskError) -> Self {
        internal(e)
    }
}

fn unavailable(e: &AskError) -> ApiError {
    ApiError::Unavailable(e.to_string())
}

/// A worker answered something else than it was asked.
fn confused(what: &WorkerResponse) -> ApiError {
    match what {
        WorkerResponse::Failed => internal("the worker cannot answer; its log says why"),
        _ => internal("the worker gave another answer than it was asked for"),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

fn age_of(time: Timestamp) -> u64 {
    now_ms().saturating_sub(time.get())
}

impl Service {
    /// Over the parts of a running master.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let Sources {
            line,
            store,
            host,
            network,
            seats,
            peer_id,
        } = sources;
        Self {
            desk: Desk::new(line.clone(), Arc::clone(&store), Arc::clone(&network)),
            genesis: network.genesis().encode().into(),
            line,
            store,
            host,
            network,
            seats,
            peer_id,
            started: Instant::now(),
        }
    }

    /// A worker of a shard, a connected one first.
    fn seat(&self, shard: ShardAddr) -> Result<&Seat, ApiError> {
        let mut of_shard: Vec<&Seat> = self.seats.iter().filter(|s| s.shard() == shard).collect();
        of_shard.sort_by_key(|s| !s.is_taken());
        of_shard
            .first()
            .copied()
            .ok_or_else(|| ApiError::NotFound("this node keeps no worker of that shard".into()))
    }

    async fn ask(
        &self,
        shard: ShardAddr,
        request: WorkerRequest,
    ) -> Result<WorkerResponse, ApiError> {
        let seat = self.seat(shard)?;
        seat.ask(&request).await.map_err(|e| unavailable(&e))
    }

    fn native_shard(&self) -> ShardAddr {
        ShardAddr(self.network.genesis().token.domain.0)
    }

    /// Tokens live on the shard of their domain.
    const fn shard_of(domain: Domain) -> ShardAddr {
        ShardAddr(domain.0)
    }

    fn global_view(&self) -> ChainView {
        let status: ChainStatus = *self.line.status().borrow();
        ChainView {
            chain: Chain::Global,
            head: status.head,
            final_number: status.final_number,
            epoch: status.epoch,
            rank: status.rank,
            final_age_ms: age_of(status.final_time),
        }
    }

    fn worker_view(seat: &Seat) -> WorkerView {
        let (standing, progress) = (seat.standing(), seat.progress());
        let chain = seat.final_time().map(|time| ChainView {
            chain: Chain::Shard(seat.shard()),
            head: progress.head,
            final_number: progress.final_number,
            epoch: progress.epoch,
            rank: progress.rank,
            final_age_ms: age_of(time),
        });
        WorkerView {
            core: u32::from(seat.core()),
            state: standing.state.to_owned(),
            pid: standing.pid,
            restarts: standing.restarts,
            chain,
            reason: standing.reason.to_owned(),
        }
    }

    /// Final, or settled when the shard's row covers the frame (S2).
    fn settled_at(&self, shard: ShardAddr, number: FrameNumber) -> Option<FrameNumber> {
        let covers = |s: &quil_engine::Snapshot| {
            s.table().row(shard).is_some_and(|row| row.height >= number)
        };
        self.line.recent().first_where(covers)
    }

    fn tx_view(&self, tx: TxId, shard: ShardAddr, standing: TxStanding) -> TxView {
        let mut view = TxView {
            tx,
            state: TxState::Unknown,
            shard: Some(shard),
            shard_frame: None,
            index: None,
            fee: None,
            settled_at: None,
        };
        match standing {
            TxStanding::Unknown => view.shard = None,
            TxStanding::Accepted => view.state = TxState::Accepted,
            TxStanding::Included { number } => {
                view.state = TxState::Included;
                view.shard_frame = Some(number);
            }
            TxStanding::Final { number, index, fee } => {
                view.settled_at = self.settled_at(shard, number);
                view.state = view.settled_at.map_or(TxState::Final, |_| TxState::Settled);
                view.shard_frame = Some(number);
                view.index = Some(index);
                view.fee = Some(fee);
            }
        }
        view
    }

    /// Proofs that lead from the genesis committee to an epoch.
    fn epochs(&self, until: Epoch) -> Result<Vec<EpochProof>, ApiError> {
        let reader = StoreReader::open(&*self.store).map_err(internal)?;
        let proof = |e| {
            let found = queries::epoch_proof(&reader, Epoch::new(e)).map_err(internal)?;
            found.ok_or_else(|| internal(format!("no proof of epoch {e}")))
        };
        (0..until.get()).map(proof).collect()
    }

    fn interval_ms(&self) -> u64 {
        self.network.genesis().pacing.target_ms
    }
}

fn refused(refusal: SubmitRefusal) -> ApiError {
    match refusal {
        SubmitRefusal::Rule(code) => ApiError::Rejected(code),
        SubmitRefusal::Malformed => ApiError::Invalid("not a bundle".into()),
        SubmitRefusal::Busy => ApiError::Busy,
        SubmitRefusal::NotReady => ApiError::NotReady("the shard is not caught up".into()),
    }
}

fn coin_view(coin: CoinEntry) -> CoinView {
    CoinView {
        index: coin.index,
        id: coin.id,
        record: coin.record.into_vec(),
    }
}

#[tonic::async_trait]
impl Backend for Service {
    async fn status(&self) -> Result<NodeStatus, ApiError> {
        let peers = self.host.peers().await;
        let peers = peers.map_err(|_| ApiError::Unavailable("the node is stopping".into()))?;
        let genesis = self.network.genesis();
        let readiness = self.readiness();
        Ok(NodeStatus {
            peer_id: self.peer_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: genesis.binding.name.as_str().to_owned(),
            genesis_hash: self.network.hash(),
            devnet: genesis.devnet,
            ready: readiness.ready,
            not_ready_because: readiness.reasons,
            global: self.global_view(),
            workers: self.seats.iter().map(Self::worker_view).collect(),
            peers: u32::try_from(peers.len()).unwrap_or(u32::MAX),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, ApiError> {
        let answer = match shard {
            None => self.desk.answer(WorkerRequest::Frame(number)).await,
            Some(shard) => self.ask(shard, WorkerRequest::Frame(number)).await?,
        };
        match answer {
            WorkerResponse::Frame(Some(frame)) => Ok(FrameView {
                items: crate::desk::items(&frame.body),
                header: frame.header,
            }),
            WorkerResponse::Frame(None) => Err(ApiError::NotFound("no such final frame".into())),
            other => Err(confused(&other)),
        }
    }

    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, ApiError> {
        let request = WorkerRequest::Frames { limit };
        let answer = match shard {
            None => self.desk.answer(request).await,
            Some(shard) => self.ask(shard, request).await?,
        };
        let WorkerResponse::Frames(frames) = answer else {
            return Err(confused(&answer));
        };
        let view = |(header, items)| FrameView { header, items };
        Ok(frames.into_vec().into_iter().map(view).collect())
    }

    async fn shards(&self) -> Result<ShardList, ApiError> {
        let last = self.line.recent().last();
        let last = last.ok_or_else(|| ApiError::NotReady("no final frame yet".into()))?;
        let members = |addr| {
            let genesis = self.network.genesis().shards.iter();
            let found = genesis.filter(|s| s.addr == addr).map(|s| s.members.len());
            u32::try_from(found.sum::<usize>()).unwrap_or(u32::MAX)
        };
        let rows = last.snapshot.table().iter();
        Ok(ShardList {
            shards: rows
                .map(|(addr, row)| ShardView {
                    addr: *addr,
                    row: row.clone(),
                    members: members(*addr),
                })
                .collect(),
            global_number: last.snapshot.number(),
        })
    }

    async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, ApiError> {
        let data = bundle.try_into();
        let data = data.map_err(|_| ApiError::Rejected(quil_types::Code::TxMalformed))?;
        let shard = self.native_shard();
        match self.ask(shard, WorkerRequest::Submit(data)).await? {
            WorkerResponse::Submitted(tx) => Ok(tx),
            WorkerResponse::Refused(refusal) => Err(refused(refusal)),
            other => Err(confused(&other)),
        }
    }

    async fn transaction(&self, tx: TxId) -> Result<TxView, ApiError> {
        let mut unknown = self.tx_view(tx, ShardAddr::ZERO, TxStanding::Unknown);
        for seat in &self.seats {
            let answer = seat.ask(&WorkerRequest::Transaction(tx)).await;
            match answer.map_err(|e| unavailable(&e))? {
                WorkerResponse::Transaction(TxStanding::Unknown) => {}
                WorkerResponse::Transaction(standing) => {
                    unknown = self.tx_view(tx, seat.shard(), standing);
                    break;
                }
                other => return Err(confused(&other)),
            }
        }
        Ok(unknown)
    }

    async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, ApiError> {
        let request = WorkerRequest::Scan {
            domain,
            home,
            from,
            limit,
        };
        match self.ask(Self::shard_of(domain), request).await? {
            WorkerResponse::Coins {
                coins,
                next,
                number,
                ..
            } => Ok(CoinPage {
                coins: coins.into_vec().into_iter().map(coin_view).collect(),
                next,
                shard_frame: number,
            }),
            other => Err(confused(&other)),
        }
    }

    async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> Result<CoinLookup, ApiError> {
        let request = WorkerRequest::Coins {
            domain,
            home,
            coins: many(coins)?,
            nullifiers: many(nullifiers)?,
        };
        match self.ask(Self::shard_of(domain), request).await? {
            WorkerResponse::Coins {
                coins,
                spent,
                number,
                ..
            } => Ok(CoinLookup {
                coins: coins.into_vec().into_iter().map(coin_view).collect(),
                spent: spent.into_vec(),
                shard_frame: number,
            }),
            other => Err(confused(&other)),
        }
    }

    async fn proof(&self, shard: ShardAddr, key: [u8; 64]) -> Result<ProofView, ApiError> {
        let none = || ApiError::NotReady("no settled frame of that shard yet".into());
        let (snapshot, finality) = self.line.recent().last_proven().ok_or_else(none)?;
        let table = snapshot.table();
        let row = table.row(shard).cloned().ok_or_else(none)?;
        let rows = table.iter().map(|(a, r)| (*a, r.clone())).collect();
        let request = WorkerRequest::Prove {
            height: row.height,
            key,
            rows: many(rows)?,
        };
        let record = match self.ask(shard, request).await? {
            WorkerResponse::Proof(Some(bytes)) => bytes,
            WorkerResponse::Proof(None) => {
                return Err(ApiError::NotReady(
                    "the settled state is not kept; try again after the next settled frame".into(),
                ));
            }
            other => return Err(confused(&other)),
        };
        let record = RecordProof::decode(&record, RECORD_PROOF_BYTES_MAX).map_err(internal)?;
        let proof = LightProof {
            shard,
            key,
            epochs: many(self.epochs(finality.header.epoch)?)?,
            finality: (*finality).clone(),
            record,
        };
        Ok(ProofView {
            proof: proof.encode(),
            global_number: snapshot.number(),
            shard_height: row.height,
        })
    }

    fn genesis(&self) -> (Arc<[u8]>, GenesisHash) {
        (Arc::clone(&self.genesis), self.network.hash())
    }

    fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        let global = self.global_view();
        let fresh = self.interval_ms().saturating_mul(FRESH_INTERVALS);
        if global.final_number == FrameNumber::ZERO || global.final_age_ms > fresh {
            reasons.push(format!(
                "last final global frame {} is {} s old",
                global.final_number,
                global.final_age_ms / 1000
            ));
        }
        for seat in &self.seats {
            let view = Self::worker_view(seat);
            match view.chain {
                _ if !seat.is_taken() => {
                    reasons.push(format!("worker {} is {}", view.core, view.state));
                }
                Some(chain) if chain.final_number > FrameNumber::ZERO => {}
                _ => reasons.push(format!("worker {} has no final frame yet", view.core)),
            }
        }
        Readiness {
            ready: reasons.is_empty(),
            reasons,
        }
    }
}

fn many<T, const N: usize>(items: Vec<T>) -> Result<Bounded<T, N>, ApiError> {
    Bounded::try_from(items).map_err(|items| {
        error!(%items, "a list is longer than its bound");
        ApiError::Invalid("too many items".into())
    })
}
