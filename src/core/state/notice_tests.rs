use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::core::state::{Document, End, SwitchOn, Window};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn told_to(names: &[&str]) -> Document {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Document::default().with_targets(&names, second(0)).unwrap()
}

fn at(document: Document, now: i64) -> Document {
    document.with_notices(second(now), || "x".to_owned())
}

fn kinds(document: &Document) -> Vec<&'static str> {
    let outbox = &document.notices.as_ref().unwrap().outbox;
    outbox.iter().map(|notice| notice.kind.as_str()).collect()
}

fn on(until: Option<i64>, message: &str) -> SwitchOn {
    SwitchOn {
        end: Some(until.map_or(End::Never, |until| End::At(second(until)))),
        message: Some(message.to_owned()),
        ..SwitchOn::default()
    }
}

fn window(start: i64, end: i64) -> Window {
    Window {
        id: "w".to_owned(),
        start: Some(second(start)),
        end: Some(second(end)),
        ..Window::default()
    }
}

#[test]
fn a_switch_is_told_from_its_close_to_its_opening() {
    let mut document = told_to(&["a"]);
    for (now, wanted) in [
        (1, on(Some(100), "one")),
        (2, on(Some(200), "one")),
        (3, on(Some(200), "two")),
    ] {
        document = at(document.turn_on("site", &wanted, second(now)).unwrap(), now);
    }
    document = at(
        document
            .turn_on("site", &on(Some(150), "two"), second(4))
            .unwrap(),
        4,
    );
    document = at(document.turn_off("site", None, second(5)).unwrap(), 5);
    assert_eq!(
        kinds(&document),
        ["closed", "extended", "changed", "changed", "open"]
    );
    let outbox = &document.notices.as_ref().unwrap().outbox;
    assert_eq!(outbox[1].is.until, Some(second(200)));
    let sequences: Vec<u64> = outbox.iter().map(|notice| notice.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5]);
}

#[test]
fn a_window_is_told_by_those_who_plan_and_by_time() {
    let document = told_to(&["a"]);
    let document = at(
        document.plan("site", &window(100, 200), second(1)).unwrap(),
        1,
    );
    assert_eq!(kinds(&document), ["planned"]);
    assert_eq!(document.noticed(second(99), String::new), None);
    let document = at(document, 100);
    assert_eq!(kinds(&document), ["planned", "closed"]);
    let document = at(document, 200);
    assert_eq!(kinds(&document), ["planned", "closed", "open"]);
    assert_eq!(document.noticed(second(300), String::new), None);
    // A clock that is behind takes nothing back.
    assert_eq!(document.noticed(second(150), String::new), None);
}

#[test]
fn a_window_that_is_cancelled_or_moved_is_told() {
    let planned = at(
        told_to(&["a"])
            .plan("site", &window(100, 200), second(1))
            .unwrap(),
        1,
    );
    let mut moved = planned.clone();
    moved.modes.get_mut("site").unwrap().windows[0].end = Some(second(300));
    let moved = at(moved, 2);
    let gone = at(moved.cancel("w", false, None, second(3)).unwrap(), 3);
    assert_eq!(kinds(&gone), ["planned", "changed", "cancelled"]);
    // One that is open is told by its mode.
    let open = at(planned, 100);
    let gone = at(open.cancel("w", false, None, second(101)).unwrap(), 101);
    assert_eq!(kinds(&gone), ["planned", "closed", "open"]);
}

#[test]
fn whoever_wants_to_be_told_first_hears_what_is_already_so() {
    let document = Document::default()
        .turn_on("site", &on(None, ""), second(0))
        .unwrap();
    assert_eq!(document.noticed(second(1), String::new), None);
    let document = document.with_targets(&["a".to_owned()], second(1)).unwrap();
    let document = at(document, 1);
    assert_eq!(kinds(&document), ["closed"]);
    // One that comes later does not hear of what is past.
    let names = ["a".to_owned(), "b".to_owned()];
    let document = document.with_targets(&names, second(2)).unwrap();
    let notices = document.notices.as_ref().unwrap();
    assert!(notices.next_for("a", &Interest::default()).is_some());
    assert_eq!(notices.next_for("b", &Interest::default()), None);
    assert_eq!(document.with_targets(&names, second(3)), None);
}

#[test]
fn a_dead_target_holds_up_nothing_and_bounds_are_kept() {
    let mut document = told_to(&["dead", "live"]);
    for round in 0..200 {
        document = at(
            document
                .turn_on("site", &on(None, ""), second(round))
                .unwrap(),
            round,
        );
        document = at(
            document.turn_off("site", None, second(round)).unwrap(),
            round,
        );
        let failing = Outcome::Failing("it does not answer".to_owned());
        if let Some(next) = document.with_outcome("dead", &failing, second(round)) {
            document = next;
        }
        for _ in 0..2 {
            let notices = document.notices.as_ref().unwrap();
            let next = notices
                .next_for("live", &Interest::default())
                .unwrap()
                .sequence;
            document = document
                .with_outcome("live", &Outcome::Sent(next), second(round))
                .unwrap();
        }
    }
    let notices = document.notices.as_ref().unwrap();
    assert_eq!(notices.outbox.len(), MOST_WAITING);
    assert_eq!(
        notices.targets["live"],
        TargetRecord {
            done: 400,
            ..TargetRecord::default()
        }
    );
    let dead = &notices.targets["dead"];
    assert_eq!(dead.failing_since, Some(second(0)));
    let next = notices
        .next_for("dead", &Interest::default())
        .unwrap()
        .sequence;
    assert_eq!(next, 301);
    let back = document
        .with_outcome("dead", &Outcome::Sent(next), second(999))
        .unwrap();
    let dead = &back.notices.as_ref().unwrap().targets["dead"];
    assert_eq!((dead.lost, dead.done, dead.failing_since), (300, 301, None));
}

#[test]
fn a_silence_lives_as_long_as_it_is_renewed() {
    let made = Silence {
        id: "s".to_owned(),
        since: second(0),
    };
    let long = SignedDuration::from_secs(100);
    let step = |lasts: Option<i64>, is_closed, now| {
        silence_step(
            Some((&made, lasts.map(second))),
            is_closed,
            long,
            second(now),
        )
    };
    assert_eq!(
        silence_step(None, true, long, second(5)),
        SilenceStep::Make { until: second(105) }
    );
    assert_eq!(
        silence_step(None, false, long, second(5)),
        SilenceStep::Wait(None)
    );
    assert_eq!(
        step(Some(105), true, 6),
        SilenceStep::Wait(Some(second(55)))
    );
    assert_eq!(
        step(Some(105), true, 55),
        SilenceStep::Extend { until: second(155) }
    );
    // Nobody knows how long it lasts: another process made it.
    assert_eq!(
        step(None, true, 6),
        SilenceStep::Extend { until: second(106) }
    );
    // The clock was set back.
    assert_eq!(
        step(Some(105), true, -500),
        SilenceStep::Extend {
            until: second(-400)
        }
    );
    assert_eq!(step(Some(105), false, 6), SilenceStep::Expire);
}

proptest! {
    /// Whatever happens, what was told is what is; nothing is told twice; and the phases of the notices
    /// lead from open to closed and back.
    #[test]
    fn what_was_told_leads_to_what_is(steps in proptest::collection::vec((0..40_i64, 0..6_u8, 1..60_i64), 1..30)) {
        let mut document = told_to(&["a"]);
        let mut now = 0;
        for (later, what, number) in steps {
            now += later;
            let id = (number % 3).to_string();
            let next = match what {
                0 => document.turn_on("site", &on(Some(now + number), ""), second(now)),
                1 => document.turn_on("site", &on(None, &id), second(now)),
                2 => document.turn_off("site", None, second(now)),
                3 => document.plan("site", &Window { id, ..window(now + number, now + 2 * number) }, second(now)),
                4 => document.cancel(&id, false, None, second(now)),
                _ => None,
            };
            document = at(next.unwrap_or(document), now);
            let notices = document.notices.as_ref().unwrap();
            let is = document.mode("site").map(|mode| mode.phase(second(now))).unwrap_or_default();
            let told = notices.told.get("site").map(|told| told.phase).unwrap_or_default();
            prop_assert_eq!(is, told);
            prop_assert_eq!(document.noticed(second(now), String::new), None);
            let mut is_closed = false;
            for notice in &notices.outbox {
                match notice.kind {
                    NoticeKind::Closed => { prop_assert!(!is_closed); is_closed = true; }
                    NoticeKind::Open => { prop_assert!(is_closed); is_closed = false; }
                    NoticeKind::Extended => prop_assert!(is_closed),
                    _ => {}
                }
            }
            prop_assert_eq!(is_closed, is.is_maintenance());
            prop_assert!(notices.outbox.windows(2).all(|two| two[0].sequence < two[1].sequence));
        }
    }
}
