//! The bucket method with one window per lane: eight windows read the same point and add it to eight buckets.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_sign_loss,
    reason = "arithmetic kernel: bucket numbers are digits of bounded size"
)]

use super::{
    V, WIDTH,
    field::{Fe8, load, splat, store, transpose},
    point::{Affine8, Point8},
};
use crate::{Point, Scalar, point::AffineNiels};
use core::arch::x86_64::_mm512_setzero_si512;

/// Bits of a window: 7 passes of 8 windows.
const BITS: usize = 8;
const PASSES: usize = 7;
/// Bucket 0 takes what a digit of zero adds, which nobody reads.
const BUCKETS: usize = (1 << (BITS - 1)) + 1;
const LIMBS: usize = 10;
/// Vectors of one bucket: 4 coordinates of 10 limbs.
const VECTORS: usize = 4 * LIMBS / WIDTH;

const _: () = assert!(BITS * PASSES * WIDTH > crate::scalar::SCALAR_BITS);

/// One bucket of one lane.
type Bucket = [[u64; WIDTH]; VECTORS];

/// The coordinates of one point for all lanes, limb by limb.
struct Broadcast([[u64; LIMBS]; 3]);

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
pub(super) fn sum_vartime(scalars: &[Scalar], points: &[AffineNiels]) -> Point {
    let n = scalars.len().min(points.len());
    let mut digits = vec![[[0i32; WIDTH]; PASSES]; n];
    for (row, s) in digits.iter_mut().zip(scalars) {
        s.signed_radix_vartime(BITS, row.as_flattened_mut());
    }
    let points: Vec<Broadcast> = points.iter().take(n).map(|p| Broadcast::new(p)).collect();
    let mut buckets = vec![[[[0; WIDTH]; VECTORS]; WIDTH]; BUCKETS];
    let mut windows = Vec::with_capacity(PASSES * WIDTH);
    for pass in 0..PASSES {
        put(&mut buckets, [0; WIDTH], &Point8::identity());
        let empty = buckets[0];
        buckets.fill(empty);
        for (row, p) in digits.iter().zip(&points) {
            add_vartime(&mut buckets, &row[pass], p);
        }
        windows.extend(weigh(&buckets));
    }
    let mut acc = Point::IDENTITY;
    for w in windows.iter().rev() {
        let mut r = acc.projective();
        r.double_n(BITS - 1);
        r.double().write(&mut acc);
        acc += *w;
    }
    acc
}

impl Broadcast {
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn new(p: &AffineNiels) -> Self {
        let a = Affine8::gather([p; WIDTH]);
        let mut r = [[0; LIMBS]; 3];
        for (out, fe) in r.iter_mut().zip([a.ypx, a.ymx, a.td]) {
            for (limb, v) in out.iter_mut().zip(fe.0) {
                let mut lanes = [0; WIDTH];
                store(&mut lanes, v);
                *limb = lanes[0];
            }
        }
        Self(r)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
    fn spread(&self) -> Affine8 {
        let mut r = [Fe8::small(0); 3];
        for (fe, limbs) in r.iter_mut().zip(&self.0) {
            for (v, limb) in fe.0.iter_mut().zip(limbs) {
                *v = splat(*limb);
            }
        }
        let [ypx, ymx, td] = r;
        Affine8 { ypx, ymx, td }
    }
}

/// The buckets that the lanes name, as points.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn get(buckets: &[[Bucket; WIDTH]], index: [usize; WIDTH]) -> Point8 {
    let mut limbs: [V; VECTORS * WIDTH] = [_mm512_setzero_si512(); VECTORS * WIDTH];
    for v in 0..VECTORS {
        let mut rows = [_mm512_setzero_si512(); WIDTH];
        for lane in 0..WIDTH {
            rows[lane] = load(&buckets[index[lane]][lane][v]);
        }
        limbs[v * WIDTH..(v + 1) * WIDTH].copy_from_slice(&transpose(rows));
    }
    let mut coordinates = [Fe8::small(0); 4];
    for (fe, part) in coordinates.iter_mut().zip(limbs.chunks_exact(LIMBS)) {
        fe.0.copy_from_slice(part);
    }
    let [x, y, z, t] = coordinates;
    Point8 { x, y, z, t }
}

/// The inverse of [`get`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn put(buckets: &mut [[Bucket; WIDTH]], index: [usize; WIDTH], p: &Point8) {
    let mut limbs: [V; VECTORS * WIDTH] = [_mm512_setzero_si512(); VECTORS * WIDTH];
    for (fe, part) in [p.x, p.y, p.z, p.t]
        .iter()
        .zip(limbs.chunks_exact_mut(LIMBS))
    {
        part.copy_from_slice(&fe.0);
    }
    for v in 0..VECTORS {
        let mut columns = [_mm512_setzero_si512(); WIDTH];
        columns.copy_from_slice(&limbs[v * WIDTH..(v + 1) * WIDTH]);
        for (lane, row) in transpose(columns).into_iter().enumerate() {
            store(&mut buckets[index[lane]][lane][v], row);
        }
    }
}

/// Adds digit * p to the bucket of |digit| in each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn add_vartime(buckets: &mut [[Bucket; WIDTH]], digits: &[i32; WIDTH], p: &Broadcast) {
    let index = digits.map(|d| d.unsigned_abs() as usize);
    let mut negative = 0;
    for (lane, d) in digits.iter().enumerate() {
        negative |= u8::from(*d < 0) << lane;
    }
    let mut b = get(buckets, index);
    b.add_affine(&p.spread(), negative);
    put(buckets, index, &b);
}

/// sum i * bucket_i of each lane by running sums.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn weigh(buckets: &[[Bucket; WIDTH]]) -> [Point; WIDTH] {
    let (mut running, mut total) = (Point8::identity(), Point8::identity());
    for i in (1..buckets.len()).rev() {
        running.add_niels(&get(buckets, [i; WIDTH]).niels(), 0);
        total.add_niels(&running.niels(), 0);
    }
    total.scatter()
}
