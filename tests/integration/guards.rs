//! Guards put back what was before, whatever happens in between, and nothing that somebody else has
//! changed.

use std::{panic::AssertUnwindSafe, sync::atomic::Ordering, time::Duration};

use actix_maintenance_mode::{ChangeError, Maintenance, Phase, Settings};
use actix_web::rt;
use futures_util::FutureExt as _;

use crate::{eventually::eventually, gated::Gated};

async fn maintenance() -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .store("memory:")
        .build()
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_guard_puts_back_what_was_before() {
    let maintenance = maintenance().await;
    let guard = maintenance
        .while_on()
        .reason("import")
        .enter()
        .await
        .unwrap();
    assert!(maintenance.is_on());
    assert_eq!(
        maintenance.status().modes[0].reason.as_deref(),
        Some("import")
    );
    guard.release().await.unwrap();
    assert!(!maintenance.is_on());
    assert_eq!(maintenance.history().len(), 1);
    assert!(maintenance.history()[0].ended_at.is_some());
}

#[actix_web::test]
async fn what_was_on_before_stays_on() {
    let maintenance = maintenance().await;
    maintenance
        .turn_on()
        .by("alice")
        .reason("upgrade")
        .await
        .unwrap();
    let before = maintenance.status().modes.clone();
    maintenance.while_on().run(async {}).await.unwrap();
    assert_eq!(maintenance.status().modes, before);
}

#[actix_web::test]
async fn while_off_opens_for_a_moment_and_closes_again() {
    let maintenance = maintenance().await;
    maintenance
        .turn_on()
        .by("alice")
        .reason("upgrade")
        .await
        .unwrap();
    let before = maintenance.status().modes.clone();
    let was_on = maintenance
        .while_off()
        .run(async { maintenance.is_on() })
        .await
        .unwrap();
    assert!(!was_on);
    assert_eq!(maintenance.status().modes, before);
}

#[actix_web::test]
async fn a_guard_that_is_dropped_puts_back_too() {
    let maintenance = maintenance().await;
    drop(maintenance.while_on().enter().await.unwrap());
    assert!(!maintenance.is_on(), "when the drop returns it is done");
}

#[actix_web::test]
async fn an_error_puts_back() {
    async fn job(maintenance: &Maintenance) -> Result<(), Box<dyn std::error::Error>> {
        let _guard = maintenance.while_on().enter().await?;
        "no number".parse::<u32>()?;
        Ok(())
    }
    let maintenance = maintenance().await;
    assert!(job(&maintenance).await.is_err());
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn a_panic_puts_back() {
    let maintenance = maintenance().await;
    let job = maintenance.while_on().run(async { panic!("as planned") });
    assert!(AssertUnwindSafe(job).catch_unwind().await.is_err());
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn cancellation_puts_back() {
    let maintenance = maintenance().await;
    let job = maintenance
        .while_on()
        .run(rt::time::sleep(Duration::from_secs(60)));
    assert!(
        rt::time::timeout(Duration::from_millis(50), job)
            .await
            .is_err()
    );
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn cancellation_while_it_is_entered_leaves_nothing_behind() {
    let store = Gated::open_for(0);
    let maintenance = Maintenance::builder()
        .settings(Settings::default())
        .custom_store(store.clone())
        .build()
        .await
        .unwrap();
    for _ in 0..100 {
        let mut enter = Box::pin(maintenance.while_on().enter());
        // Polled until the change is on its way, which cannot be stored yet.
        let before = store.waits.load(Ordering::SeqCst);
        while store.waits.load(Ordering::SeqCst) == before {
            assert!(enter.as_mut().now_or_never().is_none());
            rt::time::sleep(Duration::from_millis(1)).await;
        }
        // One for the change, one to put back.
        store.gate.add_permits(2);
        drop(enter);
        assert!(!maintenance.is_on());
    }
    assert_eq!(maintenance.history().len(), 100, "each was on for a moment");
}

#[actix_web::test]
async fn nested_guards_work_in_any_order() {
    let maintenance = maintenance().await;
    let outer = maintenance.while_on().enter().await.unwrap();
    let inner = maintenance.while_on().enter().await.unwrap();
    inner.release().await.unwrap();
    assert!(maintenance.is_on(), "the outer one still holds");
    outer.release().await.unwrap();
    assert!(!maintenance.is_on());

    let first = maintenance.while_on().enter().await.unwrap();
    let second = maintenance.while_on().enter().await.unwrap();
    first.release().await.unwrap();
    assert!(maintenance.is_on(), "the second one still holds");
    second.release().await.unwrap();
    assert!(!maintenance.is_on());

    let on = maintenance.while_on().enter().await.unwrap();
    let off = maintenance.while_off().enter().await.unwrap();
    assert!(!maintenance.is_on());
    off.release().await.unwrap();
    assert!(maintenance.is_on());
    on.release().await.unwrap();
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn what_somebody_else_changed_stays() {
    let maintenance = maintenance().await;
    let guard = maintenance.while_on().enter().await.unwrap();
    maintenance.turn_on().by("alice").await.unwrap();
    guard.release().await.unwrap();
    assert!(maintenance.is_on(), "alice wants it on");

    let guard = maintenance.while_off().enter().await.unwrap();
    maintenance.turn_off().by("bob").await.unwrap();
    guard.release().await.unwrap();
    assert!(!maintenance.is_on(), "bob wants it off");

    let guard = maintenance.while_on().enter().await.unwrap();
    maintenance.turn_off().by("bob").await.unwrap();
    maintenance.turn_on().by("alice").await.unwrap();
    guard.release().await.unwrap();
    assert!(maintenance.is_on(), "alice wants it on");
}

#[actix_web::test]
async fn a_guard_that_outlives_its_time_still_holds() {
    let maintenance = maintenance().await;
    let guard = maintenance
        .while_on()
        .lasting(Duration::from_millis(100))
        .enter()
        .await
        .unwrap();
    rt::time::sleep(Duration::from_millis(300)).await;
    assert!(maintenance.is_on());
    guard.release().await.unwrap();
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn while_off_does_not_override_a_window() {
    let maintenance = maintenance().await;
    maintenance.plan_window().title("works").await.unwrap();
    let refused = maintenance.while_off().enter().await;
    assert!(matches!(refused, Err(ChangeError::Plan(_))));
    assert_eq!(maintenance.phase(), Phase::Offline);
}

#[test]
fn blocking_code_has_a_form_of_its_own() {
    let maintenance = rt::System::new().block_on(maintenance());
    let was_on = maintenance
        .while_on()
        .run_blocking(|| maintenance.is_on())
        .unwrap();
    assert!(was_on);
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn an_unknown_mode_is_an_error_and_changes_nothing() {
    let maintenance = maintenance().await;
    let refused = maintenance.while_on().mode("shop").enter().await;
    assert!(matches!(refused, Err(ChangeError::UnknownMode { .. })));
    assert_eq!(maintenance.status().generation, 0);
}

#[actix_web::test]
async fn a_guard_can_drain_first_and_opens_afterwards() {
    let maintenance = maintenance().await;
    let guard = maintenance.while_on().drain().enter().await.unwrap();
    // Nobody is inside, so that it does not stay pending.
    eventually("it is offline", || maintenance.phase() == Phase::Offline).await;
    guard.release().await.unwrap();
    assert_eq!(maintenance.phase(), Phase::Online);
    assert_eq!(maintenance.history().len(), 1);
}

#[actix_web::test]
async fn a_guard_may_leave_things_as_they_are() {
    let maintenance = maintenance().await;
    let guard = maintenance.while_on().enter().await.unwrap();
    guard.keep().await.unwrap();
    assert!(maintenance.is_on());
    // No later guard takes it for its own.
    let guard = maintenance.while_on().enter().await.unwrap();
    guard.release().await.unwrap();
    assert!(maintenance.is_on());
    maintenance.turn_off().await.unwrap();
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn a_guard_that_would_be_over_before_it_begins_is_refused() {
    let maintenance = maintenance().await;
    let past = jiff::Timestamp::UNIX_EPOCH;
    let refused = maintenance.while_on().until(past).enter().await;
    assert!(matches!(refused, Err(ChangeError::Plan(_))), "{refused:?}");
    assert!(!maintenance.is_on());
}
