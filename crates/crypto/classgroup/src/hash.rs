//! Hashing to a form (R1).

use shake::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};

use crate::{
    discriminant::Discriminant,
    error::Exhausted,
    form::Form,
    int::{FULL, Int, Nat, WORK},
    limbs,
    modulus::Prime256,
    prime,
};

/// Candidates tried; one in 180 is expected to serve.
const CANDIDATES_MAX: u32 = 1 << 20;

pub(crate) fn hash_to_form(
    d: &Discriminant,
    tag: &[u8],
    seed: &[u8; 32],
) -> Result<Form, Exhausted> {
    let mut prefix = Shake256::default();
    let tag_len = u8::try_from(tag.len()).unwrap_or(u8::MAX);
    let abs = d.to_be_bytes();
    prefix.update(&[tag_len]);
    prefix.update(tag.get(..usize::from(tag_len)).unwrap_or(tag));
    prefix.update(&u32::try_from(abs.len()).unwrap_or(u32::MAX).to_le_bytes());
    prefix.update(&abs);
    prefix.update(seed);
    for counter in 0..CANDIDATES_MAX {
        let mut candidate = [0; 32];
        let mut hasher = prefix.clone();
        hasher.update(&counter.to_le_bytes());
        hasher.finalize_xof().read(&mut candidate);
        if let Some(form) = Prime256::from_candidate(&candidate).and_then(|q| lift(d, &q)) {
            return Ok(form);
        }
    }
    Err(Exhausted(CANDIDATES_MAX))
}

/// The form with first coefficient `q`, if `D` is a square modulo `q`.
fn lift(d: &Discriminant, q: &Prime256) -> Option<Form> {
    let modulus: Nat<4> = Nat::from_limbs(q.limbs());
    let residue: Nat<4> = Int::new(true, *d.abs()).rem_euclid(&modulus);
    let mut x = [0; 4];
    for (x, &l) in x.iter_mut().zip(residue.as_limbs()) {
        *x = l;
    }
    let mut b = prime::sqrt(q.mont(), &x)?;
    if b.first().is_some_and(|l| l & 1 == 0) {
        // q is odd: the other root is the odd one.
        let mut other = *q.limbs();
        limbs::sub_assign(&mut other, &b);
        b = other;
    }
    // c = (b^2 + |D|) / 4q; b odd makes the numerator divisible by 8.
    let (mut num, mut quo) = ([0; WORK], [0; WORK]);
    let (square, _) = num.split_at_mut(8);
    limbs::square(square, &b);
    limbs::add_assign(&mut num, d.abs().as_limbs());
    limbs::shr_assign(&mut num, 2);
    limbs::div_rem(&mut num, q.limbs(), Some(&mut quo));
    if num.iter().any(|&l| l != 0) {
        return None;
    }
    let c: Nat<FULL> = Nat::checked_from(&quo)?;
    Some(Form::reduced_from(q.limbs(), &b, c.as_limbs(), d.group()))
}
