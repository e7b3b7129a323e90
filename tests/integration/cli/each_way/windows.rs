//! Windows: what is planned and cancelled, whom it reaches, and what stays closed all the same.

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
