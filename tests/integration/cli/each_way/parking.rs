//! `on --park`: requests wait instead of being refused.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Operator, until};
use crate::demo::Demo;

fn park(operator: &Operator) -> Value {
    operator.done(&["--json", "status"]).json()["modes"][0]["park"].clone()
}

#[test]
fn it_is_said_kept_replaced_and_taken_away() {
    let operator = Operator::new();
    let told = operator.done(&["on", "--park", "10s"]);
    assert!(
        told.out.contains("requests wait up to 10 s"),
        "{}",
        told.out
    );
    assert_eq!(park(&operator), 10);
    let status = operator.done(&["status"]).out;
    assert!(
        status.contains("  parks    requests wait up to 10 s for it to open"),
        "{status}"
    );
    let explained = operator.done(&["explain", "GET", "/"]).out;
    assert!(
        explained.contains("It would wait up to 10 s for the mode to open."),
        "{explained}"
    );
    let explained = operator.done(&["--json", "explain", "POST", "/"]).json();
    assert_eq!((&explained["outcome"], &explained["waits"]), (&json!("refuse"), &json!(10)));
    operator.done(&["on", "--reason", "more"]);
    assert_eq!(park(&operator), 10);
    operator.done(&["on", "--park", "20"]);
    assert_eq!(park(&operator), 20);
    operator.done(&["on", "--park", "0"]);
    assert_eq!(park(&operator), Value::Null);
    operator.done(&["on", "--park", "5s"]);
    operator.done(&["off"]);
    assert_eq!(park(&operator), Value::Null);
    operator.done(&["on"]);
    assert_eq!(park(&operator), Value::Null);
    operator.done(&["off"]);
    operator.fails(1, &["during", "--park", "7s", "--keep-on-failure", "--", "false"]);
    assert_eq!(park(&operator), 7);
}

#[test]
fn what_cannot_be_is_refused() {
    let operator = Operator::with_settings("[park]\nlongest = \"20s\"\n");
    let told = operator.fails(2, &["on", "--park", "21s"]).err;
    assert!(told.contains("`park.longest`"), "{told}");
    assert_eq!(operator.phase(), "online");
    operator.fails(2, &["on", "--park", "soon"]);
    let told = operator.fails(2, &["on", "--park", "5s", "--start", "+1h"]).err;
    assert!(told.contains("--park is for a switch"), "{told}");
    operator.fails(2, &["during", "--park", "21s", "--", "true"]);
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_visitor_of_the_app_waits_and_is_let_in() {
    let operator = Operator::new();
    let demo = Demo::start(operator.path());
    operator.done(&["on", "--park", "20s"]);
    let mut superuser = demo.superuser();
    let mut visitor = demo.visitor();
    until("the app is closed", || {
        superuser.get("/maintenance-mode/ping").status == 503
    });
    let visit = std::thread::spawn(move || (visitor.get("/").status, Instant::now()));
    let mut parked = || superuser.get("/maintenance-mode/status").json()["parked"].clone();
    until("somebody waits", || parked() == 1);
    until("the program is told", || {
        operator.done(&["status"]).out.contains("1 request waits to be let in")
    });
    let page = superuser.get("/maintenance-mode/").body;
    assert!(page.contains("<dd id=\"parked\">1</dd>"), "{page}");
    assert!(page.contains("Requests wait up to 20 s for it to open."), "{page}");
    std::thread::sleep(Duration::from_millis(200));
    let opened = Instant::now();
    operator.done(&["off"]);
    let (status, answered) = visit.join().unwrap();
    assert_eq!(status, 200);
    assert!(answered > opened);
}
