//! Tells, once, that the session middleware is wrapped in the wrong order.
//!
//! When the maintenance middleware is outside of the session middleware, no session is loaded yet
//! when it decides, and everybody looks anonymous. Nothing in actix says so; it is concluded from
//! what requests show.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU8, Ordering},
};

use actix_session::{Session, SessionExt as _};
use actix_web::{HttpMessage as _, HttpRequest, http::header::COOKIE};

const UNKNOWN: u8 = 0;
/// A session was there when the maintenance middleware decided.
const RIGHT: u8 = 1;
const TOLD: u8 = 2;

const ADVICE: &str = "the maintenance middleware must be inside of the session middleware: \
     call `.wrap(maintenance.middleware())` first and `.wrap(SessionMiddleware...)` after it, \
     because the last one wrapped is the outermost";

/// In the request's extensions: no session was there when the maintenance middleware looked.
struct NoSessionSeen;

/// What is known about the order of the middlewares.
#[derive(Debug, Default)]
pub(crate) struct SessionOrder {
    state: AtomicU8,
    /// Whether sessions are loaded when the maintenance middleware decides, once requests have shown it
    /// for certain.
    pub(crate) loaded: Arc<OnceLock<bool>>,
}

impl SessionOrder {
    /// The middleware lets a request in during maintenance and has not looked at its session.
    pub(crate) fn passed(&self, request: &HttpRequest) {
        if self.state.load(Ordering::Relaxed) != UNKNOWN {
            return;
        }
        if is_loaded(&request.get_session()) {
            self.is_right();
        } else {
            request.extensions_mut().insert(NoSessionSeen);
        }
    }

    /// The middleware refuses a request after it looked at its session.
    pub(crate) fn refused(&self, request: &HttpRequest) {
        if self.state.load(Ordering::Relaxed) != UNKNOWN {
            return;
        }
        if is_loaded(&request.get_session()) {
            self.is_right();
        } else if request.headers().contains_key(COOKIE) && self.tell() {
            tracing::warn!(
                "a request with cookies was refused, and no session was loaded for it; \
                 if sessions are never seen, {ADVICE}"
            );
        }
    }

    /// The admin scope, which is inside of every middleware, looks at a request's session.
    pub(crate) fn inside(&self, request: &HttpRequest) {
        let seen_without = request.extensions().contains::<NoSessionSeen>();
        if seen_without && is_loaded(&request.get_session()) && self.tell() {
            tracing::warn!("sessions are loaded too late: {ADVICE}");
            let _ = self.loaded.set(false);
        }
    }

    fn is_right(&self) {
        self.state.store(RIGHT, Ordering::Relaxed);
        let _ = self.loaded.set(true);
    }

    fn tell(&self) -> bool {
        self.state
            .compare_exchange(UNKNOWN, TOLD, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

fn is_loaded(session: &Session) -> bool {
    !session.entries().is_empty()
}
