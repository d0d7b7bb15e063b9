//! Division. Restoring, on as many bits as the remainder can have: n^2 + 3n ANDs for quotient and remainder.

use super::multiply::significant;
use super::{FALSE, Lit, Net, TRUE};

impl Net {
    /// Quotient and remainder; a zero divisor gives all ones and the dividend.
    pub(crate) fn divide(&mut self, a: &[Lit], b: &[Lit]) -> (Vec<Lit>, Vec<Lit>) {
        let n = a.len();
        // above[k]: some bit of b at k or higher is set.
        let mut above = vec![FALSE; n + 1];
        for k in (0..n).rev() {
            above[k] = self.or(above[k + 1], b[k]);
        }
        // A divisor that is certainly not zero bounds the remainder.
        let bound = if b.contains(&TRUE) { significant(b) } else { n };
        let mut rest: Vec<Lit> = Vec::with_capacity(n);
        let mut quotient = vec![FALSE; n];
        for k in 1..=n {
            rest.insert(0, a[n - k]);
            // The remainder is below 2^w now, so a divisor with a bit at w or above cannot be subtracted.
            let w = rest.len();
            let (difference, fits) = self.sub_borrow(&rest, &b[..w]);
            let bit = self.and(fits, above[w].not());
            quotient[n - k] = bit;
            rest = self.mux_word(bit, &difference, &rest);
            rest.truncate(bound);
        }
        rest.resize(n, FALSE);
        (quotient, rest)
    }

    /// Toward zero; the remainder has the sign of the dividend. A zero divisor gives all ones and the dividend;
    /// the least number by -1 gives itself.
    pub(crate) fn divide_signed(&mut self, a: &[Lit], b: &[Lit]) -> (Vec<Lit>, Vec<Lit>) {
        let top = a.len() - 1;
        let (sign_a, sign_b) = (a[top], b[top]);
        let left = self.negate_if(sign_a, a);
        let right = self.negate_if(sign_b, b);
        let (quotient, rest) = self.divide(&left, &right);
        let differ = self.xor(sign_a, sign_b);
        let zero = self.or_all(&right).not();
        let flip = self.and(differ, zero.not());
        (
            self.negate_if(flip, &quotient),
            self.negate_if(sign_a, &rest),
        )
    }

    /// Shift left by a secret count.
    pub(crate) fn shift_left(&mut self, a: &[Lit], count: &[Lit]) -> Vec<Lit> {
        let reversed: Vec<Lit> = a.iter().rev().copied().collect();
        let mut out = self.shift_right(&reversed, count, FALSE);
        out.reverse();
        out
    }

    /// Shift right by a secret count, `fill` from above; counts of the width or more give `fill` everywhere.
    pub(crate) fn shift_right(&mut self, a: &[Lit], count: &[Lit], fill: Lit) -> Vec<Lit> {
        let n = a.len();
        let mut out = a.to_vec();
        let stages = (usize::BITS - (n - 1).leading_zeros()) as usize;
        for (k, bit) in count.iter().take(stages).enumerate() {
            let shifted: Vec<Lit> = (0..n)
                .map(|i| out.get(i + (1 << k)).copied().unwrap_or(fill))
                .collect();
            out = self.mux_word(*bit, &shifted, &out);
        }
        let beyond = if count.len() > stages {
            self.or_all(&count[stages..])
        } else {
            FALSE
        };
        if beyond == FALSE {
            return out;
        }
        if fill == FALSE {
            return self.gate_word(beyond.not(), &out);
        }
        self.mux_word(beyond, &vec![fill; n], &out)
    }
}
