//! Notes which visitors are inside, by the sessions of the requests that pass.

use std::{cell::Cell, sync::Arc};

use actix_session::{Session, SessionExt as _, SessionStatus};
use actix_web::{HttpRequest, http::header::COOKIE};

use crate::{
    engine::{
        inside::sessions::{SessionTable, VisitorHash},
        shared::Shared,
    },
    web::front::Front,
    web::maintenance::Maintenance,
    web::visitor::identity::Identity,
};

/// After so many requests, none of them with a session, there most likely are no sessions at all,
/// and only one request in `SAMPLE` is looked at.
///
/// From the first session on every request is looked at, in every worker: who has logged in must
/// not be missed. Whoever came before that is let in all the same, because the table knows that
/// nobody looked.
const PATIENCE: u32 = 1024;
const SAMPLE: u32 = 16;

/// What one worker notes.
#[derive(Debug)]
pub(crate) struct SessionNotes {
    /// How many of the next requests need no look.
    skip: Cell<u32>,
    /// Requests that had no session, until there is one.
    in_vain: Cell<u32>,
    shared: Arc<Shared>,
    front: Arc<Front>,
    user_key: Arc<str>,
    table: SessionTable,
}

/// What was noted of a request that passed, in one word: every request carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noted(u64);

impl Noted {
    pub(crate) const NOTHING: Self = Self(0);
    /// Set where the other bits are a visitor.
    const VISITOR: u64 = 1 << 63;
    /// It has a session, which is nobody's.
    const NOBODY: Self = Self(1);

    fn of(visitor: VisitorHash) -> Self {
        Self(visitor.as_u64() | Self::VISITOR)
    }

    fn visitor(self) -> Option<VisitorHash> {
        (self.0 & Self::VISITOR != 0).then(|| VisitorHash::from_u64(self.0 & !Self::VISITOR))
    }
}

impl SessionNotes {
    /// Nothing where the app itself finds out who is asking: that may be dear.
    pub(crate) fn new(maintenance: &Maintenance) -> Option<Self> {
        let shared = &maintenance.engine.shared;
        let Identity::Session(keys) = &maintenance.front.identity else {
            return None;
        };
        Some(Self {
            skip: Cell::new(0),
            in_vain: Cell::new(0),
            shared: Arc::clone(shared),
            front: Arc::clone(&maintenance.front),
            user_key: keys.user_key(),
            table: shared.sessions.register(),
        })
    }

    /// Notes the visitor of a request that passes.
    #[inline]
    pub(crate) fn note(&self, request: &HttpRequest) -> Noted {
        match self.skip.get() {
            0 => self.look(request),
            skip => {
                self.skip.set(skip - 1);
                Noted::NOTHING
            }
        }
    }

    /// The visitor of a request, as the tables know them.
    pub(crate) fn visitor(&self, request: &HttpRequest) -> Option<VisitorHash> {
        self.visitor_of(&request.get_session())
    }

    /// Notes the visitor of a request, whatever came before. Requests without cookies have no
    /// session.
    #[inline(never)]
    pub(crate) fn look(&self, request: &HttpRequest) -> Noted {
        if !request.headers().contains_key(COOKIE) {
            return self.in_vain();
        }
        let session = request.get_session();
        if session.entries().is_empty() {
            self.in_vain();
            return Noted::NOBODY;
        }
        self.shared.sessions.exist();
        match self.visitor_of(&session) {
            Some(visitor) => {
                self.table.seen(visitor, self.shared.sessions.second());
                Noted::of(visitor)
            }
            None => Noted::NOBODY,
        }
    }

    fn in_vain(&self) -> Noted {
        let in_vain = self.in_vain.get().saturating_add(1);
        self.in_vain.set(in_vain);
        if in_vain >= PATIENCE && !self.shared.sessions.do_exist() {
            self.skip.set(SAMPLE - 1);
        }
        Noted::NOTHING
    }

    /// Looks at the session again when the response is there: the visitor may have logged in or
    /// out.
    pub(crate) fn look_again(&self, request: &HttpRequest, noted: Noted) {
        let session = request.get_session();
        if session.status() == SessionStatus::Unchanged {
            return;
        }
        let (before, now) = (noted.visitor(), self.visitor_of(&session));
        if before == now {
            return;
        }
        let second = self.shared.sessions.second();
        if let Some(gone) = before {
            self.table.left(gone, second);
            self.front.live.log_out(gone);
        }
        if let Some(visitor) = now {
            self.table.seen(visitor, second);
        }
    }

    fn visitor_of(&self, session: &Session) -> Option<VisitorHash> {
        let entries = session.entries();
        let id = entries.get(&*self.user_key).filter(|id| *id != "null")?;
        Some(self.shared.sessions.hash(id))
    }
}

/// Notes that nobody waits for the visitor of this request: whoever has a site drained knows that
/// it closes.
pub(crate) fn not_waited_for(request: &HttpRequest, maintenance: &Maintenance) {
    if let Some(visitor) = visitor_by_session(request, maintenance) {
        maintenance.engine.shared.sessions.leave(visitor);
    }
}

/// The visitor of a request, as the tables know them; nobody where the app itself finds out who is
/// asking.
pub(crate) fn visitor_by_session(
    request: &HttpRequest,
    maintenance: &Maintenance,
) -> Option<VisitorHash> {
    let Identity::Session(keys) = &maintenance.front.identity else {
        return None;
    };
    let session = request.get_session();
    let entries = session.entries();
    let id = entries.get(&*keys.user_key()).filter(|id| *id != "null")?;
    Some(maintenance.engine.shared.sessions.hash(id))
}
