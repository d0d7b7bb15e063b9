//! Tokens, with Go's rule for semicolons at line ends.

use crate::bigint::BigInt;
use crate::source::{Fault, Result, Span};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Ident(String),
    Keyword(&'static str),
    Int(BigInt),
    Str(Vec<u8>),
    Op(&'static str),
    /// Written or inserted at a line end.
    Semicolon(bool),
    /// `//qcl:` line.
    Note(String),
    End,
}

const KEYWORDS: [&str; 12] = [
    "import", "const", "type", "for", "range", "else", "func", "if", "package", "return", "struct",
    "var",
];

/// Longest first.
const OPERATORS: [&str; 47] = [
    "<<=", ">>=", "&^=", "...", "&&", "||", "==", "!=", "<=", ">=", ":=", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "<<", ">>", "&^", "++", "--", "+", "-", "*", "/", "%", "&", "|", "^",
    "!", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ".", ":", "~", "@",
];

/// Longest integer literal, digits.
const MAX_DIGITS: usize = 5_000;

struct Lexer<'a> {
    text: &'a str,
    pos: usize,
    file: u32,
    tokens: Vec<(Token, Span)>,
}

/// Splits a file into tokens, the last one is `End`.
pub(crate) fn lex(file: u32, text: &str) -> Result<Vec<(Token, Span)>> {
    let mut lexer = Lexer {
        text,
        pos: 0,
        file,
        tokens: Vec::new(),
    };
    while lexer.pos < text.len() {
        lexer.step()?;
    }
    lexer.newline();
    let at = lexer.span(lexer.pos);
    lexer.tokens.push((Token::End, at));
    Ok(lexer.tokens)
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.pos..).unwrap_or("")
    }

    fn span(&self, from: usize) -> Span {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            file: self.file,
            lo: small(from),
            hi: small(self.pos),
        }
    }

    fn push(&mut self, token: Token, from: usize) {
        let span = self.span(from);
        self.tokens.push((token, span));
    }

    /// A line end ends a statement after an operand or a closing bracket.
    fn newline(&mut self) {
        let ends = match self.tokens.last() {
            Some((token, _)) => match token {
                Token::Ident(_) | Token::Int(_) | Token::Str(_) => true,
                Token::Keyword(word) => *word == "return",
                Token::Op(op) => matches!(*op, "++" | "--" | ")" | "]" | "}"),
                _ => false,
            },
            None => false,
        };
        if ends {
            let at = self.span(self.pos);
            self.tokens.push((Token::Semicolon(false), at));
        }
    }

    fn step(&mut self) -> Result<()> {
        let from = self.pos;
        let Some(c) = self.rest().chars().next() else {
            return Ok(());
        };
        match c {
            '\n' => {
                self.newline();
                self.pos = self.pos.saturating_add(1);
            }
            ' ' | '\t' | '\r' => self.pos = self.pos.saturating_add(1),
            '/' if self.rest().starts_with("//") => self.line_comment(),
            '/' if self.rest().starts_with("/*") => self.block_comment()?,
            '"' => self.string()?,
            '`' => self.raw_string()?,
            '\'' => self.rune()?,
            '0'..='9' => self.number()?,
            ';' => {
                self.pos = self.pos.saturating_add(1);
                self.push(Token::Semicolon(true), from);
            }
            _ if c == '_' || c.is_alphabetic() => self.word(),
            _ => self.operator(c)?,
        }
        Ok(())
    }

    fn line_comment(&mut self) {
        let from = self.pos;
        let line = self.rest().split('\n').next().unwrap_or("").to_owned();
        self.pos = self.pos.saturating_add(line.len());
        if let Some(note) = line.strip_prefix("//qcl:") {
            self.newline();
            self.push(Token::Note(note.trim().to_owned()), from);
        }
    }

    fn block_comment(&mut self) -> Result<()> {
        let from = self.pos;
        let body = self.rest().get(2..).unwrap_or("");
        let Some(end) = body.find("*/") else {
            self.pos = self.text.len();
            let mut span = self.span(from);
            span.hi = span.lo.saturating_add(2);
            return Err(Fault::new(span, "comment is not closed", "add `*/`"));
        };
        let lines = body.get(..end).unwrap_or("").contains('\n');
        self.pos = from.saturating_add(end).saturating_add(4);
        if lines {
            self.newline();
        }
        Ok(())
    }

    fn word(&mut self) {
        let from = self.pos;
        let len = self
            .rest()
            .find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or_else(|| self.rest().len());
        let word = self.rest().get(..len).unwrap_or("").to_owned();
        self.pos = self.pos.saturating_add(len);
        let token = KEYWORDS
            .iter()
            .find(|k| **k == word)
            .map_or(Token::Ident(word), |k| Token::Keyword(k));
        self.push(token, from);
    }

    fn number(&mut self) -> Result<()> {
        let from = self.pos;
        let len = self
            .rest()
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or_else(|| self.rest().len());
        let word = self.rest().get(..len).unwrap_or("").to_owned();
        self.pos = self.pos.saturating_add(len);
        let lower = word.to_ascii_lowercase();
        let (radix, digits) = if let Some(d) = lower.strip_prefix("0x") {
            (16, d)
        } else if let Some(d) = lower.strip_prefix("0b") {
            (2, d)
        } else if let Some(d) = lower.strip_prefix("0o") {
            (8, d)
        } else if lower.len() > 1 && lower.starts_with('0') {
            (8, lower.as_str())
        } else {
            (10, lower.as_str())
        };
        let clean: String = digits.chars().filter(|c| *c != '_').collect();
        let value = if clean.len() > MAX_DIGITS {
            None
        } else {
            BigInt::parse(&clean, radix)
        };
        let value = value.ok_or_else(|| {
            Fault::new(
                self.span(from),
                "malformed integer",
                "write 10, 0x1f, 0o17 or 0b101; `_` may separate digits; there are no fractions",
            )
        })?;
        self.push(Token::Int(value), from);
        Ok(())
    }

    fn operator(&mut self, c: char) -> Result<()> {
        let from = self.pos;
        let found = OPERATORS.iter().find(|op| self.rest().starts_with(**op));
        self.pos = self
            .pos
            .saturating_add(found.map_or_else(|| c.len_utf8(), |op| op.len()));
        match found {
            Some(op) if !matches!(*op, "~" | "@") => {
                self.push(Token::Op(op), from);
                Ok(())
            }
            _ => Err(Fault::new(
                self.span(from),
                format!("unexpected character {c:?}"),
                "remove it; bitwise complement is `^x`",
            )),
        }
    }

    fn raw_string(&mut self) -> Result<()> {
        let from = self.pos;
        let body = self.rest().get(1..).unwrap_or("");
        let Some(end) = body.find('`') else {
            self.pos = self.pos.saturating_add(1);
            return Err(Fault::new(
                self.span(from),
                "string is not closed",
                "add a back quote",
            ));
        };
        let bytes = body
            .get(..end)
            .unwrap_or("")
            .bytes()
            .filter(|b| *b != b'\r')
            .collect();
        self.pos = from.saturating_add(end).saturating_add(2);
        self.push(Token::Str(bytes), from);
        Ok(())
    }

    fn string(&mut self) -> Result<()> {
        let from = self.pos;
        self.pos = self.pos.saturating_add(1);
        let mut bytes = Vec::new();
        loop {
            match self.rest().chars().next() {
                Some('"') => {
                    self.pos = self.pos.saturating_add(1);
                    self.push(Token::Str(bytes), from);
                    return Ok(());
                }
                None | Some('\n') => {
                    return Err(Fault::new(
                        self.span(from),
                        "string is not closed",
                        "end it with `\"` on the same line",
                    ));
                }
                Some(_) => match self.character('"')? {
                    Char::Byte(byte) => bytes.push(byte),
                    Char::Point(c) => {
                        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                },
            }
        }
    }

    fn rune(&mut self) -> Result<()> {
        let from = self.pos;
        self.pos = self.pos.saturating_add(1);
        let fault = |this: &Self| {
            Fault::new(
                this.span(from),
                "malformed character",
                "write one character: 'a', '\\n'",
            )
        };
        if self.rest().starts_with(['\'', '\n']) || self.rest().is_empty() {
            return Err(fault(self));
        }
        let value = match self.character('\'')? {
            Char::Byte(byte) => u32::from(byte),
            Char::Point(c) => u32::from(c),
        };
        if !self.rest().starts_with('\'') {
            return Err(fault(self));
        }
        self.pos = self.pos.saturating_add(1);
        self.push(Token::Int(BigInt::from(value)), from);
        Ok(())
    }

    /// One character or escape of a string or rune.
    fn character(&mut self, quote: char) -> Result<Char> {
        let from = self.pos;
        let mut chars = self.rest().chars();
        let first = chars.next().unwrap_or(quote);
        if first != '\\' {
            self.pos = self.pos.saturating_add(first.len_utf8());
            return Ok(Char::Point(first));
        }
        let kind = chars.next().unwrap_or('\0');
        let simple = match kind {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            '\\' => Some(b'\\'),
            '"' if quote == '"' => Some(b'"'),
            '\'' if quote == '\'' => Some(b'\''),
            _ => None,
        };
        if let Some(byte) = simple {
            self.pos = self.pos.saturating_add(2);
            return Ok(Char::Byte(byte));
        }
        let (skip, count, radix): (usize, usize, u32) = match kind {
            'x' => (2, 2, 16),
            'u' => (2, 4, 16),
            'U' => (2, 8, 16),
            '0'..='7' => (1, 3, 8),
            _ => (1, 0, 10),
        };
        let digits = self
            .rest()
            .get(skip..skip.saturating_add(count))
            .unwrap_or("");
        let value = u32::from_str_radix(digits, radix).ok();
        let wide = matches!(kind, 'u' | 'U');
        let value = match value {
            Some(v) if wide => char::from_u32(v).map(Char::Point),
            Some(v) => u8::try_from(v).ok().map(Char::Byte),
            None => None,
        };
        self.pos = self
            .pos
            .saturating_add(skip.saturating_add(count).min(self.rest().len()));
        while !self.text.is_char_boundary(self.pos) {
            self.pos = self.pos.saturating_add(1);
        }
        value.ok_or_else(|| {
            Fault::new(
                self.span(from),
                "unknown escape",
                "known are \\n \\t \\\\ \\\" \\xHH \\ooo \\uHHHH",
            )
        })
    }
}

enum Char {
    Byte(u8),
    Point(char),
}
