//! The floors of `src/`: a file knows its own floor and those below it, and on its own floor nobody
//! in a circle. See CONTRIBUTING.md.
//!
//! `tests/layers.txt` lists what is still wrong. It only shrinks: what is wrong and not in it fails,
//! and so does a line that is no longer true. `LAYERS=write cargo test --test layers` writes it anew.

// A test fails by a panic, also in the functions that it is made of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeSet, env, fs, path::Path};

use circles::Sources;

#[path = "layers/circles.rs"]
mod circles;

/// From the ground up.
const FLOORS: [&str; 8] = [
    "clock",
    "core",
    "store",
    "settings",
    "engine",
    "web_server",
    "web",
    "cli",
];
/// What a floor must not touch, and the floors that may.
const ONLY_IN: [(&str, &[&str]); 7] = [
    ("actix_", &["web", "cli"]),
    (
        "tokio::",
        &["store", "settings", "engine", "web_server", "web", "cli"],
    ),
    (
        "std::fs",
        &["store", "settings", "engine", "web_server", "web", "cli"],
    ),
    ("Instant::now", &["clock", "store", "engine", "web", "cli"]),
    (
        "SystemTime::now",
        &["clock", "store", "engine", "web", "cli"],
    ),
    (
        "Timestamp::now",
        &["clock", "store", "engine", "web", "cli"],
    ),
    ("super::super", &[]),
];
/// Lines of a file, apart from its tests.
const LONGEST: usize = 450;

#[test]
fn every_file_knows_its_own_floor_and_those_below() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    assert!(files.len() > 50, "the sources are not found");
    let reexports = reexports(&code(&fs::read_to_string(root.join("src/lib.rs")).unwrap()));
    let (mut wrong, mut sources) = (BTreeSet::new(), Vec::new());
    for file in files {
        let path = file.strip_prefix(root.join("src")).unwrap();
        let path = path.to_str().unwrap().replace('\\', "/");
        let text = code(&fs::read_to_string(&file).unwrap());
        let lines = text.lines().count();
        if lines > LONGEST {
            wrong.insert(format!("{path}: more than {LONGEST} lines"));
        }
        sources.push((path.clone(), text.clone()));
        // The guide is docs alone: no code on any floor.
        if ["lib.rs", "guide.rs"].contains(&path.as_str()) {
            continue;
        }
        let room = path.split('/').next().unwrap().trim_end_matches(".rs");
        let own = floor(room).unwrap_or_else(|| panic!("src/{path} is on no floor"));
        for (what, allowed) in ONLY_IN {
            if text.contains(what) && !allowed.contains(&FLOORS[own]) {
                wrong.insert(format!("{path}: {what}"));
            }
        }
        // `super` of a room itself is the crate.
        let is_room = !path.contains('/') || path.ends_with(&format!("{room}/mod.rs"));
        let mut targets = imports(&text, "crate::");
        if is_room && room != "bin" {
            targets.extend(
                imports(&text, "super::")
                    .into_iter()
                    .filter(|to| to != "super"),
            );
        }
        for to in targets {
            let from = reexports.iter().find(|(name, _)| *name == to);
            let to = match (floor(&to), from) {
                (None, Some((_, module))) => module,
                _ => &to,
            };
            match floor(to) {
                Some(floor) if floor <= own => {}
                Some(floor) => {
                    wrong.insert(format!("{path}: {to} ({})", FLOORS[floor]));
                }
                None => {
                    wrong.insert(format!("{path}: {to} (on no floor)"));
                }
            }
        }
    }

    let sources = Sources::new(&sources);
    let circles = sources.circles();
    wrong.extend(circles.keys().map(|file| format!("{file}: in a circle")));

    let list = root.join("tests/layers.txt");
    if env::var_os("LAYERS").is_some_and(|it| it == "write") {
        let lines: String = wrong.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&list, lines).unwrap();
    }
    let listed = fs::read_to_string(&list).unwrap_or_default();
    let listed: BTreeSet<_> = listed.lines().map(str::to_owned).collect();
    let new: Vec<_> = wrong.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&wrong).collect();
    let new_circles: Vec<_> = circles
        .iter()
        .filter(|(file, _)| new.contains(&&format!("{file}: in a circle")))
        .collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new, to be mended: {new:#?}\nin a circle with: {new_circles:#?}\nno longer true, to be removed from tests/layers.txt: {gone:#?}\n\
         where files were only moved, `LAYERS=write cargo test --test layers` writes the list anew"
    );
}

/// How high a module at the top of `src/` is.
fn floor(module: &str) -> Option<usize> {
    // The program is made of the floor at the top.
    let of = if module == "bin" { "cli" } else { module };
    FLOORS.iter().position(|floor| *floor == of)
}

/// All sources that are no tests.
fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

/// The code without comments and without the tests, which come last.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| match line.find("//") {
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first names of all paths that begin so, also of those in braces.
fn imports(code: &str, begin: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(begin) {
        let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
        if is_whole {
            found.extend(
                names(&code[at + begin.len()..])
                    .into_iter()
                    .map(|(name, _)| name),
            );
        }
    }
    found
}

/// The names at the beginning of a tree of imports, each with what follows it.
fn names(tree: &str) -> Vec<(String, &str)> {
    let Some(group) = tree.strip_prefix('{') else {
        let name: String = tree
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let rest = &tree[name.len()..];
        return Vec::from_iter((!name.is_empty()).then_some((name, rest)));
    };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                found.extend(names(group[start..at].trim()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    found
}

/// Which names at the top of the crate come from which module.
fn reexports(lib: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for begin in ["pub use self::", "pub use crate::"] {
        for (at, _) in lib.match_indices(begin) {
            for (module, rest) in names(&lib[at + begin.len()..]) {
                let all = rest.split(';').next().unwrap();
                let words = all.split(|c: char| !c.is_alphanumeric() && c != '_');
                let words = words.filter(|word| !word.is_empty());
                found.extend(words.map(|name| (name.to_owned(), module.clone())));
            }
        }
    }
    found
}
