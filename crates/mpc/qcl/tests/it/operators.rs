//! Every operator at odd widths against big integers, 64 random input pairs each.

use dashu_int::{IBig, UBig};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use quil_qcl::{Goal, Options, compile};

use super::Run;

const WIDTHS: [u32; 9] = [1, 7, 8, 31, 32, 64, 65, 128, 256];

fn modulus(width: u32) -> IBig {
    IBig::from(UBig::ONE << width as usize)
}

fn wrap(value: IBig, signed: bool, width: u32) -> IBig {
    let m = modulus(width);
    let mut r = value % &m;
    if r < IBig::ZERO {
        r += &m;
    }
    if signed && r >= &m / IBig::from(2) {
        r - m
    } else {
        r
    }
}

/// Random and edge values, as two's complement patterns of `width` bits.
fn samples(rng: &mut TestRng, width: u32) -> Vec<Vec<bool>> {
    let n = width as usize;
    let mut out: Vec<Vec<bool>> = vec![
        vec![false; n],
        vec![true; n],
        (0..n).map(|i| i == n - 1).collect(),
        (0..n).map(|i| i != n - 1).collect(),
        (0..n).map(|i| i == 0).collect(),
    ];
    while out.len() < 64 {
        let keep = 1 + rng.random_range_usize(n);
        out.push(
            (0..n)
                .map(|i| i < keep && rng.next_u32() & 1 == 1)
                .collect(),
        );
    }
    for i in (1..64).rev() {
        out.swap(i, rng.random_range_usize(i + 1));
    }
    out
}

trait Below {
    fn random_range_usize(&mut self, n: usize) -> usize;
}

impl Below for TestRng {
    fn random_range_usize(&mut self, n: usize) -> usize {
        self.next_u64() as usize % n
    }
}

fn number(bits: &[bool], signed: bool) -> IBig {
    let value = bits
        .iter()
        .rev()
        .fold(UBig::ZERO, |sum, b| (sum << 1) + UBig::from(u8::from(*b)));
    wrap(IBig::from(value), signed, bits.len() as u32)
}

fn lanes(values: &[Vec<bool>]) -> Vec<u64> {
    let width = values[0].len();
    (0..width)
        .map(|i| {
            values
                .iter()
                .enumerate()
                .fold(0, |w, (k, v)| w | u64::from(v[i]) << k)
        })
        .collect()
}

/// `op` on all samples; the result has type `result` or bool.
fn check(op: &str, signed: bool, width: u32, options: &Options, f: impl Fn(&IBig, &IBig) -> IBig) {
    let comparison = matches!(op, "==" | "!=" | "<" | "<=" | ">" | ">=");
    let ty = format!("{}{width}", if signed { "int" } else { "uint" });
    let result = if comparison { "bool" } else { &ty };
    let source = format!("package main\nfunc main(a, b {ty}) {result} {{ return a {op} b }}\n");
    let circuit = compile("t.qcl", &source, options)
        .unwrap_or_else(|e| panic!("{e}"))
        .into_circuit();
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[width as u8 ^ 0x5a; 32]);
    let (a, b) = (samples(&mut rng, width), samples(&mut rng, width));
    let out = circuit.run_lanes(&[lanes(&a), lanes(&b)]).unwrap();
    for k in 0..64 {
        let bits: Vec<bool> = out[0].iter().map(|w| w >> k & 1 == 1).collect();
        let (x, y) = (number(&a[k], signed), number(&b[k], signed));
        let expected = f(&x, &y);
        let found = number(&bits, signed && !comparison);
        let expected = if comparison {
            expected
        } else {
            wrap(expected, signed, width)
        };
        assert_eq!(found, expected, "{x} {op} {y} as {ty}");
    }
}

fn all(op: &str, f: impl Fn(&IBig, &IBig, u32) -> IBig) {
    for goal in [Goal::Ands, Goal::Depth] {
        let options = Options {
            goal,
            ..Options::default()
        };
        for width in WIDTHS {
            if goal == Goal::Depth && width > 65 {
                continue;
            }
            for signed in [false, true] {
                check(op, signed, width, &options, |x, y| f(x, y, width));
            }
        }
    }
}

fn truth(value: bool) -> IBig {
    IBig::from(u8::from(value))
}

#[test]
fn addition() {
    all("+", |x, y, _| x + y);
}

#[test]
fn subtraction() {
    all("-", |x, y, _| x - y);
}

#[test]
fn multiplication() {
    all("*", |x, y, _| x * y);
}

#[test]
fn division_is_toward_zero_and_total() {
    all("/", |x, y, _| {
        if *y == IBig::ZERO {
            IBig::from(-1)
        } else {
            x / y
        }
    });
}

#[test]
fn remainder_has_the_sign_of_the_dividend() {
    all(
        "%",
        |x, y, _| if *y == IBig::ZERO { x.clone() } else { x % y },
    );
}

#[test]
fn bitwise() {
    all("&", |x, y, _| x.clone() & y.clone());
    all("|", |x, y, _| x.clone() | y.clone());
    all("^", |x, y, _| x.clone() ^ y.clone());
    all("&^", |x, y, _| x.clone() & !y.clone());
}

#[test]
fn order() {
    all("<", |x, y, _| truth(x < y));
    all("<=", |x, y, _| truth(x <= y));
    all(">", |x, y, _| truth(x > y));
    all(">=", |x, y, _| truth(x >= y));
    all("==", |x, y, _| truth(x == y));
    all("!=", |x, y, _| truth(x != y));
}

/// A signed count is read as a pattern: negative counts are beyond every width.
fn count(y: &IBig, width: u32) -> Option<usize> {
    let pattern = wrap(y.clone(), false, width);
    (pattern < IBig::from(width)).then(|| pattern.to_string().parse().unwrap())
}

#[test]
fn secret_shifts() {
    all("<<", |x, y, w| {
        count(y, w).map_or(IBig::ZERO, |n| x.clone() << n)
    });
    all(">>", |x, y, w| {
        let fill = if *x < IBig::ZERO {
            IBig::from(-1)
        } else {
            IBig::ZERO
        };
        count(y, w).map_or(fill, |n| x.clone() >> n)
    });
}

#[test]
fn widening_products_are_exact() {
    for (p, q, n, signed) in [
        (8, 8, 16, true),
        (31, 8, 64, true),
        (32, 32, 64, true),
        (64, 64, 128, true),
        (33, 17, 50, true),
        (64, 64, 128, false),
        (31, 65, 96, false),
        (100, 20, 120, false),
    ] {
        let t = if signed { "int" } else { "uint" };
        let source = format!(
            "package main\nfunc main(a {t}{p}, b {t}{q}) {t}{n} {{ return {t}{n}(a) * {t}{n}(b) }}\n"
        );
        let circuit = compile("t.qcl", &source, &Options::default())
            .unwrap()
            .into_circuit();
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let (a, b) = (samples(&mut rng, p), samples(&mut rng, q));
        let out = circuit.run_lanes(&[lanes(&a), lanes(&b)]).unwrap();
        for k in 0..64 {
            let bits: Vec<bool> = out[0].iter().map(|w| w >> k & 1 == 1).collect();
            assert_eq!(
                number(&bits, signed),
                number(&a[k], signed) * number(&b[k], signed)
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn constant_operands_fold_or_specialise(
        op in prop::sample::select(vec!["+", "-", "*", "/", "%", "&", "|", "^"]),
        width in 2u32..70, signed in any::<bool>(), c in any::<i64>(), left in any::<bool>(),
    ) {
        // A constant on one side: the same as the operator on two inputs.
        let ty = format!("{}{width}", if signed { "int" } else { "uint" });
        let c = wrap(IBig::from(c), signed, width);
        let expr = if left { format!("x {op} a") } else { format!("a {op} x") };
        let source = format!("package main\nfunc main(a, b {ty}) ({ty}, {ty}) {{\n var x {ty} = {c}\n y := b\n return {expr}, {}\n}}\n",
            expr.replace('x', "y"));
        let circuit = compile("t.qcl", &source, &Options::default()).unwrap().into_circuit();
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
        let a = samples(&mut rng, width);
        let pattern = wrap(c, false, width);
        let b: Vec<u64> = (0..width as usize).map(|i| if (pattern.clone() >> i) & IBig::ONE == IBig::ONE { u64::MAX } else { 0 }).collect();
        let out = circuit.run_lanes(&[lanes(&a), b]).unwrap();
        prop_assert_eq!(&out[0], &out[1]);
    }
}
