//! Ports of the processes of a local network: loopback, TCP, in a row.

use std::net::{Ipv4Addr, TcpListener};

use rand_core::Rng;

use crate::plan::DevnetPlan;

/// Ports come from here: above the well-known ones and below those that systems give to outgoing connections, so
/// that no connection of a neighbour sits on the port of a process that restarts.
const RANGE: core::ops::Range<u16> = 20_000..32_000;
/// Places that are tried.
const ATTEMPTS: u32 = 64;

/// Ports of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePorts {
    /// Public API.
    pub rpc: u16,
    /// Peer-to-peer host of each process; the master is core 0.
    pub p2p: Vec<u16>,
}

impl NodePorts {
    fn all(&self) -> impl Iterator<Item = u16> + '_ {
        core::iter::once(self.rpc).chain(self.p2p.iter().copied())
    }

    /// The first port that something else listens on.
    #[must_use]
    pub fn taken(&self) -> Option<u16> {
        self.all().find(|port| !is_free(*port))
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn at(plan: &DevnetPlan, base: u16) -> Option<Vec<NodePorts>> {
    let mut next = base;
    let mut take = || {
        let port = next;
        next = next.checked_add(1)?;
        RANGE.contains(&port).then_some(port)
    };
    (0..plan.nodes())
        .map(|_| {
            let rpc = take()?;
            let p2p = (0..=plan.workers())
                .map(|_| take())
                .collect::<Option<_>>()?;
            Some(NodePorts { rpc, p2p })
        })
        .collect()
}

/// Ports for a plan that are free now; `None` when no place was found.
pub fn allocate(plan: &DevnetPlan, rng: &mut impl Rng) -> Option<Vec<NodePorts>> {
    let width = u32::from(RANGE.end.saturating_sub(RANGE.start));
    (0..ATTEMPTS).find_map(|_| {
        let offset = u16::try_from(rng.next_u32() % width).ok()?;
        let ports = at(plan, RANGE.start.checked_add(offset)?)?;
        ports.iter().all(|p| p.taken().is_none()).then_some(ports)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::plan::FrameTime;

    fn plan(nodes: u16, workers: u16) -> DevnetPlan {
        DevnetPlan::new(nodes, workers, FrameTime::from_millis(2000).unwrap()).unwrap()
    }

    #[test]
    fn every_process_has_ports_of_its_own_that_can_be_bound() {
        let ports = allocate(&plan(16, 2), &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        assert_eq!(ports.len(), 16);
        let all: Vec<u16> = ports.iter().flat_map(NodePorts::all).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 16 * 4);
        assert!(all.iter().all(|p| RANGE.contains(p)));
    }

    #[test]
    fn place_with_a_listener_is_passed_over() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let first = allocate(&plan(2, 1), &mut rng.clone()).unwrap();
        let taken = first[1].p2p[0];
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, taken)).unwrap();
        assert_eq!(first[1].taken(), Some(taken));
        assert_eq!(first[0].taken(), None);
        let second = allocate(&plan(2, 1), &mut rng).unwrap();
        assert!(second.iter().flat_map(NodePorts::all).all(|p| p != taken));
    }

    #[test]
    fn row_that_leaves_the_range_is_no_place() {
        assert_eq!(at(&plan(2, 1), RANGE.end - 5), None);
        assert!(at(&plan(2, 1), RANGE.end - 6).is_some());
    }
}
