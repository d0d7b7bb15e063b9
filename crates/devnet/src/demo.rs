//! `quil demo`: what the network promises, shown step by step on real processes.
//!
//! A step holds or it does not; the first one that does not ends the demonstration. Everything that was started is
//! stopped in any case. The folder is removed, unless a step failed: then the logs are worth reading.

mod light;
mod report;
mod scene;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use quil_client::Failure;
use rand_core::Rng as _;

use crate::error::DevnetError;
use crate::folder;
use crate::launch::Program;
use crate::network::system_rng;
use crate::plan::DevnetPlan;

pub use light::flip_digit;
pub use report::{DemoReport, StepDone};
use report::{Steps, Unheld};
use scene::Scene;

/// What a demonstration runs on.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// The program that runs nodes.
    pub program: Program,
    /// The network. With fewer than four nodes no transfer becomes final while one is down.
    pub plan: DevnetPlan,
    /// Folder to use instead of one below the system's temporary folder; it must be empty or new.
    pub dir: Option<PathBuf>,
}

/// Why a demonstration failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {number} ({name}) does not hold: {why}")]
pub struct DemoError {
    /// Which step, from 1.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// What was seen instead.
    pub why: String,
    /// Folder with the logs.
    pub kept: Option<PathBuf>,
}

/// A folder that is removed when the demonstration ends, however it ends.
#[derive(Debug)]
struct Stage {
    path: PathBuf,
    keep: bool,
}

impl Stage {
    fn new(dir: Option<&Path>) -> Result<Self, DevnetError> {
        let path = match dir {
            Some(dir) => empty(folder::absolute(dir)?)?,
            None => {
                let name = format!("quil-demo-{:016x}", system_rng()?.next_u64());
                std::env::temp_dir().join(name)
            }
        };
        Ok(Self { path, keep: false })
    }
}

/// A folder that may be removed later: there is none, or nothing in it.
fn empty(path: PathBuf) -> Result<PathBuf, DevnetError> {
    match std::fs::read_dir(&path).map(Iterator::count) {
        Ok(0) => Ok(path),
        Ok(_) => Err(DevnetError::NotEmpty(path)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(path),
        Err(e) => Err(folder::at(&path)(e)),
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.keep {
            // The processes are gone by now; what cannot be removed is of no use to anybody.
            let _gone = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs every step and tells each one as it is done. Cancel safe: dropped, it stops the processes and removes the folder,
/// which may take some seconds.
///
/// # Errors
/// [`DemoError`]: the first step that does not hold.
pub async fn demo(
    options: &DemoOptions,
    say: &(dyn Fn(&StepDone) + Send + Sync),
) -> Result<DemoReport, DemoError> {
    let mut steps = Steps::new(say);
    // Declared before the scene, so that it goes after it.
    let mut stage = match Stage::new(options.dir.as_deref()) {
        Ok(stage) => stage,
        Err(e) => return Err(steps.failed("genesis", &Unheld::from(e), None)),
    };
    let played = play(options, &stage.path, &mut steps).await;
    match played {
        Ok(()) => Ok(steps.finish()),
        Err((name, unheld)) => {
            stage.keep = true;
            Err(steps.failed(name, &unheld, Some(stage.path.clone())))
        }
    }
}

/// Names a step's failure.
fn named<T>(name: &'static str, result: Result<T, Unheld>) -> Result<T, (&'static str, Unheld)> {
    result.map_err(|unheld| (name, unheld))
}

async fn play(
    options: &DemoOptions,
    dir: &Path,
    steps: &mut Steps<'_>,
) -> Result<(), (&'static str, Unheld)> {
    let mut scene = named("genesis", Scene::set(dir, options))?;
    steps.done("genesis", scene.genesis_facts());
    steps.done("start", named("start", scene.start().await)?);
    steps.done("mint", named("mint", scene.mint().await)?);
    steps.done("send", named("send", scene.send().await)?);
    steps.done("balances", named("balances", scene.balances().await)?);
    let (answer, facts) = named("light client", scene.prove().await)?;
    steps.done("light client", facts);
    steps.done("flipped byte", named("flipped byte", scene.flip(&answer))?);
    let orphans = named("kill -9", scene.kill())?;
    steps.done("kill -9", orphans.facts());
    let ended = scene.worker_ends(&orphans).await;
    steps.done("worker ends", named("worker ends", ended)?);
    let second = scene.send_without().await;
    steps.done("second transfer", named("second transfer", second)?);
    steps.done("restart", named("restart", scene.restart().await)?);
    steps.done("stop", named("stop", scene.stop())?);
    Ok(())
}

impl From<DemoError> for Failure {
    fn from(e: DemoError) -> Self {
        let hint = match &e.kept {
            Some(dir) => format!("read node.log of every node in {}", dir.display()),
            None => "try again".to_owned(),
        };
        Self::new("demo.failed", e.to_string(), hint)
            .with("step", e.number)
            .with("name", e.name)
    }
}
