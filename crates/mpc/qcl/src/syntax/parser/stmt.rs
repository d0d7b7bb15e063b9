//! Statements.

use super::super::ast::{BinaryOp, Expr, ExprKind, For, If, Name, Range, Stmt, StmtKind};
use super::super::lexer::Token;
use super::Parser;
use crate::bigint::BigInt;
use crate::source::{Fault, Result, Span};

impl Parser {
    pub(super) fn stmt(&mut self) -> Result<Stmt> {
        self.enter()?;
        let from = self.span();
        let kind = match self.peek() {
            Token::Keyword("var") => {
                self.advance();
                StmtKind::Var(self.var_spec()?)
            }
            Token::Keyword("const") => {
                self.advance();
                StmtKind::Const(self.var_spec()?)
            }
            Token::Keyword("if") => self.if_stmt()?,
            Token::Keyword("for") => self.for_stmt()?,
            Token::Keyword("return") => {
                self.advance();
                let none = matches!(self.peek(), Token::Semicolon(_) | Token::Op("}"));
                StmtKind::Return(if none { Vec::new() } else { self.expr_list()? })
            }
            Token::Op("{") => StmtKind::Block(self.block()?),
            Token::Ident(word)
                if matches!(
                    word.as_str(),
                    "switch" | "break" | "continue" | "goto" | "defer" | "go"
                ) && !matches!(self.peek_at(1), Token::Op(_)) =>
            {
                let message = format!("`{word}` is not part of the language");
                return Err(Fault::new(
                    from,
                    message,
                    "use if, for and functions with early return",
                ));
            }
            _ => self.simple()?,
        };
        self.leave();
        Ok(Stmt {
            kind,
            span: from.to(self.behind()),
        })
    }

    /// Expression, assignment, definition, `++`, `--`.
    fn simple(&mut self) -> Result<StmtKind> {
        let mut left = self.expr_list()?;
        let span = self.span();
        let Token::Op(op) = *self.peek() else {
            return self.lone(left);
        };
        if op == "=" || op == ":=" {
            self.advance();
            let right = self.expr_list()?;
            return if op == "=" {
                Ok(StmtKind::Assign(left, right))
            } else {
                Ok(StmtKind::Define(names(left)?, right))
            };
        }
        let (binary, step) = match op {
            "++" => (BinaryOp::Add, true),
            "--" => (BinaryOp::Sub, true),
            "+=" => (BinaryOp::Add, false),
            "-=" => (BinaryOp::Sub, false),
            "*=" => (BinaryOp::Mul, false),
            "/=" => (BinaryOp::Div, false),
            "%=" => (BinaryOp::Rem, false),
            "&=" => (BinaryOp::And, false),
            "|=" => (BinaryOp::Or, false),
            "^=" => (BinaryOp::Xor, false),
            "&^=" => (BinaryOp::AndNot, false),
            "<<=" => (BinaryOp::Shl, false),
            ">>=" => (BinaryOp::Shr, false),
            _ => return self.lone(left),
        };
        self.advance();
        let Some(target) = left.pop().filter(|_| left.is_empty()) else {
            return Err(Fault::new(
                span,
                format!("`{op}` needs exactly one left side"),
                "write one statement per variable",
            ));
        };
        let value = if step {
            Expr {
                kind: ExprKind::Int(BigInt::one()),
                span,
                height: 1,
            }
        } else {
            self.expr()?
        };
        Ok(StmtKind::OpAssign(target, binary, value))
    }

    fn lone(&self, mut left: Vec<Expr>) -> Result<StmtKind> {
        match left.pop() {
            Some(expr) if left.is_empty() => Ok(StmtKind::Expr(expr)),
            _ => self.unexpected("`=` or `:=`", "a list of values has to be assigned"),
        }
    }

    fn in_head<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.no_literal, true);
        let value = parse(self);
        self.no_literal = outer;
        value
    }

    fn simple_stmt(&mut self) -> Result<Stmt> {
        let from = self.span();
        let kind = self.simple()?;
        Ok(Stmt {
            kind,
            span: from.to(self.behind()),
        })
    }

    fn if_stmt(&mut self) -> Result<StmtKind> {
        self.advance();
        let first = self.in_head(Self::simple_stmt)?;
        let (init, cond) = if matches!(self.peek(), Token::Semicolon(true)) {
            self.advance();
            (Some(first), self.in_head(Self::expr)?)
        } else {
            (None, condition(first)?)
        };
        let then = self.block()?;
        let otherwise = if self.eat_keyword("else") {
            self.enter()?;
            let from = self.span();
            let kind = if self.is_keyword("if") {
                self.if_stmt()?
            } else {
                StmtKind::Block(self.block()?)
            };
            self.leave();
            Some(Stmt { kind, span: from })
        } else {
            None
        };
        Ok(StmtKind::If(Box::new(If {
            init,
            cond,
            then,
            otherwise,
        })))
    }

    fn for_stmt(&mut self) -> Result<StmtKind> {
        let from = self.span();
        self.advance();
        if let Some(range) = self.range_head()? {
            let (names, define, over) = range;
            let body = self.block()?;
            return Ok(StmtKind::Range(Box::new(Range {
                names,
                define,
                over,
                body,
            })));
        }
        if self.is_op("{") {
            return Err(Fault::new(
                from,
                "loop without a condition",
                "every loop is unrolled: give a condition that ends it",
            ));
        }
        let init = if matches!(self.peek(), Token::Semicolon(_)) {
            None
        } else {
            Some(self.in_head(Self::simple_stmt)?)
        };
        if self.is_op("{") {
            let Some(stmt) = init else {
                return self.unexpected(
                    "a condition",
                    "write `for cond {` or `for init; cond; post {`",
                );
            };
            let cond = condition(stmt)?;
            let body = self.block()?;
            return Ok(StmtKind::For(Box::new(For {
                init: None,
                cond,
                post: None,
                body,
            })));
        }
        self.semicolon()?;
        if matches!(self.peek(), Token::Semicolon(_)) {
            return self.unexpected(
                "a condition",
                "every loop is unrolled: give a condition that ends it",
            );
        }
        let cond = self.in_head(Self::expr)?;
        self.semicolon()?;
        let post = if self.is_op("{") {
            None
        } else {
            Some(self.in_head(Self::simple_stmt)?)
        };
        let body = self.block()?;
        Ok(StmtKind::For(Box::new(For {
            init,
            cond,
            post,
            body,
        })))
    }

    fn semicolon(&mut self) -> Result<()> {
        if matches!(self.peek(), Token::Semicolon(true)) {
            self.advance();
            return Ok(());
        }
        self.unexpected("`;`", "write `for init; cond; post {` on one line")
    }

    /// `k, v := range e` and its shorter forms; nothing is consumed if it is something else.
    fn range_head(&mut self) -> Result<Option<(Vec<Name>, bool, Expr)>> {
        let start = self.pos;
        let mut names = Vec::new();
        let mut define = false;
        if !self.is_keyword("range") {
            loop {
                if !matches!(self.peek(), Token::Ident(_)) {
                    break;
                }
                names.push(self.name()?);
                if !self.eat_op(",") {
                    break;
                }
            }
            define = self.is_op(":=");
            if !(self.eat_op(":=") || self.eat_op("=")) {
                self.pos = start;
                return Ok(None);
            }
        }
        if !self.eat_keyword("range") {
            self.pos = start;
            return Ok(None);
        }
        if names.len() > 2 {
            return self.unexpected("at most two names", "write `for i, v := range x`");
        }
        let over = self.in_head(Self::expr)?;
        Ok(Some((names, define, over)))
    }
}

fn condition(stmt: Stmt) -> Result<Expr> {
    match stmt.kind {
        StmtKind::Expr(expr) => Ok(expr),
        _ => Err(Fault::new(
            stmt.span,
            "expected a condition, found a statement",
            "comparison is `==`",
        )),
    }
}

fn names(exprs: Vec<Expr>) -> Result<Vec<Name>> {
    let name = |expr: Expr| -> Result<Name> {
        let span: Span = expr.span;
        match expr.kind {
            ExprKind::Ident(text) => Ok(Name { text, span }),
            _ => Err(Fault::new(
                span,
                "only names can be defined with `:=`",
                "use `=` to assign to fields and elements",
            )),
        }
    };
    exprs.into_iter().map(name).collect()
}
