//! `quil status`, `frame`, `shard`, `tx`, `token`: commands that ask a node.

use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use quil_client::key::Unlocked;
use quil_client::light::LightClient;
use quil_client::node::{NodeClient, connect, load_genesis, parse_rpc};
use quil_client::token::{self, parse_amount, progress_line};
use quil_client::wallet::Step;
use quil_client::{
    Document, Failure, Output, SessionOptions, Standing, WaitFor, WalletSession, chain,
    parse_duration,
};
use quil_types::{ShardAddr, TxId};

use crate::args::Arguments;
use crate::key_file;

/// File name of the genesis document inside a home folder.
const GENESIS_FILE: &str = "genesis.bin";
/// Wallet that mints when none is named: that of local networks.
const FAUCET: &str = "faucet";

#[derive(Args, Debug)]
pub(crate) struct StatusArguments {
    /// Ends with exit code 3 when the node is not ready.
    #[arg(long)]
    ready: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FrameCommand {
    /// Shows a final frame.
    Show {
        /// Its number, or `latest`.
        #[arg(default_value = "latest")]
        number: String,
        /// Address of the shard, 64 hex digits; the global chain without it.
        #[arg(long, value_name = "ADDR")]
        shard: Option<String>,
    },
    /// Lists the last final frames, newest first.
    Ls {
        /// Address of the shard, 64 hex digits; the global chain without it.
        #[arg(long, value_name = "ADDR")]
        shard: Option<String>,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=64))]
        limit: u16,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShardCommand {
    /// Lists the shards with their settled state.
    Ls,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TxCommand {
    /// Shows where a transaction stands.
    Show {
        /// Its identity, 64 hex digits.
        id: String,
    },
}

/// Which account.
#[derive(Args, Debug)]
pub(crate) struct WalletArguments {
    /// Wallet in the key store; not needed when there is only one.
    #[arg(long, visible_alias = "wallet", value_name = "ALIAS")]
    from: Option<String>,
    /// Account of the wallet.
    #[arg(long, value_name = "N", default_value_t = 0)]
    account: u32,
    /// Genesis document of the network; `genesis.bin` in the home folder, or else the one that the node has.
    #[arg(long, env = "QUIL_GENESIS", value_name = "FILE")]
    genesis: Option<PathBuf>,
}

/// When a command that sends ends.
#[derive(Args, Debug)]
pub(crate) struct WaitArguments {
    /// How far the transaction must get: accepted, included, final or settled.
    #[arg(long, value_name = "STANDING", default_value = "final")]
    wait: Standing,
    /// How long to wait for it: 500ms, 60s or 2m.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|f| format!("{}; {}", f.message, f.hint))
}

impl WaitArguments {
    const fn wait_for(&self) -> WaitFor {
        WaitFor::new(self.wait, self.timeout)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Adds up the unspent coins of an account.
    Balance(WalletArguments),
    /// Lists the unspent coins of an account.
    Coins {
        #[command(flatten)]
        wallet: WalletArguments,
        /// Has every coin proven against the settled state of the network; needs nothing but the genesis document.
        #[arg(long)]
        prove: bool,
    },
    /// Pays an amount.
    Send {
        /// Receiver: an address (qacc1...) or a name in the key store.
        to: String,
        /// Decimal number of QUIL, such as 12.5.
        amount: String,
        #[command(flatten)]
        wallet: WalletArguments,
        #[command(flatten)]
        wait: WaitArguments,
    },
    /// Creates new value. The account's spend key must be the authority of the token; `faucet` when none is named.
    Mint {
        /// Receiver: an address (qacc1...) or a name in the key store.
        to: String,
        /// Decimal number of QUIL, such as 12.5; the fee is minted on top.
        amount: String,
        #[command(flatten)]
        wallet: WalletArguments,
        #[command(flatten)]
        wait: WaitArguments,
    },
    /// Makes one coin of up to 64 small ones.
    Merge {
        #[command(flatten)]
        wallet: WalletArguments,
        #[command(flatten)]
        wait: WaitArguments,
    },
}

/// Runs a future on a runtime of one thread.
fn run<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = built
        .map_err(|e| Failure::new("system", e.to_string(), "check the limits of the system"))?;
    runtime.block_on(future)
}

async fn node(arguments: &Arguments) -> Result<impl NodeClient + Clone, Failure> {
    Ok(connect(parse_rpc(&arguments.rpc)?).await?)
}

fn shard(text: Option<&str>) -> Result<Option<ShardAddr>, Failure> {
    let parsed = text.map(|t| chain::parse_id("shard address", t).map(ShardAddr));
    parsed.transpose()
}

/// `quil status`.
pub(crate) fn status(arguments: &Arguments, own: &StatusArguments) -> Result<Document, Failure> {
    run(async { chain::status(&node(arguments).await?, own.ready).await })
}

/// `quil frame`.
pub(crate) fn frame(arguments: &Arguments, command: &FrameCommand) -> Result<Document, Failure> {
    match command {
        FrameCommand::Show { number, shard: at } => {
            let (number, at) = (chain::parse_number(number)?, shard(at.as_deref())?);
            run(async { chain::frame(&node(arguments).await?, at, number).await })
        }
        FrameCommand::Ls { shard: at, limit } => {
            let at = shard(at.as_deref())?;
            run(async { chain::frames(&node(arguments).await?, at, *limit).await })
        }
    }
}

/// `quil shard`.
pub(crate) fn shards(arguments: &Arguments, command: &ShardCommand) -> Result<Document, Failure> {
    match command {
        ShardCommand::Ls => run(async { chain::shards(&node(arguments).await?).await }),
    }
}

/// `quil tx`.
pub(crate) fn tx(arguments: &Arguments, command: &TxCommand) -> Result<Document, Failure> {
    match command {
        TxCommand::Show { id } => {
            let id = TxId(chain::parse_id("transaction identity", id)?);
            run(async { chain::transaction(&node(arguments).await?, id).await })
        }
    }
}

/// `quil token`.
pub(crate) fn token(arguments: &Arguments, command: &TokenCommand) -> Result<Document, Failure> {
    match command {
        TokenCommand::Balance(wallet) => {
            let desk = Desk::open(arguments, wallet, None)?;
            run(async { token::balance(&mut desk.session().await?.0).await })
        }
        TokenCommand::Coins { wallet, prove } => {
            let desk = Desk::open(arguments, wallet, None)?;
            run(async {
                let (mut session, genesis) = desk.session().await?;
                let light = prove.then(|| LightClient::new(&genesis)).transpose()?;
                token::coins(&mut session, light.as_ref()).await
            })
        }
        TokenCommand::Send {
            to,
            amount,
            wallet,
            wait,
        } => {
            let amount = parse_amount(amount)?;
            let desk = Desk::open(arguments, wallet, None)?;
            let to = desk.keys.address(to)?;
            let wait = wait.wait_for();
            run(async { token::send(&mut desk.session().await?.0, &to, amount, wait).await })
        }
        TokenCommand::Mint {
            to,
            amount,
            wallet,
            wait,
        } => {
            let amount = parse_amount(amount)?;
            let desk = Desk::open(arguments, wallet, Some(FAUCET))?;
            let to = desk.keys.address(to)?;
            let wait = wait.wait_for();
            run(async { token::mint(&mut desk.session().await?.0, &to, amount, wait).await })
        }
        TokenCommand::Merge { wallet, wait } => {
            let desk = Desk::open(arguments, wallet, None)?;
            let wait = wait.wait_for();
            run(async { token::merge(&mut desk.session().await?.0, wait).await })
        }
    }
}

/// The keys of a token command.
struct Desk<'a> {
    arguments: &'a Arguments,
    wallet: &'a WalletArguments,
    keys: Unlocked,
    name: String,
}

impl<'a> Desk<'a> {
    /// Opens the key store and finds the wallet that is meant.
    fn open(
        arguments: &'a Arguments,
        wallet: &'a WalletArguments,
        usual: Option<&str>,
    ) -> Result<Self, Failure> {
        let keys = key_file(arguments)?.unlock()?;
        let name = match (&wallet.from, usual) {
            (Some(name), _) => name.clone(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => keys.only_wallet()?,
        };
        Ok(Self {
            arguments,
            wallet,
            keys,
            name,
        })
    }

    /// Connects; gives the session and the bytes of the genesis document.
    async fn session(&self) -> Result<(WalletSession<impl NodeClient>, Vec<u8>), Failure> {
        let account = self.keys.account(&self.name, self.wallet.account)?;
        let client = node(self.arguments).await?;
        let home = self.arguments.home();
        let usual = Some(home.join(GENESIS_FILE)).filter(|p| p.exists());
        let file = self.wallet.genesis.clone().or(usual);
        let (genesis, bytes) = load_genesis(&client, file.as_deref()).await?;
        let mut options = SessionOptions::in_home(&home);
        if self.arguments.output() == Output::Human {
            options.progress = Some(Arc::new(say));
        }
        let session = WalletSession::open(client, account, &genesis, options).await?;
        Ok((session, bytes))
    }
}

/// Progress is no result: it goes to stderr, and nobody has to read it.
fn say(step: &Step) {
    let _closed = writeln!(std::io::stderr(), "{}", progress_line(step));
}
