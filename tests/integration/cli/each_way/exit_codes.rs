//! Every exit code, and what is said with it.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Stdio};

use super::{Operator, Ran};

#[test]
fn done_is_0_and_so_is_what_is_so_already_which_says_so() {
    let operator = Operator::new();
    assert_eq!(operator.done(&["on"]).out, "site is offline\n");
    let again = operator.done(&["on"]).out;
    assert!(
        again.starts_with("site is offline already, since 20"),
        "{again}"
    );
    assert!(again.contains(&format!(" by {}", operator.by())), "{again}");
    assert_eq!(operator.done(&["off"]).out, "site is online\n");
    assert_eq!(operator.done(&["off"]).out, "site is online already\n");
    assert_eq!(operator.done(&["--json", "off"]).json()["changed"], false);
}

#[test]
fn what_is_forced_by_the_settings_fails_with_1() {
    let operator = Operator::with_settings("forced = \"off\"");
    for command in [&["on"][..], &["off"], &["during", "--", "touch", "ran"]] {
        let ran = operator.fails(1, command);
        assert!(ran.err.contains("forced off by the settings"), "{ran:?}");
        assert_eq!(ran.out, "");
    }
    assert!(!operator.exists("ran"));
    let out = operator.done(&["status"]).out;
    assert!(out.starts_with("Forced off by the settings"), "{out}");
}

#[test]
fn a_window_that_there_is_not_fails_with_1_and_removes_none() {
    let operator = Operator::new();
    let added = operator.done(&["--json", "window", "add", "--start", "2099-01-01T00:00Z"]);
    let id = added.json()["window"].as_str().unwrap().to_owned();
    let ran = operator.fails(1, &["window", "remove", &id, "nonsense"]);
    assert!(ran.err.contains("there is no window `nonsense`"), "{ran:?}");
    assert!(operator.done(&["window", "list"]).out.contains(&id));
}

#[test]
fn usage_is_2() {
    let operator = Operator::new();
    for arguments in [
        &[][..],
        &["onn"],
        &["on", "--for", "soon"],
        &["on", "--for", "1h", "--end", "2099-01-01T00:00Z"],
        &["on", "--timeout", "1m"],
        &["on", "--on-timeout", "cancel"],
        &["on", "--drain", "--on-timeout", "explode"],
        &["on", "--drain", "--force", "--on-timeout", "cancel"],
        &["on", "--drain", "--start", "2099-01-01T00:00Z"],
        &["on", "--end", "yesterday"],
        &["on", "--end", "2020-01-01T00:00Z"],
        &["on", "--end", "2099-01-01T00:00"],
        &[
            "on",
            "--start",
            "2099-01-02T00:00Z",
            "--end",
            "2099-01-01T00:00Z",
        ],
        &["on", "--interactive"],
        &["off", "--interactive"],
        &["--mode", "nonsense", "on"],
        &["--mode", "nonsense", "status"],
        &["--store", "nonsense:x", "status"],
        &["during"],
        &["during", "true"],
        &["explain", "GET"],
        &["explain", "GET", "nonsense"],
        &["explain", "GET", "/", "--role", "king"],
        &["explain", "GET", "/", "--address", "nowhere"],
        &["window"],
        &["window", "remove"],
        &["completions", "nonsense"],
    ] {
        let ran = operator.fails(2, arguments);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
    assert!(!operator.exists("maintenance.state"));
}

#[test]
fn who_cannot_be_asked_is_told_what_to_do() {
    let ran = Operator::new().fails(2, &["on", "--interactive"]);
    assert!(
        ran.err.contains("no terminal to ask on; leave it out"),
        "{ran:?}"
    );
}

#[test]
fn a_store_that_holds_what_cannot_be_used_is_3_and_stays_as_it_is() {
    let operator = Operator::new();
    let newer = "{\"format\": 99}";
    operator.write("maintenance.state", newer);
    let ran = operator.fails(3, &["on"]);
    assert!(ran.err.contains("99"), "{ran:?}");
    assert_eq!(operator.read("maintenance.state"), newer);
}

#[test]
fn the_phase_is_told_by_the_exit_code_if_it_is_asked_for() {
    let operator = Operator::with_settings(
        "[[mode]]\nkey = \"site\"\nannounce = \"1h\"\n[[mode]]\nkey = \"shop\"\n",
    );
    operator.done(&["status", "--exit-code"]);
    operator.done(&["window", "add", "--start", &in_a_while(), "--for", "1h"]);
    operator.fails(10, &["status", "--exit-code"]);
    operator.done(&["--mode", "shop", "on"]);
    operator.fails(12, &["status", "--exit-code"]);
    operator.fails(10, &["--mode", "site", "status", "--exit-code"]);
    operator.done(&["status"]);
}

fn in_a_while() -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10)).to_string()
}

#[test]
fn output_that_cannot_be_written_is_1() {
    let operator = Operator::new();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = operator.command(&["status"]);
    command.stdout(full).stderr(Stdio::piped());
    let ran = Ran::from(command.spawn().unwrap().wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("cannot be written"), "{ran:?}");
}

#[test]
fn a_command_that_cannot_be_run_is_126_and_one_that_there_is_not_127() {
    let operator = Operator::new();
    let ran = operator.fails(127, &["during", "--", "./nonsense"]);
    assert!(
        ran.err.contains("`./nonsense` cannot be started"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "online");
    operator.write("plain", "text");
    let path = operator.path().join("plain");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    operator.fails(126, &["during", "--", "./plain"]);
    assert_eq!(operator.phase(), "online");
}

/// The clauses of a message, of whatever length but for what is no sentence.
fn clauses(message: &str) -> Vec<&str> {
    let parts = message.split([':', ';', ',', '\n']).map(str::trim);
    parts.filter(|part| part.len() > 12).collect()
}

#[test]
fn an_error_says_each_thing_once() {
    let operator = Operator::new();
    operator.write("broken.state", "{\"format\": 99}");
    operator.write("text.state", "neither nor");
    operator.write(
        "broken.toml",
        "stroe = \"memory:\"\n[response]\nstatus = 200\n",
    );
    let folder = operator.path().display().to_string();
    for arguments in [
        &["--store", "file:broken.state", "on"][..],
        &["--store", "file:broken.state", "status"],
        &["--store", "file:text.state", "on"],
        &["--store", "file:text.state", "window", "list"],
        &["--store", &format!("file:{folder}"), "status"],
        &["--store", "file:gone/maintenance.state", "on"],
        &["--store", "redis://127.0.0.1:1/", "status"],
        &["--store", "memory:", "on"],
        &["--settings", "broken.toml", "status"],
        &["--settings", "gone.toml", "status"],
        &["--mode", "nonsense", "on"],
        &["window", "remove", "nonsense"],
        &["on", "--end", "yesterday"],
    ] {
        let ran = operator.run(arguments);
        assert_ne!(ran.code, Some(0), "{arguments:?}");
        let told = ran.err.replace(&folder, "FOLDER");
        let mut clauses = clauses(&told);
        assert!(!clauses.is_empty(), "{arguments:?}: {told}");
        clauses.sort_unstable();
        let twice = clauses.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "{arguments:?}: {told}");
        assert!(!told.contains("  ") || told.contains("\n"), "{told:?}");
    }
}
