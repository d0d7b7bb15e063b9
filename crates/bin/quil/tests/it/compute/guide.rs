//! The commands of `docs/compute.md`, as they stand there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::text;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    root.unwrap().to_path_buf()
}

/// Blocks of commands, each with the block of output that follows it in the same section.
fn blocks(guide: &str) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut same_section = false;
    // Fences alternate: prose outside; inside the language and the content.
    for (i, part) in guide.split("```").enumerate() {
        let (language, content) = part.split_once('\n').unwrap_or((part, ""));
        match (i % 2, language) {
            (0, _) => same_section &= !part.contains("\n#"),
            (_, "sh") => {
                found.push((content.to_owned(), None));
                same_section = true;
            }
            (_, "text") if same_section => {
                if let Some((_, shown)) = found.last_mut() {
                    *shown = Some(content.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

/// Starts a line of the guide in a folder that has the examples, with this build first in the path.
fn start(line: &str, folder: &Path, address: &str) -> Child {
    let line = line.replace("127.0.0.1:7000", address);
    let program = Path::new(env!("CARGO_BIN_EXE_quil")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Command::new("sh")
        .args(["-c", &line])
        .current_dir(folder)
        .env("PATH", path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell")
}

fn finish(child: Child, line: &str) -> String {
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{line}: {}", text(&done.stderr));
    text(&done.stdout)
}

/// Lines that are the same in every run.
fn lasting(shown: &str) -> Vec<&str> {
    let timed = ["seconds", "and_per_second"];
    let changes = |line: &&str| timed.iter().any(|name| line.starts_with(name));
    shown.lines().filter(|line| !changes(line)).collect()
}

#[test]
fn every_command_of_the_guide_runs_and_prints_what_it_shows() {
    let guide = std::fs::read_to_string(root().join("docs/compute.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("examples"), folder.path().join("examples")).unwrap();
    std::fs::write(folder.path().join("session.key"), "5a".repeat(32)).unwrap();
    let address = super::processes::free();
    let (mut run, mut compared, mut garbler) = (0, 0, None);
    for (commands, shown) in blocks(&guide) {
        for line in commands.lines().filter(|line| line.starts_with("quil ")) {
            let child = start(line, folder.path(), &address);
            run += 1;
            if line.starts_with("quil compute garble") {
                garbler = Some(child);
                continue;
            }
            let printed = finish(child, line);
            if let Some(shown) = &shown {
                assert_eq!(lasting(&printed), lasting(shown), "{line}");
                compared += 1;
            }
        }
    }
    finish(garbler.expect("a garbler"), "garble");
    assert_eq!((run, compared), (7, 2), "the guide has other commands");
}
