//! Starting an engine from its files, or from genesis when they are empty (C8, D4, K6).

mod genesis;

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_execution::global::ShardTable;
use quil_hotstuff::{
    Config, Core, EpochRule, Finality, Place, RecoverError, Recovered, SafetyRecord, Scheme, Term,
    Verified,
};
use quil_hotstuff::{verify_epoch_proof, verify_finality_proof};
use quil_reel::{REEL_EPOCH_BYTES_MAX, ReelEpoch};
use quil_types::{Body, Canonical, Chain, Epoch, EpochProof, FrameId, FrameNumber, Header};

use crate::beacons::Beacons;
use crate::chain::{ChainEngine, Parts, candidate_key};
use crate::error::LocalFault;
use crate::identity::Identity;
use crate::io::Write;
use crate::keys;
use crate::ledger::{HISTORY_MAX, Ledger};
use crate::network::Network;
use crate::queries;
use crate::snapshot::{Effects, Snapshot};
use crate::state::{
    AUDIT_BRANCHES, ChainState, STORED_ROOTS_BYTES_MAX, StateError, StateSource, StoredRoots,
};
use crate::tables::{Reader, Table};
use crate::window::{GlobalWindow, SETTLE_WINDOW};

use genesis::{genesis_header, genesis_snapshot, genesis_writes};

/// Candidates read at the start.
const CANDIDATES_MAX: usize = 1024;

/// What consensus needs beside the files.
#[derive(Debug)]
pub struct Consensus<S: Scheme> {
    /// The signature scheme.
    pub scheme: S,
    /// The signing key; `None` for an observer.
    pub signer: Option<Arc<S::Signer>>,
    /// Our consensus key as committees list it.
    pub key: Option<[u8; quil_types::limits::G2_BYTES]>,
    /// The encoded safety record of the safety file.
    pub safety: Option<Vec<u8>>,
    /// Whether the key has never signed on this chain (C8).
    pub fresh_key: bool,
}

/// An engine and what must be written before its first input.
pub(crate) type Started<S> = (ChainEngine<S>, Vec<Write>);

/// Makes the engine of a chain from what is durable. An empty store starts at genesis.
///
/// # Errors
/// [`LocalFault`]: damaged or contradicting files, or a store of another network.
pub fn recover<S: Scheme, R: Reader>(
    network: &Arc<Network>,
    chain: Chain,
    identity: Identity,
    consensus: Consensus<S>,
    reader: &R,
    source: &Arc<dyn StateSource>,
) -> Result<Started<S>, LocalFault> {
    check_network(network, reader)?;
    let last = queries::last_final(reader)?;
    let writes = if last.is_some() {
        Vec::new()
    } else {
        genesis_writes(network, chain)?
    };
    let head = match &last {
        Some(header) => load_snapshot(network, chain, header, reader, source)?,
        None => Arc::new(genesis_snapshot(network, chain, source)?),
    };
    audit(network, &head)?;
    let header = head.header().clone();
    let (finality, opened) = proofs(network, chain, &consensus.scheme, &header, reader)?;
    let proposals = queries::candidates(reader, CANDIDATES_MAX)?;
    let candidates = proposals.iter().map(|p| candidate_key(&p.header)).collect();
    let recovered = Recovered {
        head: header.clone(),
        finality,
        opened,
        committees: committees(network, chain, header.epoch),
        safety: safety_record(consensus.safety.as_deref())?,
        fresh_key: consensus.fresh_key,
        candidates: proposals,
    };
    let core = Core::recover(
        config(network, chain, consensus.key),
        consensus.scheme,
        consensus.signer,
        recovered,
    )
    .map_err(|e: RecoverError| LocalFault::Recovery(e.to_string()))?;
    let parts = Parts {
        network: Arc::clone(network),
        chain,
        identity,
        core,
        ledger: Ledger::new(head, recent_ids(reader)?),
        beacons: if chain == Chain::Global {
            Some(load_beacons(network, &header, reader)?)
        } else {
            None
        },
        globals: load_globals(network, chain, reader)?,
        candidates,
        closing: load_closing(&header, reader)?,
    };
    Ok((ChainEngine::new(parts), writes))
}

/// The proof that closes the epoch that consensus is in, when its closing frame was not written before the end.
fn load_closing<R: Reader>(
    head: &Header,
    reader: &R,
) -> Result<Option<Box<EpochProof>>, LocalFault> {
    for epoch in [head.epoch, head.epoch.next()] {
        let proof = queries::epoch_proof(reader, epoch)?;
        if let Some(proof) = proof.filter(|p| p.closing.number > head.number) {
            return Ok(Some(Box::new(proof)));
        }
    }
    Ok(None)
}

fn config(
    network: &Network,
    chain: Chain,
    key: Option<[u8; quil_types::limits::G2_BYTES]>,
) -> Config {
    let genesis = network.genesis();
    Config {
        genesis: network.hash(),
        chain,
        rule: EpochRule::new(genesis.epoch_frames),
        interval_ms: genesis.pacing.target_ms,
        min_spacing_ms: genesis.pacing.min_spacing_ms,
        key,
    }
}

fn check_network<R: Reader>(network: &Network, reader: &R) -> Result<(), LocalFault> {
    let stored = reader
        .get(Table::Meta, keys::GENESIS)
        .map_err(|e| LocalFault::Store(e.to_string()))?;
    match stored {
        Some(hash) if hash != network.hash().0 => Err(LocalFault::Recovery(
            "the store belongs to another network".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn safety_record(bytes: Option<&[u8]>) -> Result<Option<SafetyRecord>, LocalFault> {
    let Some(bytes) = bytes else { return Ok(None) };
    SafetyRecord::decode(bytes, quil_hotstuff::SAFETY_RECORD_BYTES_MAX)
        .map(Some)
        .map_err(|_| LocalFault::Corrupt {
            table: Table::Safety.name(),
        })
}

fn committees(
    network: &Network,
    chain: Chain,
    epoch: Epoch,
) -> Vec<(Epoch, quil_types::Committee)> {
    let of = |e: Epoch| network.roster(chain, e).map(|r| (e, r.committee().clone()));
    [epoch, epoch.next(), epoch.next().next()]
        .into_iter()
        .filter_map(of)
        .collect()
}

type Opened = Option<Box<Verified<EpochProof>>>;

fn proofs<S: Scheme, R: Reader>(
    network: &Network,
    chain: Chain,
    scheme: &S,
    head: &Header,
    reader: &R,
) -> Result<(Option<Finality>, Opened), LocalFault> {
    let term = |e| {
        network
            .term(chain, e)
            .ok_or_else(|| LocalFault::Recovery("no committee".to_owned()))
    };
    let closed = |e: Epoch| -> Result<Opened, LocalFault> {
        let Some(proof) = queries::epoch_proof(reader, e)? else {
            return Ok(None);
        };
        let term: Term = term(e)?;
        let proof = verify_epoch_proof(scheme, &term, proof);
        proof
            .map(|p| Some(Box::new(p)))
            .map_err(|e| LocalFault::Recovery(e.to_string()))
    };
    let opened = match head.epoch.prev() {
        Some(before) => closed(before)?,
        None => None,
    };
    if let Some(proof) = closed(head.epoch)?.filter(|p| p.closing.number == head.number) {
        return Ok((Some(Finality::Closed(proof)), opened));
    }
    let Some(proof) = queries::finality_proof(reader, head.number)? else {
        return Ok((None, opened));
    };
    let proof = verify_finality_proof(scheme, &term(head.epoch)?, proof);
    let proof = proof.map_err(|e| LocalFault::Recovery(e.to_string()))?;
    Ok((Some(Finality::Child(Box::new(proof))), opened))
}

/// Recomputes 64 random branches of each set before anything is said that depends on them (K5). The seed is the last
/// frame's identity: which branches are looked at changes from start to start, and a simulation repeats itself.
fn audit(network: &Network, head: &Snapshot) -> Result<(), LocalFault> {
    let Some(state) = head.state() else {
        return Ok(());
    };
    let branches = state.audit(network, head.id().0, AUDIT_BRANCHES)?;
    tracing::debug!(branches, "recomputed at start");
    Ok(())
}

/// Reopens the state after the last final frame and recomputes all of it from its leaves (K5): for operators who doubt
/// their disk. Reads the whole state.
///
/// # Errors
/// [`LocalFault`] with the place that differs. An empty store is in order.
pub fn recommit_store<R: Reader>(
    network: &Network,
    chain: Chain,
    reader: &R,
    source: &Arc<dyn StateSource>,
) -> Result<(), LocalFault> {
    check_network(network, reader)?;
    let Some(last) = queries::last_final(reader)? else {
        return Ok(());
    };
    let state = load_state(chain, last.number, source)?;
    let state = state.ok_or(LocalFault::Corrupt {
        table: Table::Roots.name(),
    })?;
    Ok(state.recommit(network)?)
}

/// The state after one of the last [`HISTORY_MAX`] final frames, from the store: for proofs against settled roots
/// after a restart. `None` when it is not kept.
///
/// # Errors
/// [`LocalFault`].
pub fn kept_state(
    chain: Chain,
    number: FrameNumber,
    source: &Arc<dyn StateSource>,
) -> Result<Option<ChainState>, LocalFault> {
    load_state(chain, number, source)
}

fn load_state(
    chain: Chain,
    number: FrameNumber,
    source: &Arc<dyn StateSource>,
) -> Result<Option<ChainState>, LocalFault> {
    let roots = source
        .get(Table::Roots, &keys::number(number))
        .map_err(|e| LocalFault::Store(e.to_string()))?;
    let Some(roots) = roots else { return Ok(None) };
    let roots = StoredRoots::decode(&roots, STORED_ROOTS_BYTES_MAX);
    let roots = roots.map_err(|_| LocalFault::Corrupt {
        table: Table::Roots.name(),
    })?;
    let state = ChainState::open(chain, number, roots, Arc::clone(source))?;
    Ok(Some(state))
}

fn load_snapshot<R: Reader>(
    network: &Network,
    chain: Chain,
    header: &Header,
    reader: &R,
    source: &Arc<dyn StateSource>,
) -> Result<Arc<Snapshot>, LocalFault> {
    let state = load_state(chain, header.number, source)?;
    let state = state.ok_or(LocalFault::Corrupt {
        table: Table::Roots.name(),
    })?;
    let table = load_table(network, chain, &state)?;
    let effects = load_effects(network, header, reader)?;
    Ok(Arc::new(Snapshot::base(
        header.clone(),
        state,
        table,
        effects,
    )))
}

fn load_table(
    network: &Network,
    chain: Chain,
    state: &ChainState,
) -> Result<ShardTable, LocalFault> {
    if chain != Chain::Global {
        return Ok(ShardTable::default());
    }
    let mut rows = Vec::new();
    for shard in &network.genesis().shards {
        let row = state.table().get(&shard.addr).map_err(StateError::from)?;
        let missing = LocalFault::Corrupt {
            table: Table::Records.name(),
        };
        rows.push((shard.addr, row.ok_or(missing)?));
    }
    Ok(ShardTable::new(rows))
}

/// Receipts and fullness of the last final frame: its child's header repeats them.
fn load_effects<R: Reader>(
    network: &Network,
    header: &Header,
    reader: &R,
) -> Result<Effects, LocalFault> {
    let Some(frame) = queries::frame(reader, header.number)? else {
        return Ok(Effects::default());
    };
    let Body::Shard(bundles) = &frame.body else {
        return Ok(Effects::default());
    };
    let mut receipts = Vec::new();
    for bundle in bundles {
        let found = queries::transaction(reader, bundle.id())?;
        let (_, receipt) = found.ok_or(LocalFault::Corrupt {
            table: Table::Receipts.name(),
        })?;
        receipts.push(receipt);
    }
    let bytes = u64::try_from(frame.body.bytes()).unwrap_or(u64::MAX);
    let cost = bundles
        .iter()
        .map(quil_execution::cost::bundle_cost_us)
        .fold(0, u64::saturating_add);
    let fullness = quil_execution::fee::Fullness::of(bytes, cost, &network.genesis().limits);
    Ok(Effects {
        receipts,
        fullness,
        ..Effects::default()
    })
}

fn recent_ids<R: Reader>(reader: &R) -> Result<BTreeMap<FrameNumber, FrameId>, LocalFault> {
    let Some(last) = queries::last_final(reader)? else {
        return Ok(BTreeMap::new());
    };
    let from = last
        .number
        .get()
        .saturating_sub(SETTLE_WINDOW.saturating_mul(2));
    let max = usize::try_from(SETTLE_WINDOW.saturating_mul(2))
        .unwrap_or(HISTORY_MAX)
        .saturating_add(1);
    let rows = reader
        .range(Table::FrameIds, &keys::number(FrameNumber::new(from)), max)
        .map_err(|e| LocalFault::Store(e.to_string()))?;
    let entry = |(key, value): (Vec<u8>, Vec<u8>)| {
        Some((keys::number_of(&key)?, FrameId(value.try_into().ok()?)))
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

fn load_beacons<R: Reader>(
    network: &Network,
    head: &Header,
    reader: &R,
) -> Result<Beacons, LocalFault> {
    let (adjuster, first) = network.first_reel_epochs();
    let rows = reader
        .range(Table::Reel, &[], 1 << 16)
        .map_err(|e| LocalFault::Store(e.to_string()))?;
    let mut epochs: Vec<ReelEpoch> = first.to_vec();
    for (_, bytes) in rows {
        let epoch = ReelEpoch::decode(&bytes, REEL_EPOCH_BYTES_MAX);
        epochs.push(epoch.map_err(|_| LocalFault::Corrupt {
            table: Table::Reel.name(),
        })?);
    }
    let start = first_of_pace(network, head);
    let before = match start.checked_sub(1) {
        Some(n) => queries::frame(reader, FrameNumber::new(n))?.map(|f| f.header),
        None => None,
    };
    let mut beacons = Beacons::new(adjuster, epochs, before.as_ref().unwrap_or(head));
    for n in start..=head.number.get() {
        if let Some(frame) = queries::frame(reader, FrameNumber::new(n))? {
            beacons.measure(&frame.header);
        }
    }
    Ok(beacons)
}

/// First frame that counts into the pace being measured: of the epoch that the next final frame is in.
fn first_of_pace(network: &Network, head: &Header) -> u64 {
    let frames = network.genesis().epoch_frames;
    let closed = EpochRule::new(frames).place(head) == Place::Closing;
    let epoch = if closed {
        head.epoch.next()
    } else {
        head.epoch
    };
    epoch.get().saturating_mul(frames).max(1)
}

fn load_globals<R: Reader>(
    network: &Network,
    chain: Chain,
    reader: &R,
) -> Result<GlobalWindow, LocalFault> {
    let mut window = GlobalWindow::default();
    if chain == Chain::Global {
        return Ok(window);
    }
    let last = reader
        .last(Table::GlobalHeaders)
        .map_err(|e| LocalFault::Store(e.to_string()))?;
    let last = last
        .and_then(|(k, _)| keys::number_of(&k))
        .map_or(0, FrameNumber::get);
    let from = last.saturating_sub(GlobalWindow::KEPT);
    if from == 0 {
        window.push(genesis_header(network, Chain::Global)?);
    }
    for n in from.max(1)..=last {
        if let Some(header) = queries::global_header(reader, FrameNumber::new(n))? {
            window.push(header);
        }
    }
    Ok(window)
}
