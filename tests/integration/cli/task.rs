//! `maintenance task`.

use super::{Operator, until};

const WAIT: &str = "echo > ready; while [ ! -e go ]; do sleep 0.02; done; exit 7";

#[test]
fn it_is_shown_while_it_runs_and_ends_with_the_commands_code() {
    let operator = Operator::new();
    let task = operator.start(&["task", "import", "--", "sh", "-c", WAIT]);
    until("it runs", || operator.exists("ready"));
    let tasks = operator.status()["tasks"].clone();
    assert_eq!(tasks[0]["name"], "import");
    assert!(
        tasks[0]["by"].as_str().unwrap().starts_with("alice@"),
        "{tasks}"
    );
    operator.write("go", "");
    assert_eq!(task.end().code, Some(7));
    assert!(operator.status()["tasks"].as_array().unwrap().is_empty());
}

#[test]
fn an_exclusive_one_runs_alone() {
    let operator = Operator::new();
    let exclusive = ["task", "import", "--exclusive", "--"];
    let task = operator.start(&[&exclusive[..], &["sh", "-c", WAIT]].concat());
    until("it runs", || operator.exists("ready"));
    let ran = operator.fails(1, &[&exclusive[..], &["touch", "ran"]].concat());
    assert!(
        ran.err
            .contains("the task `import` runs already, by alice@"),
        "{ran:?}"
    );
    assert!(!operator.exists("ran"));
    operator.done(&["task", "other", "--exclusive", "--", "true"]);
    operator.write("go", "");
    task.end();
    operator.done(&[&exclusive[..], &["touch", "ran"]].concat());
}

#[test]
fn it_may_be_refused_in_maintenance() {
    let operator = Operator::with_settings("[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"\n");
    let task = [
        "task",
        "report",
        "--refuse-in-maintenance",
        "--",
        "touch",
        "ran",
    ];
    operator.done(&["--mode", "shop", "on"]);
    let ran = operator.fails(1, &task);
    assert!(ran.err.contains("`shop` is offline"), "{ran:?}");
    assert!(!operator.exists("ran"));
    operator.done(&[&["--mode", "site"], &task[..]].concat());
    operator.done(&["task", "report", "--", "true"]);
    operator.done(&["--mode", "shop", "off"]);
    operator.done(&task);
}

#[test]
fn signals_are_passed_on_and_the_task_is_given_back() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let operator = Operator::new();
        let line = "ulimit -c 0; echo > ready; exec sleep 60";
        let task = operator.start(&["task", "import", "--", "sh", "-c", line]);
        until("it runs", || operator.exists("ready"));
        task.signal(signal);
        assert_eq!(task.end().code, Some(code), "{signal}");
        assert!(operator.status()["tasks"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_command_that_cannot_be_started_leaves_no_task() {
    let operator = Operator::new();
    let ran = operator.fails(127, &["--json", "task", "import", "--", "./nonsense"]);
    assert_eq!(ran.json()["exit_code"], 127);
    assert!(operator.status()["tasks"].as_array().unwrap().is_empty());
}

#[test]
fn what_cannot_be_a_name_is_usage() {
    let operator = Operator::new();
    let ran = operator.fails(2, &["task", "a/b", "--", "touch", "ran"]);
    assert!(ran.err.contains("slash"), "{ran:?}");
    operator.fails(2, &["task", "", "--", "touch", "ran"]);
    operator.fails(2, &["task", "import"]);
    let gone = [
        "--store",
        "file:gone/state",
        "task",
        "import",
        "--",
        "touch",
        "ran",
    ];
    operator.fails(3, &gone);
    operator.fails(
        3,
        &["--store", "memory:", "task", "import", "--", "touch", "ran"],
    );
    assert!(!operator.exists("ran"));
}

/// Else two of them could run at once.
#[test]
fn an_exclusive_one_that_the_store_forgets_is_stopped() {
    let operator = Operator::new();
    let line = "echo > ready; exec sleep 60";
    let task = operator.start(&["task", "import", "--exclusive", "--", "sh", "-c", line]);
    until("it runs", || operator.exists("ready"));
    let mut folders = std::fs::read_dir(operator.path()).unwrap();
    let leases = folders.find_map(|entry| {
        let entry = entry.unwrap();
        entry.file_type().unwrap().is_dir().then(|| entry.path())
    });
    std::fs::remove_dir_all(leases.unwrap()).unwrap();
    let ran = task.end();
    assert_eq!(ran.code, Some(143), "{ran:?}");
    assert!(ran.err.contains("the task `import` is lost"), "{ran:?}");
}

const UNTIL_GO: &str = "echo > ready; while [ ! -e go ]; do sleep 0.02; done";

#[test]
fn a_task_waits_for_another_of_its_name_or_is_told_that_it_runs_too_long() {
    let operator = Operator::new();
    let first = operator.start(&["task", "import", "--exclusive", "--", "sh", "-c", UNTIL_GO]);
    until("it runs", || operator.exists("ready"));
    let second = ["task", "import", "--exclusive", "--waiting"];
    let ran = operator.fails(1, &[&second[..], &["1s", "--", "touch", "second"]].concat());
    assert!(ran.err.contains("runs already"), "{ran:?}");
    assert!(!operator.exists("second"));
    let waits = operator.start(&[&second[..], &["1h", "--", "touch", "second"]].concat());
    operator.write("go", "");
    assert_eq!(first.end().code, Some(0));
    assert_eq!(waits.end().code, Some(0));
    assert!(operator.exists("second"));
}

#[test]
fn waiting_for_a_task_ends_when_a_signal_comes() {
    let operator = Operator::new();
    let first = operator.start(&["task", "import", "--exclusive", "--", "sh", "-c", UNTIL_GO]);
    until("it runs", || operator.exists("ready"));
    let waits = [
        "--json",
        "-v",
        "task",
        "import",
        "--exclusive",
        "--waiting",
        "1h",
        "--",
        "true",
    ];
    let waits = operator.start(&waits);
    // It listens when it is in the process table with a handler; until then the signal ends it, too.
    std::thread::sleep(std::time::Duration::from_millis(300));
    waits.signal("TERM");
    assert_ne!(waits.end().code, Some(0));
    operator.write("go", "");
    assert_eq!(first.end().code, Some(0));
}

#[test]
fn a_task_takes_the_place_of_another_which_is_stopped() {
    let operator = Operator::new();
    let first = operator.start(&["task", "import", "--exclusive", "--", "sh", "-c", UNTIL_GO]);
    until("it runs", || operator.exists("ready"));
    operator.done(&["task", "import", "--take-over", "--", "touch", "second"]);
    assert!(operator.exists("second"));
    let ran = first.end();
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("is lost"), "{ran:?}");
    operator.fails(
        2,
        &[
            "task",
            "import",
            "--take-over",
            "--waiting",
            "1s",
            "--",
            "true",
        ],
    );
}
