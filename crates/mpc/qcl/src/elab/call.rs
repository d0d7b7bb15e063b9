//! Calls: conversions, built-ins, functions and methods.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{Expr, ExprKind, Func, Name, TypeKind};
use super::value::{Data, Frozen, Val};
use super::{Binding, Elab, Frame, Instance, Key, builtin};
use crate::ir::{Graph, Node, Op};
use crate::source::{Fault, Result, Span};
use crate::types::Ty;

/// Functions from this estimated number of ANDs on are called, smaller ones are copied.
const OUTLINE: u64 = 4096;
/// Calls shown with an error.
const MAX_TRACE: usize = 8;

impl<'a> Elab<'a> {
    /// All values of a call.
    pub(super) fn eval_call(&mut self, expr: &'a Expr) -> Result<Vec<Val>> {
        let ExprKind::Call(callee, args) = &expr.kind else {
            return Err(Fault::new(expr.span, "not a call", "write `f(x)`"));
        };
        if let Some(ty) = self.type_of_expr(callee)? {
            let [arg] = args.as_slice() else {
                return Err(Fault::new(
                    expr.span,
                    "a conversion takes one value",
                    "write `T(x)`",
                ));
            };
            let val = self.eval(arg)?;
            return Ok(vec![self.convert(&ty, val, expr.span)?]);
        }
        match &callee.kind {
            ExprKind::Ident(name) => {
                if self.lookup(name).is_some() {
                    let message = format!("`{name}` is not a function");
                    return Err(Fault::new(
                        callee.span,
                        message,
                        "a variable hides the function; rename it",
                    ));
                }
                if let Some(index) = self.package().by_name.get(name).copied() {
                    let args = self.args(args)?;
                    return self.call(self.frame.package, index, args, expr.span);
                }
                if builtin::NAMES.contains(&name.as_str()) {
                    return self.builtin(name, args, expr.span);
                }
                let message = format!("unknown function `{name}`");
                Err(Fault::new(
                    callee.span,
                    message,
                    "declare it, or import its package",
                ))
            }
            ExprKind::Selector(base, name) => match self.import(base) {
                Some(package) => {
                    let owner = self.packages.get(package);
                    let Some(index) = owner.by_name.get(&name.text).copied() else {
                        let message =
                            format!("package {:?} has no function `{}`", owner.path, name.text);
                        return Err(Fault::new(
                            name.span,
                            message,
                            "see the documentation of the package",
                        ));
                    };
                    let args = self.args(args)?;
                    self.call(package, index, args, expr.span)
                }
                None => self.method(base, name, args, expr.span),
            },
            _ => Err(Fault::new(
                callee.span,
                "this cannot be called",
                "call functions by name",
            )),
        }
    }

    /// Arguments; one call with several values may stand for all of them.
    fn args(&mut self, args: &'a [Expr]) -> Result<Vec<(Val, Span)>> {
        if let [only] = args
            && matches!(only.kind, ExprKind::Call(..))
        {
            let vals = self.eval_call(only)?;
            return Ok(vals.into_iter().map(|v| (v, only.span)).collect());
        }
        args.iter()
            .map(|arg| Ok((self.eval(arg)?, arg.span)))
            .collect()
    }

    fn method(
        &mut self,
        base: &'a Expr,
        name: &'a Name,
        args: &'a [Expr],
        span: Span,
    ) -> Result<Vec<Val>> {
        let val = self.eval(base)?;
        let target = match &val.ty {
            Ty::Pointer(to) => (**to).clone(),
            other => other.clone(),
        };
        let found = match &target {
            Ty::Struct(def) => {
                let key = (def.name.clone(), name.text.clone());
                self.packages
                    .get(def.package)
                    .methods
                    .get(&key)
                    .map(|i| (def.package, *i))
            }
            _ => None,
        };
        let Some((package, index)) = found else {
            let message = format!("{target} has no method `{}`", name.text);
            return Err(Fault::new(
                name.span,
                message,
                "declare `func (x T) name(…)`",
            ));
        };
        let packages = self.packages;
        let receiver = packages.get(package).funcs[index].receiver.as_ref();
        let wants_pointer = receiver.is_some_and(|r| matches!(r.ty.kind, TypeKind::Pointer(_)));
        let receiver = match (&val.data, wants_pointer) {
            (Data::Pointer(_), true) => val,
            (Data::Pointer(place), false) => {
                let place = place.clone();
                self.read(&place, target, base.span)?
            }
            (_, true) => {
                let (place, ty) = self.place(base)?;
                Val {
                    ty: Ty::Pointer(Rc::new(ty)),
                    data: Data::Pointer(place),
                }
            }
            (_, false) => val,
        };
        let mut all = vec![(receiver, base.span)];
        all.extend(self.args(args)?);
        self.call(package, index, all, span)
    }

    /// Calls a function of a package; the receiver of a method comes first.
    pub(super) fn call(
        &mut self,
        package: usize,
        index: usize,
        args: Vec<(Val, Span)>,
        span: Span,
    ) -> Result<Vec<Val>> {
        self.enter(span)?;
        let packages = self.packages;
        let func = &packages.get(package).funcs[index];
        let args = self.fit_args(package, func, args, span)?;
        self.calls.push(span);
        for val in &args {
            self.charge_parts(&val.data, span)?;
        }
        let frozen: Option<Vec<Frozen>> = if packages.get(package).effects[index] {
            None
        } else {
            args.iter().map(|val| self.freeze(&val.data)).collect()
        };
        let vals = match frozen {
            None => self.execute(package, func, args),
            Some(frozen) => {
                let tys = args.iter().map(|v| v.ty.clone());
                let key = Key {
                    package,
                    func: index,
                    args: tys.zip(frozen).collect(),
                };
                self.shared_call(key, func, &args, span)
            }
        };
        let vals = vals.map_err(|fault| self.traced(fault, span))?;
        self.calls.pop();
        self.leave();
        Ok(vals)
    }

    #[expect(clippy::unused_self, reason = "reads like the other steps")]
    fn traced(&self, mut fault: Box<Fault>, span: Span) -> Box<Fault> {
        if fault.calls.len() < MAX_TRACE {
            fault.calls.push(span);
        }
        fault
    }

    fn fit_args(
        &mut self,
        package: usize,
        func: &'a Func,
        args: Vec<(Val, Span)>,
        span: Span,
    ) -> Result<Vec<Val>> {
        let expected = func.params.len();
        let given = args
            .len()
            .saturating_sub(usize::from(func.receiver.is_some()));
        if expected != given {
            let message = format!(
                "`{}` takes {expected} arguments, {given} given",
                func.name.text
            );
            let names: Vec<&str> = func
                .params
                .iter()
                .filter_map(|p| p.name.as_ref().map(|n| n.text.as_str()))
                .collect();
            let hint = if names.is_empty() {
                "call it without arguments".to_owned()
            } else {
                format!("its parameters are {}", names.join(", "))
            };
            return Err(Fault::new(span, message, hint));
        }
        let params = func.receiver.iter().chain(&func.params);
        let mut out = Vec::with_capacity(args.len());
        for (param, (val, span)) in params.zip(args) {
            let ty = self.in_package(package, |this| this.type_expr(&param.ty))?;
            out.push(self.coerce(val, &ty, span)?);
        }
        Ok(out)
    }

    /// Executes the body here, in the current graph.
    pub(super) fn execute(
        &mut self,
        package: usize,
        func: &'a Func,
        args: Vec<Val>,
    ) -> Result<Vec<Val>> {
        let returned = self.bool_val(false);
        let returned = self.object(Ty::Bool, returned);
        let frame = Frame {
            package,
            scopes: vec![BTreeMap::new()],
            returned,
            results: Vec::new(),
        };
        let outer = std::mem::replace(&mut self.frame, frame);
        for (param, val) in func.receiver.iter().chain(&func.params).zip(args) {
            let ty = self.type_expr(&param.ty)?;
            if let Some(name) = &param.name {
                self.declare(&name.text, ty, val);
            }
        }
        for result in &func.results {
            let ty = self.type_expr(&result.ty)?;
            let val = match &result.name {
                None => Val {
                    ty: ty.clone(),
                    data: Data::Undef,
                },
                Some(_) => self.zero_val(&ty, result.ty.span)?,
            };
            let id = self.object(ty, val);
            self.frame.results.push(id);
            if let Some(name) = &result.name {
                self.bind(&name.text, Binding::Object(id));
            }
        }
        self.stmts(&func.body.stmts)?;
        if !func.results.is_empty() && self.returned() != Some(true) {
            return Err(Fault::new(
                func.body.end,
                format!("`{}` can end without a return", func.name.text),
                "add `return` with the results",
            ));
        }
        let frame = std::mem::replace(&mut self.frame, outer);
        Ok(frame
            .results
            .iter()
            .map(|id| self.objects[*id].val.clone())
            .collect())
    }

    /// A call of a function without effects: executed once per combination of types and constants.
    fn shared_call(
        &mut self,
        key: Key,
        func: &'a Func,
        args: &[Val],
        span: Span,
    ) -> Result<Vec<Val>> {
        if !self.instances.contains_key(&key) {
            if self.active.iter().any(|active| **active == key) {
                let message = format!("`{}` calls itself without end", func.name.text);
                let hint = "recursion has to end by conditions on constants";
                return Err(Fault::new(span, message, hint));
            }
            // The key is used again below.
            let again = Rc::new(Key {
                package: key.package,
                func: key.func,
                args: key.args.clone(),
            });
            self.active.push(Rc::clone(&again));
            let instance = self.instance(&key, func)?;
            self.active.pop();
            let size = instance.graph.len() as u64;
            self.charge(size, span)?;
            self.instances.insert(again, instance);
        }
        let mut nodes = Vec::new();
        for val in args {
            Self::leaves(&val.data, &mut nodes);
        }
        nodes.retain(|n| self.graph.constant(*n).is_none());
        let Some(instance) = self.instances.get_mut(&key) else {
            return Ok(Vec::new());
        };
        if instance.cost >= OUTLINE && instance.number.is_none() {
            instance.number = Some(u32::try_from(self.graphs.len()).unwrap_or(u32::MAX));
            self.graphs.push(Rc::clone(&instance.graph));
            self.costs.push(instance.cost);
        }
        let (graph, number) = (Rc::clone(&instance.graph), instance.number);
        let results = instance.results.clone();
        let words = match number {
            None => {
                self.charge(graph.len() as u64 / 4, span)?;
                self.graph.inline(&graph, &nodes)
            }
            Some(number) => self.call_node(number, &graph, &nodes),
        };
        let mut next = words.into_iter();
        let vals = results
            .iter()
            .map(|(ty, frozen)| {
                let data = self.thaw(frozen, &mut |this, _| {
                    next.next().unwrap_or_else(|| this.graph.bit(false))
                });
                Val {
                    ty: ty.clone(),
                    data,
                }
            })
            .collect();
        Ok(vals)
    }

    fn call_node(&mut self, number: u32, graph: &Graph, args: &[Node]) -> Vec<Node> {
        let widths: Vec<u32> = graph.results.iter().map(|n| graph.width(*n)).collect();
        let total = widths.iter().fold(0u32, |sum, w| sum.saturating_add(*w));
        let node = self.graph.add(Op::Call(number, args.into()), total);
        let mut at = 0u32;
        widths
            .into_iter()
            .map(|width| {
                let word = self.graph.slice(node, at, width);
                at = at.saturating_add(width);
                word
            })
            .collect()
    }

    /// Executes a function in a graph of its own.
    fn instance(&mut self, key: &Key, func: &'a Func) -> Result<Instance> {
        let fresh = Graph::new(self.simplify);
        let graph = std::mem::replace(&mut self.graph, fresh);
        let objects = std::mem::take(&mut self.objects);
        let logs = std::mem::take(&mut self.logs);
        let globals = std::mem::take(&mut self.globals);
        let args = key
            .args
            .iter()
            .map(|(ty, frozen)| {
                let data = self.thaw(frozen, &mut |this, width| this.graph.param(width));
                Val {
                    ty: ty.clone(),
                    data,
                }
            })
            .collect();
        let vals = self.execute(key.package, func, args)?;
        let mut results = Vec::new();
        for val in &vals {
            let Some(frozen) = self.freeze(&val.data) else {
                return Err(Fault::new(
                    func.name.span,
                    "a result points to a variable of the function",
                    "return values, or take a pointer as parameter",
                ));
            };
            results.push((val.ty.clone(), frozen));
            let mut nodes = Vec::new();
            Self::leaves(&val.data, &mut nodes);
            nodes.retain(|n| self.graph.constant(*n).is_none());
            self.graph.results.extend(nodes);
        }
        self.objects = objects;
        self.logs = logs;
        self.globals = globals;
        let graph = std::mem::replace(&mut self.graph, graph);
        let cost = graph.cost(&self.costs);
        Ok(Instance {
            graph: Rc::new(graph),
            results,
            cost,
            number: None,
        })
    }
}
