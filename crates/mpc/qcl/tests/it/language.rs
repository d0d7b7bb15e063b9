//! What programs mean.

use quil_qcl::{Options, compile};
use serde_json::{Value, json};

use super::Run;

/// Compiles and runs in the clear; the optimised and the plain circuit have to agree. What party 0 learns.
pub(crate) fn run(source: &str, garbler: Value, evaluator: Value) -> Value {
    let inputs = [garbler, evaluator];
    let compiled = compile("t.qcl", source, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let out = compiled.circuit().run_json(&inputs).unwrap();
    let plain = Options {
        simplify: false,
        ..Options::default()
    };
    let plain = compile("t.qcl", source, &plain).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        plain.circuit().run_json(&inputs).unwrap(),
        out,
        "optimiser changes the result"
    );
    assert!(plain.circuit().stats().and >= compiled.circuit().stats().and);
    out.into_iter().next().unwrap()
}

/// Body of `main(a, b T) R`.
fn body(ty: &str, result: &str, text: &str, a: impl Into<Value>, b: impl Into<Value>) -> Value {
    run(
        &format!("package main\nfunc main(a, b {ty}) {result} {{\n{text}\n}}\n"),
        a.into(),
        b.into(),
    )
}

/// One expression over `a` and `b`.
fn expr(ty: &str, result: &str, text: &str, a: impl Into<Value>, b: impl Into<Value>) -> Value {
    body(ty, result, &format!("return {text}"), a, b)
}

#[test]
fn structs_comparison_and_two_results() {
    let source = "package main
type Bid struct {
    Price  uint32
    Volume uint16
}
func main(g Bid, e Bid) (bool, uint32) {
    win := g.Price > e.Price
    best := e.Price
    if win {
        best = g.Price
    }
    return win, best
}
";
    let bid = |price: u32| json!({"Price": price, "Volume": 1});
    assert_eq!(run(source, bid(5), bid(7)), json!({"r0": false, "r1": 7}));
    assert_eq!(run(source, bid(9), bid(7)), json!({"r0": true, "r1": 9}));
}

#[test]
fn arithmetic_wraps_at_the_width() {
    assert_eq!(expr("uint8", "uint8", "a + b", 200, 100), 44);
    assert_eq!(expr("uint8", "uint8", "a - b", 3, 5), 254);
    assert_eq!(expr("int8", "int8", "a * b", 100, 3), 44);
    assert_eq!(expr("int8", "int8", "-a", -128, 0), -128);
    assert_eq!(expr("uint3", "uint3", "a * b", 7, 7), 1);
}

#[test]
fn division_follows_go_and_is_total() {
    assert_eq!(expr("uint32", "uint32", "a / b", 5, 0), u32::MAX);
    assert_eq!(expr("uint32", "uint32", "a % b", 5, 0), 5);
    assert_eq!(expr("int32", "int32", "a / b", -43, 4), -10);
    assert_eq!(expr("int32", "int32", "a % b", -43, 4), -3);
    assert_eq!(expr("int32", "int32", "a % b", 43, -4), 3);
    assert_eq!(expr("int32", "int32", "a / b", i32::MIN, -1), i32::MIN);
    assert_eq!(expr("int32", "int32", "a % b", i32::MIN, -1), 0);
    assert_eq!(expr("int32", "int32", "a / b", -7, 0), -1);
    assert_eq!(expr("int32", "int32", "a % b", -7, 0), -7);
    assert_eq!(expr("int32", "int32", "a / 4", -43, 0), -10);
    assert_eq!(expr("uint32", "uint32", "a / 8", 43, 0), 5);
    assert_eq!(expr("uint32", "uint32", "a % 8", 43, 0), 3);
}

#[test]
fn signed_order_is_by_value() {
    assert_eq!(expr("int32", "bool", "a < b", -1, 0), true);
    assert_eq!(expr("int32", "bool", "a >= b", -1, 0), false);
    assert_eq!(expr("int7", "bool", "a <= b", -64, 63), true);
    assert_eq!(expr("uint32", "bool", "a < b", u32::MAX, 0), false);
    assert_eq!(expr("int32", "bool", "a > -5", -4, 0), true);
}

#[test]
fn conversions_extend_by_the_sign_of_the_source() {
    assert_eq!(expr("int8", "int16", "int16(a)", -2, 0), -2);
    assert_eq!(expr("int8", "uint16", "uint16(a)", -2, 0), 0xfffe);
    assert_eq!(expr("uint8", "int16", "int16(a)", 254, 0), 254);
    assert_eq!(expr("uint16", "uint8", "uint8(a)", 0x1234, 0), 0x34);
    assert_eq!(expr("uint8", "uint8", "uint8(a > b) + 1", 3, 2), 2);
}

#[test]
fn shifts_by_constants_and_secrets() {
    assert_eq!(expr("int32", "int32", "a >> 1", -8, 0), -4);
    assert_eq!(expr("uint8", "uint8", "a << 9", 255, 0), 0);
    assert_eq!(expr("int8", "int8", "a >> 9", -1, 0), -1);
    assert_eq!(expr("uint8", "uint8", "a << b", 3, 6), 192);
    assert_eq!(expr("uint8", "uint8", "a << b", 3, 8), 0);
    assert_eq!(expr("uint8", "uint8", "a >> b", 200, 200), 0);
    assert_eq!(expr("int8", "int8", "a >> uint8(b)", -100, 3), -13);
    assert_eq!(expr("int8", "int8", "a >> uint8(b)", -100, 100), -1);
    assert_eq!(expr("uint5", "uint5", "a >> b", 31, 4), 1);
    assert_eq!(expr("uint5", "uint5", "a >> b", 31, 5), 0);
    assert_eq!(expr("uint1", "uint1", "a << b", 1, 1), 0);
}

#[test]
fn constants_are_exact_and_have_to_fit() {
    assert_eq!(expr("uint8", "uint8", "a + (1 << 100 >> 95)", 1, 0), 33);
    assert_eq!(expr("int32", "int32", "-43 / 4 + a", 0, 0), -10);
    assert_eq!(expr("int64", "int64", "a + -1", 0, 0), -1);
    assert_eq!(
        body("int8", "int8", "var x int8 = -1\nreturn x + a", 0, 0),
        -1
    );
    assert_eq!(expr("int32", "int32", "-7 % 4 + a", 0, 0), -3);
    assert_eq!(
        expr(
            "uint256",
            "uint256",
            "a + 0xffffffffffffffffffffffffffffffff",
            1,
            0
        ),
        "0x100000000000000000000000000000000"
    );
}

#[test]
fn block_scope_hides_and_ends() {
    let text = "x := a\nif true {\n x := b\n x++\n}\n{\n var x int32 = 7\n _ = x\n}\nreturn x";
    assert_eq!(body("int32", "int32", text, 1, 2), 1);
}

#[test]
fn semicolon_rule_ends_lines() {
    // A line that starts with `*` or `-` is a statement of its own.
    let source = "package main
func set(p *int32, v int32) {
    x := v
    *p = x
}
func main(a, b int32) int32 {
    r := a
    set(&r, b)
    x := r
    -x
    return x
}
";
    let error = compile("t.qcl", source, &Options::default()).unwrap_err();
    assert_eq!(
        (error.diagnostics[0].line, error.diagnostics[0].column),
        (10, 5)
    );
    let fixed = source.replace("    -x\n", "");
    assert_eq!(run(&fixed, json!(1), json!(2)), 2);
    assert_eq!(
        body(
            "int32",
            "int32",
            "x := a +\n b\ny := []int32{\n 1,\n 2,\n}\nreturn x + y[1]; ",
            1,
            2
        ),
        5
    );
}

#[test]
fn writes_under_secret_conditions_are_merged() {
    let source = "package main
type Box struct { V int32 }
var total int32
func larger(p *int32, a, b int32) {
    if a > b {
        *p = a
    }
}
func (x *Box) raise(v int32) {
    if v > x.V {
        x.V = v
        total += 1
    }
}
func main(a, b int32) (int32, int32, int32) {
    r := int32(5)
    larger(&r, a, b)
    box := Box{V: 10}
    box.raise(a)
    if b > 0 {
        box.raise(b)
    }
    return r, box.V, total
}
";
    let out = |a: i32, b: i32| run(source, json!(a), json!(b));
    assert_eq!(out(3, 5), json!({"r0": 5, "r1": 10, "r2": 0}));
    assert_eq!(out(6, 5), json!({"r0": 6, "r1": 10, "r2": 0}));
    assert_eq!(out(11, 12), json!({"r0": 5, "r1": 12, "r2": 2}));
    assert_eq!(out(20, -12), json!({"r0": 20, "r1": 20, "r2": 1}));
}

#[test]
fn early_returns_under_secret_conditions() {
    let source = "package main
func find(list [8]uint8, x uint8) int32 {
    for i, v := range list {
        if v == x {
            return i
        }
    }
    return -1
}
func sign(x int32) int32 {
    if x < 0 {
        return -1
    } else if x > 0 {
        return 1
    }
    return 0
}
func main(a [8]uint8, b uint8) (int32, int32) {
    return find(a, b), sign(int32(b) - 5)
}
";
    let out = |b: u8| run(source, json!([4, 5, 6, 7, 5, 9, 1, 2]), json!(b));
    assert_eq!(out(5), json!({"r0": 1, "r1": 0}));
    assert_eq!(out(2), json!({"r0": 7, "r1": -1}));
    assert_eq!(out(99), json!({"r0": -1, "r1": 1}));
}

#[test]
fn nothing_happens_after_a_return() {
    let source = "package main
var count int32
func f(x int32) int32 {
    for i := 0; i < 4; i++ {
        if x == i {
            return count
        }
        count++
    }
    count += 100
    return count
}
func main(a, b int32) (int32, int32) {
    r := f(a)
    return r, count
}
";
    let out = |a: i32| run(source, json!(a), json!(0));
    assert_eq!(out(0), json!({"r0": 0, "r1": 0}));
    assert_eq!(out(3), json!({"r0": 3, "r1": 3}));
    assert_eq!(out(9), json!({"r0": 104, "r1": 104}));
}

#[test]
fn named_results_and_bare_return() {
    let source = "package main
func minmax(a, b int32) (lo, hi int32) {
    lo, hi = a, b
    if a > b {
        lo, hi = hi, lo
        return
    }
    return
}
func main(a, b int32) (lo, hi int32) {
    lo, hi = minmax(a, b)
    return
}
";
    assert_eq!(run(source, json!(9), json!(-2)), json!({"lo": -2, "hi": 9}));
    assert_eq!(
        run(source, json!(-9), json!(-2)),
        json!({"lo": -9, "hi": -2})
    );
}

#[test]
fn secret_index_reads_zero_and_writes_nothing_outside() {
    let read = |i: i32| {
        let source = "package main\nfunc main(a [5]uint8, i int32) uint8 { return a[i] }\n";
        run(source, json!([10, 20, 30, 40, 50]), json!(i))
    };
    assert_eq!((read(0), read(4)), (json!(10), json!(50)));
    assert_eq!(
        (read(5), read(8), read(-1), read(1 << 30)),
        (json!(0), json!(0), json!(0), json!(0))
    );
    let write = |i: i32| {
        let source = "package main
func main(a [5]uint16, i int32) [5]uint16 {
    a[i] = 99
    a[i] += 1
    return a
}
";
        run(source, json!([10, 20, 30, 40, 50]), json!(i))
    };
    assert_eq!(write(3), json!([10, 20, 30, 100, 50]));
    assert_eq!(write(5), json!([10, 20, 30, 40, 50]));
    assert_eq!(write(-3), json!([10, 20, 30, 40, 50]));
    assert_eq!(write(13), json!([10, 20, 30, 40, 50]));
}

#[test]
fn secret_index_into_structs_and_rows() {
    let source = "package main
type Cell struct { V uint8; Row [3]uint8 }
func main(a [4]uint8, i uint2) (uint8, [3]uint8, uint8) {
    var grid [4]Cell
    for k := range 4 {
        grid[k].V = a[k]
        grid[k].Row[1] = a[k] + 1
    }
    grid[i].Row[2] = 77
    grid[i].Row[i] += 1
    p := &grid[i]
    p.V += 100
    return grid[i].V, grid[i].Row, grid[0].V
}
";
    let out = run(source, json!([1, 2, 3, 4]), json!(1));
    assert_eq!(out, json!({"r0": 102, "r1": "hex:00044d", "r2": 1}));
    let out = run(source, json!([1, 2, 3, 4]), json!(3));
    assert_eq!(out, json!({"r0": 104, "r1": "hex:00054d", "r2": 1}));
}

#[test]
fn keyed_literals_and_nested_selectors() {
    let source = "package main
type P struct { X, Y int16 }
type L struct { From, To P; Name [2]byte }
func main(a, b int16) (int16, int16, [4]int16) {
    l := L{To: P{Y: a, X: b}, From: P{1, 2}}
    list := []P{{a, b}, {Y: 5}, 3: {X: 7}}
    l.To.X += 1
    arr := [4]int16{2: a, 3: b, 0: 9}
    return l.To.X * l.From.Y, list[3].X + list[1].Y + list[2].X, arr
}
";
    assert_eq!(
        run(source, json!(3), json!(4)),
        json!({"r0": 10, "r1": 12, "r2": [9, 0, 3, 4]})
    );
}

#[test]
fn strings_arrays_and_builtins() {
    assert_eq!(
        run(
            "package main\nfunc main(a, b [2]byte) []byte { return a + b }\n",
            json!("hex:0102"),
            json!("hex:0304")
        ),
        "hex:01020304"
    );
    let source = "package main
func main(a string24, b uint8) (string, int32, int32, int32, []byte, bool) {
    buf := make([]byte, 4)
    n := copy(buf[1:], a)
    return a + string(b), len(a), size(b), floorPow2(100) + n, buf, a == \"abc\"
}
";
    let out = run(source, json!("abc"), json!(100));
    assert_eq!(
        out,
        json!({"r0": "abcd", "r1": 3, "r2": 8, "r3": 67, "r4": "hex:00616263", "r5": true})
    );
}

#[test]
fn functions_with_constant_arguments_give_constants() {
    let source = "package main
const N = 3
func twice(x int32) int32 { return 2 * x }
func main(a [6]uint8, b uint8) uint8 {
    sum := b
    for i := 0; i < twice(N); i++ {
        sum += a[i]
    }
    var rest [twice(N) - 1]uint8
    return sum + uint8(len(rest))
}
";
    assert_eq!(run(source, json!([1, 2, 3, 4, 5, 6]), json!(10)), 36);
}

#[test]
fn unsized_parameters_take_the_width_of_the_argument() {
    let source = "package main
func max(a, b uint) uint {
    if a > b {
        return a
    }
    return b
}
func sum(list []uint16) uint16 {
    total := uint16(0)
    for _, v := range list {
        total += v
    }
    return total
}
func main(a, b uint16) (uint16, uint64, uint16) {
    return max(a, b), max(uint64(a) << 40, uint64(b)), sum([]uint16{a, b, 1})
}
";
    assert_eq!(
        run(source, json!(3), json!(4)),
        json!({"r0": 4, "r1": 3u64 << 40, "r2": 8})
    );
}

#[test]
fn input_sizes_close_open_parameters() {
    let source = "package main\nfunc main(a []uint8, b uint) uint {\n s := b\n for _, v := range a { s += make(uint, size(b))(v) }\n return s\n}\n";
    let options = Options {
        sizes: vec![vec![3], vec![20]],
        ..Options::default()
    };
    let compiled = compile("t.qcl", source, &options).unwrap();
    let out = compiled
        .circuit()
        .run_json(&[json!([1, 2, 3]), json!(1_000_000)])
        .unwrap();
    assert_eq!(out[0], 1_000_006);
    assert!(compile("t.qcl", source, &Options::default()).is_err());
}

#[test]
fn recursion_ends_by_constants() {
    let source = "package main
func power(x uint32, n int32) uint32 {
    if n == 0 {
        return 1
    }
    return x * power(x, n - 1)
}
func main(a, b uint32) uint32 { return power(a, 5) + b }
";
    assert_eq!(run(source, json!(3), json!(1)), 244);
}

#[test]
fn side_effects_of_logical_operators_are_conditional() {
    let source = "package main
var calls int32
func yes() bool { calls++; return true }
func main(a, b bool) (bool, bool, int32) {
    x := a && yes()
    y := b || yes()
    return x, y, calls
}
";
    let out = |a: bool, b: bool| run(source, json!(a), json!(b));
    assert_eq!(out(true, true), json!({"r0": true, "r1": true, "r2": 1}));
    assert_eq!(out(false, true), json!({"r0": false, "r1": true, "r2": 0}));
    assert_eq!(out(true, false), json!({"r0": true, "r1": true, "r2": 2}));
}

#[test]
fn outputs_go_to_their_recipients() {
    let source = "package main
//qcl:to garbler evaluator both
func main(a, b uint8) (sum, diff uint8, less bool) {
    return a + b, a - b, a < b
}
";
    let circuit = compile("t.qcl", source, &Options::default())
        .unwrap()
        .into_circuit();
    let out = circuit.run_json(&[json!(7), json!(9)]).unwrap();
    assert_eq!(out[0], json!({"sum": 16, "less": true}));
    assert_eq!(out[1], json!({"diff": 254, "less": true}));
}

#[test]
fn native_counts_bits() {
    assert_eq!(
        expr(
            "uint32",
            "int32",
            "native(\"popcount\", a)",
            0xf0f0_1234u32,
            0
        ),
        13
    );
    assert_eq!(
        expr("uint16", "int32", "native(\"hamming\", a, b)", 0xff, 0xf0f),
        8
    );
}

#[test]
fn large_functions_become_calls_and_keep_their_meaning() {
    let source = "package main
func mix(x uint64, y uint64) uint64 { return (x * y) ^ (x / (y | 1)) ^ (x * x) }
func main(a, b uint64) uint64 {
    x := a
    for i := 0; i < 6; i++ {
        x = mix(x, b)
    }
    return x
}
";
    let mix = |x: u64, y: u64| x.wrapping_mul(y) ^ (x / (y | 1)) ^ x.wrapping_mul(x);
    let (a, b) = (0x1234_5678_9abc_def1u64, 0x0fed_cba9_8765_4321);
    let expected = (0..6).fold(a, |x, _| mix(x, b));
    assert_eq!(run(source, json!(a), json!(b)), expected);
    let compiled = compile("t.qcl", source, &Options::default()).unwrap();
    assert_eq!(compiled.circuit().functions().len(), 2);
}

#[test]
fn structs_with_open_fields_take_their_values() {
    let source = "package main
type Message struct { Body []byte; Tag string; Count int }
func size2(m Message) int32 { return len(m.Body) + len(m.Tag) }
func main(a [3]byte, b uint8) (int32, []byte, int32) {
    m := Message{Body: a + []byte{b}, Tag: \"xy\", Count: 7}
    var empty Message
    return size2(m), m.Body, size2(empty) + empty.Count + m.Count
}
";
    let out = run(source, json!("hex:010203"), json!(4));
    assert_eq!(out, json!({"r0": 6, "r1": "hex:01020304", "r2": 7}));
}

#[test]
fn pointers_reach_elements_fields_and_pointers() {
    let source = "package main
type Inner struct { V [3]int32 }
type Outer struct { In Inner; N int32 }
func bump(p *int32, by int32) { *p += by }
func fill(v *[3]int32, x int32) {
    for i := range 3 {
        v[i] = x + i
    }
}
func redirect(q **int32, x int32) { **q = x }
func main(a, b int32) (Outer, int32) {
    var o Outer
    fill(&o.In.V, a)
    bump(&o.In.V[1], b)
    p := &o.N
    if a < b {
        redirect(&p, a * 10)
    }
    in := &o.In
    in.V[2]++
    return o, *p
}
";
    let out = |a: i32, b: i32| run(source, json!(a), json!(b));
    assert_eq!(
        out(1, 2),
        json!({"r0": {"In": {"V": [1, 4, 4]}, "N": 10}, "r1": 10})
    );
    assert_eq!(
        out(5, 2),
        json!({"r0": {"In": {"V": [5, 8, 8]}, "N": 0}, "r1": 0})
    );
}

#[test]
fn assignments_evaluate_before_they_write() {
    assert_eq!(
        body("int32", "int32", "a, b = b, a\nreturn a - b", 3, 10),
        7
    );
    let text = "x := []int32{1, 2, 3}\ni := int32(0)\ni, x[i] = 2, 9\nx[0], x[2] = x[2], x[0]\nreturn x[0] * 100 + x[2] * 10 + i + 0 * (a + b)";
    assert_eq!(body("int32", "int32", text, 0, 0), 392);
}

#[test]
fn values_are_copied() {
    let text =
        "x := [2]int32{a, b}\ny := x\ny[0] = 7\nz := x[0:]\nz[1] = 8\nreturn x[0] * 10 + x[1]";
    assert_eq!(body("int32", "int32", text, 3, 4), 34);
}

#[test]
fn every_operator_assignment() {
    let text = "x := a\nx += b\nx -= 1\nx *= 3\nx /= 2\nx %= 50\nx &= 0x3e\nx |= 1\nx ^= 5\nx <<= 2\nx >>= 1\nx &^= 4\nx++\nx--\nreturn x";
    let model = |a: i32, b: i32| {
        let mut x = (a + b - 1) * 3 / 2 % 50;
        x = ((x & 0x3e) | 1) ^ 5;
        (x << 2 >> 1) & !4
    };
    for (a, b) in [(3, 4), (100, 55), (-20, 7)] {
        assert_eq!(body("int32", "int32", text, a, b), model(a, b));
    }
}

#[test]
fn precedence_is_that_of_go() {
    let text = "return a + b*2&3<<1 | 1 ^ a - 4&^1";
    let model = |a: i32, b: i32| {
        // Level 5 from the left, then level 4 from the left.
        let p = ((b * 2) & 3) << 1;
        (((a + p) | 1) ^ a) - (4 & !1)
    };
    for (a, b) in [(3, 4), (100, 55), (-20, 7)] {
        assert_eq!(body("int32", "int32", text, a, b), model(a, b));
    }
    assert_eq!(
        body("int32", "bool", "return a < b && b < 9 || a == b", 3, 4),
        true
    );
}

#[test]
fn text_and_characters() {
    let text = "s := \"a\\n\\x41\\101\\u00e9\\\\\\\"\" + `r\\n`\nreturn int32(len(s)) * 1000 + int32(s[2]) + int32(s[3]) - 'A' - '\\101' + a";
    assert_eq!(body("int32", "int32", text, 1, 0), 11_001);
}

#[test]
fn constants_of_a_package_and_locals() {
    let source = "package main
const (
    Big = 1 << 70
    Small = Big >> 68
    Typed uint8 = 200
)
var table = [4]uint8{Small, Typed, 3: 1}
func main(a, b uint8) (uint8, uint8) {
    const local = Small * 2
    return table[a] + local, table[b]
}
";
    assert_eq!(
        run(source, json!(0), json!(1)),
        json!({"r0": 12, "r1": 200})
    );
}

#[test]
fn comments_and_notes_do_not_matter() {
    let source = "// a\npackage main /* b */\n/* c\n d */\nfunc main(a /* x */, b int32) int32 { // y\n return a /* z\n */ \n}\n";
    assert_eq!(run(source, json!(3), json!(0)), 3);
}

#[test]
fn more_than_two_parties_compile() {
    let source = "package main\nfunc main(a, b, c uint8) uint8 { return a + b + c }\n";
    let circuit = compile("t.qcl", source, &Options::default())
        .unwrap()
        .into_circuit();
    assert_eq!(
        circuit.run_json(&[json!(1), json!(2), json!(3)]).unwrap(),
        [json!(6), json!(6), json!(6)]
    );
}

#[test]
fn own_packages_are_found_first() {
    let options = Options {
        packages: vec![("my/pack".into(), "package pack\ntype T struct { X uint8 }\nvar hits uint8\nfunc (t *T) Inc() { t.X++\n hits++ }\nfunc Hits() uint8 { return hits }\n".into())],
        ..Options::default()
    };
    let source = "package main\nimport \"my/pack\"\nfunc main(a, b uint8) (uint8, uint8) {\n t := pack.T{X: a}\n if b > 1 {\n  t.Inc()\n }\n t.Inc()\n return t.X, pack.Hits()\n}\n";
    let circuit = compile("t.qcl", source, &options).unwrap().into_circuit();
    let out = |b: u8| circuit.run_json(&[json!(5), json!(b)]).unwrap()[0].clone();
    assert_eq!(out(0), json!({"r0": 6, "r1": 1}));
    assert_eq!(out(2), json!({"r0": 7, "r1": 2}));
}

#[test]
fn listings_show_words_and_calls() {
    let source = "package main\nfunc f(x uint64) uint64 { return x / 3 }\nfunc main(a, b uint64) uint64 { return f(a) + f(b) }\n";
    let compiled = compile("t.qcl", source, &Options::default()).unwrap();
    let ir = compiled.ir();
    assert!(ir.starts_with("func f0(%p0 u64) {\n"), "{ir}");
    assert!(
        ir.contains("udiv %p0")
            && ir.contains("call f0 %p1")
            && ir.contains("func main(%p0 u64, %p1 u64)"),
        "{ir}"
    );
    assert!(compiled.ssa().lines().count() >= ir.lines().count());
}

#[test]
fn loops_of_calls_are_stored_once() {
    let source = "package main
func step(x, key uint64) uint64 { return x*key + x*x + (x ^ key)*x }
func many(x, key uint64) uint64 {
    for i := 0; i < 100; i++ {
        x = step(x, key)
    }
    return x
}
func main(a, b uint64) (uint64, uint64) {
    x := a
    for i := 0; i < 1000; i++ {
        x = many(x, b)
    }
    return x, step(x, 7)
}
";
    let step = |x: u64, k: u64| {
        let sum = x.wrapping_mul(k).wrapping_add(x.wrapping_mul(x));
        sum.wrapping_add((x ^ k).wrapping_mul(x))
    };
    let circuit = compile("t.qcl", source, &Options::default())
        .unwrap()
        .into_circuit();
    let one = circuit.functions()[0].clone();
    assert!(
        circuit.stats().and > 100_000 * 7_000,
        "{:?}",
        circuit.stats()
    );
    assert!(
        circuit.to_bytes().len() < 400_000 && circuit.slots() < 2_000,
        "{}",
        circuit.slots()
    );
    assert_eq!(one.params, 128);
    // Ten runs of the inner loop, against the function in Rust.
    let short = source.replace("i < 1000", "i < 10");
    let (a, b) = (0x0123_4567_89ab_cdefu64, 0xfedc_ba98_7654_3210);
    let x = (0..1000).fold(a, |x, _| step(x, b));
    let circuit = compile("t.qcl", &short, &Options::default())
        .unwrap()
        .into_circuit();
    let out = circuit.run_json(&[json!(a), json!(b)]).unwrap();
    assert_eq!(out[0], json!({"r0": x, "r1": step(x, 7)}));
}

#[test]
fn results_used_twice_are_not_hidden_in_a_loop() {
    let source = "package main
func step(x, key uint64) uint64 { return x*key + x*x + (x ^ key)*x }
func main(a, b uint64) uint64 {
    x := step(a, b)
    y := step(x, b)
    z := step(y, x)
    return y ^ step(z, b) ^ step(b, z)
}
";
    let step = |x: u64, k: u64| {
        let sum = x.wrapping_mul(k).wrapping_add(x.wrapping_mul(x));
        sum.wrapping_add((x ^ k).wrapping_mul(x))
    };
    let (a, b) = (77u64, 0xfedc_ba98_7654_3211);
    let x = step(a, b);
    let y = step(x, b);
    let z = step(y, x);
    assert_eq!(run(source, json!(a), json!(b)), y ^ step(z, b) ^ step(b, z));
}

#[test]
fn variables_of_a_package_change_through_methods_of_another() {
    let options = Options {
        packages: vec![(
            "pack".into(),
            "package pack\ntype T struct { X uint8 }\nfunc (t *T) Inc() { t.X++ }\n".into(),
        )],
        ..Options::default()
    };
    let source = "package main\nimport \"pack\"\nvar t pack.T\nfunc touch(b uint8) {\n if b > 1 {\n  t.Inc()\n }\n}\nfunc main(a, b uint8) uint8 {\n touch(a)\n touch(b)\n return t.X\n}\n";
    let circuit = compile("t.qcl", source, &options).unwrap().into_circuit();
    let out = |a: u8, b: u8| circuit.run_json(&[json!(a), json!(b)]).unwrap()[0].clone();
    assert_eq!(
        (out(0, 0), out(5, 1), out(2, 9)),
        (json!(0), json!(1), json!(2))
    );
}
