//! Catch-up, both ways (W3).

use std::sync::Arc;

use bytes::Bytes;
use quil_engine::io::{Input, RequestToken};
use quil_engine::{Network, queries};
use quil_p2p::limits::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use quil_p2p::{HostHandle, Penalty, Reply};
use quil_store::Store;
use quil_types::{Canonical as _, Chain, FramesRequest, FramesResponse, PeerKey};
use tracing::{debug, warn};

use super::Wiring;
use crate::persist::StoreReader;

/// Asks a peer and gives the engine the answer, in a task of its own.
pub(super) fn spawn(
    wiring: &Wiring,
    token: RequestToken,
    request: &FramesRequest,
    hint: Option<PeerKey>,
) {
    let ask = Ask {
        network: Arc::clone(&wiring.network),
        chain: wiring.chain,
        host: wiring.host.clone(),
        hint,
        turn: token.0,
    };
    let (engine, data) = (wiring.engine.clone(), Bytes::from(request.encode()));
    tokio::spawn(async move {
        let answer = ask.ask(data).await;
        let (from, response) = answer.map_or((None, None), |(peer, r)| (Some(peer), Some(r)));
        let fetched = Input::Fetched {
            from,
            token,
            response,
        };
        if engine.deliver(fetched).await.is_err() {
            debug!("the engine ended before its answer");
        }
    });
}

struct Ask {
    network: Arc<Network>,
    chain: Chain,
    host: HostHandle,
    hint: Option<PeerKey>,
    /// Differs from request to request: chooses among equals.
    turn: u64,
}

impl Ask {
    async fn ask(&self, data: Bytes) -> Option<(PeerKey, FramesResponse)> {
        let peer = self.choose().await?;
        let bytes = self.host.request(peer, data).await;
        let bytes = bytes.map_err(|e| debug!(%peer, %e, "no answer")).ok()?;
        match FramesResponse::decode(&bytes, RESPONSE_BYTES_MAX) {
            Ok(response) => Some((peer, response)),
            Err(e) => {
                debug!(%peer, %e, "malformed answer");
                self.host.penalise(peer, Penalty::BadResponse).await.ok()?;
                None
            }
        }
    }

    /// The hinted peer, else a connected member of the committee, else anybody.
    async fn choose(&self) -> Option<PeerKey> {
        let peers: Vec<PeerKey> = self
            .host
            .peers()
            .await
            .ok()?
            .into_iter()
            .map(|p| p.peer)
            .collect();
        if let Some(hint) = self.hint.filter(|h| peers.contains(h)) {
            return Some(hint);
        }
        let roster = self.network.roster(self.chain, quil_types::Epoch::ZERO);
        let is_member = |p: &&PeerKey| {
            roster
                .as_ref()
                .is_some_and(|r| r.committee().members.iter().any(|m| m.peer == **p))
        };
        let members: Vec<PeerKey> = peers.iter().filter(is_member).copied().collect();
        let among = if members.is_empty() { &peers } else { &members };
        let count = u64::try_from(among.len()).ok()?;
        let at = usize::try_from(self.turn.checked_rem(count)?).ok()?;
        among.get(at).copied()
    }
}

/// Answers a peer from the store, on a blocking thread. The host bounds how many there are.
pub(super) fn serve(wiring: &Wiring, peer: PeerKey, data: Bytes, reply: Reply) {
    let (host, state, chain) = (wiring.host.clone(), Arc::clone(&wiring.state), wiring.chain);
    tokio::spawn(async move {
        let Ok(request) = FramesRequest::decode(&data, REQUEST_BYTES_MAX) else {
            // An ended host needs no verdict.
            let _ended = host.penalise(peer, Penalty::BadRequest).await;
            return;
        };
        let answer = tokio::task::spawn_blocking(move || read(&*state, chain, &request)).await;
        let Ok(Some(answer)) = answer else { return };
        if let Err(e) = host.respond(reply, Bytes::from(answer)).await {
            debug!(%peer, %e, "answer not sent");
        }
    });
}

fn read(state: &dyn Store, chain: Chain, request: &FramesRequest) -> Option<Vec<u8>> {
    let reader = StoreReader::open(state)
        .map_err(|e| warn!(%e, "store"))
        .ok()?;
    let response = queries::serve(&reader, chain, request);
    response
        .map_err(|e| warn!(%e, "cannot serve a request"))
        .ok()
        .map(|r| r.encode())
}
