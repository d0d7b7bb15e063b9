//! The entry function: parties, inputs, outputs.

use std::rc::Rc;

use super::ast::{Func, Param};
use super::value::{Data, Val};
use super::{Elab, Limits, Packages};
use crate::circuit::{IoType, MAX_PARTIES, MAX_PORT_BITS, Port, Recipients};
use crate::ir::Graph;
use crate::source::{Fault, Result, Span};
use crate::types::{StructTy, Ty};

/// A program as word graphs, the entry last.
pub(crate) struct Program {
    pub(crate) graphs: Vec<Graph>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Output>,
}

/// One result of `main`; its words are results of the entry graph, in order.
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) ty: IoType,
    pub(crate) to: Recipients,
}

impl<'a> Elab<'a> {
    /// Executes `main`. `sizes` gives, per party, a number for each open type of its input.
    pub(crate) fn program(
        packages: &'a Packages,
        limits: Limits,
        simplify: bool,
        sizes: &[Vec<u32>],
    ) -> Result<Program> {
        let mut elab = Self::new(packages, limits, simplify);
        let start = Span::default();
        let Some(index) = packages.get(0).by_name.get("main").copied() else {
            return Err(Fault::new(
                start,
                "the program has no `main`",
                "add `func main(garbler T, evaluator U) R { … }`",
            ));
        };
        let func = &packages.get(0).funcs[index];
        elab.globals()?;
        let (inputs, args) = elab.inputs(func, sizes)?;
        let vals = elab.execute(0, func, args)?;
        let outputs = elab.outputs(func, &vals, inputs.len())?;
        let mut graphs: Vec<Graph> = elab.graphs.iter().map(|g| (**g).clone()).collect();
        graphs.push(elab.graph);
        Ok(Program {
            graphs,
            inputs,
            outputs,
        })
    }

    /// Package variables that are assigned become objects of the program.
    fn globals(&mut self) -> Result<()> {
        let packages = self.packages;
        for (number, package) in packages.all() {
            for name in &package.mutable {
                let Some((spec, index)) = package.vars.get(name) else {
                    continue;
                };
                let span = spec
                    .names
                    .get(*index)
                    .map_or_else(Span::default, |n| n.span);
                let val = self.initial((number, name), (spec, *index), true, span)?;
                let ty = match &spec.ty {
                    Some(ty) => self.in_package(number, |this| this.type_expr(ty))?,
                    None => val.ty.clone(),
                };
                let id = self.object(ty, val);
                self.globals.insert((number, name.as_str()), id);
            }
        }
        Ok(())
    }

    fn inputs(&mut self, func: &'a Func, sizes: &[Vec<u32>]) -> Result<(Vec<Port>, Vec<Val>)> {
        let count = func.params.len();
        if count == 0 || count > MAX_PARTIES {
            return Err(Fault::new(
                func.name.span,
                format!("`main` has {count} parameters"),
                "parameter i is the input of party i: `func main(garbler uint32, evaluator uint32) bool`",
            ));
        }
        let mut ports = Vec::new();
        let mut args = Vec::new();
        for (party, param) in func.params.iter().enumerate() {
            let declared = self.in_package(0, |this| this.type_expr(&param.ty))?;
            let mut left = sizes.get(party).map_or(&[][..], Vec::as_slice).iter();
            let ty = sized(&declared, &mut left, param)?;
            let io = ty
                .io()
                .filter(|io| io.bits() > 0 && io.bits() <= MAX_PORT_BITS);
            let Some(io) = io else {
                return Err(Fault::new(
                    param.ty.span,
                    format!("{ty} cannot be an input"),
                    "inputs are integers, bool, strings, arrays and structs of 1 to 2^20 bits",
                ));
            };
            let data = self.input(&ty);
            let name = param
                .name
                .as_ref()
                .map_or_else(String::new, |n| n.text.clone());
            ports.push(Port { name, ty: io });
            args.push(Val { ty, data });
        }
        Ok((ports, args))
    }

    /// Fresh parameters for every word of a type.
    fn input(&mut self, ty: &Ty) -> Data {
        match ty {
            Ty::Bool => Data::Word(self.graph.param(1)),
            Ty::Int { width, .. } => Data::Word(self.graph.param(*width)),
            Ty::Text(len) => self.input_list(*len, &Ty::BYTE),
            Ty::Array(len, elem) => self.input_list(*len, elem),
            Ty::Struct(def) => Data::Agg(Rc::new(
                def.fields.iter().map(|(_, ty)| self.input(ty)).collect(),
            )),
            _ => Data::Undef,
        }
    }

    fn input_list(&mut self, len: u32, elem: &Ty) -> Data {
        Data::Agg(Rc::new((0..len).map(|_| self.input(elem)).collect()))
    }

    fn outputs(&mut self, func: &'a Func, vals: &[Val], parties: usize) -> Result<Vec<Output>> {
        if vals.is_empty() {
            return Err(Fault::new(
                func.name.span,
                "`main` has no result",
                "return what the parties shall learn",
            ));
        }
        let to = recipients(func, vals.len(), parties)?;
        let mut outputs = Vec::new();
        let mut bits = 0usize;
        for (i, (val, to)) in vals.iter().zip(to).enumerate() {
            let result = func.results.get(i);
            let span = result.map_or(func.name.span, |r| r.ty.span);
            let Some(ty) = val.ty.io() else {
                let message = format!("{} cannot be an output", val.ty);
                return Err(Fault::new(
                    span,
                    message,
                    "return integers, bool, strings, arrays or structs",
                ));
            };
            bits = bits.saturating_add(ty.bits());
            if bits > MAX_PORT_BITS {
                return Err(Fault::new(
                    span,
                    "more than 2^20 output bits",
                    "return less",
                ));
            }
            let name = result
                .and_then(|r| r.name.as_ref())
                .map_or_else(|| format!("r{i}"), |n| n.text.clone());
            outputs.push(Output { name, ty, to });
            let mut nodes = Vec::new();
            Self::leaves(&val.data, &mut nodes);
            self.graph.results.extend(nodes);
        }
        Ok(outputs)
    }
}

/// Gives open types their size from the list.
fn sized<'s>(ty: &Ty, sizes: &mut impl Iterator<Item = &'s u32>, param: &Param) -> Result<Ty> {
    let mut next = || {
        sizes.next().copied().ok_or_else(|| {
            Fault::new(
                param.ty.span,
                format!("the size of {ty} is not known"),
                "write a sized type (uint32, [16]byte), or give input sizes when compiling",
            )
        })
    };
    Ok(match ty {
        Ty::OpenInt { signed } => {
            let width = next()?;
            if width == 0 || width > crate::types::MAX_INT_BITS {
                return Err(Fault::new(
                    param.ty.span,
                    "integer width out of range",
                    "use 1 to 65536 bits",
                ));
            }
            Ty::Int {
                signed: *signed,
                width,
            }
        }
        Ty::OpenText => Ty::Text(next()?),
        Ty::Slice(elem) => {
            let len = next()?;
            Ty::Array(len, Rc::new(sized(elem, sizes, param)?))
        }
        Ty::Array(len, elem) => Ty::Array(*len, Rc::new(sized(elem, sizes, param)?)),
        Ty::Struct(def) if ty.is_open() => {
            let mut fields = Vec::new();
            for (name, ty) in &def.fields {
                fields.push((name.clone(), sized(ty, sizes, param)?));
            }
            Ty::Struct(Rc::new(StructTy {
                package: def.package,
                name: def.name.clone(),
                fields,
            }))
        }
        other => other.clone(),
    })
}

/// `//qcl:to garbler evaluator both`: one word per result; without the line everybody learns everything.
fn recipients(func: &Func, results: usize, parties: usize) -> Result<Vec<Recipients>> {
    let all = Recipients(u16::MAX >> (MAX_PARTIES - parties));
    let Some((note, span)) = func.notes.last() else {
        return Ok(vec![all; results]);
    };
    let hint = "write `//qcl:to` and for each result garbler, evaluator or both";
    let mut words = note.split_ascii_whitespace();
    if words.next() != Some("to") || func.notes.len() > 1 {
        return Err(Fault::new(
            *span,
            format!("unknown note `//qcl:{note}`"),
            hint,
        ));
    }
    let list: Vec<Recipients> = words
        .map(|word| match word {
            "garbler" => Ok(Recipients::GARBLER),
            "evaluator" if parties > 1 => Ok(Recipients::EVALUATOR),
            "both" => Ok(all),
            _ => Err(Fault::new(*span, format!("unknown party `{word}`"), hint)),
        })
        .collect::<Result<_>>()?;
    if list.len() != results {
        let message = format!("{} recipients for {results} results", list.len());
        return Err(Fault::new(*span, message, hint));
    }
    Ok(list)
}
