//! An app under test, whose calls say what a visitor or an operator does.

use std::{future::IntoFuture, net::SocketAddr};

use actix_http::Request;
use actix_maintenance_mode::{Builder, Maintenance, MaintenanceFlag, RefusalMarker, Settings};
use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, Error, HttpResponse,
    body::{self, MessageBody},
    cookie::{Cookie, Key},
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header::HeaderMap},
    test::{self, TestRequest},
    web::{self, Bytes},
};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};

use crate::log;

type Serve = dyn Fn(Request) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

/// An app in this process: a few routes, cookie sessions, the admin scope and the middleware.
pub(crate) struct TestApp {
    pub(crate) maintenance: Maintenance,
    serve: Box<Serve>,
}

impl TestApp {
    /// The app with the settings as they are by default, and a store in memory.
    pub(crate) async fn start() -> Self {
        Self::with_settings(|_| {}).await
    }

    /// The app, and a superuser of it.
    pub(crate) async fn with_superuser() -> (Self, LoggedIn) {
        let app = Self::start().await;
        let superuser = app.log_in_superuser("ada").await;
        (app, superuser)
    }

    /// The app with some settings of its own.
    pub(crate) async fn with_settings(edit: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        Self::with_builder(|builder| builder.configure(edit)).await
    }

    /// The app with closures of its own.
    pub(crate) async fn with_builder(build: impl FnOnce(Builder) -> Builder) -> Self {
        let maintenance = maintenance(build).await;
        let app = app(&maintenance).wrap(sessions());
        Self::serving(maintenance, test::init_service(app).await)
    }

    /// An app of a test's own.
    pub(crate) fn serving<S, B>(maintenance: Maintenance, service: S) -> Self
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
        S::Future: 'static,
        B: MessageBody + 'static,
    {
        let serve = move |request| -> LocalBoxFuture<'static, _> {
            let response = service.call(request);
            Box::pin(async move { response.await.map(ServiceResponse::map_into_boxed_body) })
        };
        Self {
            maintenance,
            serve: Box::new(serve),
        }
    }

    pub(crate) async fn turn_on(&self) {
        self.maintenance.turn_on().await.unwrap();
    }

    pub(crate) async fn turn_off(&self) {
        self.maintenance.turn_off().await.unwrap();
    }

    /// A page request of somebody about whom nothing is known.
    pub(crate) fn get(&self, path: &str) -> Visit<'_> {
        self.request(Method::GET, path)
    }

    pub(crate) fn head(&self, path: &str) -> Visit<'_> {
        self.request(Method::HEAD, path)
    }

    pub(crate) fn post(&self, path: &str) -> Visit<'_> {
        self.request(Method::POST, path)
    }

    /// What a browser asks before a script of another origin may send its request.
    pub(crate) fn preflight(&self, path: &str, origin: &str) -> Visit<'_> {
        self.request(Method::OPTIONS, path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "GET")
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Visit<'_> {
        Visit {
            app: self,
            request: TestRequest::default().method(method).uri(path),
        }
    }

    pub(crate) async fn log_in_user(&self, name: &str) -> LoggedIn {
        self.log_in_with(json!({ "user_id": name })).await
    }

    pub(crate) async fn log_in_staff(&self, name: &str) -> LoggedIn {
        self.log_in_with(json!({ "user_id": name, "is_staff": true }))
            .await
    }

    pub(crate) async fn log_in_superuser(&self, name: &str) -> LoggedIn {
        self.log_in_with(json!({ "user_id": name, "is_superuser": true }))
            .await
    }

    /// Begins a session that holds just this. Only while the app is online.
    pub(crate) async fn log_in_with(&self, session: Value) -> LoggedIn {
        let answer = self
            .post("/log-in")
            .body("application/json", session.to_string())
            .await;
        assert_eq!(answer.status, 200, "the log-in itself fails: {answer:?}");
        LoggedIn {
            cookie: answer.cookie("id").unwrap(),
        }
    }
}

/// Somebody's session.
#[derive(Debug, Clone)]
pub(crate) struct LoggedIn {
    cookie: Cookie<'static>,
}

/// A request that is being put together; it is sent when it is awaited.
#[must_use = "the request is sent when it is awaited"]
pub(crate) struct Visit<'a> {
    app: &'a TestApp,
    request: TestRequest,
}

impl Visit<'_> {
    /// Adds a line; the same name again is another line.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.append_header((name, value.as_ref()));
        self
    }

    pub(crate) fn accept(self, types: &str) -> Self {
        self.header("Accept", types)
    }

    /// Comes from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        let peer = SocketAddr::new(address.parse().unwrap(), 50_000);
        self.request = self.request.peer_addr(peer);
        self
    }

    pub(crate) fn by(mut self, who: &LoggedIn) -> Self {
        self.request = self.request.cookie(who.cookie.clone());
        self
    }

    pub(crate) fn cookie(mut self, name: &'static str, value: &'static str) -> Self {
        self.request = self.request.cookie(Cookie::new(name, value));
        self
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Bytes>) -> Self {
        self.request = self
            .request
            .insert_header(("Content-Type", kind))
            .set_payload(body);
        self
    }

    pub(crate) fn form(self, form: &str) -> Self {
        self.body("application/x-www-form-urlencoded", form.to_owned())
    }
}

impl<'a> Visit<'a> {
    /// `None`: the response was broken off, as that of a node that is cut off is.
    pub(crate) fn unless_broken_off(self) -> LocalBoxFuture<'a, Option<Answer>> {
        let response = (self.app.serve)(self.request.to_request());
        Box::pin(async move {
            let response = response
                .await
                .expect("the app answers with a response, not with an error");
            Answer::read(response).await
        })
    }
}

impl<'a> IntoFuture for Visit<'a> {
    type Output = Answer;
    type IntoFuture = LocalBoxFuture<'a, Answer>;

    fn into_future(self) -> Self::IntoFuture {
        let answer = self.unless_broken_off();
        Box::pin(async move { answer.await.expect("the body has an end") })
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether outer middlewares are told that this is a refusal.
    pub(crate) is_marked: bool,
}

impl Answer {
    async fn read(response: ServiceResponse) -> Option<Self> {
        let is_marked = response.response().extensions().contains::<RefusalMarker>();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = body::to_bytes(response.into_body()).await.ok()?;
        Some(Self {
            status,
            headers,
            body,
            is_marked,
        })
    }

    /// The value of a header that is there at most once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name);
        let value = values.next()?;
        assert!(values.next().is_none(), "`{name}` is there twice: {self:?}");
        Some(value.to_str().unwrap())
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<Cookie<'static>> {
        self.headers
            .get_all("set-cookie")
            .filter_map(|line| Cookie::parse_encoded(line.to_str().ok()?.to_owned()).ok())
            .find(|cookie| cookie.name() == name)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The request went through to the app.
    #[track_caller]
    pub(crate) fn is_served(&self) {
        assert_eq!(self.status, 200, "not served: {self:?}");
        assert_eq!(self.header("x-maintenance-mode"), None, "{self:?}");
        assert!(!self.is_marked, "{self:?}");
    }

    /// The request was refused, with all that every refusal with the usual status has.
    #[track_caller]
    pub(crate) fn is_refused(&self) {
        assert_eq!(self.status, 503, "not refused: {self:?}");
        self.is_refused_somehow();
    }

    /// The request was refused, whatever the status.
    #[track_caller]
    pub(crate) fn is_refused_somehow(&self) {
        assert!((300..600).contains(&self.status), "not refused: {self:?}");
        assert_eq!(self.header("x-maintenance-mode"), Some("1"), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        assert_eq!(self.header("etag"), None, "{self:?}");
        assert_eq!(self.header("last-modified"), None, "{self:?}");
        assert!(self.is_marked, "{self:?}");
    }
}

/// A handle with a store in memory, whatever the machine's environment holds.
pub(crate) async fn maintenance(build: impl FnOnce(Builder) -> Builder) -> Maintenance {
    log::listen();
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    build(Maintenance::builder().settings(settings))
        .build()
        .await
        .unwrap()
}

/// The routes under test, with the admin scope and the middleware, without sessions.
pub(crate) fn app(
    maintenance: &Maintenance,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(web::Data::new(maintenance.clone()))
        .service(maintenance.admin())
        .configure(routes)
        .wrap(maintenance.middleware())
}

/// The routes of the app. Whatever has no route is served too, so that any path can be tried.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/").name("home").to(async || "home"))
        .service(
            web::resource("/closed")
                .name("closed")
                .to(async || "closed"),
        )
        .service(web::resource("/health").name("health").to(async || "ok"))
        .service(
            web::resource("/shop/{item}")
                .name("item")
                .to(async |item: web::Path<String>| item.into_inner()),
        )
        .service(web::resource("/log-in").route(web::post().to(log_in)))
        .service(web::resource("/flag").to(async |flag: MaintenanceFlag| web::Json(flag)))
        .service(
            web::resource("/session")
                .to(async |session: Session| format!("{:?}", session.entries().keys())),
        )
        .service(
            web::resource("/fails")
                .to(async || HttpResponse::ServiceUnavailable().body("out of order")),
        )
        .default_service(web::to(async || "served"));
}

async fn log_in(session: Session, wanted: web::Json<Map<String, Value>>) -> &'static str {
    for (key, value) in wanted.into_inner() {
        session.insert(key, value).unwrap();
    }
    "welcome"
}

/// Cookie sessions with a key of their own.
pub(crate) fn sessions() -> SessionMiddleware<CookieSessionStore> {
    SessionMiddleware::builder(CookieSessionStore::default(), Key::from(&[7; 64]))
        .cookie_secure(false)
        .build()
}
