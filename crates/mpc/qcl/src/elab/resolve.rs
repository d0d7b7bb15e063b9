//! Names of packages, constants and types.

use std::rc::Rc;

use super::ast::{Expr, ExprKind, TypeBody, TypeExpr, TypeKind, VarSpec};
use super::value::Val;
use super::{Elab, Frame};
use crate::source::{Fault, Result, Span};
use crate::types::{MAX_VALUE_BITS, StructTy, Ty};

/// Deepest nesting of types.
const MAX_TYPE_DEPTH: usize = 16;

impl<'a> Elab<'a> {
    /// Runs in the scope of a package, outside any function.
    pub(super) fn in_package<T>(
        &mut self,
        package: usize,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let frame = Frame {
            package,
            scopes: Vec::new(),
            returned: 0,
            results: Vec::new(),
        };
        let outer = std::mem::replace(&mut self.frame, frame);
        let value = run(self);
        self.frame = outer;
        value
    }

    /// Number of the package an expression names, if it is an import.
    pub(super) fn import(&self, expr: &Expr) -> Option<usize> {
        match &expr.kind {
            ExprKind::Ident(name) if self.lookup(name).is_none() => {
                self.package().imports.get(name).copied()
            }
            _ => None,
        }
    }

    pub(super) fn type_expr(&mut self, ty: &'a TypeExpr) -> Result<Ty> {
        self.enter(ty.span)?;
        let resolved = self.type_kind(ty)?;
        self.leave();
        if resolved.bits() > MAX_VALUE_BITS {
            return Err(Fault::new(
                ty.span,
                format!("type has more than {MAX_VALUE_BITS} bits"),
                "use fewer or smaller elements",
            ));
        }
        if resolved.depth() > MAX_TYPE_DEPTH {
            return Err(Fault::new(
                ty.span,
                "type is nested too deeply",
                "use at most 16 levels",
            ));
        }
        Ok(resolved)
    }

    fn type_kind(&mut self, ty: &'a TypeExpr) -> Result<Ty> {
        match &ty.kind {
            TypeKind::Name(None, name) => {
                let package = self.frame.package;
                self.named_type(package, &name.text, ty.span)
            }
            TypeKind::Name(Some(alias), name) => {
                let Some(package) = self.package().imports.get(&alias.text).copied() else {
                    let message = format!("`{}` is not an imported package", alias.text);
                    return Err(Fault::new(alias.span, message, "add it to the imports"));
                };
                self.named_type(package, &name.text, ty.span)
            }
            TypeKind::Array(len, elem) => {
                let len = self.const_u32(len, "array length")?;
                Ok(Ty::Array(len, Rc::new(self.type_expr(elem)?)))
            }
            TypeKind::Slice(elem) => Ok(Ty::Slice(Rc::new(self.type_expr(elem)?))),
            TypeKind::Pointer(to) => Ok(Ty::Pointer(Rc::new(self.type_expr(to)?))),
            TypeKind::Counted(_) => Err(Fault::new(
                ty.span,
                "`[...]` is only for literals",
                "write the length, or `[]T` for any length",
            )),
        }
    }

    fn named_type(&mut self, package: usize, name: &'a str, span: Span) -> Result<Ty> {
        if let Some(ty) = self.declared_type(package, name, span)? {
            return Ok(ty);
        }
        Ty::builtin(name).ok_or_else(|| {
            let hint = if name.starts_with("float") {
                "there are no floating-point numbers; scale to integers"
            } else {
                "types are bool, intN, uintN, string, arrays, pointers and declared structs"
            };
            Fault::new(span, format!("unknown type `{name}`"), hint)
        })
    }

    /// A type declared in a package.
    pub(super) fn declared_type(
        &mut self,
        package: usize,
        name: &'a str,
        span: Span,
    ) -> Result<Option<Ty>> {
        if let Some(ty) = self.types.get(&(package, name)) {
            return Ok(Some(ty.clone()));
        }
        let packages = self.packages;
        let Some(def) = packages.get(package).types.get(name) else {
            return Ok(None);
        };
        let name = def.name.text.as_str();
        self.begin(package, name, span)?;
        let ty = self.in_package(package, |this| match &def.body {
            TypeBody::Other(body) => this.type_expr(body),
            TypeBody::Struct(list) => {
                let mut fields = Vec::with_capacity(list.len());
                for (field, ty) in list {
                    fields.push((field.text.clone(), this.type_expr(ty)?));
                }
                Ok(Ty::Struct(Rc::new(StructTy {
                    package,
                    name: name.to_owned(),
                    fields,
                })))
            }
        })?;
        self.pending.pop();
        self.types.insert((package, name), ty.clone());
        Ok(Some(ty))
    }

    fn begin(&mut self, package: usize, name: &'a str, span: Span) -> Result<()> {
        if self.pending.contains(&(package, name)) {
            let message = format!("`{name}` is defined by itself");
            return Err(Fault::new(span, message, "break the cycle"));
        }
        self.pending.push((package, name));
        Ok(())
    }

    /// A type written as an expression: `uint8` in `uint8(x)`, `[]byte` in `make([]byte, 4)`.
    pub(super) fn type_of_expr(&mut self, expr: &'a Expr) -> Result<Option<Ty>> {
        match &expr.kind {
            ExprKind::Type(ty) => Ok(Some(self.type_expr(ty)?)),
            ExprKind::Ident(name) => {
                if self.lookup(name).is_some() {
                    return Ok(None);
                }
                let package = self.package();
                if package.by_name.contains_key(name)
                    || package.vars.contains_key(name)
                    || package.consts.contains_key(name)
                {
                    return Ok(None);
                }
                let number = self.frame.package;
                match self.declared_type(number, name, expr.span)? {
                    Some(ty) => Ok(Some(ty)),
                    None => Ok(Ty::builtin(name)),
                }
            }
            ExprKind::Selector(base, name) => match self.import(base) {
                Some(package) => self.declared_type(package, &name.text, expr.span),
                None => Ok(None),
            },
            ExprKind::Call(callee, args) => self.made_type(callee, args),
            _ => Ok(None),
        }
    }

    /// `make(uint, n)` is a type.
    fn made_type(&mut self, callee: &'a Expr, args: &'a [Expr]) -> Result<Option<Ty>> {
        let ([ty, width], ExprKind::Ident(name)) = (args, &callee.kind) else {
            return Ok(None);
        };
        if name != "make" {
            return Ok(None);
        }
        let Some(Ty::OpenInt { signed }) = self.type_of_expr(ty)? else {
            return Ok(None);
        };
        let span = width.span;
        let width = self.const_u32(width, "width")?;
        if width == 0 || width > crate::types::MAX_INT_BITS {
            return Err(Fault::new(
                span,
                "integer width out of range",
                "use 1 to 65536 bits",
            ));
        }
        Ok(Some(Ty::Int { signed, width }))
    }

    /// Value of a package-level constant, or of a variable nobody assigns.
    pub(super) fn package_value(
        &mut self,
        package: usize,
        name: &str,
        span: Span,
    ) -> Result<Option<Val>> {
        let packages = self.packages;
        let owner = packages.get(package);
        let (entry, variable) = match (
            owner.consts.get_key_value(name),
            owner.vars.get_key_value(name),
        ) {
            (Some(entry), _) => (entry, false),
            (None, Some(entry)) => (entry, true),
            _ => return Ok(None),
        };
        let (name, (spec, index)) = (entry.0.as_str(), entry.1);
        if variable && owner.mutable.contains(name) {
            let Some(id) = self.globals.get(&(package, name)).copied() else {
                let message = format!("`{name}` is assigned somewhere and cannot be used here");
                return Err(Fault::new(
                    span,
                    message,
                    "package constants use constants only",
                ));
            };
            return Ok(Some(self.objects[id].val.clone()));
        }
        if let Some((ty, frozen)) = self.consts.get(&(package, name)).cloned() {
            let data = self.thaw(&frozen, &mut |this, _| this.graph.bit(false));
            return Ok(Some(Val { ty, data }));
        }
        let val = self.initial((package, name), (spec, *index), variable, span)?;
        let frozen = self
            .freeze(&val.data)
            .filter(super::value::Frozen::is_const);
        let Some(frozen) = frozen else {
            let message = format!("`{name}` is not constant");
            return Err(Fault::new(
                span,
                message,
                "package-level values are constants",
            ));
        };
        self.consts
            .insert((package, name), (val.ty.clone(), frozen));
        Ok(Some(val))
    }

    /// Evaluates the initialiser of a package-level name.
    pub(super) fn initial(
        &mut self,
        (package, name): (usize, &'a str),
        (spec, index): (&'a VarSpec, usize),
        variable: bool,
        span: Span,
    ) -> Result<Val> {
        self.begin(package, name, span)?;
        let val = self.in_package(package, |this| {
            let ty = match &spec.ty {
                Some(ty) => Some(this.type_expr(ty)?),
                None => None,
            };
            let place = spec.names.get(index).map_or(span, |n| n.span);
            if spec.values.is_empty() {
                let Some(ty) = ty.filter(|_| variable) else {
                    return Err(Fault::new(
                        place,
                        "constant without a value",
                        "write `const name = value`",
                    ));
                };
                let data = this.zero(&ty);
                return Ok(Val {
                    ty: ty.closed(),
                    data,
                });
            }
            if spec.values.len() != spec.names.len() {
                return Err(Fault::new(
                    place,
                    "numbers of names and values differ",
                    "give each name a value",
                ));
            }
            let expr = &spec.values[index];
            let val = this.eval(expr)?;
            match ty {
                Some(ty) => this.coerce(val, &ty, expr.span),
                None if variable => this.default_type(val, expr.span),
                None => Ok(val),
            }
        })?;
        self.pending.pop();
        Ok(val)
    }

    /// A constant that fits u32: lengths, bounds, widths.
    pub(super) fn const_u32(&mut self, expr: &'a Expr, what: &str) -> Result<u32> {
        let val = self.eval(expr)?;
        let value = self.constant(&val);
        match value.and_then(|v| v.to_u32()) {
            Some(value) => Ok(value),
            None => Err(Fault::new(
                expr.span,
                format!("{what} is not a constant between 0 and 2^32"),
                "it has to be known while compiling: use literals, constants, len and loop variables",
            )),
        }
    }
}
