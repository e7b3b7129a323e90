//! The middleware: one word is tested, and what it does not let pass is judged.

use std::{
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use pin_project_lite::pin_project;

use crate::{
    body::MaintenanceBody,
    identity::VisitorFuture,
    maintenance::Maintenance,
    worker::{Judgement, Pending, Worker},
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
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Transform = MaintenanceService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(MaintenanceService {
            inner: Rc::new(Inner {
                worker: Worker::new(self.maintenance.clone()),
                service,
            }),
        }))
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
        let inner = &*self.inner;
        let step = if inner.worker.word().is_quiet() {
            Step::Passed {
                response: inner.service.call(request),
            }
        } else {
            match inner.worker.judge(request.request()) {
                Judgement::Pass => Step::Passed {
                    response: inner.service.call(request),
                },
                Judgement::Refuse(response) => Step::Refused {
                    response: Some((request, response)),
                },
                Judgement::Ask(visitor, pending) => Step::Asking {
                    visitor,
                    waiting: Some(Waiting {
                        request,
                        pending,
                        inner: Rc::clone(&self.inner),
                    }),
                },
            }
        };
        MaintenanceFuture { step }
    }
}

pin_project! {
    /// The future of [`MaintenanceService`].
    pub struct MaintenanceFuture<S: Service<ServiceRequest>> {
        #[pin]
        step: Step<S>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<S: Service<ServiceRequest>> {
        Passed { #[pin] response: S::Future },
        Refused { response: Option<(ServiceRequest, HttpResponse)> },
        Asking { visitor: VisitorFuture, waiting: Option<Waiting<S>> },
    }
}

/// A request that cannot be judged before it is known who is asking.
struct Waiting<S> {
    request: ServiceRequest,
    pending: Pending,
    inner: Rc<Inner<S>>,
}

impl<S, B> Future for MaintenanceFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<MaintenanceBody<B>>, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().step.project() {
                StepProjection::Passed { response } => {
                    return Poll::Ready(match ready!(response.poll(context)) {
                        Ok(response) => {
                            Ok(response.map_body(|_, body| MaintenanceBody::passed(body)))
                        }
                        Err(error) => Err(error),
                    });
                }
                StepProjection::Refused { response } => {
                    // A future that is polled again after it was ready may wait for ever.
                    let Some((request, response)) = response.take() else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(Ok(refused(request, response)));
                }
                StepProjection::Asking { visitor, waiting } => {
                    let visitor = ready!(visitor.as_mut().poll(context));
                    match waiting.take() {
                        None => return Poll::Pending,
                        Some(waiting) => waiting.proceed(&visitor),
                    }
                }
            };
            // Dropping the step drops the visitor's future, and with it all that it holds.
            self.as_mut().project().step.set(next);
        }
    }
}

impl<S: Service<ServiceRequest>> Waiting<S> {
    fn proceed(self, visitor: &crate::identity::Visitor) -> Step<S> {
        let Self {
            request,
            pending,
            inner,
        } = self;
        let judgement = inner
            .worker
            .judge_visitor(request.request(), visitor, &pending);
        match judgement {
            Judgement::Refuse(response) => Step::Refused {
                response: Some((request, response)),
            },
            Judgement::Pass | Judgement::Ask(..) => Step::Passed {
                response: inner.service.call(request),
            },
        }
    }
}

fn refused<B>(
    request: ServiceRequest,
    response: HttpResponse,
) -> ServiceResponse<MaintenanceBody<B>> {
    request
        .into_response(response)
        .map_body(|_, body| MaintenanceBody::refused(body))
}

/// Refuses every request to what it wraps: from [`Maintenance::forced_on`].
///
/// ```
/// # use actix_maintenance_mode::Maintenance;
/// # use actix_web::{App, web};
/// # fn app(maintenance: Maintenance) {
/// App::new().service(
///     web::resource("/closed")
///         .wrap(maintenance.forced_on())
///         .to(|| async { "nobody sees this" }),
/// );
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ForcedOn {
    maintenance: Maintenance,
}

impl ForcedOn {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        Self { maintenance }
    }
}

impl<S, B> Transform<S, ServiceRequest> for ForcedOn
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Transform = ForcedOnService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ForcedOnService {
            worker: Worker::new(self.maintenance.clone()),
            service,
        }))
    }
}

/// The service of [`ForcedOn`].
pub struct ForcedOnService<S> {
    worker: Worker,
    service: S,
}

impl<S, B> Service<ServiceRequest> for ForcedOnService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody,
{
    type Response = ServiceResponse<MaintenanceBody<B>>;
    type Error = S::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let response = self.worker.refuse_always(request.request());
        ready(Ok(refused(request, response)))
    }
}
