//! `quil compute`: two parties compute on private inputs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use quil_client::{Document, Failure, Output};
use quil_party::{
    Compilation, Emit, LocalRun, PartyError, PeerRun, Sizes, Stop, compile, evaluate, garble, local,
};
use zeroize::Zeroizing;

use crate::args::Format;
use crate::client::duration;
use crate::{print, show, signals};

/// Exit code after an interrupt.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Subcommand)]
pub(crate) enum ComputeCommand {
    /// Compiles a program and shows what the circuit takes and gives; writes the circuit or a listing.
    Compile(CompileArguments),
    /// Runs both parties in this process over the real protocol; prints what each party learns.
    Local(LocalArguments),
    /// Runs the garbler: waits for the evaluator, prints what the garbler learns.
    Garble(GarbleArguments),
    /// Runs the evaluator: looks for the garbler, prints what the evaluator learns.
    Evaluate(EvaluateArguments),
}

/// A program and the sizes it leaves open.
#[derive(Args, Debug)]
struct ProgramArguments {
    /// A .qcl source, a .qclc circuit or a Bristol Fashion file.
    file: PathBuf,
    /// Bits or elements for each open type (`int`, `[]byte`, `string`) of the garbler's input.
    #[arg(long, value_name = "N,..", value_delimiter = ',')]
    garbler_sizes: Vec<u32>,
    /// The same of the evaluator's input.
    #[arg(long, value_name = "N,..", value_delimiter = ',')]
    evaluator_sizes: Vec<u32>,
}

impl ProgramArguments {
    fn sizes(&self) -> Sizes {
        Sizes {
            garbler: self.garbler_sizes.clone(),
            evaluator: self.evaluator_sizes.clone(),
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CompileArguments {
    #[command(flatten)]
    program: ProgramArguments,
    /// File to write: the circuit (.qclc), or with --emit the listing. Of this command, -o is this file; the format of the
    /// report is --output.
    #[arg(short = 'o', long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints a listing, or with -o writes it: words as executed, words the results need, or gates as Bristol Fashion.
    #[arg(long, value_enum, value_name = "LISTING")]
    emit: Option<Listing>,
    /// Adds gate counts, depth, live wires and bytes.
    #[arg(long)]
    stats: bool,
    /// How the report is printed.
    #[arg(id = "output", long, value_name = "FORMAT", value_enum, default_value_t = Format::Human)]
    output: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Listing {
    Ssa,
    Ir,
    Bristol,
}

impl From<Listing> for Emit {
    fn from(listing: Listing) -> Self {
        match listing {
            Listing::Ssa => Self::Ssa,
            Listing::Ir => Self::Ir,
            Listing::Bristol => Self::Bristol,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct LocalArguments {
    #[command(flatten)]
    program: ProgramArguments,
    /// The garbler's input: JSON, or @file.
    #[arg(long, value_name = "JSON")]
    garbler: String,
    /// The evaluator's input: JSON, or @file.
    #[arg(long, value_name = "JSON")]
    evaluator: String,
}

/// What a party of two processes gives.
#[derive(Args, Debug)]
struct PartyArguments {
    #[command(flatten)]
    program: ProgramArguments,
    /// This party's input: JSON, or @file.
    #[arg(long, value_name = "JSON")]
    input: String,
    /// Session key that both parties hold: 64 hexadecimal digits, or better @file.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// How long to wait for the other party: 500ms, 60s or 2m.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    wait: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct GarbleArguments {
    #[command(flatten)]
    party: PartyArguments,
    /// Address to wait at.
    #[arg(long, value_name = "HOST:PORT")]
    listen: String,
}

#[derive(Args, Debug)]
pub(crate) struct EvaluateArguments {
    #[command(flatten)]
    party: PartyArguments,
    /// Address of the garbler.
    #[arg(long, value_name = "HOST:PORT")]
    connect: String,
}

impl PartyArguments {
    fn run(&self, address: &str) -> PeerRun {
        PeerRun {
            file: self.program.file.clone(),
            sizes: self.program.sizes(),
            input: Zeroizing::new(self.input.clone()),
            key: Zeroizing::new(self.key.clone()),
            address: address.to_owned(),
            wait: self.wait,
        }
    }
}

/// `quil compute`.
pub(crate) fn run(output: Output, command: &ComputeCommand) -> ExitCode {
    let say = move |line: &str| {
        if output == Output::Human {
            // A closed pipe is the reader's choice.
            let _closed = writeln!(std::io::stderr(), "{line}");
        }
    };
    let stop = Stop::new();
    let result = match command {
        ComputeCommand::Compile(own) => return run_compile(output, own, &say),
        ComputeCommand::Local(own) => {
            let run = LocalRun {
                file: own.program.file.clone(),
                sizes: own.program.sizes(),
                garbler: Zeroizing::new(own.garbler.clone()),
                evaluator: Zeroizing::new(own.evaluator.clone()),
            };
            heeding(&stop, || local(&run, &stop, &say))
        }
        ComputeCommand::Garble(own) => {
            let run = own.party.run(&own.listen);
            heeding(&stop, || garble(&run, &stop, &say))
        }
        ComputeCommand::Evaluate(own) => {
            let run = own.party.run(&own.connect);
            heeding(&stop, || evaluate(&run, &stop, &say))
        }
    };
    match result {
        Err(failure) if failure.is_stopped() => {
            say("stopped; the other party was told");
            ExitCode::from(INTERRUPTED)
        }
        result => show(output, result.map_err(Failure::from)),
    }
}

/// Runs a session that the first signal stops; the second one ends the process, and so does any before the session.
fn heeding(
    stop: &Stop,
    session: impl FnOnce() -> Result<Document, PartyError>,
) -> Result<Document, PartyError> {
    let wanted = stop.clone();
    let runtime = signals::watch(move |count| {
        if !wanted.stop() || count > 1 {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    let _runtime = runtime.map_err(PartyError::System)?;
    session()
}

fn run_compile(output: Output, own: &CompileArguments, say: &(dyn Fn(&str) + Sync)) -> ExitCode {
    if let Some(name) = own.out.as_ref().and_then(|path| path.to_str())
        && Format::from_str(name, true).is_ok()
    {
        let message = format!("here -o names a file, and `{name}` is a format");
        let hint = format!("write --output {name}, or -o ./{name} for such a file");
        return show(output, Err(Failure::new("usage", message, hint).usage()));
    }
    let what = Compilation {
        file: own.program.file.clone(),
        sizes: own.program.sizes(),
        out: own.out.clone(),
        emit: own.emit.map(Emit::from),
        stats: own.stats,
    };
    let emitted = match compile(&what, say) {
        Ok(emitted) => emitted,
        Err(error) => return show(output, Err(error.into())),
    };
    match (emitted.listing, output) {
        (None, _) => show(output, Ok(emitted.report)),
        (Some(listing), Output::Json) => {
            show(output, Ok(emitted.report.with_detail("listing", listing)))
        }
        (Some(listing), Output::Human) => {
            if own.stats {
                say(&emitted.report.render(output));
            }
            print(
                &mut std::io::stdout(),
                listing.trim_end(),
                ExitCode::SUCCESS,
            )
        }
    }
}
