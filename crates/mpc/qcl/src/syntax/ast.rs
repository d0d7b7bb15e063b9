//! The syntax tree.

use crate::bigint::BigInt;
use crate::source::Span;

/// A name with its place.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
    /// Height of the tree, bounded by the parser.
    pub(crate) height: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Plus,
    Minus,
    Not,
    Complement,
    Deref,
    Address,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    AndNot,
    Shl,
    Shr,
    LogicalAnd,
    LogicalOr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Int(BigInt),
    Str(Vec<u8>),
    Ident(String),
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Index(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    Selector(Box<Expr>, Name),
    Call(Box<Expr>, Vec<Expr>),
    Composite(Box<TypeExpr>, Vec<Element>),
    Type(Box<TypeExpr>),
}

/// Element of a composite literal.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) key: Option<Expr>,
    pub(crate) value: ElementValue,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ElementValue {
    Expr(Expr),
    /// `{…}` of the element type.
    Literal(Vec<Element>),
}

#[derive(Clone, Debug)]
pub(crate) struct TypeExpr {
    pub(crate) kind: TypeKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum TypeKind {
    Name(Option<Name>, Name),
    Array(Box<Expr>, Box<TypeExpr>),
    /// `[...]T`, only in literals.
    Counted(Box<TypeExpr>),
    Slice(Box<TypeExpr>),
    Pointer(Box<TypeExpr>),
}

#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) stmts: Vec<Stmt>,
    /// The closing brace.
    pub(crate) end: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Stmt {
    pub(crate) kind: StmtKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum StmtKind {
    Var(VarSpec),
    Const(VarSpec),
    Assign(Vec<Expr>, Vec<Expr>),
    Define(Vec<Name>, Vec<Expr>),
    OpAssign(Expr, BinaryOp, Expr),
    If(Box<If>),
    For(Box<For>),
    Range(Box<Range>),
    Return(Vec<Expr>),
    Expr(Expr),
    Block(Block),
}

#[derive(Clone, Debug)]
pub(crate) struct If {
    pub(crate) init: Option<Stmt>,
    pub(crate) cond: Expr,
    pub(crate) then: Block,
    pub(crate) otherwise: Option<Stmt>,
}

#[derive(Clone, Debug)]
pub(crate) struct For {
    pub(crate) init: Option<Stmt>,
    pub(crate) cond: Expr,
    pub(crate) post: Option<Stmt>,
    pub(crate) body: Block,
}

#[derive(Clone, Debug)]
pub(crate) struct Range {
    pub(crate) names: Vec<Name>,
    pub(crate) define: bool,
    pub(crate) over: Expr,
    pub(crate) body: Block,
}

#[derive(Clone, Debug)]
pub(crate) struct VarSpec {
    pub(crate) names: Vec<Name>,
    pub(crate) ty: Option<TypeExpr>,
    pub(crate) values: Vec<Expr>,
}

#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: Option<Name>,
    pub(crate) ty: TypeExpr,
}

#[derive(Clone, Debug)]
pub(crate) struct Func {
    pub(crate) name: Name,
    pub(crate) receiver: Option<Param>,
    pub(crate) params: Vec<Param>,
    pub(crate) results: Vec<Param>,
    pub(crate) body: Block,
    /// `//qcl:…` lines directly above.
    pub(crate) notes: Vec<(String, Span)>,
}

#[derive(Clone, Debug)]
pub(crate) struct TypeDef {
    pub(crate) name: Name,
    pub(crate) body: TypeBody,
}

#[derive(Clone, Debug)]
pub(crate) enum TypeBody {
    Struct(Vec<(Name, TypeExpr)>),
    Other(TypeExpr),
}

#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) alias: Option<Name>,
    pub(crate) path: String,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) package: String,
    pub(crate) imports: Vec<Import>,
    pub(crate) consts: Vec<VarSpec>,
    pub(crate) vars: Vec<VarSpec>,
    pub(crate) types: Vec<TypeDef>,
    pub(crate) funcs: Vec<Func>,
}
