use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, cookie::Key, test, web};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::{
    ChangeError, Ended, Maintenance, Phase,
    engine::shared::{Clock, ManualClock},
    settings::{ModeSettings, Settings},
    store::{MemoryStore, Store as _},
};

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

async fn maintenance(hand: &Arc<ManualClock>, store: &MemoryStore) -> Maintenance {
    let settings = Settings {
        modes: vec![ModeSettings {
            announce: Duration::from_secs(24 * 3600),
            ..ModeSettings::new("site")
        }],
        ..Settings::default()
    };
    Maintenance::builder()
        .settings(settings)
        .custom_store(store.clone())
        .clock(Clock::set_by(Arc::clone(hand)))
        .build()
        .await
        .unwrap()
}

/// Follows changes until the site has this phase, and returns how long that took.
async fn until_told(maintenance: &Maintenance, phase: Phase, set: impl FnOnce()) -> Duration {
    let mut changes = maintenance.subscribe();
    let begin = Instant::now();
    set();
    loop {
        let status = tokio::time::timeout(Duration::from_secs(5), changes.next())
            .await
            .expect("a change is told")
            .expect("the driver runs");
        if status.modes[0].phase == phase {
            return begin.elapsed();
        }
    }
}

async fn until_settled(maintenance: &Maintenance, periods: usize) {
    let deadline = Instant::now() + Duration::from_secs(5);
    let ended = || {
        maintenance
            .history()
            .iter()
            .filter(|period| period.ended_at.is_some())
            .count()
    };
    while ended() != periods {
        assert!(
            Instant::now() < deadline,
            "history: {:?}",
            maintenance.history()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_window_is_announced_then_closes_and_opens_by_itself() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    let start = noon() + 48.hours();
    maintenance
        .plan_window()
        .start(start)
        .end(start + 2.hours())
        .message("New database.")
        .await
        .unwrap();
    assert_eq!(maintenance.phase(), Phase::Online);

    until_told(&maintenance, Phase::Scheduled, || {
        hand.set(noon() + 24.hours())
    })
    .await;
    let flag = maintenance.flag();
    assert!(!flag.maintenance_mode);
    assert!(flag.maintenance.scheduled);
    assert_eq!(flag.maintenance.start, Some(start));
    assert_eq!(flag.maintenance.message, "New database.");

    until_told(&maintenance, Phase::Offline, || hand.set(start)).await;
    assert!(maintenance.is_on());
    assert_eq!(maintenance.status().modes[0].until, Some(start + 2.hours()));

    until_told(&maintenance, Phase::Online, || hand.set(start + 2.hours())).await;
    until_settled(&maintenance, 1).await;
    let history = maintenance.history();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].started_at, start);
    assert_eq!(history[0].ended_at, Some(start + 2.hours()));
    assert_eq!(history[0].ended, Some(Ended::WindowEnd));
}

#[tokio::test]
async fn the_phase_is_right_at_the_instant_and_not_when_a_timer_fires() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    let start = noon() + 1.hour();
    maintenance
        .plan_window()
        .start(start)
        .end(start + 1.minute())
        .await
        .unwrap();
    let just_before = start - 1.millisecond();
    for (instant, on) in [
        (just_before, false),
        (start, true),
        (start + 59.seconds(), true),
        (start + 1.minute(), false),
    ] {
        hand.set(instant);
        // Nothing is awaited: no task of this runtime can have run in between.
        assert_eq!(maintenance.is_on(), on, "at {instant}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_brings_the_phase_back() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    let start = noon() + 1.hour();
    maintenance
        .plan_window()
        .start(start)
        .end(start + 1.hour())
        .await
        .unwrap();
    until_told(&maintenance, Phase::Offline, || {
        hand.set(start + 1.minute())
    })
    .await;
    until_told(&maintenance, Phase::Scheduled, || hand.set(noon())).await;
    assert!(!maintenance.is_on());
    until_told(&maintenance, Phase::Offline, || hand.set(start)).await;
}

#[tokio::test]
async fn a_process_that_slept_through_a_window_records_it() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    let start = noon() + 30.hours();
    maintenance
        .plan_window()
        .start(start)
        .end(start + 1.hour())
        .await
        .unwrap();
    hand.set(noon() + 100.hours());
    until_settled(&maintenance, 1).await;
    assert_eq!(maintenance.history()[0].started_at, start);
    assert_eq!(maintenance.phase(), Phase::Online);
}

#[tokio::test]
async fn many_processes_that_see_the_same_edge_record_one_period() {
    let hand = ManualClock::at(noon());
    let store = MemoryStore::new();
    let mut nodes = Vec::new();
    for _ in 0..8 {
        nodes.push(maintenance(&hand, &store).await);
    }
    for round in 0..20 {
        let start = noon() + (round * 10 + 1).minutes();
        nodes[0]
            .plan_window()
            .start(start)
            .end(start + 1.minute())
            .await
            .unwrap();
        hand.set(start + 30.seconds());
        until_told_or_so(&nodes, true).await;
        hand.set(start + 1.minute());
        for node in &nodes {
            until_settled(node, usize::try_from(round).unwrap() + 1).await;
        }
    }
    assert_eq!(nodes[7].history().len(), 20);
}

async fn until_told_or_so(nodes: &[Maintenance], on: bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while nodes.iter().any(|node| node.is_on() != on) {
        assert!(Instant::now() < deadline, "every node sees the window");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_mode_that_is_switched_on_for_a_while_switches_itself_off() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    maintenance
        .turn_on()
        .lasting(Duration::from_secs(90))
        .await
        .unwrap();
    assert_eq!(
        maintenance.status().modes[0].until,
        Some(noon() + 90.seconds())
    );
    until_told(&maintenance, Phase::Online, || {
        hand.set(noon() + 90.seconds())
    })
    .await;
    until_settled(&maintenance, 1).await;
    assert_eq!(maintenance.history()[0].ended, Some(Ended::TimeOut));
    // What lapsed does not count as on: it can be switched on again.
    assert!(maintenance.turn_on().await.unwrap().changed);
}

#[tokio::test]
async fn a_time_out_of_the_mode_counts_when_nobody_says_until_when() {
    let hand = ManualClock::at(noon());
    let settings = Settings {
        store: "memory:".to_owned(),
        modes: vec![ModeSettings {
            timeout: Some(Duration::from_secs(3600)),
            ..ModeSettings::new("site")
        }],
        ..Settings::default()
    };
    let maintenance = Maintenance::builder()
        .settings(settings)
        .clock(Clock::set_by(Arc::clone(&hand)))
        .build()
        .await
        .unwrap();
    let until = |maintenance: &Maintenance| maintenance.status().modes[0].until;
    maintenance.turn_on().await.unwrap();
    assert_eq!(until(&maintenance), Some(noon() + 1.hour()));
    // To say something else about it does not make it longer.
    hand.set(noon() + 30.minutes());
    maintenance.turn_on().reason("still at it").await.unwrap();
    assert_eq!(until(&maintenance), Some(noon() + 1.hour()));
    maintenance
        .turn_on()
        .until(noon() + 5.hours())
        .await
        .unwrap();
    assert_eq!(until(&maintenance), Some(noon() + 5.hours()));
    let past = maintenance.turn_on().until(noon()).await;
    assert!(past.unwrap_err().to_string().contains("past"));
}

#[tokio::test]
async fn edges_are_told_within_fifty_milliseconds() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    let mut took = Vec::new();
    for round in 0..10 {
        let start = noon() + SignedDuration::from_hours(round * 100 + 50);
        maintenance
            .plan_window()
            .start(start)
            .end(start + 1.hour())
            .await
            .unwrap();
        took.push(until_told(&maintenance, Phase::Offline, || hand.set(start)).await);
        let end = start + 1.hour();
        took.push(until_told(&maintenance, Phase::Online, || hand.set(end)).await);
    }
    // The one in the middle: a machine that does something else delays some of them, as long as it
    // likes. Five times what is aimed at, for one that is busy all the time.
    took.sort();
    let usual = took[took.len() / 2];
    assert!(usual < Duration::from_millis(250), "{took:?}");
}

/// An hour from three o'clock in Rome on each Sunday.
async fn plan_sundays(maintenance: &Maintenance) -> crate::Planned {
    maintenance
        .plan_window()
        .repeats("0 3 * * SUN")
        .zone("Europe/Rome")
        .lasting(Duration::from_secs(3600))
        .title("weekly works")
        .await
        .unwrap()
}

#[tokio::test]
async fn a_window_that_repeats_is_announced_opens_and_closes_again_and_again() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    let planned = plan_sundays(&maintenance).await;
    // Summer time: 03:00 in Rome is 01:00 in UTC. Noon is a Monday's.
    let first: Timestamp = "2026-06-07T01:00:00Z".parse().unwrap();
    let window = planned.window().unwrap();
    assert_eq!(window.start, Some(first));
    assert_eq!(window.end, Some(first + 1.hour()));
    for round in 0..12 {
        let start = first + (round * 7 * 24).hours();
        until_told(&maintenance, Phase::Scheduled, || {
            hand.set(start - 24.hours())
        })
        .await;
        assert_eq!(maintenance.flag().maintenance.start, Some(start));
        until_told(&maintenance, Phase::Offline, || hand.set(start)).await;
        let mode = &maintenance.status().modes[0];
        assert_eq!(mode.until, Some(start + 1.hour()));
        assert_eq!(mode.windows[0].start, Some(start));
        until_told(&maintenance, Phase::Online, || hand.set(start + 1.hour())).await;
        until_settled(&maintenance, usize::try_from(round + 1).unwrap()).await;
        let next = maintenance.status().modes[0].windows[0].start;
        assert_eq!(next, Some(start + (7 * 24).hours()));
    }
    let history = maintenance.history();
    assert_eq!(history.len(), 12);
    for (round, period) in history.iter().enumerate() {
        let start = first + (i64::try_from(round).unwrap() * 7 * 24).hours();
        assert_eq!(period.started_at, start);
        assert_eq!(period.ended_at, Some(start + 1.hour()));
        assert_eq!(period.ended, Some(Ended::WindowEnd));
    }
}

#[tokio::test]
async fn whatever_the_clock_does_a_rule_says_what_is() {
    let hand = ManualClock::at(noon());
    let maintenance = maintenance(&hand, &MemoryStore::new()).await;
    plan_sundays(&maintenance).await;
    let first: Timestamp = "2026-06-07T01:00:00Z".parse().unwrap();
    // Years ahead, where it is winter time, and nothing has been worked out. Nothing is awaited in
    // between: no task of this runtime can have run.
    let far: Timestamp = "2031-01-05T02:00:00Z".parse().unwrap();
    for (instant, on) in [
        (far - 1.millisecond(), false),
        (far, true),
        (far + 1.hour(), false),
        (first + 1.minute(), true),
        (first - 1.minute(), false),
        (noon() - 1.hour(), false),
    ] {
        hand.set(instant);
        assert_eq!(maintenance.is_on(), on, "at {instant}");
    }
}

#[tokio::test]
async fn switching_off_ends_one_occurrence_for_all_and_the_next_one_comes() {
    let hand = ManualClock::at(noon());
    let store = MemoryStore::new();
    let here = maintenance(&hand, &store).await;
    let there = maintenance(&hand, &store).await;
    let planned = plan_sundays(&here).await;
    let first: Timestamp = "2026-06-07T01:00:00Z".parse().unwrap();
    hand.set(first + 10.minutes());
    until_told_or_so(&[here.clone(), there.clone()], true).await;
    there.turn_off().by("bob").await.unwrap();
    until_told_or_so(&[here.clone(), there.clone()], false).await;
    hand.set(first + (7 * 24).hours());
    until_told_or_so(&[here.clone(), there.clone()], true).await;
    let cancelled = here.cancel_window(&planned.id).only_next().await.unwrap();
    let left = &cancelled.status.modes[0].windows[0];
    assert_eq!(left.start, Some(first + (14 * 24).hours()));
    here.cancel_window(&planned.id).by("alice").await.unwrap();
    hand.set(first + (14 * 24).hours());
    until_told_or_so(&[here, there.clone()], false).await;
    until_settled(&there, 2).await;
    let endings: Vec<_> = there.history().iter().map(|period| period.ended).collect();
    assert_eq!(endings, [Some(Ended::Off), Some(Ended::Cancelled)]);
}

/// The driver has a thread of its own, so what this one reads is what requests read.
#[actix_web::test]
async fn requests_read_no_clock_unless_a_window_is_planned() {
    let reads = Arc::default();
    let maintenance = Maintenance::builder()
        .settings(Settings::default())
        .custom_store(MemoryStore::new())
        .clock(Clock::counting(Arc::clone(&reads)))
        .build()
        .await
        .unwrap();
    let app = test::init_service(
        App::new()
            .route("/", web::get().to(|| async { "in" }))
            .wrap(maintenance.middleware())
            .wrap(SessionMiddleware::new(
                CookieSessionStore::default(),
                Key::generate(),
            )),
    )
    .await;
    let here = std::thread::current().id();
    let read_for = async |requests: u64, status: u16| {
        let count = || reads.lock().unwrap().get(&here).copied().unwrap_or(0);
        let before = count();
        for _ in 0..requests {
            let request = test::TestRequest::get().uri("/").to_request();
            let response = test::call_service(&app, request).await;
            assert_eq!(response.status(), status);
        }
        count() - before
    };
    assert_eq!(read_for(100, 200).await, 0, "online");
    maintenance.turn_on().await.unwrap();
    assert_eq!(read_for(100, 503).await, 0, "offline without an end");
    maintenance.turn_off().await.unwrap();
    assert_eq!(read_for(100, 200).await, 0, "online again");
    let start = Timestamp::now() + 48.hours();
    maintenance.plan_window().start(start).await.unwrap();
    assert!(read_for(100, 200).await >= 100, "with a window ahead");
}

/// A process that serves, by a clock of its own.
async fn node(hand: &Arc<ManualClock>, store: &MemoryStore) -> Maintenance {
    let maintenance = maintenance(hand, store).await;
    let app = App::new().wrap(maintenance.middleware());
    // Ready when the node reports.
    let _app = test::init_service(app.route("/", web::get().to(|| async { "in" }))).await;
    maintenance
}

/// What is stored of windows and periods that are over.
async fn stored(store: &MemoryStore) -> (usize, usize) {
    let document = store.load().await.unwrap().unwrap().document;
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let windows = document["modes"]["site"]["windows"].as_array().unwrap();
    let history = document["history"].as_array().unwrap();
    let over = |period: &&serde_json::Value| !period["ended_at"].is_null();
    (windows.len(), history.iter().filter(over).count())
}

#[actix_web::test]
async fn a_node_whose_clock_is_fast_ends_nothing_for_others() {
    let (hand, fast) = (ManualClock::at(noon()), ManualClock::at(noon() + 5.hours()));
    let store = MemoryStore::new();
    let others = node(&hand, &store).await;
    let node = node(&fast, &store).await;
    others
        .turn_on()
        .until(noon() + 1.hour())
        .by("alice")
        .await
        .unwrap();
    let start = noon() + 3.hours();
    let window = others.plan_window().start(start).end(start + 1.hour());
    window.await.unwrap();
    // By its own clock both are over, for itself and for nobody else, also when it changes something.
    eventually(|| node.phase() == Phase::Online && node.history().len() == 2).await;
    node.plan_window().start(noon() + 9.hours()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stored(&store).await, (2, 0));
    assert_eq!(others.phase(), Phase::Offline);
    assert_eq!(others.history().len(), 1);
    assert_eq!(others.history()[0].ended_at, None);
    // It is over when the clock of all has passed it, and leaves the document then.
    for (now, phase) in [
        (noon() + 1.hour() - 1.second(), Phase::Offline),
        (noon() + 1.hour(), Phase::Scheduled),
        (start, Phase::Offline),
        (start + 1.hour(), Phase::Scheduled),
    ] {
        hand.set(now);
        assert_eq!(others.phase(), phase, "at {now}");
    }
    let deadline = Instant::now() + Duration::from_secs(40);
    while stored(&store).await != (1, 2) {
        assert!(Instant::now() < deadline, "{:?}", stored(&store).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for something that becomes true soon.
async fn eventually(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(Instant::now() < deadline, "it has not become true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_broken_disk_has_taken_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let store = crate::store::FileStore::new(folder.join("state")).unwrap();
    let builder = Maintenance::builder().settings(Settings::default());
    let maintenance = builder.custom_store(store).build().await.unwrap();
    let broken = &crate::store::file::replace::BROKEN;
    broken.lock().push(folder.clone());
    let error = maintenance.turn_on().await.unwrap_err();
    assert!(matches!(error, ChangeError::NotKnown(_)), "{error:?}");
    let told = crate::core::text::chain(&error);
    assert!(told.contains("syncing the folder"), "{told}");
    // What is there counts all the same.
    eventually(|| maintenance.is_on()).await;
    broken.lock().retain(|it| *it != folder);
    assert!(maintenance.turn_off().await.unwrap().changed);
}
