//! `quil config`: the configuration of a node, from defaults, file, variables and flags.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use quil_client::{Document, Failure};
use quil_node::config::Layers;
use quil_node::home::{Home, HomeError};
use serde_json::{Map, Value};

/// The defaults with what they mean.
const TEMPLATE: &str = include_str!("quil.yaml");

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Writes `quil.yaml` with every key, its default and what it means into the home folder.
    Init,
    /// Shows the configuration in force: every key with its value and where the value comes from.
    Show(Sources),
    /// Checks a configuration and names the first mistake.
    Validate(Sources),
}

/// What a configuration is made of, beside the defaults and the variables `QUIL_SECTION__KEY`.
#[derive(Args, Debug)]
pub(crate) struct Sources {
    /// Configuration file; `quil.yaml` in the home folder when absent.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets one key, such as rpc.listen=127.0.0.1:9000; goes before everything else.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = parts.ok_or("write KEY=VALUE, such as workers.count=2")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// `quil config`.
pub(crate) fn run(home: &Path, command: &ConfigCommand) -> Result<Document, Failure> {
    match command {
        ConfigCommand::Init => init(home),
        ConfigCommand::Show(sources) => show(home, sources),
        ConfigCommand::Validate(sources) => validate(home, sources),
    }
}

fn init(home: &Path) -> Result<Document, Failure> {
    let path = Home::new(home.to_owned()).config_path();
    let failure = |e: &std::io::Error| {
        let message = format!("cannot write {}: {e}", path.display());
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            let hint = "quil config show; remove the file to start again";
            return Failure::new("config.exists", message, hint);
        }
        Failure::new("file.io", message, "check the path and its permissions")
    };
    fs::create_dir_all(home).map_err(|e| failure(&e))?;
    // Whole or not at all, and never over another file: written beside it, then linked to its name.
    let beside = path.with_extension("yaml.new");
    let written = write(&beside).and_then(|()| fs::hard_link(&beside, &path));
    // The name beside is of no use any more, whatever happened.
    let _gone = fs::remove_file(&beside);
    written.map_err(|e| failure(&e))?;
    Ok(Document::new("quil.config.file/1").with("file", path.display().to_string()))
}

fn write(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).open(path)?;
    file.write_all(TEMPLATE.as_bytes())?;
    file.sync_all()
}

/// The file that is read; `None` when there is none, which is allowed unless it was named.
fn file(home: &Path, sources: &Sources) -> Result<Option<PathBuf>, Failure> {
    match &sources.config {
        Some(path) if !path.exists() => {
            let message = format!("there is no {}", path.display());
            Err(Failure::new("file.io", message, "check the path").not_found())
        }
        Some(path) => Ok(Some(path.clone())),
        None => Ok(Some(Home::new(home.to_owned()).config_path()).filter(|p| p.exists())),
    }
}

fn layers(file: Option<&Path>, sources: &Sources) -> Result<Layers, HomeError> {
    let path = file.map(Path::to_owned).unwrap_or_default();
    let config = |source| HomeError::Config {
        path: path.clone(),
        source,
    };
    let mut layers = match file {
        Some(path) => Home::layers_of(path.to_owned())?,
        None => Layers::built_in().map_err(config)?,
    };
    let variables = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    layers = layers.with_environment(variables).map_err(config)?;
    for (key, value) in &sources.set {
        layers = layers.with_flag(key, value).map_err(config)?;
    }
    layers.decode().map_err(config)?;
    Ok(layers)
}

fn invalid(e: &HomeError) -> Failure {
    let message = match e {
        HomeError::Config { path, source } if path.as_os_str().is_empty() => source.to_string(),
        other => other.to_string(),
    };
    let hint = "quil config show lists every key";
    Failure::new("config.invalid", message, hint).configuration()
}

fn checked(home: &Path, sources: &Sources) -> Result<(Option<PathBuf>, Layers), Failure> {
    let file = file(home, sources)?;
    let layers = layers(file.as_deref(), sources).map_err(|e| invalid(&e))?;
    Ok((file, layers))
}

fn with_file(doc: Document, file: Option<&Path>) -> Document {
    doc.with("file", file.map(|p| p.display().to_string()))
}

fn show(home: &Path, sources: &Sources) -> Result<Document, Failure> {
    let (file, layers) = checked(home, sources)?;
    let rows = layers.effective().into_iter().map(|(key, value, origin)| {
        Map::from_iter([
            ("key".to_owned(), Value::from(key)),
            ("value".to_owned(), value),
            ("origin".to_owned(), Value::from(origin.to_string())),
        ])
    });
    let doc = with_file(Document::new("quil.config/1"), file.as_deref());
    Ok(doc.with_table("settings", rows.collect(), &["key", "value", "origin"]))
}

fn validate(home: &Path, sources: &Sources) -> Result<Document, Failure> {
    let (file, _) = checked(home, sources)?;
    let doc = with_file(Document::new("quil.config.valid/1"), file.as_deref());
    Ok(doc.with("valid", true))
}

#[cfg(test)]
mod tests {
    use quil_node::config::{Config, Origin};

    use super::*;

    #[test]
    fn template_is_the_defaults_with_every_key() {
        let layers = Layers::built_in().unwrap().with_file(TEMPLATE).unwrap();
        assert_eq!(layers.decode().unwrap(), Config::built_in());
        for (key, _, origin) in layers.effective() {
            assert_eq!(origin, Origin::File, "{key} is missing");
        }
    }
}
