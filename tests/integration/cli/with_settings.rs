//! What needs the settings of the site: that they are found and right, and what is made of them. By the
//! API of a site there is nothing of it.

use super::{Operator, Ran};
use crate::demo::Demo;

#[test]
fn rules_for_web_servers_are_printed() {
    let settings = "[web_server]\nflag = \"a.flag\"\npage = \"a.html\"\n";
    let operator = Operator::with_settings(settings);
    for (server, word) in [
        ("nginx", "proxy_pass"),
        ("apache", "ProxyPass"),
        ("caddy", "reverse_proxy"),
        ("haproxy", "backend"),
    ] {
        let out = operator
            .done(&["export", server, "--app", "127.0.0.1:9009"])
            .out;
        assert!(
            out.contains(word) && out.contains("127.0.0.1:9009"),
            "{out}"
        );
    }
    let ran = Operator::new().fails(1, &["export", "nginx"]);
    assert!(ran.err.contains("[web_server] "), "{ran:?}");
}

#[test]
fn the_page_is_printed_or_written_as_it_is_now() {
    let operator = Operator::new();
    operator.done(&["on", "--message", "Back at noon."]);
    let page = operator.done(&["render"]).out;
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("Back at noon."), "{page}");
    operator.done(&["render", "--output", "503.html"]);
    assert_eq!(operator.read("503.html"), page);
    operator.fails(1, &["render", "--output", "nowhere/503.html"]);
}

/// With the site closed, nobody should have to find out what is wrong with a template.
#[test]
fn a_template_that_is_wrong_keeps_no_site_closed() {
    let settings = "[response]\ntemplates_dir = \"pages\"\n[web_server]\npage = \"a.html\"\n";
    let operator = Operator::with_settings(settings);
    std::fs::create_dir(operator.path().join("pages")).unwrap();
    operator.write("pages/503.html", "{{ not a template");
    operator.write("a.html", "the app's");
    operator.done(&["on"]);
    operator.done(&["off"]);
    assert_eq!(operator.read("a.html"), "the app's");
    let ran = operator.fails(1, &["render"]);
    assert!(ran.err.contains("503.html"), "{ran:?}");
}

/// It is no node that could be cut off.
#[test]
fn the_program_is_not_closed_because_nodes_close_that_are_cut_off() {
    let operator = Operator::with_settings("when_cut_off = \"close\"");
    operator.done(&["status", "--exit-code"]);
    operator.done(&["during", "--", "true"]);
    let _demo = Demo::start(operator.path());
    let ran = operator.done(&["during", "--wait", "--", "true"]);
    assert!(!ran.err.contains("still"), "{ran:?}");
    assert_eq!(operator.phase(), "online");
    let ran = operator.done(&["on", "--wait"]);
    assert!(
        ran.out.contains("site is offline on 1 of 1 node"),
        "{ran:?}"
    );
    assert_eq!(operator.phase(), "offline");
}

#[test]
fn settings_and_store_are_those_of_the_app_unless_they_are_given() {
    let operator = Operator::with_settings("store = \"file:of-the-settings\"");
    operator.write("other.toml", "store = \"file:of-the-other-settings\"");
    let on = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = operator.command(&[arguments, &["on"]].concat());
        command.envs(variables.iter().copied());
        assert_eq!(Ran::of(command).code, Some(0));
    };
    on(&[], &[]);
    assert!(operator.exists("of-the-settings"));
    on(&[], &[("MAINTENANCE_SETTINGS", "other.toml")]);
    assert!(operator.exists("of-the-other-settings"));
    on(&[], &[("MAINTENANCE_STORE", "file:of-the-environment")]);
    assert!(operator.exists("of-the-environment"));
    on(
        &["--store", "file:of-the-option"],
        &[("MAINTENANCE_STORE", "file:ignored")],
    );
    assert!(operator.exists("of-the-option"));
    assert!(!operator.exists("ignored") && !operator.exists("maintenance.state"));
}

#[test]
fn settings_that_cannot_be_used_fail_with_1_and_every_fault() {
    let operator = Operator::with_settings("stor = 1\n[response]\nstatus = 200\n");
    let ran = operator.fails(1, &["status"]);
    assert!(ran.err.contains("unknown key `stor`"), "{ran:?}");
    assert!(ran.err.contains("response.status"), "{ran:?}");
    let ran = operator.fails(1, &["--settings", "missing.toml", "status"]);
    assert!(ran.err.contains("missing.toml"), "{ran:?}");
}

/// Only the app knows all that belongs on its page.
#[test]
fn the_program_leaves_the_page_of_a_running_app_alone() {
    let operator = Operator::with_settings("[web_server]\npage = \"503.html\"\n");
    let demo = Demo::start(operator.path());
    let has_node = || operator.status()["nodes"].as_array().unwrap().len() == 1;
    super::until("the node has told", has_node);
    super::until("the page is there", || operator.exists("503.html"));
    operator.write("503.html", "the app's own");
    operator.done(&["status"]);
    assert_eq!(operator.read("503.html"), "the app's own");
    // The app makes it anew at each change.
    operator.done(&["on", "--message", "Back at noon."]);
    super::until("the app has followed", || {
        operator.read("503.html").contains("Back at noon.")
    });
    drop(demo);
}

#[test]
fn the_program_makes_the_page_when_no_app_runs() {
    let operator = Operator::with_settings("[web_server]\npage = \"503.html\"\n");
    operator.done(&["on", "--message", "Back at noon."]);
    assert!(operator.read("503.html").contains("Back at noon."));
}

#[test]
fn a_word_that_a_hand_writes_means_the_default_mode_which_must_be_one() {
    let modes = "[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"\norder = -1\n";
    let operator = Operator::with_settings(&format!("default_mode = \"shop\"\n{modes}"));
    operator.write("maintenance.state", "on");
    let ran = operator.done(&["--json", "--mode", "shop", "status"]);
    assert_eq!(ran.json()["modes"][0]["phase"], "offline");

    let operator = Operator::with_settings(&format!("default_mode = \"typo\"\n{modes}"));
    let ran = operator.fails(1, &["on"]);
    assert!(ran.err.contains("`default_mode`"), "{ran:?}");
    assert!(ran.err.contains("no mode has this key"), "{ran:?}");
}
