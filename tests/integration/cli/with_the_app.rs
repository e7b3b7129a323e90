//! The program beside a running app: the same settings, the same store.

use super::Operator;
use crate::demo::Demo;

#[test]
fn the_app_follows_the_program_and_the_program_the_app() {
    let operator = Operator::new();
    let demo = Demo::start(operator.path());
    let mut visitor = demo.visitor();
    assert_eq!(visitor.get("/").status, 200);

    operator.done(&["on", "--message", "Back at noon."]);
    super::until("the app is closed", || visitor.get("/").status == 503);
    assert!(visitor.get("/").body.contains("Back at noon."));

    let mut superuser = demo.superuser();
    let status = superuser.get("/maintenance-mode/status").json();
    assert!(
        status["modes"][0]["by"]
            .as_str()
            .unwrap()
            .starts_with("alice@")
    );

    assert_eq!(superuser.press("/maintenance-mode/off", "").status, 303);
    assert_eq!(
        operator.done(&["off"]).out,
        "site is online already on 1 of 1 nodes\n"
    );
    assert_eq!(visitor.get("/").status, 200);

    operator.write("maintenance.state", "on");
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);
    super::until("the app is open", || visitor.get("/").status == 200);
}

#[test]
fn the_program_explains_as_the_app_does() {
    let operator = Operator::new();
    let settings = "[exempt]\nprefixes = [\"/login\"]\naddresses = [\"192.0.2.1\"]\n";
    operator.write("maintenance.toml", settings);
    let demo = Demo::start(operator.path());
    let mut superuser = demo.superuser();
    operator.done(&["on"]);
    super::until("the app is closed", || superuser.get("/").status == 503);
    for (path, address) in [
        ("/", "192.0.2.1"),
        ("/", "192.0.2.2"),
        ("/login/x", "192.0.2.2"),
    ] {
        let told = superuser.get(&format!(
            "/maintenance-mode/explain?path={path}&address={address}"
        ));
        assert_eq!(told.status, 200, "{told:?}");
        let told = told.json();
        let own = operator
            .done(&["--json", "explain", "GET", path, "--address", address])
            .json();
        for key in ["outcome", "rule", "mode", "phase", "why"] {
            assert_eq!(own[key], told[key], "{path} {address}");
        }
    }
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
