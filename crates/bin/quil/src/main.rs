//! `quil`: parses arguments, runs a command, prints its document.

mod args;
mod bench;
mod client;
mod compute;
mod config;
mod devnet;
mod node;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;
use quil_client::{
    Document, Failure, Output, ceremony, key::KeyFile, read_private_line, read_secret_line,
};
use zeroize::Zeroizing;

use args::{Arguments, CeremonyCommand, Command, KeyCommand, Network, NodeCommand};

/// File name of the passphrase inside a home folder, for networks on one machine.
const PASSPHRASE_FILE: &str = "passphrase";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = arguments.output();
    match &arguments.command {
        Command::Status(own) => show(output, client::status(&arguments, own)),
        Command::Token(command) => show(output, client::token(&arguments, command)),
        Command::Tx(command) => show(output, client::tx(&arguments, command)),
        Command::Frame(command) => show(output, client::frame(&arguments, command)),
        Command::Shard(command) => show(output, client::shards(&arguments, command)),
        Command::Config(command) => show(output, config::run(&arguments.home(), command)),
        Command::Key(command) => show(output, run_key(&arguments, command)),
        Command::Ceremony(command) => show(output, run_ceremony(&arguments, command)),
        Command::Compute(command) => compute::run(output, command),
        Command::Bench(command) => bench::run(output, command),
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

/// The key store of the home folder. Its passphrase is never asked for: it comes from a file or the environment.
fn key_file(arguments: &Arguments) -> Result<KeyFile, Failure> {
    let home = arguments.home();
    let variable = std::env::var("QUIL_PASSPHRASE").ok().map(Zeroizing::new);
    let passphrase = match (&arguments.passphrase_file, variable) {
        (Some(path), _) => read_secret_line(path)?,
        (None, Some(text)) => text,
        (None, None) => read_private_line(&home.join(PASSPHRASE_FILE))?.unwrap_or_default(),
    };
    KeyFile::new(&home, &passphrase)
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
