//! Windows: what is planned and cancelled, whom it reaches, and what stays closed all the same.

use serde_json::Value;

use super::{Operator, until};
use crate::demo::Demo;

/// Plans a window and returns its id.
fn plan(operator: &Operator, arguments: &[&str]) -> String {
    let ran = operator.done(&[&["--json", "window", "add"], arguments].concat());
    ran.json()["window"].as_str().unwrap().to_owned()
}

#[test]
fn a_window_without_any_time_is_a_usage_error_and_closes_nothing() {
    let operator = Operator::new();
    for arguments in [
        &["window", "add"][..],
        &["window", "add", "--title", "New disks", "--reason", "7"],
    ] {
        let ran = operator.fails(2, arguments);
        assert!(ran.err.contains("give --start, --end or --for"), "{ran:?}");
    }
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_window_that_is_cancelled_while_another_is_open_says_until_when_that_closes_the_site() {
    let operator = Operator::new();
    let short = plan(&operator, &["--end", "2098-01-01T00:00Z"]);
    let long = plan(&operator, &["--end", "2098-06-01T12:00Z"]);
    let ran = operator.done(&["window", "remove", &short]);
    let expected = "note: site is offline all the same, until 2098-06-01 14:00:00 +02:00";
    assert!(ran.err.contains(expected), "{ran:?}");
    let ran = operator.done(&["window", "remove", &long]);
    assert!(!ran.err.contains("all the same"), "{ran:?}");
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_window_that_is_cancelled_ahead_says_what_closes_the_site_at_its_time() {
    let operator = Operator::new();
    let times = |start: &'static str, end: &'static str| ["--start", start, "--end", end];
    let early = plan(&operator, &times("2098-01-01T10:00Z", "2098-01-01T12:00Z"));
    let other = plan(&operator, &times("2098-01-01T11:00Z", "2098-01-01T13:00Z"));
    let after = plan(&operator, &times("2098-01-01T13:00Z", "2098-01-01T14:00Z"));
    let ran = operator.done(&["--json", "window", "remove", &early]);
    let closed = &ran.json()["still_closed"][0];
    assert_eq!(closed["id"], early.as_str());
    assert_eq!(closed["closed"]["window"], other.as_str());
    assert_eq!(closed["closed"]["from"], "2098-01-01T11:00:00Z");
    assert_eq!(closed["closed"]["until"], "2098-01-01T13:00:00Z");
    let expected = format!("site is closed at the time of {early} all the same: window {other}");
    assert!(ran.err.contains(&expected), "{ran:?}");
    // They only touch.
    let ran = operator.done(&["--json", "window", "remove", &other]);
    assert_eq!(ran.json()["still_closed"].as_array().unwrap().len(), 0);

    // Closed by the switch, until somebody opens it.
    operator.done(&["on"]);
    let ran = operator.done(&["window", "remove", &after]);
    let expected = "site is offline all the same, until somebody brings it back";
    assert!(ran.err.contains(expected), "{ran:?}");
}

#[test]
fn off_names_every_window_that_remains() {
    let operator = Operator::new();
    let ids: Vec<String> = ["01", "02", "03", "04", "05", "06", "07"]
        .map(|day| {
            plan(
                &operator,
                &["--start", &format!("2098-01-{day}T10:00Z"), "--for", "1h"],
            )
        })
        .into();
    operator.done(&["on"]);
    let ran = operator.done(&["off"]);
    for id in &ids[..5] {
        let expected = format!("note: a window is planned: {id} starts 2098-01-");
        assert!(ran.err.contains(&expected), "{ran:?}");
    }
    assert!(ran.err.contains("2 windows are planned besides"), "{ran:?}");
}

#[test]
fn a_window_ahead_does_not_open_what_is_closed_and_says_so() {
    let operator = Operator::new();
    let later = ["on", "--start", "2098-01-01T10:00Z", "--for", "1h"];
    let ran = operator.done(&later);
    assert!(!ran.err.contains("stays so"), "{ran:?}");
    operator.done(&["on", "--end", "2098-01-01T09:00Z"]);
    let ran = operator.done(&later);
    let expected = "note: site is offline already and stays so until 2098-01-01 10:00:00 +01:00";
    assert!(ran.err.contains(expected), "{ran:?}");
    assert_eq!(operator.phase(), "offline");
}

#[test]
fn a_window_says_whom_it_has_reached() {
    let operator = Operator::new();
    let ran = operator.done(&["window", "add", "--for", "1h"]);
    assert!(ran.out.starts_with("site is offline: window "), "{ran:?}");
    assert!(ran.err.contains("note: no app reports to "), "{ran:?}");
    operator.done(&["off"]);

    let demo = Demo::start(operator.path());
    let mut visitor = demo.visitor();
    until("the node reports", || {
        operator.status()["nodes"].as_array().unwrap().len() == 1
    });
    let ran = operator.done(&["--json", "window", "add", "--for", "1h"]);
    let document = ran.json();
    assert_eq!(document["reached"]["nodes"], 1, "{document}");
    // What is reached refuses.
    assert_eq!(visitor.get("/").status, 503);
    let id = document["window"].as_str().unwrap();
    let ran = operator.done(&["window", "remove", id]);
    assert_eq!(ran.out, format!("removed on 1 of 1 nodes: {id}\n"));
    assert_eq!(visitor.get("/").status, 200);
    let ran = operator.done(&["window", "add", "--for", "1h"]);
    assert!(
        ran.out
            .starts_with("site is offline on 1 of 1 nodes: window "),
        "{ran:?}"
    );
    operator.done(&["off"]);
    let ran = operator.done(&[
        "window",
        "add",
        "--start",
        "2098-01-01T10:00Z",
        "--for",
        "1h",
    ]);
    assert!(ran.out.ends_with("; known on 1 of 1 nodes\n"), "{ran:?}");
}

#[test]
fn a_window_is_changed_and_what_is_not_given_stays() {
    let operator = Operator::new();
    let times = ["--start", "2098-01-01T10:00Z", "--for", "1h"];
    let id = plan(&operator, &[&times[..], &["--title", "New disks"]].concat());
    let window = || operator.status()["modes"][0]["windows"][0].clone();
    let ran = operator.done(&["window", "change", &id, "--end", "2098-01-01T13:00Z"]);
    let expected = format!("site: window {id} starts 2098-01-01 11:00:00 +01:00");
    assert!(ran.out.starts_with(&expected), "{ran:?}");
    assert!(ran.out.ends_with(", lasts 3 h\n"), "{ran:?}");
    assert_eq!(window()["title"], "New disks");
    let ran = operator.done(&["--json", "window", "change", &id, "--title", "", "--reason", "7"]);
    let document = ran.json();
    assert_eq!(document["window"], id.as_str());
    assert_eq!(document["changed"], true);
    assert_eq!(window()["title"], Value::Null);
    assert_eq!(window()["reason"], "7");
    assert_eq!(window()["end"], "2098-01-01T13:00:00Z");
    let ran = operator.done(&["window", "change", &id, "--reason", "7"]);
    assert!(ran.out.contains("is so already, starts "), "{ran:?}");
    let ran = operator.done(&["window", "change", &id, "--start", "2098-01-01T09:00Z", "--no-end"]);
    assert!(ran.out.contains("until somebody ends it"), "{ran:?}");
    assert_eq!(window()["end"], Value::Null);
    // One that is open goes on since when it is.
    let open = plan(&operator, &["--for", "1h"]);
    let since = window()["start"].clone();
    let ran = operator.done(&["window", "change", &open, "--for", "3h"]);
    assert!(ran.out.starts_with("site is offline: window "), "{ran:?}");
    assert_eq!(window()["start"], since);
}

#[test]
fn a_change_of_a_window_that_makes_no_sense_changes_nothing() {
    let operator = Operator::new();
    let id = plan(&operator, &["--start", "2098-01-01T10:00Z", "--for", "1h"]);
    let before = operator.status()["generation"].clone();
    let change = |code, options: &[&str]| {
        operator.fails(code, &[&["window", "change"][..], options].concat())
    };
    assert!(change(2, &[&id]).err.contains("say what is to be another"));
    change(2, &["--title", "x"]);
    change(2, &[&id, "--end", "2098-01-01T12:00Z", "--no-end"]);
    let ran = change(1, &["nowindow", "--title", "x"]);
    assert!(ran.err.contains("there is no window `nowindow`"), "{ran:?}");
    let ran = change(2, &[&id, "--end", "2098-01-01T09:00Z"]);
    assert!(ran.err.contains("is not after the start"), "{ran:?}");
    change(2, &[&id, "--end", "2098-01-01T12:00Z", "--for", "1h"]);
    change(2, &[&id, "--start", "soon"]);
    assert_eq!(operator.status()["generation"], before);
}
