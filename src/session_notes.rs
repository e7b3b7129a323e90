//! Notes which visitors are inside, by the sessions of the requests that pass.

use std::{cell::Cell, sync::Arc};

use actix_session::{Session, SessionExt as _};
use actix_web::{HttpRequest, http::header::COOKIE};

use crate::{
    identity::Identity,
    sessions::{SessionTable, VisitorHash},
    shared::Shared,
};

/// After so many requests without any session there most likely are no sessions, and only one
/// request in `SAMPLE` is looked at.
const PATIENCE: u32 = 256;
const SAMPLE: u32 = 64;

/// What one worker notes. Nothing where the app itself finds out who is asking: that may be dear.
#[derive(Debug)]
pub(crate) struct SessionNotes(Option<Notes>);

#[derive(Debug)]
struct Notes {
    shared: Arc<Shared>,
    user_key: Arc<str>,
    table: SessionTable,
    /// Requests since a session was seen last.
    in_vain: Cell<u32>,
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
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(match &shared.identity {
            Identity::Session(keys) => Some(Notes {
                shared: Arc::clone(shared),
                user_key: keys.user_key(),
                table: shared.sessions.register(),
                in_vain: Cell::new(0),
            }),
            _ => None,
        })
    }

    /// Notes the visitor of a request that passes. Requests without cookies have no session.
    #[inline]
    pub(crate) fn note(&self, request: &HttpRequest) -> Noted {
        let Some(notes) = &self.0 else {
            return Noted::NOTHING;
        };
        let in_vain = notes.in_vain.get();
        notes.in_vain.set(in_vain.wrapping_add(1));
        if in_vain >= PATIENCE && !in_vain.is_multiple_of(SAMPLE) {
            return Noted::NOTHING;
        }
        notes.look(request)
    }

    /// The visitor of a request, as the tables know them.
    pub(crate) fn visitor(&self, request: &HttpRequest) -> Option<VisitorHash> {
        self.0.as_ref()?.visitor(&request.get_session())
    }

    /// Looks at the session again when the response is there: the visitor may have logged in or
    /// out.
    #[inline(never)]
    pub(crate) fn look_again(&self, request: &HttpRequest, noted: Noted) {
        let Some(notes) = &self.0 else {
            return;
        };
        let (before, now) = (noted.visitor(), notes.visitor(&request.get_session()));
        if before == now {
            return;
        }
        let second = notes.shared.sessions.second();
        if let Some(gone) = before {
            notes.table.left(gone, second);
        }
        if let Some(visitor) = now {
            notes.table.seen(visitor, second);
        }
    }
}

impl Notes {
    #[inline(never)]
    fn look(&self, request: &HttpRequest) -> Noted {
        if !request.headers().contains_key(COOKIE) {
            return Noted::NOTHING;
        }
        let session = request.get_session();
        if session.entries().is_empty() {
            return Noted::NOBODY;
        }
        self.in_vain.set(0);
        match self.visitor(&session) {
            Some(visitor) => {
                self.table.seen(visitor, self.shared.sessions.second());
                Noted::of(visitor)
            }
            None => Noted::NOBODY,
        }
    }

    fn visitor(&self, session: &Session) -> Option<VisitorHash> {
        let entries = session.entries();
        let id = entries.get(&*self.user_key).filter(|id| *id != "null")?;
        Some(self.shared.sessions.hash(id))
    }
}
