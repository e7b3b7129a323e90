//! What the README and the guide show is true. Their examples in Rust are doc tests of the crate.

// A test that cannot go on fails, also in what it calls.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeSet, fs, path::Path};

use actix_maintenance_mode::Settings;
use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The pages of the guide, as `docs/guide/….md`.
fn guide() -> Vec<String> {
    let mut pages: Vec<String> = fs::read_dir(root().join("docs/guide"))
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            format!("docs/guide/{name}")
        })
        .collect();
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// The blocks of code in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    file(page)
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// What is written, without blocks of code.
fn prose(page: &str) -> String {
    file(page).split("```").step_by(2).collect()
}

/// The names by which the headings of a page can be linked to, as forges and rustdoc make them.
fn anchors(page: &str) -> BTreeSet<String> {
    prose(page)
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

/// What is wrong with a link to a file of the repository, written in this page.
fn fault(page: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(page).parent().unwrap();
    let linked = if path.is_empty() {
        root().join(page)
    } else {
        root().join(folder).join(path)
    };
    let Ok(linked) = linked.canonicalize() else {
        return Some(format!("{page}: no such file: {target}"));
    };
    if !anchor.is_empty() && !anchors(linked.to_str().unwrap()).contains(anchor) {
        return Some(format!("{page}: no such heading: {target}"));
    }
    None
}

#[test]
fn the_app_is_the_minimal_example() {
    let example = file("examples/minimal.rs");
    assert!(example.lines().count() < 30);
    let (_, app) = example.split_once("\n\n").unwrap();
    let shown = blocks("README.md", "rust,no_run");
    assert_eq!(shown.first().map(String::as_str), Some(app));
}

#[test]
fn the_readme_is_a_front_door_to_every_page() {
    let readme = file("README.md");
    let lines = readme.lines().count();
    assert!(lines <= 250, "{lines} lines: recipes go into docs/guide/");
    for page in guide() {
        assert!(readme.contains(&format!("]({page})")), "{page}");
    }
}

/// The README's table has all features, with the words of the manifest.
#[test]
fn the_features_are_those_of_the_manifest() {
    let manifest = file("Cargo.toml");
    let (_, features) = manifest.split_once("[features]\n").unwrap();
    let (features, _) = features.split_once("\n[").unwrap();
    let mut comment = String::new();
    let mut rows = 0;
    let readme = file("README.md");
    for line in features.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment += text.trim_start_matches('#').trim();
        } else if let Some((name, _)) = line.split_once(" = ") {
            assert!(name == "default" || !comment.is_empty(), "{name}");
            if name != "default" {
                let row = readme
                    .lines()
                    .find(|row| row.starts_with(&format!("| `{name}` |")));
                assert!(row.is_some(), "the README's table lacks {name}");
                rows += 1;
            }
            comment.clear();
        }
    }
    assert!(rows > 5);
    let table = readme.split_once("| feature |").unwrap().1;
    let table = table.split_once("\n\n").unwrap().0;
    assert_eq!(table.matches("\n| `").count(), rows);
}

/// A page is shown by forges and by rustdoc, where its relative links would lead nowhere. So links
/// between pages are given by reference, and `src/guide.rs` gives the references another target.
#[test]
fn every_link_leads_somewhere() {
    let inline = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let definition = Regex::new(r"(?m)^\[([^\]]+)\]: (\S+)$").unwrap();
    let used = Regex::new(r"\[([^\]\[]*\.(?:md|toml|rs)(?:#[^\]]*)?)\]").unwrap();
    let guide_module = file("src/guide.rs");
    let mut faults = Vec::new();
    for page in guide().iter().map(String::as_str).chain(["README.md"]) {
        let text = prose(page);
        let shown_by_rustdoc = page != "README.md";
        for link in inline.captures_iter(&text) {
            let target = &link[1];
            faults.extend(fault(page, target));
            if shown_by_rustdoc && !target.contains("://") && !target.starts_with('#') {
                faults.push(format!(
                    "{page}: rustdoc cannot follow ({target}): write [text][{target}], and \
                     [{target}]: {target} at the end of the page"
                ));
            }
        }
        let mut defined = BTreeSet::new();
        for link in definition.captures_iter(&text) {
            let (label, target) = (&link[1], &link[2]);
            defined.insert(label.to_owned());
            faults.extend(fault(page, target));
            if shown_by_rustdoc
                && !target.contains("://")
                && !guide_module.contains(&format!("\"[{label}]: "))
            {
                faults.push(format!(
                    "{page}: src/guide.rs gives no target for [{label}]"
                ));
            }
        }
        for link in used.captures_iter(&text) {
            let label = &link[1];
            if !defined.contains(label) && !text.contains(&format!("[{label}](")) {
                faults.push(format!("{page}: [{label}] is not defined at the end of it"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_page_is_shown_in_the_docs() {
    let guide_module = file("src/guide.rs");
    for page in guide() {
        let name = page.strip_prefix("docs/guide/").unwrap();
        assert!(guide_module.contains(&format!("\"{name}\"")), "{page}");
        let module = name.strip_suffix(".md").unwrap().replace('-', "_");
        assert!(guide_module.contains(&format!("({module})")), "{page}");
    }
}

#[test]
fn every_settings_example_is_valid() {
    let mut examples = blocks("README.md", "toml");
    for page in guide() {
        examples.extend(blocks(&page, "toml"));
    }
    assert!(examples.len() > 15);
    // The examples' own folder is not on every machine, and the settings look for it.
    let folder = tempfile::tempdir().unwrap();
    for example in examples {
        let example = example.replace("/var/lib/shop", folder.path().to_str().unwrap());
        let error = Settings::from_toml(&example).map_err(|error| error.to_string());
        let left_out = [
            (
                "store = \"redis://",
                "feature `redis`",
                cfg!(feature = "redis"),
            ),
            (
                "store = \"s3://",
                "feature `object-store`",
                cfg!(feature = "object-store"),
            ),
        ]
        .into_iter()
        .find(|(store, _, is_built)| example.contains(store) && !is_built);
        match (error, left_out) {
            (Ok(_), None) => {}
            // A build without the store says what it needs, and finds nothing else.
            (Err(error), Some((_, needs, _))) => {
                assert!(error.starts_with("1 fault"), "{error}\n{example}");
                assert!(error.contains(needs), "{error}\n{example}");
            }
            (Ok(_), Some(_)) => panic!("this build has no such store: {example}"),
            (Err(error), None) => panic!("{error}\n{example}"),
        }
    }
}

#[test]
fn the_list_of_settings_shows_the_defaults() {
    let list = blocks("docs/guide/settings.md", "toml").pop().unwrap();
    assert_eq!(Settings::from_toml(&list).unwrap(), Settings::default());

    // What is commented out is valid, too.
    let all: Vec<&str> = list
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .collect();
    let all = Settings::from_toml(&all.join("\n")).unwrap();
    assert!(all.forced.is_some() && all.exempt.api_key.is_some() && all.logout.staff.is_some());
}

#[test]
fn the_settings_of_the_demo_are_valid() {
    let settings = Settings::from_toml(&file("examples/demo/maintenance.toml")).unwrap();
    assert_eq!(settings.exempt.routes, ["health", "metrics"]);
}
