//! Processes killed with -9 at random moments: nothing final is lost, and no vote is ever contradicted.
//!
//! An observer on the gossip network records every vote. `QUIL_KILLS` and `QUIL_KILL_SEED` choose how many kills and
//! which; a failure names the seed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use quil_api::Client;
use quil_devnet::network::{Devnet, ORPHAN_GRACE};
use quil_devnet::process::{ProcessId, wait_ended};
use quil_devnet::ready::{Api, Ask as _, Standing};
use quil_devnet::{Choice, FrameTime, Program};
use quil_node::home::Home;
use quil_p2p::blossomsub::{Mask, Verdict};
use quil_p2p::{Host, HostConfig, HostEvent, Identity};
use quil_types::limits::PROPOSAL_BYTES_MAX;
use quil_types::{
    Canonical as _, Chain, ConsensusMessage, Envelope, Epoch, FrameId, FrameNumber, Genesis,
    MemberIndex, Rank, ShardAddr, Vote,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Kills of an ordinary run of the tests.
const KILLS: u64 = 6;
/// Nodes of the network.
const NODES: usize = 4;
/// A supervisor quarantines a worker after five ends: before that its master is killed.
const WORKER_KILLS_IN_A_ROW: u32 = 3;
/// A killed node answers again within this time.
const BACK: Duration = Duration::from_secs(60);

type Votes = BTreeMap<(Chain, Epoch, Rank, MemberIndex), FrameId>;

/// What the observer has seen.
#[derive(Debug, Default)]
struct Seen {
    votes: Votes,
    contradictions: Vec<String>,
}

impl Seen {
    fn note(&mut self, vote: &Vote) {
        let key = (vote.chain, vote.epoch, vote.rank, vote.member);
        let first = *self.votes.entry(key).or_insert(vote.id);
        if first != vote.id {
            self.contradictions
                .push(format!("{key:?}: {first} and {}", vote.id));
        }
    }

    fn take(&mut self, data: &[u8]) {
        let envelope = Envelope::decode(data, PROPOSAL_BYTES_MAX).expect("members send envelopes");
        match envelope.payload {
            ConsensusMessage::Vote(vote) => self.note(&vote),
            ConsensusMessage::Proposal(proposal) => self.note(&proposal.vote),
            _ => {}
        }
    }
}

/// Listens to both chains.
async fn observe(home: &Path, shard: ShardAddr, genesis: &Genesis) -> Arc<Mutex<Seen>> {
    let config = Home::new(home.to_owned())
        .layers()
        .unwrap()
        .decode()
        .unwrap();
    let peers = config.p2p.peers.iter().map(|p| p.parse().unwrap());
    let host = HostConfig {
        bootstrap: peers.collect(),
        ..HostConfig::loopback(
            Identity::from_secret(&mut [99; 32]),
            genesis.hash(),
            [7; 32],
        )
    };
    let (host, mut events) = Host::spawn(host).await.unwrap();
    for mask in [Mask::GLOBAL_CONSENSUS, Mask::shard_consensus(&shard)] {
        host.subscribe(mask).await.unwrap();
    }
    let seen = Arc::<Mutex<Seen>>::default();
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let HostEvent::Message { id, data, .. } = event {
                record.lock().unwrap().take(&data);
                let _ended = host.report_validation(id, Verdict::Accept).await;
            }
        }
    });
    seen
}

struct Run {
    net: Devnet,
    rng: ChaCha20Rng,
    /// Highest final frames that each node has told: global, shard.
    told: [(u64, u64); NODES],
    worker_kills: [u32; NODES],
    /// What was done, for the message of a failure.
    log: Vec<String>,
}

impl Run {
    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }

    fn pick(&mut self) -> usize {
        usize::try_from(self.below(NODES as u64)).unwrap()
    }

    async fn standing(&self, n: usize) -> Option<Standing> {
        Api.standing(self.net.record().nodes[n].api()).await
    }

    /// What a node tells now never falls behind what it told before.
    async fn ask(&mut self, n: usize) -> bool {
        let Some(now) = self.standing(n).await else {
            return false;
        };
        let (global, shard) = (now.global, now.shard());
        let told = &mut self.told[n];
        assert!(
            global >= told.0,
            "n{n} lost final global frames: {global} < {told:?}"
        );
        // A worker that has not said where it stands yet says nothing, not zero.
        assert!(
            shard.is_none_or(|s| s >= told.1),
            "n{n} lost final shard frames: {shard:?} < {told:?}"
        );
        *told = (global, shard.unwrap_or(told.1));
        shard.is_some()
    }

    async fn kill_one(&mut self) {
        let pause = self.below(900);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let n = self.pick();
        self.ask(n).await;
        let worker = self.standing(n).await.and_then(|s| s.workers.first()?.pid);
        let of_worker = self.below(3) == 0 && self.worker_kills[n] < WORKER_KILLS_IN_A_ROW;
        match worker.and_then(ProcessId::of).filter(|_| of_worker) {
            Some(worker) => {
                self.worker_kills[n] += 1;
                worker.kill();
                self.log.push(format!("{pause} ms, worker of n{n}"));
            }
            None => {
                self.kill_master(n);
                self.log.push(format!("{pause} ms, master of n{n}"));
                if self.below(4) == 0 {
                    // Again, while it recovers.
                    let pause = self.below(600);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    self.kill_master(n);
                    self.log.push(format!("{pause} ms, again"));
                }
            }
        }
        self.comes_back(n).await;
    }

    /// Kills a master, sees its worker end by itself, and starts the node again.
    fn kill_master(&mut self, n: usize) {
        let master = self.net.record().nodes[n].process.clone();
        let workers = master.map(|m| m.children()).unwrap_or_default();
        self.net.kill_master(n).unwrap();
        let left = wait_ended(&workers, ORPHAN_GRACE);
        assert!(
            left.is_empty(),
            "workers outlive the master of n{n}: {left:?}"
        );
        self.worker_kills[n] = 0;
        let start = Instant::now();
        // A worker that was started after the look at the children holds its port for a moment.
        while let Err(e) = self.net.start_node(n) {
            assert!(start.elapsed() < ORPHAN_GRACE, "n{n}: {e}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    async fn comes_back(&mut self, n: usize) {
        let back = async {
            while !self.ask(n).await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let back = tokio::time::timeout(BACK, back).await;
        assert!(back.is_ok(), "n{n} does not come back: {:?}", self.log);
    }

    /// Every final frame is the same on every node that has it.
    async fn frames_agree(&self, shard: ShardAddr) {
        let mut clients = Vec::new();
        for node in &self.net.record().nodes {
            clients.push(Client::connect(node.api()).await.unwrap());
        }
        for (shard, height) in [
            (None, self.told.iter().map(|t| t.0).min()),
            (Some(shard), self.told.iter().map(|t| t.1).min()),
        ] {
            for number in 1..=height.unwrap() {
                let number = Some(FrameNumber::new(number));
                let mut first = None;
                for client in &clients {
                    let header = client.frame(shard, number).await.unwrap().header;
                    let id = *first.get_or_insert_with(|| header.id());
                    assert_eq!(id, header.id(), "frame {number:?} of {shard:?} differs");
                }
            }
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |t| t.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_lose_nothing_final_and_contradict_no_vote() {
    let (kills, seed) = (number("QUIL_KILLS", KILLS), number("QUIL_KILL_SEED", 1));
    let dir = tempfile::tempdir().unwrap();
    let choice = Choice {
        nodes: Some(u16::try_from(NODES).unwrap()),
        workers: Some(1),
        frame_time: Some(FrameTime::from_millis(1_000).unwrap()),
    };
    let program = Program::new(env!("CARGO_BIN_EXE_quil").into());
    let mut net = Devnet::open(dir.path(), &choice, program).unwrap();
    let home = dir.path().join("n0");
    let config = Home::new(home.clone()).layers().unwrap().decode().unwrap();
    let genesis = Home::new(home.clone()).genesis(&config).unwrap();
    let shard = genesis.shards[0].addr;
    net.start().unwrap();
    net.wait_ready(&Api, (1, 1), BACK).await.unwrap();
    let seen = observe(&home, shard, &genesis).await;
    let mut run = Run {
        net,
        rng: ChaCha20Rng::seed_from_u64(seed),
        told: [(0, 0); NODES],
        worker_kills: [0; NODES],
        log: vec![format!("seed {seed}")],
    };
    for _ in 0..kills {
        run.kill_one().await;
        let contradictions = seen.lock().unwrap().contradictions.clone();
        assert!(
            contradictions.is_empty(),
            "{contradictions:?} after {:?}",
            run.log
        );
    }
    let above = |of: fn(&(u64, u64)) -> u64| run.told.iter().map(of).max().unwrap() + 3;
    let goal = (above(|t| t.0), above(|t| t.1));
    run.net.wait_ready(&Api, goal, BACK).await.unwrap();
    for n in 0..NODES {
        run.ask(n).await;
    }
    run.frames_agree(shard).await;
    let seen = seen.lock().unwrap();
    assert!(seen.contradictions.is_empty(), "{:?}", seen.contradictions);
    for chain in [Chain::Global, Chain::Shard(shard)] {
        let voters = seen.votes.keys().filter(|k| k.0 == chain).map(|k| k.3);
        let voters: std::collections::BTreeSet<_> = voters.collect();
        assert_eq!(
            voters.len(),
            NODES,
            "the observer hears every member of {chain}"
        );
    }
    eprintln!(
        "{kills} kills, seed {seed}: {} votes, none contradicted",
        seen.votes.len()
    );
}
