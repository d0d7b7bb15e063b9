//! Arguments of `quil devnet load`.

use std::path::PathBuf;

use clap::Args;
use quil_devnet::load::{LoadOptions, Measure};

/// What to measure.
#[derive(Args, Debug)]
pub(crate) struct LoadArguments {
    /// Transfers, all built before the first one is handed in.
    #[arg(long, value_name = "N", default_value_t = 600)]
    count: usize,
    /// Transfers handed in per second; as fast as the node takes them when absent.
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Measures single transfers instead, one after the other.
    #[arg(long, value_name = "N", conflicts_with_all = ["count", "rate"])]
    latency: Option<usize>,
    /// Accounts that send in turn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    senders: u32,
}

impl LoadArguments {
    pub(crate) fn options(&self, dir: PathBuf) -> LoadOptions {
        let measure = match self.latency {
            Some(samples) => Measure::Latency { samples },
            None => Measure::Throughput {
                count: self.count,
                rate: self.rate,
            },
        };
        LoadOptions {
            dir,
            measure,
            senders: self.senders,
        }
    }
}
