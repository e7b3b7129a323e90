//! Notes which visitors are inside, by the sessions of the requests that pass.

use std::{cell::Cell, rc::Rc, sync::Arc};

use actix_session::{Session, SessionExt as _};
use actix_web::{HttpRequest, http::header::COOKIE};

use crate::{
    identity::Identity,
    sessions::{SessionTable, VisitorHash},
    shared::Shared,
};

/// After so many requests with cookies and without any session there most likely are no sessions,
/// and only one request in as many is looked at.
const PATIENCE: u32 = 64;

/// What one worker notes.
pub(crate) struct SessionNotes(Option<Rc<Notes>>);

struct Notes {
    shared: Arc<Shared>,
    user_key: Arc<str>,
    table: SessionTable,
    /// Requests with cookies since a session was seen last.
    in_vain: Cell<u32>,
}

/// The session of a request that passed.
pub(crate) struct NotedSession {
    notes: Rc<Notes>,
    session: Session,
    visitor: Option<VisitorHash>,
}

impl SessionNotes {
    /// Notes nothing where the app itself finds out who is asking: that may be dear.
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(match &shared.identity {
            Identity::Session(keys) => Some(Rc::new(Notes {
                shared: Arc::clone(shared),
                user_key: keys.user_key(),
                table: shared.sessions.register(),
                in_vain: Cell::new(0),
            })),
            _ => None,
        })
    }

    /// Notes the visitor of a request that passes. Requests without cookies have no session.
    #[inline]
    pub(crate) fn note(&self, request: &HttpRequest) -> Option<NotedSession> {
        let notes = self.0.as_ref()?;
        if request.headers().contains_key(COOKIE) {
            Notes::note(notes, request)
        } else {
            None
        }
    }

    /// The visitor of a request, as the tables know them.
    pub(crate) fn visitor(&self, request: &HttpRequest) -> Option<VisitorHash> {
        self.0.as_ref()?.visitor(&request.get_session())
    }
}

impl Notes {
    #[inline(never)]
    fn note(notes: &Rc<Self>, request: &HttpRequest) -> Option<NotedSession> {
        let in_vain = notes.in_vain.get();
        if in_vain >= PATIENCE && !in_vain.is_multiple_of(PATIENCE) {
            notes.in_vain.set(in_vain.wrapping_add(1));
            return None;
        }
        let session = request.get_session();
        let is_empty = session.entries().is_empty();
        notes
            .in_vain
            .set(if is_empty { in_vain.wrapping_add(1) } else { 0 });
        let visitor = notes.visitor(&session);
        if let Some(visitor) = visitor {
            notes.table.seen(visitor, notes.shared.sessions.second());
        }
        Some(NotedSession {
            notes: Rc::clone(notes),
            session,
            visitor,
        })
    }

    fn visitor(&self, session: &Session) -> Option<VisitorHash> {
        let entries = session.entries();
        let id = entries.get(&*self.user_key).filter(|id| *id != "null")?;
        Some(self.shared.sessions.hash(id))
    }
}

impl NotedSession {
    /// Looks at the session again when the response is there: the visitor may have logged in or
    /// out.
    pub(crate) fn look_again(self) {
        let notes = &self.notes;
        let visitor = notes.visitor(&self.session);
        if visitor == self.visitor {
            return;
        }
        let second = notes.shared.sessions.second();
        if let Some(gone) = self.visitor {
            notes.table.left(gone, second);
        }
        if let Some(new) = visitor {
            notes.table.seen(new, second);
        }
    }
}
