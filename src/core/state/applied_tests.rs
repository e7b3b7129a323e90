use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::core::{
    phase::Phase,
    schedule::Recurrence,
    state::{
        DrainWish, End, Ended, OnTimeout, Switch, SwitchOn,
        settle::{joined, settled},
    },
};

const HOUR: i64 = 3600;

fn at(second: i64) -> Timestamp {
    // A full hour.
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn window(id: &str, start: i64, end: i64) -> Window {
    Window {
        id: id.to_owned(),
        start: Some(at(start)),
        end: Some(at(end)),
        ..Window::default()
    }
}

fn lasting(length: i64) -> SwitchOn {
    SwitchOn {
        end: Some(End::After(seconds(length))),
        ..SwitchOn::default()
    }
}

/// What one operation stores.
fn stored(
    document: &Document,
    said: Option<&str>,
    now: i64,
    operation: impl Fn(&Document, Timestamp) -> Option<Document>,
) -> Document {
    let next = applied(document, said, at(now), operation).next;
    next.unwrap_or_else(|| document.clone())
}

fn phase(document: &Document, now: i64) -> Phase {
    document
        .mode("site")
        .map_or(Phase::Online, |mode| mode.phase(at(now)))
}

fn periods(document: &Document) -> Vec<(i64, Option<i64>, Option<Ended>)> {
    let second = |instant: Timestamp| instant.as_second() - 1_800_000_000;
    let periods = document.history.iter().map(|period| {
        let end = period.ended_at.map(second);
        (second(period.started_at), end, period.ended)
    });
    periods.collect()
}

fn history(document: &Document, now: i64) -> Vec<(i64, Option<i64>, Option<Ended>)> {
    periods(&seen(document, at(now)).unwrap_or_else(|| document.clone()))
}

#[test]
fn a_clock_that_is_fast_removes_nothing_for_others() {
    let document = Document::default()
        .turn_on("site", &lasting(HOUR), at(0))
        .unwrap()
        .plan("site", &window("soon", 3 * HOUR, 4 * HOUR), at(0))
        .unwrap();
    // For somebody whose clock is five hours ahead all of it is over.
    let theirs = 5 * HOUR;
    assert_eq!(phase(&document, theirs), Phase::Online);
    let ended = [
        (0, Some(HOUR), Some(Ended::TimeOut)),
        (3 * HOUR, Some(4 * HOUR), Some(Ended::WindowEnd)),
    ];
    assert_eq!(history(&document, theirs), ended);
    let after = stored(&document, None, theirs, |document, now| {
        document.plan("site", &window("late", 9 * HOUR, 10 * HOUR), now)
    });
    for now in [0, HOUR - 1, HOUR, 3 * HOUR, 4 * HOUR - 1, 4 * HOUR] {
        assert_eq!(phase(&after, now), phase(&document, now), "at {now}");
        assert_eq!(history(&after, now), history(&document, now), "at {now}");
    }
    assert_eq!(after.mode("site").unwrap().windows.len(), 2);
    assert_eq!(periods(&after), [(0, None, None)], "nothing is made up");
}

#[test]
fn who_throws_the_switch_throws_it_for_everybody() {
    let document = Document::default()
        .turn_on("site", &lasting(10), at(0))
        .unwrap();
    // By a clock that is three seconds ahead it is off already, and was to be off.
    let off = applied(&document, Some("site"), at(11), |document, now| {
        document.turn_off("site", None, now)
    });
    assert_eq!(off.operated, None, "it is off already");
    let off = off.next.expect("others are told");
    assert_eq!(off.mode("site").unwrap().switch, Switch::Off);
    assert_eq!(phase(&off, 8), Phase::Online);
    assert_eq!(periods(&off), [(0, Some(10), Some(Ended::TimeOut))]);
}

#[test]
fn a_switch_that_is_over_is_thrown_anew() {
    let document = Document::default()
        .turn_on("site", &lasting(10), at(0))
        .unwrap();
    let again = stored(&document, Some("site"), 15, |document, now| {
        document.turn_on("site", &SwitchOn::default(), now)
    });
    let on = again.mode("site").unwrap().switch.record().cloned();
    let on = on.unwrap();
    assert_eq!((on.since, on.until), (Some(at(15)), None));
    let expected = [(0, Some(10), Some(Ended::TimeOut)), (15, None, None)];
    assert_eq!(periods(&again), expected);
    assert_eq!(history(&again, 20), expected);
}

#[test]
fn a_guard_that_is_let_go_of_late_puts_back_what_was_before() {
    let document = Document::default()
        .enter("site", "guard", Some(&lasting(10)), at(0))
        .unwrap();
    let left = stored(&document, None, 12, |document, now| {
        document.leave("site", "guard", now)
    });
    let mode = left.mode("site").unwrap();
    assert_eq!((&mode.switch, mode.guards.len()), (&Switch::Off, 0));
    assert_eq!(periods(&left), [(0, Some(10), Some(Ended::TimeOut))]);
}

#[test]
fn what_is_stored_goes_by_the_horizon_and_not_by_one_clock() {
    let document = Document::default()
        .plan("site", &window("w", 10, 20), at(0))
        .unwrap();
    assert_eq!(settled(&document, at(9)), None);
    let begun = settled(&document, at(12)).unwrap();
    assert_eq!(periods(&begun), [(10, None, None)]);
    // Cancelled by somebody for whom it is open.
    let gone = stored(&begun, None, 15, |document, now| {
        document.cancel("w", false, Some("bob"), now)
    });
    assert_eq!(periods(&gone), [(10, Some(15), Some(Ended::Cancelled))]);
    // For whom it is over there is nothing to cancel.
    let late = applied(&begun, None, at(20), |document, now| {
        document.cancel("w", false, None, now)
    });
    assert_eq!((late.operated, late.next), (None, None));
}

/// Something that happens, at so many seconds after what was before.
#[derive(Debug, Clone)]
enum Event {
    On {
        lasting: Option<i64>,
    },
    Drain {
        timeout: i64,
        on_timeout: OnTimeout,
    },
    Off,
    Plan {
        ahead: i64,
        length: i64,
    },
    Hourly,
    Cancel {
        nth: usize,
        only_next: bool,
    },
    Enter {
        lasting: Option<i64>,
    },
    Leave,
    Forget,
    /// All clocks have passed an instant so long ago.
    Settle {
        ago: i64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let on_timeout = prop_oneof![Just(OnTimeout::Offline), Just(OnTimeout::Cancel)];
    prop_oneof![
        3 => prop::option::of(1..4000_i64).prop_map(|lasting| Event::On { lasting }),
        2 => (1..2000_i64, on_timeout)
            .prop_map(|(timeout, on_timeout)| Event::Drain { timeout, on_timeout }),
        3 => Just(Event::Off),
        3 => (0..3000_i64, 1..4000_i64)
            .prop_map(|(ahead, length)| Event::Plan { ahead, length }),
        1 => Just(Event::Hourly),
        2 => (0..4_usize, any::<bool>())
            .prop_map(|(nth, only_next)| Event::Cancel { nth, only_next }),
        2 => prop::option::of(1..3000_i64).prop_map(|lasting| Event::Enter { lasting }),
        2 => Just(Event::Leave),
        1 => Just(Event::Forget),
        2 => (0..9000_i64).prop_map(|ago| Event::Settle { ago }),
    ]
}

/// Ten minutes from each full hour on.
fn hourly(id: &str, now: Timestamp) -> Window {
    let recurrence: Recurrence = serde_json::from_value(json!({
        "cron": "0 * * * *", "zone": "UTC", "duration": "PT10M", "after": now,
    }))
    .unwrap();
    Window {
        id: id.to_owned(),
        repeats: Some(recurrence),
        ..Window::default()
    }
}

fn operate(event: &Event, number: usize, document: &Document, now: Timestamp) -> Option<Document> {
    let name = number.to_string();
    let end = |lasting: &Option<i64>| SwitchOn {
        end: lasting.map(|lasting| End::After(seconds(lasting))),
        by: Some(name.clone()),
        ..SwitchOn::default()
    };
    match event {
        Event::On { lasting } => document.turn_on("site", &end(lasting), now),
        Event::Drain {
            timeout,
            on_timeout,
        } => {
            let wish = SwitchOn {
                drain: Some(DrainWish {
                    timeout: Some(seconds(*timeout)),
                    on_timeout: *on_timeout,
                }),
                ..end(&None)
            };
            document.turn_on("site", &wish, now)
        }
        Event::Off => document.turn_off("site", Some(&name), now),
        Event::Plan { ahead, length } => {
            let start = now + seconds(*ahead);
            let planned = Window {
                id: name.clone(),
                start: Some(start),
                end: Some(start + seconds(*length)),
                ..Window::default()
            };
            document.plan("site", &planned, now)
        }
        Event::Hourly => document.plan("site", &hourly(&name, now), now),
        Event::Cancel { nth, only_next } => {
            let windows = &document.mode("site")?.windows;
            let id = windows.get(*nth)?.id.clone();
            document.cancel(&id, *only_next, None, now)
        }
        Event::Enter { lasting } => document.enter("site", &name, Some(&end(lasting)), now),
        Event::Leave => {
            let guard = document.mode("site")?.guards.last()?.token.clone();
            document.leave("site", &guard, now)
        }
        Event::Forget => document.forget("site", None, now),
        Event::Settle { .. } => None,
    }
}

/// Without the guards, which may stay until they are let go of. Periods that touch are one: whether
/// they are told apart depends on who saw the one end.
fn meaning(document: &Document, now: Timestamp) -> Document {
    let mut seen = seen(document, now).unwrap_or_else(|| document.clone());
    for mode in seen.modes.values_mut() {
        mode.guards.clear();
        mode.windows.sort_by(|one, other| one.id.cmp(&other.id));
    }
    let mut history: Vec<Period> = Vec::new();
    for period in seen.history {
        match history.pop() {
            Some(last) if last.ended_at == Some(period.started_at) => {
                history.push(joined(last, period));
            }
            last => history.extend(last.into_iter().chain([period])),
        }
    }
    seen.history = history;
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whether what is over has left the document or not, each operation makes the same of it, and
    /// whoever looks sees the same.
    #[test]
    fn it_does_not_matter_whether_what_is_over_is_settled(
        events in prop::collection::vec((0_i64..2500, event()), 1..14),
    ) {
        let (mut prompt, mut late) = (Document::default(), Document::default());
        let mut now = at(0);
        let mut horizon = at(0);
        for (number, (pause, event)) in events.iter().enumerate() {
            now += seconds(*pause);
            let said = matches!(event, Event::On { .. } | Event::Drain { .. } | Event::Off)
                .then_some("site");
            let operation =
                |document: &Document, now: Timestamp| operate(event, number, document, now);
            if let Event::Settle { ago } = event {
                horizon = horizon.max(now - seconds(*ago));
            }
            prompt = settled(&prompt, now).unwrap_or(prompt);
            let by_prompt = operation(&prompt, now);
            late = settled(&late, horizon).unwrap_or(late);
            let by_late = applied(&late, said, now, operation);
            // A guard whose switch is over is left without a change where it is settled.
            if !matches!(event, Event::Leave) {
                prop_assert_eq!(by_prompt.is_some(), by_late.operated.is_some(), "{:?}", event);
            }
            prompt = by_prompt.unwrap_or(prompt);
            late = by_late.next.unwrap_or(late);
            for later in [0, 1, 700, 5000] {
                let then = now + seconds(later);
                let (one, other) = (meaning(&prompt, then), meaning(&late, then));
                prop_assert_eq!(&one.modes, &other.modes, "after {:?}, {} s later", event, later);
                prop_assert_eq!(
                    &one.history, &other.history, "after {:?}, {} s later", event, later
                );
            }
        }
    }
}
