//! Planned windows, switches that switch themselves off, and what visitors are told of their end.

use std::time::Duration;

use actix_maintenance_mode::{ChangeError, Maintenance, Phase, Settings};
use actix_web::{App, HttpResponse, http::header, rt, test, web};
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

async fn maintenance(edit: impl FnOnce(&mut Settings) + Send + 'static) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .store("memory:")
        .configure(edit)
        .build()
        .await
        .unwrap()
}

/// What a visitor gets: status, `Retry-After` and the JSON body.
async fn visit(maintenance: &Maintenance) -> (u16, Option<u64>, Value) {
    let app = test::init_service(
        App::new()
            .route(
                "/",
                web::get().to(|| async { HttpResponse::Ok().json("in") }),
            )
            .wrap(maintenance.middleware()),
    )
    .await;
    let request = test::TestRequest::get()
        .uri("/")
        .insert_header((header::ACCEPT, "application/json"));
    let response = test::call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .map(|value| value.to_str().unwrap().parse().unwrap());
    (status, retry_after, test::read_body_json(response).await)
}

#[actix_web::test]
async fn a_window_closes_and_opens_for_visitors_by_itself() {
    let maintenance = maintenance(|_| {}).await;
    let start = Timestamp::now() + 300.milliseconds();
    let end = start + 1500.milliseconds();
    let planned = maintenance
        .plan_window()
        .start(start)
        .end(end)
        .message("New database.")
        .await
        .unwrap();
    assert!(planned.warnings.is_empty());
    assert_eq!(visit(&maintenance).await.0, 200);
    while Timestamp::now() < start {
        rt::time::sleep(Duration::from_millis(1)).await;
    }
    let (status, retry_after, body) = visit(&maintenance).await;
    assert_eq!(status, 503, "at its start, whatever timers do");
    assert!(matches!(retry_after, Some(1 | 2)), "{retry_after:?}");
    assert_eq!(body["message"], "New database.");
    assert_eq!(body["until"], end.to_string());
    assert_eq!(body["retry_after"], retry_after.unwrap());
    while Timestamp::now() < end {
        rt::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(visit(&maintenance).await.0, 200, "at its end");
}

#[actix_web::test]
async fn retry_after_is_counted_anew_for_each_request() {
    let maintenance = maintenance(|_| {}).await;
    maintenance
        .turn_on()
        .lasting(Duration::from_secs(600))
        .await
        .unwrap();
    let (_, first, _) = visit(&maintenance).await;
    rt::time::sleep(Duration::from_millis(1100)).await;
    let (_, second, body) = visit(&maintenance).await;
    assert!(second < first, "{first:?}, then {second:?}");
    assert_eq!(body["retry_after"], second.unwrap());
}

#[actix_web::test]
async fn jitter_makes_retry_after_longer_and_never_shorter() {
    let maintenance = maintenance(|settings| {
        settings.response.retry_after = Duration::from_secs(1000);
        settings.response.retry_jitter = 0.5;
    })
    .await;
    maintenance.turn_on().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..50 {
        let (_, retry_after, body) = visit(&maintenance).await;
        let seconds = retry_after.unwrap();
        assert!((1000..=1500).contains(&seconds), "{seconds}");
        assert_eq!(body["retry_after"], seconds, "header and body say the same");
        seen.push(seconds);
    }
    seen.dedup();
    assert!(seen.len() > 1, "not everybody comes back at once");
}

#[actix_web::test]
async fn a_window_that_makes_no_sense_is_refused() {
    let maintenance = maintenance(|_| {}).await;
    let now = Timestamp::now();
    for (start, end) in [
        (now + 2.hours(), now + 1.hour()),
        (now + 1.hour(), now + 1.hour()),
        (now - 2.hours(), now - 1.hour()),
    ] {
        let refused = maintenance.plan_window().start(start).end(end).await;
        assert!(matches!(refused, Err(ChangeError::Plan(_))), "{refused:?}");
    }
    assert_eq!(maintenance.status().generation, 0);
}

#[actix_web::test]
async fn what_may_not_be_meant_so_is_warned_of() {
    let maintenance = maintenance(|_| {}).await;
    let now = Timestamp::now();
    let warning = async |start: Option<Timestamp>, end: Option<Timestamp>| {
        let mut plan = maintenance.plan_window();
        if let Some(start) = start {
            plan = plan.start(start);
        }
        if let Some(end) = end {
            plan = plan.end(end);
        }
        plan.await.unwrap().warnings.join("; ")
    };
    assert!(warning(None, None).await.contains("no end"));
    let past = warning(Some(now - 1.hour()), Some(now + 1.hour())).await;
    assert!(past.contains("it starts now"), "{past}");
    let long = warning(Some(now), Some(now + (400 * 24).hours())).await;
    assert!(long.contains("more than a year"), "{long}");
}

#[actix_web::test]
async fn a_window_is_shown_and_can_be_cancelled() {
    let maintenance = maintenance(|_| {}).await;
    let planned = maintenance
        .plan_window()
        .title("works")
        .by("alice")
        .await
        .unwrap();
    assert_eq!(maintenance.phase(), Phase::Offline);
    let status = maintenance.status();
    assert_eq!(status.modes[0].windows[0].id, planned.id);
    assert_eq!(status.modes[0].windows[0].title.as_deref(), Some("works"));
    maintenance
        .cancel_window(&planned.id)
        .by("bob")
        .await
        .unwrap();
    assert_eq!(maintenance.phase(), Phase::Online);
    let history = maintenance.history();
    assert_eq!(history[0].by.as_deref(), Some("alice"));
    assert_eq!(history[0].ended_by.as_deref(), Some("bob"));
    let again = maintenance.cancel_window(&planned.id).await;
    assert!(matches!(again, Err(ChangeError::UnknownWindow(_))));
}

#[actix_web::test]
async fn a_window_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().join("state").display());
    let start = || {
        Maintenance::builder()
            .settings(Settings::default())
            .store(url.clone())
            .build()
    };
    let planned = start().await.unwrap().plan_window().await.unwrap();
    let again = start().await.unwrap();
    assert_eq!(again.status().modes[0].windows[0].id, planned.id);
    assert!(again.is_on());
}

#[actix_web::test]
async fn a_plain_word_counts_as_one_more_generation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let maintenance = Maintenance::builder()
        .settings(Settings::default())
        .store(format!("file:{}", path.display()))
        .build()
        .await
        .unwrap();
    maintenance.turn_on().await.unwrap();
    let mut changes = maintenance.subscribe();
    std::fs::write(&path, "off\n").unwrap();
    // The file is empty before the word is in it: who looks then is told that it is damaged, and it
    // stays on.
    let status = loop {
        let status = changes.next().await.unwrap();
        if (status.maintenance_mode, status.generation) != (true, 1) {
            break status;
        }
    };
    assert_eq!((status.maintenance_mode, status.generation), (false, 2));
    let change = maintenance.turn_on().await.unwrap();
    assert_eq!(change.status.generation, 3);
}

#[actix_web::test]
async fn a_missing_template_is_told_together_with_the_other_faults() {
    let built = Maintenance::builder()
        .settings(Settings::default())
        .configure(|settings| {
            settings.response.template = "mine.html".to_owned();
            settings.response.status = 200;
        })
        .build()
        .await;
    let text = built.unwrap_err().to_string();
    assert!(text.contains("response.status"), "{text}");
    assert!(text.contains("mine.html"), "{text}");
}
