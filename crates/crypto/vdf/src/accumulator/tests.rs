//! Plans that a test cannot reach by running them: long delays and strides above one.
//!
//! The group has 32 bits, so its order is found by counting and every power can be computed directly.

use quil_classgroup::Discriminant;

use super::*;
use crate::{challenge::challenge_prime, proof::verify};

struct Known {
    d: Discriminant,
    x: Form,
    order: u64,
}

fn known() -> Known {
    let d = Discriminant::derive(b"known order", 32).expect("size");
    let x = Form::generator(&d);
    let (mut y, mut order) = (x, 1);
    while !y.is_identity() {
        y = y.compose(&x).expect("same group");
        order += 1;
    }
    Known { d, x, order }
}

fn pow_mod(base: u64, mut e: u64, m: u64) -> u64 {
    let (mut b, mut x) = (base % m, 1 % m);
    while e > 0 {
        if e & 1 == 1 {
            x = x * b % m;
        }
        b = b * b % m;
        e >>= 1;
    }
    x
}

impl Known {
    fn power_of_two(&self, t: u64) -> Form {
        self.x.pow(&[pow_mod(2, t, self.order)])
    }

    /// `x^((2^t - r) / l)`: the prime exceeds the order, so it is invertible modulo it.
    fn expected(&self, prime: &Prime256, t: u64) -> Form {
        let reduce = |limbs: &[u64; 4]| {
            limbs.iter().rev().fold(0u128, |r, &l| {
                (r << 64 | u128::from(l)) % u128::from(self.order)
            })
        };
        let (l, r) = (reduce(prime.limbs()), reduce(prime.pow2(t).limbs()));
        let order = u128::from(self.order);
        let inverse = (1..order).find(|i| i * l % order == 1).expect("invertible");
        let numerator = u128::from(pow_mod(2, t, self.order)) + order - r;
        let exponent = numerator % order * inverse % order;
        self.x.pow(&[u64::try_from(exponent).expect("small")])
    }

    fn prove(&self, plan: Plan, t: u64, budget: u64) -> (Form, Form) {
        let y = self.power_of_two(t);
        let prime = challenge_prime(&self.d, &self.x, &y, t).expect("a prime");
        let checkpoints: Vec<Form> = (0..plan.checkpoints())
            .map(|i| self.power_of_two(i * plan.spacing()))
            .collect();
        let mut a = Accumulator::new(plan, prime, t, Form::identity(&self.d));
        while a.product().is_none() {
            a.step(&checkpoints, budget).expect("step");
        }
        assert_eq!(a.done(), plan.digits);
        let mut pi = *a.product().expect("done");
        if a.is_one_above() {
            pi = pi.compose(&self.x.inverse()).expect("same group");
        }
        assert_eq!(pi, self.expected(&prime, t), "T = {t}, {plan:?}");
        (y, pi)
    }
}

#[test]
fn every_window_and_stride_gives_the_quotient() {
    let k = known();
    for window in [1, 2, 3, 5, 8] {
        for stride in [1, 2, 3, 7, 1000] {
            for t in [0, 1, 5, 255, 256, 257, 300, 1001, 4099] {
                let plan = Plan {
                    window,
                    digits: t / u64::from(window),
                    stride,
                };
                k.prove(plan, t, 37);
            }
        }
    }
}

#[test]
fn delays_above_ten_million_are_proved() {
    let k = known();
    let t = 10_000_001;
    let plan = Plan::new(t);
    assert!(plan.stride > 1);
    let (y, pi) = k.prove(plan, t, u64::MAX);
    assert_eq!(verify(&k.d, &k.x, &y, &pi, t), Ok(()));
    assert!(verify(&k.d, &k.x, &y, &pi, t + 1).is_err());
}

#[test]
fn the_longest_delay_is_verified() {
    let k = known();
    for t in [1 << 40, u64::MAX - 1, u64::MAX] {
        let y = k.power_of_two(t);
        let prime = challenge_prime(&k.d, &k.x, &y, t).expect("a prime");
        let pi = k.expected(&prime, t);
        assert_eq!(verify(&k.d, &k.x, &y, &pi, t), Ok(()));
    }
}
