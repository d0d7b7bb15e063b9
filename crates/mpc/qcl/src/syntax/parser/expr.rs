//! Expressions by precedence climbing.

use super::super::ast::{
    BinaryOp, Element, ElementValue, Expr, ExprKind, TypeExpr, TypeKind, UnaryOp,
};
use super::super::lexer::Token;
use super::{MAX_NESTING, Parser, too_deep};
use crate::source::{Result, Span};

fn binary(op: &str) -> Option<(BinaryOp, u8)> {
    Some(match op {
        "||" => (BinaryOp::LogicalOr, 1),
        "&&" => (BinaryOp::LogicalAnd, 2),
        "==" => (BinaryOp::Eq, 3),
        "!=" => (BinaryOp::Ne, 3),
        "<" => (BinaryOp::Lt, 3),
        "<=" => (BinaryOp::Le, 3),
        ">" => (BinaryOp::Gt, 3),
        ">=" => (BinaryOp::Ge, 3),
        "+" => (BinaryOp::Add, 4),
        "-" => (BinaryOp::Sub, 4),
        "|" => (BinaryOp::Or, 4),
        "^" => (BinaryOp::Xor, 4),
        "*" => (BinaryOp::Mul, 5),
        "/" => (BinaryOp::Div, 5),
        "%" => (BinaryOp::Rem, 5),
        "<<" => (BinaryOp::Shl, 5),
        ">>" => (BinaryOp::Shr, 5),
        "&" => (BinaryOp::And, 5),
        "&^" => (BinaryOp::AndNot, 5),
        _ => return None,
    })
}

/// A node over its children; refuses trees higher than the nesting limit, however they were written.
fn node(kind: ExprKind, span: Span, children: &[&Expr]) -> Result<Expr> {
    let height = children
        .iter()
        .map(|c| c.height)
        .max()
        .unwrap_or(0)
        .saturating_add(1);
    if height > MAX_NESTING {
        return Err(too_deep(span));
    }
    Ok(Expr { kind, span, height })
}

/// A node whose height is known already.
fn with_height(kind: ExprKind, span: Span, below: u32) -> Result<Expr> {
    let height = below.saturating_add(1);
    if height > MAX_NESTING {
        return Err(too_deep(span));
    }
    Ok(Expr { kind, span, height })
}

impl Parser {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.enter()?;
        let expr = self.binary_expr(1);
        self.leave();
        expr
    }

    pub(super) fn expr_list(&mut self) -> Result<Vec<Expr>> {
        let mut list = vec![self.expr()?];
        while self.eat_op(",") {
            list.push(self.expr()?);
        }
        Ok(list)
    }

    fn binary_expr(&mut self, level: u8) -> Result<Expr> {
        let mut left = self.unary()?;
        while let Token::Op(op) = *self.peek() {
            let Some((op, precedence)) = binary(op) else {
                break;
            };
            if precedence < level {
                break;
            }
            self.advance();
            let right = self.binary_expr(precedence.saturating_add(1))?;
            let span = left.span.to(right.span);
            let height = left.height.max(right.height);
            left = with_height(
                ExprKind::Binary(op, Box::new(left), Box::new(right)),
                span,
                height,
            )?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr> {
        let from = self.span();
        let op = match self.peek() {
            Token::Op("+") => UnaryOp::Plus,
            Token::Op("-") => UnaryOp::Minus,
            Token::Op("!") => UnaryOp::Not,
            Token::Op("^") => UnaryOp::Complement,
            Token::Op("*") => UnaryOp::Deref,
            Token::Op("&") => UnaryOp::Address,
            _ => return self.primary(),
        };
        self.advance();
        self.enter()?;
        let inner = self.unary()?;
        self.leave();
        let (span, height) = (from.to(inner.span), inner.height);
        with_height(ExprKind::Unary(op, Box::new(inner)), span, height)
    }

    fn primary(&mut self) -> Result<Expr> {
        let mut expr = self.operand()?;
        loop {
            let from = expr.span;
            if self.eat_op(".") {
                let name = self.name()?;
                let (span, height) = (from.to(name.span), expr.height);
                expr = with_height(ExprKind::Selector(Box::new(expr), name), span, height)?;
            } else if self.eat_op("[") {
                expr = self.index(expr)?;
            } else if self.eat_op("(") {
                let args = self.list(")", Self::argument)?;
                let below = args
                    .iter()
                    .map(|a| a.height)
                    .max()
                    .unwrap_or(0)
                    .max(expr.height);
                let span = from.to(self.behind());
                expr = with_height(ExprKind::Call(Box::new(expr), args), span, below)?;
            } else if self.is_op("{") && !self.no_literal {
                let Some(ty) = literal_type(&expr) else {
                    return Ok(expr);
                };
                expr = self.composite(ty)?;
            } else {
                return Ok(expr);
            }
        }
    }

    /// An argument may be a type: `make([]byte, 4)`.
    fn argument(&mut self) -> Result<Expr> {
        self.expr()
    }

    fn list<T>(&mut self, close: &str, item: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let outer = std::mem::replace(&mut self.no_literal, false);
        let mut items = Vec::new();
        while !self.is_op(close) {
            items.push(item(self)?);
            if !self.eat_op(",") {
                break;
            }
        }
        self.no_literal = outer;
        self.expect_op(close)?;
        Ok(items)
    }

    /// After `[`.
    fn index(&mut self, base: Expr) -> Result<Expr> {
        let outer = std::mem::replace(&mut self.no_literal, false);
        let first = if self.is_op(":") {
            None
        } else {
            Some(self.expr()?)
        };
        let expr = if self.eat_op(":") {
            let last = if self.is_op("]") {
                None
            } else {
                Some(self.expr()?)
            };
            self.expect_op("]")?;
            let height = [&first, &last]
                .into_iter()
                .flatten()
                .map(|e| e.height)
                .max()
                .unwrap_or(0);
            let (span, height) = (base.span.to(self.behind()), height.max(base.height));
            let kind = ExprKind::Slice(Box::new(base), first.map(Box::new), last.map(Box::new));
            with_height(kind, span, height)
        } else {
            self.expect_op("]")?;
            let Some(index) = first else {
                return self.unexpected("an index", "write `a[i]` or `a[i:j]`");
            };
            let (span, height) = (base.span.to(self.behind()), base.height.max(index.height));
            with_height(
                ExprKind::Index(Box::new(base), Box::new(index)),
                span,
                height,
            )
        };
        self.no_literal = outer;
        expr
    }

    fn operand(&mut self) -> Result<Expr> {
        let span = self.span();
        let kind = match self.peek() {
            Token::Int(value) => ExprKind::Int(value.clone()),
            Token::Str(bytes) => ExprKind::Str(bytes.clone()),
            Token::Ident(name) => ExprKind::Ident(name.clone()),
            Token::Op("(") => {
                self.advance();
                let outer = std::mem::replace(&mut self.no_literal, false);
                let mut inner = self.expr()?;
                self.no_literal = outer;
                self.expect_op(")")?;
                inner.span = span.to(self.behind());
                return Ok(inner);
            }
            Token::Op("[") => return self.array_operand(),
            _ => return self.unexpected("an expression", "a value, a name or `(` can stand here"),
        };
        self.advance();
        node(kind, span, &[])
    }

    /// `[N]T{…}`, `[]T(x)`, or the type alone as an argument of `make`.
    fn array_operand(&mut self) -> Result<Expr> {
        let ty = self.type_expr()?;
        if self.is_op("{") {
            return self.composite(ty);
        }
        let span = ty.span;
        node(ExprKind::Type(Box::new(ty)), span, &[])
    }

    fn composite(&mut self, ty: TypeExpr) -> Result<Expr> {
        let from = ty.span;
        self.advance();
        let elements = self.elements()?;
        let below = elements.iter().map(height).max().unwrap_or(0);
        let span = from.to(self.behind());
        with_height(ExprKind::Composite(Box::new(ty), elements), span, below)
    }

    /// After `{`.
    fn elements(&mut self) -> Result<Vec<Element>> {
        self.enter()?;
        let list = self.list("}", Self::element);
        self.leave();
        list
    }

    fn element(&mut self) -> Result<Element> {
        let from = self.span();
        let mut key = None;
        let mut value = self.element_value()?;
        if self.eat_op(":") {
            let ElementValue::Expr(expr) = value else {
                return self.unexpected("an element", "a key is a field name or a constant index");
            };
            key = Some(expr);
            value = self.element_value()?;
        }
        Ok(Element {
            key,
            value,
            span: from.to(self.behind()),
        })
    }

    fn element_value(&mut self) -> Result<ElementValue> {
        if self.eat_op("{") {
            return Ok(ElementValue::Literal(self.elements()?));
        }
        Ok(ElementValue::Expr(self.expr()?))
    }
}

fn height(element: &Element) -> u32 {
    let value = match &element.value {
        ElementValue::Expr(expr) => expr.height,
        ElementValue::Literal(list) => list.iter().map(height).max().unwrap_or(0).saturating_add(1),
    };
    element
        .key
        .as_ref()
        .map_or(value, |key| value.max(key.height))
}

/// `Name` and `pkg.Name` can start a literal.
fn literal_type(expr: &Expr) -> Option<TypeExpr> {
    let name = |expr: &Expr| match &expr.kind {
        ExprKind::Ident(text) => Some(super::super::ast::Name {
            text: text.clone(),
            span: expr.span,
        }),
        _ => None,
    };
    let kind = match &expr.kind {
        ExprKind::Ident(_) => TypeKind::Name(None, name(expr)?),
        ExprKind::Selector(base, field) => TypeKind::Name(Some(name(base)?), field.clone()),
        _ => return None,
    };
    Some(TypeExpr {
        kind,
        span: expr.span,
    })
}
