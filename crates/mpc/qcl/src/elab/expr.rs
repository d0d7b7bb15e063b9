//! Expressions.

use std::rc::Rc;

use super::ast::{BinaryOp, Expr, ExprKind, Name, UnaryOp};
use super::place::{Step, elements, field};
use super::value::{Data, Val};
use super::{Binding, Elab};
use crate::source::{Fault, Result, Span};
use crate::types::Ty;

impl<'a> Elab<'a> {
    /// The one value of an expression.
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Result<Val> {
        self.enter(expr.span)?;
        let val = self.eval_kind(expr)?;
        self.leave();
        Ok(val)
    }

    fn eval_kind(&mut self, expr: &'a Expr) -> Result<Val> {
        match &expr.kind {
            ExprKind::Int(value) => Ok(Val::untyped(value.clone())),
            ExprKind::Str(bytes) => {
                self.charge(bytes.len() as u64, expr.span)?;
                Ok(self.text_val(bytes))
            }
            ExprKind::Ident(name) => self.ident(name, expr.span),
            ExprKind::Unary(op, inner) => self.eval_unary(*op, inner, expr.span),
            ExprKind::Binary(op @ (BinaryOp::LogicalAnd | BinaryOp::LogicalOr), a, b) => {
                self.logical(*op == BinaryOp::LogicalAnd, a, b)
            }
            ExprKind::Binary(op, a, b) => {
                let left = self.eval(a)?;
                let right = self.eval(b)?;
                self.binary(*op, left, right, expr.span)
            }
            ExprKind::Index(base, index) => self.eval_index(base, index),
            ExprKind::Slice(base, lo, hi) => {
                let val = self.eval_base(base)?;
                let (from, len, ty) =
                    self.bounds(&val.ty, lo.as_deref(), hi.as_deref(), expr.span)?;
                let data = self.read_data(&val.data, &[Step::Part(from, len)], expr.span)?;
                Ok(Val { ty, data })
            }
            ExprKind::Selector(base, name) => self.selector(base, name, expr.span),
            ExprKind::Call(..) => self.eval_call_one(expr),
            ExprKind::Composite(ty, elements) => self.composite(ty, elements),
            ExprKind::Type(_) => Err(Fault::new(
                expr.span,
                "a type is not a value",
                "convert with `T(x)` or build with `T{…}`",
            )),
        }
    }

    fn eval_call_one(&mut self, expr: &'a Expr) -> Result<Val> {
        let mut list = self.eval_call(expr)?;
        match (list.pop(), list.len()) {
            (Some(val), 0) => Ok(val),
            (None, _) => Err(Fault::new(
                expr.span,
                "this call has no value",
                "use it as a statement",
            )),
            (Some(_), more) => Err(Fault::new(
                expr.span,
                format!("this call has {} values", more.saturating_add(1)),
                "assign them: `a, b := f()`",
            )),
        }
    }

    fn ident(&mut self, name: &str, span: Span) -> Result<Val> {
        match self.lookup(name) {
            Some(Binding::Object(id)) => {
                let val = self.objects[*id].val.clone();
                return self.defined(val, span);
            }
            Some(Binding::Const(val)) => return Ok(val.clone()),
            None => {}
        }
        let package = self.frame.package;
        if let Some(val) = self.package_value(package, name, span)? {
            return Ok(val);
        }
        match name {
            "true" => return Ok(self.bool_val(true)),
            "false" => return Ok(self.bool_val(false)),
            _ => {}
        }
        let (message, hint) = if self.package().by_name.contains_key(name) {
            (
                format!("function `{name}` is not called"),
                "functions are not values; write its arguments",
            )
        } else if self.package().types.contains_key(name) || Ty::builtin(name).is_some() {
            (
                format!("`{name}` is a type, not a value"),
                "convert with `T(x)` or build with `T{…}`",
            )
        } else if name == "_" {
            (
                "`_` has no value".to_owned(),
                "it only stands on the left of an assignment",
            )
        } else if name == "nil" {
            (
                "there is no `nil`".to_owned(),
                "pointers always point to a variable",
            )
        } else {
            (
                format!("unknown name `{name}`"),
                "declare it with `:=`, `var` or `const`, or import its package",
            )
        };
        Err(Fault::new(span, message, hint))
    }

    #[expect(clippy::unused_self, reason = "reads like the other steps")]
    fn defined(&self, val: Val, span: Span) -> Result<Val> {
        if val.data == Data::Undef {
            return Err(Fault::new(
                span,
                "this has no value yet",
                "assign it before it is read",
            ));
        }
        Ok(val)
    }

    /// A value to index or select from: pointers are followed.
    fn eval_base(&mut self, expr: &'a Expr) -> Result<Val> {
        let val = self.eval(expr)?;
        match (&val.data, &val.ty) {
            (Data::Pointer(place), Ty::Pointer(to)) => {
                let (place, ty) = (place.clone(), (**to).clone());
                self.read(&place, ty, expr.span)
            }
            _ => Ok(val),
        }
    }

    fn eval_index(&mut self, base: &'a Expr, index: &'a Expr) -> Result<Val> {
        let val = self.eval_base(base)?;
        let (len, elem) = elements(&val.ty, base.span)?;
        let step = self.index_step(index, len)?;
        let data = self.read_data(&val.data, &[step], base.span)?;
        Ok(Val { ty: elem, data })
    }

    fn selector(&mut self, base: &'a Expr, name: &'a Name, span: Span) -> Result<Val> {
        if let Some(package) = self.import(base) {
            if let Some(val) = self.package_value(package, &name.text, span)? {
                return Ok(val);
            }
            let path = &self.packages.get(package).path;
            let message = format!("package {path:?} has no value `{}`", name.text);
            return Err(Fault::new(
                name.span,
                message,
                "see the documentation of the package",
            ));
        }
        let val = self.eval_base(base)?;
        let (index, ty) = field(&val.ty, &name.text, name.span)?;
        let data = self.read_data(&val.data, &[Step::At(index)], span)?;
        Ok(Val { ty, data })
    }

    fn eval_unary(&mut self, op: UnaryOp, inner: &'a Expr, span: Span) -> Result<Val> {
        match op {
            UnaryOp::Address => {
                let (place, ty) = self.place(inner)?;
                Ok(Val {
                    ty: Ty::Pointer(Rc::new(ty)),
                    data: Data::Pointer(place),
                })
            }
            UnaryOp::Deref => {
                let val = self.eval(inner)?;
                if !matches!(val.ty, Ty::Pointer(_)) {
                    let message = format!("{} is not a pointer", val.ty);
                    return Err(Fault::new(span, message, "take an address with `&`"));
                }
                match (val.data, val.ty) {
                    (Data::Pointer(place), Ty::Pointer(to)) => {
                        let val = self.read(&place, (*to).clone(), span)?;
                        self.defined(val, span)
                    }
                    _ => Err(Fault::new(
                        span,
                        "this pointer points nowhere",
                        "assign `&variable` first",
                    )),
                }
            }
            _ => {
                let val = self.eval(inner)?;
                self.unary(op, val, span)
            }
        }
    }

    /// `&&` and `||`: the right side is executed under the condition that it matters.
    fn logical(&mut self, and: bool, a: &'a Expr, b: &'a Expr) -> Result<Val> {
        let left = self.condition(a)?;
        match self.graph.constant(left).map(|v| !v.is_zero()) {
            Some(value) if value == and => Ok(Val::bool(self.condition(b)?)),
            Some(_) => Ok(Val::bool(left)),
            None => {
                let guard = if and { left } else { self.not(left) };
                let mut right = left;
                self.branch(
                    guard,
                    b.span,
                    |this| {
                        right = this.condition(b)?;
                        Ok(())
                    },
                    |_| Ok(()),
                )?;
                let op = if and {
                    crate::ir::Op::And(left, right)
                } else {
                    crate::ir::Op::Or(left, right)
                };
                Ok(Val::bool(self.graph.add(op, 1)))
            }
        }
    }

    /// A boolean as a node.
    pub(super) fn condition(&mut self, expr: &'a Expr) -> Result<crate::ir::Node> {
        let val = self.eval(expr)?;
        match (val.ty, val.data) {
            (Ty::Bool, Data::Word(node)) => Ok(node),
            (ty, _) => Err(Fault::new(
                expr.span,
                format!("expected bool, found {ty}"),
                "compare with `==`, `!=`, `<` …",
            )),
        }
    }
}
