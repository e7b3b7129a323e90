//! Which files of `src/` know each other in a circle.
//!
//! A name counts for the file that has it, and not for a module that only passes it on by `pub use`.
//!
//! A module and what is inside it are one unit, as the language has it: what is inside sees what is
//! private outside. So it may name its own module, and those around that, and this makes no circle.
//! Modules beside each other may not know each other in a circle, and neither may a module know what
//! knows it by way of others.

use std::collections::{BTreeMap, BTreeSet};

/// The code of the crate, by module.
pub(crate) struct Sources {
    modules: BTreeMap<Vec<String>, Module>,
}

struct Module {
    file: String,
    /// Without its `use` lines.
    body: String,
    imports: Vec<Import>,
}

/// One name of a `use` line.
struct Import {
    /// What it is called here.
    name: String,
    path: Vec<String>,
    is_passed_on: bool,
}

impl Sources {
    /// Of files by their paths in `src/`, with their code.
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let modules = files.iter().map(|(file, code)| {
            let (imports, body) = imports_and_body(code);
            let module = Module {
                file: file.clone(),
                body,
                imports,
            };
            (module_of(file), module)
        });
        Self {
            modules: modules.collect(),
        }
    }

    /// The files of each floor that know each other in a circle, each with the others of its circle that
    /// it knows itself.
    pub(crate) fn circles(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let known: BTreeMap<_, _> = self
            .modules
            .iter()
            .map(|(path, module)| (module.file.as_str(), self.known_on_its_floor(path, module)))
            .collect();
        let reached: BTreeMap<_, _> = known
            .keys()
            .map(|file| (*file, reachable(&known, file)))
            .collect();
        let circles = known.iter().map(|(file, next)| {
            let in_circle = next.iter().filter(|next| reached[*next].contains(file));
            (*file, in_circle.copied().collect::<BTreeSet<_>>())
        });
        circles.filter(|(_, others)| !others.is_empty()).collect()
    }

    fn known_on_its_floor(&self, path: &[String], module: &Module) -> BTreeSet<&str> {
        let used = module
            .imports
            .iter()
            .filter(|import| !import.is_passed_on || has_word(&module.body, &import.name))
            .map(|import| import.path.clone());
        let mut files: BTreeSet<_> = used
            .chain(self.paths_in_the_body(path, module))
            .filter_map(|to| self.file_of(path, &to, 0))
            .filter(|to| floor_of(to) == floor_of(&module.file))
            // What is inside may name what it is inside of.
            .filter(|to| !path.starts_with(&module_of(to)))
            .collect();
        files.remove(module.file.as_str());
        files
    }

    /// The paths that begin with `crate`, `self`, `super` or a module inside this one.
    fn paths_in_the_body(&self, path: &[String], module: &Module) -> Vec<Vec<String>> {
        let below = self.modules.keys().filter_map(|other| match other {
            other if other.len() == path.len() + 1 && other.starts_with(path) => other.last(),
            _ => None,
        });
        let begins = ["crate", "self", "super"].into_iter();
        let mut found = Vec::new();
        for begin in begins.chain(below.map(String::as_str)) {
            for (at, _) in module.body.match_indices(&format!("{begin}::")) {
                let is_whole =
                    !module.body[..at].ends_with(|c: char| is_of_word(c) || ":$".contains(c));
                if is_whole {
                    found.push(path_at(&module.body[at..]));
                }
            }
        }
        found
    }

    /// The file that has what `to` names, seen from the module at `from`. None of another crate's.
    fn file_of(&self, from: &[String], to: &[String], depth: usize) -> Option<&str> {
        let mut place = from.to_vec();
        let mut rest = to;
        match rest.first()?.as_str() {
            "crate" => (place, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {}
            name => {
                place.push(name.to_owned());
                let is_below = self.modules.contains_key(&place);
                place.pop();
                if !is_below {
                    return None;
                }
            }
        }
        while let Some((name, after)) = rest.split_first() {
            if name == "super" {
                place.pop()?;
            } else {
                place.push(name.clone());
                if !self.modules.contains_key(&place) {
                    place.pop();
                    break;
                }
            }
            rest = after;
        }
        let module = self.modules.get(&place)?;
        let import = rest.first().and_then(|name| {
            let mut imports = module.imports.iter();
            imports.find(|import| import.name == *name)
        });
        match import {
            // A circle of imports does not compile, so this ends, but for names alike in two spaces.
            Some(import) if depth < 8 => self.file_of(&place, &import.path, depth + 1),
            _ => Some(&module.file),
        }
    }
}

fn reachable<'a>(known: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(known[file].iter().filter(|next| found.insert(**next)));
    }
    found
}

fn module_of(file: &str) -> Vec<String> {
    let names = file.trim_end_matches(".rs").split('/').map(str::to_owned);
    let mut path: Vec<_> = names.collect();
    if path.last().is_some_and(|last| last == "mod") || path == ["lib"] {
        path.pop();
    }
    path
}

fn floor_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The names that the `use` lines bring in, and the code without those lines.
fn imports_and_body(code: &str) -> (Vec<Import>, String) {
    let (mut imports, mut body, mut rest) = (Vec::new(), String::new(), code);
    while let Some(at) = use_line(rest) {
        let begin = rest[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let is_passed_on = rest[begin..at].contains("pub");
        body.push_str(&rest[..begin]);
        rest = &rest[at + "use ".len()..];
        let (tree, after) = rest.split_once(';').unwrap();
        for (path, name) in flat(tree.trim(), &[]) {
            imports.push(Import {
                name,
                path,
                is_passed_on,
            });
        }
        rest = after;
    }
    body.push_str(rest);
    (imports, body)
}

/// Where the next `use` stands that begins a line, with or without `pub` before it.
fn use_line(code: &str) -> Option<usize> {
    let mut places = code.match_indices("use ").map(|(at, _)| at);
    places.find(|&at| {
        let before = code[..at].rsplit('\n').next().unwrap().trim();
        before.is_empty()
            || before == "pub"
            || (before.starts_with("pub(") && before.ends_with(')'))
    })
}

/// The paths of a tree of imports, each with the name that it gets.
fn flat(tree: &str, before: &[String]) -> Vec<(Vec<String>, String)> {
    if let Some(group) = tree.strip_prefix('{') {
        let (mut depth, mut start, mut found) = (0, 0, Vec::new());
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    let item = group[start..at].trim();
                    if !item.is_empty() {
                        found.extend(flat(item, before));
                    }
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return found;
    }
    let mut path = before.to_vec();
    match tree.split_once("::") {
        Some((name, rest)) if name.chars().all(is_of_word) => {
            path.push(name.to_owned());
            flat(rest.trim(), &path)
        }
        _ => {
            let (name, alias) = tree.split_once(" as ").unwrap_or((tree, tree));
            // `self` in braces is the module before them, and so is all that is in it.
            if !["self", "*"].contains(&name) {
                path.push(name.trim().to_owned());
            }
            let alias = match alias.trim() {
                "self" => before.last().cloned().unwrap_or_default(),
                alias => alias.to_owned(),
            };
            vec![(path, alias)]
        }
    }
}

/// The path at the beginning of the code.
fn path_at(code: &str) -> Vec<String> {
    let end = code.find(|c: char| !is_of_word(c) && c != ':');
    let names = code[..end.unwrap_or(code.len())].split("::");
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !is_of_word(c)).any(|it| it == word)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The circles of a made-up house, a line for each file.
#[cfg(test)]
fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter();
    let files = files.map(|(file, code)| ((*file).to_owned(), (*code).to_owned()));
    let house = Sources::new(&files.collect::<Vec<_>>());
    let circles = house.circles().into_iter();
    circles
        .map(|(file, others)| format!("{file}: {}", Vec::from_iter(others).join(" ")))
        .collect()
}

#[test]
fn a_circle_is_seen_through_what_is_passed_on() {
    let house = |of_b: &str| {
        circles_of(&[
            ("lib.rs", "pub mod core;\npub use crate::core::a::One;"),
            (
                "core/mod.rs",
                "pub(crate) use self::{\n    a::One,\n    b::{self, Two as Second},\n};",
            ),
            ("core/a.rs", "use super::Second;\nfn f(_: Second) {}"),
            ("core/b.rs", of_b),
            ("core/c.rs", "use crate::core::One;"),
        ])
    };
    assert_eq!(house("struct Two;"), [""; 0]);
    let circle = ["core/a.rs: core/b.rs", "core/b.rs: core/a.rs"];
    for back in [
        "use crate::One;",
        "use super::{One};",
        "use super::a;",
        "use super::a::*;",
        "fn f() { crate::core::One::new() }",
        "fn f() { super::a::f() }",
    ] {
        assert_eq!(house(back), circle, "{back}");
    }
    for other in ["use other::One;", "// One", "fn f() { other::core::One() }"] {
        assert_eq!(house(other), [""; 0], "{other}");
    }
}

#[test]
fn a_module_and_what_is_inside_it_are_one_unit() {
    let house = |of_left: &str, of_right: &str, of_other: &str| {
        circles_of(&[
            ("engine/mod.rs", "mod room;\nmod other;"),
            (
                "engine/room.rs",
                "mod left;\nmod right;\nuse self::left::Left;\nstruct Room(Left);",
            ),
            ("engine/room/left.rs", of_left),
            ("engine/room/right.rs", of_right),
            ("engine/other.rs", of_other),
        ])
    };
    // The room knows what is inside it, which knows the room.
    let of_room = "use super::Room;\nstruct Left;\nfn f(_: Room) {}";
    assert_eq!(house(of_room, "", ""), [""; 0]);
    // Two that are inside of the same room are beside each other.
    assert_eq!(
        house(
            "use super::right::Right;\nstruct Left(Right);",
            "use super::left::Left;\nstruct Right(Left);",
            ""
        ),
        [
            "engine/room/left.rs: engine/room/right.rs",
            "engine/room/right.rs: engine/room/left.rs",
        ]
    );
    // Somebody outside knows the room, which knows them by way of what is inside it.
    assert_eq!(
        house(
            "use crate::engine::other::Other;\nstruct Left(Other);",
            "",
            "use super::room::Room;\nstruct Other(Room);"
        ),
        [
            "engine/other.rs: engine/room.rs",
            "engine/room.rs: engine/room/left.rs",
            "engine/room/left.rs: engine/other.rs",
        ]
    );
}
