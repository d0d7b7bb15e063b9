//! Composite literals: arrays and structs, by position or by key.

use std::rc::Rc;

use super::Elab;
use super::ast::{Element, ElementValue, ExprKind, TypeExpr, TypeKind};
use super::place::field;
use super::value::{Data, Val};
use crate::source::{Fault, Result, Span};
use crate::types::{MAX_VALUE_BITS, Ty};

impl<'a> Elab<'a> {
    pub(super) fn composite(&mut self, ty: &'a TypeExpr, list: &'a [Element]) -> Result<Val> {
        let resolved = match &ty.kind {
            TypeKind::Counted(elem) => Ty::Slice(Rc::new(self.type_expr(elem)?)),
            _ => self.type_expr(ty)?,
        };
        self.literal(&resolved, list, ty.span)
    }

    fn literal(&mut self, ty: &Ty, list: &'a [Element], span: Span) -> Result<Val> {
        match ty {
            Ty::Struct(_) => self.struct_literal(ty, list, span),
            Ty::Array(len, elem) => self.array_literal(Some(*len), elem, list, span),
            Ty::Slice(elem) => self.array_literal(None, elem, list, span),
            _ => {
                let message = format!("{ty} has no literal with braces");
                Err(Fault::new(span, message, "braces build structs and arrays"))
            }
        }
    }

    fn struct_literal(&mut self, ty: &Ty, list: &'a [Element], span: Span) -> Result<Val> {
        self.charge(ty.zero_cost(), span)?;
        let Data::Agg(mut data) = self.zero(ty) else {
            return Err(nothing(span));
        };
        let Ty::Struct(def) = ty else {
            return Err(nothing(span));
        };
        let keyed = list.iter().filter(|e| e.key.is_some()).count();
        if keyed != 0 && keyed != list.len() {
            return Err(Fault::new(
                span,
                "literal mixes keys and positions",
                "name all fields or none",
            ));
        }
        if keyed == 0 && !list.is_empty() && list.len() != def.fields.len() {
            let message = format!(
                "{} has {} fields, {} given",
                def.name,
                def.fields.len(),
                list.len()
            );
            return Err(Fault::new(
                span,
                message,
                "give all fields in order, or name them",
            ));
        }
        // Fields of open type take the type of their value.
        let Ty::Struct(closed) = ty.closed() else {
            return Err(nothing(span));
        };
        let mut closed = (*closed).clone();
        let mut seen = vec![false; def.fields.len()];
        for (position, element) in list.iter().enumerate() {
            let (index, ty) = match &element.key {
                None => (position, def.fields[position].1.clone()),
                Some(key) => {
                    let ExprKind::Ident(name) = &key.kind else {
                        return Err(Fault::new(
                            key.span,
                            "key is not a field name",
                            "write `Field: value`",
                        ));
                    };
                    field(ty, name, key.span)?
                }
            };
            if std::mem::replace(&mut seen[index], true) {
                let message = format!("field `{}` is given twice", def.fields[index].0);
                return Err(Fault::new(element.span, message, "remove one of them"));
            }
            let val = self.element(element, &ty)?;
            Rc::make_mut(&mut data)[index] = val.data;
            closed.fields[index].1 = val.ty;
        }
        Ok(Val {
            ty: Ty::Struct(Rc::new(closed)),
            data: Data::Agg(data),
        })
    }

    fn array_literal(
        &mut self,
        len: Option<u32>,
        elem: &Rc<Ty>,
        list: &'a [Element],
        span: Span,
    ) -> Result<Val> {
        let mut items: Vec<Option<Data>> = Vec::new();
        let mut next = 0u32;
        // Elements of open type take the type of the first one.
        let mut exact = (**elem).clone();
        for element in list {
            if let Some(key) = &element.key {
                next = self.const_u32(key, "element index")?;
            }
            let limit = len.unwrap_or_else(|| u32::try_from(MAX_VALUE_BITS).unwrap_or(u32::MAX));
            if next >= limit {
                let message = format!("element {next} is outside the array of {limit}");
                return Err(Fault::new(
                    element.span,
                    message,
                    "remove it or enlarge the array",
                ));
            }
            let index = usize::try_from(next).unwrap_or(0);
            if items.len() <= index {
                self.charge(index as u64, span)?;
                items.resize(index.saturating_add(1), None);
            }
            let val = self.element(element, &exact)?;
            if exact.is_open() {
                exact = val.ty;
            }
            items[index] = Some(val.data);
            next = next.saturating_add(1);
        }
        let len = len.unwrap_or_else(|| u32::try_from(items.len()).unwrap_or(u32::MAX));
        items.resize(usize::try_from(len).unwrap_or(0), None);
        self.charge(u64::from(len).saturating_add(exact.zero_cost()), span)?;
        let zero = self.zero(&exact);
        let data = items
            .into_iter()
            .map(|item| item.unwrap_or_else(|| zero.clone()))
            .collect();
        Ok(Val {
            ty: Ty::Array(len, Rc::new(exact)),
            data: Data::Agg(Rc::new(data)),
        })
    }

    fn element(&mut self, element: &'a Element, ty: &Ty) -> Result<Val> {
        match &element.value {
            ElementValue::Expr(expr) => {
                let val = self.eval(expr)?;
                self.coerce(val, ty, expr.span)
            }
            ElementValue::Literal(list) => {
                self.enter(element.span)?;
                let val = self.literal(ty, list, element.span)?;
                self.leave();
                Ok(val)
            }
        }
    }
}

fn nothing(span: Span) -> Box<Fault> {
    Fault::new(
        span,
        "literal of a type without fields",
        "braces build structs and arrays",
    )
}
