//! Modular inversion and Jacobi symbol by division steps (Bernstein and Yang, "Fast constant-time gcd computation
//! and modular inversion", 2019; the half-integer `delta` variant).
//!
//! Numbers are held as `L` signed limbs of 62 bits. Each outer step collects 62 division steps on the low words in a
//! 2x2 matrix and applies it to the full numbers.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "arithmetic kernel: constant bounds; words are reinterpreted between signed and unsigned on purpose"
)]

const M62: i64 = (u64::MAX >> 2) as i64;

type Limbs<const L: usize> = [i64; L];

/// An odd modulus prepared for inversion; `L` limbs of 62 bits, with at least three spare bits.
#[derive(Debug)]
pub(crate) struct Modulus<const L: usize> {
    m: Limbs<L>,
    /// `m^-1 mod 2^62`.
    inv62: i64,
    /// Outer steps after which the constant-time loop has surely ended: `ceil((45907 bits + 26313) / 19929 / 62)`.
    steps: usize,
}

/// Transition matrix of 62 division steps, scaled by `2^62`.
#[derive(Clone, Copy)]
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

const IDENTITY: Matrix = Matrix {
    u: 1,
    v: 0,
    q: 0,
    r: 1,
};

impl<const L: usize> Modulus<L> {
    pub(crate) const fn new<const N: usize>(limbs: &[u64; N], bits: usize) -> Self {
        assert!(
            bits + 3 <= 62 * L,
            "no room for the sign and the factor two"
        );
        let m = to_signed::<N, L>(limbs);
        // Newton iteration for the inverse modulo 2^64; five steps double 3 correct bits past 62.
        let w = limbs[0];
        let mut x = w.wrapping_mul(3) ^ 2;
        let mut i = 0;
        while i < 5 {
            x = x.wrapping_mul(2u64.wrapping_sub(w.wrapping_mul(x)));
            i += 1;
        }
        let divsteps = (45907 * bits + 26313).div_ceil(19929);
        Self {
            m,
            inv62: (x as i64) & M62,
            steps: divsteps.div_ceil(62),
        }
    }

    /// `a^-1 mod m` for `a < m`, zero for zero. Constant time.
    pub(crate) fn invert<const N: usize>(&self, a: &[u64; N]) -> [u64; N] {
        let (mut f, mut g) = (self.m, to_signed::<N, L>(a));
        let (mut d, mut e) = ([0; L], [0; L]);
        e[0] = 1;
        let mut zeta = -1;
        for _ in 0..self.steps {
            let t;
            (zeta, t) = divsteps(zeta, f[0] as u64, g[0] as u64);
            self.update_de(&mut d, &mut e, &t);
            update_fg(&mut f, &mut g, &t);
        }
        self.normalize(&mut d, f[L - 1]);
        from_signed(&d)
    }

    /// As [`invert`](Self::invert), in time that depends on `a`.
    pub(crate) fn invert_vartime<const N: usize>(&self, a: &[u64; N]) -> [u64; N] {
        let (mut f, mut g) = (self.m, to_signed::<N, L>(a));
        let (mut d, mut e) = ([0; L], [0; L]);
        e[0] = 1;
        let mut eta = -1;
        while g.iter().any(|&w| w != 0) {
            let t;
            (eta, t) = divsteps_vartime(eta, f[0] as u64, g[0] as u64);
            self.update_de(&mut d, &mut e, &t);
            update_fg(&mut f, &mut g, &t);
        }
        self.normalize(&mut d, f[L - 1]);
        from_signed(&d)
    }

    /// Jacobi symbol of `a < m`: 1, -1, or 0 for zero; `None` in the rare case that the step budget runs out.
    pub(crate) fn jacobi_vartime<const N: usize>(&self, a: &[u64; N]) -> Option<i8> {
        let (mut f, mut g) = (self.m, to_signed::<N, L>(a));
        if g.iter().all(|&w| w == 0) {
            return Some(0);
        }
        let (mut eta, mut jac) = (-1, 0u64);
        for _ in 0..2 * self.steps {
            let t;
            (eta, jac, t) = posdivsteps_vartime(eta, jac, &f, &g);
            update_fg(&mut f, &mut g, &t);
            if f[0] == 1 && f[1..].iter().all(|&w| w == 0) {
                return Some(if jac & 1 == 0 { 1 } else { -1 });
            }
        }
        None
    }

    /// Applies the matrix to `(d, e)` modulo `m` and divides by `2^62`; both stay in `(-2 m, m)`.
    fn update_de(&self, d: &mut Limbs<L>, e: &mut Limbs<L>, t: &Matrix) {
        let (u, v, q, r) = (
            i128::from(t.u),
            i128::from(t.v),
            i128::from(t.q),
            i128::from(t.r),
        );
        let (sd, se) = (d[L - 1] >> 63, e[L - 1] >> 63);
        let mut md = (t.u & sd).wrapping_add(t.v & se);
        let mut me = (t.q & sd).wrapping_add(t.r & se);
        let (d0, e0) = (i128::from(d[0]), i128::from(e[0]));
        let mut cd = (u * d0).wrapping_add(v * e0);
        let mut ce = (q * d0).wrapping_add(r * e0);
        md = md.wrapping_sub(self.inv62.wrapping_mul(cd as i64).wrapping_add(md) & M62);
        me = me.wrapping_sub(self.inv62.wrapping_mul(ce as i64).wrapping_add(me) & M62);
        let (md, me) = (i128::from(md), i128::from(me));
        cd = cd.wrapping_add(i128::from(self.m[0]) * md) >> 62;
        ce = ce.wrapping_add(i128::from(self.m[0]) * me) >> 62;
        for i in 1..L {
            let (di, ei, mi) = (i128::from(d[i]), i128::from(e[i]), i128::from(self.m[i]));
            cd = cd
                .wrapping_add(u * di)
                .wrapping_add(v * ei)
                .wrapping_add(mi * md);
            ce = ce
                .wrapping_add(q * di)
                .wrapping_add(r * ei)
                .wrapping_add(mi * me);
            d[i - 1] = (cd as i64) & M62;
            e[i - 1] = (ce as i64) & M62;
            cd >>= 62;
            ce >>= 62;
        }
        d[L - 1] = cd as i64;
        e[L - 1] = ce as i64;
    }

    /// Brings `d` in `(-2 m, m)` to `[0, m)`, negated first if `sign < 0`.
    fn normalize(&self, d: &mut Limbs<L>, sign: i64) {
        self.add_masked(d, d[L - 1] >> 63);
        let s = sign >> 63;
        for w in d.iter_mut() {
            *w = (*w ^ s).wrapping_sub(s);
        }
        carry(d);
        self.add_masked(d, d[L - 1] >> 63);
    }

    fn add_masked(&self, d: &mut Limbs<L>, mask: i64) {
        for (w, m) in d.iter_mut().zip(&self.m) {
            *w = w.wrapping_add(m & mask);
        }
        carry(d);
    }
}

fn carry<const L: usize>(d: &mut Limbs<L>) {
    for i in 0..L - 1 {
        d[i + 1] = d[i + 1].wrapping_add(d[i] >> 62);
        d[i] &= M62;
    }
}

const fn to_signed<const N: usize, const L: usize>(a: &[u64; N]) -> Limbs<L> {
    let mut r = [0; L];
    let mut i = 0;
    while i < L {
        let (word, shift) = (62 * i / 64, 62 * i % 64);
        let mut w = if word < N { a[word] >> shift } else { 0 };
        if shift > 2 && word + 1 < N {
            w |= a[word + 1] << (64 - shift);
        }
        r[i] = (w as i64) & M62;
        i += 1;
    }
    r
}

fn from_signed<const N: usize, const L: usize>(d: &Limbs<L>) -> [u64; N] {
    let mut r = [0; N];
    for (i, &w) in d.iter().enumerate() {
        let (word, shift) = (62 * i / 64, 62 * i % 64);
        if word < N {
            r[word] |= (w as u64) << shift;
        }
        if shift > 2 && word + 1 < N {
            r[word + 1] |= (w as u64) >> (64 - shift);
        }
    }
    r
}

/// Applies the matrix to `(f, g)` and divides by `2^62` (exact).
fn update_fg<const L: usize>(f: &mut Limbs<L>, g: &mut Limbs<L>, t: &Matrix) {
    let (u, v, q, r) = (
        i128::from(t.u),
        i128::from(t.v),
        i128::from(t.q),
        i128::from(t.r),
    );
    let (f0, g0) = (i128::from(f[0]), i128::from(g[0]));
    let mut cf = (u * f0).wrapping_add(v * g0) >> 62;
    let mut cg = (q * f0).wrapping_add(r * g0) >> 62;
    for i in 1..L {
        let (fi, gi) = (i128::from(f[i]), i128::from(g[i]));
        cf = cf.wrapping_add(u * fi).wrapping_add(v * gi);
        cg = cg.wrapping_add(q * fi).wrapping_add(r * gi);
        f[i - 1] = (cf as i64) & M62;
        g[i - 1] = (cg as i64) & M62;
        cf >>= 62;
        cg >>= 62;
    }
    f[L - 1] = cf as i64;
    g[L - 1] = cg as i64;
}

/// 62 division steps without branches; `zeta = -(delta + 1/2)`.
fn divsteps(mut zeta: i64, f0: u64, g0: u64) -> (i64, Matrix) {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let (mut f, mut g) = (f0, g0);
    for _ in 0..62 {
        let c1 = (zeta >> 63) as u64;
        let c2 = (g & 1).wrapping_neg();
        let x = (f ^ c1).wrapping_sub(c1);
        let y = (u ^ c1).wrapping_sub(c1);
        let z = (v ^ c1).wrapping_sub(c1);
        g = g.wrapping_add(x & c2);
        q = q.wrapping_add(y & c2);
        r = r.wrapping_add(z & c2);
        let swap = c1 & c2;
        zeta = (zeta ^ swap as i64).wrapping_sub(1);
        f = f.wrapping_add(g & swap);
        u = u.wrapping_add(q & swap);
        v = v.wrapping_add(r & swap);
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    (
        zeta,
        Matrix {
            u: u as i64,
            v: v as i64,
            q: q as i64,
            r: r as i64,
        },
    )
}

/// Mask of the low bits that may be cancelled at once, at most `cap` of them.
fn cancel_mask(eta: i64, left: u32, cap: u64) -> u64 {
    let limit = (eta + 1).min(i64::from(left)) as u32;
    (u64::MAX >> (64 - limit)) & cap
}

/// 62 division steps, zeros of `g` taken in runs; `eta = -delta`.
fn divsteps_vartime(mut eta: i64, f0: u64, g0: u64) -> (i64, Matrix) {
    let Matrix {
        mut u,
        mut v,
        mut q,
        mut r,
    } = IDENTITY;
    let (mut f, mut g, mut left) = (f0, g0, 62u32);
    loop {
        let zeros = (g | (u64::MAX << left)).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            return (eta, Matrix { u, v, q, r });
        }
        let w;
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
            // f (f^2 - 2) = -1/f modulo 64.
            w = f
                .wrapping_mul(g)
                .wrapping_mul(f.wrapping_mul(f).wrapping_sub(2))
                & cancel_mask(eta, left, 63);
        } else {
            // f + ((f + 1) & 4) << 1 = 1/f modulo 16.
            let inv = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            w = inv.wrapping_neg().wrapping_mul(g) & cancel_mask(eta, left, 15);
        }
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w as i64));
        r = r.wrapping_add(v.wrapping_mul(w as i64));
    }
}

/// As [`divsteps_vartime`] but swapping without negation, so that `f` and `g` stay non-negative; the sign of the
/// Jacobi symbol is collected in bit 0 of `jac` from the reciprocity law and the law for two.
fn posdivsteps_vartime<const L: usize>(
    mut eta: i64,
    mut jac: u64,
    f_full: &Limbs<L>,
    g_full: &Limbs<L>,
) -> (i64, u64, Matrix) {
    let Matrix {
        mut u,
        mut v,
        mut q,
        mut r,
    } = IDENTITY;
    // The reciprocity law looks at f modulo 8, two bits above those that the 62 steps consume.
    let (mut f, mut g) = (low64(f_full), low64(g_full));
    let mut left = 62u32;
    loop {
        let zeros = (g | (u64::MAX << left)).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= i64::from(zeros);
        left -= zeros;
        jac ^= u64::from(zeros) & ((f >> 1) ^ (f >> 2));
        if left == 0 {
            return (eta, jac, Matrix { u, v, q, r });
        }
        let w;
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, f);
            (u, q) = (q, u);
            (v, r) = (r, v);
            jac ^= (f & g) >> 1;
            w = f
                .wrapping_mul(g)
                .wrapping_mul(f.wrapping_mul(f).wrapping_sub(2))
                & cancel_mask(eta, left, 63);
        } else {
            let inv = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            w = inv.wrapping_neg().wrapping_mul(g) & cancel_mask(eta, left, 15);
        }
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w as i64));
        r = r.wrapping_add(v.wrapping_mul(w as i64));
    }
}

fn low64<const L: usize>(a: &Limbs<L>) -> u64 {
    (a[0] as u64) | ((a[1] as u64) << 62)
}
