//! Wesolowski proofs (Wesolowski 2018, 2018/623).

use quil_classgroup::{Discriminant, ForeignGroup, Form, FormBytes, Power, multi_pow};

use crate::{
    challenge::challenge_prime,
    error::{ProveError, VerifyError},
    evaluator::{Evaluator, Progress},
};

/// Work between two looks at the progress; nothing depends on it.
const STEP: u64 = 1 << 16;

/// An output `y = x^(2^T)` with its proof. The forms are valid by type; the claim is not, until [`verify`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VdfProof {
    /// The output.
    pub y: Form,
    /// The proof `x^floor(2^T / l)`.
    pub pi: Form,
}

impl VdfProof {
    /// Reads both forms, each [`Discriminant::form_len`] bytes (R7: reduced, of this discriminant).
    ///
    /// # Errors
    /// [`VerifyError::Output`], [`VerifyError::Proof`].
    pub fn from_bytes(
        discriminant: &Discriminant,
        y: &[u8],
        pi: &[u8],
    ) -> Result<Self, VerifyError> {
        Ok(Self {
            y: Form::from_bytes(discriminant, y).map_err(VerifyError::Output)?,
            pi: Form::from_bytes(discriminant, pi).map_err(VerifyError::Proof)?,
        })
    }

    /// The encodings of `y` and `pi`.
    #[must_use]
    pub fn to_bytes(&self) -> (FormBytes, FormBytes) {
        (self.y.to_bytes(), self.pi.to_bytes())
    }

    /// [`verify`] with these forms.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(
        &self,
        discriminant: &Discriminant,
        x: &Form,
        squarings: u64,
    ) -> Result<(), VerifyError> {
        verify(discriminant, x, &self.y, &self.pi, squarings)
    }
}

/// Evaluates and proves in one call. Blocks for the whole delay: services use [`Evaluator`].
///
/// # Errors
/// [`ProveError::Group`] when `x` is not a form of the discriminant.
pub fn prove(
    discriminant: &Discriminant,
    x: &Form,
    squarings: u64,
) -> Result<VdfProof, ProveError> {
    let mut evaluator = Evaluator::new(discriminant, x, squarings)?;
    loop {
        if evaluator.step(STEP)? == Progress::Done
            && let Some(proof) = evaluator.proof()
        {
            return Ok(*proof);
        }
    }
}

/// Checks that `y = x^(2^squarings)`: `pi^l x^r = y` with the challenge prime `l` and `r = 2^squarings mod l`.
///
/// Costs about 256 squarings and 90 compositions, independent of `squarings`. Sound under the adaptive root
/// assumption; `|D|` prime leaves no known element of small order, and a form and its inverse are different elements.
///
/// # Errors
/// [`VerifyError::Equation`] when the claim is false, [`VerifyError::Group`] when the forms do not belong together.
pub fn verify(
    discriminant: &Discriminant,
    x: &Form,
    y: &Form,
    pi: &Form,
    squarings: u64,
) -> Result<(), VerifyError> {
    if ![x, y, pi].iter().all(|f| f.belongs_to(discriminant)) {
        return Err(ForeignGroup.into());
    }
    let l = challenge_prime(discriminant, x, y, squarings).ok_or(VerifyError::Challenge)?;
    let r = l.pow2(squarings);
    let product = multi_pow(&[Power::new(pi, l.limbs()), Power::new(x, r.limbs())])?;
    if product == Some(*y) {
        Ok(())
    } else {
        Err(VerifyError::Equation)
    }
}
