//! Runs one target for a time, or on one input.

#![allow(clippy::print_stdout, reason = "the report of a command line program")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use quil_fuzz::{ALL, Campaign, find};

/// Feeds bent inputs to decoders and verifiers.
#[derive(Debug, Parser)]
struct Arguments {
    /// Target, or the beginning of several names (`bls.`); all without it.
    target: Option<String>,
    /// Seconds per target.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// First number of the mutator.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs the target once on the hex digits of this file instead.
    #[arg(long)]
    input: Option<PathBuf>,
    /// Lists the targets.
    #[arg(long)]
    list: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        ALL.iter()
            .for_each(|t| println!("{} ({:?})", t.name, t.kind));
        return Ok(());
    }
    let prefix = arguments.target.clone().unwrap_or_default();
    if let Some(file) = &arguments.input {
        let text = std::fs::read_to_string(file).context("the input file")?;
        let input = hex::decode(text.trim()).context("hex digits")?;
        let target = find(&prefix).context("one target by its full name")?;
        println!("{}: {:?}", target.name, target.check(&input));
        return Ok(());
    }
    let chosen: Vec<_> = match find(&prefix) {
        Some(one) => vec![one],
        None => ALL.iter().filter(|t| t.name.starts_with(&prefix)).collect(),
    };
    if chosen.is_empty() {
        bail!("no target begins with {prefix}; see --list");
    }
    for target in chosen {
        let mut campaign = Campaign::new(*target, arguments.seed);
        let end = Instant::now() + Duration::from_secs(arguments.seconds);
        while Instant::now() < end {
            campaign.step();
        }
        let seen = campaign.report();
        println!(
            "{}: {} inputs, {} refused, at most {} bytes held",
            target.name, seen.tried, seen.refused, seen.peak
        );
    }
    Ok(())
}
