//! `maintenance during`, away from terminals: whatever becomes of the command, it is afterwards as it
//! was before.

use std::process::Stdio;

use super::{Operator, Ran, program, until};
use crate::demo::Demo;

/// Waits for the signals that it is asked to trap, and tells which came.
fn trap(signal: &str) -> String {
    format!(
        "trap 'echo {signal} > got; exit 5' {signal}; echo > ready; while :; do sleep 0.02; done"
    )
}

#[test]
fn the_site_is_offline_meanwhile_and_back_afterwards() {
    let operator = Operator::new();
    let line = format!("{} --json status > during.json", program());
    let given = ["--reason", "release 3", "--for", "1h"];
    let ran = operator.done(&[&["during"], &given[..], &["--", "sh", "-c", &line]].concat());
    assert_eq!(ran.out, "");
    let during: serde_json::Value = serde_json::from_str(&operator.read("during.json")).unwrap();
    let mode = &during["modes"][0];
    assert_eq!(mode["phase"], "offline");
    assert_eq!(mode["reason"], "release 3");
    assert!(mode["until"].is_string());
    assert_eq!(operator.phase(), "online");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let operator = Operator::new();
    for code in [0, 1, 4, 77, 255] {
        operator.fails(code, &["during", "--", "sh", "-c", &format!("exit {code}")]);
        assert_eq!(operator.phase(), "online");
    }
}

#[test]
fn the_commands_output_is_left_alone_and_with_json_goes_to_stderr() {
    let operator = Operator::new();
    let ran = operator.done(&["during", "--", "echo", "hello"]);
    assert_eq!(ran.out, "hello\n");
    assert!(
        ran.err.starts_with("note: no app reports to file:"),
        "{ran:?}"
    );
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    let ran = operator.fails(
        3,
        &["--json", "during", "--", "sh", "-c", "echo hello; exit 3"],
    );
    let document = ran.json();
    assert_eq!(document["exit_code"], 3);
    assert_eq!(document["restored"], true);
    assert_eq!(document["status"]["maintenance_mode"], false);
    assert!(ran.err.ends_with("\nhello\n"), "{ran:?}");
}

#[test]
fn what_was_before_is_put_back_and_what_others_changed_stays() {
    let operator = Operator::new();
    operator.done(&["on", "--reason", "by hand"]);
    operator.done(&["during", "--", "true"]);
    assert_eq!(operator.status()["modes"][0]["reason"], "by hand");
    operator.done(&["off"]);

    let line = format!("{0} off && {0} on --reason 'by hand'", program());
    operator.done(&["during", "--", "sh", "-c", &line]);
    assert_eq!(operator.phase(), "offline");
    assert_eq!(operator.status()["modes"][0]["reason"], "by hand");
}

#[test]
fn what_stays_closed_afterwards_is_told() {
    let operator = Operator::new();
    operator.done(&["on"]);
    // By an earlier switch.
    let ran = operator.done(&["--json", "during", "--", "true"]);
    assert_eq!(ran.json()["restored"], false, "{ran:?}");
    assert_eq!(ran.json()["left"], "as-before");
    assert_eq!(ran.json()["status"]["maintenance_mode"], true);
    assert!(
        ran.err.contains("note: site is offline still, since 2"),
        "{ran:?}"
    );
    assert!(ran.err.contains(": as it was before; "), "{ran:?}");
    operator.done(&["off"]);

    // By another one, and by a window.
    for command in ["off && {} on", "window add --for 1h"] {
        let line = format!("{0} {1}", program(), command.replace("{}", program()));
        let ran = operator.done(&["--json", "during", "--", "sh", "-c", &line]);
        assert_eq!(ran.json()["restored"], false, "{ran:?}");
        assert_eq!(ran.json()["left"], "closed-by-other");
        assert!(ran.err.contains("something else closes it"), "{ran:?}");
        assert!(
            ran.err
                .contains("`maintenance --mode site off` brings it back"),
            "{ran:?}"
        );
        operator.done(&["off"]);
    }
    let ran = operator.done(&["--json", "during", "--", "true"]);
    assert_eq!(ran.json()["restored"], true, "{ran:?}");
    assert!(ran.json()["left"].is_null(), "{ran:?}");
    let ran = operator.fails(1, &["--json", "during", "--keep-on-failure", "--", "false"]);
    assert_eq!(ran.json()["left"], "kept", "{ran:?}");
}

#[test]
fn signals_that_would_end_the_program_leave_nothing_behind() {
    // What the command does not listen to ends it.
    for (signal, code) in [
        ("USR1", 138),
        ("USR2", 140),
        ("QUIT", 131),
        ("HUP", 129),
        ("ALRM", 142),
    ] {
        let operator = Operator::new();
        let line = "echo > ready; exec sleep 60";
        let running = operator.start(&["during", "--", "sh", "-c", line]);
        until("it runs", || operator.exists("ready"));
        assert_eq!(operator.phase(), "offline");
        running.signal(signal);
        let ran = running.end();
        assert_eq!(ran.code, Some(code), "{signal}: {ran:?}");
        assert_eq!(operator.phase(), "online", "{signal}");
    }
    // Nobody reads: that ends neither.
    let operator = Operator::new();
    let line = "echo > ready; while [ ! -e go ]; do sleep 0.02; done";
    let running = operator.start(&["during", "--", "sh", "-c", line]);
    until("it runs", || operator.exists("ready"));
    running.signal("PIPE");
    operator.write("go", "");
    assert_eq!(running.end().code, Some(0));
    assert_eq!(operator.phase(), "online");
}

#[test]
fn signals_are_passed_on() {
    for signal in ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM"] {
        let operator = Operator::new();
        let running = operator.start(&["during", "--", "sh", "-c", &trap(signal)]);
        until("it runs", || operator.exists("ready"));
        assert_eq!(operator.phase(), "offline");
        running.signal(signal);
        let ran = running.end();
        assert_eq!(ran.code, Some(5), "{signal}: {ran:?}");
        assert_eq!(operator.read("got"), format!("{signal}\n"));
        assert_eq!(operator.phase(), "online");
    }
}

#[test]
fn a_command_that_a_signal_ends_is_told_as_shells_do() {
    let operator = Operator::new();
    operator.fails(137, &["during", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(operator.phase(), "online");

    let running = operator.start(&["during", "--", "sh", "-c", "echo > ready; exec sleep 60"]);
    until("it runs", || operator.exists("ready"));
    running.signal("TERM");
    assert_eq!(running.end().code, Some(143));
    assert_eq!(operator.phase(), "online");

    let killed = ["--json", "during", "--", "sh", "-c", "kill -9 $$"];
    assert_eq!(operator.run(&killed).json()["signal"], "SIGKILL");
}

/// Else a migration would go on in a site that is open again.
#[test]
fn without_a_terminal_signals_reach_what_the_command_has_started() {
    let operator = Operator::new();
    let line = "sleep 60 & echo $! > sleeper; wait";
    let mut command = std::process::Command::new("setsid");
    command
        .args([program(), "during", "--", "sh", "-c", line])
        .current_dir(operator.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    operator.equip(&mut command);
    let running = super::Running(Some(command.spawn().unwrap()));
    until("it runs", || operator.read("sleeper").ends_with('\n'));
    let sleeper = operator.read("sleeper").trim().to_owned();
    let is_there = || {
        std::path::Path::new("/proc")
            .join(&sleeper)
            .join("exe")
            .exists()
    };
    assert!(is_there());
    // It is no leader of a group, so `setsid` becomes the program.
    running.signal("TERM");
    running.end();
    until("the sleeper is gone", || !is_there());
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_command_that_fails_may_leave_the_site_closed() {
    let operator = Operator::new();
    let keep = ["during", "--keep-on-failure", "--"];
    operator.done(&[&keep[..], &["true"]].concat());
    assert_eq!(operator.phase(), "online");
    let ran = operator.fails(9, &[&keep[..], &["sh", "-c", "exit 9"]].concat());
    assert!(
        ran.err
            .contains("`maintenance --mode site off` brings it back"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "offline");
    // Nobody holds it any more: a later command does not open it.
    operator.done(&["during", "--", "true"]);
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);
    assert_eq!(operator.phase(), "online");
    operator.fails(127, &[&keep[..], &["./nonsense"]].concat());
    assert_eq!(operator.phase(), "offline");
}

#[test]
fn it_can_drain_first() {
    let operator = Operator::new();
    let line = format!("{} --json status > during.json", program());
    operator.done(&[
        "during",
        "--drain",
        "--no-nodes",
        "--timeout",
        "1m",
        "--",
        "sh",
        "-c",
        &line,
    ]);
    let during: serde_json::Value = serde_json::from_str(&operator.read("during.json")).unwrap();
    assert_eq!(during["modes"][0]["phase"], "offline");
    assert_eq!(operator.phase(), "online");
}

#[test]
fn nobody_who_listens_is_no_reason_to_stay_closed() {
    let operator = Operator::new();
    let line = format!(
        "{{ {} --json during -v -- sh -c 'echo one >&2; sleep 0.3; echo two >&2'; echo $? > code; \
         }} 2>&1 | head -c 0",
        program()
    );
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(operator.path())
        .stdin(Stdio::null());
    operator.equip(&mut shell);
    assert_eq!(Ran::of(shell).code, Some(0));
    assert!(!operator.read("code").is_empty());
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_killed_program_leaves_the_site_closed_for_no_longer_than_it_said() {
    let operator = Operator::new();
    // Somebody has to see that it is dead.
    let _demo = Demo::start(operator.path());
    let command = ["sh", "-c", "echo > ready; exec sleep 4 > /dev/null 2>&1"];
    let during = ["during", "--for", "2s", "--lost-after", "1s", "--"];
    let running = operator.start(&[&during[..], &command[..]].concat());
    until("it runs", || operator.exists("ready"));
    running.signal("KILL");
    running.end();
    assert_eq!(operator.phase(), "offline");
    until("its time is over", || operator.phase() == "online");
}
