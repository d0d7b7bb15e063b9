use std::sync::OnceLock;

use quil_engine::Network;
use quil_kzg::TableBits;
use quil_node::home::Home;
use quil_node::process::{ProcessError, Setup};
use quil_types::{Canonical as _, Chain};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::folder::{self, node_name, write_homes};
use crate::plan::FrameTime;
use crate::ports;

const MOMENT: Moment = Moment {
    time: Timestamp::new(1_700_000_000_000),
    squarings: 1_000,
};

fn plan(nodes: u16, workers: u16) -> DevnetPlan {
    DevnetPlan::new(nodes, workers, FrameTime::from_millis(2_000).unwrap()).unwrap()
}

fn draw(nodes: u16, workers: u16, seed: u64) -> Blueprint {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    Blueprint::draw(&plan(nodes, workers), MOMENT, &mut rng).unwrap()
}

/// Two nodes of two workers, drawn once: every key costs time.
fn shared() -> &'static Blueprint {
    static DRAWN: OnceLock<Blueprint> = OnceLock::new();
    DRAWN.get_or_init(|| draw(2, 2, 1))
}

#[test]
fn document_passes_every_check_of_a_node() {
    let drawn = shared();
    let bytes = drawn.genesis.encode();
    let genesis = Genesis::decode(&bytes, quil_types::limits::GENESIS_BYTES_MAX).unwrap();
    assert_eq!(genesis, drawn.genesis);
    let network = Network::open(genesis, TableBits::default()).unwrap();
    let shard = &network.genesis().shards[0];
    assert_eq!(network.genesis().shards.len(), 1);
    assert_eq!(
        (network.genesis().committee.len(), shard.members.len()),
        (2, 4),
        "every worker is a member"
    );
    assert_eq!(
        network.rules().limits.body_cost_us,
        500_000,
        "a quarter of the interval"
    );
    for chain in [Chain::Global, Chain::Shard(shard.addr)] {
        assert!(network.roster(chain, quil_types::Epoch::new(0)).is_some());
    }
}

#[test]
fn ceremony_has_one_contribution_of_each_node() {
    let genesis = &shared().genesis;
    let file = SrsFile::decode(&genesis.srs).unwrap();
    let contributors: Vec<_> = file.transcript().contributions.iter().collect();
    assert_eq!(contributors.len(), 2);
    file.verify(&genesis.binding).unwrap();
    let mut other = genesis.binding.clone();
    other.seed[0] ^= 1;
    assert!(file.verify(&other).is_err(), "bound to this network");
}

#[test]
fn altered_entry_is_refused() {
    let mut genesis = draw(1, 1, 3).genesis;
    let mut entries = genesis.committee.to_vec();
    entries[0].peer.0[0] ^= 1;
    genesis.committee = Bounded::try_from(entries).unwrap();
    assert!(Network::open(genesis, TableBits::default()).is_err());
}

#[test]
fn networks_differ_and_the_same_draw_is_the_same_document() {
    let (a, again, b) = (draw(1, 1, 7), draw(1, 1, 7), draw(1, 1, 8));
    assert_eq!(a.genesis.encode(), again.genesis.encode());
    assert_eq!(a.accounts, again.accounts);
    assert_ne!(a.genesis.hash(), b.genesis.hash());
    assert_ne!(a.genesis.binding.seed, b.genesis.binding.seed);
    assert_ne!(a.genesis.committee[0].key, b.genesis.committee[0].key);
    assert_ne!(a.accounts, b.accounts);
}

#[test]
fn every_core_of_every_home_boots_with_its_own_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let ports = ports::allocate(&plan(2, 2), &mut rng).unwrap();
    write_homes(dir.path(), shared(), &ports).unwrap();
    let mut keys = std::collections::BTreeSet::new();
    for (node, own) in ports.iter().enumerate() {
        let home = Home::new(dir.path().join(node_name(node)));
        let config = home.layers().unwrap().decode().unwrap();
        assert_eq!(config.workers.count, 2);
        assert_eq!(config.rpc.listen.port(), own.rpc);
        assert_eq!(config.p2p.worker_listen.len(), 2);
        assert_eq!(
            config.p2p.peers.len(),
            5,
            "all six processes but the master"
        );
        let passphrase = home.passphrase(None).unwrap();
        let setup = Setup::load(home, config, &passphrase).unwrap();
        for core in 0..=2 {
            let boot = setup.boot(core, false).unwrap();
            assert_eq!(boot.chain == Chain::Global, core == 0);
            assert!(keys.insert(boot.key().unwrap()), "a key of its own");
        }
        assert!(matches!(setup.boot(3, false), Err(ProcessError::Key(_))));
    }
}

#[test]
fn homes_are_readable_by_their_owner_only_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("net");
    let mut rng = ChaCha20Rng::seed_from_u64(10);
    let ports = ports::allocate(&plan(2, 2), &mut rng).unwrap();
    write_homes(&root, shared(), &ports).unwrap();
    for name in ["n0", "n1", "client"] {
        for file in ["keys.qks", "passphrase", "genesis.bin"] {
            let path = root.join(name).join(file);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }
    let again = write_homes(&root, shared(), &ports).unwrap_err();
    assert!(matches!(again, DevnetError::Home(_)), "{again}");
    folder::remove_homes(&root, 2);
    assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
}

#[test]
fn pacing_is_of_the_devnet_kind() {
    let pacing = shared().genesis.pacing;
    assert_eq!(pacing.min_spacing_ms, pacing.target_ms);
    assert_eq!(pacing.difficulty, Difficulty::Fixed(1_000));
    assert_eq!(pacing.discriminant_bits, 2048);
    assert_eq!(
        shared()
            .genesis
            .shard(ShardAddr(native_domain().0))
            .unwrap()
            .members
            .len(),
        4
    );
}
