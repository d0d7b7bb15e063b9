//! The gRPC service: messages in, backend call, messages out.

use std::sync::Arc;

use bytes::Bytes;
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{CoinId, Domain, FrameNumber, Nullifier, ShardAddr};
use tonic::{Request, Response, Status};

use crate::convert::from_wire::{WireError, array, at_most, home, limit, shard_opt, tx};
use crate::convert::to_wire;
use crate::limits::{COINS_DEFAULT, COINS_MAX, FRAMES_DEFAULT, FRAMES_MAX};
use crate::pb::node_server::Node;
use crate::{ApiError, Backend, pb};

pub(super) struct NodeService {
    backend: Arc<dyn Backend>,
}

impl NodeService {
    pub(super) fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend }
    }
}

fn refused(error: ApiError) -> Status {
    error.logged().into()
}

fn wrong(error: WireError) -> Status {
    ApiError::from(error).into()
}

fn identities<T>(
    field: &'static str,
    list: &[Bytes],
    wrap: impl Fn([u8; 32]) -> T,
) -> Result<Vec<T>, WireError> {
    at_most(field, list.len(), usize::from(COINS_MAX))?;
    list.iter().map(|b| array(field, b).map(&wrap)).collect()
}

#[tonic::async_trait]
impl Node for NodeService {
    async fn status(
        &self,
        _: Request<pb::StatusRequest>,
    ) -> Result<Response<pb::StatusResponse>, Status> {
        let status = self.backend.status().await.map_err(refused)?;
        Ok(Response::new(to_wire::status(to_wire::tidy(status))))
    }

    async fn get_frame(
        &self,
        request: Request<pb::GetFrameRequest>,
    ) -> Result<Response<pb::Frame>, Status> {
        let asked = request.into_inner();
        let shard = shard_opt("shard", &asked.shard).map_err(wrong)?;
        let number = asked.number.map(FrameNumber::new);
        let frame = self.backend.frame(shard, number).await.map_err(refused)?;
        Ok(Response::new(to_wire::frame(&frame)))
    }

    async fn list_frames(
        &self,
        request: Request<pb::ListFramesRequest>,
    ) -> Result<Response<pb::ListFramesResponse>, Status> {
        let asked = request.into_inner();
        let shard = shard_opt("shard", &asked.shard).map_err(wrong)?;
        let limit = limit(asked.limit.into(), FRAMES_DEFAULT, FRAMES_MAX).map_err(wrong)?;
        let frames = self.backend.frames(shard, limit).await.map_err(refused)?;
        Ok(Response::new(pb::ListFramesResponse {
            frames: frames.iter().map(to_wire::frame).collect(),
        }))
    }

    async fn list_shards(
        &self,
        _: Request<pb::ListShardsRequest>,
    ) -> Result<Response<pb::ListShardsResponse>, Status> {
        let list = self.backend.shards().await.map_err(refused)?;
        Ok(Response::new(to_wire::shards(list)))
    }

    async fn submit(
        &self,
        request: Request<pb::SubmitRequest>,
    ) -> Result<Response<pb::SubmitResponse>, Status> {
        let bundle = request.into_inner().bundle;
        at_most("bundle", bundle.len(), BUNDLE_BYTES_MAX).map_err(wrong)?;
        let tx = self.backend.submit(bundle.into()).await.map_err(refused)?;
        Ok(Response::new(pb::SubmitResponse {
            tx: Bytes::copy_from_slice(&tx.0),
        }))
    }

    async fn get_transaction(
        &self,
        request: Request<pb::GetTransactionRequest>,
    ) -> Result<Response<pb::Transaction>, Status> {
        let tx = tx(&request.get_ref().tx).map_err(wrong)?;
        let view = self.backend.transaction(tx).await.map_err(refused)?;
        Ok(Response::new(to_wire::transaction(view)))
    }

    async fn scan_outputs(
        &self,
        request: Request<pb::ScanOutputsRequest>,
    ) -> Result<Response<pb::ScanOutputsResponse>, Status> {
        let asked = request.into_inner();
        let domain = Domain(array("domain", &asked.domain).map_err(wrong)?);
        let home = home(&asked.home).map_err(wrong)?;
        let limit = limit(asked.limit.into(), COINS_DEFAULT, COINS_MAX).map_err(wrong)?;
        let page = self.backend.scan(domain, home, asked.from, limit).await;
        Ok(Response::new(to_wire::page(page.map_err(refused)?)))
    }

    async fn get_coins(
        &self,
        request: Request<pb::GetCoinsRequest>,
    ) -> Result<Response<pb::GetCoinsResponse>, Status> {
        let asked = request.into_inner();
        let domain = Domain(array("domain", &asked.domain).map_err(wrong)?);
        let home = home(&asked.home).map_err(wrong)?;
        let coins = identities("coins", &asked.coins, CoinId).map_err(wrong)?;
        let spent = identities("nullifiers", &asked.nullifiers, Nullifier).map_err(wrong)?;
        let lookup = self.backend.coins(domain, home, coins, spent).await;
        Ok(Response::new(to_wire::lookup(lookup.map_err(refused)?)))
    }

    async fn get_proof(
        &self,
        request: Request<pb::GetProofRequest>,
    ) -> Result<Response<pb::ProofResponse>, Status> {
        let asked = request.into_inner();
        let shard = ShardAddr(array("shard", &asked.shard).map_err(wrong)?);
        let key = array("key", &asked.key).map_err(wrong)?;
        let proof = self.backend.proof(shard, key).await.map_err(refused)?;
        Ok(Response::new(to_wire::proof(proof)))
    }

    async fn get_genesis(
        &self,
        _: Request<pb::GetGenesisRequest>,
    ) -> Result<Response<pb::GenesisResponse>, Status> {
        let (document, hash) = self.backend.genesis();
        Ok(Response::new(pb::GenesisResponse {
            genesis: Bytes::from_owner(document),
            hash: Bytes::copy_from_slice(&hash.0),
        }))
    }
}
