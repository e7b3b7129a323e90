//! What needs the store of the site: that it is found and answers, its locks, and the log of the engine
//! that works on it. By the API of a site there is nothing of it.

use std::process::Stdio;

use super::{Operator, Ran, until};

#[test]
fn a_store_out_of_reach_is_3() {
    let operator = Operator::new();
    let store = format!("file:{}/gone/maintenance.state", operator.path().display());
    for command in [
        &["on"][..],
        &["off"],
        &["status"],
        &["status", "--exit-code"],
        &["history"],
        &["window", "list"],
        &["window", "add", "--for", "1h"],
        &["during", "--", "touch", "ran"],
    ] {
        let arguments = [&["--store", &store], command].concat();
        let ran = operator.fails(3, &arguments);
        assert!(ran.err.contains("gone"), "{ran:?}");
        assert_eq!(ran.out, "");
    }
    assert!(!operator.exists("ran"));

    let ran = operator.fails(3, &["--json", "--store", &store, "status"]);
    assert!(ran.json()["store"]["error"].is_string(), "{ran:?}");
    let ran = operator.fails(3, &["--json", "--store", &store, "on"]);
    assert!(ran.json()["error"].is_string(), "{ran:?}");
}

#[cfg(feature = "redis")]
#[test]
fn a_server_that_is_away_is_3() {
    // Nothing listens on the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("redis://{}", gone.local_addr().unwrap());
    drop(gone);
    let operator = Operator::new();
    for command in [&["on"][..], &["status"], &["during", "--", "touch", "ran"]] {
        let ran = operator.fails(3, &[&["--store", &store], command].concat());
        assert!(ran.err.contains(&store), "{ran:?}");
    }
    assert!(!operator.exists("ran"));
}

#[test]
fn a_store_that_only_the_app_sees_is_3() {
    let operator = Operator::new();
    for command in [&["on"][..], &["off"], &["during", "--", "touch", "ran"]] {
        let ran = operator.fails(3, &[&["--store", "memory:"], command].concat());
        assert!(ran.err.contains("a store that they can share"), "{ran:?}");
    }
    assert!(!operator.exists("ran"));
}

#[test]
fn a_store_that_is_away_at_the_end_is_tried_again() {
    let operator = Operator::new();
    std::fs::create_dir(operator.path().join("state")).unwrap();
    let store = "file:state/maintenance.state";
    let line = "mv state away; (sleep 1; mv away state) > /dev/null 2>&1 &";
    let ran = operator.done(&["--store", store, "during", "--", "sh", "-c", line]);
    assert!(
        ran.err
            .contains("warning: maintenance could not be changed"),
        "{ran:?}"
    );
    let status = operator
        .done(&["--store", store, "--json", "status"])
        .json();
    assert_eq!(status["maintenance_mode"], false);
}

#[test]
fn an_exclusive_one_has_the_mode_for_itself() {
    let operator = Operator::new();
    let exclusive = ["during", "--exclusive", "--"];
    let line = "echo > ready; while [ ! -e go ]; do sleep 0.02; done";
    let running = operator.start(&[&exclusive[..], &["sh", "-c", line]].concat());
    until("it runs", || operator.exists("ready"));
    assert!(
        operator
            .done(&["status"])
            .out
            .contains("\n  locked   alice@")
    );
    let ran = operator.fails(1, &["during", "--", "touch", "ran"]);
    assert!(
        ran.err.contains("the mode `site` is held by sh (alice@"),
        "{ran:?}"
    );
    let waiting = operator.start(&[&exclusive[..], &["touch", "ran"]].concat());
    let interrupted = operator.start(&[&exclusive[..], &["touch", "ran"]].concat());
    std::thread::sleep(std::time::Duration::from_millis(500));
    interrupted.signal("INT");
    let ran = interrupted.end();
    assert!(
        ran.err
            .contains("waiting: the mode `site` is locked by alice@"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(!operator.exists("ran"));
    operator.write("go", "");
    assert_eq!(running.end().code, Some(0));
    let ran = waiting.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(operator.exists("ran"));
    assert_eq!(operator.phase(), "online");
}

#[test]
fn who_holds_a_lock_is_escaped_too() {
    let operator = Operator::new();
    let mut command = operator.command(&["during", "--exclusive", "--", "sh", "-c", "sleep 60"]);
    command.env("SUDO_USER", "\u{1b}[32mroot\u{202e}");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let holder = super::Running(Some(command.spawn().unwrap()));
    super::until("the lock is held", || {
        !operator.status()["modes"][0]["locked_by"].is_null()
    });
    let ran = operator.fails(1, &["during", "--", "true"]);
    assert!(ran.err.contains("\\u{1b}[32mroot\\u{202e}"), "{ran:?}");
    holder.signal("TERM");
    holder.end();
}

#[test]
fn the_log_is_shown_on_stderr_if_it_is_asked_for() {
    let operator = Operator::new();
    let quiet = operator.done(&["on"]).err;
    assert!(!quiet.contains("maintenance changes"), "{quiet}");
    let ran = operator.done(&["-v", "off"]);
    assert!(ran.err.contains("maintenance changes"), "{ran:?}");
    assert_eq!(ran.out, "site is online\n");
    assert!(!ran.err.contains("DEBUG"), "{ran:?}");
    assert!(!operator.done(&["off", "-v"]).err.is_empty());
}

#[test]
fn no_password_of_a_url_is_ever_shown() {
    let operator = Operator::new();
    for url in [
        "redis://u:geheim@127.0.0.1:1/0?prefx=a",
        "redis://u:geheim@127.0.0.1:1/0",
        "redis://u:ge@geheim@127.0.0.1:1/x",
        "redis:u:geheim@127.0.0.1",
        "redis://u:geheim",
        "redis://127.0.0.1:1/0?password=geheim",
        "redis+unix:///none.sock?pass=geheim&db=x",
        "postgres://u:geheim@127.0.0.1/a",
        "s3://key:geheim@bucket",
        "u:geheim@127.0.0.1",
    ] {
        for arguments in [
            &["--store", url, "status"][..],
            &["-vvv", "--store", url, "status"],
            &["--json", "--store", url, "on"],
            &[url],
            &["status", url],
        ] {
            let ran = operator.run(arguments);
            assert_ne!(ran.code, Some(0), "{ran:?}");
            let said = format!("{}{}", ran.out, ran.err);
            assert!(!said.contains("geheim"), "{arguments:?}: {said}");
        }
        let mut command = operator.command(&["-vvv", "status"]);
        command.env("MAINTENANCE_STORE", url);
        let ran = Ran::of(command);
        assert!(!format!("{ran:?}").contains("geheim"), "{ran:?}");
        operator.write("maintenance.toml", &format!("store = \"{url}\""));
        let ran = operator.run(&["status"]);
        assert!(!format!("{ran:?}").contains("geheim"), "{ran:?}");
        operator.write("maintenance.toml", "");
    }
}
