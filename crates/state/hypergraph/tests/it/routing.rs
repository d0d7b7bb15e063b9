//! One shard for every address.

use proptest::prelude::*;
use quil_hypergraph::{AtomId, DataAddr, PREFIX_BITS_MAX, Part, Prefix, Routes, RoutingError};
use quil_types::{Canonical, Domain, ShardAddr};

const A: Domain = Domain([1; 32]);
const B: Domain = Domain([2; 32]);

fn part(domain: Domain, start: u16, bits: u8) -> Part {
    Part {
        domain,
        prefix: Prefix::new(start, bits).unwrap(),
    }
}

fn at(domain: Domain, home: u16) -> AtomId {
    let mut data = [0xab; 32];
    data[..2].copy_from_slice(&home.to_be_bytes());
    AtomId {
        domain,
        data: DataAddr(data),
    }
}

#[test]
fn whole_domain_lives_at_its_own_address() {
    let routes = Routes::new([Part::whole(A)]).unwrap();
    assert_eq!(routes.shard(&at(A, 0)), Some(ShardAddr([1; 32])));
    assert_eq!(routes.shard(&at(A, u16::MAX)), Some(ShardAddr([1; 32])));
    assert_eq!(routes.shard(&at(B, 0)), None);
    assert_eq!(Routes::default().shard(&at(A, 0)), None);
}

#[test]
fn parts_are_found_by_leading_bits() {
    let parts = [
        part(A, 0, 1),
        part(A, 0x8000, 2),
        part(A, 0xc000, 3),
        part(A, 0xe000, 3),
        Part::whole(B),
    ];
    let routes = Routes::new(parts).unwrap();
    for (home, want) in [
        (0, 0),
        (0x7fff, 0),
        (0x8000, 1),
        (0xbfff, 1),
        (0xc000, 2),
        (0xe000, 3),
        (0xffff, 3),
    ] {
        assert_eq!(routes.route(&at(A, home)), Some(&parts[want]), "{home:#x}");
    }
    assert_eq!(routes.route(&at(B, 0x8000)), Some(&parts[4]));
    assert_eq!(routes.parts().len(), 5);
    // Parts have addresses of their own.
    let mut shards: Vec<ShardAddr> = parts.iter().map(Part::shard).collect();
    shards.sort_unstable();
    shards.dedup();
    assert_eq!(shards.len(), 5);
}

#[test]
fn gaps_overlaps_and_malformed_prefixes_are_refused() {
    assert_eq!(Routes::new([part(A, 0, 1)]), Err(RoutingError::Cover(A)));
    assert_eq!(
        Routes::new([part(A, 0x8000, 1)]),
        Err(RoutingError::Cover(A))
    );
    assert_eq!(
        Routes::new([part(A, 0, 1), part(A, 0xc000, 2)]),
        Err(RoutingError::Cover(A))
    );
    assert_eq!(
        Routes::new([part(A, 0, 1), part(A, 0x4000, 2), part(A, 0x8000, 1)]),
        Err(RoutingError::Cover(A))
    );
    assert_eq!(
        Routes::new([Part::whole(A), part(A, 0, 1)]),
        Err(RoutingError::Cover(A))
    );
    assert_eq!(
        Routes::new([Part::whole(A), Part::whole(A)]),
        Err(RoutingError::Cover(A))
    );
    assert_eq!(Prefix::new(0x4000, 1), None);
    assert_eq!(Prefix::new(1, 0), None);
    assert_eq!(Prefix::new(0, PREFIX_BITS_MAX + 1), None);
    // A prefix read from the wire is checked where it is used.
    let raw = Prefix::decode(&[0, 0x40, 1], 3).unwrap();
    assert_eq!(
        Routes::new([Part {
            domain: A,
            prefix: raw
        }]),
        Err(RoutingError::Prefix(A))
    );
    let raw = Prefix::decode(&[0, 0, 200], 3).unwrap();
    assert_eq!(
        Routes::new([Part {
            domain: A,
            prefix: raw
        }]),
        Err(RoutingError::Prefix(A))
    );
}

#[test]
fn halves_of_a_prefix_cover_it() {
    let [a, b] = Prefix::ALL.halves().unwrap();
    assert_eq!(
        (a.start(), a.bits(), b.start(), b.bits()),
        (0, 1, 0x8000, 1)
    );
    assert_eq!(Prefix::new(7, 16).unwrap().halves(), None);
    let [a, b] = Prefix::new(0xfffe, 15).unwrap().halves().unwrap();
    assert_eq!((a.start(), b.start()), (0xfffe, 0xffff));
}

proptest! {
    /// Any sequence of splits is a routing, and each address lies in exactly one part: the routed one.
    #[test]
    fn every_address_has_exactly_one_part(splits in prop::collection::vec(any::<prop::sample::Index>(), 0..12), home: u16) {
        let mut parts = vec![Part::whole(A)];
        for s in splits {
            let i = s.index(parts.len());
            if let Some(halves) = parts[i].prefix.halves() {
                parts.remove(i);
                parts.extend(halves.map(|prefix| Part { domain: A, prefix }));
            }
        }
        let routes = Routes::new(parts.clone()).unwrap();
        let atom = at(A, home);
        let holders: Vec<&Part> = parts.iter().filter(|p| p.holds(&atom)).collect();
        prop_assert_eq!(holders.len(), 1);
        prop_assert_eq!(routes.route(&atom), Some(holders[0]));
    }
}
