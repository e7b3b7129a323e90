//! `/ping`: what anybody may know.

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{HeaderValue, RETRY_AFTER},
    },
    web,
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    answer,
    answering::Answer,
    authorize::sight,
    visible::{Told, Visibility, Visible},
};
use crate::{
    core::{opening::Place, phase::Phase, snapshot::Snapshot, status::modes::ModeStatus},
    web::{
        front::Front,
        maintenance::Maintenance,
        refusal::{described::RefusalMarker, rendered::X_MAINTENANCE_MODE},
        request::query_pairs,
    },
};

/// What anybody may know, and the modes that somebody may see.
#[derive(Debug, Serialize)]
pub(crate) struct PingDocument {
    maintenance_mode: bool,
    phase: Phase,
    retry_after: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Timestamp>,
    /// By when it is closed at the latest, while it is closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Timestamp>,
    /// Until when, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modes: Option<Visible<Vec<ModeStatus>>>,
    /// How the store is, for those who may see anything: what they see is as old as its failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<StoreHealth>,
}

/// Whether the store can be read. Nothing that moves on by itself is in it, as a document that is
/// another one is a change that is told.
#[derive(Debug, Serialize)]
struct StoreHealth {
    error: Option<String>,
}

impl Told for PingDocument {}

/// Whether the site is closed, and the modes that somebody may see.
pub(crate) fn ping_document(
    front: &Front,
    snapshot: &Snapshot,
    now: Timestamp,
    sight: &Visibility,
) -> PingDocument {
    let closed = snapshot.closed_mode(now);
    document(
        snapshot,
        snapshot.foremost_mode(now),
        closed,
        retry_after(front, snapshot, closed, None, now),
        now,
        sight,
    )
}

/// Tells of one mode, and whether it is the one that closes what is asked for.
fn document(
    snapshot: &Snapshot,
    mode: usize,
    closed: Option<usize>,
    retry_after: Option<u64>,
    now: Timestamp,
    sight: &Visibility,
) -> PingDocument {
    let standing = snapshot.modes[mode].standing(now);
    PingDocument {
        maintenance_mode: closed.is_some(),
        phase: standing.phase,
        retry_after: retry_after.unwrap_or(0),
        start: standing.start,
        deadline: snapshot.modes[mode].closes_by(now),
        until: standing.until,
        modes: (!sight.is_nothing()).then(|| sight.modes(snapshot.mode_statuses(now))),
        store: (!sight.is_nothing()).then(|| StoreHealth {
            error: snapshot.store.error.clone(),
        }),
    }
}

/// The mode that a probe asks about. `Ok(None)`: about the whole site.
///
/// Load balancers ask about the default mode. Which others there are is told to those only who may
/// see them; to the rest they are as modes that there are not.
///
/// # Errors
///
/// When there is no such mode for whoever asks.
pub(crate) fn probed_mode(
    request: &HttpRequest,
    maintenance: &Maintenance,
    snapshot: &Snapshot,
    sight: &Visibility,
) -> Result<Option<usize>, NoSuchMode> {
    let mut asked = query_pairs(request.query_string())
        .into_iter()
        .filter_map(|(name, value)| (name == "mode").then_some(value));
    let Some(key) = asked.next() else {
        return Ok(None);
    };
    let may_ask = sight.has(&key) || key == maintenance.engine.default_mode();
    let known = snapshot.modes.iter().position(|mode| *mode.key == *key);
    known.filter(|_| may_ask).map(Some).ok_or(NoSuchMode)
}

/// There is no such mode for whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSuchMode;

/// In how many seconds the site may be open again, if it is closed and that is said. `turn`: when it is
/// for whoever asks, if it is opening.
fn retry_after(
    front: &Front,
    snapshot: &Snapshot,
    closed: Option<usize>,
    turn: Option<Timestamp>,
    now: Timestamp,
) -> Option<u64> {
    let mode = closed?;
    if turn.is_some_and(|turn| turn <= now) {
        return None;
    }
    let standing = snapshot.modes[mode].standing(now);
    let until = turn.or(standing.until);
    front
        .responses
        .retry_after(mode, standing.phase, until, now)
}

/// What anybody may know: whether the site is closed. With the status of a refusal while it is, so
/// that a program need not read the body. While it is opening it is to be reached: whoever asks is told
/// when their own turn comes. With `?mode=` it is about that mode alone.
pub(super) async fn ping(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let shared = &maintenance.engine.shared;
    // Before the snapshot is read: what is told is what is, when it is sent.
    let sight = sight(&request, &maintenance).await;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let probed = probed_mode(&request, &maintenance, &snapshot, &sight);
    let probed = probed.map_err(|NoSuchMode| {
        maintenance.front.responses.notice(
            request.headers(),
            StatusCode::NOT_FOUND,
            "No such mode",
            "There is no mode of this name.",
        )
    })?;
    let (mode, closed) = match probed {
        None => (snapshot.foremost_mode(now), snapshot.closed_mode(now)),
        Some(mode) => {
            let is_closed = snapshot.modes[mode].phase(now).is_maintenance();
            (mode, is_closed.then_some(mode))
        }
    };
    let refuses = closed.filter(|mode| snapshot.modes[*mode].phase(now) != Phase::Opening);
    let status = refuses.map_or(StatusCode::OK, |mode| {
        maintenance.front.responses.status(mode)
    });
    let turn = match (closed, refuses) {
        (Some(mode), None) => {
            let visitor = super::visitor(&maintenance, &request).await;
            let place = Place::of(&visitor, maintenance.client_address(&request));
            snapshot.modes[mode].turn(place)
        }
        _ => None,
    };
    let seconds = retry_after(&maintenance.front, &snapshot, closed, turn, now);
    let document = document(&snapshot, mode, closed, seconds, now, &sight);
    let mut response = answer::document(status, &document);
    if refuses.is_some() {
        let headers = response.headers_mut();
        headers.insert(X_MAINTENANCE_MODE, HeaderValue::from_static("1"));
        if let Some(seconds) = seconds {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(RefusalMarker);
    }
    Ok(response)
}
