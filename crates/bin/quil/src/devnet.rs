//! `quil devnet` and `quil demo`: networks of real processes on this machine.

mod load;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use quil_client::{Failure, Output};
use quil_devnet::demo::{DemoOptions, StepDone, demo};
use quil_devnet::load::load;
use quil_devnet::ready::Api;
use quil_devnet::status::{self, Report, up};
use quil_devnet::{Choice, DevnetError, DevnetPlan, FrameTime, Program, down};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Arguments;
use crate::print;
use load::LoadArguments;

/// Exit code after an interrupt.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Subcommand)]
pub(crate) enum DevnetCommand {
    /// Starts a network and leaves it running; prints one document when every node is ready.
    Up(UpArguments),
    /// Stops the network.
    Down(Place),
    /// Shows processes and frames.
    Status(Place),
    /// Lists the accounts.
    Accounts(Place),
    /// Measures how many transfers the running network makes final, and how soon.
    Load(LoadPlace),
}

#[derive(Args, Debug)]
pub(crate) struct LoadPlace {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    load: LoadArguments,
}

/// Which network.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// Folder of the network; `devnet` in the home folder when absent.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct UpArguments {
    #[command(flatten)]
    place: Place,
    /// Nodes, 1 to 16 [default: 4, or what the folder holds].
    #[arg(long)]
    nodes: Option<u16>,
    /// Workers of each node [default: 1, or what the folder holds].
    #[arg(long)]
    workers: Option<u16>,
    /// Time between two frames, such as 2s or 500ms [default: 2s, or what the folder holds].
    #[arg(long, value_name = "TIME")]
    frame_time: Option<FrameTime>,
    /// Stays until it is interrupted, then stops the network.
    #[arg(long)]
    foreground: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// Time between two frames, such as 2s or 500ms.
    #[arg(long, value_name = "TIME", default_value = "2s")]
    frame_time: FrameTime,
    /// Folder to run in; a temporary one when absent. It is removed at the end.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// How a command ended other than with a result.
enum End {
    Failed(Failure),
    Interrupted,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<DevnetError> for End {
    fn from(e: DevnetError) -> Self {
        Self::Failed(e.into())
    }
}

fn show(output: Output, result: Result<String, End>) -> ExitCode {
    match result {
        Ok(text) => print(&mut std::io::stdout(), &text, ExitCode::SUCCESS),
        Err(End::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(End::Failed(failure)) => print(
            &mut std::io::stderr(),
            &failure.render(output),
            ExitCode::from(failure.exit_code()),
        ),
    }
}

fn system(e: &std::io::Error) -> Failure {
    Failure::new("system", e.to_string(), "check the limits of the system")
}

/// Runs a future; an interrupt or a request to end drops it, which stops what it started.
fn run<T>(future: impl Future<Output = Result<T, End>>) -> Result<T, End> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| system(&e))?;
    runtime.block_on(async {
        let mut signals = Vec::new();
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            signals.push(signal(kind).map_err(|e| system(&e))?);
        }
        let [interrupt, terminate, hangup] = signals.as_mut_slice() else {
            return Err(End::Interrupted);
        };
        tokio::select! {
            result = future => result,
            _ = interrupt.recv() => Err(End::Interrupted),
            _ = terminate.recv() => Err(End::Interrupted),
            _ = hangup.recv() => Err(End::Interrupted),
        }
    })
}

impl Place {
    fn dir(&self, arguments: &Arguments) -> PathBuf {
        let own = || arguments.home().join("devnet");
        self.dir.clone().unwrap_or_else(own)
    }
}

/// `quil devnet`.
pub(crate) fn run_devnet(arguments: &Arguments, command: &DevnetCommand) -> ExitCode {
    let output = arguments.output();
    let text = |report: Report| report.render(output);
    let result = match command {
        DevnetCommand::Up(up) => return run_up(&up.place.dir(arguments), up, output),
        DevnetCommand::Down(place) => down(&place.dir(arguments))
            .map(|fates| text(status::stopped(&fates)))
            .map_err(End::from),
        DevnetCommand::Status(place) => {
            let dir = place.dir(arguments);
            run(async { Ok(text(status::status(&dir, &Api).await?)) })
        }
        DevnetCommand::Load(load) => run_load(&load.place.dir(arguments), &load.load, output),
        DevnetCommand::Accounts(place) => status::accounts(&place.dir(arguments))
            .map(text)
            .map_err(End::from),
    };
    show(output, result)
}

/// Progress goes to standard error, the report to standard output.
fn run_load(dir: &Path, arguments: &LoadArguments, output: Output) -> Result<String, End> {
    let say = move |line: &str| {
        if output == Output::Human {
            // A closed pipe is the reader's choice.
            let _closed = writeln!(std::io::stderr(), "{line}");
        }
    };
    let options = arguments.options(dir.to_owned());
    run(async { Ok(load(&options, &say).await?.render(output)) })
}

fn run_up(dir: &Path, arguments: &UpArguments, output: Output) -> ExitCode {
    let choice = Choice {
        nodes: arguments.nodes,
        workers: arguments.workers,
        frame_time: arguments.frame_time,
    };
    let foreground = arguments.foreground;
    let mut ready = false;
    let result = run(async {
        let (mut net, report) = up(dir, &choice, Program::current()?, &Api).await?;
        let shown = show(output, Ok(report.render(output)));
        if !foreground {
            let _record = net.keep();
            return Ok(shown);
        }
        ready = true;
        net.unlock();
        net.wait_stopped().await;
        Ok(shown)
    });
    match result {
        Ok(shown) => shown,
        // The way to end it.
        Err(End::Interrupted) if ready => ExitCode::SUCCESS,
        Err(end) => show(output, Err(end)),
    }
}

/// `quil demo`.
pub(crate) fn run_demo(arguments: &Arguments, demo_arguments: &DemoArguments) -> ExitCode {
    let output = arguments.output();
    let say = move |step: &StepDone| {
        if output == Output::Human {
            // A closed pipe is the reader's choice.
            let _closed = writeln!(std::io::stdout(), "{}", step.render());
        }
    };
    let result = run(async {
        let standard = DevnetPlan::standard();
        let (nodes, workers) = (standard.nodes(), standard.workers());
        let plan = DevnetPlan::new(nodes, workers, demo_arguments.frame_time);
        let plan = plan.map_err(DevnetError::from)?;
        let options = DemoOptions {
            program: Program::current()?,
            plan,
            dir: demo_arguments.dir.clone(),
        };
        match demo(&options, &say).await {
            Ok(report) => Ok(report.render(output)),
            Err(e) => Err(End::Failed(e.into())),
        }
    });
    show(output, result)
}
