//! What becomes of a request, polled to its end.

use std::{
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_web::{
    body::{BodySize, MessageBody},
    dev::{Payload, ResponseHead, Service, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
            UPGRADE,
        },
    },
};
use pin_project_lite::pin_project;

use super::{Inner, with_body};
use crate::{
    core::visitor::Visitor,
    engine::leases::deadline::Deadline,
    web::{
        middleware::{
            admission::Admission,
            body::MaintenanceBody,
            cut_off::CutOff,
            waiting::{MayWait, Waited, Woken, wait},
            worker::Judgement,
        },
        visitor::identity::VisitorFuture,
    },
};

pin_project! {
    /// The future of [`MaintenanceService`].
    pub struct MaintenanceFuture<S: Service<ServiceRequest>> {
        #[pin]
        pub(super) step: Step<S>,
    }
}

pin_project! {
    // Every future of an app is moved a few times on its way to where it is polled. What only some
    // requests need is therefore made when it is polled, or boxed.
    #[project = StepProjection]
    pub(super) enum Step<S: Service<ServiceRequest>> {
        Passed { #[pin] response: S::Future, admission: Admission },
        CachedRefusal {
            #[pin]
            response: S::Future,
            admission: Admission,
            lease: Option<Arc<Deadline>>,
            is_private: bool,
        },
        Arrived { arrived: Option<Arrived<S>> },
        Asking { asking: Option<Box<Asking<S>>> },
        Waiting { waiting: Option<Box<Waiting<S>>> },
    }
}

/// A request that is judged when the future is polled.
pub(super) struct Arrived<S> {
    pub(super) request: ServiceRequest,
    pub(super) inner: Rc<Inner<S>>,
}

/// A request that cannot be judged before it is known who is asking.
pub(super) struct Asking<S> {
    pub(super) visitor: VisitorFuture,
    pub(super) arrived: Arrived<S>,
    /// Where it has waited before, if it has.
    waited: Option<Waited>,
}

/// A request that waits for a mode to open.
pub(super) struct Waiting<S> {
    woken: Pin<Box<dyn Future<Output = Woken>>>,
    arrived: Arrived<S>,
}

impl<S> Waiting<S> {
    fn new(arrived: Arrived<S>, waited: Waited) -> Self {
        let engine = &arrived.inner.worker.maintenance.engine;
        let woken = wait(waited, Arc::clone(&engine.shared), engine.published.clone());
        Self {
            woken: Box::pin(woken),
            arrived,
        }
    }
}

impl<S, B> Future for MaintenanceFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    S::Error: From<actix_web::Error>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<MaintenanceBody<B>>, S::Error>;

    // It is short, and a call of its own costs a copy of the response.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.as_mut().project().step.project() {
            StepProjection::Passed {
                response,
                admission,
            } => poll_passed(response, admission, context),
            _ => self.poll_judged(context),
        }
    }
}

impl<S, B> MaintenanceFuture<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    S::Error: From<actix_web::Error>,
    B: MessageBody,
{
    /// Apart from [`poll`](Future::poll), so that the way of a request that passes unseen is short.
    #[inline(never)]
    pub(super) fn poll_judged(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<<Self as Future>::Output> {
        loop {
            let (arrived, visitor, waited) = match self.as_mut().project().step.project() {
                StepProjection::Passed {
                    response,
                    admission,
                } => return poll_passed(response, admission, context),
                StepProjection::CachedRefusal {
                    response,
                    admission,
                    lease,
                    is_private,
                } => {
                    if lease.as_ref().is_some_and(|lease| lease.is_over()) {
                        // What the app was about to do goes with its future.
                        self.as_mut()
                            .project()
                            .step
                            .set(Step::Arrived { arrived: None });
                        return Poll::Ready(Err(actix_web::Error::from(CutOff).into()));
                    }
                    let mut response = ready!(poll_passed(response, admission, context))?;
                    let lease = lease.take();
                    if *is_private {
                        keep_private(response.headers_mut());
                    }
                    return Poll::Ready(Ok(with_body(response, |body| match lease {
                        Some(lease) => body.bound_to(lease),
                        None => body,
                    })));
                }
                StepProjection::Arrived { arrived } => (arrived.take(), None, None),
                StepProjection::Asking { asking } => {
                    let visitor = match asking {
                        Some(asking) => ready!(asking.visitor.as_mut().poll(context)),
                        None => return Poll::Pending,
                    };
                    // With the future goes all that it holds, before the request is routed.
                    match asking.take() {
                        Some(asking) => (Some(asking.arrived), Some(visitor), asking.waited),
                        None => (None, None, None),
                    }
                }
                StepProjection::Waiting { waiting } => {
                    let woken = match waiting {
                        Some(waiting) => ready!(waiting.woken.as_mut().poll(context)),
                        None => return Poll::Pending,
                    };
                    let Some(Waiting { mut arrived, .. }) = waiting.take().map(|it| *it) else {
                        return Poll::Pending;
                    };
                    match woken {
                        Woken::Due(waited) => (Some(arrived), None, Some(waited)),
                        Woken::Look(mut waited) => {
                            if waited.is_there(arrived.request.parts_mut().1) {
                                *waiting = Some(Box::new(Waiting::new(arrived, waited)));
                                continue;
                            }
                            (Some(arrived), None, Some(waited))
                        }
                    }
                }
            };
            // A future that is polled again after it was ready may wait for ever.
            let Some(arrived) = arrived else {
                return Poll::Pending;
            };
            match arrived.judge(visitor, waited) {
                Next::Step(step) => self.as_mut().project().step.set(step),
                Next::Refused(response) => return Poll::Ready(Ok(refused(response))),
            }
        }
    }
}

/// The response of the app, around whose body the admission goes.
#[inline]
pub(super) fn poll_passed<B, E, F>(
    response: Pin<&mut F>,
    admission: &mut Admission,
    context: &mut Context<'_>,
) -> Poll<Result<ServiceResponse<MaintenanceBody<B>>, E>>
where
    F: Future<Output = Result<ServiceResponse<B>, E>>,
    B: MessageBody,
{
    let counted = admission.enter();
    let polled = response.poll(context);
    drop(counted);
    // Looked at where it is: what has been moved and is then looked at is copied once more, and a
    // response is large.
    let is_plain = match &polled {
        Poll::Ready(Ok(response)) => {
            !admission.is_noted() && !matches!(response.response().body().size(), BodySize::Stream)
        }
        _ => true,
    };
    if !is_plain {
        return polled.map_ok(|response| look_again(response, admission));
    }
    // Spelt out for the same reason.
    match polled {
        Poll::Ready(Ok(response)) => Poll::Ready(Ok(with_admission(response, admission))),
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending => Poll::Pending,
    }
}

/// What follows from a judgement.
pub(super) enum Next<S: Service<ServiceRequest>> {
    Step(Step<S>),
    Refused(ServiceResponse),
}

impl<S: Service<ServiceRequest>> Arrived<S> {
    /// Judges the request. What is known of the state is read after the request has been counted.
    ///
    /// `waited`: where it has waited before, if it has.
    pub(super) fn judge(mut self, visitor: Option<Visitor>, mut waited: Option<Waited>) -> Next<S> {
        let worker = &self.inner.worker;
        let inside = worker.admissions.count();
        // Looked at before the state: a node that gets another lease reads the state first.
        let lease = worker.lease();
        let (request, payload) = self.request.parts_mut();
        let may_wait = MayWait {
            payload,
            waited: &mut waited,
        };
        let judgement = worker.judge(request, may_wait, inside, visitor);
        let is_private = matches!(judgement, Judgement::PassPrivately(_));
        match judgement {
            Judgement::Pass(mut admission) | Judgement::PassPrivately(mut admission) => {
                if let Some(waited) = waited {
                    waited.let_in();
                }
                let lease = lease.filter(|_| worker.closes_to(self.request.request()));
                let response = call(&self.inner.service, self.request, &mut admission);
                Next::Step(if is_private || lease.is_some() {
                    Step::CachedRefusal {
                        response,
                        admission,
                        lease,
                        is_private,
                    }
                } else {
                    Step::Passed {
                        response,
                        admission,
                    }
                })
            }
            Judgement::Refuse(response) => {
                if let Some(waited) = waited {
                    waited.refused();
                }
                Next::Refused(self.request.into_response(response))
            }
            Judgement::Wait(waited) => Next::Step(Step::Waiting {
                waiting: Some(Box::new(Waiting::new(self, waited))),
            }),
            Judgement::Ask(visitor) => Next::Step(Step::Asking {
                asking: Some(Box::new(Asking {
                    visitor,
                    arrived: self,
                    waited,
                })),
            }),
        }
    }
}

/// Hands a request on to the app.
#[inline(always)]
pub(super) fn call<S: Service<ServiceRequest>>(
    service: &S,
    request: ServiceRequest,
    admission: &mut Admission,
) -> S::Future {
    if is_upgrade(&request) {
        admission.is_endless();
    }
    let _counted = admission.enter();
    service.call(request)
}

/// Whether a request asks for a WebSocket. To actix its body is then all that ever comes: a handler
/// that reads it to the end does not answer before the client leaves, and nobody waits for that.
#[inline]
fn is_upgrade(request: &ServiceRequest) -> bool {
    let (request, payload) = request.parts();
    if matches!(payload, Payload::None) {
        return false;
    }
    let headers = request.headers();
    headers.get(UPGRADE).is_some_and(|to| {
        to.as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"websocket")
    }) && !headers.contains_key(TRANSFER_ENCODING)
}

/// Looks at what not every response has: a session, which may be another now, and a body whose
/// end nobody knows.
#[inline(never)]
pub(super) fn look_again<B: MessageBody>(
    response: ServiceResponse<B>,
    admission: &mut Admission,
) -> ServiceResponse<MaintenanceBody<B>> {
    if admission.is_noted() {
        admission.look_again(response.request());
    }
    let is_stream = matches!(response.response().body().size(), BodySize::Stream);
    if is_stream && is_endless(response.response().head()) {
        admission.is_endless();
    }
    with_admission(response, admission)
}

/// Hands the admission on to the body: who is being sent something is still inside.
#[inline]
pub(super) fn with_admission<B: MessageBody>(
    response: ServiceResponse<B>,
    admission: &mut Admission,
) -> ServiceResponse<MaintenanceBody<B>> {
    with_body(response, |body| {
        MaintenanceBody::passed(body, admission.take())
    })
}

/// Keeps a response out of caches that others share: they would be shown it, too. What such a cache
/// is told apart from the rest (RFC 9213) counts more than `Cache-Control`, so it goes.
fn keep_private(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let of_shared_caches: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            name.ends_with("cdn-cache-control") || name == "surrogate-control"
        })
        .cloned()
        .collect();
    for name in of_shared_caches {
        headers.remove(name);
    }
}

/// Whether a response never ends by itself: an upgraded connection, server-sent events, or parts
/// that replace each other.
pub(super) fn is_endless(head: &ResponseHead) -> bool {
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

pub(super) fn refused<B>(response: ServiceResponse) -> ServiceResponse<MaintenanceBody<B>> {
    with_body(response, MaintenanceBody::refused)
}
