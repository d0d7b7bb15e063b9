//! The laws of the merge (K3).

use proptest::prelude::*;
use quil_hypergraph::{Entry, Family, Mode, Replica, ShardState, Snapshot};
use quil_types::{Bytes, Canonical};

use crate::support::{SHARD, atom, kzg};

fn entry() -> impl Strategy<Value = Entry> {
    let mode = prop_oneof![
        Just(Mode::InsertOnly),
        Just(Mode::Versioned),
        Just(Mode::Mark)
    ];
    (mode, 0u64..3, 0u64..2, prop::collection::vec(0u8..3, 0..2)).prop_map(
        |(mode, version, external, content)| Entry {
            mode,
            version,
            external,
            content: Bytes::from_slice(&content).unwrap(),
        },
    )
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Vertex), Just(Family::Hyperedge)]
}

fn replica() -> impl Strategy<Value = Replica> {
    let adds = prop::collection::vec((family(), 0u16..4, entry()), 0..6);
    let removes = prop::collection::vec((family(), 0u16..4), 0..3);
    (adds, removes).prop_map(|(adds, removes)| {
        let mut r = Replica::default();
        adds.into_iter().for_each(|(f, n, e)| r.add(f, atom(n), e));
        removes.into_iter().for_each(|(f, n)| r.remove(f, atom(n)));
        r
    })
}

proptest! {
    #[test]
    fn entries_merge_by_laws(a in entry(), b in entry(), c in entry()) {
        let m = |x: &Entry, y: &Entry| x.clone().merge(y.clone());
        prop_assert_eq!(m(&a, &b), m(&b, &a));
        prop_assert_eq!(m(&m(&a, &b), &c), m(&a, &m(&b, &c)));
        let top = m(&a, &b);
        prop_assert!(top == a || top == b);
        prop_assert!(top.version == a.version.max(b.version));
        prop_assert_eq!(m(&a, &a), a);
    }

    #[test]
    fn replicas_merge_by_laws(a in replica(), b in replica(), c in replica()) {
        let m = |x: &Replica, y: &Replica| x.clone().merge(y);
        prop_assert_eq!(m(&a, &b), m(&b, &a));
        prop_assert_eq!(m(&m(&a, &b), &c), m(&a, &m(&b, &c)));
        prop_assert_eq!(m(&a, &a), a);
    }

    #[test]
    fn removed_stays_removed(a in replica(), b in replica(), f in family(), n in 0u16..4) {
        let mut gone = a;
        gone.remove(f, atom(n));
        let merged = gone.merge(&b);
        prop_assert_eq!(merged.visible(f, &atom(n)), None);
    }

    #[test]
    fn entries_decode_strictly(e in entry()) {
        let bytes = e.encode();
        prop_assert_eq!(Entry::from_bytes(&bytes), Ok(e));
        for cut in 0..bytes.len() {
            prop_assert!(Entry::from_bytes(&bytes[..cut]).is_err());
        }
        let mut bent = bytes.clone();
        bent[0] = 3;
        prop_assert!(Entry::from_bytes(&bent).is_err());
        bent = bytes;
        bent.push(0);
        prop_assert!(Entry::from_bytes(&bent).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Joining in any order and grouping gives the same roots, and the same visible atoms as the values.
    #[test]
    fn states_merge_as_values_do(a in replica(), b in replica(), c in replica()) {
        let join = |order: [&Replica; 3]| {
            let mut state = ShardState::empty(SHARD);
            for (version, r) in (1..).zip(order) {
                let mut o = Snapshot::new(state.clone()).overlay();
                r.merge_into(&mut o).unwrap();
                state = state.apply(&kzg(), version, o.writes()).unwrap().state;
            }
            state
        };
        let one = join([&a, &b, &c]);
        prop_assert_eq!(one.roots(), join([&c, &a, &b]).roots());
        let all = a.merge(&b).merge(&c);
        prop_assert_eq!(one.roots(), join([&all, &all, &b]).roots());
        for f in [Family::Vertex, Family::Hyperedge] {
            for n in 0..4 {
                let got = one.visible(f, &atom(n)).unwrap();
                prop_assert_eq!(got.as_ref(), all.visible(f, &atom(n)));
            }
        }
    }
}
