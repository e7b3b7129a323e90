//! What the README shows is true. Its examples in Rust are doc tests of the crate.

// A test that cannot go on fails, also in what it calls.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::Path};

use actix_maintenance_mode::Settings;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of code in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = file("README.md");
    let start = format!("```{language}\n");
    readme
        .split(&start)
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0.to_owned())
        .collect()
}

#[test]
fn the_app_is_the_minimal_example() {
    let example = file("examples/minimal.rs");
    assert!(example.lines().count() < 30);
    let (_, app) = example.split_once("\n\n").unwrap();
    assert_eq!(blocks("rust,no_run").first().map(String::as_str), Some(app));
}

#[test]
fn every_settings_example_is_valid() {
    let examples = blocks("toml");
    assert!(examples.len() > 5);
    for example in examples {
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
    let list = blocks("toml").pop().unwrap();
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
