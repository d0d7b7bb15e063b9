//! Recursive descent over tokens. Nesting is bounded, so hostile text cannot exhaust the stack.

mod expr;
mod stmt;

use super::ast::{
    Block, File, Func, Import, Name, Param, TypeBody, TypeDef, TypeExpr, TypeKind, VarSpec,
};
use super::lexer::{Token, lex};
use crate::source::{Fault, Result, Span};

/// Deepest nesting of expressions, types and statements together.
pub(crate) const MAX_NESTING: u32 = 100;
/// Most errors reported for one file.
const MAX_FAULTS: usize = 10;
/// Longest source file, bytes.
pub(crate) const MAX_SOURCE: usize = 4 << 20;

pub(crate) struct Parser {
    tokens: Vec<(Token, Span)>,
    pos: usize,
    depth: u32,
    /// Inside the head of `if` and `for`, where `Name {` starts the body.
    no_literal: bool,
}

/// Parses a file; several errors are collected at declarations.
pub(crate) fn parse(file: u32, text: &str) -> std::result::Result<File, Vec<Fault>> {
    if text.len() > MAX_SOURCE {
        let fault = Fault::new(
            Span { file, lo: 0, hi: 0 },
            "source file too long",
            "split the program",
        );
        return Err(vec![*fault]);
    }
    let tokens = lex(file, text).map_err(|fault| vec![*fault])?;
    let mut parser = Parser {
        tokens,
        pos: 0,
        depth: 0,
        no_literal: false,
    };
    let mut out = File::default();
    let mut faults = Vec::new();
    if let Err(fault) = parser.head(&mut out) {
        faults.push(*fault);
        parser.recover();
    }
    while *parser.peek() != Token::End && faults.len() < MAX_FAULTS {
        parser.depth = 0;
        parser.no_literal = false;
        if let Err(fault) = parser.top(&mut out) {
            faults.push(*fault);
            parser.recover();
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(faults)
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.pos).map_or(&Token::End, |t| &t.0)
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.pos.saturating_add(ahead))
            .map_or(&Token::End, |t| &t.0)
    }

    fn span(&self) -> Span {
        self.tokens
            .get(self.pos)
            .or_else(|| self.tokens.last())
            .map_or_else(Span::default, |t| t.1)
    }

    /// Span of the token before.
    fn behind(&self) -> Span {
        self.tokens
            .get(self.pos.saturating_sub(1))
            .map_or_else(Span::default, |t| t.1)
    }

    const fn advance(&mut self) {
        if self.pos < self.tokens.len() {
            self.pos = self.pos.saturating_add(1);
        }
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(found) if *found == op)
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Keyword(found) if *found == word)
    }

    fn eat_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        if found {
            self.advance();
        }
        found
    }

    fn eat_keyword(&mut self, word: &str) -> bool {
        let found = self.is_keyword(word);
        if found {
            self.advance();
        }
        found
    }

    fn describe(&self) -> String {
        match self.peek() {
            Token::Ident(name) => format!("`{name}`"),
            Token::Keyword(word) => format!("`{word}`"),
            Token::Int(value) => format!("{value}"),
            Token::Str(_) => "a string".into(),
            Token::Op(op) => format!("`{op}`"),
            Token::Semicolon(true) => "`;`".into(),
            Token::Semicolon(false) => "the end of the line".into(),
            Token::Note(_) => "a `//qcl:` line".into(),
            Token::End => "the end of the file".into(),
        }
    }

    fn unexpected<T>(&self, wanted: &str, hint: &str) -> Result<T> {
        let message = format!("expected {wanted}, found {}", self.describe());
        Err(Fault::new(self.span(), message, hint))
    }

    fn expect_op(&mut self, op: &str) -> Result<Span> {
        let span = self.span();
        if self.eat_op(op) {
            return Ok(span);
        }
        let hint = match op {
            "{" => "a body starts with `{` on the same line",
            ")" | "]" | "}" => "close the bracket; a list over several lines ends with a comma",
            _ => "the grammar continues with this sign here",
        };
        self.unexpected(&format!("`{op}`"), hint)
    }

    fn name(&mut self) -> Result<Name> {
        let span = self.span();
        if let Token::Ident(text) = self.peek() {
            let text = text.clone();
            self.advance();
            return Ok(Name { text, span });
        }
        self.unexpected(
            "a name",
            "names start with a letter or `_` and are not keywords",
        )
    }

    /// End of a statement or declaration: a semicolon, or a closing bracket that follows.
    fn end(&mut self) -> Result<()> {
        match self.peek() {
            Token::Semicolon(_) => {
                self.advance();
                Ok(())
            }
            Token::Op("}" | ")") | Token::End => Ok(()),
            _ => self.unexpected("the end of the statement", "start a new line or write `;`"),
        }
    }

    fn skip_semicolons(&mut self) {
        while matches!(self.peek(), Token::Semicolon(_)) {
            self.advance();
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_NESTING {
            return Err(too_deep(self.span()));
        }
        Ok(())
    }

    const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Goes to the next declaration at the start of a line of its own.
    fn recover(&mut self) {
        self.advance();
        loop {
            match self.peek() {
                Token::End => return,
                Token::Keyword("func" | "type")
                    if matches!(
                        self.tokens.get(self.pos.saturating_sub(1)),
                        Some((Token::Semicolon(_), _))
                    ) =>
                {
                    return;
                }
                _ => self.advance(),
            }
        }
    }

    fn head(&mut self, out: &mut File) -> Result<()> {
        self.skip_semicolons();
        if !self.eat_keyword("package") {
            return self.unexpected("`package`", "a file starts with `package main`");
        }
        out.package = self.name()?.text;
        self.end()?;
        self.skip_semicolons();
        while self.eat_keyword("import") {
            if self.eat_op("(") {
                self.skip_semicolons();
                while !self.is_op(")") {
                    let import = self.import()?;
                    out.imports.push(import);
                    self.end()?;
                    self.skip_semicolons();
                }
                self.advance();
            } else {
                let import = self.import()?;
                out.imports.push(import);
            }
            self.end()?;
            self.skip_semicolons();
        }
        Ok(())
    }

    fn import(&mut self) -> Result<Import> {
        let alias = if matches!(self.peek(), Token::Ident(_)) {
            Some(self.name()?)
        } else {
            None
        };
        let span = self.span();
        let Token::Str(bytes) = self.peek() else {
            return self.unexpected("an import path", "write it in quotes: \"crypto/sha256\"");
        };
        let path = String::from_utf8_lossy(bytes).into_owned();
        self.advance();
        Ok(Import { alias, path, span })
    }

    fn top(&mut self, out: &mut File) -> Result<()> {
        let mut notes = Vec::new();
        loop {
            let span = self.span();
            match self.peek() {
                Token::Note(text) => notes.push((text.clone(), span)),
                Token::Semicolon(_) => {}
                _ => break,
            }
            self.advance();
        }
        if let Some((_, span)) = notes.first()
            && !self.is_keyword("func")
        {
            return Err(Fault::new(
                *span,
                "`//qcl:` line without a function",
                "put it directly above `func`",
            ));
        }
        match self.peek() {
            Token::End => Ok(()),
            Token::Keyword("const") => self.specs(&mut out.consts),
            Token::Keyword("var") => self.specs(&mut out.vars),
            Token::Keyword("type") => self.type_decl(&mut out.types),
            Token::Keyword("func") => {
                let func = self.func(notes)?;
                out.funcs.push(func);
                self.end()
            }
            Token::Keyword("import") => self.unexpected(
                "a declaration",
                "imports come directly after the package clause",
            ),
            _ => self.unexpected(
                "a declaration",
                "outside functions: const, var, type or func",
            ),
        }
    }

    fn specs(&mut self, out: &mut Vec<VarSpec>) -> Result<()> {
        self.advance();
        if !self.eat_op("(") {
            out.push(self.var_spec()?);
            return self.end();
        }
        self.skip_semicolons();
        while !self.is_op(")") {
            out.push(self.var_spec()?);
            self.end()?;
            self.skip_semicolons();
        }
        self.advance();
        self.end()
    }

    fn var_spec(&mut self) -> Result<VarSpec> {
        let mut names = vec![self.name()?];
        while self.eat_op(",") {
            names.push(self.name()?);
        }
        let at_end = |p: &Self| {
            matches!(
                p.peek(),
                Token::Semicolon(_) | Token::End | Token::Op(")" | "}")
            )
        };
        let ty = if self.is_op("=") || at_end(self) {
            None
        } else {
            Some(self.type_expr()?)
        };
        let values = if self.eat_op("=") {
            self.expr_list()?
        } else {
            Vec::new()
        };
        if ty.is_none() && values.is_empty() {
            return self.unexpected("a type or `=`", "write `name type`, `name = value` or both");
        }
        Ok(VarSpec { names, ty, values })
    }

    fn type_decl(&mut self, out: &mut Vec<TypeDef>) -> Result<()> {
        self.advance();
        if !self.eat_op("(") {
            out.push(self.type_def()?);
            return self.end();
        }
        self.skip_semicolons();
        while !self.is_op(")") {
            out.push(self.type_def()?);
            self.end()?;
            self.skip_semicolons();
        }
        self.advance();
        self.end()
    }

    fn type_def(&mut self) -> Result<TypeDef> {
        let name = self.name()?;
        if !self.eat_keyword("struct") {
            let _ = self.eat_op("=");
            return Ok(TypeDef {
                name,
                body: TypeBody::Other(self.type_expr()?),
            });
        }
        self.expect_op("{")?;
        let mut fields = Vec::new();
        self.skip_semicolons();
        while !self.is_op("}") {
            let mut names = vec![self.name()?];
            while self.eat_op(",") {
                names.push(self.name()?);
            }
            let ty = self.type_expr()?;
            fields.extend(names.into_iter().map(|name| (name, ty.clone())));
            self.end()?;
            self.skip_semicolons();
        }
        self.advance();
        Ok(TypeDef {
            name,
            body: TypeBody::Struct(fields),
        })
    }

    fn func(&mut self, notes: Vec<(String, Span)>) -> Result<Func> {
        self.advance();
        let receiver = if self.is_op("(") {
            let mut list = self.params()?;
            let one = list.pop().filter(|p| list.is_empty() && p.name.is_some());
            Some(one.ok_or_else(|| {
                Fault::new(
                    self.behind(),
                    "malformed receiver",
                    "write `(name Type)` or `(name *Type)`",
                )
            })?)
        } else {
            None
        };
        let name = self.name()?;
        let params = self.params()?;
        if let Some(param) = params.iter().find(|p| p.name.is_none()) {
            return Err(Fault::new(
                param.ty.span,
                "parameter without a type",
                "write `name type`",
            ));
        }
        let results = if self.is_op("{") {
            Vec::new()
        } else if self.is_op("(") {
            self.params()?
        } else {
            vec![Param {
                name: None,
                ty: self.type_expr()?,
            }]
        };
        let body = self.block()?;
        Ok(Func {
            name,
            receiver,
            params,
            results,
            body,
            notes,
        })
    }

    /// `(a, b T, c U)` or `(T, U)`. A list with one named entry is a list of names.
    fn params(&mut self) -> Result<Vec<Param>> {
        self.expect_op("(")?;
        let mut entries: Vec<(TypeExpr, Option<TypeExpr>)> = Vec::new();
        while !self.is_op(")") {
            let first = self.type_expr()?;
            let second = if self.is_op(",") || self.is_op(")") {
                None
            } else {
                Some(self.type_expr()?)
            };
            entries.push((first, second));
            if !self.eat_op(",") {
                break;
            }
        }
        self.expect_op(")")?;
        if entries.iter().all(|(_, second)| second.is_none()) {
            return Ok(entries
                .into_iter()
                .map(|(ty, _)| Param { name: None, ty })
                .collect());
        }
        let mut out = Vec::new();
        let mut ty: Option<TypeExpr> = None;
        for (first, second) in entries.into_iter().rev() {
            if second.is_some() {
                ty = second;
            }
            let TypeKind::Name(None, name) = first.kind else {
                return Err(Fault::new(
                    first.span,
                    "expected a parameter name",
                    "write `name type`",
                ));
            };
            let Some(ty) = ty.clone() else {
                return Err(Fault::new(
                    first.span,
                    "parameter without a type",
                    "the last name of a group is followed by its type",
                ));
            };
            out.push(Param {
                name: Some(name),
                ty,
            });
        }
        out.reverse();
        Ok(out)
    }

    fn type_expr(&mut self) -> Result<TypeExpr> {
        self.enter()?;
        let from = self.span();
        let kind = if self.eat_op("*") {
            TypeKind::Pointer(Box::new(self.type_expr()?))
        } else if self.eat_op("[") {
            self.array_type()?
        } else if matches!(self.peek(), Token::Ident(_)) {
            let first = self.name()?;
            if self.eat_op(".") {
                TypeKind::Name(Some(first), self.name()?)
            } else {
                TypeKind::Name(None, first)
            }
        } else {
            return self.unexpected(
                "a type",
                "types are names, `[N]T`, `[]T` and `*T`; structs are declared with `type`",
            );
        };
        self.leave();
        Ok(TypeExpr {
            kind,
            span: from.to(self.behind()),
        })
    }

    /// After `[`.
    fn array_type(&mut self) -> Result<TypeKind> {
        if self.eat_op("]") {
            return Ok(TypeKind::Slice(Box::new(self.type_expr()?)));
        }
        if self.eat_op("...") {
            self.expect_op("]")?;
            return Ok(TypeKind::Counted(Box::new(self.type_expr()?)));
        }
        let outer = std::mem::replace(&mut self.no_literal, false);
        let len = self.expr()?;
        self.no_literal = outer;
        self.expect_op("]")?;
        Ok(TypeKind::Array(Box::new(len), Box::new(self.type_expr()?)))
    }

    fn block(&mut self) -> Result<Block> {
        self.expect_op("{")?;
        self.enter()?;
        let outer = std::mem::replace(&mut self.no_literal, false);
        let mut stmts = Vec::new();
        self.skip_semicolons();
        while !self.is_op("}") {
            if *self.peek() == Token::End {
                return self.unexpected("`}`", "a block is not closed");
            }
            stmts.push(self.stmt()?);
            self.end()?;
            self.skip_semicolons();
        }
        let end = self.span();
        self.advance();
        self.no_literal = outer;
        self.leave();
        Ok(Block { stmts, end })
    }
}

fn too_deep(span: Span) -> Box<Fault> {
    Fault::new(
        span,
        format!("nested deeper than {MAX_NESTING} levels"),
        "split the expression or the block into functions",
    )
}
