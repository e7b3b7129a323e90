//! What only some get to see of a closed site is kept by no cache that others share.

use actix_maintenance_mode::{
    Builder,
    settings::{Access, ModeSettings},
};
use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpResponse, cookie::Key, test, web};

use crate::test_app::{Answer, TestApp, maintenance, routes};

const OFFICE: &str = "10.0.0.1";

/// An app that lets everybody keep its pages.
async fn app(build: impl FnOnce(Builder) -> Builder) -> TestApp {
    let maintenance = maintenance(build).await;
    let page = async || {
        HttpResponse::Ok()
            .insert_header(("Cache-Control", "public, max-age=60"))
            .insert_header(("CDN-Cache-Control", "max-age=600"))
            .insert_header(("Surrogate-Control", "max-age=600"))
            .body("page")
    };
    let sessions = SessionMiddleware::builder(CookieSessionStore::default(), Key::from(&[7; 64]))
        .cookie_secure(false)
        .build();
    let app = App::new()
        .service(maintenance.admin())
        .service(web::resource("/page").to(page))
        .service(web::resource("/open/page").to(page))
        .configure(routes)
        .wrap(maintenance.middleware())
        .wrap(sessions);
    TestApp::serving(maintenance, test::init_service(app).await)
}

#[track_caller]
fn is_kept_by_all(answer: &Answer) {
    answer.is_served();
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(answer.header("cdn-cache-control"), Some("max-age=600"));
}

#[track_caller]
fn is_private(answer: &Answer) {
    answer.is_served();
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("cdn-cache-control"), None);
    assert_eq!(answer.header("surrogate-control"), None);
}

#[actix_web::test]
async fn what_passes_by_who_or_where_somebody_is_is_private() {
    let app = app(|builder| {
        builder
            .configure(|settings| {
                settings.exempt.superusers = true;
                settings.exempt.addresses = vec![OFFICE.to_owned()];
                settings.exempt.prefixes = vec!["/open".to_owned()];
            })
            .exempt_if("rehearsal", |request| {
                request.headers().contains_key("x-rehearsal")
            })
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    is_kept_by_all(&app.get("/page").by(&alice).await);
    app.turn_on().await;
    is_private(&app.get("/page").by(&alice).await);
    is_private(&app.get("/page").from(OFFICE).await);
    is_private(&app.get("/page").header("X-Rehearsal", "1").await);
    // Everybody gets this one.
    is_kept_by_all(&app.get("/open/page").await);
    app.get("/page").await.is_refused();
    app.turn_off().await;
    is_kept_by_all(&app.get("/page").from(OFFICE).await);
}

#[actix_web::test]
async fn who_goes_on_while_it_closes_is_somebody_too() {
    let app = app(|builder| builder).await;
    let bob = app.log_in_user("bob").await;
    app.get("/page").by(&bob).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    is_private(&app.get("/page").by(&bob).await);
    app.get("/page").await.is_refused();
}

#[actix_web::test]
async fn who_only_reads_gets_what_everybody_gets() {
    let app = app(|builder| {
        builder.configure(|settings| {
            let mut mode = ModeSettings::new("site");
            mode.access = Access::ReadOnly;
            settings.modes = vec![mode];
            settings.exempt.addresses = vec![OFFICE.to_owned()];
        })
    })
    .await;
    app.turn_on().await;
    is_kept_by_all(&app.get("/page").await);
    is_private(&app.post("/page").from(OFFICE).await);
    app.post("/page").await.is_refused();
}

#[actix_web::test]
async fn it_is_private_by_one_of_the_modes_that_it_passes() {
    for turned in [false, true] {
        let app = app(move |builder| {
            builder.configure(move |settings| {
                let mut by_path = ModeSettings::new("by-path");
                by_path.exempt.prefixes = vec!["/page".to_owned()];
                let mut by_address = ModeSettings::new("by-address");
                by_address.exempt.addresses = vec![OFFICE.to_owned()];
                settings.modes = vec![by_path, by_address];
                if turned {
                    settings.modes.reverse();
                }
            })
        })
        .await;
        for mode in ["by-path", "by-address"] {
            app.maintenance.turn_on().mode(mode).await.unwrap();
        }
        is_private(&app.get("/page").from(OFFICE).await);
    }
}

#[actix_web::test]
async fn the_setting_leaves_it_to_the_app() {
    let app = app(|builder| {
        builder.configure(|settings| {
            settings.exempt.addresses = vec![OFFICE.to_owned()];
            settings.exempt.private = false;
        })
    })
    .await;
    app.turn_on().await;
    is_kept_by_all(&app.get("/page").from(OFFICE).await);
}
