//! A request that waits for a mode to open instead of being refused, without its body being read.
//!
//! It is outside: it counts neither as being served nor as somebody who is inside. Once it need not wait
//! any more, it is judged as if it had just come.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::{
        Method, Version,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    },
    web::Bytes,
};
use futures_core::Stream;
use tokio::{sync::watch, time::sleep_until};

use crate::{
    core::{
        park::{Body, may_wait, patience},
        phase::Phase,
    },
    engine::{
        parked::{Place, WaitedFor},
        shared::Shared,
    },
};

/// How often it is looked whether the client is still there, where nothing tells that it has gone.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// A request's place among those who wait, until it is dropped.
pub(crate) struct Waited {
    place: Place,
    since: Instant,
    /// When its patience ends.
    until: Instant,
    /// Whether its client has gone, or nobody is left who could open anything.
    is_over: Option<WaitedFor>,
    /// Whether the end of its body has been read, so that only the loss of the connection is left to be
    /// read of it.
    is_read: bool,
}

impl Waited {
    pub(super) fn let_in(self) {
        self.place.give_up(WaitedFor::LetIn);
    }

    pub(super) fn refused(self) {
        let became = self.is_over.unwrap_or(WaitedFor::Refused);
        self.place.give_up(became);
    }

    /// Whether the client is still there, where nothing tells that it has gone.
    ///
    /// A client of HTTP/2 that goes away, or gives its request up, leaves an error where the end of the
    /// body was.
    pub(super) fn is_there(&mut self, payload: &mut Payload) -> bool {
        let has_gone = self.is_read && matches!(peek(payload), Poll::Ready(Some(Err(_))));
        if has_gone {
            self.is_over = Some(WaitedFor::Nothing);
        }
        !has_gone
    }
}

/// What of a request says whether it may wait.
pub(crate) struct MayWait<'r> {
    pub(super) payload: &'r mut Payload,
    /// Where it has waited before, if it has.
    pub(super) waited: &'r mut Option<Waited>,
}

impl MayWait<'_> {
    /// A place for a request that would be refused by a mode that has requests wait for so long.
    pub(super) fn find_place(
        &mut self,
        request: &HttpRequest,
        shared: &Shared,
        mode: usize,
        patience: Duration,
    ) -> Option<Waited> {
        let now = Instant::now();
        if let Some(waited) = self.waited {
            let until = waited.since + patience;
            if waited.is_over.is_some() || until <= now || shared.parked.is_stopping() {
                return None;
            }
            waited.place.stay(mode);
            waited.until = until;
            return self.waited.take();
        }
        let (body, is_read) = body_of(request, self.payload);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if !may_wait(reads, body) {
            return None;
        }
        Some(Waited {
            place: shared.parked.enter(mode)?,
            since: now,
            until: now + patience,
            is_over: None,
            is_read,
        })
    }
}

/// What is known of a body that nobody has read, and whether its end was.
fn body_of(request: &HttpRequest, payload: &mut Payload) -> (Body, bool) {
    if matches!(payload, Payload::None) {
        return (Body::None, false);
    }
    let headers = request.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        return (Body::Unknown, false);
    }
    if let Some(length) = headers.get(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|text| text.parse().ok());
        return (length.map_or(Body::Unknown, Body::Declared), false);
    }
    if request.version() != Version::HTTP_2 {
        // RFC 9112, section 6.3.
        return (Body::None, false);
    }
    // In HTTP/2 a request without a body says so by ending, which shows where it is read.
    match peek(payload) {
        Poll::Ready(None) => (Body::None, true),
        Poll::Ready(Some(first)) => {
            let rest = std::mem::replace(payload, Payload::None);
            let first = Some(first);
            *payload = Payload::Stream {
                payload: Box::pin(PutBack { first, rest }),
            };
            (Body::Unknown, false)
        }
        Poll::Pending => (Body::Unknown, false),
    }
}

type Chunk = Result<Bytes, PayloadError>;

/// What of a body is there already; the next who reads is woken by the rest.
fn peek(payload: &mut Payload) -> Poll<Option<Chunk>> {
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(payload).poll_next(&mut context)
}

/// A body of which a part has been read and is to be read again.
struct PutBack {
    first: Option<Chunk>,
    rest: Payload,
}

impl Stream for PutBack {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Chunk>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.rest).poll_next(context),
        }
    }
}

/// Why one who waits is woken.
pub(super) enum Woken {
    /// The request is to be judged again: its mode has opened and it is its turn, its patience is over, or
    /// nobody is to wait any more.
    Due(Waited),
    /// It is time to look whether the client is there.
    Look(Waited),
}

/// Waits as long as there is nothing to do.
pub(super) async fn wait(
    mut waited: Waited,
    shared: Arc<Shared>,
    mut published: watch::Receiver<u64>,
) -> Woken {
    let look = waited.is_read.then(|| Instant::now() + LOOKED_EVERY);
    let mut stopping = shared.parked.stopping();
    loop {
        // First, so that what is published after the snapshot was read is not missed.
        published.mark_unchanged();
        let snapshot = shared.published.snapshot();
        let now = shared.now_for(&snapshot);
        let at = Instant::now();
        let mode = &snapshot.modes[waited.place.mode()];
        let next = match (mode.phase(now), mode.park(now)) {
            (Phase::Pending | Phase::Offline, None) => return Woken::Due(waited),
            (Phase::Pending | Phase::Offline, Some(asked)) => {
                waited.until = waited.since + patience(asked, shared.parked.longest);
                // It may have been open for a moment.
                waited.place.stay(waited.place.mode());
                let edge = snapshot.next_edge(now).map(|edge| {
                    let until = Duration::try_from(edge.duration_since(now));
                    at + until.unwrap_or_default().min(shared.parked.longest)
                });
                if waited.until <= at {
                    return Woken::Due(waited);
                }
                edge.map_or(waited.until, |edge| edge.min(waited.until))
            }
            _ => {
                let turn = waited.place.turn(at).min(waited.until);
                if turn <= at {
                    return Woken::Due(waited);
                }
                turn
            }
        };
        drop(snapshot);
        tokio::select! {
            changed = published.changed() => {
                if changed.is_err() {
                    waited.is_over = Some(WaitedFor::Refused);
                    return Woken::Due(waited);
                }
            }
            _ = stopping.wait_for(|stopping| *stopping) => return Woken::Due(waited),
            () = sleep_until(next.into()) => {}
            () = at_or_never(look) => return Woken::Look(waited),
        }
    }
}

async fn at_or_never(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => poll_fn(|_| Poll::Pending).await,
    }
}

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod tests;
