//! `maintenance explain`.

use super::Operator;

const SETTINGS: &str = "\
[exempt]
staff = true
prefixes = [\"/static\"]
addresses = [\"192.0.2.0/24\"]
";

#[test]
fn it_names_the_rule_that_decides() {
    let operator = Operator::with_settings(SETTINGS);
    let rule = |arguments: &[&str]| {
        let json = operator
            .done(&[&["--json", "explain"], arguments].concat())
            .json();
        format!(
            "{} {}",
            json["outcome"].as_str().unwrap(),
            json["rule"].as_str().unwrap()
        )
    };
    assert_eq!(rule(&["GET", "/shop/1"]), "pass online");
    operator.done(&["on"]);
    assert_eq!(rule(&["GET", "/shop/1"]), "refuse no-exemption");
    assert_eq!(rule(&["GET", "/static/a.css"]), "pass exempt-prefix");
    assert_eq!(rule(&["GET", "/staticx"]), "refuse no-exemption");
    assert_eq!(
        rule(&["POST", "/", "--address", "192.0.2.7"]),
        "pass exempt-address"
    );
    assert_eq!(rule(&["GET", "/", "--role", "staff"]), "pass staff");
    assert_eq!(
        rule(&["GET", "/", "--role", "superuser"]),
        "refuse no-exemption"
    );
}

#[test]
fn it_says_why_and_what_it_does_not_know() {
    let operator = Operator::with_settings(SETTINGS);
    operator.done(&["on"]);
    let out = operator.done(&["explain", "GET", "/"]).out;
    assert!(
        out.starts_with("refuse: no-exemption\nThe mode `site` is offline."),
        "{out}"
    );
    assert!(out.contains("Not known here:\n- "), "{out}");
    assert!(out.contains("address"), "{out}");
}
