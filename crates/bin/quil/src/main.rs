//! `quil`: parses arguments, runs a command, prints its document.

mod args;
mod devnet;
mod node;

use std::process::ExitCode;

use clap::Parser as _;
use quil_client::{Document, Failure, Output, ceremony, key::KeyFile, read_secret_line};
use zeroize::Zeroizing;

use args::{Arguments, CeremonyCommand, Command, KeyCommand, Network, NodeCommand};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = arguments.output();
    match &arguments.command {
        Command::Key(command) => show(output, run_key(&arguments, command)),
        Command::Ceremony(command) => show(output, run_ceremony(&arguments, command)),
        Command::Node(NodeCommand::Run(run)) => match node::run(&arguments.home(), run) {
            Ok(code) => code,
            Err(failure) => show(output, Err(failure)),
        },
        Command::Devnet(command) => devnet::run_devnet(&arguments, command),
        Command::Demo(command) => devnet::run_demo(&arguments, command),
    }
}

fn show(output: Output, result: Result<Document, Failure>) -> ExitCode {
    match result {
        Ok(document) => print(
            &mut std::io::stdout(),
            &document.render(output),
            ExitCode::SUCCESS,
        ),
        Err(failure) => print(
            &mut std::io::stderr(),
            &failure.render(output),
            ExitCode::from(failure.exit_code()),
        ),
    }
}

/// A closed pipe is the reader's choice; it does not change what the command did.
fn print(to: &mut impl std::io::Write, text: &str, code: ExitCode) -> ExitCode {
    match writeln!(to, "{text}") {
        Ok(()) => code,
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run_key(arguments: &Arguments, command: &KeyCommand) -> Result<Document, Failure> {
    let keys = key_file(arguments)?;
    match command {
        KeyCommand::New { alias, kind } => keys.create(alias, (*kind).into()),
        KeyCommand::Ls => keys.list(),
        KeyCommand::Export { alias } => keys.export(alias),
        KeyCommand::Import { alias, phrase } => keys.import(alias, &read_secret_line(phrase)?),
    }
}

fn key_file(arguments: &Arguments) -> Result<KeyFile, Failure> {
    let passphrase = match &arguments.passphrase_file {
        Some(path) => read_secret_line(path)?,
        None => Zeroizing::new(std::env::var("QUIL_PASSPHRASE").unwrap_or_default()),
    };
    KeyFile::new(&arguments.home(), &passphrase)
}

fn run_ceremony(arguments: &Arguments, command: &CeremonyCommand) -> Result<Document, Failure> {
    match command {
        CeremonyCommand::Init { out, name, seed } => {
            let seed = match seed {
                Some(seed) => seed.clone(),
                None => random_seed()?,
            };
            Ok(ceremony::init(out, ceremony::binding(name, &seed)?)?
                .with("name", name.as_str())
                .with("seed", seed))
        }
        CeremonyCommand::Contribute {
            input,
            out,
            network,
            key,
        } => {
            let keys = key_file(arguments)?;
            ceremony::contribute(
                input,
                out.as_ref().unwrap_or(input),
                &binding(network)?,
                &keys,
                key,
            )
        }
        CeremonyCommand::Verify { file, network } => ceremony::verify(file, &binding(network)?),
    }
}

fn binding(network: &Network) -> Result<quil_client::NetworkBinding, Failure> {
    ceremony::binding(&network.name, &network.seed)
}

fn random_seed() -> Result<String, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| {
        Failure::new(
            "system.random",
            format!("no randomness: {e}"),
            "check /dev/urandom",
        )
    })?;
    Ok(hex::encode(seed))
}
