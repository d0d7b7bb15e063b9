//! Random well-typed programs: an interpreter, the optimised, the plain and the shallow circuit agree.

use std::fmt::Write as _;

use proptest::prelude::*;
use quil_qcl::{Goal, Options, compile};

use super::Run;

#[derive(Clone, Debug)]
enum Ex {
    Var(usize),
    Num(i64),
    Bin(&'static str, Box<Self>, Box<Self>),
    Not(Box<Self>),
    At(Box<Self>),
}

#[derive(Clone, Debug)]
enum St {
    Set(usize, Ex),
    SetAt(Ex, Ex),
    If(&'static str, Ex, Ex, Vec<Self>, Vec<Self>),
    Loop(u8, Vec<Self>),
    Call(usize, Ex),
    Return(Ex),
}

const VARS: usize = 4;
const LEN: usize = 5;

fn ex() -> impl Strategy<Value = Ex> {
    let leaf = prop_oneof![(0..VARS).prop_map(Ex::Var), (-60i64..60).prop_map(Ex::Num)];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let ops = prop::sample::select(vec!["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]);
        prop_oneof![
            4 => (ops, inner.clone(), inner.clone()).prop_map(|(op, a, b)| Ex::Bin(op, Box::new(a), Box::new(b))),
            1 => inner.clone().prop_map(|e| Ex::Not(Box::new(e))),
            1 => inner.prop_map(|e| Ex::At(Box::new(e))),
        ]
    })
}

fn st() -> impl Strategy<Value = St> {
    let leaf = prop_oneof![
        4 => (0..VARS, ex()).prop_map(|(v, e)| St::Set(v, e)),
        1 => (ex(), ex()).prop_map(|(i, e)| St::SetAt(i, e)),
        1 => (0..VARS, ex()).prop_map(|(v, e)| St::Call(v, e)),
        1 => ex().prop_map(St::Return),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let block = prop::collection::vec(inner, 1..4);
        let ops = prop::sample::select(vec!["<", "<=", "==", "!=", ">", ">="]);
        prop_oneof![
            3 => (ops, ex(), ex(), block.clone(), block.clone()).prop_map(|(op, a, b, t, f)| St::If(op, a, b, t, f)),
            1 => (0u8..4, block).prop_map(|(n, b)| St::Loop(n, b)),
        ]
    })
}

/// Integers of one type.
#[derive(Clone, Copy, Debug)]
struct Num {
    signed: bool,
    width: u32,
}

impl Num {
    fn name(self) -> String {
        format!("{}{}", if self.signed { "int" } else { "uint" }, self.width)
    }

    fn wrap(self, v: i128) -> i128 {
        let m = 1i128 << self.width;
        let r = v.rem_euclid(m);
        if self.signed && r >= m / 2 { r - m } else { r }
    }

    fn apply(self, op: &str, a: i128, b: i128) -> i128 {
        let count = b.rem_euclid(1 << self.width);
        let wide = count >= i128::from(self.width);
        self.wrap(match op {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => {
                if b == 0 {
                    -1
                } else {
                    a / b
                }
            }
            "%" => {
                if b == 0 {
                    a
                } else {
                    a % b
                }
            }
            "&" => a & b,
            "|" => a | b,
            "^" => a ^ b,
            "<<" => {
                if wide {
                    0
                } else {
                    a << count
                }
            }
            ">>" => {
                if wide {
                    if a < 0 { -1 } else { 0 }
                } else {
                    a >> count
                }
            }
            _ => unreachable!(),
        })
    }
}

struct Machine {
    num: Num,
    vars: [i128; VARS],
    list: [i128; LEN],
    result: Option<i128>,
}

impl Machine {
    fn slot(&self, index: i128) -> usize {
        usize::try_from(index.rem_euclid(1 << self.num.width)).unwrap()
    }

    fn ex(&self, e: &Ex) -> i128 {
        match e {
            Ex::Var(v) => self.vars[*v],
            Ex::Num(n) => self.num.wrap(i128::from(*n)),
            Ex::Bin(op, a, b) => self.num.apply(op, self.ex(a), self.ex(b)),
            Ex::Not(a) => self.num.wrap(-self.ex(a) - 1),
            Ex::At(i) => self.list.get(self.slot(self.ex(i))).copied().unwrap_or(0),
        }
    }

    fn run(&mut self, block: &[St]) {
        for s in block {
            if self.result.is_some() {
                return;
            }
            match s {
                St::Set(v, e) => self.vars[*v] = self.ex(e),
                St::SetAt(i, e) => {
                    let (slot, value) = (self.slot(self.ex(i)), self.ex(e));
                    if let Some(place) = self.list.get_mut(slot) {
                        *place = value;
                    }
                }
                St::If(op, a, b, t, f) => {
                    let (a, b) = (self.ex(a), self.ex(b));
                    let yes = match *op {
                        "<" => a < b,
                        "<=" => a <= b,
                        "==" => a == b,
                        "!=" => a != b,
                        ">" => a > b,
                        _ => a >= b,
                    };
                    self.run(if yes { t } else { f });
                }
                St::Loop(n, b) => {
                    for _ in 0..*n {
                        self.run(b);
                    }
                }
                // func bump(p *T, x T): if x > *p { *p = x } else { *p += 1 }
                St::Call(v, e) => {
                    let x = self.ex(e);
                    let p = self.vars[*v];
                    self.vars[*v] = if x > p { x } else { self.num.wrap(p + 1) };
                }
                St::Return(e) => self.result = Some(self.ex(e)),
            }
        }
    }
}

fn print_ex(num: Num, e: &Ex) -> String {
    match e {
        Ex::Var(v) => format!("v{v}"),
        Ex::Num(n) => format!("{}({})", num.name(), num.wrap(i128::from(*n))),
        Ex::Bin(op @ ("<<" | ">>"), a, b) => {
            // A constant negative count is an error, so counts go through the unsigned type.
            format!(
                "({} {op} uint{}({}))",
                print_ex(num, a),
                num.width,
                print_count(num, b)
            )
        }
        Ex::Bin(op, a, b) => format!("({} {op} {})", print_ex(num, a), print_ex(num, b)),
        Ex::Not(a) => format!("(^{})", print_ex(num, a)),
        Ex::At(i) => format!("list[v0 & 0 + {}]", print_ex(num, i)),
    }
}

fn print_count(num: Num, e: &Ex) -> String {
    match e {
        Ex::Num(n) => num
            .wrap(i128::from(*n))
            .rem_euclid(1 << num.width)
            .to_string(),
        _ => print_ex(num, e),
    }
}

fn print(num: Num, block: &[St], depth: usize, out: &mut String) {
    let pad = "    ".repeat(depth);
    for s in block {
        let _ = match s {
            St::Set(v, e) => writeln!(out, "{pad}v{v} = {}", print_ex(num, e)),
            St::SetAt(i, e) => writeln!(
                out,
                "{pad}list[v1 & 0 | {}] = {}",
                print_ex(num, i),
                print_ex(num, e)
            ),
            St::If(op, a, b, t, f) => {
                let _ = writeln!(
                    out,
                    "{pad}if {} {op} {} {{",
                    print_ex(num, a),
                    print_ex(num, b)
                );
                print(num, t, depth + 1, out);
                let _ = writeln!(out, "{pad}}} else {{");
                print(num, f, depth + 1, out);
                writeln!(out, "{pad}}}")
            }
            St::Loop(n, b) => {
                let _ = writeln!(out, "{pad}for i := 0; i < {n}; i++ {{");
                print(num, b, depth + 1, out);
                writeln!(out, "{pad}}}")
            }
            St::Call(v, e) => writeln!(out, "{pad}bump(&v{v}, {})", print_ex(num, e)),
            St::Return(e) => writeln!(out, "{pad}return {}, list", print_ex(num, e)),
        };
    }
}

fn source(num: Num, block: &[St]) -> String {
    let t = num.name();
    let mut body = String::new();
    print(num, block, 1, &mut body);
    format!(
        "package main\nfunc bump(p *{t}, x {t}) {{\n    if x > *p {{\n        *p = x\n    }} else {{\n        *p += 1\n    }}\n}}\n\
         func main(a, b [2]{t}) ({t}, [{LEN}]{t}) {{\n    v0, v1, v2, v3 := a[0], a[1], b[0], b[1]\n    var list [{LEN}]{t}\n    list[2] = v0\n{body}    return v0 ^ v1 ^ v2 ^ v3, list\n}}\n"
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn circuits_and_interpreter_agree(
        block in prop::collection::vec(st(), 1..8),
        signed in any::<bool>(),
        width in prop::sample::select(vec![3u32, 8, 16, 33]),
        inputs in prop::collection::vec(any::<[u64; 4]>(), 64),
    ) {
        // Constant indices out of range are errors, so indices are made secret by `v & 0`.
        let num = Num { signed, width };
        let text = source(num, &block);
        let build = |options: &Options| compile("t.qcl", &text, options).map(quil_qcl::Compiled::into_circuit);
        let circuit = build(&Options::default());
        let Ok(circuit) = circuit else {
            let message = circuit.unwrap_err().to_string();
            // The generator may index with a constant after all; nothing else may be refused.
            prop_assert!(message.contains("is outside 0 to"), "{message}\n{text}");
            return Ok(());
        };
        let n = width as usize;
        let lane = |first: usize| -> Vec<u64> {
            (0..2 * n).map(|i| inputs.iter().enumerate()
                .fold(0, |w, (k, v)| w | (v[first + i / n] >> (i % n) & 1) << k)).collect()
        };
        let lanes = [lane(0), lane(2)];
        let out = circuit.run_lanes(&lanes).unwrap();
        for (k, input) in inputs.iter().enumerate() {
            let vars = input.map(|v| num.wrap(i128::from(v)));
            let mut machine = Machine { num, vars, list: [0, 0, vars[0], 0, 0], result: None };
            machine.run(&block);
            let v = machine.vars;
            let result = machine.result.unwrap_or_else(|| num.wrap(v[0] ^ v[1] ^ v[2] ^ v[3]));
            let read = |bits: &[u64]| num.wrap((0..n).fold(0, |s, i| s | i128::from(bits[i] >> k & 1) << i));
            prop_assert_eq!(read(&out[0]), result, "lane {}\n{}", k, text);
            for (i, expected) in machine.list.iter().enumerate() {
                prop_assert_eq!(read(&out[1][i * n..]), *expected, "list[{}]\n{}", i, text);
            }
        }
        let plain = build(&Options { simplify: false, ..Options::default() }).unwrap();
        prop_assert_eq!(&plain.run_lanes(&lanes).unwrap(), &out);
        let shallow = build(&Options { goal: Goal::Depth, ..Options::default() }).unwrap();
        prop_assert_eq!(&shallow.run_lanes(&lanes).unwrap(), &out);
        prop_assert_eq!(build(&Options::default()).unwrap().to_bytes(), circuit.to_bytes());
    }
}
