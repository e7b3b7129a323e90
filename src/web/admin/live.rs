//! `/live`: a WebSocket that tells of every change, as `/ping` tells it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use actix_session::SessionExt as _;
use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{
            CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE,
        },
    },
    rt,
    web::{self, Bytes},
};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, ProtocolError, Session};
use bytestring::ByteString;
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{authorize::caller, origin, visible::Visibility};
use crate::{
    core::snapshot::Snapshot,
    engine::shared::Shared,
    web::{
        admin::ping::ping_document,
        front::Front,
        live::{NoPlace, Place},
        maintenance::Maintenance,
        permission::Permission,
        termination::terminated,
        visitor::session_notes::visitor_by_session,
    },
};

/// The longest frame that a client may send; it has nothing to say but that it is there.
const LONGEST_FRAME: usize = 1024;
/// Who does not take a message for so long, with dozens of others before it, does not read.
const SLOW: Duration = Duration::from_secs(5);
/// After so long a connection ends, so that who may see is judged anew.
const LONGEST_CONNECTION: Duration = Duration::from_secs(3600);
/// What somebody may see is judged again at least so often, and at each change.
const JUDGED_EVERY: Duration = Duration::from_secs(60);
/// When to try again if there is no place.
const RETRY_WHEN_FULL: u64 = 30;

pub(super) async fn live(
    request: HttpRequest,
    payload: web::Payload,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let shared = &maintenance.engine.shared;
    if let Some(response) = no_websocket(&request, &maintenance.front) {
        return response;
    }
    let place = match maintenance
        .front
        .live
        .enter(maintenance.client_address(&request))
    {
        Ok(place) => place,
        Err(full) => return no_place(&request, &maintenance.front, full),
    };
    let visible = visible_modes(&request, &maintenance).await;
    // Before the snapshot is read, so that no change between the two is missed.
    let mut published = maintenance.engine.published.clone();
    published.mark_unchanged();
    let (response, session, messages) = match actix_ws::handle(&request, payload) {
        Ok(handled) => handled,
        Err(error) => {
            return maintenance.front.responses.notice(
                request.headers(),
                StatusCode::BAD_REQUEST,
                "No handshake",
                &format!("This is no handshake of a WebSocket: {error}."),
            );
        }
    };
    let connection = Connection {
        shared: Arc::clone(shared),
        front: Arc::clone(&maintenance.front),
        published,
        kept: session_of(&request),
        logged_out: visitor_by_session(&request, &maintenance)
            .map(|visitor| maintenance.front.live.follow(visitor)),
        request,
        maintenance: maintenance.clone(),
        visible,
        session,
        told: ByteString::new(),
    };
    rt::spawn(connection.run(messages.max_frame_size(LONGEST_FRAME)));
    response.map_body(|_, body| BoxBody::new(Held { body, place }))
}

/// Whoever may see is told of the modes: by a token, or by a session that a page of this very site
/// sends. A page of another site connects with the visitor's cookies, too; it is told what anybody
/// may know.
async fn visible_modes(request: &HttpRequest, maintenance: &Maintenance) -> Visibility {
    let caller = caller(request, maintenance, Permission::See).await;
    if caller.by_token() || origin::is_own_page(request, &maintenance.front) {
        Visibility::of(caller.modes, maintenance.engine.shared.modes.len())
    } else {
        Visibility::default()
    }
}

/// The answer to what does not ask for a WebSocket, or for one of another version (RFC 6455,
/// section 4.4).
fn no_websocket(request: &HttpRequest, front: &Front) -> Option<HttpResponse> {
    let headers = request.headers();
    let has = |name: HeaderName, value: &[u8]| {
        headers.get_all(name).any(|line| {
            line.as_bytes()
                .split(|byte| *byte == b',')
                .any(|word| word.trim_ascii().eq_ignore_ascii_case(value))
        })
    };
    if has(UPGRADE, b"websocket")
        && has(CONNECTION, b"upgrade")
        && has(SEC_WEBSOCKET_VERSION, b"13")
    {
        return None;
    }
    let mut response = front.responses.notice(
        headers,
        StatusCode::UPGRADE_REQUIRED,
        "A WebSocket",
        "This address takes a WebSocket of version 13. Programs that have none ask /ping.",
    );
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    Some(response)
}

fn no_place(request: &HttpRequest, front: &Front, why: NoPlace) -> HttpResponse {
    let (status, detail) = match why {
        NoPlace::InAll => (
            StatusCode::SERVICE_UNAVAILABLE,
            "There are as many live connections as this server takes (`live.connections`, and a \
             quarter of the files that it may open). Ask /ping.",
        ),
        NoPlace::ForClient => (
            StatusCode::TOO_MANY_REQUESTS,
            "There are as many live connections from your address as one may have \
             (`live.per_address`). Close some, or ask /ping.",
        ),
    };
    let mut response = front
        .responses
        .notice(request.headers(), status, "No place", detail);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(RETRY_WHEN_FULL));
    response
}

/// The body of a connection, which holds its place for as long as there is anything left of it:
/// also while a client that does not read keeps the last of it from being sent.
struct Held {
    body: BoxBody,
    #[allow(dead_code, reason = "it is dropped with the body")]
    place: Place,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

struct Connection {
    shared: Arc<Shared>,
    front: Arc<Front>,
    published: watch::Receiver<u64>,
    /// Who has connected, and with what.
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
    /// What their session had, which the middleware takes out of the request with the response.
    kept: Vec<(String, Value)>,
    /// Whether they have logged out since, where that can be known.
    logged_out: Option<Arc<AtomicBool>>,
    /// The modes that the visitor may see.
    visible: Visibility,
    session: Session,
    /// What the client knows already.
    told: ByteString,
}

fn session_of(request: &HttpRequest) -> Vec<(String, Value)> {
    let session = request.get_session();
    let entries = session.entries();
    entries
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), serde_json::from_str(value).ok()?)))
        .collect()
}

/// Why a connection ends.
enum End {
    /// The client has gone, or does not read: there is nobody to say it to.
    Gone,
    Because(CloseCode, &'static str),
}

impl Connection {
    async fn run(mut self, messages: MessageStream) {
        let end = self.serve(messages).await;
        if let End::Because(code, description) = end {
            let reason = CloseReason {
                code,
                description: Some(description.to_owned()),
            };
            // Whoever does not take it is dropped without it.
            let _ = timeout(SLOW, self.session.close(Some(reason))).await;
        }
    }

    async fn serve(&mut self, mut messages: MessageStream) -> End {
        let snapshot = self.shared.published.snapshot();
        let first = render(&self.shared, &self.front, &snapshot, &self.visible);
        drop(snapshot);
        self.told = first.clone();
        if !is_taken(self.session.text(first)).await {
            return End::Gone;
        }
        let heartbeat = self.front.live.settings.heartbeat;
        let over = Instant::now() + LONGEST_CONNECTION.mul_f64(0.9 + 0.1 * fastrand::f64());
        let mut beat = Instant::now() + heartbeat;
        let mut is_asked = false;
        let judged_every = heartbeat.min(JUDGED_EVERY);
        let mut judge = Instant::now() + judged_every;
        let terminated = terminated();
        tokio::pin!(terminated);
        loop {
            tokio::select! {
                message = messages.recv() => {
                    // Whatever it is, somebody is there.
                    is_asked = false;
                    beat = Instant::now() + heartbeat;
                    match message {
                        Some(Ok(Message::Ping(data))) => {
                            if !is_taken(self.session.pong(&data)).await {
                                return End::Gone;
                            }
                        }
                        Some(Ok(Message::Close(_))) => {
                            return End::Because(CloseCode::Normal, "");
                        }
                        Some(Ok(_)) => {}
                        Some(Err(ProtocolError::Overflow)) => {
                            return End::Because(CloseCode::Size, "too long");
                        }
                        Some(Err(ProtocolError::Io(_))) | None => return End::Gone,
                        Some(Err(_)) => return End::Because(CloseCode::Protocol, ""),
                    }
                }
                changed = self.published.changed() => {
                    if changed.is_err() {
                        return End::Because(CloseCode::Away, "maintenance has ended its work");
                    }
                    self.judge().await;
                    judge = Instant::now() + judged_every;
                    if !self.tell().await {
                        return End::Gone;
                    }
                }
                () = sleep_until(judge) => {
                    let is_another = self.judge().await;
                    judge = Instant::now() + judged_every;
                    if is_another && !self.tell().await {
                        return End::Gone;
                    }
                    if self.has_logged_out() {
                        // They may be in by another session, which the next request says.
                        return End::Because(CloseCode::Normal, "connect again");
                    }
                }
                () = sleep_until(beat) => {
                    if is_asked || !is_taken(self.session.ping(b"")).await {
                        return End::Gone;
                    }
                    is_asked = true;
                    beat = Instant::now() + heartbeat;
                }
                () = sleep_until(over) => {
                    return End::Because(CloseCode::Normal, "connect again");
                }
                () = &mut terminated => {
                    return End::Because(CloseCode::Away, "the server stops");
                }
            }
        }
    }

    /// Gives the request its session back, for whoever asks it who is there.
    fn restore_session(&self) {
        let session = self.request.get_session();
        if session.entries().is_empty() {
            for (key, value) in &self.kept {
                // It was JSON before, and is JSON again.
                let _ = session.insert(key.clone(), value);
            }
        }
    }

    /// Whether the visitor has logged out of this process since. Their session is the one that the
    /// request came with, and says nothing of it.
    fn has_logged_out(&self) -> bool {
        self.logged_out
            .as_ref()
            .is_some_and(|has_left| has_left.load(Ordering::Relaxed))
    }

    /// Judges again what the visitor may see, and says whether it is something else than before: they
    /// may have logged out, or a token may have expired.
    async fn judge(&mut self) -> bool {
        let visible = if self.has_logged_out() {
            Visibility::default()
        } else {
            self.restore_session();
            visible_modes(&self.request, &self.maintenance).await
        };
        let is_another = visible != self.visible;
        self.visible = visible;
        is_another
    }

    /// Tells the client what is new. `false`: it does not take it.
    async fn tell(&mut self) -> bool {
        let snapshot = self.shared.published.snapshot();
        let document = self.front.live.document(&snapshot, &self.visible, || {
            render(&self.shared, &self.front, &snapshot, &self.visible)
        });
        if document == self.told {
            return true;
        }
        self.told = document.clone();
        is_taken(self.session.text(document)).await
    }
}

/// Whether the client takes a message in time.
async fn is_taken(sending: impl Future<Output = Result<(), actix_ws::Closed>>) -> bool {
    matches!(timeout(SLOW, sending).await, Ok(Ok(())))
}

/// Puts into words what is now.
fn render(shared: &Shared, front: &Front, snapshot: &Snapshot, visible: &Visibility) -> ByteString {
    let now = shared.now_for(snapshot);
    let document = ping_document(front, snapshot, now, visible);
    match serde_json::to_string(&document) {
        Ok(document) => document.into(),
        // It is made of texts and numbers, which cannot fail; a closure's details are JSON already.
        Err(error) => {
            tracing::error!(%error, "what is cannot be put into JSON");
            ByteString::from_static("{}")
        }
    }
}
