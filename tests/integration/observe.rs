//! What operators watch: log events with stable names, a filter for error logs, and health.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_maintenance_mode::{Maintenance, Phase, Settings, observe::is_refusal};
use actix_web::{
    App, HttpResponse,
    middleware::Logger,
    test::{self as harness, TestRequest},
    web,
};
use jiff::{Timestamp, ToSpan as _};

use crate::{child::Role, eventually::eventually, log::Log, logs::Logs, test_app::TestApp};

#[test]
fn what_happens_is_logged_by_events_with_stable_names_and_fields() {
    Role::new("log-events").run();
}

/// In a process of its own, because what the driver logs is the whole process's log.
pub(crate) async fn child_logs_events() {
    let logs = Logs::capture();
    let app = TestApp::start().await;
    let maintenance = &app.maintenance;
    let one = |texts: &[&str]| {
        let mut lines = logs.with(texts[0]);
        lines.retain(|line| texts.iter().all(|text| line.contains(text)));
        assert_eq!(lines.len(), 1, "{texts:?}: {lines:#?}");
        lines.remove(0)
    };

    maintenance
        .turn_on()
        .drain()
        .by("alice")
        .reason("disks")
        .await
        .unwrap();
    eventually("the drain ends", || maintenance.phase() == Phase::Offline).await;
    eventually("it is logged", || {
        !logs.with("maintenance.drained").is_empty()
    })
    .await;
    let line = one(&["maintenance.phase", "phase=pending"]);
    for field in [
        "INFO",
        "mode=site",
        "before=online",
        "cause=\"change\"",
        "by=\"alice\"",
        "reason=\"disks\"",
        "generation=1",
    ] {
        assert!(line.contains(field), "{field}: {line}");
    }
    let line = one(&["maintenance.phase", "phase=offline"]);
    assert!(line.contains("before=pending"), "{line}");
    let line = one(&["maintenance.drained", "INFO"]);
    assert!(
        line.contains("mode=\"site\"") && line.contains("generation=2"),
        "{line}"
    );

    // The first refusal and each thousandth.
    for _ in 0..2500 {
        app.get("/").accept("application/json").await;
    }
    let refusals = logs.with("maintenance.refusals");
    assert_eq!(refusals.len(), 3, "{refusals:#?}");
    for (line, refusals) in refusals.iter().zip([1, 1000, 2000]) {
        for field in [
            "mode=\"site\"",
            "rule=\"no-exemption\"",
            "format=\"json\"",
            &format!("refusals={refusals}"),
        ] {
            assert!(line.contains(field), "{field}: {line}");
        }
    }

    // What is said is changed, and the phase stays.
    let turn_on = maintenance.turn_on().by("bob").reason("more disks");
    turn_on.await.unwrap();
    let line = one(&["maintenance.changed", "what=\"said\""]);
    for field in ["INFO", "mode=site", "by=\"bob\"", "reason=\"more disks\""] {
        assert!(line.contains(field), "{field}: {line}");
    }

    maintenance.turn_off().by("carol").await.unwrap();
    let line = one(&["maintenance.phase", "phase=online"]);
    assert!(line.contains("by=\"carol\""), "{line}");

    // So it is with what is planned.
    let plan = maintenance.plan_window().by("dan");
    let planned = plan.start(Timestamp::now() + 5.hours()).await.unwrap();
    let cancel = maintenance.cancel_window(&planned.id).by("eve");
    cancel.await.unwrap();
    for (what, by) in [("window-planned", "dan"), ("window-cancelled", "eve")] {
        let line = one(&["maintenance.changed", what]);
        let window = format!("window=\"{}\"", planned.id);
        for field in ["INFO", "mode=site", &format!("by=\"{by}\""), &window] {
            assert!(line.contains(field), "{field}: {line}");
        }
    }

    maintenance
        .plan_window()
        .start(Timestamp::now() + 300.milliseconds())
        .await
        .unwrap();
    eventually("the window opens", || {
        logs.with("cause=\"edge\"").len() == 1
    })
    .await;
    let line = one(&["maintenance.phase", "cause=\"edge\""]);
    assert!(
        line.contains("before=online") && line.contains("phase=offline"),
        "{line}"
    );

    app.post("/maintenance-mode/off").await;
    let line = one(&["maintenance.toggle-refused"]);
    assert!(line.contains("why=\"permission\""), "{line}");
}

#[actix_web::test]
async fn each_refusal_and_each_pass_is_logged_for_those_who_look_closely() {
    let log = Log::collect();
    let app = TestApp::with_settings(|settings| {
        settings.exempt.prefixes.push("/about".to_owned());
    })
    .await;
    app.turn_on().await;
    app.get("/").accept("text/plain").await.is_refused();
    app.get("/about").await;
    let lines = log.lines();
    let with = |texts: &[&str]| {
        lines
            .iter()
            .filter(|line| texts.iter().all(|text| line.contains(text)))
            .count()
    };
    let refusal = [
        "DEBUG",
        "maintenance.refusal\"",
        "no-exemption",
        "text",
        "site",
    ];
    assert_eq!(with(&refusal), 1, "{lines:#?}");
    let pass = ["DEBUG", "maintenance.pass", "exempt-prefix"];
    assert_eq!(with(&pass), 1, "{lines:#?}");
}

#[actix_web::test]
async fn an_access_log_can_tell_a_refusal_from_an_outage() {
    let maintenance = Maintenance::builder()
        .settings(Settings::default())
        .store("memory:")
        .build()
        .await
        .unwrap();
    let (refusals, others) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let logger = Logger::new("%{why}xo").custom_response_replace("why", {
        let (refusals, others) = (Arc::clone(&refusals), Arc::clone(&others));
        move |response| {
            let counted = if is_refusal(response) {
                &refusals
            } else {
                &others
            };
            counted.fetch_add(1, Ordering::SeqCst);
            String::new()
        }
    });
    let outage = || async { HttpResponse::ServiceUnavailable().finish() };
    let app = harness::init_service(
        App::new()
            .route("/", web::get().to(outage))
            .wrap(maintenance.middleware())
            .wrap(logger),
    )
    .await;
    let status = async || {
        let request = TestRequest::get().uri("/").to_request();
        harness::call_service(&app, request).await.status().as_u16()
    };
    let counted = || {
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (of(&refusals), of(&others))
    };
    assert_eq!(status().await, 503);
    assert_eq!(counted(), (0, 1));
    maintenance.turn_on().await.unwrap();
    assert_eq!(status().await, 503);
    assert_eq!(counted(), (1, 1));
}

#[cfg(feature = "tracing-filter")]
mod filter {
    use actix_maintenance_mode::observe::NotWhileInMaintenance;
    use tracing::{Event, Subscriber};
    use tracing_subscriber::{
        Layer, layer::Context, layer::SubscriberExt as _, registry::Registry,
    };

    use super::*;

    /// Counts what gets to it.
    #[derive(Clone, Default)]
    struct Pager(Arc<AtomicU64>);

    impl<S: Subscriber> Layer<S> for Pager {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// As RequireNotMaintenanceMode503 of django-maintenance-mode.
    #[actix_web::test]
    async fn it_drops_503s_while_maintenance_explains_them_and_nothing_else() {
        let app = TestApp::start().await;
        let pager = Pager::default();
        let filter = NotWhileInMaintenance::new(app.maintenance.clone());
        let subscriber = Registry::default().with(pager.clone().with_filter(filter));
        let count = |log: fn()| {
            let before = pager.0.load(Ordering::SeqCst);
            tracing::callsite::rebuild_interest_cache();
            log();
            pager.0.load(Ordering::SeqCst) - before
        };
        let unavailable: [fn(); 4] = [
            || tracing::error!(status = 503, "request failed"),
            || tracing::error!(status_code = 503_u64, "request failed"),
            || tracing::error!(http.status_code = "503 Service Unavailable"),
            || tracing::warn!(http.response.status_code = ?actix_web::http::StatusCode::SERVICE_UNAVAILABLE, "slow"),
        ];
        let others: [fn(); 4] = [
            || tracing::error!(status = 500, "request failed"),
            || tracing::error!(status = "unavailable", "request failed"),
            || tracing::error!(port = 503, "cannot listen"),
            || tracing::error!("503 is only said"),
        ];
        let guard = tracing::subscriber::set_default(subscriber);
        for log in unavailable.into_iter().chain(others) {
            assert_eq!(count(log), 1, "nothing explains it");
        }
        app.turn_on().await;
        for log in unavailable {
            assert_eq!(count(log), 0, "maintenance explains it");
        }
        for log in others {
            assert_eq!(count(log), 1, "it is something else");
        }
        app.turn_off().await;
        for log in unavailable {
            assert_eq!(count(log), 1, "it is over");
        }
        drop(guard);
    }
}

#[cfg(feature = "metrics")]
#[test]
fn figures_reach_an_exporter_by_their_names() {
    Role::new("metrics").run();
}

/// In a process of its own, because there is one recorder for a process.
#[cfg(feature = "metrics")]
pub(crate) async fn child_exports_figures() {
    let exporter = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .unwrap();
    let app = TestApp::with_settings(|settings| {
        settings.exempt.prefixes.push("/about".to_owned());
    })
    .await;
    let shows = |line: &str| exporter.render().lines().any(|known| known == line);
    eventually("it is online", || {
        shows(r#"maintenance_phase{mode="site",phase="online"} 1"#)
    })
    .await;
    for line in [
        r#"maintenance_phase{mode="site",phase="offline"} 0"#,
        "maintenance_store_errors_total 0",
        "maintenance_in_flight_requests 0",
        "maintenance_endless_responses 0",
        "maintenance_parked_requests 0",
        r#"maintenance_parked_total{outcome="let-in"} 0"#,
        "maintenance_parked_turned_away_total 0",
        "maintenance_sessions 0",
        "maintenance_tasks 0",
        "maintenance_knowledge_age_seconds 0",
    ] {
        assert!(shows(line), "{line}\n{}", exporter.render());
    }
    app.turn_on().await;
    for _ in 0..3 {
        app.get("/").accept("application/json").await.is_refused();
    }
    app.get("/about").await;
    let refusals = r#"maintenance_refusals_total{mode="site",format="json"} 3"#;
    assert!(shows(refusals), "{}", exporter.render());
    assert!(shows(r#"maintenance_passes_total{rule="exempt-prefix"} 1"#));
    let granted = app.maintenance.grant("auditor").token().await.unwrap();
    let secret = granted.secret().unwrap();
    let looks = app.get("/").header("X-Maintenance-Grant", secret);
    looks.await.is_served();
    assert!(shows(r#"maintenance_passes_total{rule="grant"} 1"#));
    assert!(shows(r#"maintenance_grant_uses_total{grant="auditor"} 1"#));
    let park = app.maintenance.turn_on().park(Duration::from_secs(1));
    park.await.unwrap();
    let refused = futures_util::future::join(app.get("/").into_future(), async {
        eventually("somebody waits", || shows("maintenance_parked_requests 1")).await;
    });
    refused.await.0.is_refused();
    eventually("nobody waits any more", || {
        shows("maintenance_parked_requests 0")
            && shows(r#"maintenance_parked_total{outcome="refused"} 1"#)
    })
    .await;
    eventually("nobody is in", || {
        shows(r#"maintenance_opening_share{mode="site"} 0"#)
    })
    .await;
    eventually("it is offline", || {
        shows(r#"maintenance_phase{mode="site",phase="offline"} 1"#)
            && shows(r#"maintenance_phase{mode="site",phase="online"} 0"#)
    })
    .await;
    let seconds = || -> f64 {
        let text = exporter.render();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("maintenance_phase_seconds{mode=\"site\"} "));
        line.unwrap().parse().unwrap()
    };
    let before = seconds();
    eventually("the time is counted", || seconds() > before + 0.9).await;
}

#[cfg(not(feature = "metrics"))]
#[allow(clippy::unused_async, reason = "it has the form of its counterpart")]
pub(crate) async fn child_exports_figures() {}

/// Liveness always passes, by GET and by HEAD, to anybody.
#[actix_web::test]
async fn the_process_is_live_whatever_maintenance_is() {
    let app = TestApp::start().await;
    for turn in ["online", "pending", "offline"] {
        for path in ["/maintenance-mode/livez", "/maintenance-mode/livez/"] {
            let answer = app.get(path).await;
            assert_eq!((answer.status, answer.text()), (200, "live"), "{turn}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(app.head(path).await.status, 200, "{turn}");
        }
        match turn {
            "online" => {
                let drain = app.maintenance.turn_on().drain();
                drain.drain_timeout(Duration::from_secs(60)).await.unwrap();
            }
            _ => app.turn_on().await,
        }
    }
}

#[actix_web::test]
async fn traffic_moves_away_from_a_site_that_is_offline_and_not_from_one_that_is_closing() {
    let app = TestApp::start().await;
    let ready = async || app.get("/maintenance-mode/readyz").await.status;
    assert_eq!(ready().await, 200);
    let user = app.log_in_user("alice").await;
    app.get("/").by(&user).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    assert_eq!(app.maintenance.phase(), Phase::Pending);
    assert_eq!(ready().await, 200);
    app.turn_on().await;
    assert_eq!(ready().await, 503);
    assert_eq!(app.head("/maintenance-mode/readyz").await.status, 503);
    app.turn_off().await;
    assert_eq!(ready().await, 200);
}

#[actix_web::test]
async fn a_mode_that_leaves_something_open_keeps_traffic_unless_it_is_named() {
    use actix_maintenance_mode::settings::{Access, ModeSettings};

    let app = TestApp::with_settings(|settings| {
        settings.modes = ["site", "shop", "writes"].map(ModeSettings::new).into();
        settings.modes[1].applies_to.prefixes = vec!["/shop".to_owned()];
        settings.modes[2].access = Access::ReadOnly;
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    for mode in ["shop", "writes"] {
        app.maintenance.turn_on().mode(mode).await.unwrap();
    }
    let ready = async |query: &str| {
        let path = format!("/maintenance-mode/readyz{query}");
        app.get(&path).by(&superuser).await.status
    };
    assert_eq!(ready("").await, 200);
    assert_eq!(ready("?mode=site").await, 200);
    assert_eq!(ready("?mode=shop").await, 503);
    assert_eq!(ready("?mode=nothing").await, 404);
    app.maintenance.turn_on().mode("site").await.unwrap();
    assert_eq!(ready("").await, 503);
}
