use super::*;

fn known() -> Vec<String> {
    [
        "store",
        "exempt",
        "exempt.superusers",
        "exempt.patterns",
        "exempt.api_key",
        "response",
        "response.retry_after",
        "response.status",
        "logout.superusers",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_slip_a_wrong_section_and_a_wrong_mark_are_understood() {
    let known = known();
    let nearest = |unknown| nearest(unknown, &known);
    assert_eq!(nearest("exempt.superuser"), Some("exempt.superusers"));
    assert_eq!(nearest("logout.superuser"), Some("logout.superusers"));
    assert_eq!(nearest("superusers"), Some("exempt.superusers"));
    assert_eq!(
        nearest("response.retry-after"),
        Some("response.retry_after")
    );
    assert_eq!(nearest("Response.Status"), Some("response.status"));
    assert_eq!(nearest("response_status"), Some("response.status"));
    assert_eq!(nearest("respons.status"), Some("response.status"));
    assert_eq!(nearest("exemptions"), None);
    assert_eq!(nearest("drain"), None);
    assert_eq!(nearest(""), None);
    assert_eq!(nearest(&"x".repeat(10_000)), None);
}

#[test]
fn a_shown_value_is_one_short_line() {
    assert_eq!(shown("a\nb\u{1b}"), "a\\nb\\u{1b}");
    assert_eq!(shown(&"é".repeat(61)), format!("{}…", "é".repeat(60)));
    assert_eq!(shown(&"é".repeat(60)), "é".repeat(60));
}

#[test]
fn secrets_are_not_kept() {
    let fault = Fault::bad_value("exempt.api_key.keys", "hush", "is short").with_item(1);
    assert_eq!(fault.value(), None);
    assert_eq!(fault.to_string(), "`exempt.api_key.keys`, item 2: is short");
    assert!(!format!("{fault:?}").contains("hush"));
}

#[test]
fn the_error_has_a_heading_and_a_line_for_each_fault() {
    let faults = vec![
        Fault::bad_value("b", "2", "give 1"),
        Fault::bad_value("c", "3", "give 1").with_origin(Origin::Variable("C".into())),
        Fault::bad_value("a", "4", "give 1").with_origin(Origin::File {
            path: "m.toml".into(),
            line: Some(9),
        }),
    ];
    let error = SettingsError::unless_empty(faults).unwrap_err();
    let text = "3 faults in the maintenance settings:\n  m.toml:9: `a` is `4`: give 1\n  \
                C: `c` is `3`: give 1\n  `b` is `2`: give 1";
    assert_eq!(error.to_string(), text);
    assert_eq!(format!("{error:?}"), text);
    assert!(SettingsError::unless_empty(Vec::new()).is_ok());
}

#[test]
fn a_fault_is_located_at_its_item_its_key_or_its_section() {
    let mut origins = Origins::default();
    origins.record("s", &Origin::Text { line: 1 });
    origins.record("s.list", &Origin::Text { line: 2 });
    origins.record_item("s.list", 1, &Origin::Text { line: 4 });
    let line = |fault| origins.locate(fault).origin().to_string();
    assert_eq!(
        line(Fault::bad_value("s.list", "", "").with_item(1)),
        "line 4"
    );
    assert_eq!(
        line(Fault::bad_value("s.list", "", "").with_item(0)),
        "line 2"
    );
    assert_eq!(line(Fault::bad_value("s.other", "", "")), "line 1");
    assert_eq!(line(Fault::bad_value("t", "", "")), "set in code");
}
