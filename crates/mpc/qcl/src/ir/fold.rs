//! Constants and identities of word operations.

use super::{Graph, Node, Op};
use crate::bigint::BigInt;

pub(super) enum Folded {
    Const(BigInt),
    Node(Node),
    Op(Op),
}

/// A simpler equal of the operation, if there is one. Folding to a constant happens always: the language has
/// constants with values known while compiling.
pub(super) fn fold(graph: &Graph, op: &Op, width: u32) -> Option<Folded> {
    if let Some(value) = constant(graph, op, width) {
        return Some(Folded::Const(value.mask(width)));
    }
    if let Some(value) = forced(graph, op) {
        return Some(Folded::Const(value.mask(width)));
    }
    identity(graph, op, width)
}

/// Value of an operation on constants.
fn constant(graph: &Graph, op: &Op, width: u32) -> Option<BigInt> {
    let get = |n: &Node| graph.constant(*n);
    Some(match op {
        Op::Const(value) => value.clone(),
        Op::Param(_) | Op::Call(..) => return None,
        Op::Add(a, b) => get(a)?.add(get(b)?),
        Op::Sub(a, b) => get(a)?.sub(get(b)?),
        Op::Mul(a, b) => get(a)?.mul(get(b)?),
        Op::Udiv(a, b) => udiv(get(a)?, get(b)?).0,
        Op::Urem(a, b) => udiv(get(a)?, get(b)?).1,
        Op::Sdiv(a, b) => udiv(&get(a)?.signed(width), &get(b)?.signed(width)).0,
        Op::Srem(a, b) => udiv(&get(a)?.signed(width), &get(b)?.signed(width)).1,
        Op::And(a, b) => get(a)?.bitwise(get(b)?, |x, y| x & y),
        Op::Or(a, b) => get(a)?.bitwise(get(b)?, |x, y| x | y),
        Op::Xor(a, b) => get(a)?.bitwise(get(b)?, |x, y| x ^ y),
        Op::Not(a) => get(a)?.add(&BigInt::one()).neg(),
        Op::Shl(a, b) => {
            let (a, count) = (get(a)?, count(get(b)?, width));
            if count >= width {
                BigInt::zero()
            } else {
                a.shl(count)
            }
        }
        Op::Lshr(a, b) => get(a)?.shr(count(get(b)?, width)),
        Op::Ashr(a, b) => get(a)?.signed(width).shr(count(get(b)?, width)),
        Op::Ult(a, b) => BigInt::from(get(a)? < get(b)?),
        Op::Slt(a, b) => {
            let from = graph.width(*a);
            BigInt::from(get(a)?.signed(from) < get(b)?.signed(from))
        }
        Op::Eq(a, b) => BigInt::from(get(a)? == get(b)?),
        Op::Mux(c, t, f) => if get(c)?.is_zero() { get(f)? } else { get(t)? }.clone(),
        Op::Slice(a, lo) => get(a)?.shr(*lo),
        Op::Concat(list) => {
            let mut sum = BigInt::zero();
            let mut at = 0u32;
            for node in list.iter() {
                sum = sum.add(&get(node)?.shl(at));
                at = at.saturating_add(graph.width(*node));
            }
            sum
        }
        Op::Zext(a) => get(a)?.clone(),
        Op::Sext(a) => get(a)?.signed(graph.width(*a)),
        Op::Popcount(a) => {
            let value = get(a)?;
            let ones = (0..value.bits()).filter(|i| value.bit(*i)).count();
            BigInt::from(u32::try_from(ones).ok()?)
        }
        Op::Decode(a) => match get(a)?.to_u32() {
            Some(i) if i < width => BigInt::pow2(i),
            _ => BigInt::zero(),
        },
        Op::Select(index, list) => {
            let at = get(index)?.to_u32().and_then(|i| usize::try_from(i).ok());
            match at.and_then(|i| list.get(i)) {
                Some(node) => get(node)?.clone(),
                None => BigInt::zero(),
            }
        }
    })
}

/// Quotient and remainder with the language's meaning of a zero divisor.
fn udiv(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    a.div_rem(b)
        .unwrap_or_else(|| (BigInt::one().neg(), a.clone()))
}

fn count(value: &BigInt, width: u32) -> u32 {
    value.to_u32().unwrap_or(width).min(width)
}

/// Results that are constant whatever the other operand is.
fn forced(graph: &Graph, op: &Op) -> Option<BigInt> {
    let zero = |n: &Node| graph.constant(*n).is_some_and(BigInt::is_zero);
    match op {
        Op::Mul(a, b) | Op::And(a, b) if zero(a) || zero(b) => Some(BigInt::zero()),
        Op::Sub(a, b) | Op::Xor(a, b) if a == b => Some(BigInt::zero()),
        Op::Eq(a, b) if a == b => Some(BigInt::one()),
        Op::Ult(a, b) | Op::Slt(a, b) if a == b => Some(BigInt::zero()),
        Op::Ult(_, b) if zero(b) => Some(BigInt::zero()),
        Op::And(a, b) if opposite(graph, *a, *b) => Some(BigInt::zero()),
        Op::Or(a, b) if opposite(graph, *a, *b) => Some(BigInt::one().neg()),
        _ => None,
    }
}

fn opposite(graph: &Graph, a: Node, b: Node) -> bool {
    matches!(graph.op(a), Op::Not(x) if *x == b) || matches!(graph.op(b), Op::Not(x) if *x == a)
}

fn identity(graph: &Graph, op: &Op, width: u32) -> Option<Folded> {
    let zero = |n: &Node| graph.constant(*n).is_some_and(BigInt::is_zero);
    let one = |n: &Node| graph.constant(*n).is_some_and(|v| *v == BigInt::one());
    let ones = |n: &Node| {
        graph
            .constant(*n)
            .is_some_and(|v| *v == BigInt::one().neg().mask(graph.width(*n)))
    };
    let node = match op {
        Op::Add(a, b) | Op::Or(a, b) | Op::Xor(a, b) if zero(b) => *a,
        Op::Add(a, b) | Op::Or(a, b) | Op::Xor(a, b) if zero(a) => *b,
        Op::Sub(a, b) | Op::Shl(a, b) | Op::Lshr(a, b) | Op::Ashr(a, b) if zero(b) => *a,
        Op::Mul(a, b) if one(b) => *a,
        Op::Mul(a, b) if one(a) => *b,
        Op::And(a, b) if ones(b) || a == b => *a,
        Op::And(a, b) if ones(a) => *b,
        Op::Or(a, b) if a == b => *a,
        Op::Xor(a, b) if ones(b) => return Some(Folded::Op(Op::Not(*a))),
        Op::Xor(a, b) if ones(a) => return Some(Folded::Op(Op::Not(*b))),
        Op::Not(a) => match graph.op(*a) {
            Op::Not(inner) => *inner,
            _ => return None,
        },
        Op::Mux(c, t, f) => return mux(graph, *c, *t, *f, width),
        Op::Slice(a, lo) => return slice(graph, *a, *lo, width),
        Op::Add(a, b) if a > b => return Some(Folded::Op(Op::Add(*b, *a))),
        Op::Mul(a, b) if a > b => return Some(Folded::Op(Op::Mul(*b, *a))),
        Op::And(a, b) if a > b => return Some(Folded::Op(Op::And(*b, *a))),
        Op::Or(a, b) if a > b => return Some(Folded::Op(Op::Or(*b, *a))),
        Op::Xor(a, b) if a > b => return Some(Folded::Op(Op::Xor(*b, *a))),
        Op::Eq(a, b) if a > b => return Some(Folded::Op(Op::Eq(*b, *a))),
        Op::Select(index, list) => {
            let value = graph.constant(*index)?;
            let at = value.to_u32().and_then(|i| usize::try_from(i).ok());
            *at.and_then(|i| list.get(i))?
        }
        _ => return None,
    };
    Some(Folded::Node(node))
}

fn mux(graph: &Graph, c: Node, t: Node, f: Node, width: u32) -> Option<Folded> {
    if t == f {
        return Some(Folded::Node(t));
    }
    if let Some(value) = graph.constant(c) {
        return Some(Folded::Node(if value.is_zero() { f } else { t }));
    }
    if let Op::Not(inner) = graph.op(c) {
        return Some(Folded::Op(Op::Mux(*inner, f, t)));
    }
    if width != 1 {
        return None;
    }
    let value = |n: Node| graph.constant(n).map(|v| !v.is_zero());
    match (value(t), value(f)) {
        (Some(true), Some(false)) => Some(Folded::Node(c)),
        (Some(false), Some(true)) => Some(Folded::Op(Op::Not(c))),
        (Some(true), None) => Some(Folded::Op(Op::Or(c, f))),
        (None, Some(false)) => Some(Folded::Op(Op::And(c, t))),
        _ => None,
    }
}

fn slice(graph: &Graph, a: Node, lo: u32, width: u32) -> Option<Folded> {
    if lo == 0 && graph.width(a) == width {
        return Some(Folded::Node(a));
    }
    let end = lo.saturating_add(width);
    match graph.op(a) {
        Op::Slice(inner, low) => Some(Folded::Op(Op::Slice(*inner, low.saturating_add(lo)))),
        Op::Concat(list) => {
            let mut at = 0u32;
            for node in list.iter() {
                let next = at.saturating_add(graph.width(*node));
                if lo >= at && end <= next {
                    let inner = lo.saturating_sub(at);
                    return Some(if inner == 0 && next.saturating_sub(at) == width {
                        Folded::Node(*node)
                    } else {
                        Folded::Op(Op::Slice(*node, inner))
                    });
                }
                at = next;
            }
            None
        }
        Op::Zext(inner) | Op::Sext(inner) if end <= graph.width(*inner) => {
            Some(if lo == 0 && width == graph.width(*inner) {
                Folded::Node(*inner)
            } else {
                Folded::Op(Op::Slice(*inner, lo))
            })
        }
        Op::Zext(inner) if lo >= graph.width(*inner) => Some(Folded::Const(BigInt::zero())),
        _ => None,
    }
}
