//! Operations worth timing, with their inputs ready.

use std::hint::black_box;
use std::sync::Arc;

use quil_bls48581::{Fr, G1Affine};
use quil_types::hash::xof;
use quil_types::tags;
use quil_workload::Workload;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Commitment;
use crate::domain::{DOMAIN_SIZE, slot_scalar};
use crate::kzg::{Kzg, Slot};
use crate::multi::{MultiProof, Opening, Witness};

/// Vectors of the multi-opening.
const VECTORS: u8 = 16;
/// Updates of one run.
const UPDATES: u64 = 16;

/// The rows of this crate over the caller's prover. Every one of them runs on one core.
#[must_use]
pub fn all(kzg: &Arc<Kzg>) -> Vec<Workload> {
    let Ok(core) = ThreadPoolBuilder::new().num_threads(1).build() else {
        return Vec::new();
    };
    let core = Arc::new(core);
    let mut rows = commitments(kzg, &core);
    rows.extend(openings(kzg, &core));
    rows
}

/// A row that runs in the pool of one thread and reads the tables.
fn row<T: Send>(
    id: &'static str,
    kzg: &Arc<Kzg>,
    core: &Arc<ThreadPool>,
    run: impl Fn(&Kzg) -> T + Send + Sync + 'static,
) -> Workload {
    let (kzg, core) = (Arc::clone(kzg), Arc::clone(core));
    let bytes = u64::try_from(kzg.table_bytes()).unwrap_or(u64::MAX);
    Workload::new(id, move || {
        core.install(|| black_box(run(black_box(&kzg))));
    })
    .table_bytes(bytes)
}

fn slots(seed: u8) -> [Slot; DOMAIN_SIZE] {
    let mut stream = xof(tags::BATCH, &seed);
    let mut out = [[0; 64]; DOMAIN_SIZE];
    out.iter_mut().for_each(|s| stream.fill(s));
    out
}

fn commitments(kzg: &Arc<Kzg>, core: &Arc<ThreadPool>) -> Vec<Workload> {
    let old = slots(0);
    let new = slots(1);
    let values: [Fr; DOMAIN_SIZE] = old.map(|s| slot_scalar(&s));
    let point: G1Affine = kzg.commit(&values).to_affine();
    let update = move |kzg: &Kzg| {
        for ((index, old), new) in (0u8..).step_by(4).zip(&old).zip(&new).take(16) {
            black_box(kzg.update(black_box(&point), index, old, new));
        }
    };
    vec![
        row("kzg.commit_64", kzg, core, move |kzg| kzg.commit(&values)),
        row("kzg.update_slot", kzg, core, update).amount(UPDATES),
    ]
}

fn openings(kzg: &Arc<Kzg>, core: &Arc<ThreadPool>) -> Vec<Workload> {
    let vectors: Vec<(Commitment, [Slot; DOMAIN_SIZE], u8)> = (0..VECTORS)
        .map(|k| {
            let slots = slots(k);
            (Commitment::from(&kzg.commit_slots(&slots)), slots, k * 3)
        })
        .collect();
    let proved = open(kzg, &vectors);
    let mut rows = vec![row("kzg.open_multi_16", kzg, core, move |kzg| {
        open(kzg, &vectors)
    })];
    if let Some((openings, proof)) = proved {
        rows.push(row("kzg.verify_multi_16", kzg, core, move |kzg| {
            kzg.verifier().verify_multi(&openings, &proof)
        }));
    }
    rows
}

fn open(
    kzg: &Kzg,
    vectors: &[(Commitment, [Slot; DOMAIN_SIZE], u8)],
) -> Option<(Vec<Opening>, MultiProof)> {
    let witnesses: Vec<Witness<'_>> = vectors
        .iter()
        .map(|(commitment, slots, index)| Witness {
            commitment: *commitment,
            slots,
            index: *index,
        })
        .collect();
    kzg.open_multi(&witnesses).ok()
}
