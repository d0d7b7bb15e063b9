//! Built-in functions.

use super::Elab;
use super::ast::{Expr, ExprKind};
use super::place::elements;
use super::value::{Data, Val};
use crate::bigint::BigInt;
use crate::ir::Op;
use crate::source::{Fault, Result, Span};
use crate::types::{MAX_VALUE_BITS, Ty};

pub(super) const NAMES: [&str; 7] = [
    "len",
    "size",
    "floorPow2",
    "make",
    "copy",
    "native",
    "panic",
];

impl<'a> Elab<'a> {
    pub(super) fn builtin(&mut self, name: &str, args: &'a [Expr], span: Span) -> Result<Vec<Val>> {
        let one = |hint: &str| match args {
            [arg] => Ok(arg),
            _ => Err(Fault::new(
                span,
                format!("`{name}` takes one argument"),
                hint,
            )),
        };
        let val = match name {
            "len" => {
                let arg = one("len(array)")?;
                let val = self.followed(arg)?;
                Self::number(elements(&val.ty, arg.span)?.0)
            }
            "size" => {
                let arg = one("size(value) is its width in bits")?;
                let val = self.eval(arg)?;
                let val = self.default_type(val, arg.span)?;
                Val::untyped(BigInt::from(val.ty.bits()))
            }
            "floorPow2" => {
                let arg = one("floorPow2(constant)")?;
                let value = self.const_u32(arg, "argument")?;
                Self::number(if value == 0 { 0 } else { 1 << value.ilog2() })
            }
            "make" => self.make(args, span)?,
            "copy" => self.copy(args, span)?,
            "native" => self.native(args, span)?,
            _ => {
                let text = match args.first().map(|a| &a.kind) {
                    Some(ExprKind::Str(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                    _ => "reached".to_owned(),
                };
                return Err(Fault::new(
                    span,
                    format!("panic: {text}"),
                    "this statement must not be reached",
                ));
            }
        };
        Ok(vec![val])
    }

    /// A value; pointers are followed.
    fn followed(&mut self, expr: &'a Expr) -> Result<Val> {
        let val = self.eval(expr)?;
        match (&val.data, &val.ty) {
            (Data::Pointer(place), Ty::Pointer(to)) => {
                let (place, ty) = (place.clone(), (**to).clone());
                self.read(&place, ty, expr.span)
            }
            _ => Ok(val),
        }
    }

    fn make(&mut self, args: &'a [Expr], span: Span) -> Result<Val> {
        let wrong = || {
            Fault::new(
                span,
                "`make` takes a slice type and a length",
                "write `make([]byte, 32)`",
            )
        };
        let [ty, len] = args else { return Err(wrong()) };
        let Some(Ty::Slice(elem)) = self.type_of_expr(ty)? else {
            return Err(wrong());
        };
        let len = self.const_u32(len, "length")?;
        let ty = Ty::Array(len, elem);
        if ty.bits() > MAX_VALUE_BITS {
            return Err(Fault::new(
                span,
                format!("more than {MAX_VALUE_BITS} bits"),
                "use fewer elements",
            ));
        }
        self.charge(u64::from(len), span)?;
        let data = self.zero(&ty);
        Ok(Val { ty, data })
    }

    /// Copies as many elements as both have; gives their number.
    fn copy(&mut self, args: &'a [Expr], span: Span) -> Result<Val> {
        let [target, source] = args else {
            return Err(Fault::new(
                span,
                "`copy` takes two arguments",
                "write `copy(target, source)`",
            ));
        };
        let source_val = self.followed(source)?;
        let (mut place, ty) = self.place(target)?;
        let (room, elem) = elements(&ty, target.span)?;
        let (len, found) = elements(&source_val.ty, source.span)?;
        if elem != found {
            let message = format!("`copy` from elements of {found} to {elem}");
            return Err(Fault::new(span, message, "both need the same element type"));
        }
        let count = room.min(len);
        let part = |n: u32| usize::try_from(n).unwrap_or(0);
        let head = super::place::Step::Part(0, part(count));
        let data = self.read_data(&source_val.data, std::slice::from_ref(&head), span)?;
        place.path.push(head);
        self.write(&place, data, span)?;
        Ok(Self::number(count))
    }

    /// Operations with gates of their own: `native("popcount", x)`, `native("hamming", a, b)`.
    fn native(&mut self, args: &'a [Expr], span: Span) -> Result<Val> {
        let unknown = || {
            Fault::new(
                span,
                "unknown native operation",
                "known are native(\"popcount\", x) and native(\"hamming\", a, b)",
            )
        };
        let Some((name, args)) = args.split_first() else {
            return Err(unknown());
        };
        let ExprKind::Str(name) = &name.kind else {
            return Err(unknown());
        };
        let mut words = Vec::new();
        for arg in args {
            let val = self.eval(arg)?;
            let val = self.default_type(val, arg.span)?;
            words.push(self.word_of(&val.data).ok_or_else(unknown)?);
        }
        let word = match (name.as_slice(), words.as_slice()) {
            (b"popcount", [x]) => *x,
            (b"hamming", [a, b]) => {
                let width = self.graph.width(*a);
                if width != self.graph.width(*b) {
                    return Err(Fault::new(
                        span,
                        "arguments differ in width",
                        "convert one of them",
                    ));
                }
                self.graph.add(Op::Xor(*a, *b), width)
            }
            _ => return Err(unknown()),
        };
        Ok(Val::word(Ty::INT32, self.graph.add(Op::Popcount(word), 32)))
    }
}
