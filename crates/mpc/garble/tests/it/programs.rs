//! The programs of the compiler's tests, between two parties: every result in the clear is compared with a session's.

#[path = "../../../qcl/tests/it/examples.rs"]
mod examples;
#[path = "../../../qcl/tests/it/language.rs"]
mod language;
#[path = "../../../qcl/tests/it/operators.rs"]
mod operators;
#[path = "../../../qcl/tests/it/packages.rs"]
mod packages;
#[path = "../../../qcl/tests/it/random.rs"]
mod random;

use std::cell::RefCell;
use std::sync::Arc;

use ed25519_dalek::{Signer, SigningKey};
use quil_garble::Plan;
use quil_garble::session::{
    Agreement, EvaluatorSession, GarblerSession, Setup, StockEvaluatorSession, StockGarblerSession,
    StockOrder, StockSetup, run_pair,
};
use quil_ot::stock::Stock;
use quil_qcl::circuit::{Circuit, EvalError};
use quil_qcl::json::{self, JsonError};
use quil_qcl::{Options, compile};
use serde_json::Value;

use crate::rng;

/// Larger circuits run between two parties only where a test asks for it.
const MOST_ANDS: u64 = 1 << 21;
/// Runs of 64 that are repeated between two parties.
const LANES: [usize; 2] = [0, 37];

const AGREEMENT: Agreement = Agreement {
    rendezvous: [4; 32],
    code_address: [0; 32],
};

thread_local! {
    /// One stock serves the sessions of a test, as between parties that meet often.
    static STOCK: RefCell<Option<(Stock, Stock)>> = const { RefCell::new(None) };
}

/// Halves with enough for a session.
fn stocks(width: usize) -> (Stock, Stock) {
    if let Some(pair) = STOCK.take().filter(|pair| pair.0.left() >= width) {
        return pair;
    }
    let setup = StockSetup::new(StockOrder::new(width + 100_000).unwrap(), AGREEMENT);
    let mut garbler = StockGarblerSession::stock_garbler(&setup, &mut rng(1));
    let mut evaluator = StockEvaluatorSession::stock_evaluator(&setup, &mut rng(2));
    run_pair(&mut garbler, &mut evaluator).unwrap();
    (
        garbler.into_stock().unwrap(),
        evaluator.into_stock().unwrap(),
    )
}

/// Runs a session; what nobody learns is missing, what both learn must be equal.
fn two_parties(plan: &Arc<Plan>, inputs: &[Vec<bool>; 2]) -> Vec<Option<Vec<bool>>> {
    let (sender, receiver) = stocks(inputs[1].len());
    let setup = Setup::new(Arc::clone(plan), AGREEMENT);
    let mut garbler =
        GarblerSession::garbler_with(setup.clone(), &inputs[0], Some(sender), &mut rng(3)).unwrap();
    let mut evaluator =
        EvaluatorSession::evaluator_with(setup, &inputs[1], Some(receiver), &mut rng(4)).unwrap();
    let [first, second] = run_pair(&mut garbler, &mut evaluator).unwrap();
    STOCK.set(garbler.into_stock().zip(evaluator.into_stock()));
    let merge = |(a, b): (Option<Vec<bool>>, Option<Vec<bool>>)| match (a, b) {
        (Some(a), Some(b)) => {
            assert_eq!(a, b);
            Some(a)
        }
        (a, b) => a.or(b),
    };
    first
        .outputs
        .into_iter()
        .zip(second.outputs)
        .map(merge)
        .collect()
}

/// Compares a session with results in the clear.
fn check(circuit: &Circuit, inputs: &[Vec<bool>], values: &[Vec<bool>]) {
    let [garbler, evaluator] = inputs else {
        return;
    };
    if circuit.stats().and > MOST_ANDS {
        return;
    }
    let plan = Arc::new(Plan::new(circuit).unwrap());
    let found = two_parties(&plan, &[garbler.clone(), evaluator.clone()]);
    for (found, value) in found.iter().zip(values) {
        assert!(found.as_ref().is_none_or(|found| found == value));
    }
}

/// How the tests of programs evaluate.
trait Run {
    fn run_json(&self, inputs: &[Value]) -> Result<Vec<Value>, JsonError>;
    fn run_lanes(&self, inputs: &[Vec<u64>]) -> Result<Vec<Vec<u64>>, EvalError>;
}

impl Run for Circuit {
    fn run_json(&self, inputs: &[Value]) -> Result<Vec<Value>, JsonError> {
        let result = self.eval_json(inputs)?;
        let bits: Vec<Vec<bool>> = self
            .inputs()
            .iter()
            .zip(inputs)
            .map(|(port, value)| json::encode(&port.ty, value).unwrap())
            .collect();
        check(self, &bits, &self.eval(&bits)?);
        Ok(result)
    }

    fn run_lanes(&self, inputs: &[Vec<u64>]) -> Result<Vec<Vec<u64>>, EvalError> {
        let result = self.eval_lanes(inputs)?;
        for lane in LANES {
            let pick = |words: &Vec<u64>| words.iter().map(|word| word >> lane & 1 == 1).collect();
            let bits: Vec<Vec<bool>> = inputs.iter().map(pick).collect();
            let values: Vec<Vec<bool>> = result.iter().map(pick).collect();
            check(self, &bits, &values);
        }
        Ok(result)
    }
}

#[test]
#[ignore = "182 million AND gates: some ten seconds with optimisation"]
fn ed25519_verification_between_two_parties() {
    let source = include_str!("../../../../../examples/qcl/ed25519.qcl");
    let circuit = compile("ed25519.qcl", source, &Options::default()).unwrap();
    let circuit = circuit.into_circuit();
    let plan = Arc::new(Plan::new(&circuit).unwrap());
    let (key, message) = (SigningKey::from_bytes(&[7; 32]), [0x42; 32]);
    let signature = key.sign(&message).to_bytes();
    let claim = [key.verifying_key().to_bytes(), message].concat();
    for wrong in [0, 4] {
        let mut signature = signature;
        signature[40] ^= wrong;
        let inputs = [
            crate::circuits::bits(&signature),
            crate::circuits::bits(&claim),
        ];
        assert_eq!(two_parties(&plan, &inputs), [Some(vec![wrong == 0])]);
    }
}
