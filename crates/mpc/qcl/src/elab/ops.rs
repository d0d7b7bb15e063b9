//! Operators and conversions.

use std::rc::Rc;

use super::Elab;
use super::ast::{BinaryOp, UnaryOp};
use super::value::{Data, Val};
use crate::bigint::BigInt;
use crate::ir::{Node, Op};
use crate::source::{Fault, Result, Span};
use crate::types::Ty;

/// Widest intermediate constant, bits.
const MAX_CONST_BITS: u32 = 1 << 17;

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::And => "&",
        BinaryOp::Or => "|",
        BinaryOp::Xor => "^",
        BinaryOp::AndNot => "&^",
        BinaryOp::Shl => "<<",
        BinaryOp::Shr => ">>",
        BinaryOp::LogicalAnd => "&&",
        BinaryOp::LogicalOr => "||",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
    }
}

const fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
    )
}

impl Elab<'_> {
    pub(super) fn not(&mut self, node: Node) -> Node {
        let width = self.graph.width(node);
        self.graph.add(Op::Not(node), width)
    }

    pub(super) fn unary(&mut self, op: UnaryOp, val: Val, span: Span) -> Result<Val> {
        match (op, &val.data, &val.ty) {
            (UnaryOp::Not, Data::Word(node), Ty::Bool) => {
                let node = *node;
                Ok(Val::bool(self.not(node)))
            }
            (UnaryOp::Plus, _, Ty::Int { .. } | Ty::Untyped) => Ok(val),
            (UnaryOp::Minus, Data::Untyped(value), _) => Ok(Val::untyped(value.neg())),
            (UnaryOp::Complement, Data::Untyped(value), _) => {
                Ok(Val::untyped(value.add(&BigInt::one()).neg()))
            }
            (UnaryOp::Minus, Data::Word(node), Ty::Int { width, .. }) => {
                let (node, width) = (*node, *width);
                let zero = self.graph.constant_node(&BigInt::zero(), width);
                Ok(Val::word(
                    val.ty,
                    self.graph.add(Op::Sub(zero, node), width),
                ))
            }
            (UnaryOp::Complement, Data::Word(node), Ty::Int { .. }) => {
                let node = *node;
                Ok(Val::word(val.ty, self.not(node)))
            }
            _ => {
                let sign = match op {
                    UnaryOp::Not => "!",
                    UnaryOp::Minus => "-",
                    UnaryOp::Plus => "+",
                    _ => "^",
                };
                let message = format!("`{sign}` does not apply to {}", val.ty);
                Err(Fault::new(
                    span,
                    message,
                    "`!` is for bool; `-`, `+` and `^` are for integers",
                ))
            }
        }
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: Val, b: Val, span: Span) -> Result<Val> {
        if matches!(op, BinaryOp::Shl | BinaryOp::Shr) {
            return self.shift(op == BinaryOp::Shl, a, b, span);
        }
        if let (Data::Untyped(x), Data::Untyped(y)) = (&a.data, &b.data) {
            return self.untyped(op, x, y, span);
        }
        let (a, b) = self.unify(op, a, b, span)?;
        if is_comparison(op) {
            return self.compare(op, &a, &b, span);
        }
        match (&a.ty, &a.data, &b.data) {
            (Ty::Int { signed, .. }, Data::Word(x), Data::Word(y)) => {
                let node = self.arithmetic(op, *signed, *x, *y);
                Ok(Val::word(a.ty, node))
            }
            (Ty::Text(_) | Ty::Array(..), Data::Agg(x), Data::Agg(y)) if op == BinaryOp::Add => {
                let len = x.len().saturating_add(y.len());
                self.charge(len as u64, span)?;
                let data: Vec<Data> = x.iter().chain(y.iter()).cloned().collect();
                let len = u32::try_from(len).unwrap_or(u32::MAX);
                let ty = match &a.ty {
                    Ty::Array(_, elem) => Ty::Array(len, Rc::clone(elem)),
                    _ => Ty::Text(len),
                };
                Ok(Val {
                    ty,
                    data: Data::Agg(Rc::new(data)),
                })
            }
            (Ty::Bool, Data::Word(x), Data::Word(y))
                if matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Xor) =>
            {
                Ok(Val::bool(self.arithmetic(op, false, *x, *y)))
            }
            _ => {
                let message = format!("`{}` does not apply to {}", symbol(op), a.ty);
                Err(Fault::new(
                    span,
                    message,
                    "arithmetic is for integers; `+` also joins strings and arrays",
                ))
            }
        }
    }

    fn arithmetic(&mut self, op: BinaryOp, signed: bool, a: Node, b: Node) -> Node {
        let width = self.graph.width(a);
        if let (false, Some(log)) = (signed, self.log2(b)) {
            // Unsigned division by a power of two is wiring.
            match op {
                BinaryOp::Div => return self.shift_const(false, false, a, log),
                BinaryOp::Rem if log == 0 => {
                    return self.graph.constant_node(&BigInt::zero(), width);
                }
                BinaryOp::Rem => {
                    let low = self.graph.slice(a, 0, log);
                    return self.graph.resize(low, width, false);
                }
                _ => {}
            }
        }
        let op = match op {
            BinaryOp::Add => Op::Add(a, b),
            BinaryOp::Sub => Op::Sub(a, b),
            BinaryOp::Mul => Op::Mul(a, b),
            BinaryOp::Div if signed => Op::Sdiv(a, b),
            BinaryOp::Div => Op::Udiv(a, b),
            BinaryOp::Rem if signed => Op::Srem(a, b),
            BinaryOp::Rem => Op::Urem(a, b),
            BinaryOp::Or => Op::Or(a, b),
            BinaryOp::Xor => Op::Xor(a, b),
            BinaryOp::AndNot => {
                let inverted = self.not(b);
                Op::And(a, inverted)
            }
            _ => Op::And(a, b),
        };
        self.graph.add(op, width)
    }

    fn log2(&self, node: Node) -> Option<u32> {
        let value = self.graph.constant(node)?;
        let log = value.bits().checked_sub(1)?;
        (*value == BigInt::pow2(log)).then_some(log)
    }

    /// Brings both sides to one type: constants take the type of the other side.
    fn unify(&mut self, op: BinaryOp, a: Val, b: Val, span: Span) -> Result<(Val, Val)> {
        let (a, b) = if a.ty == Ty::Untyped {
            let ty = b.ty.clone();
            (self.coerce(a, &ty, span)?, b)
        } else if b.ty == Ty::Untyped {
            let ty = a.ty.clone();
            let b = self.coerce(b, &ty, span)?;
            (a, b)
        } else {
            (a, b)
        };
        let joined = op == BinaryOp::Add
            && match (&a.ty, &b.ty) {
                (Ty::Text(_), Ty::Text(_)) => true,
                (Ty::Array(_, x), Ty::Array(_, y)) => x == y,
                _ => false,
            };
        if a.ty != b.ty && !joined {
            let message = format!("`{}` between {} and {}", symbol(op), a.ty, b.ty);
            let hint = match (&a.ty, &b.ty) {
                (Ty::Int { .. }, Ty::Int { .. }) => format!("convert one side: `{}(x)`", a.ty),
                _ => "both sides need the same type".to_owned(),
            };
            return Err(Fault::new(span, message, hint));
        }
        Ok((a, b))
    }

    fn compare(&mut self, op: BinaryOp, a: &Val, b: &Val, span: Span) -> Result<Val> {
        let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        if equality {
            if a.ty.has_pointer() {
                return Err(Fault::new(
                    span,
                    "pointers cannot be compared",
                    "compare what they point to",
                ));
            }
            self.charge_parts(&a.data, span)?;
            let (x, y) = (self.word_of(&a.data), self.word_of(&b.data));
            let same = match (x, y) {
                (Some(x), Some(y)) => self.graph.add(Op::Eq(x, y), 1),
                _ => self.graph.bit(true),
            };
            return Ok(Val::bool(if op == BinaryOp::Ne {
                self.not(same)
            } else {
                same
            }));
        }
        let (Ty::Int { signed, .. }, Data::Word(x), Data::Word(y)) = (&a.ty, &a.data, &b.data)
        else {
            let message = format!("`{}` does not order {}", symbol(op), a.ty);
            return Err(Fault::new(
                span,
                message,
                "only integers have an order; bytes.Compare orders byte strings",
            ));
        };
        let (x, y) = match op {
            BinaryOp::Lt | BinaryOp::Ge => (*x, *y),
            _ => (*y, *x),
        };
        let less = if *signed {
            Op::Slt(x, y)
        } else {
            Op::Ult(x, y)
        };
        let less = self.graph.add(less, 1);
        let inverted = matches!(op, BinaryOp::Le | BinaryOp::Ge);
        Ok(Val::bool(if inverted { self.not(less) } else { less }))
    }

    fn untyped(&mut self, op: BinaryOp, a: &BigInt, b: &BigInt, span: Span) -> Result<Val> {
        let value = match op {
            BinaryOp::Add => a.add(b),
            BinaryOp::Sub => a.sub(b),
            BinaryOp::Mul => a.mul(b),
            BinaryOp::Div | BinaryOp::Rem => {
                let Some((quotient, rest)) = a.div_rem(b) else {
                    return Err(Fault::new(
                        span,
                        "constant division by zero",
                        "give the constant a type if 2^n - 1 is meant",
                    ));
                };
                if op == BinaryOp::Div { quotient } else { rest }
            }
            BinaryOp::And => a.bitwise(b, |x, y| x & y),
            BinaryOp::Or => a.bitwise(b, |x, y| x | y),
            BinaryOp::Xor => a.bitwise(b, |x, y| x ^ y),
            BinaryOp::AndNot => a.bitwise(b, |x, y| x & !y),
            _ => {
                let order = a.cmp(b);
                let value = match op {
                    BinaryOp::Eq => order.is_eq(),
                    BinaryOp::Ne => order.is_ne(),
                    BinaryOp::Lt => order.is_lt(),
                    BinaryOp::Le => order.is_le(),
                    BinaryOp::Gt => order.is_gt(),
                    _ => order.is_ge(),
                };
                return Ok(self.bool_val(value));
            }
        };
        limited(value, span).map(Val::untyped)
    }

    fn shift(&mut self, left: bool, a: Val, count: Val, span: Span) -> Result<Val> {
        if !matches!(count.ty, Ty::Int { .. } | Ty::Untyped) {
            let message = format!("shift count is {}, not an integer", count.ty);
            return Err(Fault::new(span, message, "shift by an integer"));
        }
        let constant = self.constant(&count);
        if constant.as_ref().is_some_and(BigInt::is_negative) {
            return Err(Fault::new(
                span,
                "negative shift count",
                "shift the other way",
            ));
        }
        if let (Data::Untyped(value), Some(by)) = (&a.data, &constant) {
            let by = by.to_u32().filter(|n| *n <= MAX_CONST_BITS || !left);
            let Some(by) = by else {
                return Err(too_wide(span));
            };
            return if left {
                limited(value.shl(by), span).map(Val::untyped)
            } else {
                Ok(Val::untyped(value.shr(by)))
            };
        }
        let a = self.default_type(a, span)?;
        let (Ty::Int { signed, width }, Data::Word(node)) = (&a.ty, &a.data) else {
            let message = format!("{} cannot be shifted", a.ty);
            return Err(Fault::new(span, message, "only integers can be shifted"));
        };
        let (signed, width, node) = (*signed, *width, *node);
        let shifted = match (constant, &count.data) {
            (Some(by), _) => {
                let by = by.to_u32().unwrap_or(width).min(width);
                self.shift_const(left, signed, node, by)
            }
            (None, Data::Word(by)) => {
                let op = match (left, signed) {
                    (true, _) => Op::Shl(node, *by),
                    (false, true) => Op::Ashr(node, *by),
                    (false, false) => Op::Lshr(node, *by),
                };
                self.graph.add(op, width)
            }
            _ => node,
        };
        Ok(Val::word(a.ty, shifted))
    }

    /// Shift by a known count up to the width: wiring.
    fn shift_const(&mut self, left: bool, signed: bool, node: Node, by: u32) -> Node {
        let width = self.graph.width(node);
        if by == 0 {
            return node;
        }
        if by == width {
            if left || !signed {
                return self.graph.constant_node(&BigInt::zero(), width);
            }
            let sign = self.graph.slice(node, width - 1, 1);
            return self.graph.resize(sign, width, true);
        }
        if left {
            let zero = self.graph.constant_node(&BigInt::zero(), by);
            let low = self.graph.slice(node, 0, width - by);
            return self.graph.concat(&[zero, low]);
        }
        let high = self.graph.slice(node, by, width - by);
        self.graph.resize(high, width, signed)
    }

    /// Gives an untyped constant its default type.
    pub(super) fn default_type(&mut self, val: Val, span: Span) -> Result<Val> {
        if val.ty == Ty::Untyped {
            self.coerce(val, &Ty::INT32, span)
        } else {
            Ok(val)
        }
    }

    /// Makes a value fit a declared type without changing it: constants take the type, open types take the length.
    pub(super) fn coerce(&mut self, val: Val, ty: &Ty, span: Span) -> Result<Val> {
        if val.ty == *ty {
            return Ok(val);
        }
        match (ty, &val.ty, &val.data) {
            (Ty::Int { signed, width }, Ty::Untyped, Data::Untyped(value)) => {
                if !value.fits(*signed, *width) {
                    let hint = if value.is_negative() && !signed {
                        "unsigned types hold no negative numbers"
                    } else {
                        "use a wider type, or mask the constant"
                    };
                    return Err(Fault::new(
                        span,
                        format!("constant {value} does not fit {ty}"),
                        hint,
                    ));
                }
                let value = value.clone();
                Ok(self.int_val(&value, *signed, *width))
            }
            (Ty::OpenInt { signed }, Ty::Untyped, _) => {
                let ty = Ty::Int {
                    signed: *signed,
                    width: 32,
                };
                self.coerce(val, &ty, span)
            }
            (open, found, _) if fits_open(open, found) => Ok(val),
            _ => {
                let message = format!("expected {ty}, found {}", val.ty);
                let hint = match (ty, &val.ty) {
                    (Ty::Int { .. } | Ty::OpenInt { .. }, Ty::Int { .. }) => {
                        format!("convert it: `{ty}(x)`")
                    }
                    (Ty::Array(..) | Ty::Slice(_), Ty::Text(_)) => {
                        "convert it: `[]byte(s)`".to_owned()
                    }
                    (Ty::Pointer(_), _) => "take the address with `&`".to_owned(),
                    (Ty::Bool, _) => "compare with `==`, `!=`, `<` …".to_owned(),
                    _ => "the types have to be the same".to_owned(),
                };
                Err(Fault::new(span, message, hint))
            }
        }
    }

    /// `T(x)`.
    pub(super) fn convert(&mut self, ty: &Ty, val: Val, span: Span) -> Result<Val> {
        match (ty, &val.ty, &val.data) {
            (Ty::Int { width, .. }, Ty::Int { signed, .. }, Data::Word(node)) => Ok(Val::word(
                ty.clone(),
                self.graph.resize(*node, *width, *signed),
            )),
            (Ty::Int { width, .. }, Ty::Bool, Data::Word(node)) => Ok(Val::word(
                ty.clone(),
                self.graph.resize(*node, *width, false),
            )),
            (Ty::OpenInt { signed }, Ty::Int { width, .. }, _) => Ok(Val {
                ty: Ty::Int {
                    signed: *signed,
                    width: *width,
                },
                data: val.data,
            }),
            (Ty::OpenText | Ty::Text(_), Ty::Array(len, elem), _) if **elem == Ty::BYTE => {
                let len = *len;
                self.coerce(
                    Val {
                        ty: Ty::Text(len),
                        data: val.data,
                    },
                    ty,
                    span,
                )
            }
            (
                Ty::OpenText | Ty::Text(_),
                Ty::Int {
                    signed: false,
                    width: 8,
                },
                _,
            ) => {
                let data = Data::Agg(Rc::new(vec![val.data]));
                self.coerce(
                    Val {
                        ty: Ty::Text(1),
                        data,
                    },
                    ty,
                    span,
                )
            }
            (Ty::Slice(elem) | Ty::Array(_, elem), Ty::Text(len), _) if **elem == Ty::BYTE => {
                let ty_found = Ty::Array(*len, Rc::clone(elem));
                self.coerce(
                    Val {
                        ty: ty_found,
                        data: val.data,
                    },
                    ty,
                    span,
                )
            }
            _ => self.coerce(val, ty, span),
        }
    }
}

fn limited(value: BigInt, span: Span) -> Result<BigInt> {
    if value.bits() > MAX_CONST_BITS {
        Err(too_wide(span))
    } else {
        Ok(value)
    }
}

fn too_wide(span: Span) -> Box<Fault> {
    Fault::new(
        span,
        format!("constant wider than {MAX_CONST_BITS} bits"),
        "use smaller constants",
    )
}

/// Whether a type is an instance of a declared, possibly open one.
fn fits_open(open: &Ty, found: &Ty) -> bool {
    match (open, found) {
        (Ty::OpenInt { signed }, Ty::Int { signed: found, .. }) => signed == found,
        (Ty::OpenText, Ty::Text(_)) => true,
        (Ty::Slice(elem), Ty::Array(_, found)) => fits_open(elem, found),
        (Ty::Array(len, elem), Ty::Array(n, found)) => len == n && fits_open(elem, found),
        (Ty::Struct(def), Ty::Struct(other)) => {
            def.package == other.package
                && def.name == other.name
                && def
                    .fields
                    .iter()
                    .zip(&other.fields)
                    .all(|(a, b)| fits_open(&a.1, &b.1))
        }
        _ => open == found,
    }
}
