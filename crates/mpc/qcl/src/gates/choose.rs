//! Choice by a secret index: multiplexer trees, and polynomials for constant tables.

use super::{FALSE, Lit, Net, TRUE};

impl Net {
    /// Element `index` of `words`, zero if there is none. All words have the same width.
    pub(crate) fn select(&mut self, index: &[Lit], words: &[Vec<Lit>], width: usize) -> Vec<Lit> {
        let bits = (usize::BITS - words.len().saturating_sub(1).leading_zeros()) as usize;
        let low = &index[..bits.min(index.len())];
        let beyond = if index.len() > bits {
            self.or_all(&index[bits..])
        } else {
            FALSE
        };
        let table = words.iter().flatten().all(|l| l.is_const());
        let chosen = if table && worthwhile(low.len(), width) {
            self.table(low, words, width)
        } else {
            self.mux_tree(low, words, width)
        };
        if beyond == FALSE {
            chosen
        } else {
            self.gate_word(beyond.not(), &chosen)
        }
    }

    fn mux_tree(&mut self, index: &[Lit], words: &[Vec<Lit>], width: usize) -> Vec<Lit> {
        let zero = vec![FALSE; width];
        let mut level: Vec<Vec<Lit>> = words
            .iter()
            .take(1usize << index.len().min(40))
            .cloned()
            .collect();
        for bit in index {
            level = level
                .chunks(2)
                .map(|pair| match pair {
                    [even, odd] => self.mux_word(*bit, odd, even),
                    rest => self.mux_word(*bit, &zero, &rest[0]),
                })
                .collect();
        }
        level.into_iter().next().unwrap_or(zero)
    }

    /// A constant table as polynomials over GF(2): with the index split in two parts,
    /// `f = sum over h of monomial_h(high) * g_h(low)`, where every `g_h` is a free sum of monomials of the low part.
    fn table(&mut self, index: &[Lit], words: &[Vec<Lit>], width: usize) -> Vec<Lit> {
        let k = index.len();
        let split = best_split(k, width);
        let low = self.monomials(&index[..k - split]);
        let high = self.monomials(&index[k - split..]);
        (0..width)
            .map(|bit| {
                let mut coefficients: Vec<bool> = (0..1usize << k)
                    .map(|i| words.get(i).is_some_and(|word| word[bit] == TRUE))
                    .collect();
                moebius(&mut coefficients);
                let mut sum = FALSE;
                for (h, monomial) in high.iter().enumerate() {
                    let mut inner = FALSE;
                    for (l, small) in low.iter().enumerate() {
                        if coefficients[h << (k - split) | l] {
                            inner = self.xor(inner, *small);
                        }
                    }
                    let term = self.and(*monomial, inner);
                    sum = self.xor(sum, term);
                }
                sum
            })
            .collect()
    }

    /// Products of all subsets of the bits; 2^k - k - 1 ANDs.
    fn monomials(&mut self, bits: &[Lit]) -> Vec<Lit> {
        let mut out = vec![TRUE];
        for bit in bits {
            for i in 0..out.len() {
                let product = self.and(out[i], *bit);
                out.push(product);
            }
        }
        out
    }

    /// For each index below `count` whether it is the one; out of range selects nothing.
    pub(crate) fn decode(&mut self, index: &[Lit], count: usize) -> Vec<Lit> {
        let bits = (usize::BITS - count.saturating_sub(1).leading_zeros()) as usize;
        let beyond = if index.len() > bits {
            self.or_all(&index[bits..])
        } else {
            FALSE
        };
        let mut level = vec![beyond.not()];
        for k in (0..bits.min(index.len())).rev() {
            let step = 1usize << k;
            level = level
                .iter()
                .enumerate()
                .flat_map(|(i, all)| {
                    let high = self.and(*all, index[k]);
                    // The other half is what remains: one AND for both.
                    let low = self.xor(*all, high);
                    let reach = |half: usize| (2 * i + half) * step < count;
                    [(low, reach(0)), (high, reach(1))]
                })
                .filter_map(|(lit, reached)| reached.then_some(lit))
                .collect();
        }
        level.resize(count, FALSE);
        level
    }
}

/// In place: values of a function to coefficients of its polynomial.
fn moebius(values: &mut [bool]) {
    let mut step = 1;
    while step < values.len() {
        for i in 0..values.len() {
            if i & step != 0 {
                values[i] ^= values[i ^ step];
            }
        }
        step *= 2;
    }
}

fn cost(k: usize, split: usize, width: usize) -> usize {
    let monomials = |n: usize| (1usize << n) - n - 1;
    monomials(split) + monomials(k - split) + width * ((1 << split) - 1)
}

fn best_split(k: usize, width: usize) -> usize {
    (0..=k / 2)
        .min_by_key(|split| cost(k, *split, width))
        .unwrap_or(0)
}

/// A tree over constants saves its first level.
fn worthwhile(k: usize, width: usize) -> bool {
    (2..=16).contains(&k) && cost(k, best_split(k, width), width) < ((1 << (k - 1)) - 1) * width
}
