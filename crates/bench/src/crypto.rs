//! `quil bench crypto`: every primitive that nodes spend their time on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use quil_kzg::{Ceremony, Kzg, SrsFile, TableBits};
use quil_types::genesis::{NetworkBinding, NetworkName};
use quil_workload::Workload;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::clock::Clock;
use crate::error::{BenchError, SetupError};
use crate::measure::{Budget, Pace, measure};
use crate::row::Row;
use crate::target::Target;

/// Time for everything, what has to be built first included. Leaves room below ninety seconds for a slower machine.
const TOTAL: Duration = Duration::from_secs(70);

/// The crate that gives a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Bls,
    Kzg,
    Trie,
    Classgroup,
    Vdf,
    Decaf,
    Range,
    Verenc,
}

/// In the order of measuring. Lists whose operations take seconds come first: whatever they need, the many short ones share
/// what is left evenly.
const LISTS: [List; 8] = [
    List::Trie,
    List::Vdf,
    List::Kzg,
    List::Range,
    List::Classgroup,
    List::Verenc,
    List::Decaf,
    List::Bls,
];

/// What the rows should be, in their order; a release build on one core, where the row does not say otherwise.
pub const TARGETS: [Target; 48] = [
    Target::at_most("fp.mul", 57e-9),
    Target::at_most("fp.square", 46e-9),
    Target::at_most("fp.mul_x8", 15e-9),
    Target::at_most("fp.inverse", 8e-6),
    Target::at_most("fp48.mul", 15e-6),
    Target::at_most("fp48.square", 11e-6),
    Target::at_most("fp48.cyclotomic_square", 7e-6),
    Target::at_most("g1.add", 0.55e-6),
    Target::at_most("g1.double", 0.4e-6),
    Target::at_most("g1.mul", 150e-6),
    Target::at_most("g1.subgroup", 0.12e-3),
    Target::at_most("g2.subgroup", 0.6e-3),
    Target::at_most("g2.mul", 3e-3),
    Target::at_most("g1.decode", 0.15e-3),
    Target::at_most("g2.decode", 0.9e-3),
    Target::at_most("g1.hash", 0.2e-3),
    Target::at_most("pairing.miller", 1.6e-3),
    Target::at_most("pairing.final_exp", 5e-3),
    Target::at_most("pairing.full", 6.6e-3),
    Target::at_most("bls.sign", 0.35e-3),
    Target::at_most("bls.verify", 8e-3),
    Target::at_most("bls.verify_aggregate_100", 10e-3),
    Target::at_most("bls.batch_verify_64", 2e-3),
    Target::at_most("kzg.commit_64", 2e-3),
    Target::at_most("kzg.update_slot", 0.08e-3),
    Target::at_most("kzg.open_multi_16", 6e-3),
    Target::at_most("kzg.verify_multi_16", 10e-3),
    Target::at_most("trie.build_100k", 4.0),
    Target::at_most("trie.update_1k_in_100k", 0.2),
    Target::at_most("trie.prove_1_in_100k", 3e-3),
    Target::at_most("trie.verify_1_in_100k", 9e-3),
    Target::at_least("classgroup.square_2048", 110_000.0),
    Target::at_most("vdf.discriminant_2048", 35e-3),
    Target::at_most("vdf.prove_overhead_100k", 0.08),
    Target::at_most("vdf.verify_cached", 6e-3),
    Target::at_most("vdf.verify_new", 42e-3),
    Target::at_most("decaf.mul_fixed", 35e-6),
    Target::at_most("decaf.mul", 110e-6),
    Target::at_most("decaf.decode", 12e-6),
    Target::at_most("decaf.encode", 12e-6),
    Target::at_most("range.prove_1", 12e-3),
    Target::at_most("range.verify_1", 2e-3),
    Target::at_most("range.prove_16", 150e-3),
    Target::at_most("range.verify_16", 16e-3),
    Target::at_most("range.batch_verify_100", 0.5e-3),
    Target::at_most("verenc.make", 0.4e-3),
    Target::at_most("verenc.verify", 0.4e-3),
    Target::at_least("verenc.body", 1e9),
];

/// Which crate gives a row: the first word of its id says it.
fn list_of(id: &str) -> List {
    match id.split('.').next().unwrap_or_default() {
        "kzg" => List::Kzg,
        "trie" => List::Trie,
        "classgroup" => List::Classgroup,
        "vdf" => List::Vdf,
        "decaf" => List::Decaf,
        "range" => List::Range,
        "verenc" => List::Verenc,
        _ => List::Bls,
    }
}

/// A commitment setup made for this process by a ceremony of one contribution, with the tables that a node uses. Its
/// secret is forgotten; nothing is at stake that it could break.
fn commitments() -> Result<Arc<Kzg>, SetupError> {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let signer = quil_bls48581::SecretKey::generate(&mut rng);
    let network = NetworkBinding {
        name: NetworkName::new("bench")?,
        seed: [1; 32],
    };
    let mut ceremony = Ceremony::init(network.clone());
    ceremony.contribute(&signer, &mut rng)?;
    let file = SrsFile::of(&ceremony).encode();
    let srs = SrsFile::decode(&file)?.verify(&network)?;
    Ok(Arc::new(Kzg::new(&srs, TableBits::default())))
}

/// The setup that several lists share, made when the first one asks.
#[derive(Default)]
struct Shared(Option<Arc<Kzg>>);

impl Shared {
    fn kzg(&mut self) -> Result<Arc<Kzg>, SetupError> {
        match &self.0 {
            Some(kzg) => Ok(Arc::clone(kzg)),
            None => Ok(Arc::clone(self.0.insert(commitments()?))),
        }
    }

    fn workloads(&mut self, list: List) -> Result<Vec<Workload>, BenchError> {
        Ok(match list {
            List::Bls => quil_bls48581::workload::all(),
            List::Kzg => quil_kzg::workload::all(&self.kzg()?),
            List::Trie => quil_trie::workload::all(&self.kzg()?),
            List::Classgroup => quil_classgroup::workload::all(),
            List::Vdf => quil_vdf::workload::all(),
            List::Decaf => quil_decaf::workload::all(),
            List::Range => quil_bulletproofs::workload::all(),
            List::Verenc => quil_verenc::workload::all(),
        })
    }
}

/// Measures the rows whose id begins with `prefix`. `say` hears what is measured next.
///
/// # Errors
/// No such row, or this build lacks one.
pub fn run(
    prefix: &str,
    budget: Budget,
    clock: &impl Clock,
    say: &dyn Fn(&str),
) -> Result<Vec<Row>, BenchError> {
    let wanted = || {
        TARGETS
            .iter()
            .map(|t| t.id)
            .filter(|id| id.starts_with(prefix))
    };
    let count = wanted().count();
    if count == 0 {
        return Err(BenchError::NoRow {
            prefix: prefix.to_owned(),
            ids: TARGETS.iter().map(|target| target.id).collect(),
        });
    }
    let end = clock.now().saturating_add(TOTAL);
    let mut pace = Pace::new(budget, end, u32::try_from(count).unwrap_or(u32::MAX));
    let (mut shared, mut rows) = (Shared::default(), BTreeMap::new());
    for list in LISTS {
        if !wanted().any(|id| list_of(id) == list) {
            continue;
        }
        for mut load in shared.workloads(list)? {
            if wanted().any(|id| id == load.id) {
                let number = rows.len().saturating_add(1);
                say(&format!("{number} of {count}: {}", load.id));
                let row = measure(&mut load, clock, pace.next(clock.now()));
                rows.insert(row.id, row);
            }
        }
    }
    let ordered = wanted().map(|id| rows.remove(id).ok_or(BenchError::Missing(id)));
    ordered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_given_once_by_its_list_and_no_list_gives_others() {
        let mut shared = Shared::default();
        let mut given = Vec::new();
        for list in LISTS {
            for load in shared.workloads(list).unwrap() {
                assert_eq!(list_of(load.id), list, "{}", load.id);
                given.push(load.id);
            }
        }
        let mut listed = TARGETS.map(|target| target.id);
        given.sort_unstable();
        listed.sort_unstable();
        assert_eq!(given, listed);
    }

    #[test]
    fn targets_have_distinct_ids() {
        let mut ids = TARGETS.map(|target| target.id).to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), TARGETS.len());
    }

    #[test]
    fn unknown_rows_are_refused_with_the_known_ones() {
        let clock = crate::SystemClock::start();
        let error = run("nothing", Budget::SMOKE, &clock, &|_| {}).unwrap_err();
        assert!(matches!(error, BenchError::NoRow { ref ids, .. } if ids.len() == TARGETS.len()));
    }
}
