use jiff::ToSpan as _;

use super::*;
use crate::core::state::{End, SwitchOn};

#[test]
fn the_history_keeps_what_was_said() {
    let at = |second: i64| Timestamp::UNIX_EPOCH + second.seconds();
    let said = |message: &str, until: i64| SwitchOn {
        by: Some("alice".to_owned()),
        message: Some(message.to_owned()),
        end: Some(End::At(at(until))),
        ..SwitchOn::default()
    };
    let mut document = Document::default();
    for (now, wanted) in [
        (0, said("one", 100)),
        (1, said("one", 100)),
        (2, said("two", 100)),
        (3, said("two", 200)),
    ] {
        if let Some(next) = document.turn_on("site", &wanted, at(now)) {
            document = next.with_said(at(now));
        }
    }
    let kept: Vec<_> = document.history[0]
        .said
        .iter()
        .map(|said| (said.at, said.message.clone().unwrap(), said.until.unwrap()))
        .collect();
    assert_eq!(
        kept,
        [
            (at(0), "one".to_owned(), at(100)),
            (at(2), "two".to_owned(), at(100)),
            (at(3), "two".to_owned(), at(200)),
        ]
    );
    // Nothing is said of what is over, and it is bounded.
    let off = document.turn_off("site", None, at(4)).unwrap();
    assert_eq!(off.clone().with_said(at(5)), off);
    for now in 5..100 {
        let wanted = said(&"ä".repeat(1000), 200 + now);
        document = document
            .turn_on("site", &wanted, at(now))
            .unwrap()
            .with_said(at(now));
    }
    let kept = &document.history[0].said;
    assert_eq!((kept.len(), kept[0].message.as_deref()), (10, Some("one")));
    assert_eq!(kept[9].until, Some(at(299)));
    assert_eq!(kept[9].message.as_ref().unwrap().chars().count(), 501);
}
