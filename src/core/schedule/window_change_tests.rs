use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn text(text: &str) -> Option<When> {
    Some(When::Text(text.to_owned()))
}

const NOON: &str = "2030-01-01T12:00:00Z";

fn window(start: &str, end: &str) -> Window {
    Window {
        id: "w".to_owned(),
        start: Some(at(start)),
        end: Some(at(end)),
        title: Some("disks".to_owned()),
        ..Window::default()
    }
}

fn changed(window: &Window, change: &WindowChange) -> Window {
    change.of(window, None, at(NOON)).unwrap().0
}

#[test]
fn what_is_not_said_stays_as_it_is() {
    let window = window("2030-01-02T10:00:00Z", "2030-01-02T12:00:00Z");
    let said = WindowChange {
        title: Some(String::new()),
        reason: Some("why".to_owned()),
        ..WindowChange::default()
    };
    let new = changed(&window, &said);
    assert_eq!((new.start, new.end), (window.start, window.end));
    assert_eq!((new.title, new.reason.as_deref()), (None, Some("why")));

    let earlier = WindowChange {
        start: text("2030-01-02T09:00Z"),
        ..WindowChange::default()
    };
    let new = changed(&window, &earlier);
    assert_eq!(new.start, Some(at("2030-01-02T09:00:00Z")));
    assert_eq!((new.end, new.title), (window.end, window.title));
}

#[test]
fn an_end_a_duration_and_none_take_each_others_place() {
    let window = window("2030-01-02T10:00:00Z", "2030-01-02T12:00:00Z");
    let longer = WindowChange {
        lasting: Some(Duration::from_secs(4 * 3600)),
        ..WindowChange::default()
    };
    assert_eq!(
        changed(&window, &longer).end,
        Some(at("2030-01-02T14:00:00Z"))
    );
    let open = WindowChange {
        end: Some(None),
        ..WindowChange::default()
    };
    assert_eq!(changed(&window, &open).end, None);
    let later = WindowChange {
        start: text("2030-01-02T13:00Z"),
        ..WindowChange::default()
    };
    let error = later.of(&window, None, at(NOON)).unwrap_err();
    assert!(
        matches!(error, PlanError::EndNotAfterStart { .. }),
        "{error}"
    );
}

#[test]
fn one_that_is_open_goes_on_since_when_it_is() {
    let window = window("2030-01-01T11:00:00Z", "2030-01-01T13:00:00Z");
    let longer = WindowChange {
        lasting: Some(Duration::from_secs(4 * 3600)),
        ..WindowChange::default()
    };
    let new = changed(&window, &longer);
    assert_eq!(new.start, window.start);
    assert_eq!(new.end, Some(at("2030-01-01T15:00:00Z")));
    // Told from now, as where one is planned.
    let relative = WindowChange {
        end: Some(text("+30m")),
        ..WindowChange::default()
    };
    let new = changed(&window, &relative);
    assert_eq!(new.start, window.start);
    assert_eq!(new.end, Some(at("2030-01-01T12:30:00Z")));
    let over = WindowChange {
        lasting: Some(Duration::from_secs(60)),
        ..WindowChange::default()
    };
    let error = over.of(&window, None, at(NOON)).unwrap_err();
    assert!(matches!(error, PlanError::EndInPast { .. }), "{error}");
}

#[test]
fn of_one_that_repeats_only_what_is_said_is_another() {
    let daily = WindowPlan {
        repeats: Some("0 11 * * *".to_owned()),
        zone: Some("UTC".to_owned()),
        lasting: Some(Duration::from_secs(2 * 3600)),
        window: window(NOON, NOON),
        ..WindowPlan::default()
    };
    let (window, _) = daily.resolve(None, at("2029-12-01T00:00:00Z")).unwrap();
    let open = window.occurrence_at(at(NOON)).unwrap();
    let longer = WindowChange {
        lasting: Some(Duration::from_secs(3 * 3600)),
        ..WindowChange::default()
    };
    let new = changed(&window, &longer);
    let now_open = new.occurrence_at(at(NOON)).unwrap();
    assert_eq!(now_open.start, open.start, "it is open as before");
    assert_eq!(now_open.end, Some(at("2030-01-01T14:00:00Z")));
    let later = WindowChange {
        repeats: Some("0 20 * * *".to_owned()),
        ..WindowChange::default()
    };
    let new = changed(&window, &later);
    let next = new.now_or_next(at(NOON)).unwrap();
    assert_eq!(next.start, Some(at("2030-01-01T20:00:00Z")));
    assert_eq!(next.end, Some(at("2030-01-01T22:00:00Z")));
    let bounded = WindowChange {
        end: Some(text("2030-02-01T00:00Z")),
        ..WindowChange::default()
    };
    let new = changed(&window, &bounded);
    let until = new.repeats.as_ref().and_then(Recurrence::until);
    assert_eq!(until, Some(at("2030-02-01T00:00:00Z")));
}

#[test]
fn one_that_did_not_repeat_lasts_as_long_each_time() {
    let window = Window {
        zone: Some("Europe/Rome".to_owned()),
        ..window("2030-01-02T10:00:00Z", "2030-01-02T12:00:00Z")
    };
    let weekly = WindowChange {
        repeats: Some("0 3 * * SUN".to_owned()),
        ..WindowChange::default()
    };
    let new = changed(&window, &weekly);
    let recurrence = new.repeats.unwrap();
    assert_eq!(recurrence.duration(), SignedDuration::from_hours(2));
    assert_eq!(recurrence.zone(), "Europe/Rome");
    assert_eq!((new.start, new.end, recurrence.until()), (None, None, None));
}
