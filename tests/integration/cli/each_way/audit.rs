//! `audit`: who did what.

use super::Operator;

const FILE: &str = "[audit]\nfile = \"audit.jsonl\"\n";

#[test]
fn what_was_done_is_written_down_and_shown() {
    let operator = Operator::with_settings(FILE);
    operator.done(&["on", "--message", "Back at noon."]);
    operator.done(&["on", "--message", "Back at one."]);
    operator.done(&["off"]);
    let told = operator.done(&["--json", "audit"]).json();
    let entries = told["audit"].as_array().unwrap();
    let of_site: Vec<_> = entries.iter().filter(|it| it["mode"] == "site").collect();
    let events: Vec<_> = of_site.iter().map(|it| it["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["on", "changed", "off"], "{told}");
    for entry in &of_site {
        assert!(entry["by"].as_str().unwrap().starts_with(operator.by()), "{entry}");
        let is_at_the_store = operator.by().ends_with('@');
        assert_eq!(entry["how"], if is_at_the_store { "cli" } else { "api" });
        assert_eq!(entry["address"].is_null(), is_at_the_store, "{entry}");
    }
    assert_eq!(of_site[1]["before"]["message"], "Back at noon.");
    assert_eq!(of_site[1]["after"]["message"], "Back at one.");
    let ran = operator.done(&["audit", "--last", "1"]);
    assert!(ran.out.contains(" off "), "{ran:?}");
    assert!(!ran.out.contains(" changed "), "{ran:?}");
    let history = operator.done(&["--json", "history"]).json();
    let said = &history["history"][0]["said"];
    assert_eq!(said[0]["message"], "Back at noon.", "{history}");
    assert_eq!(said[1]["message"], "Back at one.");
}

#[test]
fn without_a_file_it_says_which_setting_there_is() {
    let operator = Operator::new();
    let ran = operator.fails(1, &["audit"]);
    assert!(ran.err.contains("`audit.file`"), "{ran:?}");
}
