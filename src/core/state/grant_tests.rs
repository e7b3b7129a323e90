use super::*;
use crate::core::state::{Switch, SwitchOn};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn record(until: Option<Timestamp>) -> GrantRecord {
    GrantRecord {
        kind: GrantKind::Token,
        hash: Some("00".repeat(32)),
        address: None,
        modes: Vec::new(),
        prefixes: Vec::new(),
        until,
        by: None,
        made_at: at(0),
        unknown: Map::new(),
    }
}

#[test]
fn a_name_is_free_again_when_its_grant_is_over_or_revoked() {
    let one = Document::default()
        .add_grant("auditor", &record(Some(at(60))), at(0))
        .unwrap();
    assert_eq!(one.add_grant("auditor", &record(None), at(59)), None);
    let again = one.add_grant("auditor", &record(None), at(60)).unwrap();
    assert_eq!(again.grants["auditor"].until, None);
    let revoked = again.revoke_grant("auditor", at(70)).unwrap();
    assert!(revoked.grants.is_empty());
    assert_eq!(revoked.revoke_grant("auditor", at(70)), None);
}

#[test]
fn those_that_are_over_by_every_clock_are_forgotten() {
    let document = Document::default()
        .add_grant("old", &record(Some(at(60))), at(0))
        .and_then(|document| document.add_grant("new", &record(None), at(25 * 3600)))
        .unwrap();
    assert_eq!(document.grants.keys().collect::<Vec<_>>(), ["new"]);
}

#[test]
fn networks_of_a_switch_end_with_it_and_are_revoked_alone() {
    let wanted = SwitchOn {
        allow: Some(vec!["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()]),
        ..SwitchOn::default()
    };
    let on = Document::default().turn_on("site", &wanted, at(0)).unwrap();
    assert!(on.has_grant("site-10.0.0.0_8", at(1)));
    let revoked = on.revoke_grant("site-10.0.0.0_8", at(1)).unwrap();
    let left = |document: &Document| match &document.mode("site").unwrap().switch {
        Switch::On(on) => on.allow.clone(),
        _ => Vec::new(),
    };
    assert_eq!(left(&revoked), ["2001:db8::/32"]);
    // What is not said stays; what is said takes the place of what was.
    let other = revoked
        .turn_on(
            "site",
            &SwitchOn {
                reason: Some("more".to_owned()),
                ..SwitchOn::default()
            },
            at(2),
        )
        .unwrap();
    assert_eq!(left(&other), ["2001:db8::/32"]);
    let off = other.turn_off("site", None, at(3)).unwrap();
    assert!(left(&off).is_empty());
}

#[test]
fn a_document_of_an_older_version_has_none_and_keeps_those_of_a_newer_one() {
    let document = Document::default()
        .add_grant("auditor", &record(None), at(0))
        .unwrap();
    let read = Document::decode(&document.encode(), None).unwrap();
    assert_eq!(read.grants, document.grants);
    let bare = String::from_utf8(Document::default().encode()).unwrap();
    assert!(!bare.contains("grants"), "{bare}");
}
