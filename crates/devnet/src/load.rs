//! `quil devnet load`: how many transfers a running network makes final, and how soon.
//!
//! All proofs are made before the clock starts, so that the figures are the network's. They are those of this machine with
//! everything else that runs on it: the report names the load average beside them. Two measurements:
//!
//! - throughput: all transfers are handed to one node as fast as it takes them, or at a given rate;
//! - latency: single transfers one after the other, each at another moment of the frame interval.

mod build;
mod coins;
mod figures;
mod latency;
mod machine;
mod throughput;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quil_api::Client;
use quil_client::key::KeyFile;
use quil_client::node::NodeError;
use quil_client::{Document, Failure, NodeClient as _};
use quil_engine::jobs::moment_of;
use quil_execution::rules::Rules;
use quil_execution::token::Moment;
use quil_keys::Account;
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{Canonical as _, Genesis, ShardAddr};

use crate::error::DevnetError;
use crate::folder::{self, CLIENT, GENESIS};
use crate::keys::FAUCET;
use crate::record::Record;
use machine::Memory;

/// Most transfers of one measurement: what a mempool holds.
pub const COUNT_MAX: usize = 10_000;
/// Most accounts that send.
pub const SENDERS_MAX: u32 = 64;
/// Most single transfers of a latency measurement.
pub const LATENCY_MAX: usize = 1_000;
/// Schema of the report.
pub const SCHEMA: &str = "quil.load/1";
/// Calls in flight at the node: as many as its API carries on two connections.
const IN_FLIGHT: usize = 64;
/// Connections for them.
const CONNECTIONS: usize = 2;
/// A network that makes nothing final for so many frame intervals will not.
const STALL_INTERVALS: u32 = 60;
/// Pause before a call is repeated that the node could not take.
const RETRY: Duration = Duration::from_millis(20);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Many transfers at once.
    Throughput {
        /// How many.
        count: usize,
        /// Handed in so many per second; as fast as they are taken when absent.
        rate: Option<u32>,
    },
    /// Single transfers, one after the other.
    Latency {
        /// How many.
        samples: usize,
    },
}

/// A measurement to make.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Folder of a network that runs.
    pub dir: PathBuf,
    /// What is measured.
    pub measure: Measure,
    /// Accounts that send in turn.
    pub senders: u32,
}

/// Told what is being done.
pub type Say<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// A running network with the accounts that spend on it.
struct Site {
    record: Record,
    rules: Rules,
    shard: ShardAddr,
    faucet: Account,
    senders: Vec<Account>,
    /// Connections to the first node.
    clients: Vec<Client>,
}

fn usage(message: String) -> Failure {
    Failure::new("load.usage", message, "see quil devnet load --help").usage()
}

impl LoadOptions {
    fn count(&self) -> Result<usize, Failure> {
        let (count, max, what) = match self.measure {
            Measure::Throughput { count, .. } => (count, COUNT_MAX, "--count"),
            Measure::Latency { samples } => (samples, LATENCY_MAX, "--latency"),
        };
        if !(1..=max).contains(&count) {
            return Err(usage(format!("{what} is 1 to {max}, not {count}")));
        }
        if !(1..=SENDERS_MAX).contains(&self.senders) {
            let got = self.senders;
            return Err(usage(format!("--senders is 1 to {SENDERS_MAX}, not {got}")));
        }
        if matches!(self.measure, Measure::Throughput { rate: Some(0), .. }) {
            return Err(usage("--rate is at least 1".to_owned()));
        }
        Ok(count)
    }
}

/// Prepares coins, builds the transfers, hands them in and reports. Cancel safe: what was handed in may still happen.
///
/// # Errors
/// [`Failure`]: the network does not run, refuses a transfer, or makes nothing final any more.
pub async fn load(options: &LoadOptions, say: Say<'_>) -> Result<Document, Failure> {
    let count = options.count()?;
    let site = Site::open(&options.dir, options.senders).await?;
    let idle = Memory::of(&site.record);
    let price = site.price(count).await?;
    say(&format!(
        "{count} coins for {} accounts",
        site.senders.len()
    ));
    let coins = coins::prepare(&site, price, count).await?;
    say(&format!("{count} transfers are built"));
    let begin = Instant::now();
    let transfers = build::transfers(&site, price, coins, say).await?;
    let build = begin.elapsed();
    let bytes = transfers.iter().map(|t| t.bytes.len()).max().unwrap_or(0);
    let load = machine::load_average();
    let document = Document::new(SCHEMA)
        .with("nodes", site.record.nodes.len())
        .with("workers", site.record.workers)
        .with("frame_ms", site.record.frame_ms)
        .with("cores", machine::cores())
        .with("load_average", load)
        .with("senders", site.senders.len())
        .with("transfer_bytes", bytes)
        .with("build_seconds", figures::seconds(build))
        .with("idle_rss_mb_max", idle.largest_mb());
    let document = match options.measure {
        Measure::Throughput { rate, .. } => {
            let measured = throughput::measure(&site, transfers, rate, say).await?;
            measured.describe(document)
        }
        Measure::Latency { .. } => {
            let measured = latency::measure(&site, transfers, say).await?;
            measured.describe(document, site.record.frame_ms)
        }
    };
    Ok(document.with("loaded_rss_mb_max", Memory::of(&site.record).largest_mb()))
}

fn defect(e: impl core::fmt::Display) -> Failure {
    Failure::new("load.build", e.to_string(), "report this")
}

impl Site {
    async fn open(dir: &Path, senders: u32) -> Result<Self, Failure> {
        let dir = folder::absolute(dir)?;
        let record = Record::load(&dir)?.ok_or_else(|| DevnetError::Missing(dir.clone()))?;
        let node = record.nodes.first().ok_or(DevnetError::NoNode(0))?;
        if !node.is_alive() {
            let message = format!("{}: the network does not run", dir.display());
            return Err(Failure::new("load.stopped", message, "quil devnet up").not_ready());
        }
        let home = dir.join(CLIENT);
        let read = |name: &str| {
            let path = home.join(name);
            std::fs::read(&path).map_err(folder::at(&path))
        };
        let genesis = Genesis::decode(&read(GENESIS)?, GENESIS_BYTES_MAX);
        let genesis = genesis.map_err(|e| Failure::from(DevnetError::Genesis(e.to_string())))?;
        let passphrase = String::from_utf8_lossy(&read("passphrase")?).into_owned();
        let keys = KeyFile::new(&home, &passphrase)?.unlock()?;
        let rules = Rules::new(&genesis);
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(quil_client::node::connect(node.api()).await?);
        }
        Ok(Self {
            shard: ShardAddr(rules.domain.0),
            faucet: keys.account(FAUCET, 0)?,
            senders: (1..=senders)
                .map(|n| keys.account(FAUCET, n))
                .collect::<Result<_, _>>()?,
            rules,
            clients,
            record,
        })
    }

    fn client(&self, turn: usize) -> Result<&Client, Failure> {
        let at = turn.checked_rem(self.clients.len()).unwrap_or(0);
        self.clients.get(at).ok_or_else(|| defect("no connection"))
    }

    /// The latest final frame with a multiplier that full frames of these transfers do not exceed: a pre-built transfer
    /// must still pay enough when it is its turn.
    async fn price(&self, count: usize) -> Result<Moment, Failure> {
        let frame = self.client(0)?;
        let frame = quil_client::NodeClient::frame(frame, Some(self.shard), None).await?;
        let mut moment = moment_of(&frame.header);
        for _ in 0..coins::full_frames(&self.rules, count) {
            let step = moment.multiplier.div_ceil(8);
            moment.multiplier = moment.multiplier.saturating_add(step);
        }
        Ok(moment)
    }

    /// Without a final transfer for so long the measurement fails.
    fn stall(&self) -> Duration {
        Duration::from_millis(self.record.frame_ms).saturating_mul(STALL_INTERVALS)
    }
}

/// A transfer ready to be handed in.
#[derive(Clone, Debug)]
struct Transfer {
    tx: quil_types::TxId,
    bytes: Arc<[u8]>,
}

/// Hands a bundle in until the node takes it; gives how often it had to be repeated.
async fn submit(client: &Client, transfer: &Transfer, limit: Duration) -> Result<u64, Failure> {
    let begin = Instant::now();
    let mut repeated = 0u64;
    loop {
        match quil_client::NodeClient::submit(client, transfer.bytes.to_vec()).await {
            Ok(_) => return Ok(repeated),
            Err(NodeError::Rejected(quil_types::Code::TxReplayed)) => return Ok(repeated),
            Err(e) if e.passes() && begin.elapsed() < limit => {}
            Err(e) => return Err(e.into()),
        }
        repeated = repeated.saturating_add(1);
        client.pause(RETRY).await;
    }
}

fn stalled(limit: Duration) -> Failure {
    let message = format!("nothing became final for {} s", limit.as_secs());
    Failure::new("load.stalled", message, "read node.log in the home folders").timeout()
}
