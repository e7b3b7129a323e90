//! The commands of the four predecessors, each done here.

use super::{Operator, program, pty::Terminal, until};

/// `maintenance_mode on|off`, `--interactive`, `--start`, `--end`.
#[test]
fn django_maintenance_mode_maintenance_mode() {
    let operator = Operator::with_settings("time_zone = \"Europe/Rome\"");
    operator.done(&["on"]);
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);
    assert_eq!(operator.phase(), "online");

    let mut terminal = Terminal::run(&operator, &["on", "--interactive"]);
    terminal.shows("Go on?");
    terminal.types("y\r");
    assert_eq!(terminal.code(), Some(0));
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);

    let (start, end) = ("2099-01-01T10:00", "2099-01-01T12:00");
    operator.done(&["on", "--start", start, "--end", end]);
    let window = operator.status()["modes"][0]["windows"][0].clone();
    assert_eq!(window["start"], "2099-01-01T09:00:00Z");
    assert_eq!(window["end"], "2099-01-01T11:00:00Z");

    // Its state file is read as it is.
    for (text, phase) in [("1", "offline"), ("0\n", "online"), ("", "online")] {
        operator.write("maintenance.state", text);
        assert_eq!(operator.phase(), phase, "{text:?}");
    }
}

/// `downtime_start`, `downtime_end`.
#[test]
fn django_downtime_downtime_start_downtime_end() {
    let operator = Operator::new();
    operator.done(&["on"]);
    operator.done(&["off"]);
    let periods = operator.done(&["--json", "history"]).json();
    let period = &periods["history"][0];
    assert!(period["started_at"].is_string() && period["ended_at"].is_string());

    // Planned periods.
    operator.done(&[
        "window",
        "add",
        "--start",
        "2099-01-01T00:00Z",
        "--end",
        "2099-01-02T00:00Z",
    ]);
    let windows = operator.done(&["--json", "window", "list"]).json();
    assert_eq!(windows["windows"].as_array().unwrap().len(), 1);
}

/// `offline on|off|status|list`, `--force`, `--timeout`. ^C twice stands in `waiting`.
#[test]
fn django_site_maintenance_offline() {
    let operator = Operator::new();
    operator.done(&["status", "--exit-code"]);
    operator.done(&["on", "--drain", "--timeout", "10s"]);
    operator.fails(12, &["status", "--exit-code"]);
    operator.done(&["off"]);
    operator.done(&["on", "--force"]);
    operator.fails(12, &["status", "--exit-code"]);
    // `list` listed the sessions.
    assert!(operator.status()["visitors"].is_array());
    operator.done(&["off"]);
    operator.done(&["status", "--exit-code"]);
}

/// `maintain(key, timeout)`, `unset_maintenance(key)`, and the context manager.
#[test]
fn wagtail_maintenance_maintain_and_unset() {
    let operator = Operator::with_settings(
        "[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"import\"\ntimeout = \"1h\"\n",
    );
    let import = |operator: &Operator| operator.status()["modes"][1].clone();
    operator.done(&["--mode", "import", "on", "--for", "2s"]);
    assert_eq!(import(&operator)["phase"], "offline");
    assert_eq!(operator.phase(), "online");
    until("its time is over", || {
        import(&operator)["phase"] == "online"
    });

    operator.done(&["--mode", "import", "on"]);
    assert!(import(&operator)["until"].is_string());
    operator.done(&["--mode", "import", "off"]);
    assert_eq!(import(&operator)["phase"], "online");

    let line = format!("{} --mode import status --exit-code", program());
    operator.fails(12, &["--mode", "import", "during", "--", "sh", "-c", &line]);
    assert_eq!(import(&operator)["phase"], "online");
}
