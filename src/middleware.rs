//! The middleware: one word is tested, and what it does not let pass is judged.

use std::{
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    dev::{ResponseHead, Service, ServiceRequest, ServiceResponse, Transform},
    http::{StatusCode, header::CONTENT_TYPE},
};
use pin_project_lite::pin_project;

use crate::{
    body::MaintenanceBody,
    identity::{Visitor, VisitorFuture},
    in_flight::Admission,
    maintenance::Maintenance,
    worker::{Admitted, Judgement, Worker},
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
        // Counted before the word is read, so that whoever publishes a word and then finds a count
        // of zero knows that nobody is inside.
        let admission = self.inner.worker.count();
        if self.inner.worker.word().is_quiet() {
            let admitted = self.inner.worker.pass(request.request(), admission);
            // Made in place: the future is large, and a copy of it would cost more than the test.
            return MaintenanceFuture {
                step: Step::Passed {
                    response: self.inner.service.call(request),
                    admitted: Some(admitted),
                },
            };
        }
        MaintenanceFuture {
            step: Inner::judge(&self.inner, request, admission, None),
        }
    }
}

impl<S: Service<ServiceRequest>> Inner<S> {
    /// Apart from `call`, so that the way of every request online stays short.
    #[inline(never)]
    fn judge(
        inner: &Rc<Self>,
        request: ServiceRequest,
        admission: Admission,
        visitor: Option<Visitor>,
    ) -> Step<S> {
        match inner.worker.judge(request.request(), admission, visitor) {
            Judgement::Pass(admitted) => Step::Passed {
                response: inner.service.call(request),
                admitted: Some(admitted),
            },
            Judgement::Refuse(response) => Step::Refused {
                response: Some((request, response)),
            },
            Judgement::Ask(visitor) => Step::Asking {
                visitor,
                waiting: Some(Waiting {
                    request,
                    inner: Rc::clone(inner),
                }),
            },
        }
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
        Passed { #[pin] response: S::Future, admitted: Option<Admitted> },
        Refused { response: Option<(ServiceRequest, HttpResponse)> },
        Asking { visitor: VisitorFuture, waiting: Option<Waiting<S>> },
    }
}

/// A request that cannot be judged before it is known who is asking.
struct Waiting<S> {
    request: ServiceRequest,
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
                StepProjection::Passed { response, admitted } => {
                    return Poll::Ready(match ready!(response.poll(context)) {
                        Ok(response) => Ok(passed(response, admitted.take())),
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
                        Some(Waiting { request, inner }) => {
                            let admission = inner.worker.count();
                            Inner::judge(&inner, request, admission, Some(visitor))
                        }
                    }
                }
            };
            // Dropping the step drops the visitor's future, and with it all that it holds.
            self.as_mut().project().step.set(next);
        }
    }
}

/// Hands the admission on to the body: who is being sent something is still inside.
#[inline]
fn passed<B: MessageBody>(
    response: ServiceResponse<B>,
    admitted: Option<Admitted>,
) -> ServiceResponse<MaintenanceBody<B>> {
    let Some(Admitted { admission, session }) = admitted else {
        return response.map_body(|_, body| MaintenanceBody::passed(body, None));
    };
    if let Some(session) = session {
        session.look_again();
    }
    response.map_body(|head, body| {
        if let Some(admission) = &admission
            && (head.status == StatusCode::SWITCHING_PROTOCOLS || body.size() == BodySize::Stream)
            && is_endless(head)
        {
            admission.is_endless();
        }
        MaintenanceBody::passed(body, admission)
    })
}

/// Whether a response never ends by itself: an upgraded connection, server-sent events, or parts
/// that replace each other.
#[inline(never)]
fn is_endless(head: &ResponseHead) -> bool {
    let is_stream_of_events = || {
        head.headers().get(CONTENT_TYPE).is_some_and(|kind| {
            [&b"text/event-stream"[..], b"multipart/x-mixed-replace"]
                .iter()
                .any(|endless| {
                    kind.as_bytes()
                        .get(..endless.len())
                        .is_some_and(|kind| kind.eq_ignore_ascii_case(endless))
                })
        })
    };
    head.status == StatusCode::SWITCHING_PROTOCOLS || is_stream_of_events()
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
