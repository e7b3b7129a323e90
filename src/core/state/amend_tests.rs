use serde_json::{Value, json};

use super::*;
use crate::core::{phase::Phase, state::SwitchOn};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn document(site: Value) -> Document {
    serde_json::from_value(json!({ "format": 1, "generation": 7, "modes": { "site": site } }))
        .unwrap()
}

fn on(until: Option<i64>) -> Value {
    json!({ "since": at(0), "until": until.map(at), "by": "alice", "reason": "r", "message": "m" })
}

fn wanted(end: NewEnd) -> Amendment {
    Amendment {
        by: Some("bob".to_owned()),
        reason: Some("r".to_owned()),
        message: Some("m".to_owned()),
        end,
    }
}

fn standing(document: &Document, now: i64) -> Standing {
    document.mode("site").unwrap().standing(at(now))
}

#[test]
fn the_end_moves_and_all_else_stays() {
    let closed = document(json!({ "switch": { "on": on(Some(600)) } }));
    for (end, until) in [
        (NewEnd::Later(SignedDuration::from_mins(15)), Some(1500)),
        (NewEnd::At(at(700)), Some(700)),
        (NewEnd::Never, None),
    ] {
        let next = closed.amend("site", &wanted(end), at(60)).unwrap();
        let standing = standing(&next, 60);
        assert_eq!(standing.phase, Phase::Offline);
        assert_eq!(standing.since, Some(at(0)));
        assert_eq!(standing.until, until.map(at));
        assert_eq!(standing.by.as_deref(), Some("bob"));
        assert_eq!(standing.reason.as_deref(), Some("r"));
        assert_eq!(standing.message.as_deref(), Some("m"));
    }
    assert_eq!(closed.amend("site", &wanted(NewEnd::AsIs), at(60)), None);
}

#[test]
fn texts_are_replaced_and_taken_away() {
    let closed = document(json!({ "switch": { "on": on(None) } }));
    let other = Amendment {
        message: Some("Late.".to_owned()),
        reason: None,
        ..wanted(NewEnd::AsIs)
    };
    let next = closed.amend("site", &other, at(60)).unwrap();
    let standing = standing(&next, 60);
    assert_eq!(standing.message.as_deref(), Some("Late."));
    assert_eq!(standing.reason, None);
    assert_eq!(standing.until, None);
}

#[test]
fn what_is_open_stays_open() {
    let lapsed = document(json!({ "switch": { "on": on(Some(10)) } }));
    let later = wanted(NewEnd::Later(SignedDuration::from_mins(15)));
    assert_eq!(lapsed.amend("site", &later, at(10)), None);
    let never = document(json!({}));
    assert_eq!(never.amend("site", &later, at(10)), None);
    assert_eq!(never.amend("shop", &later, at(10)), None);
}

#[test]
fn a_drain_goes_on() {
    let mut drain = on(Some(600));
    drain["deadline"] = json!(at(300));
    drain["on_timeout"] = json!("cancel");
    let closing = document(json!({ "switch": { "pending": drain } }));
    let next = closing
        .amend(
            "site",
            &wanted(NewEnd::Later(SignedDuration::from_mins(1))),
            at(60),
        )
        .unwrap();
    let standing = standing(&next, 60);
    assert_eq!(standing.phase, Phase::Pending);
    assert_eq!(standing.until, Some(at(660)));
    let Switch::Pending(drain) = &next.mode("site").unwrap().switch else {
        panic!("not closing any more");
    };
    assert_eq!(drain.deadline, Some(at(300)));
}

#[test]
fn an_open_window_is_outlasted() {
    let planned = document(json!({ "windows": [
        { "id": "w", "start": at(0), "end": at(600), "message": "Planned.", "by": "carol" }
    ] }));
    let late = Amendment {
        message: Some("Planned.".to_owned()),
        reason: None,
        ..wanted(NewEnd::Later(SignedDuration::from_mins(15)))
    };
    let next = planned.amend("site", &late, at(60)).unwrap();
    for now in [60, 599, 600, 1499] {
        let standing = standing(&next, now);
        assert_eq!(standing.phase, Phase::Offline, "{now}");
        assert_eq!(standing.until, Some(at(1500)), "{now}");
        assert_eq!(standing.message.as_deref(), Some("Planned."));
    }
    assert_eq!(standing(&next, 1500).phase, Phase::Online);
    // Only the words: it ends when the window does.
    let said = Amendment {
        message: Some("Late.".to_owned()),
        ..late
    };
    let said = Amendment {
        end: NewEnd::AsIs,
        ..said
    };
    let next = planned.amend("site", &said, at(60)).unwrap();
    assert_eq!(standing(&next, 60).message.as_deref(), Some("Late."));
    assert_eq!(standing(&next, 600).phase, Phase::Online);
}

#[test]
fn a_job_that_holds_the_switch_still_opens_it() {
    let open = document(json!({}));
    let by_job = SwitchOn::default();
    let held = open.enter("site", "job", Some(&by_job), at(0)).unwrap();
    let late = wanted(NewEnd::At(at(900)));
    let amended = held.amend("site", &late, at(60)).unwrap();
    let left = amended.leave("site", "job", at(120)).unwrap();
    assert_eq!(standing(&left, 120).phase, Phase::Online);
}

#[test]
fn what_was_seen_is_told_from_what_anybody_makes_of_it() {
    let seen = |document: &Document, now| Seen::of(document.mode("site"), at(now));
    let closed = document(json!({ "switch": { "on": on(Some(600)) } }));
    let first = seen(&closed, 60);
    assert_eq!(seen(&closed, 300), first, "time alone changes nothing");
    assert_eq!(Seen::from_form(first.as_str()), first);
    assert_ne!(seen(&closed, 600), first, "it has opened by itself");

    let mut drain = on(Some(600));
    drain["deadline"] = json!(at(300));
    let closing = document(json!({ "switch": { "pending": drain } }));
    assert_eq!(
        seen(&closing, 60),
        first,
        "what was closing may have closed"
    );

    for other in [
        json!({ "since": at(1), "until": at(600), "by": "alice", "reason": "r", "message": "m" }),
        json!({ "since": at(0), "until": at(601), "by": "alice", "reason": "r", "message": "m" }),
        json!({ "since": at(0), "until": at(600), "by": "bob", "reason": "r", "message": "m" }),
        json!({ "since": at(0), "until": at(600), "by": "alice", "reason": "s", "message": "m" }),
        json!({ "since": at(0), "until": at(600), "by": "alice", "reason": "r", "message": "n" }),
    ] {
        let other = document(json!({ "switch": { "on": other } }));
        assert_ne!(seen(&other, 60), first, "{other:?}");
    }
    let other_mode: Document = serde_json::from_value(json!({
        "format": 1, "generation": 99,
        "modes": { "site": { "switch": { "on": on(Some(600)) } }, "shop": {} }
    }))
    .unwrap();
    assert_eq!(seen(&other_mode, 60), first, "of this mode alone");
    // None at all and one that is off are the same.
    assert_eq!(Seen::of(None, at(0)), seen(&document(json!({})), 0));
}
