//! Source files, positions, and errors that point at them.

use std::fmt;

/// A range of bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) file: u32,
    pub(crate) lo: u32,
    pub(crate) hi: u32,
}

impl Span {
    pub(crate) fn to(self, end: Self) -> Self {
        Self {
            file: self.file,
            lo: self.lo,
            hi: self.hi.max(end.hi),
        }
    }
}

/// An error before it is resolved to line and column.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: String,
    pub(crate) calls: Vec<Span>,
}

impl Fault {
    pub(crate) fn new(
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Box<Self> {
        Box::new(Self {
            span,
            message: message.into(),
            hint: hint.into(),
            calls: Vec::new(),
        })
    }
}

pub(crate) type Result<T> = std::result::Result<T, Box<Fault>>;

/// All files of a compilation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    files: Vec<(String, String)>,
}

impl Sources {
    pub(crate) fn add(&mut self, name: &str, text: &str) -> u32 {
        let id = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push((name.to_owned(), text.to_owned()));
        id
    }

    fn place(&self, span: Span) -> (String, u32, u32, String, usize) {
        let index = usize::try_from(span.file).unwrap_or(usize::MAX);
        let Some((name, text)) = self.files.get(index) else {
            return (String::new(), 1, 1, String::new(), 1);
        };
        let lo = usize::try_from(span.lo).unwrap_or(0).min(text.len());
        let hi = usize::try_from(span.hi).unwrap_or(0).clamp(lo, text.len());
        let before = text.get(..lo).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |i| i.saturating_add(1));
        let line = before.matches('\n').count().saturating_add(1);
        let column = before
            .get(start..)
            .unwrap_or("")
            .chars()
            .count()
            .saturating_add(1);
        let snippet = text
            .get(start..)
            .unwrap_or("")
            .lines()
            .next()
            .unwrap_or("")
            .to_owned();
        let marked = text
            .get(lo..hi)
            .unwrap_or("")
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .count();
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (
            name.clone(),
            small(line),
            small(column),
            snippet,
            marked.max(1),
        )
    }

    pub(crate) fn resolve(&self, fault: &Fault) -> Diagnostic {
        let (file, line, column, snippet, marked) = self.place(fault.span);
        let calls = fault
            .calls
            .iter()
            .map(|span| {
                let (file, line, ..) = self.place(*span);
                format!("{file}:{line}")
            })
            .collect();
        Diagnostic {
            file,
            line,
            column,
            marked,
            snippet,
            message: fault.message.clone(),
            hint: fault.hint.clone(),
            calls,
        }
    }
}

/// One error in a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Name of the file, or the import path of an embedded package.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Characters marked on that line.
    pub marked: usize,
    /// The line.
    pub snippet: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Calls that led there, `file:line`, innermost first.
    pub calls: Vec<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        // Tabs count as one character in the column, so they are shown as one.
        writeln!(f, "    {}", self.snippet.replace('\t', " "))?;
        let column = usize::try_from(self.column).unwrap_or(1);
        writeln!(
            f,
            "    {:>column$}{}",
            '^',
            "~".repeat(self.marked.min(60).saturating_sub(1))
        )?;
        write!(f, "    hint: {}", self.hint)?;
        for call in &self.calls {
            write!(f, "\n    called from {call}")?;
        }
        Ok(())
    }
}

/// A program was refused. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    /// The errors, in order of position in a file.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CompileError {}
