//! What goes where: people and programs, standard output and standard error, colours, pipes.

use std::process::{Command, Stdio};

use super::{Operator, Ran};

#[test]
fn with_json_the_standard_output_is_one_document() {
    let operator = Operator::new();
    for arguments in [
        &["on", "--reason", "r"][..],
        &["status"],
        &["off"],
        &["history"],
        &["window", "add", "--start", "2099-01-01T00:00Z"],
        &["window", "list"],
        &["explain", "GET", "/"],
        &["during", "--", "echo", "not a document"],
        &["on", "--drain"],
        &["completions", "bash"],
    ] {
        let ran = operator.done(&[&["--json"], arguments].concat());
        assert!(ran.json().is_object(), "{ran:?}");
        assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    }
}

#[test]
fn with_json_a_failure_is_a_document_too() {
    let operator = Operator::with_settings("forced = \"on\"");
    let ran = operator.fails(1, &["--json", "off"]);
    let error = ran.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("forced on"), "{error}");
    assert!(ran.err.contains(&error), "{ran:?}");
}

#[test]
fn off_a_terminal_there_are_no_colours() {
    let operator = Operator::new();
    operator.done(&["on"]);
    for arguments in [&["status"][..], &["--help"], &["on", "--nonsense"]] {
        let ran = operator.run(arguments);
        assert!(
            !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
            "{ran:?}"
        );
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_fault() {
    let operator = Operator::new();
    for word in 0..40 {
        operator.done(&["on", "--reason", &format!("{word} {}", "x".repeat(1500))]);
        operator.done(&["off"]);
    }
    // Far more than a pipe holds, so that it breaks while it is written to.
    for arguments in ["history", "--json history", "completions bash"] {
        let program = super::program();
        let line = format!("{{ {program} {arguments}; echo $? >&2; }} | head -c 1 > first");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &line])
            .current_dir(operator.path())
            .stdin(Stdio::null());
        let ran = Ran::of(shell);
        assert_eq!(ran.err, "0\n", "{arguments}");
        assert_eq!(operator.read("first").len(), 1);
    }
}

#[test]
fn watching_ends_when_nobody_reads_any_more() {
    let operator = Operator::new();
    let line = format!("{} status --watch | head -1", super::program());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(operator.path())
        .stdin(Stdio::null());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let watching = super::Running(Some(shell.spawn().unwrap()));
    std::thread::sleep(std::time::Duration::from_millis(700));
    operator.done(&["on"]);
    let ran = watching.end();
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 1);
}

#[test]
fn somebody_elses_text_commands_no_terminal() {
    let operator = Operator::new();
    operator.done(&["on", "--reason", "a\u{1b}[2Jb", "--message", "one\ntwo"]);
    let out = operator.done(&["status"]).out;
    assert!(!out.contains('\u{1b}'), "{out:?}");
    assert!(out.contains("message  one two\n"), "{out}");
}

#[test]
fn the_log_is_shown_on_stderr_if_it_is_asked_for() {
    let operator = Operator::new();
    assert_eq!(operator.done(&["on"]).err, "");
    let ran = operator.done(&["-v", "off"]);
    assert!(ran.err.contains("maintenance changes"), "{ran:?}");
    assert_eq!(ran.out, "site is online\n");
    assert!(!ran.err.contains("DEBUG"), "{ran:?}");
    assert!(!operator.done(&["off", "-v"]).err.is_empty());
}

#[test]
fn times_are_shown_in_the_local_zone_with_the_offset() {
    let operator = Operator::new();
    let start = "2099-07-01T00:00Z";
    operator.done(&["window", "add", "--start", start, "--for", "90m"]);
    let out = operator.done(&["status"]).out;
    assert!(out.contains("starts 2099-07-01 02:00:00 +02:00"), "{out}");
    assert!(out.contains("lasts 1 h 30 min"), "{out}");
    let mut command = operator.command(&["status"]);
    command.env("TZ", "America/New_York");
    let out = Ran::of(command).out;
    assert!(out.contains("starts 2099-06-30 20:00:00 -04:00"), "{out}");
}
