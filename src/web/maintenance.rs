//! The handle by which an app uses maintenance.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

use actix_web::HttpRequest;

use crate::{
    core::{
        audit::Author,
        phase::Phase,
        status::{period::PastPeriod, whole::Status},
        visitor::Visitor,
    },
    engine::{
        barrier::WaitUntilEmpty,
        changes::{Changes, Forget, TurnOff, TurnOn},
        events::UNENFORCED,
        guard::Guarding,
        handle::Engine,
        task::Task,
        window_change::ChangeWindow,
        windows::{CancelWindow, PlanWindow},
    },
    store::StoreError,
    web::front::Front,
};

/// Where the admin scope has the script.
const SCRIPT: &str = "/static/maintenance.js";

/// Maintenance of one app: asks and changes what is, and makes the middleware and the admin scope.
///
/// Made once, outside of the app factory, and cloned into it. Clones are cheap and mean the same.
/// The work behind it ends when the last clone is dropped.
///
/// ```
/// use actix_maintenance_mode::Maintenance;
/// use actix_web::{App, HttpServer, web};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let maintenance = Maintenance::builder().store("memory:").build().await?;
/// let server = HttpServer::new({
///     let maintenance = maintenance.clone();
///     move || {
///         App::new()
///             .service(maintenance.admin())
///             .route("/", web::get().to(|| async { "Hello" }))
///             .wrap(maintenance.middleware())
///     }
/// });
///
/// maintenance.turn_on().by("deploy").reason("new release").await?;
/// assert!(maintenance.is_on());
/// maintenance.turn_off().by("deploy").await?;
/// assert!(!maintenance.is_on());
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Maintenance {
    pub(crate) engine: Engine,
    pub(crate) front: Arc<Front>,
}

impl Maintenance {
    /// The same handle in the hands of somebody, whom the audit names.
    pub(crate) fn asked_by(&self, author: Author) -> Self {
        Self {
            engine: self.engine.asked_by(author),
            front: Arc::clone(&self.front),
        }
    }

    /// Whether a mode is pending or offline now.
    ///
    /// [`turn_on`](Self::turn_on) has an example.
    pub fn is_on(&self) -> bool {
        let snapshot = self.engine.shared.published.snapshot();
        snapshot
            .closed_mode(self.engine.shared.now_for(&snapshot))
            .is_some()
    }

    /// What is now, mode by mode.
    ///
    /// [`turn_on`](Self::turn_on) has an example.
    pub fn status(&self) -> Status {
        self.engine.status()
    }

    /// What is now, as [`status`](Self::status) tells it, with the nodes and tasks that the store
    /// knows of now. It asks the store; `status` tells of them what was heard last.
    ///
    /// # Errors
    ///
    /// When the store cannot tell who is live.
    pub async fn ask_status(&self) -> Result<Status, StoreError> {
        self.engine.ask_status().await
    }

    /// Tells once that this app serves the admin scope, and that nothing in it acts on what is
    /// switched there.
    pub(crate) fn tell_if_unenforced(&self) {
        let is_told = &self.front.unenforced_told;
        if !self.engine.shared.own_node.is_taken() && !is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                event = UNENFORCED,
                "this app serves the admin scope, and no middleware is wrapped: it refuses nobody; \
                 wrap `Maintenance::middleware`"
            );
        }
    }

    /// The phase of the first mode now: of `site` where the settings name no others.
    ///
    /// [`turn_on`](Self::turn_on) has an example.
    pub fn phase(&self) -> Phase {
        let snapshot = self.engine.shared.published.snapshot();
        let now = self.engine.shared.now_for(&snapshot);
        snapshot
            .modes
            .first()
            .map_or(Phase::Online, |mode| mode.phase(now))
    }

    /// The phase of one mode now. `None`: there is no mode with this key.
    pub fn phase_of(&self, mode: &str) -> Option<Phase> {
        let snapshot = self.engine.shared.published.snapshot();
        let now = self.engine.shared.now_for(&snapshot);
        snapshot.mode(mode).map(|mode| mode.phase(now))
    }

    /// Takes the site out of service.
    ///
    /// When it returns, the change is stored and no worker of this process admits another request
    /// that it should refuse. Switching on what is on already succeeds and says so.
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when the change was not made.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Phase};
    /// # async fn example(maintenance: &Maintenance) -> Result<(), Box<dyn std::error::Error>> {
    /// maintenance.turn_on().by("alice").await?;
    /// assert!(maintenance.is_on() && maintenance.phase() == Phase::Offline);
    /// assert_eq!(maintenance.status().modes[0].by.as_deref(), Some("alice"));
    /// # Ok(()) }
    /// ```
    pub fn turn_on(&self) -> TurnOn {
        TurnOn::new(self.engine.clone())
    }

    /// Tells the other nodes that this process ends, so that nobody who waits for all nodes waits for
    /// it until its lease lapses. To be called when the server has stopped; it takes a second at
    /// most.
    ///
    /// ```no_run
    /// # use actix_maintenance_mode::Maintenance;
    /// # use actix_web::{App, HttpServer};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().build().await?;
    /// HttpServer::new({
    ///     let maintenance = maintenance.clone();
    ///     move || App::new().wrap(maintenance.middleware())
    /// })
    /// .bind("127.0.0.1:8080")?
    /// .run()
    /// .await?;
    /// maintenance.leave().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn leave(&self) {
        self.engine.shared.parked.stop();
        self.engine.shared.own_node.leave().await;
    }

    /// Waits until a mode that is on, or closing, is closed and empty on every live node, and no task
    /// runs: what [`TurnOn::wait`] waits for, for those who have not switched it on themselves.
    ///
    /// # Errors
    ///
    /// [`WaitError`](crate::WaitError) when the time is over, which names those who are missing, when
    /// no node reports at all, or when the mode is not on, or not any more.
    pub fn wait_until_empty(&self) -> WaitUntilEmpty {
        WaitUntilEmpty::new(self.engine.clone())
    }

    /// Brings the site back, also from a planned window that is open now.
    ///
    /// When it returns, the change is stored and every worker of this process admits requests
    /// again. Switching off what is off already succeeds and says so.
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when the change was not made.
    pub fn turn_off(&self) -> TurnOff {
        TurnOff::new(self.engine.clone())
    }

    /// Removes all that is stored of a mode: it is off, and its windows are gone. A mode that is in
    /// the settings stays, and one that is not, which the status has among its
    /// [`unknown_modes`](Status::unknown_modes), disappears.
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when the change was not made.
    pub fn forget(&self, mode: impl Into<String>) -> Forget {
        Forget::new(self.engine.clone(), mode.into())
    }

    /// Switches maintenance on for as long as something takes.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let guard = maintenance.while_on().by("import").enter().await?;
    /// assert!(maintenance.is_on());
    /// guard.release().await?;
    /// assert!(!maintenance.is_on());
    /// # Ok(())
    /// # }
    /// ```
    pub fn while_on(&self) -> Guarding {
        Guarding::new(self.engine.clone(), true)
    }

    /// Switches maintenance off for as long as something takes.
    ///
    /// As [`while_on`](Self::while_on), the other way round.
    pub fn while_off(&self) -> Guarding {
        Guarding::new(self.engine.clone(), false)
    }

    /// Work outside of requests that maintenance waits for: [`Task`] says how.
    pub fn task(&self, name: impl Into<String>) -> Task {
        Task::new(self.engine.clone(), name.into())
    }

    /// Plans a window of maintenance.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// use jiff::{Timestamp, ToSpan as _};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let start = Timestamp::now() + 8.hours();
    /// let planned = maintenance
    ///     .plan_window()
    ///     .start(start)
    ///     .end(start + 2.hours())
    ///     .title("new database")
    ///     .await?;
    /// assert!(!maintenance.is_on());
    /// maintenance.cancel_window(&planned.id).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when the window makes no sense or was not stored.
    pub fn plan_window(&self) -> PlanWindow {
        PlanWindow::new(self.engine.clone())
    }

    /// Says something else of a planned window: from when to when it is, or what is told of it. What is
    /// not said stays as it is.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let planned = maintenance
    ///     .plan_window()
    ///     .start_local("2098-03-01T22:00Z")
    ///     .end_local("2098-03-01T23:00Z")
    ///     .title("new database")
    ///     .await?;
    /// let changed = maintenance
    ///     .change_window(&planned.id)
    ///     .end_local("2098-03-02T01:00Z")
    ///     .await?;
    /// let window = changed.window().unwrap();
    /// assert_eq!(window.end.unwrap().to_string(), "2098-03-02T01:00:00Z");
    /// assert_eq!(window.title.as_deref(), Some("new database"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when there is no such window, when it would make no sense, or
    /// when the change was not made.
    pub fn change_window(&self, id: impl Into<String>) -> ChangeWindow {
        ChangeWindow::new(self.engine.clone(), id.into())
    }

    /// Cancels a planned window. One that is open now ends.
    ///
    /// # Errors
    ///
    /// [`ChangeError`](crate::ChangeError) when there is no such window, or the change was not made.
    pub fn cancel_window(&self, id: impl Into<String>) -> CancelWindow {
        CancelWindow::new(self.engine.clone(), id.into())
    }

    /// Past and present periods of maintenance, the oldest first. The last 100 are kept.
    pub fn history(&self) -> Vec<PastPeriod> {
        self.engine.shared.published.snapshot().history.clone()
    }

    /// The page that visitors get while the mode `site` is offline, as it is now; while it is not,
    /// the page that they would get. For a web server to send when the app is down: see
    /// [`web_server`](crate::web_server).
    ///
    /// What the app adds to the page request by request, and a renderer of its own, are not in it.
    pub fn page(&self) -> String {
        let snapshot = self.engine.shared.published.snapshot();
        let page = crate::engine::follow_files::page_of(&self.engine.shared, &snapshot);
        String::from_utf8_lossy(&page).into_owned()
    }

    /// Follows what maintenance is, from now on. Whatever the [`Status`] says is a change when it
    /// becomes another: that the store is damaged as much as that the site is off.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let mut changes = maintenance.subscribe();
    /// maintenance.turn_on().await?;
    /// assert!(changes.next().await.is_some_and(|status| status.maintenance_mode));
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self) -> Changes {
        Changes::new(&self.engine)
    }

    /// Who is asking, as the exemptions and the admin scope see it: by the session, or by the app's
    /// own closure.
    ///
    /// To be called inside of the session middleware, as in every handler.
    ///
    /// ```
    /// use actix_maintenance_mode::Maintenance;
    /// use actix_web::{HttpRequest, web};
    ///
    /// async fn greet(request: HttpRequest, maintenance: web::Data<Maintenance>) -> String {
    ///     match maintenance.visitor(&request).await.id {
    ///         Some(id) => format!("Hello, {id}"),
    ///         None => "Hello".to_owned(),
    ///     }
    /// }
    /// ```
    pub async fn visitor(&self, request: &HttpRequest) -> Visitor {
        self.front.identity.visitor(request).await
    }

    /// The client's address, as the exemptions see it: the peer's, or behind a trusted proxy the
    /// one that the proxy tells, or by the app's own closure.
    ///
    /// What it says of a request through the proxies shows whether `client.trusted_proxies` is
    /// right.
    ///
    /// [The guide](crate::guide::who_gets_in#behind-a-proxy) says what it is found by.
    pub fn client_address(&self, request: &HttpRequest) -> Option<IpAddr> {
        crate::web::request::subject::address(request, &self.front)
    }

    /// The path of the WebSocket that tells of changes, for scripts of the app's own; after the
    /// setting `public_path`, if there is one.
    ///
    /// [The guide](crate::guide::pages#pages-notice-by-themselves) shows how.
    pub fn live_url(&self) -> String {
        format!("{}{}/live", self.front.public_path, self.front.admin_path)
    }

    /// The path of the script that shows and hides `#maintenance-banner`, for the app's templates:
    /// `<script src="…" defer></script>`; after the setting `public_path`, if there is one.
    ///
    /// [The guide](crate::guide::pages#pages-notice-by-themselves) shows how.
    pub fn script_url(&self) -> String {
        let front = &self.front;
        format!("{}{}{SCRIPT}", front.public_path, front.admin_path)
    }

    /// The same for whoever sends this request: behind a trusted proxy that says by
    /// `X-Forwarded-Prefix` what it strips.
    pub fn script_url_for(&self, request: &HttpRequest) -> String {
        self.front
            .public(request, &format!("{}{SCRIPT}", self.front.admin_path))
    }
}
