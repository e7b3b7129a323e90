//! In which form a client wants its answer: `Accept` (RFC 9110, section 12.5.1) and
//! `Sec-Fetch-Dest`.

use actix_web::http::header::{
    ACCEPT, HeaderMap, HeaderName, Quality, QualityItem, from_comma_delimited,
};

use actix_web::mime::Mime as MediaRange;

use crate::core::words::words;

pub(crate) const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseFormat {
    /// A page.
    Html,
    /// A JSON object.
    Json,
    /// Problem details (RFC 9457).
    Problem,
    /// Plain text.
    Text,
}

impl ResponseFormat {
    /// In the order in which the server prefers them when the client does not care.
    const ALL: [Self; 4] = [Self::Html, Self::Json, Self::Problem, Self::Text];

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Problem => "application/problem+json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// How exactly a media range names this form: 3 by its full name, 2 by its type, 1 as anything.
    fn specificity(self, range: &MediaRange) -> u8 {
        let (kind, subtype) = (range.type_().as_str(), range.subtype().as_str());
        let is_json = range.suffix().is_some_and(|suffix| suffix == "json");
        let is_problem = (kind, subtype, is_json) == ("application", "problem", true);
        match (kind, subtype) {
            ("*", "*") => return 1,
            ("text", "*") => {
                return if matches!(self, Self::Html | Self::Text) {
                    2
                } else {
                    0
                };
            }
            ("application", "*") => {
                return if matches!(self, Self::Json | Self::Problem) {
                    2
                } else {
                    0
                };
            }
            _ => {}
        }
        let named = match self {
            Self::Html => matches!((kind, subtype), ("text", "html") | ("application", "xhtml")),
            Self::Problem => is_problem,
            // `application/vnd.api+json` and the like: whoever asks for it can read JSON
            // (RFC 6839).
            Self::Json => ((kind, subtype) == ("application", "json") || is_json) && !is_problem,
            Self::Text => (kind, subtype) == ("text", "plain"),
        };
        if named { 3 } else { 0 }
    }
}

words! {
    /// The word for it, as in the settings: `html`, `json`, `problem` or `text`.
    pub ResponseFormat {
        Html = "html",
        Json = "json",
        Problem = "problem",
        Text = "text",
    }
}

/// What the browser wants to do with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    /// Show it, or not a browser that says.
    Page,
    /// Hand it to a script (`fetch`).
    Script,
    /// Run it, style with it, draw it: a page would only break it.
    Subresource,
}

/// Chooses the form that the client likes best.
pub(crate) fn negotiate(headers: &HeaderMap) -> ResponseFormat {
    let destination = match headers.get(SEC_FETCH_DEST).map(|value| value.as_bytes()) {
        None | Some(b"document" | b"iframe" | b"frame" | b"object" | b"embed") => Destination::Page,
        Some(b"empty") => Destination::Script,
        Some(_) => Destination::Subresource,
    };
    if destination == Destination::Subresource {
        return ResponseFormat::Text;
    }
    let when_anything = match destination {
        Destination::Script => ResponseFormat::Json,
        _ => ResponseFormat::Html,
    };
    // What cannot be read is left out: a client that sends nonsense still gets an answer.
    let ranges: Vec<QualityItem<MediaRange>> =
        from_comma_delimited(headers.get_all(ACCEPT)).unwrap_or_default();
    if ranges.is_empty() {
        return when_anything;
    }
    let best = ResponseFormat::ALL
        .into_iter()
        .filter_map(|format| Some((preference(format, &ranges)?, format)))
        // `max_by` takes the last of equals; the server's first choice is to win.
        .rev()
        .max_by(|(one, _), (other, _)| one.compare(other));
    match best {
        None => ResponseFormat::Text,
        Some((preference, format)) if preference.specificity > 1 => format,
        // Only `*/*` fits. Whoever asks for other types besides wants neither page nor JSON.
        Some((_, format)) if ranges.iter().all(is_wildcard_or_unwanted) => {
            match preference(when_anything, &ranges) {
                Some(_) => when_anything,
                None => format,
            }
        }
        Some(_) => ResponseFormat::Text,
    }
}

fn is_wildcard_or_unwanted(range: &QualityItem<MediaRange>) -> bool {
    range.item.type_() == "*" || range.quality == Quality::ZERO
}

#[derive(Debug, Clone, Copy)]
struct Preference {
    quality: Quality,
    specificity: u8,
    position: usize,
}

impl Preference {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.quality
            .partial_cmp(&other.quality)
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(self.specificity.cmp(&other.specificity))
            .then(other.position.cmp(&self.position))
    }
}

/// How much the client likes a form: what the most specific range says that names it.
fn preference(format: ResponseFormat, ranges: &[QualityItem<MediaRange>]) -> Option<Preference> {
    let (position, specificity) = ranges
        .iter()
        .enumerate()
        .map(|(position, range)| (position, format.specificity(&range.item)))
        .filter(|(_, specificity)| *specificity > 0)
        .rev()
        .max_by_key(|(_, specificity)| *specificity)?;
    let quality = ranges[position].quality;
    (quality != Quality::ZERO).then_some(Preference {
        quality,
        specificity,
        position,
    })
}

#[cfg(test)]
#[path = "negotiate_tests.rs"]
mod tests;
