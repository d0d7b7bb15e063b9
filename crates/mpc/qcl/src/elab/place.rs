//! Places: what can be assigned, read by index, and pointed to.

use std::rc::Rc;

use super::ast::{Expr, ExprKind, UnaryOp};
use super::value::{Data, Val};
use super::{Binding, Elab};
use crate::bigint::BigInt;
use crate::ir::{Node, Op};
use crate::source::{Fault, Result, Span};
use crate::types::Ty;

/// A variable, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) object: usize,
    pub(super) path: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Element or field.
    At(usize),
    /// Element by secret index.
    Secret(Node),
    /// Elements from, number.
    Part(usize, usize),
}

fn at(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl<'a> Elab<'a> {
    /// Resolves an assignable expression.
    pub(super) fn place(&mut self, expr: &'a Expr) -> Result<(Place, Ty)> {
        self.enter(expr.span)?;
        let place = match &expr.kind {
            ExprKind::Ident(name) => self.variable(name, expr.span),
            ExprKind::Selector(base, name) => {
                if self.import(base).is_some() {
                    let message = "names of other packages cannot be assigned";
                    return Err(Fault::new(
                        expr.span,
                        message,
                        "call a function of that package",
                    ));
                }
                let (mut place, ty) = self.base(base)?;
                let (index, ty) = field(&ty, &name.text, name.span)?;
                place.path.push(Step::At(index));
                Ok((place, ty))
            }
            ExprKind::Index(base, index) => {
                let (mut place, ty) = self.base(base)?;
                let (len, elem) = elements(&ty, base.span)?;
                place.path.push(self.index_step(index, len)?);
                Ok((place, elem))
            }
            ExprKind::Slice(base, lo, hi) => {
                let (mut place, ty) = self.base(base)?;
                let (from, len, ty) = self.bounds(&ty, lo.as_deref(), hi.as_deref(), expr.span)?;
                place.path.push(Step::Part(from, len));
                Ok((place, ty))
            }
            ExprKind::Unary(UnaryOp::Deref, inner) => {
                let val = self.eval(inner)?;
                pointee(val, inner.span)
            }
            _ => Err(Fault::new(
                expr.span,
                "this cannot be assigned",
                "assign to a variable, a field, an element or `*pointer`",
            )),
        }?;
        self.leave();
        Ok(place)
    }

    /// A place whose type is not a pointer: pointers are followed.
    fn base(&mut self, expr: &'a Expr) -> Result<(Place, Ty)> {
        // Anything that yields a pointer can stand before a selector: f().x, pointers in variables.
        if let ExprKind::Call(..) = expr.kind {
            let val = self.eval(expr)?;
            return pointee(val, expr.span);
        }
        let (place, ty) = self.place(expr)?;
        if matches!(ty, Ty::Pointer(_)) {
            let val = self.read(&place, ty, expr.span)?;
            return pointee(val, expr.span);
        }
        Ok((place, ty))
    }

    fn variable(&mut self, name: &str, span: Span) -> Result<(Place, Ty)> {
        let whole = |object: usize| Place {
            object,
            path: Vec::new(),
        };
        match self.lookup(name) {
            Some(Binding::Object(id)) => {
                let id = *id;
                return Ok((whole(id), self.objects[id].val.ty.clone()));
            }
            Some(Binding::Const(_)) => {
                let message = format!("`{name}` is a constant");
                return Err(Fault::new(span, message, "declare it with `var` or `:=`"));
            }
            None => {}
        }
        let package = self.frame.package;
        if let Some((_, id)) = self
            .globals
            .iter()
            .find(|((p, n), _)| *p == package && *n == name)
        {
            return Ok((whole(*id), self.objects[*id].val.ty.clone()));
        }
        let message = if self.package().consts.contains_key(name) {
            format!("`{name}` is a constant")
        } else {
            format!("unknown variable `{name}`")
        };
        Err(Fault::new(span, message, "declare it with `var` or `:=`"))
    }

    /// Constant indices are checked, secret ones are kept.
    pub(super) fn index_step(&mut self, index: &'a Expr, len: u32) -> Result<Step> {
        let val = self.eval(index)?;
        let integer = matches!(val.ty, Ty::Int { .. } | Ty::Untyped);
        if !integer {
            let message = format!("index is {}, not an integer", val.ty);
            return Err(Fault::new(index.span, message, "index with an integer"));
        }
        match (self.constant(&val), val.data) {
            (Some(value), _) => match value.to_u32().filter(|i| *i < len) {
                Some(i) => Ok(Step::At(at(i))),
                None => Err(Fault::new(
                    index.span,
                    format!("index {value} is outside 0 to {}", i64::from(len) - 1),
                    "a constant index has to be inside the array",
                )),
            },
            (None, Data::Word(node)) => Ok(Step::Secret(node)),
            _ => Err(Fault::new(
                index.span,
                "index has no value",
                "assign it first",
            )),
        }
    }

    pub(super) fn bounds(
        &mut self,
        ty: &Ty,
        lo: Option<&'a Expr>,
        hi: Option<&'a Expr>,
        span: Span,
    ) -> Result<(usize, usize, Ty)> {
        let (len, _) = elements(ty, span)?;
        let from = match lo {
            Some(expr) => self.const_u32(expr, "slice bound")?,
            None => 0,
        };
        let to = match hi {
            Some(expr) => self.const_u32(expr, "slice bound")?,
            None => len,
        };
        if from > to || to > len {
            let message = format!("slice {from}:{to} is outside 0:{len}");
            return Err(Fault::new(
                span,
                message,
                "bounds are constants with 0 <= low <= high <= len",
            ));
        }
        let count = to - from;
        let ty = match ty {
            Ty::Text(_) => Ty::Text(count),
            Ty::Array(_, elem) => Ty::Array(count, Rc::clone(elem)),
            other => other.clone(),
        };
        Ok((at(from), at(count), ty))
    }

    /// Reads a place of known type.
    pub(super) fn read(&mut self, place: &Place, ty: Ty, span: Span) -> Result<Val> {
        let data = self.objects[place.object].val.data.clone();
        let data = self.read_data(&data, &place.path, span)?;
        Ok(Val { ty, data })
    }

    pub(super) fn read_data(&mut self, data: &Data, path: &[Step], span: Span) -> Result<Data> {
        let Some((step, rest)) = path.split_first() else {
            return Ok(data.clone());
        };
        let Data::Agg(list) = data else {
            return Err(no_value(span));
        };
        match step {
            Step::At(i) => {
                let inner = list.get(*i).ok_or_else(|| no_value(span))?;
                self.read_data(inner, rest, span)
            }
            Step::Part(from, len) => {
                let part = list
                    .get(*from..from.saturating_add(*len))
                    .ok_or_else(|| no_value(span))?;
                self.charge(*len as u64, span)?;
                self.read_data(&Data::Agg(Rc::new(part.to_vec())), rest, span)
            }
            Step::Secret(index) => {
                self.charge(list.len() as u64, span)?;
                let parts = list
                    .iter()
                    .map(|inner| self.read_data(inner, rest, span))
                    .collect::<Result<Vec<_>>>()?;
                self.select(*index, &parts, span)
            }
        }
    }

    /// Element by secret index, part by part.
    fn select(&mut self, index: Node, parts: &[Data], span: Span) -> Result<Data> {
        match parts.first() {
            Some(Data::Word(first)) => {
                let width = self.graph.width(*first);
                let nodes: Option<Rc<[Node]>> = parts
                    .iter()
                    .map(|p| {
                        if let Data::Word(node) = p {
                            Some(*node)
                        } else {
                            None
                        }
                    })
                    .collect();
                let nodes = nodes.ok_or_else(|| no_value(span))?;
                Ok(Data::Word(self.graph.add(Op::Select(index, nodes), width)))
            }
            Some(Data::Agg(first)) => {
                let mut out = Vec::with_capacity(first.len());
                for i in 0..first.len() {
                    let column = parts
                        .iter()
                        .map(|p| match p {
                            Data::Agg(list) => list.get(i).cloned(),
                            _ => None,
                        })
                        .collect::<Option<Vec<_>>>()
                        .ok_or_else(|| no_value(span))?;
                    out.push(self.select(index, &column, span)?);
                }
                Ok(Data::Agg(Rc::new(out)))
            }
            _ => Err(Fault::new(
                span,
                "a secret index needs elements with bits",
                "the array is empty or holds pointers; use a constant index",
            )),
        }
    }

    /// Writes a place; the value has the type of the place already.
    pub(super) fn write(&mut self, place: &Place, data: Data, span: Span) -> Result<()> {
        self.note(place.object);
        let old = std::mem::replace(&mut self.objects[place.object].val.data, Data::Undef);
        let new = self.write_data(old, &place.path, data, span)?;
        self.objects[place.object].val.data = new;
        Ok(())
    }

    fn write_data(&mut self, old: Data, path: &[Step], new: Data, span: Span) -> Result<Data> {
        let Some((step, rest)) = path.split_first() else {
            return Ok(new);
        };
        let Data::Agg(mut list) = old else {
            return Err(no_value(span));
        };
        if Rc::strong_count(&list) > 1 {
            self.charge(list.len() as u64, span)?;
        }
        let items = Rc::make_mut(&mut list);
        match step {
            Step::At(i) => {
                let item = items.get_mut(*i).ok_or_else(|| no_value(span))?;
                let inner = std::mem::replace(item, Data::Undef);
                items[*i] = self.write_data(inner, rest, new, span)?;
            }
            Step::Part(from, len) => {
                let end = from.saturating_add(*len);
                let part = items
                    .get(*from..end)
                    .ok_or_else(|| no_value(span))?
                    .to_vec();
                let part = self.write_data(Data::Agg(Rc::new(part)), rest, new, span)?;
                if let Data::Agg(part) = part {
                    for (item, value) in items[*from..end].iter_mut().zip(part.iter()) {
                        *item = value.clone();
                    }
                }
            }
            Step::Secret(index) => {
                self.charge(items.len() as u64, span)?;
                let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
                let hot = self.graph.add(Op::Decode(*index), count);
                for (i, item) in (0..count).zip(items.iter_mut()) {
                    let old = item.clone();
                    let written = self.write_data(old.clone(), rest, new.clone(), span)?;
                    let bit = self.graph.slice(hot, i, 1);
                    *item = self.mux_data(bit, &written, &old, span)?;
                }
            }
        }
        Ok(Data::Agg(list))
    }

    /// A constant as an untyped value.
    pub(super) fn number(value: u32) -> Val {
        Val::untyped(BigInt::from(value))
    }
}

fn no_value(span: Span) -> Box<Fault> {
    Fault::new(span, "this has no value yet", "assign it before it is read")
}

fn pointee(val: Val, span: Span) -> Result<(Place, Ty)> {
    match (val.data, val.ty) {
        (Data::Pointer(place), Ty::Pointer(to)) => Ok((place, (*to).clone())),
        (_, Ty::Pointer(_)) => Err(Fault::new(
            span,
            "this pointer points nowhere",
            "assign `&variable` first",
        )),
        (_, ty) => Err(Fault::new(
            span,
            format!("{ty} is not a pointer"),
            "take an address with `&`",
        )),
    }
}

/// Position and type of a field.
pub(super) fn field(ty: &Ty, name: &str, span: Span) -> Result<(usize, Ty)> {
    let Ty::Struct(def) = ty else {
        return Err(Fault::new(
            span,
            format!("{ty} has no fields"),
            "only structs have fields",
        ));
    };
    let found = def.fields.iter().position(|(field, _)| field == name);
    found.map(|i| (i, def.fields[i].1.clone())).ok_or_else(|| {
        let names: Vec<&str> = def.fields.iter().map(|(n, _)| n.as_str()).collect();
        let message = format!("{} has no field `{name}`", def.name);
        Fault::new(
            span,
            message,
            format!("its fields are {}", names.join(", ")),
        )
    })
}

/// Number and type of elements.
pub(super) fn elements(ty: &Ty, span: Span) -> Result<(u32, Ty)> {
    match ty {
        Ty::Array(len, elem) => Ok((*len, (**elem).clone())),
        Ty::Text(len) => Ok((*len, Ty::BYTE)),
        _ => Err(Fault::new(
            span,
            format!("{ty} has no elements"),
            "index arrays and strings",
        )),
    }
}
