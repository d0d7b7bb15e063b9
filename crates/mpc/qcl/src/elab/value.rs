//! Values: trees of words.

use std::rc::Rc;

use super::{Elab, Place};
use crate::bigint::BigInt;
use crate::ir::{Node, Op};
use crate::source::{Fault, Result, Span};
use crate::types::Ty;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Word(Node),
    /// Elements, fields, or bytes of a string.
    Agg(Rc<Vec<Self>>),
    /// Value of an untyped constant.
    Untyped(BigInt),
    Pointer(Place),
    /// A result that was not returned yet.
    Undef,
}

/// A value with its type, which is never open.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Val {
    pub(super) ty: Ty,
    pub(super) data: Data,
}

/// A value outside its graph: constants, and holes for words that are not constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Frozen {
    Const(BigInt, u32),
    /// Width of a word that is not constant.
    Hole(u32),
    Agg(Vec<Self>),
    Untyped(BigInt),
}

impl Val {
    pub(super) const fn untyped(value: BigInt) -> Self {
        Self {
            ty: Ty::Untyped,
            data: Data::Untyped(value),
        }
    }

    pub(super) const fn word(ty: Ty, node: Node) -> Self {
        Self {
            ty,
            data: Data::Word(node),
        }
    }

    pub(super) const fn bool(node: Node) -> Self {
        Self::word(Ty::Bool, node)
    }
}

impl Elab<'_> {
    pub(super) fn bool_val(&mut self, value: bool) -> Val {
        Val::bool(self.graph.bit(value))
    }

    pub(super) fn int_val(&mut self, value: &BigInt, signed: bool, width: u32) -> Val {
        let node = self.graph.constant_node(value, width);
        Val::word(Ty::Int { signed, width }, node)
    }

    pub(super) fn text_val(&mut self, bytes: &[u8]) -> Val {
        let data = bytes
            .iter()
            .map(|b| Data::Word(self.graph.constant_node(&BigInt::from(u32::from(*b)), 8)))
            .collect();
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Val {
            ty: Ty::Text(len),
            data: Data::Agg(Rc::new(data)),
        }
    }

    /// All bits zero.
    pub(super) fn zero(&mut self, ty: &Ty) -> Data {
        let repeat = |count: u32, elem: Data| {
            Data::Agg(Rc::new(vec![elem; usize::try_from(count).unwrap_or(0)]))
        };
        match ty {
            Ty::Bool => Data::Word(self.graph.bit(false)),
            Ty::Int { width, .. } => Data::Word(self.graph.constant_node(&BigInt::zero(), *width)),
            Ty::Text(bytes) => {
                let byte = self.zero(&Ty::BYTE);
                repeat(*bytes, byte)
            }
            Ty::Array(len, elem) => {
                let elem = self.zero(elem);
                repeat(*len, elem)
            }
            Ty::Struct(def) => Data::Agg(Rc::new(
                def.fields.iter().map(|(_, ty)| self.zero(ty)).collect(),
            )),
            Ty::Slice(_) | Ty::OpenText => Data::Agg(Rc::new(Vec::new())),
            Ty::Untyped => Data::Untyped(BigInt::zero()),
            Ty::OpenInt { .. } => Data::Word(self.graph.constant_node(&BigInt::zero(), 32)),
            Ty::Pointer(_) => Data::Undef,
        }
    }

    /// Words in layout order.
    pub(super) fn leaves(data: &Data, out: &mut Vec<Node>) {
        match data {
            Data::Word(node) => out.push(*node),
            Data::Agg(list) => list.iter().for_each(|d| Self::leaves(d, out)),
            Data::Untyped(_) | Data::Pointer(_) | Data::Undef => {}
        }
    }

    /// Charges for a walk over all parts of a value.
    pub(super) fn charge_parts(&mut self, data: &Data, span: Span) -> Result<()> {
        if let Data::Agg(list) = data {
            self.charge(list.len() as u64, span)?;
            if let Some(Data::Agg(_)) = list.first() {
                for part in list.iter() {
                    self.charge_parts(part, span)?;
                }
            }
        }
        Ok(())
    }

    /// [`Elab::zero`], charged.
    pub(super) fn zero_val(&mut self, ty: &Ty, span: Span) -> Result<Val> {
        self.charge(ty.zero_cost(), span)?;
        let data = self.zero(ty);
        Ok(Val {
            ty: ty.closed(),
            data,
        })
    }

    /// All bits as one word; `None` for a value without bits.
    pub(super) fn word_of(&mut self, data: &Data) -> Option<Node> {
        let mut nodes = Vec::new();
        Self::leaves(data, &mut nodes);
        (!nodes.is_empty()).then(|| self.graph.concat(&nodes))
    }

    /// `cond ? t : f`. Values of different length or pointers to different places cannot be merged.
    pub(super) fn mux_val(&mut self, cond: Node, t: Val, f: Val, span: Span) -> Result<Val> {
        if t.data == Data::Undef {
            return Ok(f);
        }
        if f.data == Data::Undef {
            return Ok(t);
        }
        let (t, f) = self.common(t, f, span)?;
        let data = self.mux_data(cond, &t.data, &f.data, span)?;
        Ok(Val { ty: t.ty, data })
    }

    /// Values of a variable of open type take the wider integer.
    fn common(&mut self, t: Val, f: Val, span: Span) -> Result<(Val, Val)> {
        if t.ty == f.ty {
            return Ok((t, f));
        }
        let (
            Ty::Int {
                signed: s,
                width: v,
            },
            Ty::Int {
                signed: r,
                width: w,
            },
        ) = (&t.ty, &f.ty)
        else {
            let message = format!("a secret condition decides between {} and {}", t.ty, f.ty);
            return Err(Fault::new(
                span,
                message,
                "give both branches values of the same type and length",
            ));
        };
        let ty = Ty::Int {
            signed: *s,
            width: *v.max(w),
        };
        let (s, r) = (*s, *r);
        Ok((self.resize(t, &ty, s), self.resize(f, &ty, r)))
    }

    pub(super) fn resize(&mut self, val: Val, ty: &Ty, signed: bool) -> Val {
        match val.data {
            Data::Word(node) => {
                let width = u32::try_from(ty.bits()).unwrap_or(1);
                Val::word(ty.clone(), self.graph.resize(node, width, signed))
            }
            data => Val {
                ty: ty.clone(),
                data,
            },
        }
    }

    pub(super) fn mux_data(&mut self, cond: Node, t: &Data, f: &Data, span: Span) -> Result<Data> {
        match (t, f) {
            _ if t == f => Ok(t.clone()),
            (Data::Word(a), Data::Word(b)) => {
                let width = self.graph.width(*a);
                Ok(Data::Word(self.graph.add(Op::Mux(cond, *a, *b), width)))
            }
            (Data::Agg(a), Data::Agg(b)) if a.len() == b.len() => {
                self.charge(u64::try_from(a.len()).unwrap_or(u64::MAX), span)?;
                let merged = a
                    .iter()
                    .zip(b.iter())
                    .map(|(a, b)| self.mux_data(cond, a, b, span))
                    .collect::<Result<_>>()?;
                Ok(Data::Agg(Rc::new(merged)))
            }
            (Data::Undef, other) | (other, Data::Undef) => Ok(other.clone()),
            (Data::Pointer(_), Data::Pointer(_)) => Err(Fault::new(
                span,
                "a pointer would depend on a secret",
                "copy the values with `if`, or use an array and a secret index",
            )),
            _ => Err(Fault::new(
                span,
                "a length would depend on a secret",
                "give both branches values of the same length",
            )),
        }
    }

    /// The value of a constant, signed if its type is.
    pub(super) fn constant(&self, val: &Val) -> Option<BigInt> {
        match (&val.data, &val.ty) {
            (Data::Untyped(value), _) => Some(value.clone()),
            (
                Data::Word(node),
                Ty::Int {
                    signed: true,
                    width,
                },
            ) => Some(self.graph.constant(*node)?.signed(*width)),
            (Data::Word(node), _) => self.graph.constant(*node).cloned(),
            _ => None,
        }
    }

    pub(super) fn freeze(&self, data: &Data) -> Option<Frozen> {
        Some(match data {
            Data::Word(node) => {
                let width = self.graph.width(*node);
                match self.graph.constant(*node) {
                    Some(value) => Frozen::Const(value.clone(), width),
                    None => Frozen::Hole(width),
                }
            }
            Data::Agg(list) => {
                Frozen::Agg(list.iter().map(|d| self.freeze(d)).collect::<Option<_>>()?)
            }
            Data::Untyped(value) => Frozen::Untyped(value.clone()),
            Data::Pointer(_) | Data::Undef => return None,
        })
    }

    /// Brings a value into the current graph; `fill` makes the word for a hole of some width.
    pub(super) fn thaw(
        &mut self,
        frozen: &Frozen,
        fill: &mut impl FnMut(&mut Self, u32) -> Node,
    ) -> Data {
        match frozen {
            Frozen::Const(value, width) => Data::Word(self.graph.constant_node(value, *width)),
            Frozen::Hole(width) => Data::Word(fill(self, *width)),
            Frozen::Agg(list) => {
                Data::Agg(Rc::new(list.iter().map(|f| self.thaw(f, fill)).collect()))
            }
            Frozen::Untyped(value) => Data::Untyped(value.clone()),
        }
    }
}

impl Frozen {
    pub(super) fn is_const(&self) -> bool {
        match self {
            Self::Hole(_) => false,
            Self::Agg(list) => list.iter().all(Self::is_const),
            Self::Const(..) | Self::Untyped(_) => true,
        }
    }
}
