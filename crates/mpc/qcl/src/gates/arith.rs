//! Addition, subtraction, comparison, counting.

use super::{FALSE, Goal, Lit, Net, TRUE};

impl Net {
    /// `a + b + carry` mod 2^n, and the carry out. One AND per bit, none for the carry out if nobody uses it.
    pub(crate) fn add_carry(&mut self, a: &[Lit], b: &[Lit], carry: Lit) -> (Vec<Lit>, Lit) {
        if self.goal == Goal::Depth && a.len() > 4 {
            return self.prefix_add(a, b, carry);
        }
        let mut carry = carry;
        let mut sum = Vec::with_capacity(a.len());
        for (a, b) in a.iter().zip(b) {
            let (s, c) = self.full_add(*a, *b, carry);
            sum.push(s);
            carry = c;
        }
        (sum, carry)
    }

    /// Sum and carry of three bits with one AND.
    pub(crate) fn full_add(&mut self, a: Lit, b: Lit, c: Lit) -> (Lit, Lit) {
        let ac = self.xor(a, c);
        let bc = self.xor(b, c);
        let sum = self.xor(ac, b);
        let both = self.and(ac, bc);
        (sum, self.xor(both, c))
    }

    /// Kogge and Stone: carries by a parallel prefix over (generate, propagate), depth 1 + ceil(log2 n).
    fn prefix_add(&mut self, a: &[Lit], b: &[Lit], carry: Lit) -> (Vec<Lit>, Lit) {
        let n = a.len();
        let half = self.xor_word(a, b);
        let mut generate: Vec<Lit> = Vec::with_capacity(n);
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            let g = if i == 0 {
                self.full_add(*a, *b, carry).1
            } else {
                self.and(*a, *b)
            };
            generate.push(g);
        }
        let mut propagate = half.clone();
        let mut distance = 1;
        while distance < n {
            let (g, p) = (generate.clone(), propagate.clone());
            for i in distance..n {
                let through = self.and(p[i], g[i - distance]);
                // Generate and propagate exclude each other, so `or` is `xor`.
                generate[i] = self.xor(g[i], through);
                propagate[i] = self.and(p[i], p[i - distance]);
            }
            distance *= 2;
        }
        let carries = std::iter::once(carry).chain(generate.iter().copied());
        let sum = half
            .iter()
            .zip(carries)
            .map(|(h, c)| self.xor(*h, c))
            .collect();
        (sum, generate.last().copied().unwrap_or(carry))
    }

    pub(crate) fn add(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        self.add_carry(a, b, FALSE).0
    }

    /// Adds and keeps the carry as the top bit.
    pub(crate) fn add_full(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        let n = a.len().max(b.len());
        let (mut sum, carry) = self.add_carry(&widen(a, n), &widen(b, n), FALSE);
        sum.push(carry);
        sum
    }

    /// `a - b` mod 2^n and whether `a >= b`.
    pub(crate) fn sub_borrow(&mut self, a: &[Lit], b: &[Lit]) -> (Vec<Lit>, Lit) {
        let inverted: Vec<Lit> = b.iter().map(|b| b.not()).collect();
        self.add_carry(a, &inverted, TRUE)
    }

    pub(crate) fn sub(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        self.sub_borrow(a, b).0
    }

    /// `flag ? -a : a`, n - 1 ANDs.
    pub(crate) fn negate_if(&mut self, flag: Lit, a: &[Lit]) -> Vec<Lit> {
        let flipped: Vec<Lit> = a.iter().map(|a| self.xor(*a, flag)).collect();
        self.add_carry(&flipped, &vec![FALSE; a.len()], flag).0
    }

    pub(crate) fn less(&mut self, a: &[Lit], b: &[Lit]) -> Lit {
        self.sub_borrow(a, b).1.not()
    }

    /// Two's complement order: the order of the patterns with the sign bits flipped.
    pub(crate) fn less_signed(&mut self, a: &[Lit], b: &[Lit]) -> Lit {
        let flip = |bits: &[Lit]| {
            let mut bits = bits.to_vec();
            if let Some(top) = bits.last_mut() {
                *top = top.not();
            }
            bits
        };
        self.less(&flip(a), &flip(b))
    }

    pub(crate) fn equal(&mut self, a: &[Lit], b: &[Lit]) -> Lit {
        let same: Vec<Lit> = a
            .iter()
            .zip(b)
            .map(|(a, b)| self.xor(*a, *b).not())
            .collect();
        self.and_all(&same)
    }

    /// Number of set bits by full adders, n minus its own bit count ANDs.
    pub(crate) fn popcount(&mut self, bits: &[Lit], width: usize) -> Vec<Lit> {
        let mut column = bits.to_vec();
        let mut out = Vec::new();
        while !column.is_empty() {
            let mut next = Vec::new();
            let mut queue = std::collections::VecDeque::from(std::mem::take(&mut column));
            while queue.len() >= 2 {
                let a = queue.pop_front().unwrap_or(FALSE);
                let b = queue.pop_front().unwrap_or(FALSE);
                let c = queue.pop_front().unwrap_or(FALSE);
                let (sum, carry) = self.full_add(a, b, c);
                queue.push_back(sum);
                next.push(carry);
            }
            out.extend(queue);
            column = next;
        }
        out.resize(width, FALSE);
        out
    }
}

/// Adds constant zero bits on top.
pub(crate) fn widen(bits: &[Lit], width: usize) -> Vec<Lit> {
    let mut bits = bits.to_vec();
    bits.resize(width, FALSE);
    bits
}
