//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use quil_client::{Output, key::NewKind};

use crate::bench::BenchCommand;
use crate::client::{FrameCommand, ShardCommand, StatusArguments, TokenCommand, TxCommand};
use crate::compute::ComputeCommand;
use crate::config::ConfigCommand;
use crate::devnet::{DemoArguments, DevnetCommand};

/// Private data and private computation: wallet, keys, node, networks on one machine.
///
/// Results go to stdout, everything else to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 not ready, 4 rejected by the
/// network, 5 timeout, 6 permission, 7 not found, 8 node unreachable, 9 insufficient funds, 78 configuration.
#[derive(Debug, Parser)]
#[command(
    name = "quil",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    /// Folder of keys and data.
    #[arg(long, global = true, env = "QUIL_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// Address of the node's API.
    #[arg(
        long,
        global = true,
        env = "QUIL_RPC",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8337"
    )]
    pub(crate) rpc: String,
    /// How results are printed.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Human)]
    output: Format,
    /// File whose first line is the passphrase of the key store; `-` is standard input. Without it the variable
    /// QUIL_PASSPHRASE is used, or else the file `passphrase` in the home folder.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
}

impl Arguments {
    pub(crate) const fn output(&self) -> Output {
        match self.output {
            Format::Human => Output::Human,
            Format::Json => Output::Json,
        }
    }

    /// `--home`, else `.quil` in the user's folder, else here.
    pub(crate) fn home(&self) -> PathBuf {
        let user = || {
            std::env::var_os("HOME")
                .map(PathBuf::from)
                .unwrap_or_default()
        };
        self.home.clone().unwrap_or_else(|| user().join(".quil"))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows what a node says about itself.
    Status(StatusArguments),
    /// The native token: balance, coins, payments.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Transactions.
    #[command(subcommand)]
    Tx(TxCommand),
    /// Final frames of the global chain and of shards.
    #[command(subcommand)]
    Frame(FrameCommand),
    /// Shards.
    #[command(subcommand)]
    Shard(ShardCommand),
    /// Configuration of a node.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Keys in an encrypted store.
    #[command(subcommand)]
    Key(KeyCommand),
    /// The ceremony that makes a network's commitment setup.
    #[command(subcommand)]
    Ceremony(CeremonyCommand),
    /// Two parties compute on private inputs.
    #[command(subcommand)]
    Compute(ComputeCommand),
    /// Measures this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Processes of a node.
    #[command(subcommand)]
    Node(NodeCommand),
    /// A network of real processes on this machine.
    #[command(subcommand)]
    Devnet(DevnetCommand),
    /// Shows on a temporary network what the network promises; ends with 0 only if every step holds.
    Demo(DemoArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Runs a node from its home folder until it is stopped.
    Run(crate::node::Run),
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a key.
    New {
        /// Its name.
        alias: String,
        /// What it is for.
        #[arg(long, value_enum, default_value_t = KindName::Wallet)]
        kind: KindName,
    },
    /// Lists names and public sides.
    Ls,
    /// Prints the recovery phrase of a wallet.
    Export {
        /// Its name.
        alias: String,
    },
    /// Takes a wallet by its recovery phrase.
    Import {
        /// Its name.
        alias: String,
        /// File with the 24 words; `-` is standard input.
        #[arg(long, default_value = "-", value_name = "FILE")]
        phrase: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindName {
    Wallet,
    Peer,
    Prover,
}

impl From<KindName> for NewKind {
    fn from(kind: KindName) -> Self {
        match kind {
            KindName::Wallet => Self::Wallet,
            KindName::Peer => Self::Peer,
            KindName::Prover => Self::Prover,
        }
    }
}

/// The network that a ceremony is for.
#[derive(Args, Debug)]
pub(crate) struct Network {
    /// Name of the network.
    #[arg(long)]
    pub(crate) name: String,
    /// Seed of the network, 64 hex digits, as `init` printed it.
    #[arg(long)]
    pub(crate) seed: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CeremonyCommand {
    /// Starts a ceremony.
    Init {
        /// File to write.
        out: PathBuf,
        /// Name of the network.
        #[arg(long)]
        name: String,
        /// Seed of the network, 64 hex digits; drawn when absent.
        #[arg(long)]
        seed: Option<String>,
    },
    /// Adds a contribution.
    Contribute {
        /// File to read.
        input: PathBuf,
        /// File to write; the input when absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        network: Network,
        /// Prover key that signs.
        #[arg(long)]
        key: String,
    },
    /// Checks every contribution and the powers.
    Verify {
        /// File to read.
        file: PathBuf,
        #[command(flatten)]
        network: Network,
    },
}
