//! The admin scope: superusers switch maintenance on and off, programs ask what is.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_maintenance_mode::{
    Phase, Visitor,
    settings::{Forced, ModeSettings},
    store::{Hint, Hints, Loaded, MemoryStore, Saved, Store, StoreError, StoreFuture, Version},
};
use actix_web::{App, http::Method, test};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::handed_on::leases_of;
use crate::test_app::{self, Answer, TestApp, maintenance};

const ON: &str = "/maintenance-mode/on";
const OFF: &str = "/maintenance-mode/off";
const STATUS: &str = "/maintenance-mode/status";
const PING: &str = "/maintenance-mode/ping";

#[actix_web::test]
async fn a_superuser_switches_on_and_off_with_and_without_a_slash() {
    let (app, superuser) = TestApp::with_superuser().await;
    for method in [Method::GET, Method::POST] {
        for slash in ["", "/"] {
            let answer = app
                .request(method.clone(), &format!("{ON}{slash}"))
                .by(&superuser)
                .await;
            assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(app.maintenance.is_on());
            app.get("/").await.is_refused();

            let answer = app
                .request(method.clone(), &format!("{OFF}{slash}"))
                .by(&superuser)
                .await;
            assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
            assert!(!app.maintenance.is_on());
            app.get("/").await.is_served();
        }
    }
}

#[actix_web::test]
async fn switching_what_is_so_already_succeeds() {
    let (app, superuser) = TestApp::with_superuser().await;
    assert_eq!(app.post(OFF).by(&superuser).await.status, 303);
    assert_eq!(app.post(ON).by(&superuser).await.status, 303);
    let generation = app.maintenance.status().generation;
    assert_eq!(app.post(ON).by(&superuser).await.status, 303);
    assert_eq!(app.maintenance.status().generation, generation);
}

#[actix_web::test]
async fn the_scope_is_where_the_settings_put_it() {
    for admin_path in ["/ops/maintenance", "/ops/maintenance/"] {
        let app =
            TestApp::with_settings(move |settings| settings.admin_path = admin_path.to_owned())
                .await;
        let superuser = app.log_in_superuser("ada").await;
        app.post("/ops/maintenance/on").by(&superuser).await;
        assert!(app.maintenance.is_on());
        assert_eq!(
            app.get("/ops/maintenance/status")
                .by(&superuser)
                .await
                .status,
            200
        );
        app.get(STATUS).by(&superuser).await.is_refused();
    }
}

#[actix_web::test]
async fn nobody_but_superusers_may_do_or_see_anything() {
    let app = TestApp::start().await;
    let visitors = [
        None,
        Some(app.log_in_user("bob").await),
        Some(app.log_in_staff("sue").await),
    ];
    for on in [false, true] {
        if on {
            app.turn_on().await;
        }
        let before = app.maintenance.status().modes;
        for visitor in &visitors {
            for method in [Method::GET, Method::POST] {
                for path in [ON, OFF, STATUS] {
                    if path == STATUS && method == Method::POST {
                        continue;
                    }
                    for (accept, content_type) in [
                        ("text/html", "text/html; charset=utf-8"),
                        ("application/json", "application/problem+json"),
                        ("application/problem+json", "application/problem+json"),
                        ("text/plain", "text/plain; charset=utf-8"),
                    ] {
                        let visit = app.request(method.clone(), path).accept(accept);
                        let answer = match visitor {
                            Some(visitor) => visit.by(visitor).await,
                            None => visit.await,
                        };
                        assert_eq!(answer.status, 403, "{method} {path}");
                        assert_eq!(answer.header("content-type"), Some(content_type));
                        assert_eq!(answer.header("cache-control"), Some("no-store"));
                        assert!(answer.text().contains("Only superusers may"), "{answer:?}");
                        assert!(!answer.is_marked, "this is no refusal for maintenance");
                    }
                }
            }
        }
        assert_eq!(
            app.maintenance.status().modes,
            before,
            "nothing has changed"
        );
    }
}

#[actix_web::test]
async fn the_problem_of_who_may_not_is_a_whole_one() {
    let app = TestApp::start().await;
    let answer = app.post(ON).accept("application/json").await;
    let problem = answer.json();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["title"], "Forbidden");
    assert_eq!(problem["status"], 403);
    assert!(problem["detail"].is_string());
}

#[actix_web::test]
async fn the_identity_of_the_apps_own_decides_who_is_a_superuser() {
    let maintenance = maintenance(|builder| {
        builder.async_identity(|request| {
            let root = request.headers().contains_key("x-root");
            async move { Visitor::user("root").with_superuser(root) }
        })
    })
    .await;
    let app = App::new()
        .service(maintenance.admin())
        .configure(test_app::routes)
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    assert_eq!(app.post(ON).await.status, 403);
    assert_eq!(app.post(ON).header("X-Root", "1").await.status, 303);
    assert_eq!(
        app.maintenance.status().modes[0].by.as_deref(),
        Some("root")
    );
}

#[actix_web::test]
async fn head_and_other_methods_change_nothing_and_are_told_which_there_are() {
    let (app, superuser) = TestApp::with_superuser().await;
    for path in [ON, OFF, "/maintenance-mode/on/"] {
        for method in [
            Method::HEAD,
            Method::OPTIONS,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let answer = app.request(method.clone(), path).by(&superuser).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, POST"));
        }
    }
    assert_eq!(app.maintenance.status().generation, 0, "nothing was stored");
    for path in [STATUS, PING] {
        for method in [Method::POST, Method::PUT, Method::OPTIONS, Method::DELETE] {
            let answer = app.request(method.clone(), path).by(&superuser).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
        assert_eq!(app.head(path).by(&superuser).await.status, 200);
    }
}

#[actix_web::test]
async fn afterwards_the_browser_goes_to_a_path_of_this_site_only() {
    let (app, superuser) = TestApp::with_superuser().await;
    for (next, location) in [
        ("/shop", "/shop"),
        ("/shop%3Fa%3D1%26b%3D2%23top", "/shop?a=1&b=2#top"),
        ("/", "/"),
        ("", "/"),
        ("shop", "/"),
        ("//evil.test", "/"),
        ("//evil.test/", "/"),
        ("/%5Cevil.test", "/"),
        ("%5C%5Cevil.test", "/"),
        ("/%5C/evil.test", "/"),
        ("/%09/evil.test", "/"),
        ("/%0A/evil.test", "/"),
        ("/%0D%0ASet-Cookie:x=y", "/"),
        ("%20//evil.test", "/"),
        ("https://evil.test", "/"),
        ("https:/evil.test", "/"),
        ("https:evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("%00/shop", "/"),
        ("/a%20b", "/a%20b"),
        ("/%C3%A4", "/%C3%A4"),
    ] {
        let by_query = app.get(&format!("{ON}?next={next}")).by(&superuser).await;
        assert_eq!(by_query.header("location"), Some(location), "next={next}");
        let by_form = app
            .post(OFF)
            .by(&superuser)
            .form(&format!("next={next}"))
            .await;
        assert_eq!(by_form.header("location"), Some(location), "next={next}");
    }
    let twice = app
        .get(&format!("{ON}?next=/shop&next=//evil.test"))
        .by(&superuser)
        .await;
    assert_eq!(twice.header("location"), Some("/"));
}

#[actix_web::test]
async fn a_program_gets_the_status_instead_of_a_redirect() {
    let (app, superuser) = TestApp::with_superuser().await;
    for accept in [
        "application/json",
        "application/problem+json",
        "application/json, */*",
    ] {
        let answer = app.post(ON).by(&superuser).accept(accept).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json()["maintenance_mode"], true);
        assert_eq!(answer.json()["modes"][0]["phase"], "offline");
        let answer = app.post(OFF).by(&superuser).accept(accept).await;
        assert_eq!(answer.json()["maintenance_mode"], false);
        let status = app.get(STATUS).by(&superuser).await.json();
        assert_eq!(answer.json()["modes"], status["modes"]);
        assert_eq!(answer.json()["generation"], status["generation"]);
    }
    assert_eq!(app.post(ON).by(&superuser).accept("*/*").await.status, 303);
}

#[actix_web::test]
async fn who_did_it_and_why_and_what_visitors_are_told_is_recorded() {
    let (app, superuser) = TestApp::with_superuser().await;
    app.post(ON)
        .by(&superuser)
        .form("reason=new+release&message=Back+at+%38+%26+%C3%A4&unknown=x")
        .await;
    let status = app.get(STATUS).by(&superuser).await.json();
    let mode = &status["modes"][0];
    assert_eq!(mode["by"], "ada");
    assert_eq!(mode["reason"], "new release");
    assert_eq!(mode["message"], "Back at 8 & ä");
    assert!(mode["since"].is_string());
    let visitor = app.get("/").accept("text/plain").await;
    assert_eq!(visitor.text(), "Back at 8 & ä\n");

    app.post(OFF).by(&superuser).await;
    // By the query too, and the form wins.
    app.post(&format!("{ON}?reason=query&message=query"))
        .by(&superuser)
        .form("reason=form")
        .await;
    let mode = &app.maintenance.status().modes[0];
    assert_eq!(mode.reason.as_deref(), Some("form"));
    assert_eq!(mode.message.as_deref(), Some("query"));
}

#[actix_web::test]
async fn texts_that_are_too_long_are_refused_and_change_nothing() {
    let (app, superuser) = TestApp::with_superuser().await;
    let (fits, too_long) = ("ä".repeat(2000), "ä".repeat(2001));
    for name in ["message", "reason"] {
        let answer = app
            .post(ON)
            .by(&superuser)
            .form(&format!("{name}={too_long}"))
            .await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("2000"), "{answer:?}");
        assert!(!app.maintenance.is_on());
    }
    let answer = app
        .post(ON)
        .by(&superuser)
        .form(&format!("message={fits}"))
        .await;
    assert_eq!(answer.status, 303);
}

#[actix_web::test]
async fn a_body_that_is_no_form_is_refused_and_changes_nothing() {
    let (app, superuser) = TestApp::with_superuser().await;
    for (kind, body, status) in [
        ("application/json", &b"{\"message\": \"x\"}"[..], 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("text/plain", b"message=x", 415),
        ("", b"message=x", 415),
        ("application/x-www-form-urlencodedx", b"message=x", 415),
        (
            "application/x-www-form-urlencoded",
            b"message=\xff\xfe",
            400,
        ),
    ] {
        let answer = app.post(ON).by(&superuser).body(kind, body).await;
        assert_eq!(answer.status, status, "{kind}: {answer:?}");
        assert!(answer.text().contains("Nothing was changed"), "{answer:?}");
        assert!(!app.maintenance.is_on());
    }
    let huge = "x".repeat(1 << 20);
    let answer = app
        .post(ON)
        .by(&superuser)
        .form(&format!("message={huge}"))
        .await;
    assert_eq!(answer.status, 413);
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn a_form_is_one_however_its_type_is_written_and_none_is_needed() {
    let (app, superuser) = TestApp::with_superuser().await;
    for kind in [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded ;charset=utf-8",
    ] {
        app.post(ON)
            .by(&superuser)
            .body(kind, "message=Hello")
            .await;
        assert_eq!(
            app.maintenance.status().modes[0].message.as_deref(),
            Some("Hello")
        );
        app.turn_off().await;
    }
    let answer = app
        .post(ON)
        .by(&superuser)
        .body("application/json", "")
        .await;
    assert_eq!(answer.status, 303);
    app.turn_off().await;
    let answer = app
        .post(ON)
        .by(&superuser)
        .form("%=%&&=&%ff=%fe&reason")
        .await;
    assert_eq!(answer.status, 303);
}

#[actix_web::test]
async fn a_mode_that_there_is_not_is_404() {
    let (app, superuser) = TestApp::with_superuser().await;
    for path in [ON, OFF] {
        let answer = app
            .post(&format!("{path}?mode=shop"))
            .by(&superuser)
            .accept("application/json")
            .await;
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("shop") && detail.contains("site"),
            "{detail}"
        );
    }
    assert!(!app.maintenance.is_on());
    app.post(&format!("{ON}?mode=site")).by(&superuser).await;
    assert!(app.maintenance.is_on());
}

#[actix_web::test]
async fn what_is_not_in_the_scope_is_not_handed_on_to_the_app() {
    let app = TestApp::start().await;
    app.turn_on().await;
    for path in [
        "/maintenance-mode/nothing",
        "/maintenance-mode/on/x",
        "/maintenance-mode//shop",
    ] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
        assert_eq!(app.post(path).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn what_the_settings_force_cannot_be_switched() {
    for (forced, is_on) in [(Forced::On, true), (Forced::Off, false)] {
        let app = TestApp::with_settings(move |settings| {
            settings.forced = Some(forced);
            settings.exempt.paths = vec!["/log-in".to_owned()];
        })
        .await;
        let superuser = app.log_in_superuser("ada").await;
        for path in [ON, OFF] {
            let answer = app
                .post(path)
                .by(&superuser)
                .accept("application/json")
                .await;
            assert_eq!(answer.status, 409);
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(
                detail.contains("forced") && detail.contains("MAINTENANCE_FORCED"),
                "{detail}"
            );
            assert_eq!(app.maintenance.is_on(), is_on);
        }
        let status = app.get(STATUS).by(&superuser).await.json();
        assert_eq!(status["forced"], forced.as_str());
        assert_eq!(status["maintenance_mode"], is_on);
    }
}

/// A store whose disk can be filled.
#[derive(Debug)]
struct FillableStore {
    store: MemoryStore,
    is_full: Arc<AtomicBool>,
}

impl Store for FillableStore {
    fn url(&self) -> String {
        "fillable:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        self.store.load()
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        if self.is_full.load(Ordering::Relaxed) {
            return Box::pin(async { Err(StoreError::new("no space is left on the device")) });
        }
        self.store.save(document, expected)
    }

    fn watch(&self) -> Hints {
        futures_util::stream::pending::<Hint>().boxed()
    }

    leases_of!(store);
}

#[actix_web::test]
async fn a_store_that_fails_is_told_and_the_state_is_as_it_was() {
    let is_full = Arc::new(AtomicBool::new(false));
    let app = TestApp::with_builder(|builder| {
        builder.custom_store(FillableStore {
            store: MemoryStore::new(),
            is_full: Arc::clone(&is_full),
        })
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    for (path, was_on) in [(ON, false), (OFF, true)] {
        is_full.store(true, Ordering::Relaxed);
        let answer = app
            .post(path)
            .by(&superuser)
            .accept("application/json")
            .await;
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("no space is left on the device"),
            "{detail}"
        );
        assert!(!answer.is_marked, "this 503 was not meant");
        assert_eq!(answer.header("x-maintenance-mode"), None);
        assert_eq!(app.maintenance.is_on(), was_on);

        let page = app.post(path).by(&superuser).await;
        assert_eq!(page.status, 503);
        assert!(page.text().contains("no space is left on the device"));

        is_full.store(false, Ordering::Relaxed);
        assert_eq!(app.post(path).by(&superuser).await.status, 303);
        assert_eq!(app.maintenance.is_on(), !was_on);
    }
}

#[actix_web::test]
async fn the_status_is_the_whole_of_it() {
    let (app, superuser) = TestApp::with_superuser().await;
    for is_on in [false, true] {
        if is_on {
            app.turn_on().await;
        }
        let answer = app.get(STATUS).by(&superuser).await;
        assert_eq!(answer.status, 200, "the status itself is not refused");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let (mut told, mut status) = (
            answer.json(),
            serde_json::to_value(app.maintenance.status()).unwrap(),
        );
        // Whoever is inside grows older between the two.
        for document in [&mut told, &mut status] {
            assert_eq!(document["visitors"].as_array().unwrap().len(), 1);
            document["visitors"] = Value::Null;
        }
        // The request for the status does not count itself.
        assert_eq!(told["in_flight"], 0);
        assert_eq!(told["maintenance_mode"], is_on);
        assert_eq!(told, status);
    }
    assert_eq!(app.maintenance.phase(), Phase::Offline);
}

#[track_caller]
fn pings(answer: &Answer, status: u16, document: &Value) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(&answer.json(), document);
}

#[actix_web::test]
async fn anybody_may_ping() {
    let app = TestApp::with_settings(|settings| settings.response.status = 521).await;
    let user = app.log_in_user("bob").await;
    let online = json!({ "maintenance_mode": false, "phase": "online", "retry_after": 0 });
    for path in [PING, "/maintenance-mode/ping/"] {
        pings(&app.get(path).await, 200, &online);
        pings(
            &app.get(path).by(&user).accept("text/html").await,
            200,
            &online,
        );
    }
    app.turn_on().await;
    let offline = json!({ "maintenance_mode": true, "phase": "offline", "retry_after": 3600 });
    for path in [PING, "/maintenance-mode/ping/"] {
        let answer = app.get(path).await;
        pings(&answer, 521, &offline);
        answer.is_refused_somehow();
        assert_eq!(answer.header("retry-after"), Some("3600"));
        pings(&app.get(path).by(&user).await, 521, &offline);
    }
    assert_eq!(app.head(PING).await.status, 521);
}

#[actix_web::test]
async fn a_ping_can_be_about_one_mode() {
    let app = TestApp::with_settings(|settings| {
        settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    app.maintenance.turn_on().mode("shop").await.unwrap();
    for (query, status, phase) in [
        ("", 503, "offline"),
        ("?mode=shop", 503, "offline"),
        ("?mode=site", 200, "online"),
        ("?mode=", 404, ""),
        ("?mode=nowhere", 404, ""),
    ] {
        let answer = app
            .get(&format!("{PING}{query}"))
            .by(&superuser)
            .accept("application/json")
            .await;
        assert_eq!(answer.status, status, "{query}");
        if status == 404 {
            let text = answer.text();
            assert!(
                !text.contains("shop"),
                "which modes there are is not told: {text}"
            );
        } else {
            assert_eq!(answer.json()["phase"], phase, "{query}");
            assert_eq!(answer.json()["maintenance_mode"], phase == "offline");
        }
    }
    // Others may ask about the default mode alone.
    for (query, status) in [("?mode=site", 200), ("?mode=shop", 404)] {
        let answer = app.get(&format!("{PING}{query}")).await;
        assert_eq!(answer.status, status, "{query}");
    }
}

#[actix_web::test]
async fn a_superuser_who_pings_sees_the_modes() {
    let (app, superuser) = TestApp::with_superuser().await;
    for _ in ["online", "offline"] {
        let document = app.get(PING).by(&superuser).await.json();
        assert_eq!(
            document["modes"],
            serde_json::to_value(app.maintenance.status().modes).unwrap()
        );
        app.turn_on().await;
    }
}
