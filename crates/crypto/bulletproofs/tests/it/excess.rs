use quil_bulletproofs::{
    Generators, Opening,
    excess::{EXCESS_PROOF_BYTES, ExcessError, ExcessProof, PublicAmounts, excess},
};
use quil_decaf::{Point, SecretScalar};

use crate::support::{commit, openings, rng};

const M: [u8; 32] = [3; 32];

struct Case {
    ins: Vec<Opening>,
    outs: Vec<Opening>,
    public: PublicAmounts,
}

fn blindings(o: &[Opening]) -> Vec<SecretScalar> {
    o.iter().map(|o| o.blinding.clone()).collect()
}

impl Case {
    fn new(ins: &[u64], outs: &[u64], public: PublicAmounts) -> Self {
        Self {
            ins: openings(ins, 1),
            outs: openings(outs, 2),
            public,
        }
    }

    fn prove(&self) -> ExcessProof {
        ExcessProof::prove(
            Generators::standard(),
            &blindings(&self.ins),
            &blindings(&self.outs),
            &M,
            &mut rng(3),
        )
    }

    fn excess(&self) -> Point {
        let points =
            |o: &[Opening]| -> Vec<Point> { commit(o).iter().map(|c| *c.point()).collect() };
        excess(
            Generators::standard(),
            &points(&self.ins),
            &points(&self.outs),
            self.public,
        )
    }

    fn check(&self) -> Result<(), ExcessError> {
        self.prove()
            .verify(Generators::standard(), &self.excess(), &M)
    }
}

fn public(mint: u64, fee: u64, burn: u64) -> PublicAmounts {
    PublicAmounts { mint, fee, burn }
}

#[test]
fn balanced_sums_verify() {
    let cases = [
        Case::new(&[100], &[60, 33], public(0, 5, 2)),
        Case::new(&[], &[100], public(107, 5, 2)),
        Case::new(&[7], &[], public(0, 5, 2)),
        Case::new(&[u64::MAX, u64::MAX], &[u64::MAX], public(0, u64::MAX, 0)),
        Case::new(&[u64::MAX; 2], &[], public(0, u64::MAX, u64::MAX)),
        Case::new(&[1; 64], &[4; 16], public(0, 0, 0)),
    ];
    for c in cases {
        assert_eq!(c.check(), Ok(()));
    }
}

#[test]
fn unbalanced_sums_fail() {
    let cases = [
        Case::new(&[100], &[60, 34], public(0, 5, 2)),
        Case::new(&[100], &[60, 33], public(0, 5, 1)),
        Case::new(&[100], &[60, 33], public(0, 4, 2)),
        Case::new(&[100], &[60, 33], public(1, 5, 2)),
        Case::new(&[100], &[60, 33], public(0, 0, 0)),
        // equal modulo 2^64 only
        Case::new(&[u64::MAX, 1], &[0], public(0, 0, 0)),
        Case::new(&[0], &[u64::MAX], public(0, 1, 0)),
    ];
    for c in cases {
        assert_eq!(c.check(), Err(ExcessError::Unbalanced));
    }
}

#[test]
fn fee_mint_and_burn_are_part_of_the_statement() {
    let c = Case::new(&[100], &[93], public(0, 5, 2));
    let proof = c.prove();
    let g = Generators::standard();
    for p in [
        public(0, 6, 2),
        public(0, 5, 3),
        public(1, 5, 2),
        public(1, 6, 3),
    ] {
        let moved = Case {
            ins: c.ins.clone(),
            outs: c.outs.clone(),
            public: p,
        };
        assert_eq!(
            proof.verify(g, &moved.excess(), &M),
            Err(ExcessError::Unbalanced)
        );
    }
    // Fee and burn enter as a sum: which is which is bound by the message.
    let shifted = Case {
        ins: c.ins,
        outs: c.outs,
        public: public(0, 4, 3),
    };
    assert_eq!(proof.verify(g, &shifted.excess(), &M), Ok(()));
}

#[test]
fn proof_bound_to_message() {
    let c = Case::new(&[100], &[100], public(0, 0, 0));
    let other = [4; 32];
    assert_eq!(
        c.prove()
            .verify(Generators::standard(), &c.excess(), &other),
        Err(ExcessError::Unbalanced)
    );
}

#[test]
fn wrong_blinding_fails() {
    let c = Case::new(&[100], &[100], public(0, 0, 0));
    let g = Generators::standard();
    let wrong = ExcessProof::prove(g, &blindings(&c.outs), &blindings(&c.ins), &M, &mut rng(4));
    assert_eq!(
        wrong.verify(g, &c.excess(), &M),
        Err(ExcessError::Unbalanced)
    );
}

#[test]
fn identity_excess_rejected() {
    // The same coin on both sides: no blinding remains that could sign.
    let o = openings(&[5], 5);
    let c = Case {
        ins: o.clone(),
        outs: o,
        public: public(0, 0, 0),
    };
    assert_eq!(c.check(), Err(ExcessError::Identity));
}

#[test]
fn every_mutated_byte_fails() {
    let c = Case::new(&[100], &[100], public(0, 0, 0));
    let (g, e, bytes) = (Generators::standard(), c.excess(), c.prove().to_bytes());
    assert_eq!(
        ExcessProof::from_bytes(&bytes).map(|p| p.to_bytes()),
        Ok(bytes)
    );
    for i in 0..bytes.len() {
        let mut m = bytes;
        m[i] ^= 1 << (i % 8);
        assert!(!ExcessProof::from_bytes(&m).is_ok_and(|p| p.verify(g, &e, &M).is_ok()));
    }
    assert_eq!(
        ExcessProof::from_bytes(&[0xff; EXCESS_PROOF_BYTES]).err(),
        Some(ExcessError::Encoding)
    );
}
