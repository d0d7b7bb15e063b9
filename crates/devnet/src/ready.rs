//! What nodes say about themselves, and when a network is ready.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use quil_api::Client;
use quil_api::backend::{NodeStatus, WorkerView};
use quil_api::client::Timeouts;

/// A node that does not answer in this time is busy starting; it is asked again.
const ANSWER: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    call: Duration::from_secs(2),
};

/// Where a worker stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerStanding {
    /// Its core.
    pub core: u32,
    /// A word: what its supervisor thinks of it.
    pub state: String,
    /// Its process.
    pub pid: Option<u32>,
    /// Last final frame of its shard.
    pub height: Option<u64>,
}

/// Where a node stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its network.
    pub genesis: String,
    /// Whether it serves.
    pub ready: bool,
    /// What is missing, in its own words.
    pub missing: Vec<String>,
    /// Last final global frame.
    pub global: u64,
    /// Highest global frame it knows, and its rank: where it stands when nothing becomes final.
    pub head: (u64, u64),
    /// Its workers, by core.
    pub workers: Vec<WorkerStanding>,
    /// Connected peers.
    pub peers: u32,
}

impl Standing {
    /// Lowest height of its workers' shards; `None` while one has not said where it stands.
    #[must_use]
    pub fn shard(&self) -> Option<u64> {
        let heights = self.workers.iter().map(|w| w.height);
        heights.min().flatten()
    }

    /// Whether it serves and has final frames up to `heights` (global, shard) with so many workers.
    #[must_use]
    pub fn reaches(&self, workers: u16, heights: (u64, u64)) -> bool {
        let complete = self.workers.len() == usize::from(workers);
        let shard = self.shard().is_some_and(|h| h >= heights.1);
        self.ready && complete && self.global >= heights.0 && shard
    }

    fn describe(&self) -> String {
        let shard = self
            .shard()
            .map_or_else(|| "unknown".to_owned(), |h| h.to_string());
        let (head, rank) = self.head;
        let mut text = format!(
            "global frame {} (head {head}, rank {rank}), shard frame {shard}",
            self.global
        );
        if !self.missing.is_empty() {
            text.push_str(&format!(", {}", self.missing.join(", ")));
        }
        text
    }
}

impl From<NodeStatus> for Standing {
    fn from(status: NodeStatus) -> Self {
        let worker = |w: WorkerView| WorkerStanding {
            core: w.core,
            state: w.state,
            pid: w.pid,
            height: w.chain.map(|c| c.final_number.get()),
        };
        Self {
            genesis: status.genesis_hash.to_string(),
            ready: status.ready,
            missing: status.not_ready_because,
            global: status.global.final_number.get(),
            head: (status.global.head.get(), status.global.rank.get()),
            workers: status.workers.into_iter().map(worker).collect(),
            peers: status.peers,
        }
    }
}

/// Asks a node where it stands.
pub trait Ask: Send + Sync {
    /// The answer of the API at an address; `None` when there is none.
    fn standing(&self, api: SocketAddr) -> impl Future<Output = Option<Standing>> + Send;
}

/// Asks over the public API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Api;

impl Ask for Api {
    async fn standing(&self, api: SocketAddr) -> Option<Standing> {
        let client = Client::connect_with(api, ANSWER).await.ok()?;
        Some(client.status().await.ok()?.into())
    }
}

/// What is missing, node by node; empty when everyone reaches the heights.
pub(crate) fn missing(
    standings: &[(String, Option<Standing>)],
    workers: u16,
    heights: (u64, u64),
) -> String {
    let late = standings.iter().filter_map(|(name, standing)| {
        let text = match standing {
            None => "no answer".to_owned(),
            Some(s) if s.reaches(workers, heights) => return None,
            Some(s) => s.describe(),
        };
        Some(format!("{name}: {text}"))
    });
    late.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(global: u64, shard: Option<u64>) -> Standing {
        Standing {
            ready: true,
            global,
            workers: vec![WorkerStanding {
                core: 1,
                height: shard,
                ..WorkerStanding::default()
            }],
            ..Standing::default()
        }
    }

    #[test]
    fn node_is_ready_with_final_frames_of_both_chains() {
        assert!(standing(1, Some(1)).reaches(1, (1, 1)));
        assert!(!standing(0, Some(1)).reaches(1, (1, 1)));
        assert!(!standing(1, Some(0)).reaches(1, (1, 1)));
        assert!(!standing(1, None).reaches(1, (1, 0)));
        assert!(
            !standing(1, Some(1)).reaches(2, (1, 1)),
            "a worker is missing"
        );
        let unready = Standing {
            ready: false,
            ..standing(9, Some(9))
        };
        assert!(!unready.reaches(1, (1, 1)));
        assert_eq!(Standing::default().shard(), None);
    }

    #[test]
    fn those_who_are_late_are_named() {
        let all = [
            ("n0".to_owned(), Some(standing(5, Some(4)))),
            ("n1".to_owned(), Some(standing(5, Some(2)))),
            ("n2".to_owned(), None),
        ];
        let text = missing(&all, 1, (5, 4));
        let first = "n1: global frame 5 (head 0, rank 0), shard frame 2";
        assert_eq!(text, format!("{first}; n2: no answer"));
        assert_eq!(missing(&all[..1], 1, (5, 4)), "");
    }

    #[tokio::test]
    async fn nobody_at_an_address_is_no_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(Api.standing(address).await, None);
    }
}
