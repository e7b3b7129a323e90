//! What a worker need not work out again for each refusal.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, ACCEPT_LANGUAGE},
};
use jiff::Timestamp;

use crate::{
    core::{phase::Phase, remembered::Remembered, snapshot::Snapshot},
    web::refusal::{
        language::Languages,
        negotiate::{ResponseFormat, SEC_FETCH_DEST, negotiate},
        of_mode::FormatChoice,
        rendered::Rendered,
        responses::{Refusing, Responses},
    },
};

/// How many refusals are kept ready, in all their forms.
const MOST_KEPT: usize = 256;

/// The snapshot as one worker hands it to its requests.
#[allow(
    clippy::redundant_allocation,
    reason = "the counter in the `Arc` is one that all workers would fight for at each refusal"
)]
pub(super) type HeldSnapshot = Rc<Arc<Snapshot>>;

/// How many clients' preferences are remembered; browsers of one kind send the same.
const REMEMBERED_CLIENTS: usize = 16;

/// Longer preferences are read each time: nobody is to fill a worker's memory.
const LONGEST_REMEMBERED: usize = 512;

pub(super) struct Cache {
    pub(super) snapshot: HeldSnapshot,
    /// Refusals that are ready to be sent again, of this snapshot.
    kept: Remembered<RefusalKey, CachedRefusal>,
    formats: Remembered<Preference, ResponseFormat>,
    /// Languages by `Accept-Language`.
    languages: Remembered<Box<[u8]>, usize>,
}

/// Which refusal it is.
#[derive(PartialEq)]
struct RefusalKey {
    mode: usize,
    /// Whether it is refused whatever the state is.
    forced_on: bool,
    format: ResponseFormat,
    language: usize,
    redirect: bool,
    /// Whether it answers a request that would have changed something.
    sent: bool,
    /// Whose turn it tells.
    turn: Option<Timestamp>,
    /// What stands before the paths of the app.
    prefix: Box<str>,
}

struct CachedRefusal {
    /// The stretch of time over which it says the truth; `None`: as long as its snapshot.
    valid: Option<Validity>,
    rendered: Rendered,
}

struct Validity {
    from: Timestamp,
    edge: Option<Timestamp>,
    until: Option<Timestamp>,
    phase: Phase,
    retry_after: Option<u64>,
}

/// What a client says of the forms that it takes.
#[derive(PartialEq)]
struct Preference {
    accept: Box<[u8]>,
    destination: Box<[u8]>,
}

impl Cache {
    pub(super) fn new(snapshot: HeldSnapshot) -> Self {
        Self {
            snapshot,
            kept: Remembered::new(MOST_KEPT),
            formats: Remembered::new(REMEMBERED_CLIENTS),
            languages: Remembered::new(REMEMBERED_CLIENTS),
        }
    }

    /// From now on the snapshot is this one.
    pub(super) fn renew(&mut self, snapshot: HeldSnapshot) {
        self.snapshot = snapshot;
        self.kept.clear();
    }

    /// The form of a refusal, remembered by what the client sent.
    pub(super) fn format(
        &mut self,
        responses: &Responses,
        request: &HttpRequest,
    ) -> ResponseFormat {
        if !matches!(responses.format, FormatChoice::Negotiated) {
            return responses.format(request);
        }
        let headers = request.headers();
        let mut lines = headers.get_all(ACCEPT);
        let accept = lines.next().map_or(&b""[..], |value| value.as_bytes());
        let destination = headers
            .get(SEC_FETCH_DEST)
            .map_or(&b""[..], |value| value.as_bytes());
        if lines.next().is_some() || accept.len() + destination.len() > LONGEST_REMEMBERED {
            return negotiate(headers);
        }
        let known = self
            .formats
            .get(|known| *known.accept == *accept && *known.destination == *destination);
        if let Some(known) = known {
            return *known;
        }
        let format = negotiate(headers);
        let preference = Preference {
            accept: accept.into(),
            destination: destination.into(),
        };
        self.formats.insert(preference, format);
        format
    }

    /// The language of a refusal, remembered by what the client sent.
    pub(super) fn language(&mut self, languages: &Languages, request: &HttpRequest) -> usize {
        let headers = request.headers();
        let mut lines = headers.get_all(ACCEPT_LANGUAGE);
        let Some(accept) = lines.next().map(|value| value.as_bytes()) else {
            return languages.default();
        };
        if lines.next().is_some() || accept.len() > LONGEST_REMEMBERED {
            return languages.negotiate(headers);
        }
        if let Some(known) = self.languages.get(|known| **known == *accept) {
            return *known;
        }
        let language = languages.negotiate(headers);
        self.languages.insert(accept.into(), language);
        language
    }

    pub(super) fn kept(
        &mut self,
        responses: &Responses,
        request: &HttpRequest,
        snapshot: &Snapshot,
        refusing: Refusing,
        prefix: &str,
        now: Timestamp,
    ) -> HttpResponse {
        let Refusing {
            mode,
            rule,
            format,
            language,
            sent,
            turn,
        } = refusing;
        let forced_on = rule.is_forced_on();
        let redirect = responses.redirects(request, mode, format);
        // A request that waited for its visitor may still be judged by the snapshot before.
        let is_current = self.snapshot.number == snapshot.number;
        let known = self.kept.get(|kept| {
            (
                kept.mode,
                kept.forced_on,
                kept.format,
                kept.language,
                kept.redirect,
                kept.sent,
                kept.turn,
                &*kept.prefix,
            ) == (
                mode, forced_on, format, language, redirect, sent, turn, prefix,
            )
        });
        if let Some(known) = known
            && is_current
            && known.is_valid(responses, mode, now)
        {
            return known.rendered.response();
        }
        let refusal = responses.refusal(snapshot, refusing, now);
        let rendered = responses.rendered(mode, &refusal, redirect, prefix);
        let response = rendered.response();
        if is_current {
            let key = RefusalKey {
                mode,
                forced_on,
                format,
                language,
                redirect,
                sent,
                turn,
                // A proxy may hand on what a client says of its prefix, so that there may be many.
                prefix: prefix.into(),
            };
            let refusal = CachedRefusal {
                valid: snapshot.is_timed().then(|| Validity {
                    from: now,
                    edge: snapshot.next_edge(now),
                    until: refusal.until,
                    phase: refusal.phase,
                    retry_after: refusal.retry_after,
                }),
                rendered,
            };
            self.kept.insert(key, refusal);
        }
        response
    }
}

impl CachedRefusal {
    fn is_valid(&self, responses: &Responses, mode: usize, now: Timestamp) -> bool {
        self.valid.as_ref().is_none_or(|valid| {
            valid.from <= now
                && valid.edge.is_none_or(|edge| now < edge)
                && responses.retry_after(mode, valid.phase, valid.until, now) == valid.retry_after
        })
    }
}
