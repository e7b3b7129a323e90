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
            .starts_with(operator.by())
    );

    assert_eq!(superuser.press("/maintenance-mode/off", "").status, 303);
    assert_eq!(
        operator.done(&["off"]).out,
        "site is online already on 1 of 1 nodes\n"
    );
    assert_eq!(visitor.get("/").status, 200);

    operator.write("maintenance.state", "on");
    super::until("it is read", || operator.phase() == "offline");
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
