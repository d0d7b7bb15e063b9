//! `quil bench`: figures of this machine.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use quil_bench::{Budget, Machine, Row, SystemClock, Target, crypto, mpc, report};
use quil_client::Output;

use crate::show;

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Times the cryptography of a node: field, curve, signatures, commitments, tries, delay function, proofs.
    Crypto(CryptoArguments),
    /// Times two-party computation: gates, transfers, sessions, compiler; sizes of circuits, memory.
    Mpc(Only),
}

#[derive(Args, Debug)]
pub(crate) struct Only {
    /// Only rows whose id begins with this, such as `bls.`
    #[arg(
        long,
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    only: String,
}

#[derive(Args, Debug)]
pub(crate) struct CryptoArguments {
    #[command(flatten)]
    only: Only,
    /// Runs every operation a few times: shows that it works, the figures say little.
    #[arg(long)]
    smoke: bool,
}

/// `quil bench`.
pub(crate) fn run(output: Output, command: &BenchCommand) -> ExitCode {
    let say = |line: &str| {
        if output == Output::Human {
            // A closed pipe is the reader's choice.
            let _closed = writeln!(std::io::stderr(), "{line}");
        }
    };
    let (rows, targets): (_, &[Target]) = match command {
        BenchCommand::Crypto(own) => {
            let budget = if own.smoke {
                Budget::SMOKE
            } else {
                Budget::STANDARD
            };
            let rows = crypto::run(&own.only.only, budget, &SystemClock::start(), &say);
            (rows, &crypto::TARGETS)
        }
        BenchCommand::Mpc(own) => (mpc::run(&own.only, &say), &mpc::TARGETS),
    };
    let document = |rows: Vec<Row>| report(&Machine::this(), &rows, targets);
    show(output, rows.map(document).map_err(Into::into))
}
