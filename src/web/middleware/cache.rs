//! What a worker need not work out again for each refusal.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, ACCEPT_LANGUAGE},
};
use jiff::Timestamp;

use crate::{
    core::{phase::Phase, snapshot::Snapshot},
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
pub(super) const REMEMBERED_CLIENTS: usize = 16;

/// Longer preferences are read each time: nobody is to fill a worker's memory.
pub(super) const LONGEST_REMEMBERED: usize = 512;

pub(super) struct Cache {
    pub(super) snapshot: HeldSnapshot,
    pub(super) kept: Vec<CachedRefusal>,
    pub(super) preferences: Vec<Preference>,
    pub(super) languages: Vec<LanguagePreference>,
}

/// A refusal that is ready to be sent again.
pub(super) struct CachedRefusal {
    pub(super) mode: usize,
    /// Whether it is refused whatever the state is.
    pub(super) forced_on: bool,
    pub(super) format: ResponseFormat,
    pub(super) language: usize,
    pub(super) redirect: bool,
    /// Whether it answers a request that would have changed something.
    sent: bool,
    /// Whose turn it tells.
    turn: Option<Timestamp>,
    /// What stands before the paths of the app.
    prefix: Box<str>,
    /// The stretch of time over which it says the truth; `None`: as long as its snapshot.
    pub(super) valid: Option<Validity>,
    pub(super) rendered: Rendered,
}

pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) edge: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) phase: Phase,
    pub(super) retry_after: Option<u64>,
}

pub(super) struct Preference {
    pub(super) accept: Box<[u8]>,
    pub(super) destination: Box<[u8]>,
    pub(super) format: ResponseFormat,
}

pub(super) struct LanguagePreference {
    pub(super) accept: Box<[u8]>,
    pub(super) language: usize,
}

impl Cache {
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
            .preferences
            .iter()
            .find(|known| *known.accept == *accept && *known.destination == *destination);
        if let Some(known) = known {
            return known.format;
        }
        let format = negotiate(headers);
        if self.preferences.len() == REMEMBERED_CLIENTS {
            self.preferences.clear();
        }
        self.preferences.push(Preference {
            accept: accept.into(),
            destination: destination.into(),
            format,
        });
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
        let known = self.languages.iter().find(|known| *known.accept == *accept);
        if let Some(known) = known {
            return known.language;
        }
        let language = languages.negotiate(headers);
        if self.languages.len() == REMEMBERED_CLIENTS {
            self.languages.clear();
        }
        self.languages.push(LanguagePreference {
            accept: accept.into(),
            language,
        });
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
        let known = self.kept.iter().position(|kept| {
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
        if let Some(known) = known.filter(|_| is_current) {
            if self.kept[known].is_valid(responses, now) {
                return self.kept[known].rendered.response();
            }
            self.kept.swap_remove(known);
        }
        let refusal = responses.refusal(snapshot, refusing, now);
        let rendered = responses.rendered(mode, &refusal, redirect, prefix);
        let response = rendered.response();
        if is_current {
            // A proxy may hand on what a client says of its prefix.
            if self.kept.len() == MOST_KEPT {
                self.kept.clear();
            }
            self.kept.push(CachedRefusal {
                mode,
                forced_on,
                format,
                language,
                redirect,
                sent,
                turn,
                prefix: prefix.into(),
                valid: snapshot.is_timed().then(|| Validity {
                    from: now,
                    edge: snapshot.next_edge(now),
                    until: refusal.until,
                    phase: refusal.phase,
                    retry_after: refusal.retry_after,
                }),
                rendered,
            });
        }
        response
    }
}

impl CachedRefusal {
    pub(super) fn is_valid(&self, responses: &Responses, now: Timestamp) -> bool {
        self.valid.as_ref().is_none_or(|valid| {
            valid.from <= now
                && valid.edge.is_none_or(|edge| now < edge)
                && responses.retry_after(self.mode, valid.phase, valid.until, now)
                    == valid.retry_after
        })
    }
}
