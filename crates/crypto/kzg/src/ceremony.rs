//! The powers-of-tau ceremony (D5).
//!
//! State: the powers of the current tau, starting at tau = 1, and the list of contributions. A contributor draws
//! a secret `s`, turns `[tau^k]` into `[(s tau)^k]`, publishes `X = [s]G2` with a proof of knowledge of `s`, and
//! signs the result with its prover key. Proof and signature bind the network (name and seed) and the digest of
//! everything before, so no contribution can be reused, reordered or dropped from the middle. If one contributor
//! forgets its `s`, nobody knows the final tau.
//!
//! A step `T -> T'` on `[tau]G1` is checked by `e(T', G2) = e(T, X)`; the final powers by [`Srs::new`].
//! The proof of knowledge is a BLS signature by `s` under the key `X`.
#![expect(
    clippy::indexing_slicing,
    reason = "constant indices into arrays of 64 and 2, and into the list that was just filled"
)]

use quil_bls48581::{
    Dst, Fr, G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective, PublicKey, SecretKey,
    Signature, hash_to_g1, pairing_product_is_one,
};
use quil_types::genesis::NetworkBinding;
use quil_types::hash::{Xof, h, h_bytes, tagged, xof};
use quil_types::limits::{G1_BYTES, G2_BYTES};
use quil_types::{Bounded, Canonical, canonical, tags};
use rand_core::CryptoRng;
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::commitment::Commitment;
use crate::domain::DOMAIN_SIZE;
use crate::srs::{G2_POWERS, Srs, SrsError, powers_bytes, weight};

/// Most contributions of one ceremony: keeps the file below 1 MiB and its check to some seconds.
pub const CONTRIBUTIONS_MAX: usize = 512;

canonical! {
    /// What one contributor published.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Contribution {
        /// The contributor's BLS prover key.
        pub key: [u8; G2_BYTES],
        /// `X = [s]G2`.
        pub increment: [u8; G2_BYTES],
        /// `[tau]G1` after this step.
        pub tau_g1: Commitment,
        /// Proof of knowledge of `s`: a signature under `X`.
        pub knowledge: [u8; G1_BYTES],
        /// The contributor's signature over the step.
        pub signature: [u8; G1_BYTES],
    }
}

canonical! {
    /// The steps of a ceremony, in order.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Transcript {
        /// The network it is for.
        pub binding: NetworkBinding,
        /// Oldest first.
        pub contributions: Bounded<Contribution, CONTRIBUTIONS_MAX>,
    }
}

canonical! {
    /// Digest of a ceremony's state: the start, or a step on the digest before.
    #[derive(Debug)]
    enum Link {
        Start(NetworkBinding) = 0,
        Step(Step) = 1,
    }
}

canonical! {
    /// A step without its proofs.
    #[derive(Clone, Debug)]
    struct Step {
        previous: [u8; 32],
        key: [u8; G2_BYTES],
        increment: [u8; G2_BYTES],
        tau_g1: Commitment,
    }
}

canonical! {
    /// Statement of the proof of knowledge.
    #[derive(Debug)]
    struct KnowledgeStatement {
        binding: NetworkBinding,
        previous: [u8; 32],
        key: [u8; G2_BYTES],
        increment: [u8; G2_BYTES],
    }
}

canonical! {
    /// What the contributor signs.
    #[derive(Debug)]
    struct StepStatement {
        binding: NetworkBinding,
        state: [u8; 32],
        knowledge: [u8; G1_BYTES],
    }
}

impl Contribution {
    fn step(&self, previous: [u8; 32]) -> Step {
        Step {
            previous,
            key: self.key,
            increment: self.increment,
            tau_g1: self.tau_g1,
        }
    }
}

fn start_digest(binding: &NetworkBinding) -> [u8; 32] {
    h(tags::CEREMONY, &Link::Start(binding.clone()))
}

fn knowledge_message(binding: &NetworkBinding, step: &Step) -> Vec<u8> {
    tagged(
        tags::CEREMONY_POK,
        &KnowledgeStatement {
            binding: binding.clone(),
            previous: step.previous,
            key: step.key,
            increment: step.increment,
        },
    )
}

fn step_message(binding: &NetworkBinding, state: [u8; 32], knowledge: [u8; G1_BYTES]) -> Vec<u8> {
    tagged(
        tags::CEREMONY_SIGN,
        &StepStatement {
            binding: binding.clone(),
            state,
            knowledge,
        },
    )
}

/// Which rule a transcript breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The transcript is for another network.
    #[error("the ceremony is bound to another network")]
    Binding,
    /// Nobody contributed, so tau is one.
    #[error("the ceremony has no contribution")]
    Empty,
    /// [`CONTRIBUTIONS_MAX`] reached.
    #[error("the ceremony is full")]
    Full,
    /// A key, increment or power is not a point of the subgroup, or is the identity.
    #[error("contribution {0}: not a point of the subgroup")]
    Point(usize),
    /// The proof of knowledge does not verify.
    #[error("contribution {0}: proof of knowledge rejected")]
    Knowledge(usize),
    /// The contributor's signature does not verify.
    #[error("contribution {0}: signature rejected")]
    Signature(usize),
    /// `[tau]G1` did not grow by the increment.
    #[error("contribution {0}: step does not follow from the one before")]
    Step(usize),
    /// The powers do not belong to the last step.
    #[error("the powers are not those of the last contribution")]
    Powers,
    /// The powers are not well formed.
    #[error("powers: {0}")]
    Srs(#[from] SrsError),
}

/// A running ceremony: current powers with the transcript that led to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
    g1: [G1Affine; DOMAIN_SIZE],
    g2: [G2Affine; G2_POWERS],
    transcript: Transcript,
}

impl Ceremony {
    /// The start: tau = 1, no contributions.
    #[must_use]
    pub fn init(binding: NetworkBinding) -> Self {
        Self {
            g1: [G1Affine::generator(); DOMAIN_SIZE],
            g2: [G2Affine::generator(); G2_POWERS],
            transcript: Transcript {
                binding,
                contributions: Bounded::new(),
            },
        }
    }

    /// Resumes from untrusted powers and transcript, after checking both.
    ///
    /// # Errors
    /// [`CeremonyError`], one variant per rule.
    pub fn resume(
        binding: &NetworkBinding,
        srs: &Srs,
        transcript: Transcript,
    ) -> Result<Self, CeremonyError> {
        transcript.verify(binding, srs)?;
        Ok(Self {
            g1: *srs.g1_powers(),
            g2: *srs.g2_powers(),
            transcript,
        })
    }

    /// The transcript so far.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Bytes of the current powers, for a [`crate::SrsFile`].
    #[must_use]
    pub fn powers_bytes(&self) -> Vec<u8> {
        powers_bytes(&self.g1, &self.g2)
    }

    /// The powers as an SRS, all checks included.
    ///
    /// # Errors
    /// [`CeremonyError`]; [`CeremonyError::Empty`] before the first contribution.
    pub fn srs(&self) -> Result<Srs, CeremonyError> {
        if self.transcript.contributions.is_empty() {
            return Err(CeremonyError::Empty);
        }
        Ok(Srs::new(self.g1, self.g2)?)
    }

    /// Adds one contribution: draws the secret, applies it, proves and signs; the secret is wiped.
    ///
    /// Constant time in the secret. Cost: 64 multiplications in G1, two in G2.
    ///
    /// # Errors
    /// [`CeremonyError::Full`].
    pub fn contribute(
        &mut self,
        signer: &SecretKey,
        rng: &mut impl CryptoRng,
    ) -> Result<(), CeremonyError> {
        let position = self.transcript.contributions.len();
        if position >= CONTRIBUTIONS_MAX {
            return Err(CeremonyError::Full);
        }
        let secret = Zeroizing::new(draw(rng));
        let mut power = Zeroizing::new(Fr::ONE);
        let mut powers = Zeroizing::new(Vec::with_capacity(DOMAIN_SIZE));
        for _ in 0..DOMAIN_SIZE {
            powers.push(*power);
            *power *= *secret;
        }
        let raised: Vec<G1Projective> = self
            .g1
            .par_iter()
            .zip(powers.par_iter())
            .map(|(p, s)| p.mul(s))
            .collect();
        let raised = G1Projective::batch_to_affine(&raised);
        let tau_g2 = G2Projective::from_affine(&self.g2[1])
            .mul(&secret)
            .to_affine();
        let encoded = Zeroizing::new(secret.to_be_bytes());
        // Never zero: `draw` refuses it.
        let prover = SecretKey::from_bytes(&encoded).map_err(|_| CeremonyError::Point(position))?;
        let binding = self.transcript.binding.clone();
        let step = Step {
            previous: self.transcript.state(),
            key: signer.public_key().to_bytes(),
            increment: prover.public_key().to_bytes(),
            tau_g1: Commitment::from_point(&raised[1]),
        };
        let knowledge = prover.sign(&knowledge_message(&binding, &step)).to_bytes();
        let state = h(tags::CEREMONY, &Link::Step(step.clone()));
        let signature = signer
            .sign(&step_message(&binding, state, knowledge))
            .to_bytes();
        let contribution = Contribution {
            key: step.key,
            increment: step.increment,
            tau_g1: step.tau_g1,
            knowledge,
            signature,
        };
        self.transcript
            .contributions
            .try_push(contribution)
            .map_err(|_| CeremonyError::Full)?;
        self.g1 = core::array::from_fn(|i| raised[i]);
        self.g2[1] = tau_g2;
        Ok(())
    }
}

/// A uniform scalar that is neither zero nor one.
fn draw(rng: &mut impl CryptoRng) -> Fr {
    let mut wide = Zeroizing::new([0; 128]);
    loop {
        rng.fill_bytes(&mut *wide);
        let s = Fr::from_be_bytes_wide(&wide);
        if s != Fr::ZERO && s != Fr::ONE {
            return s;
        }
    }
}

/// One decoded contribution with the messages its proofs sign.
struct Parsed {
    key: PublicKey,
    increment: PublicKey,
    tau: G1Affine,
    knowledge: Signature,
    knowledge_message: Vec<u8>,
    signature: Signature,
    step_message: Vec<u8>,
}

impl Transcript {
    /// Digest of the state after the last contribution.
    #[must_use]
    pub fn state(&self) -> [u8; 32] {
        self.states()
            .last()
            .copied()
            .unwrap_or_else(|| start_digest(&self.binding))
    }

    /// Digests after each contribution.
    fn states(&self) -> Vec<[u8; 32]> {
        let mut previous = start_digest(&self.binding);
        self.contributions
            .iter()
            .map(|c| {
                previous = h(tags::CEREMONY, &Link::Step(c.step(previous)));
                previous
            })
            .collect()
    }

    /// Checks that `srs` came out of this ceremony for this network.
    ///
    /// All pairings are one product with random weights; only a failure is located step by step.
    ///
    /// # Errors
    /// [`CeremonyError`], one variant per rule, with the position of the first bad contribution.
    pub fn verify(&self, binding: &NetworkBinding, srs: &Srs) -> Result<(), CeremonyError> {
        if self.binding != *binding {
            return Err(CeremonyError::Binding);
        }
        let Some(last) = self.contributions.last() else {
            return Err(CeremonyError::Empty);
        };
        let parsed = self.parse()?;
        if last.tau_g1 != Commitment::from_point(&srs.g1_powers()[1]) {
            return Err(CeremonyError::Powers);
        }
        if self.batch_holds(&parsed) {
            Ok(())
        } else {
            Err(locate(&parsed))
        }
    }

    fn parse(&self) -> Result<Vec<Parsed>, CeremonyError> {
        let states = self.states();
        self.contributions
            .as_ref()
            .par_iter()
            .enumerate()
            .map(|(i, c)| {
                let previous = if i == 0 {
                    start_digest(&self.binding)
                } else {
                    states[i - 1]
                };
                self.parse_one(c, previous, states[i])
                    .ok_or(CeremonyError::Point(i))
            })
            .collect()
    }

    fn parse_one(&self, c: &Contribution, previous: [u8; 32], state: [u8; 32]) -> Option<Parsed> {
        let tau = c.tau_g1.subgroup_point().filter(|p| !p.is_identity())?;
        Some(Parsed {
            key: PublicKey::from_bytes(&c.key).ok()?,
            increment: PublicKey::from_bytes(&c.increment).ok()?,
            tau,
            knowledge: Signature::from_bytes(&c.knowledge).ok()?,
            knowledge_message: knowledge_message(&self.binding, &c.step(previous)),
            signature: Signature::from_bytes(&c.signature).ok()?,
            step_message: step_message(&self.binding, state, c.knowledge),
        })
    }

    /// `e(sum a_i K_i + b_i S_i + c_i T_i, G2) = prod e(a_i H_i + c_i T_(i-1), X_i) e(b_i H'_i, A_i)`.
    fn batch_holds(&self, parsed: &[Parsed]) -> bool {
        let mut stream: Xof = xof(tags::BATCH, &h_bytes(tags::CEREMONY, &self.encode()));
        let mut sum = G1Projective::identity();
        let mut previous = G1Affine::generator();
        let mut terms: Vec<([Fr; 3], &Parsed, G1Affine)> = Vec::with_capacity(parsed.len());
        for p in parsed {
            terms.push((core::array::from_fn(|_| weight(&mut stream)), p, previous));
            previous = p.tau;
        }
        let pairs: Vec<[(G1Affine, G2Prepared); 2]> = terms
            .par_iter()
            .map(|([a, b, c], p, before)| {
                let known = hash_to_g1(&p.knowledge_message, Dst::SIGNATURE)
                    .mul_vartime(a)
                    .add(&before.mul_vartime(c));
                let signed = hash_to_g1(&p.step_message, Dst::SIGNATURE).mul_vartime(b);
                [
                    (
                        known.to_affine().neg(),
                        G2Prepared::from(&**p.increment.point()),
                    ),
                    (signed.to_affine().neg(), G2Prepared::from(&**p.key.point())),
                ]
            })
            .collect();
        for ([a, b, c], p, _) in &terms {
            sum = sum.add(&p.knowledge.point().mul_vartime(a));
            sum = sum.add(&p.signature.point().mul_vartime(b));
            sum = sum.add(&p.tau.mul_vartime(c));
        }
        let sum = sum.to_affine();
        let g2 = G2Prepared::from(&G2Affine::generator());
        let mut product = vec![(&sum, &g2)];
        product.extend(pairs.iter().flatten().map(|(p, q)| (p, q)));
        pairing_product_is_one(&product)
    }
}

/// The first rule that a rejected batch breaks.
fn locate(parsed: &[Parsed]) -> CeremonyError {
    let g2 = G2Prepared::from(&G2Affine::generator());
    let mut previous = G1Affine::generator();
    for (i, p) in parsed.iter().enumerate() {
        if p.increment
            .verify(&p.knowledge_message, &p.knowledge)
            .is_err()
        {
            return CeremonyError::Knowledge(i);
        }
        if p.key.verify(&p.step_message, &p.signature).is_err() {
            return CeremonyError::Signature(i);
        }
        let grown = previous.neg();
        if !pairing_product_is_one(&[
            (&p.tau, &g2),
            (&grown, &G2Prepared::from(&**p.increment.point())),
        ]) {
            return CeremonyError::Step(i);
        }
        previous = p.tau;
    }
    CeremonyError::Step(parsed.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use quil_types::genesis::NetworkName;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    fn forged_step(tau_g1: Commitment) -> (Transcript, NetworkBinding) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let binding = NetworkBinding {
            name: NetworkName::default(),
            seed: [3; 32],
        };
        let (signer, prover) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
        let step = Step {
            previous: start_digest(&binding),
            key: signer.public_key().to_bytes(),
            increment: prover.public_key().to_bytes(),
            tau_g1,
        };
        let knowledge = prover.sign(&knowledge_message(&binding, &step)).to_bytes();
        let state = h(tags::CEREMONY, &Link::Step(step.clone()));
        let signature = signer
            .sign(&step_message(&binding, state, knowledge))
            .to_bytes();
        let c = Contribution {
            key: step.key,
            increment: step.increment,
            tau_g1,
            knowledge,
            signature,
        };
        let contributions = vec![c].try_into().unwrap();
        (
            Transcript {
                binding: binding.clone(),
                contributions,
            },
            binding,
        )
    }

    /// All proofs of the step are good, but its point is not `s` times the one before.
    #[test]
    fn proven_and_signed_step_must_still_follow() {
        let srs = Srs::insecure_from_seed(5);
        let (transcript, binding) = forged_step(Commitment::from_point(&srs.g1_powers()[1]));
        assert_eq!(
            transcript.verify(&binding, &srs),
            Err(CeremonyError::Step(0))
        );
    }

    #[test]
    fn identity_as_step_is_refused() {
        let srs = Srs::insecure_from_seed(5);
        let (transcript, binding) = forged_step(Commitment::from_point(&G1Affine::identity()));
        assert_eq!(
            transcript.verify(&binding, &srs),
            Err(CeremonyError::Point(0))
        );
    }

    #[test]
    fn full_ceremony_takes_no_more() {
        let (transcript, binding) = forged_step(Commitment::from_point(&G1Affine::generator()));
        let mut full = Ceremony::init(binding);
        let one = transcript.contributions[0].clone();
        full.transcript.contributions = vec![one; CONTRIBUTIONS_MAX].try_into().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let signer = SecretKey::generate(&mut rng);
        assert_eq!(full.contribute(&signer, &mut rng), Err(CeremonyError::Full));
        let bytes = crate::SrsFile::of(&full).encode();
        assert!(
            bytes.len() < quil_types::limits::SRS_BYTES_MAX,
            "{}",
            bytes.len()
        );
    }
}
