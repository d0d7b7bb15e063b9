//! Walks over syntax trees: which names a body mentions and which it can change.

use std::collections::BTreeSet;

use crate::syntax::ast::{
    Block, Element, ElementValue, Expr, ExprKind, Stmt, StmtKind, TypeExpr, TypeKind, UnaryOp,
};

/// The variable an assignable expression starts from.
pub(super) fn root_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Ident(name) => Some(name),
        ExprKind::Index(base, _)
        | ExprKind::Slice(base, ..)
        | ExprKind::Selector(base, _)
        | ExprKind::Unary(UnaryOp::Deref, base) => root_name(base),
        _ => None,
    }
}

pub(super) fn names_in_block(block: &Block) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk_block(block, &mut |expr| match &expr.kind {
        ExprKind::Ident(name) => {
            names.insert(name.clone());
        }
        ExprKind::Selector(_, name) => {
            names.insert(name.text.clone());
        }
        _ => {}
    });
    names
}

pub(super) fn targets_in_block(block: &Block, out: &mut BTreeSet<String>) {
    walk_stmts(&block.stmts, &mut |stmt| {
        let targets: Vec<&Expr> = match &stmt.kind {
            StmtKind::Assign(left, _) => left.iter().collect(),
            StmtKind::OpAssign(target, ..) => vec![target],
            StmtKind::Range(range) if !range.define => {
                out.extend(range.names.iter().map(|n| n.text.clone()));
                Vec::new()
            }
            _ => Vec::new(),
        };
        out.extend(
            targets
                .iter()
                .filter_map(|e| root_name(e))
                .map(str::to_owned),
        );
    });
    walk_block(block, &mut |expr| {
        let place = match &expr.kind {
            ExprKind::Unary(UnaryOp::Address, inner) => Some(&**inner),
            ExprKind::Call(callee, args) if matches!(&callee.kind, ExprKind::Ident(name) if name == "copy") => {
                args.first()
            }
            _ => None,
        };
        if let Some(name) = place.and_then(root_name) {
            out.insert(name.to_owned());
        }
    });
}

fn walk_stmts(stmts: &[Stmt], f: &mut impl FnMut(&Stmt)) {
    for stmt in stmts {
        walk_stmt(stmt, f);
    }
}

fn walk_stmt(stmt: &Stmt, f: &mut impl FnMut(&Stmt)) {
    f(stmt);
    match &stmt.kind {
        StmtKind::If(node) => {
            node.init.iter().for_each(|s| walk_stmt(s, f));
            walk_stmts(&node.then.stmts, f);
            node.otherwise.iter().for_each(|s| walk_stmt(s, f));
        }
        StmtKind::For(node) => {
            node.init
                .iter()
                .chain(&node.post)
                .for_each(|s| walk_stmt(s, f));
            walk_stmts(&node.body.stmts, f);
        }
        StmtKind::Range(node) => walk_stmts(&node.body.stmts, f),
        StmtKind::Block(block) => walk_stmts(&block.stmts, f),
        _ => {}
    }
}

pub(super) fn walk_block(block: &Block, f: &mut impl FnMut(&Expr)) {
    walk_stmts(&block.stmts, &mut |stmt| match &stmt.kind {
        StmtKind::Var(spec) | StmtKind::Const(spec) => {
            spec.values.iter().for_each(|e| walk_expr(e, f));
            spec.ty.iter().for_each(|t| walk_type(t, f));
        }
        StmtKind::Assign(left, right) => {
            left.iter().chain(right).for_each(|e| walk_expr(e, f));
        }
        StmtKind::Define(_, right) => right.iter().for_each(|e| walk_expr(e, f)),
        StmtKind::OpAssign(left, _, right) => {
            walk_expr(left, f);
            walk_expr(right, f);
        }
        StmtKind::If(node) => walk_expr(&node.cond, f),
        StmtKind::For(node) => walk_expr(&node.cond, f),
        StmtKind::Range(node) => walk_expr(&node.over, f),
        StmtKind::Return(list) => list.iter().for_each(|e| walk_expr(e, f)),
        StmtKind::Expr(expr) => walk_expr(expr, f),
        StmtKind::Block(_) => {}
    });
}

fn walk_type(ty: &TypeExpr, f: &mut impl FnMut(&Expr)) {
    match &ty.kind {
        TypeKind::Name(..) => {}
        TypeKind::Array(len, elem) => {
            walk_expr(len, f);
            walk_type(elem, f);
        }
        TypeKind::Counted(elem) | TypeKind::Slice(elem) | TypeKind::Pointer(elem) => {
            walk_type(elem, f);
        }
    }
}

fn walk_expr(expr: &Expr, f: &mut impl FnMut(&Expr)) {
    f(expr);
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Str(_) | ExprKind::Ident(_) => {}
        ExprKind::Unary(_, a) | ExprKind::Selector(a, _) => walk_expr(a, f),
        ExprKind::Binary(_, a, b) | ExprKind::Index(a, b) => {
            walk_expr(a, f);
            walk_expr(b, f);
        }
        ExprKind::Slice(a, lo, hi) => {
            walk_expr(a, f);
            lo.iter().chain(hi).for_each(|e| walk_expr(e, f));
        }
        ExprKind::Call(callee, args) => {
            walk_expr(callee, f);
            args.iter().for_each(|e| walk_expr(e, f));
        }
        ExprKind::Composite(ty, elements) => {
            walk_type(ty, f);
            elements.iter().for_each(|e| walk_element(e, f));
        }
        ExprKind::Type(ty) => walk_type(ty, f),
    }
}

fn walk_element(element: &Element, f: &mut impl FnMut(&Expr)) {
    element.key.iter().for_each(|e| walk_expr(e, f));
    match &element.value {
        ElementValue::Expr(expr) => walk_expr(expr, f),
        ElementValue::Literal(list) => list.iter().for_each(|e| walk_element(e, f)),
    }
}
