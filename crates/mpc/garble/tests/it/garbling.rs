//! Garbling against plain evaluation and against the model; tampering; uniqueness of tweaks; distribution of labels.

use proptest::prelude::*;
use quil_garble::halfgates::{Evaluation, Garbling, TABLE_BYTES, random_offset};
use quil_garble::{Plan, PlanError, Progress};
use quil_ot::block::Block;
use quil_ot::kernel::Isa;
use quil_qcl::circuit::{Assembler, Circuit, IoType, OutWire, OutputGroup, Port, Recipients, Wire};
use rand_chacha::ChaCha20Rng;

use crate::circuits::{plain_results, port, random_bits, random_circuit};
use crate::{model, rng};

/// Everything a run produces.
struct Run {
    tables: Vec<u8>,
    zero_labels: Vec<Block>,
    labels: Vec<Block>,
    offset: Block,
    hashes_hold: bool,
    half_gates: u64,
}

impl Run {
    /// Values of the result bits.
    fn values(&self) -> Vec<bool> {
        self.zero_labels
            .iter()
            .zip(&self.labels)
            .map(|(zero, label)| zero.select() != label.select())
            .collect()
    }

    /// Every label is one of the two of its wire.
    fn labels_authentic(&self) -> bool {
        self.zero_labels
            .iter()
            .zip(&self.labels)
            .all(|(zero, label)| label == zero || *label == *zero ^ self.offset)
    }
}

struct Setup {
    seed: Block,
    offset: Block,
    zero_labels: Vec<Block>,
    labels: Vec<Block>,
}

fn setup(rng: &mut ChaCha20Rng, inputs: &[Vec<bool>; 2]) -> Setup {
    let offset = random_offset(rng);
    let bits: Vec<bool> = inputs.concat();
    let zero_labels: Vec<Block> = bits.iter().map(|_| Block::random(rng)).collect();
    let labels = zero_labels
        .iter()
        .zip(&bits)
        .map(|(zero, bit)| *zero ^ (offset & Block::mask(*bit)))
        .collect();
    Setup {
        seed: Block::random(rng),
        offset,
        zero_labels,
        labels,
    }
}

/// Garbles in pieces of `piece` bytes and evaluates piece by piece, after `tamper` saw the tables.
fn run(
    plan: &Plan,
    isa: Isa,
    s: &Setup,
    piece: usize,
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> Run {
    let mut garbling = Garbling::new(plan, isa, s.seed, s.offset, &s.zero_labels);
    let mut evaluation = Evaluation::new(plan, isa, s.seed, &s.labels);
    let mut tables = Vec::new();
    loop {
        let mut chunk = Vec::new();
        let garbled = garbling.run(plan, &mut chunk, piece);
        tamper(tables.len(), &mut chunk);
        let (evaluated, left) = evaluation.run(plan, &chunk);
        assert_eq!(left, 0);
        tables.extend_from_slice(&chunk);
        if garbled == Progress::Done {
            assert_eq!(evaluated, Progress::Done);
            break;
        }
        assert!(!chunk.is_empty());
    }
    let zero_labels = garbling.results(plan);
    let labels = evaluation.results(plan);
    let half_gates = garbling.tweak();
    let expected = garbling.output_hashes(&zero_labels);
    let got = evaluation.output_hashes(&labels);
    let mut all = expected.iter().zip(&got).zip(&labels);
    let hashes_hold = all.all(|((pair, hash), label)| pair[usize::from(label.select())] == *hash);
    Run {
        tables,
        zero_labels,
        labels,
        offset: garbling.offset(),
        hashes_hold,
        half_gates,
    }
}

/// One gate over one bit of each party.
fn single(build: impl Fn(&mut Assembler, Wire, Wire) -> Wire) -> Circuit {
    let mut c = Assembler::new(2);
    let out = build(&mut c, Wire(0), Wire(1));
    let function = c.finish(&[out]);
    let output = OutputGroup {
        name: "r".to_owned(),
        ty: IoType::Bool,
        to: Recipients::BOTH,
        wires: vec![OutWire::Result(0)],
    };
    Circuit::new(
        vec![port("a", 1), port("b", 1)],
        vec![output],
        vec![function],
    )
    .unwrap()
}

#[test]
fn and_gate_equals_the_model_for_every_select_bit() {
    let plan = Plan::new(&single(|c, a, b| c.and(a, b))).unwrap();
    let mut rng = rng(1);
    for _ in 0..40 {
        let inputs = [random_bits(&mut rng, 1), random_bits(&mut rng, 1)];
        let s = setup(&mut rng, &inputs);
        let (table, zero) =
            model::garble_and(s.seed, 0, s.offset, s.zero_labels[0], s.zero_labels[1]);
        for isa in Isa::available() {
            let run = run(&plan, isa, &s, 1 << 16, |_, _| {});
            assert_eq!(
                run.tables,
                [table[0].to_bytes(), table[1].to_bytes()].concat()
            );
            assert!(run.zero_labels[0] == zero);
        }
    }
}

#[test]
fn truth_tables_hold() {
    type Build = fn(&mut Assembler, Wire, Wire) -> Wire;
    let gates: [(Build, [bool; 4], usize); 5] = [
        (|c, a, b| c.and(a, b), [false, false, false, true], 1),
        (|c, a, b| c.xor(a, b), [false, true, true, false], 0),
        (|c, a, _| c.inv(a), [true, false, true, false], 0),
        (
            |c, a, b| {
                let k = c.constant(true);
                let x = c.and(a, k);
                c.xor(x, b)
            },
            [false, true, true, false],
            1,
        ),
        (
            |c, a, b| {
                let x = c.inv(a);
                let y = c.inv(b);
                let z = c.and(x, y);
                c.inv(z)
            },
            [false, true, true, true],
            1,
        ),
    ];
    for (build, table, ands) in gates {
        let plan = Plan::new(&single(build)).unwrap();
        for (i, expected) in table.into_iter().enumerate() {
            let inputs = [vec![i & 1 == 1], vec![i & 2 == 2]];
            let run = run(
                &plan,
                Isa::best(),
                &setup(&mut rng(i as u64), &inputs),
                1 << 16,
                |_, _| {},
            );
            assert_eq!(run.values(), [expected]);
            assert_eq!(run.tables.len(), ands * TABLE_BYTES);
        }
    }
}

#[test]
fn every_form_gives_the_same_tables() {
    let circuit = random_circuit(&mut rng(2), [20, 20], 3000);
    let plan = Plan::new(&circuit).unwrap();
    let inputs = [random_bits(&mut rng(3), 20), random_bits(&mut rng(4), 20)];
    let s = setup(&mut rng(5), &inputs);
    let model = run(&plan, Isa::PORTABLE, &s, 1 << 16, |_, _| {}).tables;
    for isa in Isa::available() {
        assert!(
            run(&plan, isa, &s, 1 << 16, |_, _| {}).tables == model,
            "{isa:?}"
        );
    }
}

#[test]
fn counter_names_every_half_gate_once() {
    let circuit = random_circuit(&mut rng(6), [8, 8], 2500);
    let plan = Plan::new(&circuit).unwrap();
    assert_eq!(plan.ands(), circuit.stats().and);
    let s = setup(&mut rng(7), &[vec![true; 8], vec![false; 8]]);
    let run = run(&plan, Isa::best(), &s, 4096, |_, _| {});
    assert_eq!(run.half_gates, 2 * plan.ands());
    assert_eq!(run.tables.len() as u64, TABLE_BYTES as u64 * plan.ands());
}

/// The same gate on the same labels, once in the caller and once in each of many calls: with a tweak that ever repeated
/// the garbler rows of two of them would differ by zero or by the offset.
#[test]
fn gates_with_a_common_operand_never_share_a_tweak() {
    let mut helper = Assembler::new(2);
    let out = helper.and(Wire(0), Wire(1));
    let helper = helper.finish(&[out]);
    let mut main = Assembler::new(2);
    let mut results = vec![main.and(Wire(0), Wire(1))];
    for _ in 0..40 {
        results.extend(main.call(0, 1, &[Wire(0), Wire(1)], 1));
    }
    let main = main.finish(&results);
    let wires = (0..results.len())
        .map(|i| OutWire::Result(i as u32))
        .collect();
    let ty = port("", results.len()).ty;
    let output = OutputGroup {
        name: "r".to_owned(),
        ty,
        to: Recipients::BOTH,
        wires,
    };
    let circuit = Circuit::new(
        vec![port("a", 1), port("b", 1)],
        vec![output],
        vec![helper, main],
    )
    .unwrap();
    let plan = Plan::new(&circuit).unwrap();
    let run = run(
        &plan,
        Isa::best(),
        &setup(&mut rng(8), &[vec![true], vec![true]]),
        1 << 16,
        |_, _| {},
    );
    let rows: Vec<u128> = run
        .tables
        .as_chunks::<32>()
        .0
        .iter()
        .map(|row| u128::from_le_bytes(*row.first_chunk().unwrap()))
        .collect();
    assert_eq!(rows.len(), 41);
    for i in 0..rows.len() {
        for j in 0..i {
            assert_ne!(rows[i], rows[j]);
            assert_ne!(rows[i] ^ rows[j], run.offset.value());
        }
    }
}

#[test]
fn labels_and_select_bits_are_uniform() {
    let circuit = random_circuit(&mut rng(9), [16, 16], 900);
    let plan = Plan::new(&circuit).unwrap();
    let (mut ones, mut samples) = ([0_u32; 128], 0_u32);
    for seed in 0..60 {
        let inputs = [
            random_bits(&mut rng(seed), 16),
            random_bits(&mut rng(seed + 1000), 16),
        ];
        let run = run(
            &plan,
            Isa::best(),
            &setup(&mut rng(seed), &inputs),
            1 << 16,
            |_, _| {},
        );
        for row in run.tables.as_chunks::<16>().0 {
            samples += 1;
            for (i, one) in ones.iter_mut().enumerate() {
                *one += u32::from((u128::from_le_bytes(*row) >> i) & 1 == 1);
            }
        }
    }
    // Six standard deviations of a fair coin.
    let bound = 6.0 * f64::from(samples).sqrt() / 2.0;
    for one in ones {
        assert!(
            (f64::from(one) - f64::from(samples) / 2.0).abs() < bound,
            "{one} of {samples}"
        );
    }
}

#[test]
fn flipped_table_bit_breaks_authenticity_or_changes_nothing() {
    let circuit = random_circuit(&mut rng(10), [10, 10], 600);
    let plan = Plan::new(&circuit).unwrap();
    let inputs = [random_bits(&mut rng(11), 10), random_bits(&mut rng(12), 10)];
    let s = setup(&mut rng(13), &inputs);
    let honest = run(&plan, Isa::best(), &s, 1 << 16, |_, _| {});
    let mut caught = 0;
    for byte in (0..honest.tables.len()).step_by(97) {
        let bad = run(&plan, Isa::best(), &s, 1 << 16, |_, chunk| chunk[byte] ^= 4);
        if bad.labels_authentic() {
            assert!(bad.hashes_hold);
            assert_eq!(bad.values(), honest.values());
        } else {
            assert!(!bad.hashes_hold);
            caught += 1;
        }
    }
    assert!(caught > 10);
}

#[test]
fn flipped_input_label_breaks_authenticity() {
    let plan = Plan::new(&single(|c, a, b| {
        let x = c.and(a, b);
        c.xor(x, a)
    }))
    .unwrap();
    let mut s = setup(&mut rng(14), &[vec![true], vec![true]]);
    s.labels[1] ^= Block::new(2);
    let run = run(&plan, Isa::best(), &s, 1 << 16, |_, _| {});
    // The garbler half of the gate does not use the label of b beyond its select bit: the spoiled label shows in the
    // output of the evaluator half.
    assert!(!run.labels_authentic());
    assert!(!run.hashes_hold);
}

#[test]
fn surplus_and_missing_tables_are_reported() {
    let plan = Plan::new(&single(|c, a, b| c.and(a, b))).unwrap();
    let s = setup(&mut rng(15), &[vec![true], vec![true]]);
    let mut evaluation = Evaluation::new(&plan, Isa::best(), s.seed, &s.labels);
    assert_eq!(evaluation.run(&plan, &[]), (Progress::Paused, 0));
    assert_eq!(evaluation.run(&plan, &[0; 100]), (Progress::Done, 68));
    assert_eq!(evaluation.run(&plan, &[0; 33]), (Progress::Done, 33));
}

#[test]
fn plans_of_other_than_two_parties_are_refused() {
    let mut c = Assembler::new(3);
    let out = c.xor(Wire(0), Wire(1));
    let function = c.finish(&[out]);
    let ports: Vec<Port> = ["a", "b", "c"].iter().map(|name| port(name, 1)).collect();
    let circuit = Circuit::new(ports, Vec::new(), vec![function]).unwrap();
    assert_eq!(Plan::new(&circuit).err(), Some(PlanError::Parties(3)));
}

#[test]
fn memory_follows_live_wires_not_length() {
    let mut c = Assembler::new(2);
    let mut wire = Wire(0);
    for _ in 0..200_000 {
        let next = c.and(wire, Wire(1));
        wire = c.xor(next, Wire(0));
    }
    let function = c.finish(&[wire]);
    let wires = vec![OutWire::Result(0)];
    let output = OutputGroup {
        name: "r".to_owned(),
        ty: IoType::Bool,
        to: Recipients::BOTH,
        wires,
    };
    let circuit = Circuit::new(
        vec![port("a", 1), port("b", 1)],
        vec![output],
        vec![function],
    )
    .unwrap();
    let plan = Plan::new(&circuit).unwrap();
    assert!(plan.wires() <= 2 * quil_garble::plan::WINDOW);
    assert_eq!(plan.ands(), 200_000);
}

#[test]
fn independent_gates_share_layers_whatever_slots_they_reuse() {
    let circuit = quil_garble::bench::aes::aes128(Recipients::BOTH).unwrap();
    let plan = Plan::new(&circuit).unwrap();
    // One S-box alone has layers of 8; windows take in several.
    assert!(plan.mean_layer() >= 32, "{}", plan.mean_layer());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn two_party_result_equals_plain_result(
        seed: u64,
        widths in (0..40_usize, 1..40_usize),
        gates in 1..6000_usize,
        piece in 1..200_usize,
    ) {
        let mut rng = rng(seed);
        let widths = [widths.0, widths.1];
        let circuit = random_circuit(&mut rng, widths, gates);
        let plan = Plan::new(&circuit).unwrap();
        prop_assert_eq!(plan.widths(), widths);
        let inputs = widths.map(|width| random_bits(&mut rng, width));
        let s = setup(&mut rng, &inputs);
        let run = run(&plan, Isa::best(), &s, piece * TABLE_BYTES, |_, _| {});
        prop_assert!(run.labels_authentic());
        prop_assert!(run.hashes_hold);
        prop_assert_eq!(run.values(), plain_results(&circuit, &inputs));
    }
}
