//! Waiting for those who are in: shown on a terminal and off it, and ended in every way.

use std::time::Duration;

use super::{Operator, pty::Terminal, until};
use crate::demo::{Demo, Visitor};

/// A running app with somebody who has logged in.
fn inhabited() -> (Operator, Demo, Visitor) {
    inhabited_with("")
}

fn inhabited_with(settings: &str) -> (Operator, Demo, Visitor) {
    let operator = Operator::with_settings(settings);
    let demo = Demo::start(operator.path());
    let mut visitor = demo.visitor();
    assert_eq!(visitor.get("/login/user").status, 303);
    assert_eq!(visitor.get("/").status, 200);
    // It serves a moment before it tells by which state it goes.
    until("the app has told of its state", || {
        operator.status()["nodes"][0]["up_to_date"] == true
    });
    (operator, demo, visitor)
}

#[test]
fn a_drain_is_waited_for_until_the_last_one_has_left() {
    let (operator, demo, mut visitor) = inhabited();
    let waiting = operator.start(&["on", "--drain", "--timeout", "5m"]);
    until("it is pending", || operator.phase() == "pending");
    assert_eq!(visitor.get("/").status, 200);
    // The app is another process, which follows a moment later.
    until("newcomers are refused", || {
        demo.visitor().get("/").status == 503
    });
    // What the app tells of is a moment old.
    until("only the visitor is told of", || {
        let status = operator.done(&["status"]).out;
        status.contains("inside   1 session, 0 requests")
    });
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(operator.phase(), "pending");

    visitor.get("/logout");
    let ran = waiting.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.out, "site is offline on 1 of 1 nodes\n");
    let first = ran.err.lines().next().unwrap();
    assert!(
        first.starts_with("site is closing: 1 session, 0 requests inside"),
        "{ran:?}"
    );
    assert!(
        first.contains("4 min 5") && first.ends_with(" left"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "offline");
}

#[test]
fn a_drain_waits_for_requests_and_tasks() {
    let operator = Operator::new();
    let demo = Demo::start(operator.path());
    let mut slow = demo.visitor();
    let request = std::thread::spawn(move || slow.get("/slow?ms=1500").status);
    let line = "echo > ready; while [ ! -e go ]; do sleep 0.02; done";
    let task = operator.start_at_the_store(&["task", "import", "--", "sh", "-c", line]);
    until("it runs", || operator.exists("ready"));
    until("the request is in", || {
        operator.status()["nodes"][0]["in_flight"] == 1
    });
    let out = operator.done(&["status"]).out;
    assert!(out.contains("task     import: alice@"), "{out}");
    assert!(
        out.contains("inside   0 sessions, 1 request, 1 task"),
        "{out}"
    );

    let waiting = operator.start(&["on", "--drain"]);
    assert_eq!(request.join().unwrap(), 200);
    until("it is pending", || operator.phase() == "pending");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(operator.phase(), "pending");
    operator.write("go", "");
    assert_eq!(task.end().code, Some(0));
    assert_eq!(waiting.end().code, Some(0));
    assert_eq!(operator.phase(), "offline");
    drop(demo);
}

#[test]
fn a_drain_that_times_out_is_4_unless_it_does_not_matter_who_is_in() {
    let (operator, _demo, _visitor) = inhabited();
    let drain = ["on", "--drain", "--timeout", "1s"];
    let ran = operator.fails(4, &drain);
    assert!(
        ran.err
            .contains("timed out before site was empty: 1 session"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);

    let ran = operator.fails(4, &[&drain[..], &["--on-timeout", "cancel"]].concat());
    assert!(ran.err.contains("site is back online"), "{ran:?}");
    assert_eq!(operator.phase(), "online");

    operator.done(&[&drain[..], &["--force"]].concat());
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);

    let ran = operator.fails(4, &[&["--json"], &drain[..]].concat());
    assert_eq!(ran.json()["waited"], "timed-out");
}

#[test]
fn force_ends_a_drain_that_is_going_on() {
    let (operator, _demo, mut visitor) = inhabited();
    let waiting = operator.start(&["on", "--drain"]);
    until("it is pending", || operator.phase() == "pending");
    operator.fails(11, &["status", "--exit-code"]);
    operator.done(&["on", "--force"]);
    assert_eq!(waiting.end().code, Some(0));
    until("nobody is in", || visitor.get("/").status == 503);
}

#[test]
fn somebody_else_may_bring_it_back_meanwhile() {
    let (operator, _demo, _visitor) = inhabited();
    let waiting = operator.start(&["on", "--drain"]);
    until("it is pending", || operator.phase() == "pending");
    operator.done(&["off"]);
    let ran = waiting.end();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("site is back online"), "{ran:?}");
}

#[test]
fn a_signal_ends_the_waiting_and_the_drain_goes_on() {
    for signal in ["TERM", "HUP", "INT"] {
        let (operator, _demo, _visitor) = inhabited();
        let waiting = operator.start(&["on", "--drain"]);
        until("it is pending", || operator.phase() == "pending");
        waiting.signal(signal);
        let ran = waiting.end();
        assert_eq!(ran.code, Some(4), "{signal}: {ran:?}");
        assert!(
            ran.err.contains("the drain of site goes on"),
            "{signal}: {ran:?}"
        );
        assert_eq!(operator.phase(), "pending");
    }
}

/// As with django-site-maintenance's `offline on`.
#[test]
fn a_second_interrupt_cancels_the_drain() {
    let (operator, _demo, mut visitor) = inhabited();
    let mut terminal = Terminal::run(&operator, &["on", "--drain", "--timeout", "5m"]);
    terminal.shows("site is closing: 1 session, 0 requests inside; 4 min 5");
    assert!(
        !terminal.raw().contains('\n'),
        "it is shown in place: {:?}",
        terminal.raw()
    );
    terminal.types("\u{3}");
    terminal.shows("the drain of site goes on. Press ^C again within 3 s");
    assert_eq!(operator.phase(), "pending");
    terminal.types("\u{3}");
    assert_eq!(terminal.code(), Some(4));
    terminal.shows("cancelled; site is back online");
    assert_eq!(operator.phase(), "online");
    assert_eq!(visitor.get("/").status, 200);
    let history = operator.done(&["--json", "history"]).json();
    assert_eq!(history["history"][0]["ended"], "cancelled");
}

#[test]
fn one_interrupt_alone_lets_the_drain_go_on() {
    let (operator, _demo, _visitor) = inhabited();
    let mut terminal = Terminal::run(&operator, &["on", "--drain"]);
    terminal.shows("site is closing");
    terminal.types("\u{3}");
    terminal.shows("Press ^C again");
    assert_eq!(terminal.code(), Some(4));
    assert_eq!(operator.phase(), "pending");
}

#[test]
fn during_runs_nothing_in_a_site_that_is_not_empty() {
    let (operator, _demo, mut visitor) = inhabited();
    let touch = ["--", "touch", "ran"];
    let ran = operator.fails(
        4,
        &[&["during", "--drain", "--timeout", "1s"], &touch[..]].concat(),
    );
    assert!(ran.err.contains("the command was not run"), "{ran:?}");
    assert_eq!(operator.phase(), "online");

    let waiting = operator.start(&[&["during", "--drain"], &touch[..]].concat());
    until("it is pending", || operator.phase() == "pending");
    waiting.signal("INT");
    assert_eq!(waiting.end().code, Some(4));
    assert_eq!(operator.phase(), "online");
    assert!(!operator.exists("ran"));

    let waiting = operator.start(&[&["during", "--drain"], &touch[..]].concat());
    until("it is pending", || operator.phase() == "pending");
    visitor.get("/logout");
    assert_eq!(waiting.end().code, Some(0));
    assert!(operator.exists("ran"));
    assert_eq!(operator.phase(), "online");
}

#[test]
fn the_status_lists_the_nodes() {
    let (operator, demo, _visitor) = inhabited_with("[node]\nid = \"web-1\"\n");
    until("the node has told", || {
        operator.status()["nodes"][0]["sessions"] == 1
    });
    let out = operator.done(&["status"]).out;
    assert!(out.contains("\n  node     web-1/"), "{out}");
    assert!(out.contains("1 session, 0 requests\n"), "{out}");
    drop(demo);
    let empty = Operator::new().done(&["status"]).out;
    assert!(
        empty.contains("\n  nodes    none: no app runs\n"),
        "{empty}"
    );
}

#[test]
fn every_node_is_waited_for_until_it_serves_nothing() {
    let (operator, demo, _) = inhabited_with("[node]\nid = \"web-1\"\n");
    let mut slow = demo.visitor();
    let request = std::thread::spawn(move || slow.get("/slow?ms=7000").status);
    until("the request is in", || {
        operator.status()["nodes"][0]["in_flight"] == 1
    });
    let ran = operator.fails(4, &["on", "--wait", "--timeout", "1s"]);
    assert!(ran.err.contains("timed out: node web-1/"), "{ran:?}");
    assert!(ran.err.contains("serves 1 request"), "{ran:?}");
    let touch = ["during", "--wait", "--timeout", "1s", "--", "touch", "ran"];
    let ran = operator.fails(4, &touch);
    assert!(
        ran.err
            .contains("serves 1 request; the command was not run"),
        "{ran:?}"
    );
    // It was on before, and stays so.
    assert_eq!(operator.phase(), "offline");

    let ran = operator.done(&["--json", "on", "--wait"]);
    assert_eq!(ran.json()["waited"], "done");
    assert_eq!(ran.json()["changed"], false);
    assert_eq!(request.join().unwrap(), 200);
    operator.done(&touch);
}

#[test]
fn a_node_that_does_not_answer_is_named_and_in_the_end_gone() {
    let settings = "[node]\nid = \"web-1\"\ntime_to_live = \"3s\"\n";
    let (operator, demo, _) = inhabited_with(settings);
    super::send_signal(demo.process.id(), "STOP");
    let ran = operator.fails(4, &["on", "--wait", "--timeout", "1s"]);
    assert!(ran.err.contains("node web-1/"), "{ran:?}");
    assert!(
        ran.err.contains("has not applied the change yet"),
        "{ran:?}"
    );
    // Its lease lapses, and its process lives.
    let ran = operator.fails(4, &["on", "--wait", "--timeout", "4s"]);
    assert!(ran.err.contains("and its process lives"), "{ran:?}");
    super::send_signal(demo.process.id(), "KILL");
    let ran = operator.done(&["on", "--wait", "--no-nodes"]);
    assert!(!ran.err.contains("is dead"), "{ran:?}");
}

#[test]
fn a_drain_can_be_waited_for_on_every_node() {
    let (operator, _demo, mut visitor) = inhabited();
    let waiting = operator.start(&["on", "--drain", "--wait"]);
    until("it is pending", || operator.phase() == "pending");
    visitor.get("/logout");
    let ran = waiting.end();
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "site is offline on 1 of 1 nodes\n"),
        "{ran:?}"
    );
}
