//! Hooks: asked before a change, told after a mode was entered or left, and never in the way.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Builder, ChangeError, ChangeKind, Maintenance, Phase, ProposedChange, Transition,
    settings::ModeSettings,
};
use jiff::{Timestamp, ToSpan as _};

use crate::{
    eventually::eventually,
    test_app::{TestApp, maintenance},
};

/// What hooks have heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    async fn becomes(&self, expected: &[&str]) {
        eventually(&format!("{expected:?} is heard"), || self.all() == expected).await;
        // Nothing comes after it.
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(self.all(), expected);
    }
}

/// Has every entering and leaving noted.
fn noted(builder: Builder, heard: &Heard) -> Builder {
    let (entered, left) = (heard.clone(), heard.clone());
    let told = |transition: &Transition, what: &str| {
        format!(
            "{what} {} from {} by {}",
            transition.mode.key,
            transition.from,
            transition.mode.by.as_deref().unwrap_or("-")
        )
    };
    builder
        .after_entering(move |transition| {
            entered.note(told(&transition, "enters"));
            async {}
        })
        .after_leaving(move |transition| {
            left.note(told(&transition, "leaves"));
            async { Ok::<(), Infallible>(()) }
        })
}

/// Has every question noted, and refuses what is to be done by somebody.
fn asked(builder: Builder, heard: &Heard, refuse: &'static str) -> Builder {
    let heard = heard.clone();
    builder.before_change(move |change: ProposedChange| {
        heard.note(format!("{:?} {}", change.kind, change.mode));
        async move {
            if change.by.as_deref() == Some(refuse) {
                Err(format!("{refuse} is on holiday"))
            } else {
                Ok(())
            }
        }
    })
}

fn site_and_shop(settings: &mut actix_maintenance_mode::Settings) {
    settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
}

#[actix_web::test]
async fn a_hook_refuses_a_change_with_its_reason() {
    let heard = Heard::default();
    let maintenance = maintenance(|builder| asked(builder, &heard, "eve")).await;
    let refused = maintenance.turn_on().by("eve").await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the change is refused: eve is on holiday"
    );
    assert!(matches!(refused, ChangeError::Refused { .. }));
    assert!(!maintenance.is_on());
    maintenance.turn_on().by("ada").await.unwrap();
    let refused = maintenance.turn_off().by("eve").await;
    assert!(matches!(refused, Err(ChangeError::Refused { .. })));
    assert!(maintenance.is_on());
}

#[actix_web::test]
async fn the_api_answers_a_refused_change_with_409_and_the_reason() {
    let heard = Heard::default();
    let app = TestApp::with_builder(|builder| asked(builder, &heard, "eve")).await;
    let eve = app.log_in_superuser("eve").await;
    for accept in ["text/html", "application/json"] {
        let answer = app
            .post("/maintenance-mode/on")
            .by(&eve)
            .accept(accept)
            .await;
        assert_eq!(answer.status, 409, "{accept}");
        assert!(answer.text().contains("eve is on holiday"), "{answer:?}");
    }
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn hooks_are_asked_about_all_that_people_and_code_do() {
    let heard = Heard::default();
    let maintenance =
        maintenance(|builder| asked(builder.configure(site_and_shop), &heard, "eve")).await;
    let start = Timestamp::now() + 1.hour();
    let planned = maintenance.plan_window().mode("shop").start(start);
    let planned = planned.end(start + 1.hour()).await.unwrap();
    maintenance.cancel_window(&planned.id).await.unwrap();
    maintenance.turn_on().mode("shop").await.unwrap();
    maintenance.turn_off().mode("shop").await.unwrap();
    maintenance.forget("shop").await.unwrap();
    let guard = maintenance.while_on().enter().await.unwrap();
    // What a guard puts back must not be refused.
    guard.release().await.unwrap();
    heard
        .becomes(&[
            "PlanWindow shop",
            "CancelWindow shop",
            "TurnOn shop",
            "TurnOff shop",
            "Forget shop",
            "TurnOn site",
        ])
        .await;
}

#[actix_web::test]
async fn what_cannot_be_done_is_refused_also_for_windows_and_guards() {
    let heard = Heard::default();
    let maintenance = maintenance(|builder| asked(builder, &heard, "eve")).await;
    let start = Timestamp::now() + 1.hour();
    let refused = maintenance.plan_window().start(start).by("eve");
    let refused = refused.end(start + 1.hour()).await;
    assert!(matches!(refused, Err(ChangeError::Refused { .. })));
    let refused = maintenance.while_on().by("eve").enter().await;
    assert!(matches!(refused, Err(ChangeError::Refused { .. })));
    let status = maintenance.status();
    assert!(status.modes[0].windows.is_empty() && !status.maintenance_mode);
}

#[actix_web::test]
async fn hooks_are_told_of_entering_and_leaving_in_order() {
    let heard = Heard::default();
    let maintenance = maintenance(|builder| noted(builder.configure(site_and_shop), &heard)).await;
    for _ in 0..3 {
        maintenance.turn_on().by("ada").await.unwrap();
        // What is on already is not entered.
        maintenance.turn_on().message("Soon back.").await.unwrap();
        maintenance.turn_off().await.unwrap();
    }
    maintenance.turn_on().mode("shop").drain().await.unwrap();
    heard
        .becomes(&[
            "enters site from online by ada",
            "leaves site from offline by -",
            "enters site from online by ada",
            "leaves site from offline by -",
            "enters site from online by ada",
            "leaves site from offline by -",
            "enters shop from online by -",
        ])
        .await;
}

#[actix_web::test]
async fn hooks_are_told_of_windows_and_of_what_other_processes_do() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().join("state").display());
    let heard = Heard::default();
    let listening = maintenance(|builder| noted(builder.store(url.clone()), &heard)).await;
    let other = maintenance(|builder| builder.store(url)).await;
    other.turn_on().by("bob").await.unwrap();
    heard.becomes(&["enters site from online by bob"]).await;
    other.turn_off().await.unwrap();
    let now = Timestamp::now();
    let window = other
        .plan_window()
        .by("cem")
        .start(now + 200.milliseconds());
    window.end(now + 400.milliseconds()).await.unwrap();
    heard
        .becomes(&[
            "enters site from online by bob",
            "leaves site from offline by -",
            "enters site from online by cem",
            "leaves site from offline by -",
        ])
        .await;
    drop(listening);
}

#[actix_web::test]
async fn a_process_that_starts_in_maintenance_enters_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    std::fs::write(&file, "on").unwrap();
    let heard = Heard::default();
    let url = format!("file:{}", file.display());
    let _maintenance = maintenance(|builder| noted(builder.store(url), &heard)).await;
    heard.becomes(&["enters site from online by -"]).await;
}

#[actix_web::test]
async fn a_change_may_leave_the_hooks_out() {
    let heard = Heard::default();
    let maintenance = maintenance(|builder| asked(noted(builder, &heard), &heard, "eve")).await;
    let quietly = maintenance.turn_on().by("eve").call_hooks(false);
    quietly.await.unwrap();
    assert!(maintenance.is_on());
    maintenance.turn_off().call_hooks(false).await.unwrap();
    let guard = maintenance.while_on().by("eve").call_hooks(false);
    guard.enter().await.unwrap().release().await.unwrap();
    maintenance.forget("site").call_hooks(false).await.unwrap();
    maintenance.turn_on().await.unwrap();
    heard
        .becomes(&["TurnOn site", "enters site from online by -"])
        .await;
}

/// Switches on and off with hooks that misbehave, which takes no longer than this.
async fn goes_on(maintenance: &Maintenance, at_most: Duration) {
    let begun = Instant::now();
    maintenance.turn_on().await.unwrap();
    assert!(maintenance.is_on());
    maintenance.turn_off().await.unwrap();
    assert!(!maintenance.is_on());
    assert!(begun.elapsed() < at_most, "{:?}", begun.elapsed());
}

#[actix_web::test]
async fn a_hook_that_panics_is_no_obstacle_and_the_next_one_is_called() {
    let heard = Heard::default();
    let maintenance = maintenance(|builder| {
        let builder = builder
            .before_change(async |_| -> Result<(), String> { panic!("no") })
            .before_change(|_| -> std::future::Ready<()> { panic!("not even a future") })
            .after_entering(async |_| -> () { panic!("never") })
            .after_leaving(async |_| Err("unwell"));
        asked(noted(builder, &heard), &heard, "eve")
    })
    .await;
    goes_on(&maintenance, Duration::from_secs(4)).await;
    let refused = maintenance.turn_on().by("eve").await;
    assert!(matches!(refused, Err(ChangeError::Refused { .. })));
    eventually("both are heard", || {
        let heard = heard.all();
        heard.iter().any(|what| what.starts_with("enters"))
            && heard.iter().any(|what| what.starts_with("leaves"))
    })
    .await;
}

#[actix_web::test]
async fn a_hook_that_never_ends_is_no_obstacle() {
    let heard = Heard::default();
    let maintenance = maintenance(|builder| {
        let builder = builder
            .hook_time_limit(Duration::from_millis(100))
            .before_change(async |_| std::future::pending::<()>().await)
            .after_entering(async |_| std::future::pending::<()>().await);
        noted(builder, &heard)
    })
    .await;
    goes_on(&maintenance, Duration::from_secs(10)).await;
    heard
        .becomes(&[
            "enters site from online by -",
            "leaves site from offline by -",
        ])
        .await;
}

#[actix_web::test]
async fn a_hook_that_blocks_its_thread_holds_up_neither_changes_nor_requests() {
    let is_over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&is_over);
    let app = TestApp::with_builder(|builder| {
        builder
            .hook_time_limit(Duration::from_millis(100))
            .before_change(async |_| ())
            .after_entering(move |_| {
                while !until.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(5));
                }
                async {}
            })
    })
    .await;
    for _ in 0..3 {
        app.turn_on().await;
        app.get("/").await.is_refused();
        app.turn_off().await;
        app.get("/").await.is_served();
    }
    is_over.store(true, Ordering::SeqCst);
}

#[actix_web::test]
async fn a_hook_may_itself_make_changes() {
    let handle = Arc::new(Mutex::new(None::<Maintenance>));
    let known = Arc::clone(&handle);
    let maintenance = maintenance(|builder| {
        builder
            .configure(site_and_shop)
            .after_entering(move |transition| {
                let maintenance = known.lock().unwrap().clone();
                async move {
                    if let (Some(maintenance), "site") = (maintenance, &*transition.mode.key) {
                        maintenance.turn_on().mode("shop").await.map(drop)
                    } else {
                        Ok(())
                    }
                }
            })
    })
    .await;
    *handle.lock().unwrap() = Some(maintenance.clone());
    maintenance.turn_on().await.unwrap();
    eventually("the hook has switched", || {
        maintenance.phase_of("shop") == Some(Phase::Offline)
    })
    .await;
    handle.lock().unwrap().take();
}

#[actix_web::test]
async fn code_that_is_not_async_meets_the_hooks_too() {
    let maintenance = maintenance(|builder| {
        builder.before_change(async |change: ProposedChange| {
            assert_eq!(change.kind, ChangeKind::TurnOn);
            Err::<(), _>("not now")
        })
    })
    .await;
    let handle = maintenance.clone();
    let refused = thread::spawn(move || handle.while_on().enter_blocking().map(drop));
    let refused = refused.join().unwrap();
    assert!(matches!(refused, Err(ChangeError::Refused { .. })));
}

#[actix_web::test]
async fn whoever_follows_changes_closes_sockets_of_its_own_and_misses_no_last_state() {
    let maintenance = maintenance(|builder| builder.configure(site_and_shop)).await;
    let mut changes = maintenance.subscribe();
    let is_open = Arc::new(AtomicBool::new(true));
    let socket = Arc::clone(&is_open);
    let closing = actix_web::rt::spawn(async move {
        let mut seen = 0;
        while let Some(status) = changes.next().await {
            seen += 1;
            let shop = status.mode("shop").unwrap();
            if shop.phase == Phase::Offline && shop.reason.as_deref() == Some("last") {
                socket.store(false, Ordering::SeqCst);
                break;
            }
        }
        seen
    });
    // Many more changes than it can look at, and then the one that counts.
    for _ in 0..20 {
        maintenance.turn_on().mode("shop").await.unwrap();
        maintenance.turn_off().mode("shop").await.unwrap();
    }
    maintenance
        .turn_on()
        .mode("shop")
        .reason("last")
        .await
        .unwrap();
    let seen = closing.await.unwrap();
    assert!((1..=41).contains(&seen), "{seen}");
    assert!(!is_open.load(Ordering::SeqCst));
}

#[actix_web::test]
async fn who_follows_changes_sees_edges_of_windows_and_the_end() {
    let maintenance = maintenance(|builder| builder).await;
    let mut changes = maintenance.subscribe();
    let now = Timestamp::now();
    let window = maintenance.plan_window().start(now + 100.milliseconds());
    window.end(now + 300.milliseconds()).await.unwrap();
    let mut phases = vec![Phase::Online];
    while phases.len() < 3 {
        let phase = changes.next().await.unwrap().modes[0].phase;
        if phases.last() != Some(&phase) {
            phases.push(phase);
        }
    }
    assert_eq!(phases, [Phase::Online, Phase::Offline, Phase::Online]);
    drop(maintenance);
    while changes.next().await.is_some() {}
}
