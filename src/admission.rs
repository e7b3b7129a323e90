//! One request that is inside, from its admission until its response body is dropped.

use std::rc::Rc;

use actix_web::HttpRequest;

use crate::{
    in_flight::Counter,
    session_notes::{Noted, SessionNotes},
};

/// Where one worker keeps who is inside.
#[derive(Debug)]
pub(crate) struct Desk {
    counter: Counter,
    pub(crate) notes: SessionNotes,
}

/// The desk's ledgers. Every request and every body holds one of them by a single pointer: what
/// is carried by each response must be small.
#[derive(Debug)]
pub(crate) struct Ledgers {
    counted: Rc<Ledger>,
    uncounted: Rc<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    desk: Rc<Desk>,
    kind: Kind,
    /// Where a request goes on whose response has no end.
    endless: Option<Rc<Ledger>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counted,
    Endless,
    Uncounted,
}

impl Ledgers {
    pub(crate) fn new(counter: Counter, notes: SessionNotes) -> Self {
        let desk = Rc::new(Desk { counter, notes });
        let ledger = |kind, endless| {
            Rc::new(Ledger {
                desk: Rc::clone(&desk),
                kind,
                endless,
            })
        };
        let endless = ledger(Kind::Endless, None);
        Self {
            counted: ledger(Kind::Counted, Some(endless)),
            uncounted: ledger(Kind::Uncounted, None),
        }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.counted.desk
    }

    /// Counts a request as inside. Must come before anything is read of the state.
    #[inline]
    pub(crate) fn count(&self) -> Admission {
        self.counted.desk.counter.begin();
        Admission {
            inside: Inside(Rc::clone(&self.counted)),
            noted: Noted::NOTHING,
        }
    }

    /// Lets a request in that nobody waits for.
    pub(crate) fn pass_uncounted(&self) -> Admission {
        Admission {
            inside: Inside(Rc::clone(&self.uncounted)),
            noted: Noted::NOTHING,
        }
    }
}

/// A request that is inside.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) inside: Inside,
    noted: Noted,
}

impl Admission {
    /// Notes who sent the request, now that it passes.
    #[inline]
    pub(crate) fn passes(mut self, request: &HttpRequest) -> Self {
        self.noted = self.inside.0.desk.notes.note(request);
        self
    }

    /// Looks again who sent the request, when the response is there.
    #[inline]
    pub(crate) fn look_again(&self, request: &HttpRequest) {
        if self.noted != Noted::NOTHING {
            self.inside.0.desk.notes.look_again(request, self.noted);
        }
    }

    /// Counts it apart from now on: nobody waits for a response that has no end.
    pub(crate) fn is_endless(&mut self) {
        if let Some(endless) = &self.inside.0.endless {
            // First there, then not here any more: it is never in neither count.
            endless.desk.counter.begin_endless();
            self.inside = Inside(Rc::clone(endless));
        }
    }
}

/// Counts a request until it is dropped.
#[derive(Debug)]
pub(crate) struct Inside(Rc<Ledger>);

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        match self.0.kind {
            Kind::Counted => self.0.desk.counter.end(),
            Kind::Endless => self.0.desk.counter.end_endless(),
            Kind::Uncounted => {}
        }
    }
}
