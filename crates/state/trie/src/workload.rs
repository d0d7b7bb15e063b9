//! Operations worth timing, with their inputs ready.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use quil_kzg::Kzg;
use quil_types::hash::xof;
use quil_types::{ShardAddr, tags};
use quil_workload::Workload;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::key::{Key, SetId};
use crate::proof::verify;
use crate::slot::LeafValue;
use crate::trie::Trie;
use crate::update::{Changes, LeafWrite};

const LEAVES: usize = 100_000;
/// Every hundredth leaf changes in an update.
const CHANGED_STEP: usize = 100;
const SET: SetId = SetId {
    addr: ShardAddr([1; 32]),
    phase: 0,
};

/// A trie that the first run which needs it builds, for all rows that read it.
struct Shared {
    kzg: Arc<Kzg>,
    changes: Changes,
    trie: OnceCell<Trie>,
}

impl Shared {
    fn build(&self) -> Trie {
        let empty = Trie::empty(SET);
        empty
            .update(&self.kzg, 1, &self.changes)
            .map_or(empty, |built| built.trie)
    }

    fn trie(&self) -> &Trie {
        self.trie.get_or_init(|| self.build())
    }

    /// A key that the trie has.
    fn key(&self) -> Key {
        self.changes
            .keys()
            .nth(777)
            .copied()
            .unwrap_or(Key([0; 64]))
    }
}

/// The rows of this crate over the caller's prover: building and updating on all cores, proofs on one.
///
/// The trie of 100 000 leaves is built by the first run of whatever row is run first, so a run before the measured
/// ones is needed.
#[must_use]
pub fn all(kzg: &Arc<Kzg>) -> Vec<Workload> {
    let shared = Rc::new(Shared {
        kzg: Arc::clone(kzg),
        changes: leaves(1, 1),
        trie: OnceCell::new(),
    });
    let bytes = u64::try_from(kzg.table_bytes()).unwrap_or(u64::MAX);
    let mut rows = vec![build(&shared), update(&shared)];
    if let Ok(core) = ThreadPoolBuilder::new().num_threads(1).build() {
        let core = Rc::new(core);
        rows.push(prove(&shared, &core));
        rows.push(check(&shared, &core));
    }
    rows.into_iter().map(|r| r.table_bytes(bytes)).collect()
}

/// One leaf in `step`, always the same keys.
fn leaves(step: usize, content: u8) -> Changes {
    let mut stream = xof(tags::BATCH, &0u8);
    let value = LeafValue {
        size: 100,
        content: [content; 32],
    };
    let mut all = BTreeMap::new();
    for i in 0..LEAVES {
        let mut low = [0; 32];
        stream.fill(&mut low);
        if i.checked_rem(step) == Some(0) {
            let write = LeafWrite {
                value,
                payload: None,
            };
            all.insert(Key::join(&[7; 32], &low), Some(write));
        }
    }
    all
}

fn build(shared: &Rc<Shared>) -> Workload {
    let shared = Rc::clone(shared);
    Workload::new("trie.build_100k", move || {
        let built = shared.build();
        let root = built.root();
        // The other rows need the same trie: keep the first.
        let _ = shared.trie.set(built);
        root
    })
    .all_cores()
}

fn update(shared: &Rc<Shared>) -> Workload {
    let shared = Rc::clone(shared);
    let changes = leaves(CHANGED_STEP, 2);
    Workload::new("trie.update_1k_in_100k", move || {
        shared.trie().update(&shared.kzg, 2, black_box(&changes))
    })
    .all_cores()
}

fn prove(shared: &Rc<Shared>, core: &Rc<ThreadPool>) -> Workload {
    let (shared, core) = (Rc::clone(shared), Rc::clone(core));
    Workload::new("trie.prove_1_in_100k", move || {
        let (trie, kzg, key) = (shared.trie(), &shared.kzg, shared.key());
        core.install(|| trie.prove(kzg, black_box(&key)))
    })
}

fn check(shared: &Rc<Shared>, core: &Rc<ThreadPool>) -> Workload {
    let (shared, core) = (Rc::clone(shared), Rc::clone(core));
    let proof = OnceCell::new();
    Workload::new("trie.verify_1_in_100k", move || {
        let (trie, kzg, key) = (shared.trie(), &shared.kzg, shared.key());
        let proof = proof.get_or_init(|| trie.prove(kzg, &key).ok());
        let (expect, proof) = proof.as_ref()?;
        let root = trie.root();
        core.install(|| {
            Some(verify(
                kzg.verifier(),
                &root,
                &SET,
                &key,
                *expect,
                black_box(proof),
            ))
        })
    })
}
