//! A network, made from its genesis document and checked once per process (D2, D4).

use std::sync::Arc;

use quil_bls48581::{ProofOfPossession, PublicKey, Signature};
use quil_bulletproofs::RangeSuite;
use quil_execution::frame::FrameContext;
use quil_execution::rules::Rules;
use quil_execution::token::{Moment, ProofCache};
use quil_hotstuff::{EpochRule, Roster, Scheme, Term, verify_finality_proof};
use quil_kzg::{Kzg, Srs, SrsFile, TableBits};
use quil_reel::{Adjuster, ReelEpoch, ReelMachine};
use quil_types::genesis::{
    NetworkBinding, PossessionStatement, ProverEntry, ShardEntry, WorkerStatement,
};
use quil_types::hash::tagged;
use quil_types::{Chain, Epoch, FinalityProof, Genesis, GenesisHash, MemberIndex, PeerKey, tags};

/// Why a genesis document is refused. Each is a defect of the document, not of this node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The committee is empty.
    #[error("genesis: the committee is empty")]
    NoCommittee,
    /// A key does not decode or has no valid proof of possession.
    #[error("genesis: key {0} has no valid proof of possession")]
    Possession(usize),
    /// A shard's member has no valid certificate or possession.
    #[error("genesis: member {1} of shard {0} has no valid certificate")]
    Certificate(usize, usize),
    /// Two members use one key, or a key and its negative.
    #[error("genesis: key {0} is listed twice")]
    RepeatedKey(usize),
    /// A shard has no members, or shards are not ascending.
    #[error("genesis: shard {0} has no members or is out of order")]
    Shard(usize),
    /// The ceremony does not hold.
    #[error("genesis: ceremony: {0}")]
    Srs(String),
    /// Pacing or limits contradict each other.
    #[error("genesis: {0}")]
    Parameters(&'static str),
    /// The genesis state cannot be made.
    #[error("genesis state: {0}")]
    State(String),
}

/// Everything that is the same on every node of a network. Shared by the engines and jobs of a process.
#[derive(Debug)]
pub struct Network {
    genesis: Genesis,
    hash: GenesisHash,
    rules: Rules,
    kzg: Arc<Kzg>,
    cache: ProofCache,
    reel: ReelMachine,
    global: Arc<Roster>,
    shards: Vec<Arc<Roster>>,
}

impl Network {
    /// Checks a genesis document in full: possession of every key, worker certificates, the ceremony, parameters.
    /// Cost: some tens of milliseconds per key, and the building of the commitment tables.
    ///
    /// # Errors
    /// [`NetworkError`], one variant per rule.
    pub fn open(genesis: Genesis, bits: TableBits) -> Result<Self, NetworkError> {
        let srs = check_genesis(&genesis)?;
        Ok(Self::assemble(genesis, Arc::new(Kzg::new(&srs, bits))))
    }

    /// A network for simulations: committees may hold keys of another scheme and the SRS is given.
    #[cfg(any(test, feature = "test-support"))]
    #[must_use]
    pub fn unchecked(genesis: Genesis, kzg: Arc<Kzg>) -> Self {
        Self::assemble(genesis, kzg)
    }

    fn assemble(genesis: Genesis, kzg: Arc<Kzg>) -> Self {
        Self {
            hash: genesis.hash(),
            rules: Rules::new(&genesis),
            kzg,
            cache: ProofCache::default(),
            reel: ReelMachine::new(genesis.pacing.discriminant_bits),
            global: Arc::new(Roster::new(genesis.global_committee())),
            shards: genesis
                .shards
                .iter()
                .map(|s| Arc::new(Roster::new(s.committee())))
                .collect(),
            genesis,
        }
    }

    /// The document.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> GenesisHash {
        self.hash
    }

    /// What execution takes from it.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Commitments.
    #[must_use]
    pub const fn kzg(&self) -> &Arc<Kzg> {
        &self.kzg
    }

    /// Reel steps.
    #[must_use]
    pub const fn reel(&self) -> &ReelMachine {
        &self.reel
    }

    /// What a body executes under.
    #[must_use]
    pub fn frame_context(&self, moment: Moment) -> FrameContext<'_> {
        FrameContext {
            rules: &self.rules,
            moment,
            suite: RangeSuite::standard(),
            cache: &self.cache,
        }
    }

    /// Constants of the first two epochs' reel.
    #[must_use]
    pub fn first_reel_epochs(&self) -> (Adjuster, [ReelEpoch; 2]) {
        let (adjuster, t) = Adjuster::from_pacing(&self.genesis.pacing);
        (adjuster, ReelEpoch::initial(self.hash, t))
    }

    /// The committee of a chain in an epoch: the one of genesis, as long as nothing changes the registry (C2).
    #[must_use]
    pub fn roster(&self, chain: Chain, _: Epoch) -> Option<Arc<Roster>> {
        match chain {
            Chain::Global => Some(Arc::clone(&self.global)),
            Chain::Shard(addr) => {
                let at = self.genesis.shards.iter().position(|s| s.addr == addr)?;
                self.shards.get(at).cloned()
            }
        }
    }

    /// What signatures of an epoch are checked against.
    #[must_use]
    pub fn term(&self, chain: Chain, epoch: Epoch) -> Option<Term> {
        let roster = self.roster(chain, epoch)?;
        let rule = EpochRule::new(self.genesis.epoch_frames);
        Some(Term {
            genesis: self.hash,
            chain,
            epoch,
            rule,
            roster,
        })
    }

    /// The network identity of a member.
    #[must_use]
    pub fn peer_of(&self, chain: Chain, epoch: Epoch, member: MemberIndex) -> Option<PeerKey> {
        self.roster(chain, epoch)?.member(member).map(|m| m.peer)
    }

    /// Whether the certificate of a shard update is by its committee and commits the parent (S1).
    pub fn update_holds<S: Scheme>(&self, scheme: &S, update: &FinalityProof) -> bool {
        let term = self.term(update.header.chain, update.header.epoch);
        term.is_some_and(|term| verify_finality_proof(scheme, &term, update.clone()).is_ok())
    }
}

/// Checks a genesis document in full and gives the powers that its ceremony made, without building tables.
/// Cost: some tens of milliseconds per key and per contribution.
///
/// # Errors
/// [`NetworkError`], one variant per rule.
pub fn check_genesis(genesis: &Genesis) -> Result<Srs, NetworkError> {
    check_parameters(genesis)?;
    check_committee(genesis)?;
    for (i, shard) in genesis.shards.iter().enumerate() {
        check_shard(genesis, i, shard)?;
    }
    let file = SrsFile::decode(&genesis.srs).map_err(|e| NetworkError::Srs(e.to_string()))?;
    file.verify(&genesis.binding)
        .map_err(|e| NetworkError::Srs(e.to_string()))
}

fn check_parameters(genesis: &Genesis) -> Result<(), NetworkError> {
    let pacing = &genesis.pacing;
    let checks = [
        (genesis.version != 0, "version 0"),
        (
            genesis.epoch_frames >= 2,
            "an epoch needs at least two frames",
        ),
        (pacing.target_ms >= 100, "frame interval below 100 ms"),
        (
            pacing.min_spacing_ms <= pacing.target_ms,
            "least spacing above the frame interval",
        ),
        (
            (32..=2048).contains(&pacing.discriminant_bits),
            "discriminant outside 32 to 2048 bits",
        ),
        (
            genesis.limits.body_bytes >= 64 * 1024,
            "bodies smaller than one bundle",
        ),
        (
            genesis.limits.body_cost_us <= pacing.target_ms.saturating_mul(250),
            "body cost above a quarter interval",
        ),
        (genesis.lifecycle.validity > 0, "transfers are never valid"),
    ];
    let broken = checks.iter().find(|(holds, _)| !holds);
    broken.map_or(Ok(()), |(_, what)| Err(NetworkError::Parameters(what)))
}

fn check_committee(genesis: &Genesis) -> Result<(), NetworkError> {
    if genesis.committee.is_empty() {
        return Err(NetworkError::NoCommittee);
    }
    let mut seen: Vec<PublicKey> = Vec::new();
    for (i, entry) in genesis.committee.iter().enumerate() {
        let key = possessed(&genesis.binding, entry).ok_or(NetworkError::Possession(i))?;
        // A key and its negative cancel in an aggregate.
        let negative = key.neg().to_bytes();
        if seen
            .iter()
            .any(|k| k.to_bytes() == entry.key || k.to_bytes() == negative)
        {
            return Err(NetworkError::RepeatedKey(i));
        }
        seen.push(key);
    }
    Ok(())
}

/// The key of an entry, if its owner proved to have it (I2).
fn possessed(binding: &NetworkBinding, entry: &ProverEntry) -> Option<PublicKey> {
    let key = PublicKey::from_bytes(&entry.key).ok()?;
    let proof = ProofOfPossession::from_bytes(&entry.possession).ok()?;
    let statement = PossessionStatement {
        binding: binding.clone(),
        key: entry.key,
        peer: entry.peer,
    };
    proof
        .verify(&key, &tagged(tags::POSSESSION, &statement))
        .ok()?;
    Some(key)
}

fn check_shard(genesis: &Genesis, at: usize, shard: &ShardEntry) -> Result<(), NetworkError> {
    let before = at.checked_sub(1).and_then(|i| genesis.shards.get(i));
    if shard.members.is_empty() || before.is_some_and(|b| b.addr >= shard.addr) {
        return Err(NetworkError::Shard(at));
    }
    let mut seen: Vec<PublicKey> = Vec::new();
    for (i, member) in shard.members.iter().enumerate() {
        let bad = NetworkError::Certificate(at, i);
        let key = possessed(&genesis.binding, &member.worker).ok_or_else(|| bad.clone())?;
        let prover = genesis
            .committee
            .iter()
            .find(|p| p.id() == member.prover)
            .ok_or_else(|| bad.clone())?;
        let statement = WorkerStatement {
            binding: genesis.binding.clone(),
            shard: shard.addr,
            key: member.worker.key,
        };
        let signed = PublicKey::from_bytes(&prover.key)
            .ok()
            .zip(Signature::from_bytes(&member.certificate).ok());
        let holds =
            signed.is_some_and(|(k, s)| k.verify(&tagged(tags::WORKER, &statement), &s).is_ok());
        let negative = key.neg().to_bytes();
        let repeated = seen
            .iter()
            .any(|k| k.to_bytes() == member.worker.key || k.to_bytes() == negative);
        if !holds || repeated {
            return Err(bad);
        }
        seen.push(key);
    }
    Ok(())
}
