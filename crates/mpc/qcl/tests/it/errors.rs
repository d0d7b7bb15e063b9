//! Bad programs: each error names its place and what to do.

use quil_qcl::{CompileError, Options, compile};

fn fail(source: &str) -> CompileError {
    match compile("bad.qcl", source, &Options::default()) {
        Ok(_) => panic!("compiles:\n{source}"),
        Err(error) => error,
    }
}

/// Body of `main(a, b int32) int32` starting on line 3; place and message of the first error.
fn body(text: &str) -> (u32, u32, String, String) {
    let error = fail(&format!(
        "package main\nfunc main(a, b int32) int32 {{\n{text}\n}}\n"
    ));
    let d = &error.diagnostics[0];
    assert_eq!(d.file, "bad.qcl");
    assert!(!d.hint.is_empty() && !d.snippet.is_empty(), "{error}");
    (d.line, d.column, d.message.clone(), d.hint.clone())
}

fn check(text: &str, line: u32, column: u32, message: &str, hint: &str) {
    let found = body(text);
    assert_eq!((found.0, found.1), (line, column), "{found:?}");
    assert!(
        found.2.contains(message) && found.3.contains(hint),
        "{found:?}"
    );
}

#[test]
fn the_report_shows_line_caret_and_hint() {
    let error = fail("package main\nfunc main(a, b int32) int32 {\n    return a + c\n}\n");
    assert_eq!(
        error.to_string(),
        "bad.qcl:3:16: unknown name `c`\n        return a + c\n                   ^\n    hint: declare it with `:=`, `var` or `const`, or import its package"
    );
}

#[test]
fn syntax_errors() {
    check(
        "return a +\n}",
        4,
        1,
        "expected an expression, found `}`",
        "a value",
    );
    check(
        "return (a",
        3,
        10,
        "expected `)`, found the end of the line",
        "close the bracket",
    );
    check("x := 12ab\nreturn a", 3, 6, "malformed integer", "0x1f");
    check("return \"abc", 3, 8, "string is not closed", "same line");
    check(
        "return a # b",
        3,
        10,
        "unexpected character '#'",
        "remove it",
    );
    check("a b", 3, 3, "expected the end of the statement", "new line");
    check(
        "for {\n}\nreturn a",
        3,
        1,
        "loop without a condition",
        "unrolled",
    );
    check(
        "switch a {\n}\nreturn a",
        3,
        1,
        "`switch` is not part",
        "if, for",
    );
    check(
        "if a = b {\n}\nreturn a",
        3,
        4,
        "expected a condition",
        "`==`",
    );
    check(
        "a.b := 3\nreturn a",
        3,
        1,
        "only names can be defined",
        "use `=`",
    );
    check("return 'ab'", 3, 8, "malformed character", "one character");
    check("/* x", 3, 1, "comment is not closed", "*/");
    check(
        "var x\nreturn a",
        3,
        6,
        "expected a type or `=`",
        "name type",
    );
    check(
        "a, b += 1\nreturn a",
        3,
        6,
        "exactly one left side",
        "per variable",
    );
}

#[test]
fn several_syntax_errors_are_collected() {
    let error = fail(
        "package main\nfunc f( {\n}\nfunc g() int32 {\n return 1 +\n}\nfunc main(a, b int32) int32 { return a }\n",
    );
    let lines: Vec<u32> = error.diagnostics.iter().map(|d| d.line).collect();
    assert_eq!(lines, [2, 6]);
}

#[test]
fn type_errors() {
    check(
        "return uint8(a) + b",
        3,
        8,
        "`+` between uint8 and int32",
        "convert one side",
    );
    check("return a == b", 3, 8, "expected int32, found bool", "same");
    check(
        "if a {\n}\nreturn a",
        3,
        4,
        "expected bool, found int32",
        "compare",
    );
    check("return !a", 3, 8, "`!` does not apply to int32", "bool");
    check(
        "x := a\nx = \"s\"\nreturn x",
        4,
        5,
        "expected int32, found string of 1 bytes",
        "same",
    );
    check(
        "var x uint8 = 256\nreturn a",
        3,
        15,
        "constant 256 does not fit uint8",
        "wider",
    );
    check(
        "var x uint8 = -1\nreturn a",
        3,
        15,
        "constant -1 does not fit uint8",
        "negative",
    );
    check(
        "x := 5000000000\nreturn a",
        3,
        6,
        "does not fit int32",
        "uint33",
    );
    check("return 1 / 0", 3, 8, "constant division by zero", "type");
    check("return a << -1", 3, 8, "negative shift count", "other way");
}

#[test]
fn names_that_are_not_values() {
    check(
        "var x float64\nreturn a",
        3,
        7,
        "unknown type `float64`",
        "scale to integers",
    );
    check(
        "var x uint0\nreturn a + x[0]",
        3,
        7,
        "unknown type `uint0`",
        "types are",
    );
    check("return int32", 3, 8, "`int32` is a type", "convert");
    check(
        "return main",
        3,
        8,
        "function `main` is not called",
        "arguments",
    );
    check("return a.x", 3, 10, "int32 has no fields", "structs");
    check("return a[0]", 3, 8, "int32 has no elements", "arrays");
    check("x := nil\nreturn a", 3, 6, "there is no `nil`", "pointers");
}

#[test]
fn names_and_scopes() {
    check(
        "{\n x := a\n _ = x\n}\nreturn x",
        7,
        8,
        "unknown name `x`",
        "declare",
    );
    check(
        "a := b
return a",
        3,
        1,
        "nothing new on the left",
        "assign with `=`",
    );
    check(
        "var b int32
return a",
        3,
        5,
        "`b` is declared twice",
        "another name",
    );
}

#[test]
fn indices_and_lengths() {
    check(
        "x := []int32{1, 2}\nreturn x[2]",
        4,
        10,
        "index 2 is outside 0 to 1",
        "inside the array",
    );
    check(
        "x := []int32{1, 2}\nreturn x[a:][0]",
        4,
        10,
        "slice bound is not a constant",
        "known while compiling",
    );
    check(
        "x := []int32{1, 2}\ny := x[1:3]\nreturn y[0]",
        4,
        6,
        "slice 1:3 is outside 0:2",
        "low <= high",
    );
    check(
        "var x [a]int32\nreturn x[0]",
        3,
        8,
        "array length is not a constant",
        "literals",
    );
    check(
        "var x []int32 = []int32{1}\nif a > b {\n x = []int32{1, 2}\n}\nreturn x[0]",
        4,
        4,
        "decides between",
        "same type and length",
    );
    check(
        "p := &a\nif a > b {\n p = &b\n}\nreturn *p",
        4,
        4,
        "pointer would depend on a secret",
        "copy",
    );
}

#[test]
fn control_flow() {
    check(
        "for i := 0; i < a; i++ {\n}\nreturn a",
        3,
        13,
        "loop condition depends on a secret",
        "constant bound",
    );
    check(
        "for i := 0; i >= 0; i += 0 {\n}\nreturn a",
        3,
        1,
        "more than 131072 times",
        "unroll limit",
    );
    check(
        "if a > b {\n return a\n}",
        6,
        1,
        "can end without a return",
        "add `return`",
    );
    check("return a, b", 3, 1, "2 values for 1 targets", "one value");
    check(
        "a + b\nreturn a",
        3,
        1,
        "this value is not used",
        "assign it",
    );
    check(
        "panic(\"no\")\nreturn a",
        3,
        1,
        "panic: no",
        "not be reached",
    );
    check("f(a)\nreturn a", 3, 1, "unknown function `f`", "import");
    check(
        "main(a)\nreturn a",
        3,
        1,
        "`main` takes 2 arguments, 1 given",
        "a, b",
    );
}

#[test]
fn recursion_without_end_is_an_error() {
    let error = fail(
        "package main\nfunc f(x int32) int32 {\n if x > 0 {\n  return f(x - 1)\n }\n return 0\n}\nfunc main(a, b int32) int32 { return f(a) }\n",
    );
    let d = &error.diagnostics[0];
    assert_eq!((d.line, d.column), (4, 10));
    assert!(
        d.message.contains("`f` calls itself without end"),
        "{error}"
    );
    assert_eq!(d.calls, ["bad.qcl:4", "bad.qcl:8"]);
    // With an effect the body is executed in place, so only the depth ends it.
    let error = fail(
        "package main\nvar n int32\nfunc f(x int32) int32 {\n n++\n if x > 0 {\n  return f(x - 1)\n }\n return 0\n}\nfunc main(a, b int32) int32 { return f(a) }\n",
    );
    let d = &error.diagnostics[0];
    assert!(
        d.message.contains("nested deeper") && d.hint.contains("recursion"),
        "{error}"
    );
    assert_eq!(d.calls.len(), 8);
}

#[test]
fn packages_and_declarations() {
    let first = |source: &str| fail(source).diagnostics[0].clone();
    let d = first("package main\nimport \"crypto/md5\"\nfunc main(a, b bool) bool { return a }\n");
    assert_eq!(
        (d.line, d.column, d.message.as_str()),
        (2, 8, "no package \"crypto/md5\"")
    );
    let d = first(
        "package main\nimport \"math\"\nfunc main(a, b uint8) uint8 { return math.Foo(a) }\n",
    );
    assert!(d.message.contains("has no function `Foo`"));
    let d =
        first("package main\nfunc f() {}\nfunc f() {}\nfunc main(a, b bool) bool { return a }\n");
    assert_eq!(
        (d.line, d.message.as_str()),
        (3, "`f` is declared twice in this package")
    );
    let d = first("package main\nfunc f(a bool) bool { return a }\n");
    assert!(d.message.contains("no `main`"));
    let d = first("package main\nfunc main() bool { return true }\n");
    assert!(d.message.contains("0 parameters"));
    let d = first("package main\nfunc main(a, b bool) { }\n");
    assert!(d.message.contains("no result"));
    let d = first("package main\nfunc main(a []byte, b bool) bool { return b }\n");
    assert!(d.message.contains("size of []uint8 is not known"));
    let d =
        first("package main\ntype T struct { X T }\nfunc main(a T, b bool) bool { return b }\n");
    assert!(d.message.contains("defined by itself"));
    let d = first(
        "package main\nconst A = B\nconst B = A\nfunc main(a, b uint8) uint8 { return a + A }\n",
    );
    assert!(d.message.contains("defined by itself"));
    let d = first(
        "package main\n//qcl:to garbler\nfunc main(a, b uint8) (uint8, uint8) { return a, b }\n",
    );
    assert_eq!(
        (d.line, d.message.as_str()),
        (2, "1 recipients for 2 results")
    );
    let d = first(
        "package main\ntype S struct { A, A bool }\nfunc main(a, b bool) bool { return a }\n",
    );
    assert!(d.message.contains("declared twice"));
    let d = first(
        "package main\ntype S struct { A bool }\nfunc main(a, b bool) bool { return S{A: a, B: b}.A }\n",
    );
    assert!(d.message.contains("has no field `B`") && d.hint.contains("its fields are A"));
    let d = first("import \"math\"\n");
    assert!(d.message.contains("expected `package`"));
}
