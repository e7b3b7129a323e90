//! `maintenance token`: a token, and the line of the settings that knows it.

use super::{Operator, Ran};

#[test]
fn a_token_is_made_whose_line_the_settings_take() {
    let operator = Operator::new();
    let made = operator.done(&["--json", "token", "deploy"]).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    assert!(text("token").starts_with("mmt_"), "{made}");
    assert!(text("hash").starts_with("sha256:"), "{made}");
    assert!(!text("settings").contains(&text("token")), "{made}");
    operator.write(
        "maintenance.toml",
        &format!("[admin]\n{}\n", text("settings")),
    );
    operator.done(&["status"]);
    let quoted = operator.done(&["--json", "token", "a \"b\" \\c"]).json();
    let line = quoted["settings"].as_str().unwrap();
    operator.write("maintenance.toml", &format!("[admin]\n{line}\n"));
    operator.done(&["status"]);
    let other = operator.done(&["--json", "token", "deploy"]).json();
    assert_ne!(other["token"], made["token"]);

    let ran = operator.done(&["token", "ci"]);
    for word in ["token:    mmt_", "hash:     sha256:", "name = \"ci\""] {
        assert!(ran.out.contains(word), "{ran:?}");
    }
}

#[test]
fn a_token_needs_neither_settings_nor_a_store_but_a_name_that_the_settings_take() {
    let operator = Operator::with_settings("store = \"nonsense\"");
    operator.done(&["token", "deploy"]);
    for name in ["", "a\nb"] {
        let ran: Ran = operator.fails(2, &["token", name]);
        assert!(ran.err.contains("the name of the token"), "{ran:?}");
    }
}
