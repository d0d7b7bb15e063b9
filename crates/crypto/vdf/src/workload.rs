//! Operations worth timing, with their inputs ready.

use core::hint::black_box;

use quil_workload::Workload;
use rayon::ThreadPoolBuilder;

use crate::{DISCRIMINANT_BITS, Discriminant, Evaluator, Form, Progress, VdfProof, base, prove};

/// Squarings of the proof whose cost is measured.
const SQUARINGS: u64 = 100_000;
/// Threads of that proof.
const THREADS: usize = 2;
/// Discriminants derived in one run: the time of a single one varies by an order of magnitude. These 32 take 55
/// candidates on the average, all seeds 58.
const SEEDS: u8 = 32;
/// Proofs with a discriminant of their own checked in one run; these 8 take 60 candidates on the average.
const NEW: u8 = 8;
/// Squarings behind the proofs that are checked; the time of a check does not depend on it.
const SHORT: u64 = 300;

/// The rows of this crate; empty if the inputs could not be made, which takes about a second.
#[must_use]
pub fn all() -> Vec<Workload> {
    rows().unwrap_or_default()
}

fn seed(i: u8) -> [u8; 32] {
    [i; 32]
}

fn derive(seed: &[u8]) -> Option<Discriminant> {
    Discriminant::derive(seed, DISCRIMINANT_BITS).ok()
}

fn rows() -> Option<Vec<Workload>> {
    let d = derive(b"workload")?;
    let x = base(&d, &seed(1)).ok()?;
    Some(vec![
        discriminants(),
        overhead(d, x)?,
        cached(d, x)?,
        fresh()?,
    ])
}

/// Derivation on one thread, mean over the seeds.
fn discriminants() -> Workload {
    Workload::new("vdf.discriminant_2048", || {
        (0..SEEDS)
            .filter_map(|i| derive(&black_box(seed(i))))
            .count()
    })
    .amount(u64::from(SEEDS))
}

/// Squarings and proof on two threads, beside the squarings alone.
fn overhead(d: Discriminant, x: Form) -> Option<Workload> {
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).build().ok()?;
    let proof = move || {
        pool.install(|| {
            let mut evaluator = Evaluator::new(&d, black_box(&x), SQUARINGS).ok()?;
            while evaluator.step(SQUARINGS).ok()? != Progress::Done {}
            evaluator.proof().copied()
        })
    };
    let squarings = move || black_box(&x).square_n(SQUARINGS);
    Some(Workload::overhead("vdf.prove_overhead_100k", proof, squarings).all_cores())
}

/// From bytes to the verdict, the discriminant at hand.
fn cached(d: Discriminant, x: Form) -> Option<Workload> {
    let (y, pi) = prove(&d, &x, SHORT).ok()?.to_bytes();
    Some(Workload::new("vdf.verify_cached", move || {
        check(&d, &x, black_box(y.as_ref()), pi.as_ref())
    }))
}

/// The same from the seeds of discriminant and base on, mean over the seeds.
fn fresh() -> Option<Workload> {
    let mut proofs = Vec::new();
    for i in 0..NEW {
        let d = derive(&seed(i))?;
        let x = base(&d, &seed(i)).ok()?;
        proofs.push((seed(i), prove(&d, &x, SHORT).ok()?.to_bytes()));
    }
    let run = move || {
        let accepted = |(seed, (y, pi)): &([u8; 32], _)| {
            let (y, pi): (&crate::FormBytes, &crate::FormBytes) = (y, pi);
            let d = derive(black_box(seed))?;
            let x = base(&d, seed).ok()?;
            Some(check(&d, &x, y.as_ref(), pi.as_ref()))
        };
        proofs.iter().all(|p| accepted(p) == Some(true))
    };
    Some(Workload::new("vdf.verify_new", run).amount(u64::from(NEW)))
}

fn check(d: &Discriminant, x: &Form, y: &[u8], pi: &[u8]) -> bool {
    VdfProof::from_bytes(d, y, pi).is_ok_and(|p| p.verify(d, x, SHORT).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_accept_and_a_change_is_noticed() {
        let d = Discriminant::derive(b"small", 256).expect("size");
        let x = base(&d, &seed(1)).expect("a base");
        let (y, pi) = prove(&d, &x, SHORT).expect("proof").to_bytes();
        assert!(check(&d, &x, y.as_ref(), pi.as_ref()));
        assert!(!check(&d, &x, pi.as_ref(), y.as_ref()));
    }
}
