use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::core::state::{End, Hold, Holder, IfLost, SwitchOn};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn alice() -> Author {
    Author {
        by: Some("alice".to_owned()),
        how: How::Browser,
        address: Some("192.0.2.1".parse().unwrap()),
    }
}

fn told_of(before: &Document, after: &Document, now: Timestamp) -> Vec<String> {
    let entries = changes(before, after, &alice(), now);
    entries
        .iter()
        .map(|entry| entry.event.to_string())
        .collect()
}

fn wanted(message: &str) -> SwitchOn {
    SwitchOn {
        by: Some("alice".to_owned()),
        message: Some(message.to_owned()),
        ..SwitchOn::default()
    }
}

#[test]
fn what_somebody_does_is_told_with_before_and_after() {
    let off = Document::default();
    let on = off.turn_on("site", &wanted("one"), second(0)).unwrap();
    let entries = changes(&off, &on, &alice(), second(0));
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!((&*entry.event, entry.mode.as_deref()), ("on", Some("site")));
    assert_eq!(
        (entry.by.as_deref(), entry.how),
        (Some("alice"), How::Browser)
    );
    assert_eq!(entry.before, None);
    assert_eq!(entry.after.as_ref().unwrap()["message"], "one");
    let said = on.turn_on("site", &wanted("two"), second(1)).unwrap();
    let entries = changes(&on, &said, &alice(), second(1));
    assert_eq!(entries.len(), 1);
    assert_eq!(&*entries[0].event, "changed");
    assert_eq!(entries[0].before.as_ref().unwrap()["message"], "one");
    assert_eq!(entries[0].after.as_ref().unwrap()["message"], "two");
    let back = said.turn_off("site", Some("alice"), second(2)).unwrap();
    let entries = changes(&said, &back, &alice(), second(2));
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&*entries[0].event, entries[0].why.as_deref()),
        ("off", Some("off"))
    );
    assert_eq!(entries[0].by.as_deref(), Some("alice"));
    let gone = back.forget("site", None, second(3)).unwrap();
    assert_eq!(told_of(&back, &gone, second(3)), ["forgotten"]);
}

#[test]
fn what_ends_by_itself_is_nobodys() {
    let off = Document::default();
    let mut lasting = wanted("");
    lasting.end = Some(End::At(second(10)));
    let on = off.turn_on("site", &lasting, second(0)).unwrap();
    let over = crate::core::state::settle::settled_up_to(
        &on,
        crate::core::state::horizon::Horizon::new(second(11), Some(second(11))),
    );
    let over = over.unwrap();
    let entries = changes(&on, &over, &alice(), second(11));
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(
        (&*entries[0].event, entries[0].why.as_deref()),
        ("off", Some("time-out"))
    );
    assert_eq!(
        (entries[0].by.as_deref(), entries[0].how),
        (None, How::Schedule)
    );
    assert_eq!(entries[0].at, second(10));
}

#[test]
fn windows_are_planned_changed_and_cancelled() {
    let window = |title: &str| Window {
        id: "w".to_owned(),
        start: Some(second(100)),
        end: Some(second(200)),
        title: Some(title.to_owned()),
        ..Window::default()
    };
    let empty = Document::default();
    let planned = empty.plan("site", &window("one"), second(0)).unwrap();
    assert_eq!(told_of(&empty, &planned, second(0)), ["planned"]);
    let mut other = planned.clone();
    other.modes.get_mut("site").unwrap().windows = vec![window("two")];
    assert_eq!(told_of(&planned, &other, second(1)), ["window-changed"]);
    let cancelled = other.cancel("w", false, Some("bob"), second(2)).unwrap();
    assert_eq!(told_of(&other, &cancelled, second(2)), ["cancelled"]);
    // One that is open ends.
    let cancelled = other.cancel("w", false, Some("bob"), second(150)).unwrap();
    let mut open = other.clone();
    open.remember(Period::starting("site", second(100)));
    let ended = open.cancel("w", false, Some("bob"), second(150)).unwrap();
    assert_eq!(told_of(&open, &ended, second(150)), ["off"]);
    assert_eq!(told_of(&other, &cancelled, second(150)), [""; 0]);
}

#[test]
fn no_secret_of_a_holder_is_told() {
    let hold = Hold {
        token: "geheim".to_owned(),
        holder: Holder {
            name: "job".to_owned(),
            by: None,
            since: second(0),
            if_lost: IfLost::Stay,
            time_to_live: 1000,
            alone: true,
            lost_at: None,
            unknown: Map::new(),
        },
        within: None,
    };
    let mut held = wanted("");
    held.hold = Some(hold);
    let off = Document::default();
    let on = off.enter("site", "geheim", Some(&held), second(0)).unwrap();
    let lost = on.lose_holder("site", "geheim", second(9)).unwrap();
    let mut entries = changes(&off, &on, &alice(), second(0));
    entries.extend(changes(&on, &lost, &alice(), second(9)));
    let events: Vec<_> = entries.iter().map(|entry| &*entry.event).collect();
    assert_eq!(events, ["on", "holder-lost"]);
    for entry in &entries {
        assert!(!entry.line().contains("geheim"), "{}", entry.line());
        assert!(entry.line().contains("job"), "{}", entry.line());
    }
}

/// One thing that somebody does.
#[derive(Debug, Clone)]
enum Step {
    On(Option<i64>, u8),
    Off,
    Plan(u8, i64, i64),
    Cancel(u8),
    Enter(u8),
    Leave(u8),
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        (proptest::option::of(1..50_i64), 0..3_u8).prop_map(|(end, text)| Step::On(end, text)),
        Just(Step::Off),
        (0..3_u8, 0..60_i64, 1..60_i64).prop_map(|(id, start, long)| Step::Plan(id, start, long)),
        (0..3_u8).prop_map(Step::Cancel),
        (0..3_u8).prop_map(Step::Enter),
        (0..3_u8).prop_map(Step::Leave),
        Just(Step::Forget),
    ];
    proptest::collection::vec((0..30_i64, step), 1..20)
}

proptest! {
    /// Whatever somebody changes is told, and who does nothing is not told of.
    #[test]
    fn no_change_escapes(steps in steps()) {
        let mut document = Document::default();
        let mut at = 0;
        for (later, step) in steps {
            at += later;
            let now = second(at);
            let next = match &step {
                Step::On(end, text) => {
                    let mut wanted = wanted(&text.to_string());
                    wanted.end = end.map(|end| End::At(now + end.seconds()));
                    document.turn_on("site", &wanted, now)
                }
                Step::Off => document.turn_off("site", Some("alice"), now),
                Step::Plan(id, start, long) => document.plan("site", &Window {
                    id: id.to_string(),
                    start: Some(now + start.seconds()),
                    end: Some(now + (start + long).seconds()),
                    ..Window::default()
                }, now),
                Step::Cancel(id) => document.cancel(&id.to_string(), false, None, now),
                Step::Enter(token) => {
                    document.enter("site", &token.to_string(), Some(&wanted("guard")), now)
                }
                Step::Leave(token) => document.leave("site", &token.to_string(), now),
                Step::Forget => document.forget("site", None, now),
            };
            prop_assert_eq!(changes(&document, &document, &alice(), now), vec![]);
            let Some(next) = next else { continue };
            let entries = changes(&document, &next, &alice(), now);
            let switched = |document: &Document| document.mode("site").map(|it| it.switch.clone());
            let windows = |document: &Document| {
                let mode = document.mode("site").cloned().unwrap_or_default();
                let ahead = mode.windows.into_iter().filter(|it| it.next_after(now).is_some());
                ahead.map(|window| window.id).collect::<Vec<_>>()
            };
            if switched(&document) != switched(&next) || windows(&document) != windows(&next) {
                prop_assert!(!entries.is_empty(), "{:?} of {:?}", step, document);
            }
            document = next;
        }
    }
}
