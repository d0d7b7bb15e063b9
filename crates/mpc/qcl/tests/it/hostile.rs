//! Hostile sources: an error or a circuit, never a crash, within bounded time and memory.

use proptest::prelude::*;
use quil_qcl::circuit::Circuit;
use quil_qcl::{Options, compile};

const SEEDS: [&str; 3] = [
    include_str!("../../../../../examples/qcl/tree.qcl"),
    include_str!("../../../../../examples/qcl/regression.qcl"),
    include_str!("../../../../../examples/qcl/auction.qcl"),
];

fn small() -> Options {
    Options {
        unroll: 200,
        work: 200_000,
        ..Options::default()
    }
}

fn refused(source: &str) -> String {
    compile("bad.qcl", source, &small())
        .map(|_| ())
        .unwrap_err()
        .to_string()
}

fn main_with(body: &str) -> String {
    format!("package main\nfunc main(a, b uint32) uint32 {{\n{body}\n}}\n")
}

#[test]
fn deep_nesting_is_refused() {
    let n = 100_000;
    for body in [
        format!("return {}a{}", "(".repeat(n), ")".repeat(n)),
        format!("return {}a", "^".repeat(n)),
        format!("return a{}", " + a".repeat(n)),
        format!("return a{}", "[0]".repeat(n)),
        format!("return f{}", "(a)".repeat(n)),
        format!("return a{}", ".x".repeat(n)),
        format!("{}{}", "{".repeat(n), "}".repeat(n)),
        format!("{}return a", "if a > b {\n".repeat(n)),
        format!(
            "if a > b {{}}{} else {{}}\nreturn a",
            " else if a > b {}".repeat(n)
        ),
        format!("var x {}uint8", "[1]".repeat(n)),
        format!("var x {}uint8", "*".repeat(n)),
        format!("x := []T{}{}", "{".repeat(n), "}".repeat(n)),
    ] {
        let message = refused(&main_with(&body));
        assert!(
            message.contains("nested deeper") || message.contains("expected"),
            "{}",
            &message[..message.len().min(300)]
        );
    }
}

#[test]
fn nesting_at_the_limit_fits_a_small_stack() {
    // Deep expressions inside deep recursion; one MiB is half of what a thread gets by default.
    let deep = format!("{}x{}", "(".repeat(60), " + 1)".repeat(60));
    let (open, close) = ("(".repeat(40), " + 1)".repeat(40));
    let recursive = format!(
        "package main\nfunc f(x uint32, n int32) uint32 {{\n if n == 0 {{\n  return {deep}\n }}\n return {open} f(x, n - 1){close}\n}}\nfunc main(a, b uint32) uint32 {{ return f(a, 200) }}\n",
    );
    let branches = format!(
        "package main\nvar g uint32\nfunc f(x uint32, n int32) uint32 {{\n if n == 0 {{\n  return x\n }}\n {}g += f(x, n - 1)\n{} return g\n}}\nfunc main(a, b uint32) uint32 {{ return f(a, 300) }}\n",
        "if x > g {\n".repeat(20),
        "}\n".repeat(20),
    );
    let chain = "package main\nfunc f(x uint32, n int32) uint32 {\n if n == 0 {\n  return x\n }\n return f(x, n - 1)\n}\nfunc main(a, b uint32) uint32 { return f(a, 2000) }\n".to_owned();
    let method = "package main\ntype T struct { X uint32 }\nfunc (t *T) f(n int32) uint32 {\n if n == 0 {\n  return t.X\n }\n return t.f(n - 1)\n}\nfunc main(a, b uint32) uint32 {\n t := T{X: a}\n return t.f(2000)\n}\n".to_owned();
    let logic = "package main\nvar g uint32\nfunc f(x uint32, n int32) bool {\n if n == 0 {\n  return x > 3\n }\n g++\n return x > 5 && (x > 6 || (x < 9 && f(x, n - 1)))\n}\nfunc main(a, b uint32) bool { return f(a, 2000) }\n".to_owned();
    let chained = format!(
        "package main\nvar g uint32\nfunc f(x uint32, n int32) uint32 {{\n if n == 0 {{\n  return x\n }}\n g++\n if x > g {{\n  g--\n }} {} else {{\n  g += f(x, n - 1)\n }}\n return g\n}}\nfunc main(a, b uint32) uint32 {{ return f(a, 300) }}\n",
        "else if x > g {\n g++\n }".repeat(20),
    );
    let returns = "package main\nvar g uint32\nfunc f(x uint32, n int32) uint32 {\n if n == 0 {\n  return x\n }\n g++\n if x > g {\n  return 7\n }\n for i := 0; i < 2; i++ {\n  if x > 5 {\n   return f(x, n - 1)\n  }\n }\n return g\n}\nfunc main(a, b uint32) uint32 { return f(a, 300) }\n".to_owned();
    let literal = "package main\ntype T struct { X []uint32 }\nfunc f(x uint32, n int32) uint32 {\n if n == 0 {\n  return x\n }\n return [][]T{{{X: []uint32{f(x, n - 1)}}}}[0][0].X[0]\n}\nfunc main(a, b uint32) uint32 { return f(a, 2000) }\n".to_owned();
    let run = move || {
        for source in [
            recursive, branches, chain, method, logic, chained, returns, literal,
        ] {
            let error = compile("bad.qcl", &source, &Options::default())
                .map(|_| ())
                .unwrap_err();
            assert!(
                error.to_string().contains("execution is nested deeper"),
                "{error}"
            );
        }
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn huge_numbers_are_refused() {
    assert!(refused(&main_with("return 1 << 1000000000 >> 999999999")).contains("wider than"));
    assert!(
        refused(&main_with(&format!("return {}", "9".repeat(100_000))))
            .contains("malformed integer")
    );
    assert!(refused(&main_with("var x [4000000000][4000000000]uint8\nreturn a")).contains("bits"));
    assert!(refused(&main_with("x := make([]uint32, 4000000000)\nreturn x[0]")).contains("bits"));
    assert!(refused(&main_with("x := []uint32{4000000000: 1}\nreturn x[0]")).contains("outside"));
    assert!(refused(&main_with("var x uint4000000000\nreturn a")).contains("unknown type"));
    assert!(
        refused("package main\nfunc main(a [2000000]byte, b bool) bool { return b }\n")
            .contains("bits")
    );
}

#[test]
fn long_computations_are_refused() {
    assert!(
        refused(&main_with(
            "for i := 0; i < 201; i++ {\n a += b\n}\nreturn a"
        ))
        .contains("unroll limit")
    );
    let nested = "for i := 0; i < 200; i++ {\n for j := 0; j < 200; j++ {\n for k := 0; k < 200; k++ {\n a += b\n}\n}\n}\nreturn a";
    assert!(refused(&main_with(nested)).contains("too large to compile"));
    let fib = "package main\nvar g int32\nfunc f(n int32) int32 {\n g++\n if n < 2 {\n return n\n }\n return f(n - 1) + f(n - 2)\n}\nfunc main(a, b int32) int32 { return f(40) }\n";
    assert!(refused(fib).contains("too large to compile"));
    let double =
        "var x []uint32 = []uint32{a}\nfor i := 0; i < 100; i++ {\n x = x + x\n}\nreturn x[0]";
    assert!(refused(&main_with(double)).contains("too large to compile"));
}

#[test]
fn work_on_large_values_is_counted() {
    for body in [
        "var x [100000]bool\ny := x\nn := 0\nfor i := 0; i < 200; i++ {\n if x == y {\n  n++\n }\n}\nreturn a",
        "for i := 0; i < 200; i++ {\n var x [100000]bool\n _ = x\n}\nreturn a",
        "var x [100000]bool\nfor i := 0; i < 200; i++ {\n f(x)\n}\nreturn a\n}\nfunc f(x []bool) bool {\n return x[0]",
        "for i := 0; i < 200; i++ {\n x := [100000]bool{}\n _ = x\n}\nreturn a",
    ] {
        assert!(
            refused(&main_with(body)).contains("too large to compile"),
            "{body}"
        );
    }
}

#[test]
fn text_form_of_examples_computes_the_same() {
    for seed in SEEDS {
        let circuit = compile("t.qcl", seed, &Options::default())
            .unwrap()
            .into_circuit();
        let back = Circuit::from_bristol(&circuit.to_bristol().unwrap()).unwrap();
        let inputs: Vec<Vec<u64>> = circuit
            .input_widths()
            .iter()
            .map(|w| {
                (0..*w as u64)
                    .map(|i| {
                        (i + 1)
                            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                            .rotate_left(i as u32 % 64)
                    })
                    .collect()
            })
            .collect();
        assert_eq!(
            back.eval_lanes(&inputs).unwrap(),
            circuit.eval_lanes(&inputs).unwrap()
        );
        assert_eq!(back.stats().and, circuit.stats().and);
    }
}

#[test]
fn too_many_gates_are_refused() {
    let source = "package main\nfunc main(a, b uint60000) uint60000 { return a * b / (a | 1) }\n";
    let message = compile("bad.qcl", source, &Options::default())
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(message.contains("the circuit is too large"), "{message}");
}

#[test]
fn truncated_sources_are_errors_or_programs() {
    for seed in SEEDS {
        for len in (0..seed.len()).step_by(7) {
            if let Some(text) = seed.get(..len) {
                let _ = compile("t.qcl", text, &small());
            }
        }
    }
}

#[test]
fn order_of_files_does_not_matter() {
    let a = (
        "a.qcl".to_owned(),
        "package main\nfunc f(x uint8) uint8 { return x + k }\n".to_owned(),
    );
    let b = (
        "b.qcl".to_owned(),
        "package main\nconst k = 3\nfunc main(a, b uint8) uint8 { return f(a) * b }\n".to_owned(),
    );
    let one = quil_qcl::compile_files(&[a.clone(), b.clone()], &Options::default()).unwrap();
    let two = quil_qcl::compile_files(&[b, a], &Options::default()).unwrap();
    assert_eq!(one.circuit().to_bytes(), two.circuit().to_bytes());
}

#[test]
fn identity_of_an_example_is_stable() {
    // The identity of this example is part of the contract: a change of a builder changes it deliberately.
    let circuit = compile("auction.qcl", SEEDS[2], &Options::default())
        .unwrap()
        .into_circuit();
    assert_eq!(
        hex::encode(circuit.code_id()),
        "896d67470015209e95daec7c10564bf0683c80064ebf52cddee6f3f100b4a783"
    );
}

/// Linear congruence: cheap and good enough to choose what to damage.
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn hundred_thousand_mutated_circuit_files_are_refused_or_canonical() {
    let source = "package main\nfunc main(a, b uint8) (uint8, bool) { return a * b, a < b }\n";
    let circuit = compile("t.qcl", source, &Options::default()).unwrap();
    let whole = circuit.into_circuit().to_bytes();
    let (mut state, mut refused) = (1, 0);
    for _ in 0..100_000 {
        let mut bytes = whole.clone();
        for _ in 0..=next(&mut state) % 3 {
            let at = next(&mut state) % bytes.len();
            bytes[at] = next(&mut state) as u8;
        }
        match next(&mut state) % 8 {
            0 => bytes.truncate(next(&mut state) % bytes.len()),
            1 => bytes.extend_from_slice(&[0; 3]),
            _ => {}
        }
        match Circuit::from_bytes(&bytes) {
            // What is read is small: numbers in a file of this length describe no more than the length allows.
            Ok(other) => assert!(other.to_bytes() == bytes && other.stats().stored < 1000),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 50_000, "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mutated_sources_never_panic(
        seed in 0usize..3,
        edits in prop::collection::vec((any::<usize>(), prop::sample::select(b"(){}[]:=+-*/<>!&|^.,;\n\"'09ax \xc3".to_vec())), 1..6),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at % bytes.len();
            if byte % 3 == 0 { bytes.remove(at); } else if byte % 3 == 1 { bytes.insert(at, byte) } else { bytes[at] = byte }
        }
        let _ = compile("t.qcl", &String::from_utf8_lossy(&bytes), &small());
    }

    #[test]
    fn mutated_circuits_are_refused_or_canonical(
        edits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4), cut in any::<usize>(),
    ) {
        let circuit = compile("tree.qcl", SEEDS[0], &Options::default()).unwrap().into_circuit();
        let mut bytes = circuit.to_bytes();
        for (at, value) in edits {
            let len = bytes.len();
            bytes[at % len] = value;
        }
        if cut % 4 == 0 {
            bytes.truncate(cut % bytes.len());
        }
        if let Ok(other) = Circuit::from_bytes(&bytes) {
            prop_assert_eq!(other.to_bytes(), bytes);
            let inputs: Vec<Vec<bool>> = other.input_widths().iter().map(|w| vec![true; *w]).collect();
            prop_assert!(other.eval(&inputs).is_ok());
        }
    }

    #[test]
    fn shuffled_tokens_never_panic(words in prop::collection::vec(prop::sample::select(vec![
        "func", "main", "(", ")", "{", "}", "[", "]", "a", "b", "uint8", "int32", ":=", "=", "+", "-", "*", "&", "if", "for", "range",
        "return", "var", "const", "type", "struct", "1", "0", "\n", ",", ".", ":", ";", "\"x\"", "x", "make", "len", "copy", "==", "<<",
    ]), 0..60)) {
        let text = format!("package main\nfunc main(a, b uint8) uint8 {{\n{}\n}}\n", words.join(" "));
        let _ = compile("t.qcl", &text, &small());
    }
}
