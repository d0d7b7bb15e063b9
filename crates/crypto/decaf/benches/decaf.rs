//! Timings of the group operations, single thread.

#![allow(clippy::indexing_slicing, reason = "fixed sizes")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use quil_decaf::{FixedBase, Point, PointTable, Scalar, SecretScalar, dleq, msm, schnorr, x448};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn point(i: u64) -> Point {
    Point::hash_to("bench", &i.to_le_bytes())
}

fn group(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (p, q, s) = (point(1), point(2), Scalar::random(&mut rng));
    let enc = p.compress();
    c.bench_function("decaf/add", |b| b.iter(|| black_box(p) + black_box(q)));
    c.bench_function("decaf/double", |b| b.iter(|| black_box(p).double()));
    c.bench_function("decaf/mul_variable_base", |b| {
        b.iter(|| black_box(&p) * black_box(&s))
    });
    c.bench_function("decaf/mul_fixed_base", |b| {
        b.iter(|| FixedBase::generator().mul(black_box(&s)))
    });
    c.bench_function("decaf/double_mul_vartime", |b| {
        b.iter(|| {
            FixedBase::generator().double_mul_vartime(black_box(&s), black_box(&s), black_box(&p))
        });
    });
    c.bench_function("decaf/encode", |b| b.iter(|| black_box(p).compress()));
    c.bench_function("decaf/decode", |b| b.iter(|| black_box(enc).decompress()));
    c.bench_function("decaf/hash_to_point", |b| {
        b.iter(|| Point::hash_to("bench", black_box(b"data")))
    });
    c.bench_function("scalar/mul", |b| b.iter(|| black_box(s) * black_box(s)));
    c.bench_function("scalar/invert", |b| b.iter(|| black_box(s).invert()));
}

fn proofs(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let x = SecretScalar::random(&mut rng);
    let public = x.public();
    let signature = schnorr::sign("bench", &x, b"message", &mut rng);
    c.bench_function("schnorr/sign", |b| {
        b.iter(|| schnorr::sign("bench", &x, b"message", &mut rng))
    });
    c.bench_function("schnorr/verify", |b| {
        b.iter(|| schnorr::verify("bench", &public, b"message", &signature))
    });
    let base = point(3);
    let st = dleq::Statement {
        message: [1; 32],
        base,
        public,
        image: &base * x.expose(),
    };
    let proof = dleq::prove("bench", &st, &x, &mut rng);
    c.bench_function("dleq/prove", |b| {
        b.iter(|| dleq::prove("bench", &st, &x, &mut rng))
    });
    c.bench_function("dleq/verify", |b| {
        b.iter(|| dleq::verify("bench", &st, &proof))
    });
    let secret = [7; 56];
    let u = x448::X448Secret::new([9; 56]).public();
    c.bench_function("x448/agree", |b| {
        b.iter(|| x448::x448(black_box(&secret), black_box(&u)))
    });
}

fn sums(c: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let points: Vec<Point> = (0..2048).map(point).collect();
    let scalars: Vec<Scalar> = points.iter().map(|_| Scalar::random(&mut rng)).collect();
    let tables = PointTable::batch(&points[..128]);
    let mut g = c.benchmark_group("msm");
    g.sample_size(20);
    for n in [16, 64, 128, 200, 256, 400, 1024, 2048] {
        let (s, p) = (&scalars[..n], &points[..n]);
        g.bench_function(BenchmarkId::new("straus", n), |b| {
            b.iter(|| msm::straus_vartime(s, p))
        });
        g.bench_function(BenchmarkId::new("pippenger", n), |b| {
            b.iter(|| msm::pippenger_vartime(s, p))
        });
    }
    let terms: Vec<_> = scalars.iter().copied().zip(&tables).collect();
    g.bench_function("tables_vartime/128", |b| {
        b.iter(|| msm::mixed_vartime(&terms, &[]))
    });
    g.bench_function("tables_constant_time/128", |b| {
        b.iter(|| msm::constant_time(&terms))
    });
    g.finish();
}

criterion_group!(benches, group, proofs, sums);
criterion_main!(benches);
