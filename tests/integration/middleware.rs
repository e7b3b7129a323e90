//! Where the middleware can be, and what goes through it.

use std::{
    cell::Cell,
    convert::Infallible,
    future::{IntoFuture as _, pending, ready},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use actix_cors::Cors;
use actix_maintenance_mode::{RefusalMarker, Visitor};
use actix_web::{
    App, HttpMessage as _, HttpResponse,
    body::{BodySize, MessageBody},
    dev::Service as _,
    middleware::{Compat, Condition, DefaultHeaders, Logger},
    test,
    web::{self, Bytes},
};
use futures_util::{FutureExt as _, stream};
use tokio::sync::Notify;

use crate::{
    test_app::{self, TestApp, app, maintenance, sessions},
    test_server::TestServer,
};

#[actix_web::test]
async fn it_works_outermost_without_any_session() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| {
            settings.exempt.superusers = true;
            settings.exempt.addresses = vec!["10.0.0.1".to_owned()];
            settings.logout.authenticated = true;
        })
    })
    .await;
    let app = TestApp::serving(
        maintenance.clone(),
        test::init_service(app(&maintenance)).await,
    );
    app.get("/").await.is_served();
    app.turn_on().await;
    app.get("/").await.is_refused();
    app.get("/").from("10.0.0.1").await.is_served();
    app.turn_off().await;
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn it_works_on_a_scope() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| {
            settings.exempt.prefixes = vec!["/shop/public".to_owned()];
            // The other resource could serve it, too, if this one had a guard.
            settings.exempt.routes = vec!["GET health".to_owned()];
        })
    })
    .await;
    let app = App::new()
        .service(
            web::scope("/shop")
                .service(web::resource("/health").name("health").to(async || "ok"))
                .service(web::resource("/{item:.*}").to(async || "item"))
                .wrap(maintenance.middleware()),
        )
        .configure(test_app::routes);
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;
    app.get("/shop/1").await.is_refused();
    app.get("/shop/public/1").await.is_served();
    app.get("/shop/health").await.is_served();
    app.post("/shop/health").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn it_works_on_a_resource() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(
            web::resource("/basket")
                .wrap(maintenance.middleware())
                .to(async || "basket"),
        )
        .configure(test_app::routes);
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.get("/basket").await.is_served();
    app.turn_on().await;
    app.get("/basket").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn it_works_under_a_condition() {
    for enabled in [true, false] {
        let maintenance = maintenance(|builder| builder).await;
        let app = App::new()
            .configure(test_app::routes)
            .wrap(Condition::new(enabled, maintenance.middleware()));
        let app = TestApp::serving(maintenance, test::init_service(app).await);
        app.turn_on().await;
        let answer = app.get("/").await;
        if enabled {
            answer.is_refused();
        } else {
            answer.is_served();
        }
    }
}

#[actix_web::test]
async fn it_works_under_compat_also_on_a_scope_in_a_condition() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(
            web::scope("/shop")
                .wrap(Condition::new(true, Compat::new(maintenance.middleware())))
                .default_service(web::to(async || "item")),
        )
        .service(
            web::resource("/basket")
                .wrap(Compat::new(maintenance.middleware()))
                .to(async || "basket"),
        )
        .wrap(Compat::new(Logger::default()));
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.get("/shop/1").await.is_served();
    app.turn_on().await;
    app.get("/shop/1").await.is_refused();
    app.get("/basket").await.is_refused();
}

#[actix_web::test]
async fn a_clone_of_the_middleware_is_the_same_middleware() {
    let maintenance = maintenance(|builder| builder).await;
    let middleware = maintenance.middleware();
    let app = App::new()
        .configure(test_app::routes)
        .wrap(middleware.clone())
        .wrap(middleware);
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.get("/").await.is_served();
    app.turn_on().await;
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn an_outer_cors_lets_browsers_read_refusals_and_answers_preflights() {
    let maintenance = maintenance(|builder| builder).await;
    let app = app(&maintenance).wrap(sessions()).wrap(
        Cors::default()
            .allowed_origin("https://app.example.com")
            .allowed_methods(["GET"]),
    );
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;

    let answer = app
        .get("/")
        .header("Origin", "https://app.example.com")
        .accept("application/json")
        .await;
    answer.is_refused();
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    // Cors adds its own words to `Vary`; the crate's must still be among them.
    let vary: Vec<_> = answer
        .headers
        .get_all("vary")
        .map(|value| value.to_str().unwrap())
        .collect();
    assert!(
        vary.join(",").to_ascii_lowercase().contains("accept"),
        "{vary:?}"
    );

    let preflight = app.preflight("/", "https://app.example.com").await;
    assert_eq!(preflight.status, 200, "{preflight:?}");
    assert!(!preflight.is_marked);
    assert!(preflight.header("access-control-allow-methods").is_some());
}

#[actix_web::test]
async fn without_an_outer_cors_a_preflight_is_refused_like_the_rest() {
    let app = TestApp::start().await;
    app.turn_on().await;
    app.preflight("/", "https://app.example.com")
        .await
        .is_refused();

    let maintenance = maintenance(|builder| builder).await;
    let inside = App::new()
        .configure(test_app::routes)
        .wrap(Cors::permissive())
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(inside).await);
    app.turn_on().await;
    let answer = app.preflight("/", "https://app.example.com").await;
    answer.is_refused();
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[actix_web::test]
async fn outer_middlewares_see_a_response_and_no_error() {
    let maintenance = maintenance(|builder| builder).await;
    let seen = Rc::new(Cell::new(None));
    let app = App::new()
        .configure(test_app::routes)
        .wrap(maintenance.middleware())
        .wrap(DefaultHeaders::new().add(("X-Frame-Options", "DENY")))
        .wrap_fn({
            let seen = Rc::clone(&seen);
            move |request, service| {
                let seen = Rc::clone(&seen);
                service.call(request).map(move |answer| {
                    let answer = answer.expect("a refusal is no error");
                    assert!(answer.response().error().is_none(), "nor was it one");
                    let marked = answer.response().extensions().contains::<RefusalMarker>();
                    seen.set(Some((answer.status().as_u16(), marked)));
                    Ok(answer)
                })
            }
        });
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;
    let answer = app.get("/").await;
    answer.is_refused();
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(seen.take(), Some((503, true)));
}

#[actix_web::test]
async fn the_apps_own_503_is_not_marked() {
    let app =
        TestApp::with_settings(|settings| settings.exempt.paths = vec!["/fails".to_owned()]).await;
    for on in [false, true] {
        if on {
            app.turn_on().await;
        }
        let answer = app.get("/fails").await;
        assert_eq!((answer.status, answer.text()), (503, "out of order"));
        assert!(!answer.is_marked);
        assert_eq!(answer.header("x-maintenance-mode"), None);
    }
}

#[actix_web::test]
async fn a_request_that_passes_is_left_as_it_is() {
    let maintenance = maintenance(|builder| builder).await;
    let echo = async |request: actix_web::HttpRequest, body: Bytes| {
        assert_eq!(request.extensions().get::<&str>(), Some(&"from outside"));
        assert_eq!(request.query_string(), "a=1&b=%20");
        HttpResponse::Created()
            .insert_header(("ETag", "\"1\""))
            .insert_header(("X-Echo", request.headers().get("x-in").unwrap()))
            .body(body)
    };
    let app = App::new()
        .route("/echo", web::put().to(echo))
        .wrap(maintenance.middleware())
        .wrap_fn(|request, service| {
            request.extensions_mut().insert("from outside");
            service.call(request)
        });
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    let answer = app
        .request(actix_web::http::Method::PUT, "/echo?a=1&b=%20")
        .header("X-In", "in")
        .body("text/plain", "the body")
        .await;
    assert_eq!((answer.status, answer.text()), (201, "the body"));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("x-echo"), Some("in"));
    assert_eq!(answer.header("cache-control"), None);
    assert_eq!(answer.header("vary"), None);
    assert_eq!(answer.header("retry-after"), None);
}

/// A body that counts down, of a type that nobody boxed.
struct Countdown(u8);

impl MessageBody for Countdown {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.into())
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Ok(Bytes::from(left.to_string()))
        }))
    }
}

#[actix_web::test]
async fn bodies_of_any_type_pass_with_their_size() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .route("/", web::get().to(async || HttpResponse::Ok().finish()))
        .wrap_fn(|request, service| {
            service
                .call(request)
                .map(|answer| answer.map(|answer| answer.map_body(|_, _| Countdown(5))))
        })
        .wrap(maintenance.middleware());
    let service = test::init_service(app).await;
    let answer = service
        .call(test::TestRequest::get().to_request())
        .await
        .unwrap();
    assert_eq!(answer.response().body().size(), BodySize::Sized(5));
    assert_eq!(test::read_body(answer).await, "43210");

    maintenance.turn_on().await.unwrap();
    let answer = service
        .call(test::TestRequest::get().to_request())
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    assert!(matches!(answer.response().body().size(), BodySize::Sized(length) if length > 100));
}

#[actix_web::test]
async fn streams_pass_chunk_by_chunk() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .route(
            "/",
            web::get().to(async || {
                let first = stream::once(ready(Ok::<_, Infallible>(Bytes::from_static(b"first"))));
                // The rest never comes; whoever waits for it waits for ever.
                let body = stream::StreamExt::chain(first, stream::pending());
                HttpResponse::Ok().streaming(body)
            }),
        )
        .wrap(maintenance.middleware());
    let service = test::init_service(app).await;
    let answer = service
        .call(test::TestRequest::get().to_request())
        .await
        .unwrap();
    assert_eq!(answer.response().body().size(), BodySize::Stream);
    let mut body = std::pin::pin!(answer.into_body());
    let first = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
    assert_eq!(first.unwrap().unwrap(), "first");
}

#[actix_web::test]
async fn an_error_of_the_app_stays_an_error() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .route(
            "/",
            web::get().to(async || Err::<&str, _>(actix_web::error::ErrorImATeapot("short"))),
        )
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    let answer = app.get("/").await;
    assert_eq!((answer.status, answer.text()), (418, "short"));
}

#[actix_web::test]
async fn the_app_is_called_only_once_it_is_known_who_is_asking() {
    let (asked, decided) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let maintenance = maintenance(|builder| {
        let (asked, decided) = (Arc::clone(&asked), Arc::clone(&decided));
        builder
            .configure(|settings| settings.exempt.authenticated = true)
            .async_identity(move |_| {
                let (asked, decided) = (Arc::clone(&asked), Arc::clone(&decided));
                async move {
                    asked.notify_one();
                    decided.notified().await;
                    Visitor::user("bob")
                }
            })
    })
    .await;
    let calls = Rc::new(Cell::new(0));
    let app = App::new()
        .configure(test_app::routes)
        .wrap_fn({
            let calls = Rc::clone(&calls);
            move |request, service| {
                calls.set(calls.get() + 1);
                service.call(request)
            }
        })
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;
    let mut visit = std::pin::pin!(app.get("/").into_future());
    assert!(visit.as_mut().now_or_never().is_none());
    asked.notified().await;
    assert_eq!(calls.get(), 0);
    decided.notify_one();
    visit.await.is_served();
    assert_eq!(calls.get(), 1);
}

#[actix_web::test]
async fn a_client_that_leaves_while_it_is_looked_up_harms_nothing() {
    let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let maintenance = maintenance(|builder| {
        let (begun, dropped) = (Arc::clone(&begun), Arc::clone(&dropped));
        builder
            .configure(|settings| settings.exempt.authenticated = true)
            .async_identity(move |request| {
                begun.fetch_add(1, Ordering::Relaxed);
                let leaves = request.path() == "/leaves";
                let counted = CountsItsDrop(Arc::clone(&dropped));
                async move {
                    let _counted = counted;
                    if leaves {
                        pending::<()>().await;
                    }
                    Visitor::user("bob")
                }
            })
    })
    .await;
    let app = App::new()
        .configure(test_app::routes)
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;
    for _ in 0..3 {
        assert!(app.get("/leaves").into_future().now_or_never().is_none());
    }
    assert_eq!(begun.load(Ordering::Relaxed), 3);
    assert_eq!(dropped.load(Ordering::Relaxed), 3, "nothing is left behind");
    app.get("/").await.is_served();
    app.turn_off().await;
    app.get("/leaves").await.is_served();
}

struct CountsItsDrop(Arc<AtomicUsize>);

impl Drop for CountsItsDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[actix_web::test]
async fn it_works_behind_a_socket() {
    let maintenance = maintenance(|builder| builder).await;
    let server = TestServer::start({
        let maintenance = maintenance.clone();
        move || app(&maintenance).wrap(sessions()).wrap(Cors::permissive())
    });
    let served = server.send("GET /", "").await;
    assert_eq!((served.status(), served.body()), (200, "home"));

    maintenance.turn_on().await.unwrap();
    let page = server.send("GET /", "").await;
    assert_eq!(page.status(), 503);
    assert!(page.body().contains("</html>"));
    let length = page.body().len().to_string();
    assert_eq!(page.header("content-length"), Some(length.as_str()));

    let head = server.send("HEAD /", "").await;
    assert_eq!((head.status(), head.body()), (503, ""));
    for name in [
        "content-type",
        "content-length",
        "retry-after",
        "x-maintenance-mode",
        "vary",
        "cache-control",
    ] {
        assert_eq!(head.header(name), page.header(name), "{name}");
    }

    let origin = "Origin: https://app.example.com\r\n";
    let preflight = server
        .send(
            "OPTIONS /",
            &format!("{origin}Access-Control-Request-Method: GET\r\n"),
        )
        .await;
    assert_eq!(preflight.status(), 200);
    let refusal = server.send("GET /", origin).await;
    assert_eq!(refusal.status(), 503);
    assert!(refusal.header("access-control-allow-origin").is_some());

    maintenance.turn_off().await.unwrap();
    assert_eq!(server.send("GET /", "").await.status(), 200);
    server.stop().await;
}
