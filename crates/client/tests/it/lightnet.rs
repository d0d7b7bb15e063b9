//! A network with real keys, ceremony and certificates, whose frames are made by hand.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use quil_bls48581::SecretKey;
use quil_bulletproofs::RangeSuite;
use quil_engine::light::LightProof;
use quil_execution::fee::MULTIPLIER_ONE;
use quil_execution::frame::{FrameContext, execute};
use quil_execution::global::registry::{genesis_row, token_genesis};
use quil_execution::light::prove_record;
use quil_execution::rules::Rules;
use quil_execution::state::{RecordKey, write_to};
use quil_execution::token::records::{coin_key, index_key, load_index};
use quil_execution::token::{Moment, ProofCache};
use quil_execution::wallet::{Mint, TransferBuilder};
use quil_hotstuff::{BlsScheme, EpochRule, Roster, Scheme, Term};
use quil_hypergraph::{ShardState, ShardTable, Snapshot};
use quil_keys::{Account, BlsKey, ProverKey, WorkerKey, prover_entry, shard_member};
use quil_kzg::{Ceremony, Kzg, SrsFile, TableBits};
use quil_types::bundle::Home;
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, NetworkName, Pacing, ShardEntry, TokenGenesis,
    native_domain,
};
use quil_types::{
    Beacon, Bitmask, Body, Bounded, Bytes, Canonical, Chain, CoinId, Digest, Epoch, EpochProof,
    FinalityProof, FrameId, FrameNumber, Genesis, Header, MemberIndex, PeerKey, ProverId, Qc, Rank,
    Root, ShardAddr, Sorted, Timestamp,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::fake::{account, faucet};

/// Frames per epoch.
pub(crate) const E: u64 = 4;
pub(crate) const SHARD: ShardAddr = ShardAddr([0x42; 32]);
pub(crate) const AMOUNT: u64 = 500;

pub(crate) struct LightNet {
    pub(crate) genesis: Genesis,
    pub(crate) secrets: Vec<SecretKey>,
    pub(crate) kzg: Kzg,
    pub(crate) state: ShardState,
    pub(crate) table: ShardTable,
    pub(crate) coin: RecordKey,
    pub(crate) owner: Account,
}

pub(crate) static NET: LazyLock<LightNet> = LazyLock::new(|| LightNet::new("light"));

fn bls(seed: u64) -> BlsKey {
    BlsKey::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

fn secret(key: &BlsKey) -> SecretKey {
    SecretKey::from_bytes(&key.expose_bytes()).unwrap()
}

pub(crate) fn stranger(seed: u64) -> SecretKey {
    secret(&bls(1_000 + seed))
}

fn document(binding: &NetworkBinding, provers: &[ProverKey], srs: Vec<u8>) -> Genesis {
    let committee = (1u8..).zip(provers);
    let committee = committee.map(|(i, p)| prover_entry(p, binding, PeerKey([i; 32])));
    let worker = WorkerKey::new(bls(50));
    let member = shard_member(&provers[0], &worker, binding, SHARD, PeerKey([99; 32]));
    Genesis {
        version: 1,
        binding: binding.clone(),
        devnet: true,
        time: Timestamp::new(1_700_000_000_000),
        pacing: Pacing {
            min_spacing_ms: 1_000,
            target_ms: 1_000,
            difficulty: Difficulty::Fixed(50),
            discriminant_bits: 128,
        },
        epoch_frames: E,
        limits: Limits {
            body_bytes: 1 << 20,
            body_cost_us: 250_000,
            anchor_age: 16,
        },
        lifecycle: Lifecycle {
            shard_stall: 4,
            weak_subjectivity: 1000,
            validity: 1000,
        },
        srs: Bytes::try_from(srs).unwrap(),
        committee: Bounded::try_from(committee.collect::<Vec<_>>()).unwrap(),
        shards: Bounded::try_from(vec![ShardEntry {
            addr: SHARD,
            members: Bounded::try_from(vec![member]).unwrap(),
        }])
        .unwrap(),
        token: TokenGenesis {
            domain: native_domain(),
            authority: faucet().address().spend().compress().0,
            fee_per_byte: 1,
        },
        upgrades: Sorted::try_from(Vec::new()).unwrap(),
    }
}

/// State of the shard after a frame of two mints, as its row in the table records it.
fn settled(genesis: &Genesis, owner: &Account, kzg: &Kzg) -> (ShardState, ShardTable, RecordKey) {
    let rules = Rules::new(genesis);
    let moment = Moment {
        now: FrameNumber::new(3),
        version: 1,
        multiplier: MULTIPLIER_ONE,
    };
    let authority = faucet();
    let mint = |nonce| {
        let mint = Mint {
            authority: authority.spend_secret(),
            nonce,
            amount: AMOUNT + 100_000,
        };
        let builder = TransferBuilder::new(&rules, moment).mint(mint);
        let builder = builder.pay(*owner.address(), AMOUNT);
        let mut rng = ChaCha20Rng::seed_from_u64(nonce);
        let built = builder.build(RangeSuite::standard(), &authority, &[], &mut rng);
        built.unwrap().bundle
    };
    let mut first = Snapshot::new(ShardState::empty(SHARD)).overlay();
    write_to(&token_genesis(rules.domain), &mut first).unwrap();
    let first = first.freeze().unwrap();
    let mut overlay = first.overlay();
    let body = Body::Shard(Bounded::try_from(vec![mint(1), mint(2)]).unwrap());
    let cache = ProofCache::default();
    let context = FrameContext {
        rules: &rules,
        moment,
        suite: RangeSuite::standard(),
        cache: &cache,
    };
    let result = execute(&overlay, &body, &context).unwrap();
    write_to(&result.writes, &mut overlay).unwrap();
    let snapshot = overlay.freeze().unwrap();
    let (rest, _) = snapshot.commit_oldest(kzg, 0).unwrap().unwrap();
    let (last, _) = rest.commit_oldest(kzg, 1).unwrap().unwrap();
    let state = last.base().clone();
    let mut row = genesis_row(state.roots());
    row.height = FrameNumber::new(7);
    row.id = FrameId([7; 32]);
    let other = genesis_row([[0; 64]; 4]);
    let rows = BTreeMap::from([(SHARD, row), (ShardAddr([1; 32]), other)]);
    let table = ShardTable::empty().update(kzg, 1, &rows).unwrap().0;
    let coin = (0..4).find_map(|i| {
        let id = load_index(&state, &index_key(rules.domain, Home::default(), i)).unwrap()?;
        let key = coin_key(rules.domain, Home::default(), id);
        let entry = quil_execution::state::StateView::read(&state, &key).unwrap()?;
        let record = quil_execution::token::TokenRecord::decode(&entry.content, 4096).unwrap();
        let quil_execution::token::TokenRecord::Coin(record) = record else {
            return None;
        };
        let keys = quil_execution::wallet::ScanKeys::of(owner);
        let own = keys.open(rules.genesis, rules.domain, Home::default(), &record);
        own.map(|_| key)
    });
    (state, table, coin.unwrap())
}

impl LightNet {
    pub(crate) fn new(name: &str) -> Self {
        let binding = NetworkBinding {
            name: NetworkName::new(name).unwrap(),
            seed: [5; 32],
        };
        let provers: Vec<_> = (1..=4).map(|i| ProverKey::new(bls(i))).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(77);
        let mut ceremony = Ceremony::init(binding.clone());
        let contributor = secret(provers[0].key());
        ceremony.contribute(&contributor, &mut rng).unwrap();
        let genesis = document(&binding, &provers, SrsFile::of(&ceremony).encode());
        let kzg = Kzg::new(&ceremony.srs().unwrap(), TableBits::default());
        let owner = account(2);
        let (state, table, coin) = settled(&genesis, &owner, &kzg);
        Self {
            secrets: provers.iter().map(|p| secret(p.key())).collect(),
            genesis,
            kzg,
            state,
            table,
            coin,
            owner,
        }
    }

    pub(crate) fn document(&self) -> Vec<u8> {
        self.genesis.encode()
    }

    pub(crate) fn committee_root(&self) -> Digest {
        self.genesis.global_committee().root()
    }

    pub(crate) fn header(&self, epoch: u64, number: u64, rank: u64, parent: FrameId) -> Header {
        let closing = number == (epoch + 1) * E - 1;
        Header {
            version: 1,
            chain: Chain::Global,
            epoch: Epoch::new(epoch),
            rank: Rank::new(rank),
            parent_rank: Rank::new(rank - 1),
            number: FrameNumber::new(number),
            timestamp: Timestamp::new(1_700_000_000_000 + number * 1_000),
            parent,
            proposer: ProverId([3; 32]),
            requests_root: Digest([4; 32]),
            receipts_root: Digest([5; 32]),
            multiplier: MULTIPLIER_ONE,
            committee_root: self.committee_root(),
            next_committee_root: if closing {
                self.committee_root()
            } else {
                Digest::ZERO
            },
            state_roots: [[6; 64]; 4],
            shards_root: self.root(),
            beacon: Beacon([7; 32]),
            anchor: None,
        }
    }

    pub(crate) fn root(&self) -> Root {
        self.table.root()
    }

    /// A certificate of a header, by these keys under these member indices.
    pub(crate) fn certify(&self, header: &Header, by: &[(u16, &SecretKey)]) -> Qc {
        let term = Term {
            genesis: self.genesis.hash(),
            chain: header.chain,
            epoch: header.epoch,
            rule: EpochRule::new(E),
            roster: std::sync::Arc::new(Roster::new(self.genesis.global_committee())),
        };
        let scheme = BlsScheme::new();
        let message = term.vote_bytes(header.rank, header.id());
        let parts: Vec<_> = by
            .iter()
            .map(|(_, key)| scheme.sign(key, &message))
            .collect();
        Qc {
            chain: header.chain,
            epoch: header.epoch,
            rank: header.rank,
            id: header.id(),
            signers: Bitmask::of(4, by.iter().map(|(i, _)| MemberIndex(*i))),
            signature: scheme.aggregate(&parts).unwrap(),
        }
    }

    /// By three of four.
    pub(crate) fn quorum(&self, header: &Header) -> Qc {
        let by: Vec<_> = (0u16..).zip(&self.secrets).skip(1).collect();
        self.certify(header, &by)
    }

    pub(crate) fn finality(&self, header: Header) -> FinalityProof {
        let qc = self.quorum(&header);
        FinalityProof { header, qc }
    }

    pub(crate) fn epoch(&self, epoch: u64) -> EpochProof {
        let closing = self.header(epoch, (epoch + 1) * E - 1, 3, FrameId([8; 32]));
        let middle = self.header(epoch, closing.number.get() + 1, 4, closing.id());
        let tip = self.header(epoch, closing.number.get() + 2, 5, middle.id());
        let qc = self.quorum(&tip);
        EpochProof {
            closing,
            between: Bounded::try_from(vec![middle]).unwrap(),
            tip,
            qc,
        }
    }

    /// The header of a proof in epoch 2.
    pub(crate) fn tip(&self) -> Header {
        self.header(2, 10, 2, FrameId([9; 32]))
    }

    pub(crate) fn proof(&self, key: &RecordKey) -> LightProof {
        LightProof {
            shard: SHARD,
            key: key.to_bytes(),
            epochs: Bounded::try_from(vec![self.epoch(0), self.epoch(1)]).unwrap(),
            finality: self.finality(self.tip()),
            record: prove_record(&self.kzg, &self.table, &self.state, key).unwrap(),
        }
    }

    /// The key of a coin that does not exist.
    pub(crate) fn nowhere(&self, salt: u8) -> RecordKey {
        coin_key(native_domain(), Home::default(), CoinId([salt; 32]))
    }
}

/// The body of the REST answer.
pub(crate) fn answer(proof: &LightProof, global: u64, height: u64) -> String {
    let proof = hex::encode(proof.encode());
    format!(
        r#"{{"schema":"quil.proof/1","proof":"{proof}","global_number":{global},"shard_height":{height}}}"#
    )
}
