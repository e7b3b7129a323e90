//! The description of the JSON API, and that it matches what the demo answers.

use std::{collections::BTreeSet, process::Command};

use actix_maintenance_mode::settings::TokenSettings;
use regex::Regex;
use serde_json::Value;

use crate::{demo::Demo, test_app::TestApp};

const OPENAPI: &str = "/maintenance-mode/openapi.json";

#[actix_web::test]
async fn anybody_may_read_what_the_api_is() {
    let app = TestApp::start().await;
    for path in [OPENAPI.to_owned(), format!("{OPENAPI}/")] {
        let answer = app.get(&path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let document = answer.json();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["servers"][0]["url"], "/maintenance-mode");
    }
}

/// The addresses under which people find pages, and what these pages load.
const FOR_PEOPLE: [&str; 8] = [
    "/switch",
    "/change",
    "/plan",
    "/cancel",
    "/grant",
    "/revoke",
    "/static/{name}",
    "/enter/{secret}",
];

/// The document lists what the scope routes, so that none of it can be forgotten.
#[test]
fn every_route_is_described_and_nothing_else() {
    let sources = include_str!("../../src/web/admin/mod.rs");
    // Each route is given without and with a trailing slash.
    let route = Regex::new(r#"\["(/[^"]*)", "(/[^"]*)/"\]"#).unwrap();
    let routes: BTreeSet<&str> = route
        .captures_iter(sources)
        .map(|found| {
            let (_, [path, again]) = found.extract();
            assert_eq!(path, again);
            path
        })
        .filter(|path| !FOR_PEOPLE.contains(path))
        .collect();
    assert!(routes.len() > 10, "the routes are not found: {routes:?}");
    let document: Value =
        serde_json::from_str(include_str!("../../src/web/admin/openapi.json")).unwrap();
    let described: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(described, routes);
}

#[actix_web::test]
async fn each_address_takes_the_methods_that_are_described_and_no_others() {
    let app = TestApp::start().await;
    let document = app.get(OPENAPI).await.json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 8, "{paths:?}");
    for (path, operations) in paths {
        let address = format!("/maintenance-mode{path}")
            .replace("{key}", "site")
            .replace("{id}", "abcdefgh");
        let answer = app
            .request(actix_web::http::Method::TRACE, &address)
            .accept("application/json")
            .await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.header("allow").unwrap().to_ascii_lowercase();
        let mut allowed: Vec<&str> = allowed.split(", ").filter(|it| *it != "head").collect();
        allowed.sort_unstable();
        let mut described: Vec<&str> = operations
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|key| *key != "parameters")
            .collect();
        described.sort_unstable();
        assert_eq!(allowed, described, "{path}");
    }
}

/// The words for why a change was not made, so that a program can know them all.
#[test]
fn every_word_for_a_change_that_was_not_made_is_described() {
    let source = include_str!("../../src/engine/change_error.rs");
    let word = Regex::new(r#"Self::\w+.* => "([a-z-]+)","#).unwrap();
    let given: BTreeSet<&str> = word
        .captures_iter(source)
        .map(|found| found.extract::<1>().1[0])
        .collect();
    assert!(given.len() > 10, "the words are not found: {given:?}");
    let document: Value =
        serde_json::from_str(include_str!("../../src/web/admin/openapi.json")).unwrap();
    let described: BTreeSet<&str> = document
        .pointer("/components/schemas/Problem/properties/code/enum")
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(described, given);
}

#[test]
fn every_part_that_is_referred_to_is_there() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                members
                    .iter()
                    .for_each(|(name, value)| match (name.as_str(), value) {
                        ("$ref", Value::String(to)) => found.push(to),
                        _ => references(value, found),
                    })
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let text = include_str!("../../src/web/admin/openapi.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// Thousands of requests, right and wrong ones, each answered as it is described.
#[test]
#[ignore = "needs schemathesis"]
fn the_demo_answers_as_it_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let (token, secret) = TokenSettings::generate("schemathesis").unwrap();
    let tokens = format!(r#"[{{ name = "schemathesis", hash = "{}" }}]"#, token.hash);
    let demo = Demo::start_with(folder.path(), &[("MAINTENANCE_ADMIN__TOKENS", &tokens)]);
    let output = Command::new("schemathesis")
        .current_dir(folder.path())
        .arg("run")
        .arg(format!("http://{}{OPENAPI}", demo.address))
        .args(["--header", &format!("Authorization: Bearer {secret}")])
        .args(["--checks", "all", "--max-examples", "50", "--seed", "1"])
        // That the site is closed is no error of the server; one that is not described is found by
        // its status. No schema says that a time is past, or a window ends before it starts. And
        // to delete what is said of a mode switches it off: the mode itself is the settings'.
        .args([
            "--exclude-checks",
            "not_a_server_error,positive_data_acceptance,use_after_free",
        ])
        .arg("--no-color")
        .output()
        .expect("schemathesis, from PyPI");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    let tested = Regex::new(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)").unwrap();
    let (_, [selected, all, tested]) = tested.captures(&told).expect("a summary").extract();
    assert_eq!((selected, tested), (all, all), "{told}");
    assert!(all.parse::<usize>().unwrap() > 20, "{told}");
}
