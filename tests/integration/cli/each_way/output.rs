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
        operator.equip(&mut shell);
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
    operator.equip(&mut shell);
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Nothing changes, so that nothing more is written: it is told by the reader's going alone.
    let ran = super::Running(Some(shell.spawn().unwrap())).end();
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 1);
}

#[test]
fn somebody_elses_text_commands_no_terminal() {
    let operator = Operator::new();
    operator.done(&["on", "--reason", "a  b", "--message", "one\ntwo"]);
    let out = operator.done(&["status"]).out;
    assert!(out.contains("message  one two\n"), "{out}");
}

/// What a terminal would obey, or what would have it show something else than there is.
fn is_hazardous(character: char) -> bool {
    character.is_control() && character != '\n' || matches!(character, '\u{202a}'..='\u{202e}')
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed_whoever_wrote_it() {
    // As the state file may have been written by anybody.
    const HOSTILE: &str = "a\\u001b[32mb\\u202ec\\u009b2Jd";
    let operator = Operator::new();
    operator.write(
        "maintenance.state",
        &format!(
            r#"{{"format": 1, "generation": 3, "modes": {{"site": {{
                "switch": {{"on": {{"by": "{HOSTILE}", "reason": "{HOSTILE}", "message": "{HOSTILE}"}}}},
                "windows": [{{"id": "{HOSTILE}", "end": "2125-01-01T00:00:00Z", "title": "{HOSTILE}"}}]
            }}, "{HOSTILE}": {{"switch": {{"on": {{}}}}}}}},
            "history": [{{"mode": "{HOSTILE}", "started_at": "2025-01-01T00:00:00Z", "by": "{HOSTILE}"}}]}}"#
        ),
    );
    let hostile = "a\u{1b}[32mb\u{202e}c\u{9b}2J";
    for arguments in [
        &["status"][..],
        &["--json", "status"],
        &["history"],
        &["--json", "history"],
        &["window", "list"],
        &["--json", "window", "list"],
        &["--mode", hostile, "status"],
        &["--json", "--mode", hostile, "status"],
        &["--store", hostile, "status"],
        &["--settings", hostile, "status"],
        &["window", "remove", hostile],
        &["explain", "GET", hostile],
        &["on", "--end", hostile],
        &["on", "--no-such", hostile],
        &[hostile],
        &["during", "--", hostile],
        &["-vvv", "during", "--reason", "r", "--", "true"],
        &["task", hostile, "--", "true"],
    ] {
        let mut command = operator.command(arguments);
        command.env("SUDO_USER", hostile);
        let ran = Ran::of(command);
        assert!(!ran.out.contains(is_hazardous), "{arguments:?}: {ran:?}");
        assert!(!ran.err.contains(is_hazardous), "{arguments:?}: {ran:?}");
    }
    // It is escaped, and not lost.
    let status = operator.status();
    assert_eq!(status["modes"][0]["by"], "a\u{1b}[32mb\u{202e}c\u{9b}2Jd");
}

#[test]
fn texts_with_control_characters_are_refused_where_they_come_in() {
    let operator = Operator::new();
    for option in ["--reason", "--message"] {
        let ran = operator.fails(2, &["on", option, "a\u{1b}[2Jb"]);
        assert!(ran.err.contains("control character U+001B"), "{ran:?}");
        let ran = operator.fails(2, &["on", option, &"x".repeat(2001)]);
        assert!(
            ran.err.contains("2001 characters; give at most 2000"),
            "{ran:?}"
        );
    }
    let ran = operator.fails(
        2,
        &[
            "window",
            "add",
            "--start",
            "2125-01-01T00:00Z",
            "--title",
            "a\nb",
        ],
    );
    assert!(
        ran.err.contains("title has the control character U+000A"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "online");
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
