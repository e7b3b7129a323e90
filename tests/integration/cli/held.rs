//! A mode that a job holds: it is closed as long as the job lives, and what follows its death is told.

use std::{process::Stdio, time::Duration};

use serde_json::Value;

use super::{Operator, Running, program, until};
use crate::demo::Demo;

/// How long after its death a job of these tests is lost.
const LOST_AFTER: &str = "1s";

/// A job that tells when it runs, and ends when it is told to.
const JOB: &str =
    "exec > /dev/null 2>&1; echo > ready; while [ -e ready ] && [ ! -e go ]; do sleep 0.02; done";

fn job(operator: &Operator, options: &[&str]) -> Running {
    let during = ["during", "--lost-after", LOST_AFTER];
    let command = ["--", "sh", "-c", JOB];
    let running = operator.start(&[&during[..], options, &command[..]].concat());
    until("the job runs", || operator.exists("ready"));
    running
}

fn held(operator: &Operator) -> Value {
    operator.status()["modes"][0]["held"].clone()
}

fn log_of(operator: &Operator) -> String {
    operator.read("app.log")
}

fn app(operator: &Operator) -> Demo {
    let log = std::fs::File::create(operator.path().join("app.log")).unwrap();
    Demo::start_logging_to(operator.path(), &[("RUST_LOG", "info")], Stdio::from(log))
}

#[test]
fn an_announced_end_does_not_open_it_in_the_middle_of_the_job() {
    let operator = Operator::new();
    let demo = app(&operator);
    let mut visitor = demo.visitor();
    let running = job(&operator, &["--for", "1s", "--reason", "migration"]);
    let told = visitor.get("/");
    assert_eq!(told.status, 503);
    assert_eq!(told.header("retry-after"), Some("1"));
    until("it is overdue", || {
        !held(&operator)["overdue_since"].is_null()
    });
    // The setting's, as nothing better is known.
    until("nobody is told an end that has passed", || {
        visitor.get("/").header("retry-after") == Some("3600")
    });
    let ran = operator.run(&["status", "--exit-code"]);
    assert_eq!(ran.code, Some(12), "{ran:?}");
    assert!(ran.out.contains("\n  held     by sh (alice@"), "{ran:?}");
    assert!(ran.out.contains("overdue since 20"), "{ran:?}");
    let told = operator.run(&["--json", "doctor"]).json();
    let mut findings = told["findings"].as_array().unwrap().iter();
    let found = findings.find(|found| found["check"] == "holders").unwrap();
    assert_eq!(found["verdict"], "unknown", "{found}");
    assert!(
        found["remedy"].as_str().unwrap().contains("on --for"),
        "{found}"
    );
    let held = held(&operator);
    assert_eq!(held["name"], "sh");
    assert_eq!(held["if_lost"], "stay");
    assert_eq!(held["alive"], true);
    assert_eq!(held["lost_at"], Value::Null);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(visitor.get("/").status, 503);
    until("the log has it", || {
        log_of(&operator).contains("maintenance.overdue")
    });
    operator.write("go", "");
    assert_eq!(running.end().code, Some(0));
    until("it is open", || visitor.get("/").status == 200);
    assert!(!log_of(&operator).contains("holder-lost"));
}

#[test]
fn one_that_is_killed_reopens_if_that_was_said() {
    let operator = Operator::new();
    let demo = app(&operator);
    let mut visitor = demo.visitor();
    let running = job(&operator, &["--if-lost", "reopen"]);
    assert_eq!(visitor.get("/").status, 503);
    running.signal("KILL");
    running.end();
    until("it is open", || visitor.get("/").status == 200);
    let log = log_of(&operator);
    assert!(log.contains("maintenance.holder-lost"), "{log}");
    let held = held(&operator);
    assert!(held["lost_at"].is_string(), "{held}");
    assert_eq!(held["alive"], false);
    let ran = operator.run(&["status", "--exit-code"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("lost: sh has died"), "{ran:?}");
    let history = operator.done(&["--json", "history"]).json();
    assert_eq!(history["history"][0]["ended"], "holder-lost", "{history}");
    let mut superuser = demo.superuser();
    let dashboard = superuser.get("/maintenance-mode/").body;
    assert!(
        dashboard.contains("and the site was opened again"),
        "{dashboard}"
    );
    // Somebody has seen it.
    operator.done(&["off"]);
    assert_eq!(self::held(&operator), Value::Null);
}

#[test]
fn one_that_is_killed_stays_closed_and_the_next_run_opens_it() {
    let operator = Operator::new();
    let demo = app(&operator);
    let mut visitor = demo.visitor();
    let running = job(&operator, &[]);
    running.signal("KILL");
    running.end();
    until("it is told", || {
        operator.run(&["status", "--exit-code"]).code == Some(13)
    });
    until("the app has seen it", || {
        log_of(&operator).contains("maintenance.holder-lost")
    });
    assert_eq!(visitor.get("/").status, 503);
    let ran = operator.fails(1, &["doctor"]);
    assert!(
        ran.out.contains("holders: site is held by sh (alice@"),
        "{ran:?}"
    );
    assert!(ran.out.contains(", which has died\n"), "{ran:?}");
    assert!(
        ran.out
            .contains("run it again, or `maintenance --mode site off`"),
        "{ran:?}"
    );
    let ran = operator.done(&["status"]);
    assert!(
        ran.out
            .contains("run it again, or `maintenance --mode site off`"),
        "{ran:?}"
    );
    let mut superuser = demo.superuser();
    let dashboard = superuser.get("/maintenance-mode/").body;
    assert!(
        dashboard.contains("Nobody will open this by itself"),
        "{dashboard}"
    );

    operator.done(&["during", "--", "true"]);
    until("it is open", || visitor.get("/").status == 200);
    assert_eq!(held(&operator), Value::Null);
}

/// The app that has seen the death may have ended before anybody could read its log.
#[test]
fn an_app_that_starts_later_tells_of_it_too() {
    let operator = Operator::new();
    let first = app(&operator);
    let running = job(&operator, &[]);
    running.signal("KILL");
    running.end();
    until("the app has seen it", || {
        log_of(&operator).contains("maintenance.holder-lost")
    });
    drop(first);
    let _second = app(&operator);
    until("the other one tells of it", || {
        log_of(&operator).contains("maintenance.holder-lost")
    });
    let told = log_of(&operator).matches("maintenance.holder-lost").count();
    assert_eq!(told, 1);
    // Those who look are told by the status.
    let ran = operator.done(&["status"]);
    assert!(!ran.err.contains("maintenance.holder-lost"), "{ran:?}");
}

#[test]
fn the_next_run_does_not_wait_for_one_that_nobody_has_seen_die() {
    let operator = Operator::new();
    let running = job(&operator, &[]);
    running.signal("KILL");
    running.end();
    // No app runs that could see it.
    until("its lease has lapsed", || {
        operator.run(&["status", "--exit-code"]).code == Some(13)
    });
    let ran = operator.done(&["during", "--", "true"]);
    assert!(
        ran.err.contains("waiting: the mode `site` is held by sh"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "online");
}

#[test]
fn one_that_was_stopped_learns_that_it_is_lost() {
    let operator = Operator::new();
    let _demo = app(&operator);
    let running = job(&operator, &[]);
    running.signal("STOP");
    until("it is told", || {
        log_of(&operator).contains("maintenance.holder-lost")
    });
    running.signal("CONT");
    std::thread::sleep(Duration::from_millis(300));
    operator.write("go", "");
    let ran = running.end();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains("the hold on the mode `site` is lost"),
        "{ran:?}"
    );
    assert!(
        ran.err
            .contains("; site is closed; `maintenance --mode site off` brings it back"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "offline");
}

#[test]
fn one_that_wakes_up_after_its_announced_end_learns_that_it_is_lost() {
    let operator = Operator::new();
    let demo = app(&operator);
    let mut visitor = demo.visitor();
    let running = job(&operator, &["--for", "1s"]);
    running.signal("STOP");
    until("it is open", || visitor.get("/").status == 200);
    assert!(log_of(&operator).contains("maintenance.holder-lost"));
    running.signal("CONT");
    std::thread::sleep(Duration::from_millis(300));
    operator.write("go", "");
    let ran = running.end();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains("the hold on the mode `site` is lost"),
        "{ran:?}"
    );
    assert!(ran.err.contains("; site is open"), "{ran:?}");
    let told = operator.done(&["status"]).out;
    assert!(told.contains("lost: sh has died"), "{told}");
}

#[test]
fn a_job_that_is_lost_can_be_stopped() {
    let operator = Operator::new();
    let _demo = app(&operator);
    let running = job(&operator, &["--stop-if-lost"]);
    running.signal("STOP");
    until("it is told", || {
        log_of(&operator).contains("maintenance.holder-lost")
    });
    running.signal("CONT");
    let ran = running.end();
    assert_eq!(ran.code, Some(128 + 15), "{ran:?}");
    assert!(
        ran.err.contains("the hold on the mode `site` is lost"),
        "{ran:?}"
    );
}

#[test]
fn who_switches_it_off_is_told_to_the_job() {
    let operator = Operator::new();
    let running = job(&operator, &[]);
    operator.done(&["off"]);
    std::thread::sleep(Duration::from_millis(300));
    operator.write("go", "");
    let ran = running.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err
            .contains("somebody has switched `site` off while the command runs"),
        "{ran:?}"
    );
}

#[test]
fn one_inside_of_another_opens_nothing() {
    let operator = Operator::new();
    let inner = format!(
        "{0} during -- true && {0} --json status > between.json",
        program()
    );
    operator.done(&["during", "--", "sh", "-c", &inner]);
    let between: Value = serde_json::from_str(&operator.read("between.json")).unwrap();
    assert_eq!(between["modes"][0]["phase"], "offline");
    assert_eq!(between["modes"][0]["held"]["name"], "sh");
    assert_eq!(operator.phase(), "online");
}

/// Nothing of it is a setting that nobody knows.
#[test]
fn an_app_can_be_started_in_the_middle() {
    let operator = Operator::new();
    let line = format!("{} --json status > during.json", program());
    operator.done(&["during", "--", "sh", "-c", &line]);
    let during: Value = serde_json::from_str(&operator.read("during.json")).unwrap();
    assert_eq!(during["maintenance_mode"], true);
}
