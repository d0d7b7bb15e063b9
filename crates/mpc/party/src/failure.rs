//! Ends without result as people and programs see them: a word, a next step, an exit code.

use quil_client::Failure;
use quil_garble::session::SessionError;
use quil_qcl::CompileError;
use quil_session_io::{KeyError, RecordError, RunError};
use serde_json::{Map, Value};

use crate::error::PartyError;

/// The code that both parties of a session know an end by, whoever found it.
const fn abort_code(error: &SessionError) -> Option<u16> {
    match error {
        SessionError::Peer(code) => Some(*code),
        other => other.code(),
    }
}

/// One row per abort code: word, what it means, what to do.
const ABORTS: [(u16, &str, &str, &str); 12] = [
    (
        1,
        "compute.version",
        "the parties run different versions of the protocol",
        "use the same release on both sides",
    ),
    (
        2,
        "compute.suite",
        "the parties use different cryptographic suites",
        "use the same release on both sides",
    ),
    (
        3,
        "compute.role",
        "both parties have the same role",
        "one side runs `garble`, the other `evaluate`",
    ),
    (
        4,
        "compute.rendezvous",
        "the parties came for different meetings",
        "use the same key and the same command on both sides",
    ),
    (
        5,
        "compute.program",
        "the parties run different programs",
        "compare `code_id` of `quil compute compile` on both sides",
    ),
    (
        6,
        "compute.frame",
        "a message was malformed",
        "use the same release on both sides; otherwise do not trust the other party",
    ),
    (
        7,
        "compute.order",
        "a message came out of order",
        "use the same release on both sides; otherwise do not trust the other party",
    ),
    (
        8,
        "compute.transfer",
        "a check of the oblivious transfers failed",
        "the other party or the machine is faulty: do not repeat this with the same inputs",
    ),
    (
        9,
        "compute.output",
        "an output is not authentic",
        "the other party or the machine is faulty: do not use any result of this run",
    ),
    (
        10,
        "compute.transcript",
        "the parties saw different messages",
        "the other party or the machine is faulty: do not use any result of this run",
    ),
    (
        11,
        "compute.deadline",
        "a party was silent for too long",
        "check the connection and the load of both machines",
    ),
    (
        12,
        "compute.cancelled",
        "the run was cancelled",
        "start both sides again",
    ),
];

fn abort(error: &SessionError) -> Option<&'static (u16, &'static str, &'static str, &'static str)> {
    let code = abort_code(error)?;
    ABORTS.iter().find(|row| row.0 == code)
}

/// What the end of a run means.
pub(crate) fn told(error: &RunError, met: bool) -> String {
    match error {
        RunError::Session(end) => {
            let by = match end {
                SessionError::Peer(_) => "the other party stopped",
                _ => "stopped",
            };
            match abort(end) {
                Some(row) => format!("{by}: {}", row.2),
                None => format!("{by}: {end}"),
            }
        }
        RunError::Closed | RunError::Io(_) if !met => {
            format!("{error}, before it said what it runs")
        }
        other => other.to_string(),
    }
}

fn run_code(error: &RunError) -> &'static str {
    match error {
        RunError::Session(end) => abort(end).map_or("compute.session", |row| row.1),
        RunError::Record(RecordError::Seal) => "compute.key_differs",
        RunError::Record(_) | RunError::Greeting => "compute.foreign",
        RunError::Closed | RunError::Io(_) => "compute.connection",
    }
}

fn run_hint(error: &RunError, met: bool) -> &'static str {
    match error {
        RunError::Session(end) => abort(end).map_or("read what the other side says", |row| row.3),
        RunError::Record(RecordError::Seal) => "give both sides the same --key",
        RunError::Record(_) | RunError::Greeting => {
            "check that the address is that of `quil compute`"
        }
        RunError::Closed | RunError::Io(_) if !met => {
            "read what the other side says; most often the keys differ"
        }
        RunError::Closed | RunError::Io(_) => {
            "read what the other side says, then start both again"
        }
    }
}

impl PartyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Write { .. } | Self::TooLong { .. } | Self::NoText { .. } => {
                "file.io"
            }
            Self::Source(_) => "compute.source",
            Self::Circuit { .. } | Self::Bristol { .. } | Self::WireFile { .. } => {
                "compute.circuit"
            }
            Self::NoWords { .. } | Self::Export(_) => "compute.emit",
            Self::Plan(_) => "compute.plan",
            Self::Syntax { .. } | Self::Input { .. } => "compute.input",
            Self::Key(_) => "compute.key",
            Self::Address(_) => "compute.address",
            Self::Listen { .. } => "compute.listen",
            Self::NoPeer { .. } => "compute.no_peer",
            Self::Unreachable { .. } => "compute.unreachable",
            Self::Run { source, .. } => run_code(source),
            Self::System(_) | Self::Session(_) | Self::Ended => "system",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Write { .. } => "check the path and its permissions",
            Self::TooLong { .. } | Self::NoText { .. } => {
                "give a .qcl, .qclc or Bristol Fashion file"
            }
            Self::Source(_) => "correct the program; the language is in docs/compute.md",
            Self::Circuit { .. } => "compile it again: `quil compute compile F.qcl -o F.qclc`",
            Self::Bristol { .. } | Self::WireFile { .. } => {
                "check the file; its format is found by its first bytes"
            }
            Self::NoWords { .. } => "give the .qcl source, or use --emit bristol",
            Self::Export(_) => "use -o without --emit: .qclc stores repeated work once",
            Self::Plan(_) => "a session has two parties: write main with two parameters",
            Self::Syntax { .. } => "quote it for the shell, such as '[1, 2]', or give @file",
            Self::Input { .. } => "`quil compute compile` shows what each party gives",
            Self::Key(_) => "make one: openssl rand -hex 32 > key; then --key @key on both sides",
            Self::Address(_) => "write HOST:PORT, such as 127.0.0.1:7000",
            Self::Listen { .. } => "choose another --listen",
            Self::NoPeer { .. } => {
                "start `quil compute evaluate --connect` on the other side, or raise --wait"
            }
            Self::Unreachable { .. } => {
                "start `quil compute garble --listen` on the other side, or raise --wait"
            }
            Self::Run { source, met } => run_hint(source, *met),
            Self::System(_) | Self::Session(_) | Self::Ended => "check the limits of the system",
        }
    }
}

fn diagnostics(error: &CompileError) -> Vec<Value> {
    let row = |d: &quil_qcl::Diagnostic| {
        Value::Object(Map::from_iter([
            ("file".to_owned(), Value::from(d.file.as_str())),
            ("line".to_owned(), Value::from(d.line)),
            ("column".to_owned(), Value::from(d.column)),
            ("message".to_owned(), Value::from(d.message.as_str())),
            ("hint".to_owned(), Value::from(d.hint.as_str())),
        ]))
    };
    error.diagnostics.iter().map(row).collect()
}

impl From<PartyError> for Failure {
    fn from(error: PartyError) -> Self {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        let failure = Self::new(error.code(), error.to_string(), error.hint());
        match &error {
            PartyError::Read { source, .. } | PartyError::Key(KeyError::File(source)) => {
                match source.kind() {
                    NotFound => failure.not_found(),
                    PermissionDenied => failure.denied(),
                    _ => failure,
                }
            }
            PartyError::Source(e) => failure.with("diagnostics", diagnostics(e)),
            PartyError::NoWords { .. }
            | PartyError::Syntax { .. }
            | PartyError::Input { .. }
            | PartyError::Key(_)
            | PartyError::Address(_) => failure.usage(),
            PartyError::NoPeer { .. } => failure.timeout(),
            PartyError::Unreachable { .. } => failure.unreachable(),
            PartyError::Run { source, .. } => match &**source {
                RunError::Record(RecordError::Seal) => failure.denied(),
                RunError::Session(end) if abort_code(end) == Some(11) => failure.timeout(),
                RunError::Session(SessionError::Peer(number)) => failure.with("abort", *number),
                _ => failure,
            },
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_abort_code_has_words_and_both_sides_use_the_same() {
        let own = [
            SessionError::Version,
            SessionError::Suite,
            SessionError::Role,
            SessionError::Rendezvous,
            SessionError::Circuit,
            SessionError::Frame,
            SessionError::Order,
            SessionError::Transfer(quil_ot::OtError::State),
            SessionError::Output,
            SessionError::Transcript,
            SessionError::Deadline,
            SessionError::Cancelled,
        ];
        for (index, error) in own.into_iter().enumerate() {
            let code = error.code().unwrap();
            assert_eq!(usize::from(code), index + 1);
            let here = PartyError::run(error.into(), true);
            let there = PartyError::run(SessionError::Peer(code).into(), true);
            assert!(there.to_string().starts_with("the other party stopped: "));
            assert_eq!((here.code(), here.hint()), (there.code(), there.hint()));
            assert_ne!(here.code(), "compute.session");
        }
        let unknown = PartyError::run(SessionError::Peer(99).into(), true);
        assert_eq!(unknown.code(), "compute.session");
        assert!(unknown.to_string().contains("99"));
    }

    #[test]
    fn exit_codes_tell_kinds_of_ends_apart() {
        let exit = |error: RunError| Failure::from(PartyError::run(error, false)).exit_code();
        assert_eq!(exit(RecordError::Seal.into()), 6);
        assert_eq!(exit(SessionError::Deadline.into()), 5);
        assert_eq!(exit(SessionError::Peer(11).into()), 5);
        assert_eq!(exit(SessionError::Circuit.into()), 1);
        assert_eq!(exit(RunError::Closed), 1);
        assert!(PartyError::run(SessionError::Cancelled.into(), true).is_stopped());
        assert!(!PartyError::run(SessionError::Peer(12).into(), true).is_stopped());
    }
}
