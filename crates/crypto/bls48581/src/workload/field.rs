//! Base field.

use quil_workload::Workload;

use crate::{Fp, FpX8};

/// Dependent operations in one run, so that the figure is a latency and the clock's grain does not matter.
const CHAIN: usize = 1000;
const COUNT: u64 = CHAIN as u64;

fn sample(seed: u8) -> Fp {
    Fp::from_be_slice_reduced(&[seed; 105])
}

pub(super) fn rows() -> Vec<Workload> {
    let (a, b) = (sample(0x5a), sample(0xc3));
    let (mut x, mut y) = (a, a);
    let factor = FpX8::from_array(&[1, 2, 3, 4, 5, 6, 7, 8].map(sample));
    let mut lanes = FpX8::splat(&b);
    vec![
        Workload::new("fp.mul", move || {
            // Two variables: an element moved right after it was written would add the delay of that move.
            let mut even = x;
            for _ in 0..CHAIN / 2 {
                let odd = even.mul(&b);
                even = odd.mul(&b);
            }
            x = even;
            x
        })
        .amount(COUNT),
        Workload::new("fp.square", move || {
            let mut even = y;
            for _ in 0..CHAIN / 2 {
                let odd = even.square();
                even = odd.square();
            }
            y = even;
            y
        })
        .amount(COUNT),
        Workload::new("fp.mul_x8", move || {
            for _ in 0..CHAIN {
                lanes = lanes.mul(&factor);
            }
            lanes
        })
        .amount(COUNT * 8),
        Workload::new("fp.inverse", move || a.invert_or_zero()),
    ]
}
