//! The house has floors: dependencies point downward and the cores stay free of IO, async and clocks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .expect("crates/bin/quil")
        .to_path_buf()
}

/// `name = ["a", "b"]` lines.
fn lists(text: &str) -> BTreeMap<String, Vec<String>> {
    text.lines()
        .filter_map(|l| l.split_once('='))
        .filter(|(k, _)| !k.trim_start().starts_with('#'))
        .map(|(k, v)| {
            (
                k.trim().to_owned(),
                v.split('"').skip(1).step_by(2).map(str::to_owned).collect(),
            )
        })
        .collect()
}

struct Crate {
    name: String,
    dir: PathBuf,
    deps: BTreeSet<String>,
}

fn crates() -> Vec<Crate> {
    let root = root();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("workspace manifest");
    let members = manifest
        .split("members = [")
        .nth(1)
        .and_then(|s| s.split(']').next())
        .expect("members");
    members
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|m| read_crate(&root.join(m)))
        .collect()
}

fn read_crate(dir: &Path) -> Crate {
    let text = fs::read_to_string(dir.join("Cargo.toml")).expect("member manifest");
    let (mut section, mut name, mut deps) = ("", String::new(), BTreeSet::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if section == "[package]" && line.starts_with("name") {
            name = line.split('"').nth(1).expect("name").to_owned();
        } else if section == "[dependencies]" {
            deps.extend(
                line.split(['.', ' ', '='])
                    .next()
                    .filter(|d| !d.is_empty() && !d.starts_with('#'))
                    .map(str::to_owned),
            );
        }
    }
    Crate {
        name,
        dir: dir.to_path_buf(),
        deps,
    }
}

fn floors() -> (BTreeMap<String, usize>, BTreeSet<(String, String)>) {
    let lists = lists(&fs::read_to_string(root().join("floors.toml")).expect("floors.toml"));
    let mut floor = BTreeMap::new();
    for n in 0..=5 {
        for name in &lists[&format!("floor{n}")] {
            assert!(
                floor.insert(name.clone(), n).is_none(),
                "{name} stands on two floors"
            );
        }
    }
    let edges = lists["same_floor"]
        .iter()
        .map(|e| e.split_once(" -> ").expect("a -> b"));
    (
        floor,
        edges.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
    )
}

/// Upward and unlisted sideways dependencies of `crates`.
fn violations(
    crates: &[Crate],
    floor: &BTreeMap<String, usize>,
    same: &BTreeSet<(String, String)>,
) -> Vec<String> {
    let mut found = Vec::new();
    for c in crates {
        let Some(own) = floor.get(&c.name) else {
            found.push(format!("{} has no floor", c.name));
            continue;
        };
        for d in c
            .deps
            .iter()
            .filter(|d| d.as_str() == "quil" || d.starts_with("quil-"))
        {
            let allowed = floor.get(d).is_some_and(|f| {
                f < own || (f == own && same.contains(&(c.name.clone(), d.clone())))
            });
            if !allowed {
                found.push(format!("{} -> {d}", c.name));
            }
        }
    }
    found
}

#[test]
fn dependencies_point_downward() {
    let (floor, same) = floors();
    assert_eq!(violations(&crates(), &floor, &same), Vec::<String>::new());
    for (a, b) in &same {
        assert_eq!(floor[a], floor[b], "{a} -> {b} needs no entry");
        assert!(!same.contains(&(b.clone(), a.clone())), "cycle {a} <-> {b}");
    }
}

#[test]
fn upward_dependency_is_found() {
    let (floor, same) = floors();
    let bad = Crate {
        name: "quil-types".into(),
        dir: PathBuf::new(),
        deps: ["quil-node".to_owned()].into(),
    };
    assert_eq!(
        violations(&[bad], &floor, &same),
        ["quil-types -> quil-node"]
    );
}

/// Packages that bring async, IO, a clock or OS randomness.
const FORBIDDEN_PACKAGES: [&str; 12] = [
    "tokio",
    "futures",
    "libp2p",
    "redb",
    "getrandom",
    "rand",
    "axum",
    "tonic",
    "rustix",
    "tracing",
    "mio",
    "async-trait",
];

/// Source text that a core must not contain outside its tests.
const FORBIDDEN_TEXT: [&str; 19] = [
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::io::",
    "std::time::Instant",
    "std::time::SystemTime",
    "SystemTime::now",
    "Instant::now",
    "std::process",
    "std::env",
    "std::thread",
    "std::os::",
    "ToSocketAddrs",
    "println!",
    "UNIX_EPOCH",
    "async fn",
    "async move",
    "async {",
    "getrandom",
];

/// Modules of the standard library that a core must not import, also not inside braces.
const FORBIDDEN_MODULES: [&str; 6] = ["fs", "io", "process", "env", "thread", "os"];

/// Forbidden modules in the groups `use std::{..}` of a source.
fn grouped(code: &str) -> Vec<&str> {
    let groups = code.split("std::{").skip(1);
    let listed = groups.filter_map(|g| g.split(';').next());
    listed
        .flat_map(|g| g.split([',', '{', '}', ' ', '\n']))
        .filter(|m| {
            let module = m.split("::").next().unwrap_or_default();
            FORBIDDEN_MODULES.contains(&module)
        })
        .collect()
}

/// The part of a source file before its unit tests, without comments.
fn production(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    code.lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default()
            .to_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, out);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            out.push(path);
        }
    }
}

#[test]
fn cores_have_no_async_io_clock_or_os_randomness() {
    let (floor, _) = floors();
    for c in crates().iter().filter(|c| floor[&c.name] <= 2) {
        for p in FORBIDDEN_PACKAGES {
            assert!(!c.deps.contains(p), "{} depends on {p}", c.name);
        }
        let mut files = Vec::new();
        sources(&c.dir.join("src"), &mut files);
        for file in files {
            let code = production(&fs::read_to_string(&file).expect("source"));
            for text in FORBIDDEN_TEXT {
                // The switch of all vector kernels is one variable of the environment, read in one place.
                if c.name == "quil-simd" && text == "std::env" {
                    continue;
                }
                assert!(!code.contains(text), "{} uses {text}", file.display());
            }
            let modules = grouped(&code);
            assert!(modules.is_empty(), "{} uses {modules:?}", file.display());
        }
    }
}

#[test]
fn clock_use_is_found() {
    let code =
        production("fn f() { let t = std::time::Instant::now(); }\n#[cfg(test)]\nmod tests { }\n");
    assert!(FORBIDDEN_TEXT.iter().any(|t| code.contains(t)));
    assert_eq!(
        grouped("use std::{collections::BTreeMap, fs::File, sync::{Arc, Mutex}, thread};"),
        ["fs::File", "thread"]
    );
    assert_eq!(
        grouped("use std::{fmt, sync::Arc}; fs(); io"),
        Vec::<&str>::new()
    );
}

#[test]
fn every_crate_has_a_short_readme_with_an_example() {
    for c in crates() {
        let readme = fs::read_to_string(c.dir.join("README.md"))
            .unwrap_or_else(|_| panic!("{} has no README.md", c.name));
        assert!(
            readme.lines().count() < 60,
            "{}: README has 60 lines or more",
            c.name
        );
        assert!(readme.contains("```"), "{}: README has no example", c.name);
    }
}
