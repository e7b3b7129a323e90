//! Whom a change has reached, and what is said where nobody listens.

use std::time::Duration;

use actix_maintenance_mode::store::{FileStore, Lease, LeaseCondition, Store as _};
use serde_json::Value;

use super::{Operator, Ran, until};
use crate::{cli::block_on, demo::Demo};

#[track_caller]
fn tells_that_nobody_listens(ran: &Ran) {
    assert!(
        ran.err.contains("no app reports to file:") && ran.err.contains("maintenance.state"),
        "{ran:?}"
    );
}

fn until_nodes(operator: &Operator, count: usize) {
    until("the nodes report", || {
        let status = operator.status();
        let nodes = status["nodes"].as_array().unwrap();
        nodes.len() == count && nodes.iter().all(|node| node["up_to_date"] == true)
    });
}

#[test]
fn where_no_app_reports_it_is_said_and_nothing_is_called_safe() {
    let operator = Operator::new();
    let ran = operator.done(&["on"]);
    assert_eq!(ran.out, "site is offline\n");
    assert!(ran.err.starts_with("note: no app reports to "), "{ran:?}");
    tells_that_nobody_listens(&ran);
    let ran = operator.done(&["off"]);
    tells_that_nobody_listens(&ran);

    let ran = operator.fails(4, &["on", "--wait"]);
    tells_that_nobody_listens(&ran);
    assert!(ran.err.contains("give --no-nodes"), "{ran:?}");
    assert_eq!(operator.phase(), "offline");
    let ran = operator.done(&["--json", "on", "--wait", "--no-nodes"]);
    assert_eq!(ran.json()["waited"], "done");
    operator.done(&["off"]);

    for how in ["--wait", "--drain"] {
        let ran = operator.fails(4, &["during", how, "--", "touch", "ran"]);
        tells_that_nobody_listens(&ran);
        assert!(!operator.exists("ran"));
        assert_eq!(operator.phase(), "online");
    }
    operator.done(&["during", "--wait", "--no-nodes", "--", "touch", "ran"]);
    assert!(operator.exists("ran"));
    let ran = operator.fails(2, &["on", "--no-nodes"]);
    assert!(ran.err.contains("--wait"), "{ran:?}");
}

#[test]
fn a_change_tells_on_how_many_nodes_it_is_in_force() {
    let operator = Operator::with_settings("[node]\nid = \"web-1\"\n");
    let first = Demo::start(operator.path());
    let _second = Demo::start(operator.path());
    until_nodes(&operator, 2);
    let ran = operator.done(&["on"]);
    assert_eq!(
        (&*ran.out, &*ran.err),
        ("site is offline on 2 of 2 nodes\n", "")
    );
    assert_eq!(first.visitor().get("/").status, 503);
    let ran = operator.done(&["off"]);
    assert_eq!(ran.out, "site is online on 2 of 2 nodes\n");

    super::send_signal(first.process.id(), "STOP");
    let ran = operator.done(&["--json", "on"]);
    let reached = &ran.json()["reached"];
    assert_eq!((&reached["nodes"], &reached["of"]), (&1.into(), &2.into()));
    assert!(ran.err.contains("not reached yet: web-1/"), "{ran:?}");
    super::send_signal(first.process.id(), "CONT");
    until("it follows", || {
        operator
            .done(&["on"])
            .out
            .starts_with("site is offline already on 2 of 2 nodes, since ")
    });
}

#[test]
fn the_status_sums_over_the_nodes_and_says_null_where_it_does_not_know() {
    let operator = Operator::with_settings("[node]\ntime_to_live = \"2s\"\n");
    let status = operator.status();
    for figure in ["in_flight", "endless", "sessions"] {
        assert_eq!(status[figure], Value::Null, "{figure}");
    }
    assert_eq!(status["enforced"], false);

    let demo = Demo::start(operator.path());
    let mut visitor = demo.visitor();
    assert_eq!(visitor.get("/login/user").status, 303);
    assert_eq!(visitor.get("/").status, 200);
    let mut slow = demo.visitor();
    let request = std::thread::spawn(move || slow.get("/slow?ms=4000").status);
    until("both are told of", || {
        let status = operator.status();
        status["in_flight"] == 1 && status["sessions"] == 1
    });
    assert_eq!(operator.status()["enforced"], true);
    assert_eq!(request.join().unwrap(), 200);
}

#[test]
fn a_node_that_serves_although_it_is_closed_is_marked() {
    let operator = Operator::new();
    let _plain = Demo::start(operator.path());
    operator.write("maintenance.toml", "forced = \"off\"\n");
    let _forced = Demo::start(operator.path());
    until_nodes(&operator, 2);
    operator.write("maintenance.toml", "");
    operator.done(&["on"]);
    let mut status = String::new();
    until("it is told", || {
        status = operator.done(&["status"]).out;
        status.contains("serves although offline")
    });
    assert!(status.contains("has other settings"), "{status}");
    let document = operator.status();
    let nodes = document["nodes"].as_array().unwrap();
    assert_eq!(nodes[0]["forced"], "off");
    assert_eq!(nodes[0]["remarks"][0], "serves-although-offline");
    assert_eq!(nodes[1]["forced"], Value::Null);
}

#[test]
fn on_whom_the_answer_depends_is_said_with_it() {
    let operator = Operator::new();
    operator.done(&["off"]);
    // What a node on another machine has left, which was not heard of for twelve seconds.
    let store = FileStore::new(operator.path().join("maintenance.state")).unwrap();
    let elsewhere = r#"{"lives": 2000, "closes": false, "left": false}"#;
    let trace = Lease::new("trace/web-3", "web-3", elsewhere).unwrap();
    let left = Duration::from_secs(24 * 60 * 60 - 12);
    let put = store.put_lease(&trace, left, LeaseCondition::Always);
    block_on(put).unwrap();
    let ran = operator.done(&["on", "--wait", "--no-nodes"]);
    let (_, said) = ran
        .err
        .split_once("safe, if web-3, not heard of for ")
        .unwrap_or_else(|| panic!("{ran:?}"));
    let (seconds, rest) = said.split_once(" s, is dead").unwrap();
    assert!(
        (12..60).contains(&seconds.parse::<u64>().unwrap()),
        "{ran:?}"
    );
    assert!(!rest.contains("web-3"), "it is said once: {ran:?}");
    let ran = operator.done(&["--json", "on", "--wait", "--no-nodes"]);
    let unheard = &ran.json()["status"]["unheard"][0];
    assert_eq!((&unheard["id"], &unheard["waited_for"]), (&"web-3".into(), &false.into()));

    // One that closes when it is cut off is no cause for doubt.
    let closes = elsewhere.replace("\"closes\": false", "\"closes\": true");
    let trace = trace.with_content(closes).unwrap();
    let put = store.put_lease(&trace, left, LeaseCondition::Always);
    block_on(put).unwrap();
    let ran = operator.done(&["on", "--wait", "--no-nodes"]);
    assert!(!ran.err.contains("is dead"), "{ran:?}");
}
