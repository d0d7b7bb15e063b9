//! Speed of the group law.

#![expect(clippy::expect_used, reason = "a bench may stop on a broken setup")]

use criterion::{Criterion, criterion_group, criterion_main};
use quil_classgroup::{Discriminant, Form};

fn square(c: &mut Criterion) {
    for bits in [1024, 2048] {
        let d = Discriminant::derive(b"bench", bits).expect("supported size");
        let mut x = Form::generator(&d).square_n(200);
        c.bench_function(&format!("classgroup.square_{bits}"), |b| {
            b.iter(|| x = x.square());
        });
        let y = x.square_n(10);
        c.bench_function(&format!("classgroup.compose_{bits}"), |b| {
            b.iter(|| x = x.compose(&y).expect("same group"));
        });
    }
}

criterion_group!(benches, square);
criterion_main!(benches);
