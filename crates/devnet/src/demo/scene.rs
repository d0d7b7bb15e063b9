//! The network of a demonstration and the people on it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use quil_api::Client;
use quil_client::key::KeyFile;
use quil_client::node::TxState;
use quil_client::wallet::Sent;
use quil_client::{SessionOptions, Standing, WaitFor, WalletSession};
use quil_execution::token::records::coin_key;
use quil_execution::wallet::ScanKeys;
use quil_keys::Amount;
use quil_types::bundle::Home;
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{Canonical as _, Genesis};

use super::DemoOptions;
use super::light::{self, Asked, flip_digit};
use super::report::{Facts, Unheld, holds};
use crate::folder::{CLIENT, GENESIS};
use crate::keys::FAUCET;
use crate::network::{Devnet, ORPHAN_GRACE, Stopped, ready_limit};
use crate::plan::Choice;
use crate::process::ProcessId;
use crate::ready::Api;
use crate::status::Report;

/// What alice gets, QUIL.
const MINTED: &str = "1000";
/// What she sends to bob, QUIL.
const SENT: &str = "12.5";
/// What she sends while a node is down, QUIL.
const SENT_LATER: &str = "1";
/// Time for a transfer, also with a member of the committee down.
const TRANSFER_LIMIT: Duration = Duration::from_secs(90);
/// The node that the client asks.
const ENDPOINT: usize = 0;
/// Pause between two looks at a process.
const POLL: Duration = Duration::from_millis(20);

type Wallet = WalletSession<Client>;

/// Everybody's wallet, and what was agreed on.
struct People {
    genesis: Vec<u8>,
    network: Genesis,
    faucet: Wallet,
    alice: Wallet,
    bob: Wallet,
    bobs_view: ScanKeys,
}

/// Worker processes whose master was killed.
pub(super) struct Orphans {
    node: String,
    master: u32,
    workers: Vec<ProcessId>,
    since: Instant,
}

impl Orphans {
    pub(super) fn facts(&self) -> Facts {
        let line = format!(
            "the master of {} (pid {}) is killed",
            self.node, self.master
        );
        Facts::new(line)
            .with("node", self.node.as_str())
            .with("pid", self.master)
    }
}

pub(super) struct Scene {
    people: Option<People>,
    net: Option<Devnet>,
    dir: PathBuf,
}

fn gone() -> Unheld {
    Unheld("the network was stopped".to_owned())
}

fn amount(text: &str) -> Result<Amount, Unheld> {
    Ok(quil_client::token::parse_amount(text)?)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// When a transaction reached a state, since it was handed in.
fn reached(sent: &Sent, state: TxState) -> Option<Duration> {
    let step = sent.steps.iter().find(|s| s.state >= state)?;
    Some(step.elapsed)
}

fn transfer_facts(line: String, sent: &Sent) -> Facts {
    let ms = |state| reached(sent, state).map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX));
    Facts::new(line)
        .with("tx", sent.tx.to_string())
        .with("amount", sent.amount.to_string())
        .with("fee", sent.fee.to_string())
        .with("bytes", sent.bytes)
        .with("final_ms", ms(TxState::Final))
        .with("settled_ms", ms(TxState::Settled))
}

/// "final in 3.10 s, settled in 7.02 s".
fn times(sent: &Sent) -> String {
    let states = [(TxState::Final, "final"), (TxState::Settled, "settled")];
    let told = states.iter().filter_map(|(state, word)| {
        let time = reached(sent, *state)?;
        Some(format!("{word} in {}", seconds(time)))
    });
    told.collect::<Vec<_>>().join(", ")
}

impl Scene {
    /// Makes the network; nothing runs yet.
    pub(super) fn set(dir: &Path, options: &DemoOptions) -> Result<Self, Unheld> {
        let choice = Choice {
            nodes: Some(options.plan.nodes()),
            workers: Some(options.plan.workers()),
            frame_time: Some(options.plan.frame_time()),
        };
        let net = Devnet::open(dir, &choice, options.program.clone())?;
        Ok(Self {
            people: None,
            dir: net.dir().to_owned(),
            net: Some(net),
        })
    }

    fn net(&mut self) -> Result<&mut Devnet, Unheld> {
        self.net.as_mut().ok_or_else(gone)
    }

    fn people(&mut self) -> Result<&mut People, Unheld> {
        self.people
            .as_mut()
            .ok_or_else(|| Unheld("the network was not started".to_owned()))
    }

    pub(super) fn genesis_facts(&self) -> Facts {
        let Some(record) = self.net.as_ref().map(Devnet::record) else {
            return Facts::new(String::new());
        };
        let (nodes, t) = (record.nodes.len(), record.squarings);
        let short: String = record.genesis.chars().take(16).collect();
        let line = format!("{short}: a ceremony with {nodes} contributions, T = {t} squarings");
        Facts::new(line)
            .with("genesis", record.genesis.as_str())
            .with("contributions", nodes)
            .with("squarings", t)
            .with("frame_ms", record.frame_ms)
    }

    /// Starts every process, waits for final frames of both chains everywhere, and opens the wallets.
    pub(super) async fn start(&mut self) -> Result<Facts, Unheld> {
        let net = self.net()?;
        net.start()?;
        let limit = ready_limit(net.record());
        let standings = net.wait_ready(&Api, (1, 1), limit).await?;
        let api = net.record().nodes.get(ENDPOINT).ok_or_else(gone)?.api();
        let all = standings.iter().cloned().map(Some).collect::<Vec<_>>();
        let report = Report::new(net.dir(), net.record(), &all);
        let nodes = standings.len();
        let workers: usize = standings.iter().map(|s| s.workers.len()).sum();
        let client = Client::connect(api).await;
        let client = client.map_err(|e| Unheld(e.to_string()))?;
        self.people = Some(People::meet(&self.dir.join(CLIENT), client).await?);
        let line = format!("{nodes} masters and {workers} workers serve; the client asks {api}");
        let list = report.get("nodes").cloned().unwrap_or_default();
        Ok(Facts::new(line).with("nodes", list))
    }

    pub(super) async fn mint(&mut self) -> Result<Facts, Unheld> {
        let people = self.people()?;
        let to = *people.alice.address();
        let wait = WaitFor::new(Standing::Final, TRANSFER_LIMIT);
        let sent = people.faucet.mint(&to, amount(MINTED)?, wait).await?;
        let line = format!("{MINTED} QUIL for alice, {}", times(&sent));
        Ok(transfer_facts(line, &sent))
    }

    pub(super) async fn send(&mut self) -> Result<Facts, Unheld> {
        let people = self.people()?;
        let to = *people.bob.address();
        let wait = WaitFor::new(Standing::Settled, TRANSFER_LIMIT);
        let sent = people.alice.send(&to, amount(SENT)?, wait).await?;
        let line = format!("{SENT} QUIL from alice to bob, {}", times(&sent));
        holds(sent.change == left(&sent, MINTED, SENT)?, || {
            format!("the change is {}", sent.change)
        })?;
        Ok(transfer_facts(line, &sent))
    }

    pub(super) async fn balances(&mut self) -> Result<Facts, Unheld> {
        let people = self.people()?;
        let alice = people.alice.balance().await?.total;
        let bob = people.bob.balance().await?.total;
        let expected = amount(SENT)?;
        holds(bob == expected, || format!("bob has {bob} QUIL"))?;
        let most = amount(MINTED)?.checked_sub(expected);
        holds(most.is_some_and(|most| alice < most), || {
            format!("alice has {alice} QUIL")
        })?;
        let line = format!("alice {alice} QUIL, bob {bob} QUIL");
        Ok(Facts::new(line)
            .with("alice", alice.to_string())
            .with("bob", bob.to_string()))
    }

    /// Fetches the proof of bob's coin by REST and verifies it with the genesis document alone.
    pub(super) async fn prove(&mut self) -> Result<(Vec<u8>, Facts), Unheld> {
        let api = self
            .net()?
            .record()
            .nodes
            .get(ENDPOINT)
            .ok_or_else(gone)?
            .api();
        let people = self.people()?;
        let coins = people.bob.coins().await?;
        let coin = coins
            .first()
            .ok_or_else(|| Unheld("bob has no coin".to_owned()))?;
        let domain = people.network.token.domain;
        let asked = Asked {
            shard: people.bob.shard(),
            key: coin_key(domain, Home([0; 2]), coin.id).to_bytes(),
        };
        let answer = Client::rest_get(api, &asked.path()).await;
        let answer = answer.map_err(|e| Unheld(e.to_string()))?;
        let (verified, opened) = light::open(&people.genesis, &answer, &asked, &people.bobs_view)?;
        let worth = Amount::from_units(opened.amount());
        holds(worth == amount(SENT)?, || {
            format!("the coin is worth {worth} QUIL")
        })?;
        let (bytes, number) = (answer.len(), verified.record().global_number);
        let line = format!(
            "bob's coin of {worth} QUIL proven after global frame {number} from the genesis and {bytes} bytes"
        );
        let facts = Facts::new(line)
            .with("coin", coin.id.to_string())
            .with("answer_bytes", bytes)
            .with("global_frame", number.get());
        Ok((answer, facts))
    }

    pub(super) fn flip(&mut self, answer: &[u8]) -> Result<Facts, Unheld> {
        let people = self.people()?;
        let (flipped, position) =
            flip_digit(answer).ok_or_else(|| Unheld("the answer has no proof".to_owned()))?;
        match quil_client::verify_answer(&people.genesis, &flipped) {
            Ok(_) => Err(Unheld(format!(
                "the answer with byte {position} flipped is accepted"
            ))),
            Err(e) => Ok(Facts::new(format!("byte {position} of the answer: {e}"))
                .with("position", position)
                .with("rejection", e.to_string())),
        }
    }

    /// Kills the master of the last node; the client talks to the first.
    pub(super) fn kill(&mut self) -> Result<Orphans, Unheld> {
        let net = self.net()?;
        let last = net.record().nodes.len().saturating_sub(1);
        let node = net.record().nodes.get(last).filter(|_| last != ENDPOINT);
        let node = node.ok_or_else(|| Unheld("there is only one node".to_owned()))?;
        let name = node.name.clone();
        let master = node.process.as_ref().map(|p| p.pid).ok_or_else(gone)?;
        let since = Instant::now();
        let workers = net.kill_master(last)?;
        holds(!workers.is_empty(), || "it had no worker".to_owned())?;
        Ok(Orphans {
            node: name,
            master,
            workers,
            since,
        })
    }

    pub(super) async fn worker_ends(&self, orphans: &Orphans) -> Result<Facts, Unheld> {
        let pids: Vec<u32> = orphans.workers.iter().map(|w| w.pid).collect();
        while orphans.workers.iter().any(ProcessId::is_alive) {
            holds(orphans.since.elapsed() < ORPHAN_GRACE, || {
                format!("{pids:?} still there after {}", seconds(ORPHAN_GRACE))
            })?;
            tokio::time::sleep(POLL).await;
        }
        let after = orphans.since.elapsed();
        let list = pids
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let line = format!(
            "its worker (pid {list}) ended by itself after {}",
            seconds(after)
        );
        Ok(Facts::new(line).with("pids", pids).with(
            "after_ms",
            u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        ))
    }

    pub(super) async fn send_without(&mut self) -> Result<Facts, Unheld> {
        let people = self.people()?;
        let to = *people.bob.address();
        let wait = WaitFor::new(Standing::Final, TRANSFER_LIMIT);
        let sent = people.alice.send(&to, amount(SENT_LATER)?, wait).await?;
        let expected = amount(SENT)?.checked_add(amount(SENT_LATER)?);
        let bob = people.bob.balance().await?.total;
        holds(Some(bob) == expected, || format!("bob has {bob} QUIL"))?;
        let line = format!(
            "{SENT_LATER} QUIL from alice to bob without it, {}",
            times(&sent)
        );
        Ok(transfer_facts(line, &sent).with("bob", bob.to_string()))
    }

    /// Starts the killed node and waits until it has what the others had when it was started.
    pub(super) async fn restart(&mut self) -> Result<Facts, Unheld> {
        let net = self.net()?;
        let last = net.record().nodes.len().saturating_sub(1);
        let name = net.record().nodes.get(last).ok_or_else(gone)?.name.clone();
        let standings = net.standings(&Api).await;
        let heights = standings.iter().filter_map(|(_, s)| {
            let s = s.as_ref()?;
            Some((s.global, s.shard()?))
        });
        let target = heights.fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        net.start_node(last)?;
        let limit = ready_limit(net.record());
        let standings = net.wait_ready(&Api, target, limit).await?;
        let own = standings.get(last).ok_or_else(gone)?;
        let (global, shard) = (own.global, own.shard().unwrap_or_default());
        let line = format!(
            "{name} caught up with global frame {} and shard frame {}; it is at {global} and {shard}",
            target.0, target.1
        );
        Ok(Facts::new(line)
            .with("node", name)
            .with("target", vec![target.0, target.1])
            .with("reached", vec![global, shard]))
    }

    /// Stops every process and removes the folder.
    pub(super) fn stop(&mut self) -> Result<Facts, Unheld> {
        self.people = None;
        let net = self.net.take().ok_or_else(gone)?;
        let record = net.record().clone();
        let everyone = record.nodes.iter().flat_map(|n| {
            let master = n.process.iter().cloned();
            master.chain(n.live_workers()).collect::<Vec<_>>()
        });
        let everyone: Vec<ProcessId> = everyone.collect();
        let fates = net.stop()?;
        for (name, fate) in &fates {
            holds(*fate == Stopped::InOrder, || {
                format!("{name}: {}", fate.as_str())
            })?;
        }
        let left = everyone.iter().filter(|p| p.is_alive()).count();
        holds(left == 0, || format!("{left} processes are left"))?;
        std::fs::remove_dir_all(&self.dir).map_err(|e| Unheld(e.to_string()))?;
        let line = format!(
            "{} processes ended in order, the folder is removed",
            everyone.len()
        );
        Ok(Facts::new(line).with("processes", everyone.len()))
    }
}

/// What is left of an amount after another one and the fee.
fn left(sent: &Sent, had: &str, gave: &str) -> Result<Amount, Unheld> {
    let left = amount(had)?.checked_sub(amount(gave)?);
    left.and_then(|l| l.checked_sub(sent.fee))
        .ok_or_else(|| Unheld("more was spent than there was".to_owned()))
}

impl People {
    /// Opens the wallets of a client folder at a node.
    async fn meet(folder: &Path, client: Client) -> Result<Self, Unheld> {
        let read = |name: &str| {
            std::fs::read(folder.join(name)).map_err(|e| Unheld(format!("{name}: {e}")))
        };
        let genesis = read(GENESIS)?;
        let network = Genesis::decode(&genesis, GENESIS_BYTES_MAX);
        let network = network.map_err(|e| Unheld(format!("{GENESIS}: {e}")))?;
        let told = client.genesis().await.map_err(|e| Unheld(e.to_string()))?;
        holds(told.0 == genesis, || {
            "the node has another genesis".to_owned()
        })?;
        let passphrase = read("passphrase")?;
        let passphrase = core::str::from_utf8(&passphrase).map_err(|e| Unheld(e.to_string()))?;
        let keys = KeyFile::new(folder, passphrase)?;
        let bobs_view = ScanKeys::of(&keys.account("bob", 0)?);
        let mut wallets = Vec::new();
        for name in [FAUCET, "alice", "bob"] {
            let account = keys.account(name, 0)?;
            let options = SessionOptions::default();
            wallets.push(WalletSession::open(client.clone(), account, &network, options).await?);
        }
        let all: Result<[Wallet; 3], _> = wallets.try_into();
        let [faucet, alice, bob] = all.map_err(|_| Unheld("three wallets".to_owned()))?;
        Ok(Self {
            genesis,
            network,
            faucet,
            alice,
            bob,
            bobs_view,
        })
    }
}
