//! `on` for a mode that is on: what is given replaces what was, and what is not given stays.

use serde_json::{Value, json};

use super::Operator;

const END: &str = "2098-06-01T12:00:00Z";

fn closed() -> Operator {
    let operator = Operator::new();
    let texts = ["--message", "Back soon.", "--reason", "release 7"];
    operator.done(&[&["on", "--end", END], &texts[..]].concat());
    operator
}

/// Until when, what visitors are told, and why.
fn said(operator: &Operator) -> [Value; 3] {
    let mode = operator.status()["modes"][0].clone();
    ["until", "message", "reason"].map(|key| mode[key].clone())
}

#[test]
fn what_is_not_given_stays_and_the_answer_says_what_stands() {
    let operator = closed();
    let ran = operator.done(&["on", "--message", "Back at noon."]);
    assert_eq!(
        said(&operator),
        [json!(END), json!("Back at noon."), json!("release 7")]
    );
    assert!(
        ran.out.contains("until 2098-06-01 14:00:00 +02:00"),
        "{ran:?}"
    );
    let expected = "note: what stands is until 2098-06-01 14:00:00 +02:00; message: Back at noon.; \
                    reason: release 7";
    assert!(ran.err.contains(expected), "{ran:?}");
    // Also where nothing was given.
    let ran = operator.done(&["on"]);
    assert!(ran.err.contains(expected), "{ran:?}");
}

#[test]
fn an_end_is_taken_away() {
    let operator = closed();
    let ran = operator.done(&["on", "--no-end"]);
    assert_eq!(
        said(&operator),
        [Value::Null, json!("Back soon."), json!("release 7")]
    );
    assert!(
        ran.err.contains("what stands is until somebody ends it"),
        "{ran:?}"
    );
    for other in [&["--end", END][..], &["--for", "1h"]] {
        operator.fails(2, &[&["on", "--no-end"], other].concat());
    }
}

#[test]
fn texts_are_taken_away_by_empty_ones() {
    let operator = closed();
    let ran = operator.done(&["on", "--message", "", "--reason", ""]);
    assert_eq!(said(&operator), [json!(END), Value::Null, Value::Null]);
    assert!(ran.err.contains("; no message; no reason"), "{ran:?}");
}

#[test]
fn no_end_counts_for_a_mode_that_ends_by_itself() {
    let operator = Operator::with_settings("[[mode]]\nkey = \"site\"\ntimeout = \"1h\"\n");
    operator.done(&["on", "--no-end"]);
    assert_eq!(said(&operator)[0], Value::Null);
    operator.done(&["off"]);
    let ran = operator.done(&["on"]);
    assert!(ran.out.contains("(in 1 h)"), "{ran:?}");
    assert!(!ran.err.contains("what stands"), "{ran:?}");
}

#[test]
fn the_mode_that_is_meant_is_the_default_one_whatever_its_order() {
    let modes = "[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"\norder = -1\n";
    let operator = Operator::with_settings(modes);
    let ran = operator.done(&["on"]);
    assert!(ran.out.starts_with("site is offline"), "{ran:?}");
    // Of several that are on, the least order answers: it is the first in the status.
    assert_eq!(operator.status()["modes"][0]["key"], "shop");

    let operator = Operator::with_settings(&format!("default_mode = \"shop\"\n{modes}"));
    let ran = operator.done(&["on"]);
    assert!(ran.out.starts_with("shop is offline"), "{ran:?}");
    operator.done(&["off"]);
}
