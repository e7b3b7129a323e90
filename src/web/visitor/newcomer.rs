//! Sessions that begin while a mode is closing: whoever logs in then is a newcomer.
//!
//! Whether somebody was in before is noted by each process for itself, and a young process, or another
//! node, knows of nobody. So the session itself carries what it began under, wherever it goes.

use std::{collections::BTreeMap, sync::Arc};

use actix_session::{Session, SessionExt as _};
use actix_web::{HttpMessage as _, HttpRequest};
use jiff::Timestamp;

use crate::core::{phase::Phase, snapshot::Snapshot, state::Switch};

/// Where a session keeps it.
const KEY: &str = "maintenance_newcomer";

/// The modes that are closing, by their keys, and since when. A mode that closes again does so since
/// another instant, and no two clocks are compared.
type Closing = BTreeMap<String, Option<Timestamp>>;

/// A request that was let in while a mode is closing, to be looked at again when its response is there.
struct Watched {
    closing: Closing,
    user_key: Arc<str>,
    /// Whose session it was.
    before: Option<String>,
}

/// Since when a mode is closing.
fn since(snapshot: &Snapshot, mode: usize) -> Option<Timestamp> {
    match &snapshot.modes.get(mode)?.state.switch {
        Switch::Pending(drain) => drain.on.since,
        _ => None,
    }
}

/// Looks at who sends a request that is let in while a mode is closing.
pub(crate) fn watch(
    request: &HttpRequest,
    user_key: Arc<str>,
    snapshot: &Snapshot,
    now: Timestamp,
) {
    let closing: Closing = snapshot
        .closed_modes(now)
        .filter(|mode| mode.phase == Phase::Pending)
        .map(|mode| {
            let key = snapshot.modes[mode.index].key.as_ref().to_owned();
            (key, since(snapshot, mode.index))
        })
        .collect();
    let before = user(&request.get_session(), &user_key);
    request.extensions_mut().insert(Watched {
        closing,
        user_key,
        before,
    });
}

/// Marks a session that the app has begun in answer to a request that was watched.
pub(crate) fn mark(request: &HttpRequest) {
    let Some(watched) = request.extensions_mut().remove::<Watched>() else {
        return;
    };
    let session = request.get_session();
    let now = user(&session, &watched.user_key);
    if now.is_some()
        && now != watched.before
        && let Err(error) = session.insert(KEY, watched.closing)
    {
        tracing::debug!(%error, "a session that begins while maintenance closes cannot be marked");
    }
}

/// Whether the session of a request began while this mode was closing as it is now.
pub(crate) fn is_newcomer(request: &HttpRequest, snapshot: &Snapshot, mode: usize) -> bool {
    let Some(view) = snapshot.modes.get(mode) else {
        return false;
    };
    let began_under = request.get_session().get::<Closing>(KEY).ok().flatten();
    began_under
        .and_then(|closing| closing.get(&*view.key).copied())
        .is_some_and(|began| began == since(snapshot, mode))
}

/// Who a session says that somebody is, as it is written there.
fn user(session: &Session, user_key: &str) -> Option<String> {
    let entries = session.entries();
    entries.get(user_key).filter(|id| *id != "null").cloned()
}
