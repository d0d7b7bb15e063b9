//! Frame 0 of a chain, its state, and what a store that begins with it holds (D4).

use std::sync::Arc;

use quil_execution::global::{ShardTable, registry};
use quil_types::{
    Anchor, Beacon, Body, Canonical as _, Chain, Digest, Epoch, FrameNumber, Header, ProverId,
    Rank, ShardAddr,
};

use crate::error::LocalFault;
use crate::io::Write;
use crate::keys;
use crate::network::Network;
use crate::snapshot::{Effects, Snapshot};
use crate::state::{ChainState, Commit, StateSource};
use crate::tables::Table;

/// The state at genesis (D4).
fn genesis_state(
    network: &Network,
    chain: Chain,
) -> Result<(ChainState, ShardTable, Commit), LocalFault> {
    let fail = |e: String| LocalFault::State(e);
    let mut effects = Effects::default();
    let mut table = ShardTable::default();
    match chain {
        Chain::Global => {
            effects.writes =
                registry::global_genesis(network.genesis()).map_err(|e| fail(e.to_string()))?;
            for shard in &network.genesis().shards {
                let (state, _, _) = genesis_state(network, Chain::Shard(shard.addr))?;
                effects
                    .rows
                    .push((shard.addr, registry::genesis_row(state.roots().state)));
            }
            table.apply(&effects.rows);
        }
        Chain::Shard(addr) => {
            if addr == native_shard(network) {
                effects.writes = registry::token_genesis(network.genesis().token.domain);
            }
        }
    }
    let (state, commit) = ChainState::empty(chain)
        .apply(network, FrameNumber::ZERO, &effects)
        .map_err(|e| fail(e.to_string()))?;
    Ok((state, table, commit))
}

/// The shard that executes the native token: its address is the token's domain.
fn native_shard(network: &Network) -> ShardAddr {
    ShardAddr(network.genesis().token.domain.0)
}

/// Header of frame 0 (D4).
///
/// # Errors
/// [`LocalFault`] when the genesis state cannot be made.
pub(super) fn genesis_header(network: &Network, chain: Chain) -> Result<Header, LocalFault> {
    let (state, _, _) = genesis_state(network, chain)?;
    header_of(network, chain, &state)
}

fn header_of(network: &Network, chain: Chain, state: &ChainState) -> Result<Header, LocalFault> {
    let roots = state.roots();
    let beacon = quil_reel::genesis_beacon(network.hash());
    let anchor = match chain {
        Chain::Global => None,
        Chain::Shard(_) => Some(Anchor {
            number: FrameNumber::ZERO,
            id: genesis_header(network, Chain::Global)?.id(),
        }),
    };
    let committee = network
        .roster(chain, Epoch::ZERO)
        .map(|r| r.root())
        .unwrap_or_default();
    Ok(Header {
        version: network.genesis().version,
        chain,
        epoch: Epoch::ZERO,
        rank: Rank::ZERO,
        parent_rank: Rank::ZERO,
        number: FrameNumber::ZERO,
        timestamp: network.genesis().time,
        parent: Header::genesis_parent(network.hash()),
        proposer: ProverId::ZERO,
        requests_root: Body::empty(chain).requests_root(),
        receipts_root: Digest::ZERO,
        multiplier: quil_execution::fee::MULTIPLIER_ONE,
        committee_root: committee,
        next_committee_root: Digest::ZERO,
        state_roots: roots.state,
        shards_root: roots.shards,
        beacon: Beacon(beacon.0),
        anchor,
    })
}

pub(super) fn genesis_snapshot(
    network: &Network,
    chain: Chain,
    source: &Arc<dyn StateSource>,
) -> Result<Snapshot, LocalFault> {
    let (state, table, _) = genesis_state(network, chain)?;
    let header = header_of(network, chain, &state)?;
    let state = state.stored_in(FrameNumber::ZERO, Arc::clone(source));
    Ok(Snapshot::base(header, state, table, Effects::default()))
}

/// The store of a network that starts.
pub(super) fn genesis_writes(network: &Network, chain: Chain) -> Result<Vec<Write>, LocalFault> {
    let (state, _, commit) = genesis_state(network, chain)?;
    let header = header_of(network, chain, &state)?;
    let put = |table, key: &[u8], value: Vec<u8>| Write {
        table,
        key: key.to_vec(),
        value: Some(value),
    };
    let number = keys::number(FrameNumber::ZERO);
    let frame = quil_types::SealedFrame {
        header: header.clone(),
        body: Body::empty(chain),
        beacon: None,
    };
    let mut writes = commit.into_writes();
    writes.push(put(Table::Meta, keys::GENESIS, network.hash().0.to_vec()));
    writes.push(put(Table::Meta, keys::LAST_FINAL, header.encode()));
    writes.push(put(Table::Frames, &number, frame.encode()));
    writes.push(put(Table::FrameIds, &number, header.id().0.to_vec()));
    Ok(writes)
}
