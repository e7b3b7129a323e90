use jiff::{SignedDuration, Timestamp};

use crate::core::{
    phase::Phase,
    schedule::Window,
    state::{Document, DrainWish, End, Ended, OnTimeout, Switch, SwitchOn, settle::settled},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn closed() -> Document {
    let wanted = SwitchOn {
        by: Some("alice".to_owned()),
        message: Some("Back soon.".to_owned()),
        ..SwitchOn::default()
    };
    Document::default().turn_on("site", &wanted, at(0)).unwrap()
}

fn opening() -> Document {
    closed()
        .open_over("site", secs(600), Some("bob"), at(100))
        .unwrap()
}

fn phase(document: &Document, now: Timestamp) -> Phase {
    document.mode("site").unwrap().phase(now)
}

fn share(document: &Document, now: Timestamp) -> f64 {
    document
        .mode("site")
        .unwrap()
        .switch
        .opening()
        .unwrap()
        .share(now)
}

#[test]
fn it_opens_until_all_are_in_and_the_history_says_who_opened_it() {
    let document = opening();
    assert_eq!(phase(&document, at(100)), Phase::Opening);
    assert_eq!(phase(&document, at(699)), Phase::Opening);
    assert_eq!(phase(&document, at(700)), Phase::Online);
    assert!((share(&document, at(400)) - 0.5).abs() < 1e-6);
    let standing = document.mode("site").unwrap().standing(at(200));
    assert_eq!(
        (standing.since, standing.until),
        (Some(at(0)), Some(at(700)))
    );
    assert_eq!(standing.message.as_deref(), Some("Back soon."));
    let settled = settled(&document, at(701)).unwrap();
    let period = &settled.history[0];
    assert_eq!(period.ended_at, Some(at(700)));
    assert_eq!(
        (period.ended, period.ended_by.as_deref()),
        (Some(Ended::Off), Some("bob"))
    );
    assert_eq!(settled.mode("site").unwrap().switch, Switch::Off);
}

#[test]
fn off_in_the_middle_opens_for_all_and_on_closes_again() {
    let off = opening().turn_off("site", Some("carol"), at(300)).unwrap();
    assert_eq!(phase(&off, at(300)), Phase::Online);
    assert_eq!(off.history[0].ended_by.as_deref(), Some("carol"));

    let on = opening()
        .turn_on("site", &SwitchOn::default(), at(300))
        .unwrap();
    assert_eq!(phase(&on, at(300)), Phase::Offline);
    // The end was that of the opening, and nobody has said another.
    assert_eq!(phase(&on, at(10_000)), Phase::Offline);
    assert_eq!(on.history.len(), 1);

    let wanted = SwitchOn {
        end: Some(End::After(secs(60))),
        ..SwitchOn::default()
    };
    let on = opening().turn_on("site", &wanted, at(300)).unwrap();
    assert_eq!(
        (phase(&on, at(359)), phase(&on, at(360))),
        (Phase::Offline, Phase::Online)
    );
}

#[test]
fn on_with_a_drain_lets_those_finish_who_are_in() {
    let wanted = SwitchOn {
        drain: Some(DrainWish {
            timeout: Some(secs(60)),
            on_timeout: OnTimeout::Offline,
        }),
        ..SwitchOn::default()
    };
    let on = opening().turn_on("site", &wanted, at(300)).unwrap();
    assert_eq!(
        (phase(&on, at(300)), phase(&on, at(361))),
        (Phase::Pending, Phase::Offline)
    );
}

#[test]
fn it_is_paused_and_goes_on_from_there() {
    let paused = opening().pause_opening("site", at(400)).unwrap();
    assert_eq!(share(&paused, at(400)), share(&paused, at(100_000)));
    assert_eq!(phase(&paused, at(100_000)), Phase::Opening);
    assert_eq!(paused.pause_opening("site", at(500)), None);
    let goes_on = paused.open_over("site", secs(100), None, at(1000)).unwrap();
    assert!((share(&goes_on, at(1050)) - 0.75).abs() < 1e-6);
    assert_eq!(phase(&goes_on, at(1100)), Phase::Online);
    // Who began it is still who opens it.
    let opening = goes_on.mode("site").unwrap().switch.opening().unwrap();
    assert_eq!(opening.by.as_deref(), Some("bob"));
    assert_eq!(closed().pause_opening("site", at(10)), None);
}

#[test]
fn what_is_open_or_closing_opens_at_once() {
    assert_eq!(
        Document::default().open_over("site", secs(60), None, at(0)),
        None
    );
    let wanted = SwitchOn {
        drain: Some(DrainWish {
            timeout: None,
            on_timeout: OnTimeout::Offline,
        }),
        ..SwitchOn::default()
    };
    let closing = Document::default().turn_on("site", &wanted, at(0)).unwrap();
    let opened = closing.open_over("site", secs(60), None, at(10)).unwrap();
    assert_eq!(phase(&opened, at(10)), Phase::Online);
    let at_once = closed()
        .open_over("site", SignedDuration::ZERO, None, at(10))
        .unwrap();
    assert_eq!(phase(&at_once, at(10)), Phase::Online);
}

#[test]
fn a_window_that_is_open_ends_with_it_and_one_that_comes_closes_for_all() {
    let window = |id: &str, start, end| Window {
        id: id.to_owned(),
        start: Some(at(start)),
        end: Some(at(end)),
        ..Window::default()
    };
    let planned = Document::default()
        .plan("site", &window("now", 0, 1000), at(0))
        .and_then(|document| document.plan("site", &window("later", 300, 400), at(0)))
        .unwrap();
    assert_eq!(phase(&planned, at(10)), Phase::Offline);
    let opening = planned.open_over("site", secs(600), None, at(10)).unwrap();
    assert_eq!(phase(&opening, at(11)), Phase::Opening);
    assert_eq!(phase(&opening, at(350)), Phase::Offline);
    assert_eq!(phase(&opening, at(450)), Phase::Opening);
    assert_eq!(phase(&opening, at(610)), Phase::Online);
}

/// As an older version reads and writes it.
#[test]
fn to_an_older_version_it_is_closed_until_the_end_and_what_that_says_then_counts() {
    let text = String::from_utf8(opening().encode()).unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&text).unwrap();
    let on = &mut old["modes"]["site"]["switch"]["on"];
    assert_eq!(on["until"], serde_json::json!(at(700)));
    assert_eq!(on["opening"]["by"], "bob");
    // It keeps what it does not know, and has somebody close it until another time.
    on["until"] = serde_json::json!(at(5000));
    let read = Document::decode(old.to_string().as_bytes(), None).unwrap();
    assert_eq!(phase(&read, at(400)), Phase::Offline);
    assert_eq!(phase(&read, at(4999)), Phase::Offline);
    let whole = Document::decode(text.as_bytes(), None).unwrap();
    assert_eq!(whole.modes, opening().modes);
}

#[test]
fn another_end_is_when_all_are_in() {
    use crate::core::state::amend::{Amendment, NewEnd};
    let wanted = Amendment {
        message: Some("Soon.".to_owned()),
        end: NewEnd::Later(secs(600)),
        ..Amendment::default()
    };
    let later = opening().amend("site", &wanted, at(400)).unwrap();
    assert!((share(&later, at(400)) - 0.5).abs() < 1e-6);
    assert_eq!(
        (phase(&later, at(1299)), phase(&later, at(1300))),
        (Phase::Opening, Phase::Online)
    );
}
