//! Text of a graph.

use std::fmt::Write as _;

use super::{Graph, Op};

impl Graph {
    /// One line per node, results last. `all` also prints what no result needs.
    pub(crate) fn print(&self, name: &str, all: bool) -> String {
        let live = self.live();
        let mut out = format!("func {name}(");
        for (i, width) in self.params.iter().enumerate() {
            let _ = write!(out, "{}%p{i} u{width}", if i > 0 { ", " } else { "" });
        }
        out.push_str(") {\n");
        for ((node, op, width), live) in self.nodes().zip(live) {
            if (live || all) && !matches!(op, Op::Param(_)) {
                let _ = writeln!(out, "  %{} u{width} = {}", node.0, self.text(op));
            }
        }
        let results: Vec<String> = self.results.iter().map(|n| self.name(n.0)).collect();
        let _ = writeln!(out, "  ret {}\n}}", results.join(", "));
        out
    }

    fn name(&self, node: u32) -> String {
        match self.op(super::Node(node)) {
            Op::Param(i) => format!("%p{i}"),
            _ => format!("%{node}"),
        }
    }

    fn text(&self, op: &Op) -> String {
        let name = match op {
            Op::Const(value) => return format!("const {value}"),
            Op::Param(i) => return format!("param {i}"),
            Op::Add(..) => "add",
            Op::Sub(..) => "sub",
            Op::Mul(..) => "mul",
            Op::Udiv(..) => "udiv",
            Op::Urem(..) => "urem",
            Op::Sdiv(..) => "sdiv",
            Op::Srem(..) => "srem",
            Op::And(..) => "and",
            Op::Or(..) => "or",
            Op::Xor(..) => "xor",
            Op::Not(_) => "not",
            Op::Shl(..) => "shl",
            Op::Lshr(..) => "lshr",
            Op::Ashr(..) => "ashr",
            Op::Ult(..) => "ult",
            Op::Slt(..) => "slt",
            Op::Eq(..) => "eq",
            Op::Mux(..) => "mux",
            Op::Slice(_, lo) => &format!("slice from {lo}"),
            Op::Concat(_) => "concat",
            Op::Zext(_) => "zext",
            Op::Sext(_) => "sext",
            Op::Popcount(_) => "popcount",
            Op::Decode(_) => "decode",
            Op::Select(..) => "select",
            Op::Call(i, _) => &format!("call f{i}"),
        };
        let mut operands = Vec::new();
        op.for_each(|n| operands.push(self.name(n.0)));
        format!("{name} {}", operands.join(", "))
    }
}
