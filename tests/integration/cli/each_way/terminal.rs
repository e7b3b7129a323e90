//! What is so only on a terminal: colours, drawing in place, questions, keys, and its end.

use super::{Operator, pty::Terminal, send_signal, until};

const CLEAR: &str = "\u{1b}[J";

#[test]
fn there_are_colours_unless_nobody_wants_them() {
    let operator = Operator::new();
    operator.done(&["on"]);
    let mut coloured = Terminal::run(&operator, &["status"]);
    coloured.shows("\u{1b}[31m");
    assert_eq!(coloured.code(), Some(0));
    // Also where `CI` is set, which some take for a wish for colours.
    for variables in [
        [("NO_COLOR", "1"), ("CI", "true")],
        [("TERM", "dumb"), ("CI", "true")],
    ] {
        for arguments in [
            &["status"][..],
            &["off", "--nonsense"],
            &["--mode", "nonsense", "off"],
        ] {
            let mut plain = Terminal::run_with(&operator, arguments, &variables);
            plain.code();
            plain.shows("\n");
            assert!(
                !plain.raw().contains('\u{1b}'),
                "{variables:?}: {:?}",
                plain.raw()
            );
        }
    }
}

#[test]
fn watching_draws_in_place() {
    let operator = Operator::new();
    let mut terminal = Terminal::run(&operator, &["status", "--watch"]);
    terminal.shows("online");
    operator.done(&["on", "--reason", "release 3"]);
    terminal.shows("release 3");
    assert!(terminal.raw().contains(CLEAR), "{:?}", terminal.raw());
    terminal.types("\u{3}");
    assert_eq!(terminal.code(), Some(0));
}

#[test]
fn interactive_says_what_follows_and_asks() {
    let operator = Operator::new();
    for (answer, code, phase) in [
        ("n\r", 4, "online"),
        ("\r", 4, "online"),
        ("y\r", 0, "offline"),
    ] {
        let mut terminal = Terminal::run(&operator, &["on", "--interactive"]);
        terminal.shows("`site` goes offline at once");
        terminal.shows("Go on? [y/N]");
        terminal.types(answer);
        assert_eq!(terminal.code(), Some(code), "{:?}", terminal.raw());
        assert_eq!(operator.phase(), phase);
    }
    let mut terminal = Terminal::run(&operator, &["off", "--interactive"]);
    terminal.shows("is online again for all visitors");
    terminal.types("\u{3}");
    assert_eq!(terminal.code(), Some(4));
    terminal.shows("nothing was changed");
    assert_eq!(operator.phase(), "offline");
}

#[test]
fn interactive_says_when_a_window_would_be() {
    let operator = Operator::new();
    let arguments = [
        "on",
        "--start",
        "2099-07-01T00:00Z",
        "--for",
        "1h",
        "--interactive",
    ];
    let mut terminal = Terminal::run(&operator, &arguments);
    terminal.shows("`site` goes offline at 2099-07-01T00:00Z for 1 h.");
    terminal.types("yes\r");
    assert_eq!(terminal.code(), Some(0));
}

/// A second one would make many programs stop at once, without an orderly end.
#[test]
fn a_key_reaches_the_command_once() {
    let operator = Operator::new();
    let line = "trap 'echo INT >> got' INT; echo > ready; \
                n=0; while [ $n -lt 25 ]; do sleep 0.02; n=$((n+1)); done; exit 5";
    let mut terminal = Terminal::run(&operator, &["during", "--", "sh", "-c", line]);
    until("it runs", || operator.exists("ready"));
    terminal.types("\u{3}");
    assert_eq!(terminal.code(), Some(5));
    assert_eq!(operator.read("got"), "INT\n");
    assert_eq!(operator.phase(), "online");
}

#[test]
fn on_a_terminal_too_a_signal_that_was_sent_is_passed_on() {
    let operator = Operator::new();
    let line = "trap 'echo TERM > got; exit 5' TERM; echo > ready; while :; do sleep 0.02; done";
    let mut terminal = Terminal::run(&operator, &["during", "--", "sh", "-c", line]);
    until("it runs", || operator.exists("ready"));
    send_signal(terminal.id(), "TERM");
    assert_eq!(terminal.code(), Some(5));
    assert_eq!(operator.read("got"), "TERM\n");
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_terminal_that_vanishes_brings_the_site_back() {
    let operator = Operator::new();
    let line = "echo > ready; while :; do echo x; sleep 0.02; done";
    let mut terminal =
        Terminal::run_unwatched(&operator, &["during", "-v", "--", "sh", "-c", line]);
    until("it runs", || operator.exists("ready"));
    assert_eq!(operator.phase(), "offline");
    terminal.vanish();
    until("it is back", || operator.phase() == "online");
    terminal.code();
}

#[test]
fn the_command_has_the_terminal() {
    let operator = Operator::new();
    let line = "[ -t 0 ] && [ -t 1 ] && read word && echo \"read $word\" > got";
    let mut terminal = Terminal::run(&operator, &["during", "--", "sh", "-c", line]);
    until("it runs", || operator.phase() == "offline");
    terminal.types("hello\r");
    assert_eq!(terminal.code(), Some(0), "{:?}", terminal.raw());
    assert_eq!(operator.read("got"), "read hello\n");
}

#[test]
fn a_line_that_is_too_long_is_cut_where_it_is_drawn_over() {
    let operator = Operator::new();
    operator.done(&["on", "--reason", &"x".repeat(200)]);
    let mut terminal = Terminal::run(&operator, &["status", "--watch"]);
    terminal.shows("xxx…");
    send_signal(terminal.id(), "TERM");
    assert_eq!(terminal.code(), Some(0));
}

#[test]
fn during_says_what_it_does() {
    let operator = Operator::new();
    let mut terminal = Terminal::run(&operator, &["during", "--", "sh", "-c", "exit 3"]);
    for step in [
        "site closes",
        "site is closed; sh runs",
        "sh has ended with 3",
        "site is online again",
    ] {
        terminal.shows(step);
    }
    assert_eq!(terminal.code(), Some(3));
}

#[track_caller]
fn lines(operator: &Operator, arguments: &[&str], columns: u16) -> Vec<String> {
    Terminal::run_narrow(operator, arguments, columns).lines()
}

#[test]
fn what_is_too_long_for_the_terminal_goes_on_at_a_word() {
    let operator = Operator::new();
    let reason = "the disks of the second shelf are full and have to be replaced by larger ones";
    operator.done(&["on", "--reason", reason, "--message", "Back soon."]);
    operator.done(&["window", "add", "--start", "+2h", "--for", "1h"]);
    for columns in [40, 60] {
        for arguments in [
            &["on", "--end", "2099-07-01T22:00Z"][..],
            &["status"],
            &["off"],
            &["on", "--timeout", "1m"],
            &["--mode", "sote", "on"],
            &["on", "--nonsense"],
        ] {
            let lines = lines(&operator, arguments, columns);
            assert!(!lines.is_empty(), "{arguments:?}");
            let is_whole = |line: &String| {
                // What cannot be broken, such as the path of the store.
                let words = line.split_whitespace();
                line.chars().count() <= usize::from(columns) || words.count() <= 1
            };
            assert!(
                lines.iter().all(is_whole),
                "{arguments:?} {columns}: {lines:#?}"
            );
        }
    }
    operator.done(&["on", "--reason", reason]);
    // Under the value, and not below its name.
    let shown = lines(&operator, &["status"], 60);
    let at = shown
        .iter()
        .position(|line| line.contains("reason"))
        .unwrap();
    assert_eq!(
        shown[at],
        "  reason   the disks of the second shelf are full and have"
    );
    assert_eq!(shown[at + 1], "           to be replaced by larger ones");
    // Where no terminal is, lines are whole; so are documents, and files that are handed out.
    let ran = operator.done(&["status"]);
    assert!(ran.out.contains(&format!("reason   {reason}\n")), "{ran:?}");
    let document = lines(&operator, &["--json", "status"], 40);
    assert_eq!(document.len(), 1, "{document:?}");
    let script = lines(&operator, &["completions", "bash"], 40);
    let printed = operator.done(&["completions", "bash"]).out;
    assert_eq!(script, printed.lines().collect::<Vec<_>>());
}
