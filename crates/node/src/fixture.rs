//! A network of one prover for tests: real signatures, real stores, a short reel.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quil_bls48581::SecretKey;
use quil_engine::{Identity, Network};
use quil_hotstuff::BlsScheme;
use quil_keys::{
    BlsKey, Entry, KdfParams, KeyStore, Passphrase, PeerKeypair, ProverKey, WorkerKey,
    prover_entry, shard_member,
};
use quil_kzg::{Ceremony, SrsFile, TableBits};
use quil_p2p::ipc::{
    ClientConfig, IpcServer, IpcSession, ServerConfig, Timing, WorkerCert, connect,
};
use quil_p2p::{Host, HostConfig, HostHandle, Identity as P2pIdentity, Multiaddr};
use quil_store::{MemStore, SafetyFile, Store};
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, NetworkName, Pacing, ShardEntry, TokenGenesis,
    VERSION, native_domain,
};
use quil_types::{Bounded, Chain, Genesis, ShardAddr, Sorted, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::boot::Boot;
use crate::drive::{Driver, EngineHandle, spawn};
use crate::home::alias;
use crate::persist::Files;
use crate::recent::Recent;
use crate::switchboard::{Line, SwitchError, Switchboard, Wiring, port};
use crate::threads::JobThreads;

pub(crate) fn secret(core: u8) -> Arc<SecretKey> {
    Arc::new(SecretKey::generate(&mut ChaCha20Rng::from_seed(
        [core + 1; 32],
    )))
}

fn peer(core: u8) -> PeerKeypair {
    PeerKeypair::from_seed(&[core + 1; 32])
}

fn bls(core: u8) -> BlsKey {
    BlsKey::from_bytes(&secret(core).expose_bytes()).unwrap()
}

/// The keys of the only node.
pub(crate) fn keys() -> KeyStore {
    let mut keys = KeyStore::new();
    let entries = [
        (alias::prover(), Entry::Prover(ProverKey::new(bls(0)))),
        (alias::worker(1), Entry::Worker(WorkerKey::new(bls(1)))),
        (alias::peer(0), Entry::Peer(peer(0))),
        (alias::peer(1), Entry::Peer(peer(1))),
    ];
    for (name, entry) in entries {
        keys.add(name.unwrap(), entry).unwrap();
    }
    keys
}

pub(crate) fn sealed_keys(passphrase: &str) -> Vec<u8> {
    let passphrase = Passphrase::new(passphrase.as_bytes()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    keys()
        .seal(&passphrase, KdfParams::MINIMUM, &mut rng)
        .unwrap()
}

fn genesis() -> Genesis {
    let binding = NetworkBinding {
        name: NetworkName::new("one").unwrap(),
        seed: [9; 32],
    };
    let shard = ShardAddr(native_domain().0);
    let (prover, worker) = (ProverKey::new(bls(0)), WorkerKey::new(bls(1)));
    let member = shard_member(&prover, &worker, &binding, shard, peer(1).public());
    let mut ceremony = Ceremony::init(binding.clone());
    ceremony
        .contribute(&secret(0), &mut ChaCha20Rng::seed_from_u64(6))
        .unwrap();
    let prover = prover_entry(&prover, &binding, peer(0).public());
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Genesis {
        version: VERSION,
        binding,
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
        srs: Bounded::try_from(SrsFile::of(&ceremony).encode()).unwrap(),
        committee: Bounded::try_from(vec![prover]).unwrap(),
        shards: Bounded::try_from(vec![ShardEntry {
            addr: shard,
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
    let make = || Arc::new(Network::open(genesis(), TableBits::default()).unwrap());
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

/// The only prover's worker.
pub(crate) fn worker() -> Boot {
    let network = network();
    let shard = &network.genesis().shards[0];
    let (chain, prover) = (Chain::Shard(shard.addr), shard.members[0].prover);
    let signer = secret(1);
    let key = Some(signer.public_key().to_bytes());
    Boot {
        identity: Identity::new(&[2; 32], key, prover),
        network,
        chain,
        signer: Some(signer),
        accept_lost_safety: false,
    }
}

/// A whole process without its links: stores in memory, a host on loopback.
pub(crate) struct Process {
    pub(crate) line: Line,
    pub(crate) host: HostHandle,
    run: JoinHandle<Result<(), SwitchError>>,
    join: std::thread::JoinHandle<()>,
    pub(crate) engine: EngineHandle,
    pub(crate) state: Arc<dyn Store>,
}

pub(crate) async fn start_process(boot: Boot, peer: u8, bootstrap: Vec<Multiaddr>) -> Process {
    // The future is large.
    Box::pin(start(boot, peer, bootstrap)).await
}

async fn start(boot: Boot, peer: u8, bootstrap: Vec<Multiaddr>) -> Process {
    let (network, chain) = (Arc::clone(&boot.network), boot.chain);
    let safety = SafetyFile::over(Box::new(MemStore::new()));
    let files = Files::new(Arc::new(MemStore::new()), safety, chain);
    let scheme = BlsScheme::new();
    let engine = boot.start(scheme.clone(), &files).unwrap();
    let state = files.state();
    let recent = Recent::new(Arc::clone(engine.ledger().last()));
    let (port, socket) = port();
    let driver = Driver {
        engine,
        network: Arc::clone(&network),
        scheme: Arc::new(scheme),
        files,
        threads: JobThreads::start().unwrap(),
        outside: Box::new(port),
    };
    let identity = P2pIdentity::from_secret(&mut [peer; 32]);
    let config = HostConfig {
        bootstrap,
        ..HostConfig::loopback(identity, network.hash(), [peer; 32])
    };
    let (host, events) = Host::spawn(config).await.unwrap();
    let (handle, join) = spawn(driver).unwrap();
    let wiring = Wiring {
        network,
        chain,
        engine: handle.clone(),
        socket,
        host: host.clone(),
        events,
        state: Arc::clone(&state),
        recent,
    };
    let (board, line) = Switchboard::connect(wiring).await.unwrap();
    Process {
        line,
        host,
        run: tokio::spawn(board.run()),
        join,
        engine: handle,
        state,
    }
}

impl Process {
    pub(crate) async fn finalises(&self, number: u64) {
        let mut status = self.line.status();
        let reached = status.wait_for(|s| s.final_number.get() >= number);
        timeout(Duration::from_secs(60), reached)
            .await
            .expect("a final frame")
            .unwrap();
    }

    pub(crate) async fn stop(self) {
        drop(self.line);
        self.run.await.unwrap().unwrap();
        tokio::task::spawn_blocking(move || self.join.join())
            .await
            .unwrap()
            .unwrap();
        self.host.shutdown().await;
    }
}

/// Both ends of a link between a master and its worker.
pub(crate) async fn sessions() -> (IpcSession, IpcSession) {
    let (master, worker) = (
        P2pIdentity::from_secret(&mut [1; 32]),
        P2pIdentity::from_secret(&mut [2; 32]),
    );
    let genesis = network().hash();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let expires = Timestamp::new(u64::try_from(now.as_millis()).unwrap() + 60_000);
    let cert = WorkerCert::issue(&master, genesis, worker.key(), 1, expires);
    let mut server = IpcServer::bind(ServerConfig {
        identity: master.clone(),
        genesis,
        listen: "127.0.0.1:0".parse().unwrap(),
        timing: Timing::default(),
    })
    .await
    .unwrap();
    let dial = connect(ClientConfig {
        identity: worker,
        master: master.key(),
        address: server.local_addr().unwrap(),
        cert,
        timing: Timing::default(),
    });
    let (above, below) = tokio::join!(server.accept(), dial);
    (above.unwrap(), below.unwrap())
}
