//! `quil node run`: one process of a node.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use quil_client::Failure;
use quil_node::config::{Config, LogFormat};
use quil_node::home::{Home, HomeError, PASSPHRASE_VARIABLE};
use quil_node::master::{MasterError, run_master};
use quil_node::process::Setup;
use quil_node::spawner::Launch;
use quil_node::ticket::{TICKET_VARIABLE, Ticket};
use quil_node::worker::{WorkerError, die_with, run_worker};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// Threads for sockets and timers; arithmetic has a pool of its own.
const IO_THREADS: usize = 2;
/// Exit code after a second signal.
const EXIT_INTERRUPTED: i32 = 130;

/// Runs one process of a node: the master, which starts its workers, or with `--core` one worker.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Configuration file; `quil.yaml` in the home folder when absent.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// 0 is the master; workers are started by it, not by hand.
    #[arg(long, default_value_t = 0, value_name = "N")]
    core: u16,
    /// Start although the record of signed votes is missing. Only after the prover key was replaced: signing with the
    /// old key again can contradict an earlier vote.
    #[arg(long)]
    accept_lost_safety: bool,
}

/// Why a process of a node ended.
enum Ended {
    Failure(Failure),
    Master(MasterError),
    Worker(WorkerError),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Runs until a signal, or until it cannot go on. The exit code says why: 74 and 75 the store, 78 configuration, 1 else.
pub(crate) fn run(home: &Path, arguments: &Run) -> Result<ExitCode, Failure> {
    match start(home, arguments) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Ended::Failure(failure)) => Err(failure),
        Err(Ended::Master(e)) => Ok(give_up(&e, e.exit_code())),
        Err(Ended::Worker(e)) => Ok(give_up(&e, e.exit_code())),
    }
}

fn give_up(error: &dyn std::error::Error, code: u8) -> ExitCode {
    tracing::error!(%error, code, "this process cannot go on");
    ExitCode::from(code)
}

fn start(home: &Path, arguments: &Run) -> Result<(), Ended> {
    let ticket = match arguments.core {
        0 => None,
        _ => Some(ticket()?),
    };
    if let Some(ticket) = &ticket {
        // On the main thread and before anything takes time.
        die_with(ticket.pid).map_err(Ended::Worker)?;
    }
    let folder = Home::new(home.to_owned());
    let config = configuration(&folder, arguments).map_err(|e| configuration_failure(&e))?;
    log(&config)?;
    let variable = std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new);
    let passphrase = folder.passphrase(variable.as_deref().map(String::as_str));
    let passphrase = passphrase.map_err(|e| configuration_failure(&e))?;
    let setup = Setup::load(folder, config, &passphrase);
    let setup = setup.map_err(|e| Ended::Master(e.into()))?;
    let runtime = runtime()?;
    let ended = match ticket {
        None => {
            let launch = launch(home, arguments)?;
            let run = run_master(&setup, launch, arguments.accept_lost_safety, stop());
            runtime.block_on(run).map_err(Ended::Master)
        }
        Some(ticket) => {
            let lost = arguments.accept_lost_safety;
            let run = run_worker(&setup, arguments.core, ticket, lost, stop());
            runtime.block_on(run).map_err(Ended::Worker)
        }
    };
    // What still runs ends with the process.
    runtime.shutdown_background();
    ended
}

fn ticket() -> Result<Ticket, Failure> {
    let text = std::env::var(TICKET_VARIABLE).unwrap_or_default();
    Ticket::from_text(&text).map_err(|e| {
        Failure::new(
            "node.ticket",
            e.to_string(),
            "run `quil node run` without --core",
        )
        .usage()
    })
}

fn configuration(home: &Home, arguments: &Run) -> Result<Config, HomeError> {
    let path = arguments
        .config
        .clone()
        .unwrap_or_else(|| home.config_path());
    let config = |source| HomeError::Config {
        path: path.clone(),
        source,
    };
    let layers = Home::layers_of(path.clone())?;
    let variables = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let layers = layers.with_environment(variables).map_err(config)?;
    layers.decode().map_err(config)
}

fn configuration_failure(e: &HomeError) -> Failure {
    let hint = "see `quil config validate`; `quil devnet up` makes complete home folders";
    Failure::new("config.invalid", e.to_string(), hint).configuration()
}

fn log(config: &Config) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log.filter).map_err(|e| {
        Failure::new(
            "config.invalid",
            format!("log.filter: {e}"),
            "use `info`, or `info,quil_p2p=debug`",
        )
        .configuration()
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that cannot be written, on a full disk above all, is no reason for a panic.
        .log_internal_errors(false);
    // The only subscriber of this process: it is set once.
    let _set = match config.log.format {
        LogFormat::Human => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}

fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .enable_all()
        .build();
    built.map_err(|e| {
        Failure::new(
            "system.threads",
            e.to_string(),
            "free memory or raise limits",
        )
    })
}

/// Workers are this program again.
fn launch(home: &Path, arguments: &Run) -> Result<Launch, Failure> {
    let program = std::env::current_exe()
        .map_err(|e| Failure::new("system.program", e.to_string(), "run it by its full path"))?;
    let mut list: Vec<OsString> = vec!["--home".into(), home.into(), "node".into(), "run".into()];
    if let Some(config) = &arguments.config {
        list.extend(["--config".into(), config.into()]);
    }
    if arguments.accept_lost_safety {
        list.push("--accept-lost-safety".into());
    }
    Ok(Launch {
        program,
        arguments: list,
    })
}

/// Resolves with the first SIGTERM or SIGINT; the second one ends the process at once.
async fn stop() {
    let first = Arc::new(Notify::new());
    let told = Arc::clone(&first);
    tokio::spawn(async move {
        if next_signal().await {
            told.notify_one();
            if next_signal().await {
                std::process::exit(EXIT_INTERRUPTED);
            }
        }
    });
    first.notified().await;
}

/// Waits for a signal; false when none can be taken.
async fn next_signal() -> bool {
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::warn!("signals cannot be taken");
        return false;
    };
    tokio::select! {
        got = term.recv() => got.is_some(),
        got = int.recv() => got.is_some(),
    }
}
