//! Every input of small widths.

use quil_qcl::{Goal, Options, compile};

use super::Run;

/// Evaluates `source` on all pairs of `p`- and `q`-bit inputs; gives the first output as a number per pair.
fn table(source: &str, (p, q): (u32, u32), goal: Goal) -> Vec<u64> {
    let options = Options {
        goal,
        ..Options::default()
    };
    let circuit = compile("t.qcl", source, &options)
        .unwrap_or_else(|e| panic!("{e}"))
        .into_circuit();
    let total = 1usize << (p + q);
    let mut out = Vec::new();
    for first in (0..total).step_by(64) {
        let lane = |shift: u32, width: u32| -> Vec<u64> {
            (0..width)
                .map(|i| (0..64).fold(0, |w, k| w | ((first + k) as u64 >> (shift + i) & 1) << k))
                .collect()
        };
        let bits = circuit.run_lanes(&[lane(0, p), lane(p, q)]).unwrap();
        for k in 0..64.min(total - first) {
            out.push(bits[0].iter().rev().fold(0, |v, w| v << 1 | w >> k & 1));
        }
    }
    out
}

fn signed(v: i64, width: u32) -> i64 {
    let v = v & ((1 << width) - 1);
    if v >> (width - 1) == 1 {
        v - (1 << width)
    } else {
        v
    }
}

fn model(op: &str, a: i64, b: i64, is_signed: bool, width: u32) -> i64 {
    let count = b & ((1 << width) - 1);
    match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a.checked_div(b).unwrap_or(-1),
        "%" => a.checked_rem(b).unwrap_or(a),
        "<<" => {
            if count >= i64::from(width) {
                0
            } else {
                a << count
            }
        }
        ">>" => {
            if count >= i64::from(width) {
                if is_signed && a < 0 { -1 } else { 0 }
            } else {
                a >> count
            }
        }
        "<" => i64::from(a < b),
        "<=" => i64::from(a <= b),
        ">" => i64::from(a > b),
        ">=" => i64::from(a >= b),
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "&" => a & b,
        "|" => a | b,
        "^" => a ^ b,
        _ => a & !b,
    }
}

const OPS: [&str; 17] = [
    "+", "-", "*", "/", "%", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^", "&^",
];

#[test]
fn operators_on_all_inputs_of_up_to_five_bits() {
    for width in 1..=5u32 {
        for is_signed in [false, true] {
            for op in OPS {
                for goal in [Goal::Ands, Goal::Depth] {
                    let ty = format!("{}{width}", if is_signed { "int" } else { "uint" });
                    let truth = matches!(op, "<" | "<=" | ">" | ">=" | "==" | "!=");
                    let result = if truth { "bool" } else { &ty };
                    let source = format!(
                        "package main\nfunc main(a, b {ty}) {result} {{ return a {op} b }}\n"
                    );
                    for (i, found) in table(&source, (width, width), goal).into_iter().enumerate() {
                        let read = |v: usize| {
                            let v = (v & ((1 << width) - 1)) as i64;
                            if is_signed { signed(v, width) } else { v }
                        };
                        let (a, b) = (read(i), read(i >> width));
                        let expected =
                            model(op, a, b, is_signed, width) as u64 & ((1 << width) - 1);
                        let expected = if truth { expected & 1 } else { expected };
                        assert_eq!(found, expected, "{a} {op} {b} {ty} {goal:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn division_by_every_constant() {
    for divisor in 0..64i64 {
        for is_signed in [false, true] {
            if is_signed && divisor >= 32 {
                continue;
            }
            let ty = if is_signed { "int6" } else { "uint6" };
            let source = format!(
                "package main\nfunc main(a {ty}, b bool) [2]{ty} {{\n var d {ty} = {divisor}\n return [2]{ty}{{a / d, a % d}}\n}}\n"
            );
            for (i, found) in table(&source, (6, 1), Goal::Ands)
                .into_iter()
                .take(64)
                .enumerate()
            {
                let a = if is_signed {
                    signed(i as i64, 6)
                } else {
                    i as i64
                };
                let quotient = model("/", a, divisor, is_signed, 6) as u64 & 63;
                let rest = model("%", a, divisor, is_signed, 6) as u64 & 63;
                assert_eq!(
                    (found & 63, found >> 6),
                    (quotient, rest),
                    "{a} / {divisor} {ty}"
                );
            }
        }
    }
}

#[test]
fn multiplication_by_every_constant() {
    for factor in -64..64i64 {
        let source =
            format!("package main\nfunc main(a int7, b bool) int7 {{ return a * {factor} }}\n");
        for (i, found) in table(&source, (7, 1), Goal::Ands)
            .into_iter()
            .take(128)
            .enumerate()
        {
            assert_eq!(found, (i as i64 * factor) as u64 & 127, "{i} * {factor}");
        }
    }
}

#[test]
fn tables_of_all_shapes_at_all_indices() {
    for len in [1usize, 2, 3, 5, 8, 13, 16, 31, 32] {
        for width in [1u32, 3, 8] {
            let values: Vec<u64> = (0..len as u64)
                .map(|i| (i * i * 5 + i * 3 + 1) % (1 << width))
                .collect();
            let list: Vec<String> = values.iter().map(u64::to_string).collect();
            let source = format!(
                "package main\nvar t = [{len}]uint{width}{{{}}}\nfunc main(i uint6, b bool) uint{width} {{ return t[i] }}\n",
                list.join(", ")
            );
            for (i, found) in table(&source, (6, 1), Goal::Ands)
                .into_iter()
                .take(64)
                .enumerate()
            {
                assert_eq!(
                    found,
                    values.get(i).copied().unwrap_or(0),
                    "len {len} width {width} index {i}"
                );
            }
        }
    }
}

#[test]
fn secret_reads_and_writes_at_all_indices() {
    for len in [1usize, 2, 3, 5, 6, 8] {
        for bits in [1u32, 2, 3, 4] {
            let source = format!(
                "package main\nfunc main(i uint{bits}, a [{len}]uint2) ([{len}]uint2) {{\n x := a[i]\n a[i] = x + 1\n return a\n}}\n"
            );
            let width = 2 * len as u32;
            for (n, found) in table(&source, (bits, width), Goal::Ands)
                .into_iter()
                .enumerate()
            {
                let (i, a) = (n & ((1 << bits) - 1), (n >> bits) as u64);
                let expected = if i < len {
                    let old = a >> (2 * i) & 3;
                    a & !(3 << (2 * i)) | ((old + 1) & 3) << (2 * i)
                } else {
                    a
                };
                assert_eq!(found, expected, "len {len} index {i} value {a:#b}");
            }
        }
    }
}

#[test]
fn counting_bits_of_every_value() {
    for width in 1..=9u32 {
        let source = format!(
            "package main\nimport \"math/bits\"\nfunc main(a uint{width}, b bool) [2]int32 {{ return [2]int32{{bits.OnesCount(a), bits.LeadingZeros(a)}} }}\n"
        );
        for (i, found) in table(&source, (width, 1), Goal::Ands)
            .into_iter()
            .take(1 << width)
            .enumerate()
        {
            let zeros = (i as u64).leading_zeros() - (64 - width);
            assert_eq!(
                (found & 0xffff_ffff, found >> 32),
                (u64::from(i.count_ones()), u64::from(zeros)),
                "{i} of {width} bits"
            );
        }
    }
}

#[test]
fn rotations_by_every_count() {
    let source = "package main\nimport \"math/bits\"\nfunc main(a uint7, k int5) uint7 { return bits.RotateLeft(a, k) }\n";
    for (i, found) in table(source, (7, 5), Goal::Ands).into_iter().enumerate() {
        let (a, k) = ((i & 127) as u64, signed((i >> 7) as i64, 5).rem_euclid(7));
        assert_eq!(found, (a << k | a >> (7 - k)) & 127);
    }
}
