//! The middleware: one word is tested, and what it does not let pass is judged.

pub(crate) mod admission;
pub(crate) mod body;
mod cache;
pub(crate) mod cut_off;
mod forced_on;
mod future;
mod turned_away;
mod waiting;
pub(crate) mod worker;

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};

use self::future::{Arrived, Step, call};
use crate::web::{
    maintenance::Maintenance,
    middleware::{body::MaintenanceBody, worker::Worker},
};

pub use self::{
    forced_on::{ForcedOn, ForcedOnService},
    future::MaintenanceFuture,
};

/// Refuses visitors during maintenance: from [`Maintenance::middleware`].
///
/// Refusals are `Ok`, so that middlewares outside (CORS, security headers, compression, logs) treat
/// them as any other response.
///
/// # Order
///
/// In actix the middleware wrapped last is the outermost. Wrap this one first: inside of
/// `SessionMiddleware`, so that the session is there, and inside of `Cors`, so that browsers may
/// read refusals and preflights are answered.
///
/// ```
/// # use actix_maintenance_mode::Maintenance;
/// # use actix_session::{SessionMiddleware, storage::CookieSessionStore};
/// # use actix_web::{App, cookie::Key};
/// # fn app(maintenance: Maintenance, key: Key) {
/// App::new()
///     .wrap(maintenance.middleware())
///     .wrap(SessionMiddleware::new(CookieSessionStore::default(), key));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MaintenanceMiddleware {
    maintenance: Maintenance,
}

impl MaintenanceMiddleware {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        Self { maintenance }
    }
}

impl<S, B> Transform<S, ServiceRequest> for MaintenanceMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    S::Error: From<actix_web::Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Transform = MaintenanceService<S>;
    type InitError = ();
    type Future = Joining<S>;

    fn new_transform(&self, service: S) -> Self::Future {
        Joining {
            own_node: self.maintenance.engine.shared.own_node.take(),
            service: Some(MaintenanceService {
                inner: Rc::new(Inner {
                    worker: Worker::new(self.maintenance.clone()),
                    service,
                }),
            }),
        }
    }
}

/// Gives [`MaintenanceService`] once this process has taken its seat among the nodes, so that
/// nobody who waits for all nodes overlooks it.
#[must_use = "futures do nothing unless polled"]
pub struct Joining<S> {
    own_node: Pin<Box<dyn Future<Output = ()>>>,
    service: Option<MaintenanceService<S>>,
}

// The service is never pinned.
impl<S> Unpin for Joining<S> {}

impl<S> Future for Joining<S> {
    type Output = Result<MaintenanceService<S>, ()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.own_node.as_mut().poll(context));
        // It is asked once.
        match self.service.take() {
            Some(service) => Poll::Ready(Ok(service)),
            None => Poll::Pending,
        }
    }
}

/// The service of [`MaintenanceMiddleware`].
pub struct MaintenanceService<S> {
    /// Shared with the requests that wait until it is known who is asking, and with no others.
    inner: Rc<Inner<S>>,
}

struct Inner<S> {
    worker: Worker,
    service: S,
}

impl<S, B> Service<ServiceRequest> for MaintenanceService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    S::Error: From<actix_web::Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Future = MaintenanceFuture<S>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.service.poll_ready(context)
    }

    #[inline]
    fn call(&self, request: ServiceRequest) -> Self::Future {
        // Counted before the word is read, so that whoever publishes a word and then finds a count
        // of zero knows that nobody is inside.
        let worker = &self.inner.worker;
        let inside = worker.admissions.count();
        let step = if worker.is_open() {
            let mut admission = worker.admissions.pass_unseen(inside, request.request());
            Step::Passed {
                response: call(&self.inner.service, request, &mut admission),
                admission,
            }
        } else {
            Step::Arrived {
                arrived: Some(Arrived {
                    request,
                    inner: Rc::clone(&self.inner),
                }),
            }
        };
        MaintenanceFuture { step }
    }
}

/// Taken apart and put together: to map the body of the whole would copy the response, which is
/// large, several times.
#[inline]
fn with_body<B, C>(response: ServiceResponse<B>, wrap: impl FnOnce(B) -> C) -> ServiceResponse<C> {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    ServiceResponse::new(request, response.set_body(wrap(body)))
}

impl Maintenance {
    /// The middleware that refuses visitors during maintenance; for an `App`, a `Scope` or a
    /// `Resource`.
    ///
    /// Wrap it before (that is, inside of) the session middleware and a `Cors` middleware.
    ///
    /// [`MaintenanceMiddleware`] says in which order to wrap middlewares, with an example.
    pub fn middleware(&self) -> MaintenanceMiddleware {
        MaintenanceMiddleware::new(self.clone())
    }
}
