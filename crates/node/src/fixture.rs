//! A network of one prover for tests: real signatures, real stores, a short reel.

use std::sync::{Arc, OnceLock};

use quil_bls48581::SecretKey;
use quil_engine::{Identity, Network};
use quil_kzg::Kzg;
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, NetworkName, Pacing, ProverEntry, ShardEntry,
    ShardMember, TokenGenesis, VERSION, native_domain,
};
use quil_types::{Bounded, Chain, Genesis, ProverId, ShardAddr, Sorted, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::boot::Boot;

pub(crate) fn secret(core: u8) -> Arc<SecretKey> {
    Arc::new(SecretKey::generate(&mut ChaCha20Rng::from_seed(
        [core + 1; 32],
    )))
}

fn entry(core: u8) -> ProverEntry {
    let peer = Identity::new(&[core + 1; 32], None, ProverId::ZERO).peer();
    ProverEntry {
        key: secret(core).public_key().to_bytes(),
        possession: [0; 74],
        peer,
    }
}

fn genesis() -> Genesis {
    let prover = entry(0);
    let member = ShardMember {
        prover: prover.id(),
        worker: entry(1),
        certificate: [0; 74],
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Genesis {
        version: VERSION,
        binding: NetworkBinding {
            name: NetworkName::new("one").unwrap(),
            seed: [9; 32],
        },
        devnet: true,
        time: Timestamp::new(u64::try_from(now.as_millis()).unwrap()),
        pacing: Pacing {
            min_spacing_ms: 200,
            target_ms: 200,
            difficulty: Difficulty::Fixed(50),
            discriminant_bits: 128,
        },
        epoch_frames: 1 << 20,
        limits: Limits {
            body_bytes: 1 << 20,
            body_cost_us: 50_000,
            anchor_age: 16,
        },
        lifecycle: Lifecycle {
            shard_stall: 4,
            weak_subjectivity: 1000,
            validity: 1000,
        },
        srs: Bounded::new(),
        committee: Bounded::try_from(vec![prover]).unwrap(),
        shards: Bounded::try_from(vec![ShardEntry {
            addr: ShardAddr(native_domain().0),
            members: Bounded::try_from(vec![member]).unwrap(),
        }])
        .unwrap(),
        token: TokenGenesis {
            domain: native_domain(),
            authority: [0; 56],
            fee_per_byte: 1,
        },
        upgrades: Sorted::try_from(Vec::new()).unwrap(),
    }
}

pub(crate) fn network() -> Arc<Network> {
    static NETWORK: OnceLock<Arc<Network>> = OnceLock::new();
    let make = || Arc::new(Network::unchecked(genesis(), Kzg::insecure_shared()));
    Arc::clone(NETWORK.get_or_init(make))
}

/// The only prover's master.
pub(crate) fn master() -> Boot {
    let network = network();
    let prover = network.genesis().committee[0].id();
    let signer = secret(0);
    let key = Some(signer.public_key().to_bytes());
    Boot {
        identity: Identity::new(&[1; 32], key, prover),
        network,
        chain: Chain::Global,
        signer: Some(signer),
        accept_lost_safety: false,
    }
}
