//! Random operations against plain maps: overlays, savepoints, layers, commits.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use quil_hypergraph::{AtomId, Family, Mode, Overlay, ShardState, Snapshot, StateError};

use crate::support::{SHARD, atom, kzg, mark, record, token};

#[derive(Clone, Debug)]
enum Op {
    Insert(u16, u8),
    Put(u16, u8),
    Remove(u16),
    Mark(u16),
    Unmark(u16),
    /// Operations that are undone.
    Undone(Vec<Self>),
    /// The frame ends; a layer is frozen.
    Freeze,
    /// The oldest layer is committed.
    Commit,
}

fn simple() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0u16..6, any::<u8>()).prop_map(|(n, b)| Op::Insert(n, b)),
        (0u16..6, any::<u8>()).prop_map(|(n, b)| Op::Put(n, b)),
        (0u16..6).prop_map(Op::Remove),
        (0u16..6).prop_map(Op::Mark),
        (0u16..6).prop_map(Op::Unmark),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => simple(),
        1 => prop::collection::vec(simple(), 0..4).prop_map(Op::Undone),
        1 => Just(Op::Freeze),
        1 => Just(Op::Commit),
    ]
}

/// What should be there: mode, version, content by atom; removed atoms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    entries: BTreeMap<AtomId, (Mode, u64, Vec<u8>)>,
    removed: BTreeSet<AtomId>,
}

impl Model {
    fn first(&mut self, a: AtomId, mode: Mode, content: Vec<u8>) -> bool {
        let free = !self.entries.contains_key(&a) && !self.removed.contains(&a);
        if free {
            self.entries.insert(a, (mode, 0, content));
        }
        free
    }

    fn is(&self, a: &AtomId, mode: Mode) -> bool {
        !self.removed.contains(a) && self.entries.get(a).is_some_and(|e| e.0 == mode)
    }

    /// Whether the operation is allowed; applies it if so.
    fn apply(&mut self, op: &Op) -> bool {
        match op {
            Op::Insert(n, b) => self.first(atom(*n), Mode::InsertOnly, vec![*b]),
            Op::Mark(n) => self.first(atom(*n), Mode::Mark, Vec::new()),
            Op::Put(n, b) => {
                let a = atom(*n);
                if self.is(&a, Mode::Versioned) {
                    let e = self.entries.get_mut(&a).unwrap();
                    *e = (e.0, e.1 + 1, vec![*b]);
                    return true;
                }
                self.first(a, Mode::Versioned, vec![*b])
            }
            Op::Remove(n) => self.is(&atom(*n), Mode::Versioned) && self.removed.insert(atom(*n)),
            Op::Unmark(n) => {
                self.is(&atom(*n), Mode::Mark) && self.entries.remove(&atom(*n)).is_some()
            }
            Op::Undone(_) | Op::Freeze | Op::Commit => true,
        }
    }

    fn agrees(&self, overlay: &Overlay) {
        for n in 0..6 {
            let a = atom(n);
            let got = overlay.entry(Family::Vertex, &a).unwrap();
            let got = got.map(|e| (e.mode, e.version, e.content.to_vec()));
            assert_eq!(got.as_ref(), self.entries.get(&a), "{n}");
            assert_eq!(
                overlay.is_removed(Family::Vertex, &a),
                Ok(self.removed.contains(&a))
            );
        }
    }
}

fn run(overlay: &mut Overlay, op: &Op) -> Result<(), StateError> {
    match op {
        Op::Insert(n, b) => overlay.insert(token(*n), &[*b]),
        Op::Mark(n) => overlay.mark(mark(*n), &[]),
        Op::Unmark(n) => overlay.unmark(mark(*n)),
        Op::Remove(n) => overlay.remove(record(*n)),
        Op::Put(n, b) => {
            // What a writer sees: nothing, or the present entry.
            let seen = overlay
                .visible(Family::Vertex, &atom(*n))?
                .map(|e| e.reference());
            overlay.put(record(*n), seen, &[*b], 0).map(drop)
        }
        Op::Undone(ops) => {
            let point = overlay.savepoint();
            for op in ops {
                let _ = run(overlay, op);
            }
            overlay.rollback(point)
        }
        Op::Freeze | Op::Commit => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn states_follow_the_model(ops in prop::collection::vec(op(), 1..40)) {
        let mut model = Model::default();
        let mut overlay = Snapshot::new(ShardState::empty(SHARD)).overlay();
        let mut version = 0;
        for op in &ops {
            let allowed = model.apply(op);
            match run(&mut overlay, op) {
                Ok(()) => prop_assert!(allowed, "{op:?} must be refused"),
                Err(e) => prop_assert!(!allowed && e.is_writers_fault(), "{op:?}: {e}"),
            }
            if matches!(op, Op::Freeze | Op::Commit) {
                let mut below = overlay.freeze().unwrap();
                // Keep room, so that the layer limit is not what is tested here.
                while below.depth() > 6 || (matches!(op, Op::Commit) && below.depth() > 1) {
                    version += 1;
                    below = below.commit_oldest(&kzg(), version).unwrap().unwrap().0;
                }
                overlay = below.overlay();
            }
            model.agrees(&overlay);
        }
        let mut last = overlay.freeze().unwrap();
        while let Some((next, _)) = last.commit_oldest(&kzg(), version + 1).unwrap() {
            version += 1;
            last = next;
        }
        // The same contents written directly have the same roots.
        let mut direct = Snapshot::new(ShardState::empty(SHARD)).overlay();
        for (a, (mode, version, content)) in &model.entries {
            let content = quil_types::Bytes::from_slice(content).unwrap();
            let entry = quil_hypergraph::Entry { mode: *mode, version: *version, external: 0, content };
            direct.merge_entry(Family::Vertex, a, entry).unwrap();
        }
        for a in &model.removed {
            direct.merge_removal(Family::Vertex, a).unwrap();
        }
        let direct = ShardState::empty(SHARD).apply(&kzg(), 1, direct.writes()).unwrap().state;
        prop_assert_eq!(last.base().roots(), direct.roots());
        prop_assert_eq!(last.base().size(), direct.size());
        prop_assert_eq!(last.base().recommit(&kzg()), Ok(()));
    }
}
