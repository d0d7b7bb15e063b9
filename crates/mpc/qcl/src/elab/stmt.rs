//! Statements.

use super::ast::{BinaryOp, Block, Expr, ExprKind, For, If, Name, Range, Stmt, StmtKind, VarSpec};
use super::place::elements;
use super::value::{Data, Val};
use super::{Binding, Elab};
use crate::bigint::BigInt;
use crate::source::{Fault, Result, Span};
use crate::types::Ty;

impl<'a> Elab<'a> {
    /// Whether a return was executed: known, or `None` if it depends on a secret.
    pub(super) fn returned(&self) -> Option<bool> {
        match self.objects[self.frame.returned].val.data {
            Data::Word(node) => self.graph.constant(node).map(|v| !v.is_zero()),
            _ => None,
        }
    }

    fn set_returned(&mut self, value: bool) {
        let val = self.bool_val(value);
        self.store(self.frame.returned, val);
    }

    /// What follows a return under a secret condition is executed under the opposite condition.
    fn unless_returned(
        &mut self,
        span: Span,
        run: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let Data::Word(flag) = self.objects[self.frame.returned].val.data else {
            return Ok(());
        };
        let keep = self.not(flag);
        let mut always = false;
        self.branch(
            keep,
            span,
            |this| {
                this.set_returned(false);
                run(this)?;
                always = this.returned() == Some(true);
                Ok(())
            },
            |_| Ok(()),
        )?;
        if always {
            self.set_returned(true);
        }
        Ok(())
    }

    pub(super) fn stmts(&mut self, stmts: &'a [Stmt]) -> Result<()> {
        for (i, stmt) in stmts.iter().enumerate() {
            self.stmt(stmt)?;
            match self.returned() {
                Some(true) => return Ok(()),
                Some(false) => {}
                None => {
                    let rest = stmts.get(i.saturating_add(1)..).unwrap_or(&[]);
                    let Some(first) = rest.first() else {
                        return Ok(());
                    };
                    self.enter(first.span)?;
                    self.unless_returned(first.span, |this| this.stmts(rest))?;
                    self.leave();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &'a Block) -> Result<()> {
        self.scoped(|this| this.stmts(&block.stmts))
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Result<()> {
        self.enter(stmt.span)?;
        match &stmt.kind {
            StmtKind::Var(spec) => self.var_stmt(spec, stmt.span),
            StmtKind::Const(spec) => self.const_stmt(spec, stmt.span),
            StmtKind::Assign(left, right) => self.assign(left, right, stmt.span),
            StmtKind::Define(names, right) => self.define(names, right, stmt.span),
            StmtKind::OpAssign(target, op, value) => self.op_assign(target, *op, value),
            StmtKind::If(node) => self.scoped(|this| this.if_stmt(node)),
            StmtKind::For(node) => self.scoped(|this| this.for_stmt(node, stmt.span)),
            StmtKind::Range(node) => self.scoped(|this| this.range_stmt(node)),
            StmtKind::Return(list) => self.return_stmt(list, stmt.span),
            StmtKind::Expr(expr) => self.expr_stmt(expr),
            StmtKind::Block(block) => self.block(block),
        }?;
        self.leave();
        Ok(())
    }

    fn expr_stmt(&mut self, expr: &'a Expr) -> Result<()> {
        if !matches!(expr.kind, ExprKind::Call(..)) {
            return Err(Fault::new(
                expr.span,
                "this value is not used",
                "assign it, or remove it",
            ));
        }
        self.eval_call(expr).map(|_| ())
    }

    /// Values of a list; one call may give several.
    fn values(&mut self, list: &'a [Expr], wanted: usize, span: Span) -> Result<Vec<(Val, Span)>> {
        let vals = match list {
            [only] if wanted != 1 && matches!(only.kind, ExprKind::Call(..)) => {
                let vals = self.eval_call(only)?;
                vals.into_iter().map(|v| (v, only.span)).collect()
            }
            _ => list
                .iter()
                .map(|e| Ok((self.eval(e)?, e.span)))
                .collect::<Result<Vec<_>>>()?,
        };
        if vals.len() != wanted {
            let message = format!("{} values for {wanted} targets", vals.len());
            return Err(Fault::new(span, message, "give each target one value"));
        }
        Ok(vals)
    }

    fn var_stmt(&mut self, spec: &'a VarSpec, span: Span) -> Result<()> {
        let ty = match &spec.ty {
            Some(ty) => Some(self.type_expr(ty)?),
            None => None,
        };
        if spec.values.is_empty() {
            let Some(ty) = ty else { return Ok(()) };
            for name in &spec.names {
                self.unused(name)?;
                let val = self.zero_val(&ty, name.span)?;
                self.declare(&name.text, ty.clone(), val);
            }
            return Ok(());
        }
        let vals = self.values(&spec.values, spec.names.len(), span)?;
        for (name, (val, span)) in spec.names.iter().zip(vals) {
            let val = match &ty {
                Some(ty) => self.coerce(val, ty, span)?,
                None => self.default_type(val, span)?,
            };
            let ty = ty.clone().unwrap_or_else(|| val.ty.clone());
            self.unused(name)?;
            self.declare(&name.text, ty, val);
        }
        Ok(())
    }

    fn const_stmt(&mut self, spec: &'a VarSpec, span: Span) -> Result<()> {
        let ty = match &spec.ty {
            Some(ty) => Some(self.type_expr(ty)?),
            None => None,
        };
        let vals = self.values(&spec.values, spec.names.len(), span)?;
        for (name, (val, span)) in spec.names.iter().zip(vals) {
            let val = match &ty {
                Some(ty) => self.coerce(val, ty, span)?,
                None => val,
            };
            let constant = self.freeze(&val.data).is_some_and(|f| f.is_const());
            if !constant {
                let message = format!("`{}` is not constant", name.text);
                return Err(Fault::new(
                    span,
                    message,
                    "use `:=` for values that depend on inputs",
                ));
            }
            self.unused(name)?;
            self.bind(&name.text, Binding::Const(val));
        }
        Ok(())
    }

    /// A scope declares a name once.
    fn unused(&self, name: &Name) -> Result<()> {
        let taken = self
            .frame
            .scopes
            .last()
            .is_some_and(|s| s.contains_key(name.text.as_str()));
        if taken && name.text != "_" {
            let message = format!("`{}` is declared twice in this block", name.text);
            return Err(Fault::new(
                name.span,
                message,
                "assign with `=`, or choose another name",
            ));
        }
        Ok(())
    }

    fn define(&mut self, names: &'a [Name], right: &'a [Expr], span: Span) -> Result<()> {
        let vals = self.values(right, names.len(), span)?;
        let here = |this: &Self, name: &str| {
            this.frame
                .scopes
                .last()
                .is_some_and(|scope| scope.contains_key(name))
        };
        if names.iter().all(|n| n.text == "_" || here(self, &n.text)) {
            let message = "nothing new on the left of `:=`";
            return Err(Fault::new(span, message, "assign with `=`"));
        }
        for (name, (val, span)) in names.iter().zip(vals) {
            let val = self.default_type_of(val, span)?;
            if name.text != "_" && here(self, &name.text) {
                self.assign_name(name, val, span)?;
            } else {
                self.declare(&name.text, val.ty.clone(), val);
            }
        }
        Ok(())
    }

    fn default_type_of(&mut self, val: Val, span: Span) -> Result<Val> {
        let value = self.constant(&val);
        self.default_type(val, span).map_err(|mut fault| {
            if let Some(value) = value {
                fault.hint = format!(
                    "a constant without a type becomes int32; write `var x uint{} = …`",
                    value.bits()
                );
            }
            fault
        })
    }

    fn assign_name(&mut self, name: &'a Name, val: Val, span: Span) -> Result<()> {
        match self.lookup(&name.text) {
            Some(Binding::Object(id)) => {
                let id = *id;
                let ty = self.objects[id].ty.clone();
                let val = self.coerce(val, &ty, span)?;
                self.store(id, val);
                Ok(())
            }
            _ => {
                let message = format!("`{}` is a constant", name.text);
                Err(Fault::new(
                    name.span,
                    message,
                    "declare it with `var` or `:=`",
                ))
            }
        }
    }

    fn assign(&mut self, left: &'a [Expr], right: &'a [Expr], span: Span) -> Result<()> {
        let vals = self.values(right, left.len(), span)?;
        // All places are found before the first one is written: a[i], i = x, y.
        let mut places = Vec::with_capacity(left.len());
        for target in left {
            let blank = matches!(&target.kind, ExprKind::Ident(name) if name == "_");
            places.push(if blank {
                None
            } else {
                Some(self.place(target)?)
            });
        }
        for (place, (val, span)) in places.into_iter().zip(vals) {
            if let Some((place, ty)) = place {
                self.put(&place, &ty, val, span)?;
            }
        }
        Ok(())
    }

    /// Assigns to a place; whole variables keep their declared type, which may be open.
    fn put(&mut self, place: &super::Place, ty: &Ty, val: Val, span: Span) -> Result<()> {
        if place.path.is_empty() {
            let declared = self.objects[place.object].ty.clone();
            let val = self.coerce(val, &declared, span)?;
            self.store(place.object, val);
            return Ok(());
        }
        let val = self.coerce(val, ty, span)?;
        self.write(place, val.data, span)
    }

    fn op_assign(&mut self, target: &'a Expr, op: BinaryOp, value: &'a Expr) -> Result<()> {
        let (place, ty) = self.place(target)?;
        let old = self.read(&place, ty.clone(), target.span)?;
        let right = self.eval(value)?;
        let span = target.span.to(value.span);
        let val = self.binary(op, old, right, span)?;
        self.put(&place, &ty, val, span)
    }

    fn if_stmt(&mut self, node: &'a If) -> Result<()> {
        if let Some(init) = &node.init {
            self.stmt(init)?;
        }
        let cond = self.condition(&node.cond)?;
        let otherwise = |this: &mut Self| match &node.otherwise {
            Some(stmt) => this.stmt(stmt),
            None => Ok(()),
        };
        match self.graph.constant(cond).map(|v| !v.is_zero()) {
            Some(true) => self.block(&node.then),
            Some(false) => otherwise(self),
            None => {
                let mut ends = [false; 2];
                let [first, second] = &mut ends;
                self.branch(
                    cond,
                    node.cond.span,
                    |this| {
                        this.block(&node.then)?;
                        *first = this.returned() == Some(true);
                        Ok(())
                    },
                    |this| {
                        otherwise(this)?;
                        *second = this.returned() == Some(true);
                        Ok(())
                    },
                )?;
                if ends == [true, true] {
                    self.set_returned(true);
                }
                Ok(())
            }
        }
    }

    /// One iteration; skipped by a condition once a return may have happened.
    fn iteration(&mut self, body: &'a Block, span: Span) -> Result<()> {
        match self.returned() {
            Some(true) => Ok(()),
            Some(false) => self.block(body),
            None => self.unless_returned(span, |this| this.block(body)),
        }
    }

    fn for_stmt(&mut self, node: &'a For, span: Span) -> Result<()> {
        if let Some(init) = &node.init {
            self.stmt(init)?;
        }
        let mut count = 0u64;
        loop {
            let cond = self.condition(&node.cond)?;
            match self.graph.constant(cond).map(|v| !v.is_zero()) {
                Some(true) => {}
                Some(false) => return Ok(()),
                None => {
                    return Err(Fault::new(
                        node.cond.span,
                        "loop condition depends on a secret",
                        "loop to a constant bound and use `if` inside the body",
                    ));
                }
            }
            count = count.saturating_add(1);
            if count > self.limits.unroll {
                return Err(Fault::new(
                    span,
                    format!("loop runs more than {} times", self.limits.unroll),
                    "check the condition, or raise the unroll limit",
                ));
            }
            self.iteration(&node.body, span)?;
            if self.returned() == Some(true) {
                return Ok(());
            }
            if let Some(post) = &node.post {
                self.stmt(post)?;
            }
        }
    }

    fn range_stmt(&mut self, node: &'a Range) -> Result<()> {
        let over = self.eval(&node.over)?;
        let over = match (over.data, over.ty) {
            (Data::Pointer(place), Ty::Pointer(to)) => {
                self.read(&place, (*to).clone(), node.over.span)?
            }
            (data, ty) => Val { ty, data },
        };
        let counted = matches!(over.ty, Ty::Int { .. } | Ty::Untyped);
        let (len, elem) = if counted {
            (
                self.const_u32(&node.over, "number of iterations")?,
                Ty::INT32,
            )
        } else {
            elements(&over.ty, node.over.span)?
        };
        if u64::from(len) > self.limits.unroll {
            let message = format!("loop runs more than {} times", self.limits.unroll);
            return Err(Fault::new(
                node.over.span,
                message,
                "raise the unroll limit",
            ));
        }
        for i in 0..len {
            let index = self.int_val(&BigInt::from(i), true, 32);
            let mut vals = vec![index];
            if let (Data::Agg(list), true) = (&over.data, node.names.len() > 1) {
                let data = list
                    .get(usize::try_from(i).unwrap_or(0))
                    .cloned()
                    .unwrap_or(Data::Undef);
                vals.push(Val {
                    ty: elem.clone(),
                    data,
                });
            } else if node.names.len() > 1 {
                return Err(Fault::new(
                    node.over.span,
                    "a number has no elements",
                    "use one name: `for i := range n`",
                ));
            }
            self.scoped(|this| {
                for (name, val) in node.names.iter().zip(vals) {
                    if node.define {
                        this.declare(&name.text, val.ty.clone(), val);
                    } else if name.text != "_" {
                        this.assign_name(name, val, name.span)?;
                    }
                }
                this.iteration(&node.body, node.over.span)
            })?;
            if self.returned() == Some(true) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn return_stmt(&mut self, list: &'a [Expr], span: Span) -> Result<()> {
        let wanted = self.frame.results.len();
        if list.is_empty() && wanted > 0 {
            let undefined = self
                .frame
                .results
                .iter()
                .any(|id| self.objects[*id].val.data == Data::Undef);
            if undefined {
                return Err(Fault::new(
                    span,
                    "`return` without values",
                    "return the results, or give them names",
                ));
            }
        } else {
            let vals = self.values(list, wanted, span)?;
            for (i, (val, span)) in vals.into_iter().enumerate() {
                let id = self.frame.results[i];
                let ty = self.objects[id].ty.clone();
                let val = self.coerce(val, &ty, span)?;
                self.store(id, val);
            }
        }
        self.set_returned(true);
        Ok(())
    }
}
