//! One request that is inside, from its admission until its response body is dropped.
//!
//! # A middleware that is wrapped twice
//!
//! A request counts once, whatever it passes on its way. While a worker runs what is inside of a
//! middleware that has counted the request, the thread knows ([`Counted`]); a middleware that finds
//! it so counts nothing. A request never leaves its thread, and what is inside runs within the call
//! or the poll of what is outside, so this needs nothing on the request itself.

use std::{cell::Cell, rc::Rc};

use actix_web::HttpRequest;

use crate::{
    core::status::whole::Status,
    engine::{inside::in_flight::Counter, shared::Shared},
    store::StoreError,
    web::{
        maintenance::Maintenance,
        visitor::{
            newcomer,
            session_notes::{Noted, SessionNotes},
        },
    },
};

/// Where one worker keeps who is inside.
///
/// Every request and every body holds a ledger by a single pointer, and those that nobody waits
/// for hold none: what is carried by each response must be small.
#[derive(Debug)]
pub(crate) struct Admissions {
    ledger: Rc<Ledger>,
    elsewhere: Rc<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    counter: Counter,
    fleet: FleetId,
    kind: Kind,
    /// `None` where responses without an end are counted, whose visitors are noted already, and
    /// where the app itself finds out who is asking.
    notes: Option<SessionNotes>,
    /// Where a request goes on whose response has no end; `None`: it is counted there already.
    endless: Option<Rc<Ledger>>,
    /// The ledger that has the notes, if this one has none of its own.
    noted_in: Option<Rc<Ledger>>,
}

impl Ledger {
    #[inline(always)]
    fn end(&self) {
        if self.kind == Kind::Requests {
            self.counter.end();
        } else {
            self.end_apart();
        }
    }

    #[cold]
    #[inline(never)]
    fn end_apart(&self) {
        match self.kind {
            Kind::Elsewhere => self.counter.end_elsewhere(),
            _ => self.counter.end_endless(),
        }
    }
}

/// Tells apart for which handle a request is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FleetId(usize);

impl FleetId {
    const NONE: Self = Self(0);

    /// The address of what all clones of a handle share, which outlives every request.
    fn of(shared: &Shared) -> Self {
        Self(std::ptr::from_ref(shared) as usize)
    }
}

thread_local! {
    /// For whom the request is counted that this thread is at work on.
    static COUNTED: Cell<FleetId> = const { Cell::new(FleetId::NONE) };
}

/// Whether the request that this thread is at work on is counted for this handle.
pub(crate) fn is_counted(shared: &Shared) -> bool {
    COUNTED.get() == FleetId::of(shared)
}

/// Until it is dropped, what this thread does belongs to a request that is counted.
#[must_use]
pub(crate) struct Counted {
    before: FleetId,
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        COUNTED.set(self.before);
    }
}

/// Which of its counts a ledger writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Requests,
    Elsewhere,
    Endless,
}

impl Admissions {
    pub(crate) fn new(shared: &Shared, notes: Option<SessionNotes>) -> Self {
        let counter = shared.in_flight.register();
        let ledger = |kind, notes, endless, noted_in| {
            Rc::new(Ledger {
                counter: counter.clone(),
                fleet: FleetId::of(shared),
                kind,
                notes,
                endless,
                noted_in,
            })
        };
        let endless = ledger(Kind::Endless, None, None, None);
        let requests = ledger(Kind::Requests, notes, Some(Rc::clone(&endless)), None);
        let home = Some(Rc::clone(&requests));
        Self {
            ledger: requests,
            elsewhere: ledger(Kind::Elsewhere, None, Some(endless), home),
        }
    }

    pub(crate) fn notes(&self) -> Option<&SessionNotes> {
        self.ledger.notes.as_ref()
    }

    /// Counts a request as inside, unless it is counted already. Must come before anything is read
    /// of the state.
    #[inline]
    pub(crate) fn count(&self) -> Inside {
        if COUNTED.get() == self.ledger.fleet {
            return Inside(None);
        }
        self.ledger.counter.begin();
        Inside(Some(Rc::clone(&self.ledger)))
    }

    /// Lets a request in that has been counted, and notes who sent it, unless there most likely are
    /// no sessions.
    #[inline]
    pub(crate) fn pass_unseen(&self, inside: Inside, request: &HttpRequest) -> Admission {
        let noted = match &self.ledger.notes {
            Some(notes) => notes.note(request),
            None => Noted::NOTHING,
        };
        Admission::new(inside, noted)
    }

    /// Lets a request in that has been counted, and notes who sent it.
    pub(crate) fn pass(&self, inside: Inside, request: &HttpRequest) -> Admission {
        let noted = match &self.ledger.notes {
            Some(notes) => notes.look(request),
            None => Noted::NOTHING,
        };
        Admission::new(inside, noted)
    }

    /// Lets a request in that has been counted, and that is inside of none of the modes that are
    /// closed now. `is_noted`: who sent it is noted.
    pub(crate) fn pass_elsewhere(
        &self,
        inside: Inside,
        request: &HttpRequest,
        is_noted: bool,
    ) -> Admission {
        let noted = match &self.ledger.notes {
            Some(notes) if is_noted => notes.look(request),
            _ => Noted::NOTHING,
        };
        if inside.0.is_none() {
            return Admission::new(inside, noted);
        }
        // First there, then not here any more: it is never in neither count.
        self.elsewhere.counter.begin_elsewhere();
        drop(inside);
        Admission::new(Inside(Some(Rc::clone(&self.elsewhere))), noted)
    }
}

/// A request that is inside.
#[derive(Debug)]
pub(crate) struct Admission {
    inside: Inside,
    noted: Noted,
    /// Whether the app may begin a session that is a newcomer's.
    is_watched: bool,
}

impl Admission {
    /// A request that got in and that nobody waits for.
    pub(crate) fn uncounted() -> Self {
        Self::new(Inside(None), Noted::NOTHING)
    }

    #[inline]
    fn new(inside: Inside, noted: Noted) -> Self {
        Self {
            inside,
            noted,
            is_watched: false,
        }
    }

    /// For the time in which the thread is at work on the request.
    #[inline]
    pub(crate) fn enter(&self) -> Counted {
        let before = COUNTED.get();
        if let Some(ledger) = &self.inside.0 {
            COUNTED.set(ledger.fleet);
        }
        Counted { before }
    }

    /// Whether who sent the request is to be looked at again when the response is there.
    #[inline]
    pub(crate) fn is_noted(&self) -> bool {
        self.is_watched || self.noted != Noted::NOTHING
    }

    /// Has the session looked at when the response is there: a mode is closing.
    pub(crate) fn watched(self) -> Self {
        Self {
            is_watched: true,
            ..self
        }
    }

    /// Looks again who sent the request, when the response is there.
    pub(crate) fn look_again(&self, request: &HttpRequest) {
        if self.is_watched {
            newcomer::mark(request);
        }
        if let Some(notes) = self.inside.notes().filter(|_| self.noted != Noted::NOTHING) {
            notes.look_again(request, self.noted);
        }
    }

    /// Counts it apart from now on: nobody waits for a response that has no end.
    pub(crate) fn is_endless(&mut self) {
        let endless = self
            .inside
            .0
            .as_ref()
            .and_then(|ledger| ledger.endless.as_ref());
        if let Some(endless) = endless.map(Rc::clone) {
            // First there, then not here any more: it is never in neither count.
            endless.counter.begin_endless();
            self.inside = Inside(Some(endless));
        }
    }

    /// Hands over what counts the request.
    #[inline]
    pub(crate) fn take(&mut self) -> Inside {
        Inside(self.inside.0.take())
    }
}

/// Counts a request until it is dropped.
#[derive(Debug)]
pub(crate) struct Inside(Option<Rc<Ledger>>);

impl Inside {
    #[inline]
    fn notes(&self) -> Option<&SessionNotes> {
        let ledger = self.0.as_ref()?;
        let home = ledger.noted_in.as_ref().unwrap_or(ledger);
        home.notes.as_ref()
    }
}

impl Drop for Inside {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(ledger) = &self.0 {
            ledger.end();
        }
    }
}

impl Maintenance {
    /// The same for a request to the admin scope, which does not count itself.
    pub(crate) async fn ask_status_without_request(&self) -> Result<Status, StoreError> {
        let engine = &self.engine;
        engine.shared.own_node.heard(engine.leases.fleet().await?);
        Ok(self.status_without_request())
    }

    pub(crate) fn status_without_request(&self) -> Status {
        let shared = &self.engine.shared;
        let own = u64::from(is_counted(shared));
        shared.status_without(&shared.published.snapshot(), own)
    }
}
