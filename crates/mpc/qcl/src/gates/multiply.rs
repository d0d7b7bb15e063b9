//! Multiplication: schoolbook rows, Karatsuba where it costs fewer ANDs, signed digits for constants.

use std::collections::HashMap;

use super::arith::widen;
use super::{FALSE, Goal, Lit, Net, TRUE};

/// AND counts of full products by width, filled on demand.
#[derive(Default)]
pub(crate) struct Costs {
    product: HashMap<usize, usize>,
    square: HashMap<usize, usize>,
    low: HashMap<usize, usize>,
}

impl Costs {
    /// Full n x n product by the better method.
    fn product(&mut self, n: usize) -> usize {
        if let Some(cost) = self.product.get(&n) {
            return *cost;
        }
        let cost = school(n, n).min(self.karatsuba(n));
        self.product.insert(n, cost);
        cost
    }

    fn karatsuba(&mut self, n: usize) -> usize {
        if n < 8 {
            return usize::MAX;
        }
        let low = n.div_ceil(2);
        let high = n - low;
        // Half sums, three products, two subtractions from the middle, one addition into place.
        let middle = 2 * (low + 1);
        low + low
            + self.product(low)
            + self.product(high)
            + self.product(low + 1)
            + 2 * middle
            + (2 * n - low)
    }

    /// Low half of an n x n product by the better method.
    fn low(&mut self, n: usize) -> usize {
        if n < 2 {
            return n;
        }
        if let Some(cost) = self.low.get(&n) {
            return *cost;
        }
        let cost = (n * n - n + 1).min(self.split_low(n)).min(self.product(n));
        self.low.insert(n, cost);
        cost
    }

    /// Full product of the low halves, truncated cross products, two additions.
    fn split_low(&mut self, n: usize) -> usize {
        let high = n / 2;
        if n < 8 {
            return usize::MAX;
        }
        self.product(n - high) + 2 * self.low(high) + 2 * (high - 1)
    }

    fn square(&mut self, n: usize) -> usize {
        if let Some(cost) = self.square.get(&n) {
            return *cost;
        }
        let cost = (n * n).min(self.square_split(n));
        self.square.insert(n, cost);
        cost
    }

    fn square_split(&mut self, n: usize) -> usize {
        if n < 8 {
            return usize::MAX;
        }
        let low = n.div_ceil(2);
        let cross = self.product(low);
        self.square(low) + self.square(n - low) + cross + (2 * n - low)
    }
}

/// Full product by rows.
const fn school(n: usize, m: usize) -> usize {
    n * m + if m > 0 { (m - 1) * n } else { 0 }
}

/// Number of bits up to the highest that is not constant false.
pub(super) fn significant(bits: &[Lit]) -> usize {
    bits.iter().rposition(|b| *b != FALSE).map_or(0, |i| i + 1)
}

/// Bits of a sign-extended word: the top literal repeats.
fn without_sign(bits: &[Lit]) -> usize {
    let Some(top) = bits.last() else { return 0 };
    bits.iter().rposition(|b| b != top).map_or(1, |i| i + 2)
}

impl Net {
    /// `a * b` mod 2^n.
    pub(crate) fn multiply(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        let n = a.len();
        if let Some(product) = self.by_constant(a, b, n) {
            return product;
        }
        if let Some(product) = self.extended(a, b, n) {
            return product;
        }
        let (p, q) = (significant(a), significant(b));
        let mut product = self.low_product(&a[..p], &b[..q], n);
        product.resize(n, FALSE);
        product
    }

    /// Low `n` bits of the product of words of their significant widths.
    fn low_product(&mut self, a: &[Lit], b: &[Lit], n: usize) -> Vec<Lit> {
        let (a, b) = (&a[..a.len().min(n)], &b[..b.len().min(n)]);
        if a.is_empty() || b.is_empty() {
            return Vec::new();
        }
        if a.len() + b.len() <= n {
            return self.product(a, b);
        }
        let width = a.len().max(b.len());
        let size = |i: usize| a.len().min(n - i);
        let rows: usize =
            (0..b.len()).map(|i| 2 * size(i)).sum::<usize>() - size(0) - b.len().min(n - 1);
        let full = self.costs.product(width);
        if a.len() == n && b.len() == n && self.costs.split_low(n) < rows.min(full) {
            return self.split_low(a, b, n);
        }
        if full < rows {
            let mut product = self.product(&widen(a, width), &widen(b, width));
            product.truncate(n);
            return product;
        }
        self.rows(a, b, n)
    }

    fn split_low(&mut self, a: &[Lit], b: &[Lit], n: usize) -> Vec<Lit> {
        let half = n.div_ceil(2);
        let (a0, a1) = a.split_at(half);
        let (b0, b1) = b.split_at(half);
        let mut product = self.product(a0, b0);
        product.truncate(n);
        let left = widen(&self.low_product(a0, b1, n - half), n - half);
        let right = widen(&self.low_product(a1, b0, n - half), n - half);
        let cross = self.add(&left, &right);
        let high = self.add(&product[half..], &cross);
        product.truncate(half);
        product.extend(high);
        product
    }

    /// Schoolbook: one row per bit of `b`, low `n` bits.
    fn rows(&mut self, a: &[Lit], b: &[Lit], n: usize) -> Vec<Lit> {
        if self.goal == Goal::Depth {
            return self.tree(a, b, n);
        }
        let mut sum: Vec<Lit> = Vec::new();
        for (i, bit) in b.iter().enumerate() {
            let row = self.gate_word(*bit, &a[..a.len().min(n - i)]);
            if sum.len() <= i {
                sum.resize(i, FALSE);
                sum.extend(row);
                continue;
            }
            let width = (n - i).min(row.len().max(sum.len() - i) + 1);
            let (low, carry) = {
                let count = width.min(row.len().max(sum.len() - i));
                self.add_carry(&widen(&sum[i..], count), &widen(&row, count), FALSE)
            };
            sum.truncate(i);
            sum.extend(low);
            if sum.len() < n {
                sum.push(carry);
            }
        }
        sum
    }

    /// All partial products, then layers of full adders on the columns, then one addition.
    fn tree(&mut self, a: &[Lit], b: &[Lit], n: usize) -> Vec<Lit> {
        let mut columns: Vec<Vec<Lit>> = vec![Vec::new(); n];
        for (j, q) in b.iter().enumerate() {
            for (i, p) in a.iter().enumerate().take(n - j) {
                let bit = self.and(*p, *q);
                columns[i + j].push(bit);
            }
        }
        while columns.iter().any(|c| c.len() > 2) {
            let mut next: Vec<Vec<Lit>> = vec![Vec::new(); n + 1];
            for (i, column) in columns.iter().enumerate() {
                for group in column.chunks(3) {
                    if let [a, b, c] = group {
                        let (sum, carry) = self.full_add(*a, *b, *c);
                        next[i].push(sum);
                        next[i + 1].push(carry);
                    } else {
                        next[i].extend_from_slice(group);
                    }
                }
            }
            next.truncate(n);
            columns = next;
        }
        let row = |k: usize| -> Vec<Lit> {
            columns
                .iter()
                .map(|c| c.get(k).copied().unwrap_or(FALSE))
                .collect()
        };
        self.add(&row(0), &row(1))
    }

    /// Full product, `a.len() + b.len()` bits.
    fn product(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        let n = a.len() + b.len();
        if a == b && self.goal == Goal::Ands {
            return self.square(a);
        }
        let width = a.len().max(b.len());
        let balanced = width > 0 && width - a.len().min(b.len()) <= 1;
        if balanced
            && self.goal == Goal::Ands
            && self.costs.karatsuba(width) < school(a.len(), b.len())
        {
            let mut product = self.karatsuba(&widen(a, width), &widen(b, width));
            product.truncate(n);
            return product;
        }
        if a.len() >= 2 * b.len() && b.len() >= 16 && self.goal == Goal::Ands {
            return self.long_product(a, b);
        }
        if b.len() >= 2 * a.len() && a.len() >= 16 && self.goal == Goal::Ands {
            return self.long_product(b, a);
        }
        let mut product = self.rows(a, b, n);
        product.resize(n, FALSE);
        product
    }

    /// A long factor in pieces of the short one.
    fn long_product(&mut self, long: &[Lit], short: &[Lit]) -> Vec<Lit> {
        let mut sum: Vec<Lit> = Vec::new();
        for (k, piece) in long.chunks(short.len()).enumerate() {
            let at = k * short.len();
            let part = self.product(piece, short);
            sum.resize(at.max(sum.len()), FALSE);
            let high = sum.split_off(at);
            let width = part.len();
            let total = self.add(&widen(&high, width), &part);
            sum.extend(total);
        }
        sum
    }

    fn karatsuba(&mut self, a: &[Lit], b: &[Lit]) -> Vec<Lit> {
        let n = a.len();
        let half = n.div_ceil(2);
        let (a0, a1) = a.split_at(half);
        let (b0, b1) = b.split_at(half);
        let low = self.product(a0, b0);
        let high = self.product(a1, b1);
        let left = self.add_full(a0, a1);
        let right = self.add_full(b0, b1);
        let all = self.product(&left, &right);
        let middle = self.sub(&all, &widen(&low, all.len()));
        let middle = self.sub(&middle, &widen(&high, all.len()));
        self.join(&low, &middle, &high, half, 2 * n)
    }

    /// `low + middle << half + high << 2 half`.
    fn join(
        &mut self,
        low: &[Lit],
        middle: &[Lit],
        high: &[Lit],
        half: usize,
        n: usize,
    ) -> Vec<Lit> {
        let mut out = low.to_vec();
        out.extend_from_slice(high);
        out.resize(n, FALSE);
        let rest = out.split_off(half);
        let sum = self.add(
            &rest,
            &widen(&middle[..middle.len().min(rest.len())], rest.len()),
        );
        out.extend(sum);
        out
    }

    fn square(&mut self, a: &[Lit]) -> Vec<Lit> {
        let n = a.len();
        if self.costs.square_split(n) < n * n {
            let half = n.div_ceil(2);
            let (low, high) = a.split_at(half);
            let cross = self.product(&widen(high, half), low);
            let (low, high) = (self.square(low), self.square(high));
            let mut doubled = vec![FALSE];
            doubled.extend(cross);
            return self.join(&low, &doubled, &high, half, 2 * n);
        }
        // a_i a_j twice for i < j, a_i once: row i is a_i at 2i and a_i a_j at i + j + 1.
        let mut sum: Vec<Lit> = Vec::new();
        for i in 0..n {
            let mut row = vec![a[i], FALSE];
            row.extend(self.gate_word(a[i], &a[i + 1..]));
            let at = 2 * i;
            sum.resize(sum.len().max(at), FALSE);
            let high = sum.split_off(at);
            let width = row.len().max(high.len());
            let (total, carry) = self.add_carry(&widen(&high, width), &widen(&row, width), FALSE);
            sum.extend(total);
            sum.push(carry);
        }
        sum.resize(2 * n, FALSE);
        sum
    }

    /// One factor constant: the signed digits of least weight, shifts are free.
    fn by_constant(&mut self, a: &[Lit], b: &[Lit], n: usize) -> Option<Vec<Lit>> {
        let constant = |word: &[Lit]| word.iter().all(|l| l.is_const());
        let (word, bits) = if constant(b) {
            (a, b)
        } else if constant(a) {
            (b, a)
        } else {
            return None;
        };
        let digits = signed_digits(bits);
        let mut sum = vec![FALSE; n];
        // From the top, where the first digit is positive unless it was cut off: nothing is negated.
        for (i, digit) in digits.iter().enumerate().take(n).rev() {
            if *digit == 0 {
                continue;
            }
            let high = sum.split_off(i);
            let total = if *digit > 0 {
                self.add(&high, &word[..n - i])
            } else {
                self.sub(&high, &word[..n - i])
            };
            sum.extend(total);
        }
        Some(sum)
    }

    /// Sign-extended factors of p and q bits: the product of the patterns, corrected for the signs, has p + q bits and
    /// is sign-extended again.
    fn extended(&mut self, a: &[Lit], b: &[Lit], n: usize) -> Option<Vec<Lit>> {
        let signed = |bits: &[Lit]| without_sign(bits) < n && !bits[n - 1].is_const();
        if !signed(a) && !signed(b) {
            return None;
        }
        let width = |bits: &[Lit]| {
            if signed(bits) {
                without_sign(bits)
            } else {
                significant(bits)
            }
        };
        let (p, q) = (width(a), width(b));
        if p + q > n + n / 4 || p == 0 || q == 0 {
            return None;
        }
        let m = n.min(p + q);
        let mut product = widen(&self.low_product(&a[..p], &b[..q], m), m);
        for (word, other, at) in [(a, &b[..q], p), (b, &a[..p], q)] {
            if signed(word) && at < m {
                let term = self.gate_word(word[n - 1], other);
                let high = product.split_off(at);
                let total = self.sub(&high, &widen(&term[..term.len().min(m - at)], m - at));
                product.extend(total);
            }
        }
        let top = product.last().copied()?;
        product.resize(n, top);
        Some(product)
    }
}

/// Non-adjacent form, least significant first.
fn signed_digits(bits: &[Lit]) -> Vec<i8> {
    let mut out = Vec::with_capacity(bits.len() + 1);
    let mut carry = 0u8;
    for i in 0..bits.len() {
        let here = u8::from(bits[i] == TRUE) + carry;
        let next = u8::from(bits.get(i + 1) == Some(&TRUE));
        if here.is_multiple_of(2) {
            out.push(0);
            carry = here / 2;
        } else if next == 1 {
            out.push(-1);
            carry = 1;
        } else {
            out.push(1);
            carry = 0;
        }
    }
    if carry == 1 {
        out.push(1);
    }
    out
}
