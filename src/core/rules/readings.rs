//! The paths that one request may turn out to be for.
//!
//! Between the gate and the handler a path may still change: `NormalizePath` merges slashes and
//! adds or trims the last one, `actix_files::Files` decodes once more and steps back at `..`. The
//! gate cannot see what comes after it. So what restricts counts for every reading of a path, and
//! what opens has to hold for all of them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::core::rules::exempt::{PathMatch, PathRules, Patterns};

/// A path that was encoded more often than this is not of a browser or an app. What is left of it
/// then is taken for the worst.
const MOST_ENCODINGS: usize = 5;

/// How a path may be read besides as the app routes it now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Readings {
    /// None of them is the path itself; most paths have no others.
    others: Vec<String>,
    /// Nothing routes by a path as it was sent, so this counts only for what restricts.
    sent: Vec<String>,
    /// Whether a segment is `.` or `..`, however written.
    has_dots: bool,
}

impl Readings {
    /// Of a path that can be read in one way only.
    pub(crate) const PLAIN: Self = Self {
        others: Vec::new(),
        sent: Vec::new(),
        has_dots: false,
    };

    /// Reads a path as it was `sent` and as the app routes it.
    #[inline]
    pub(crate) fn new(sent: &str, routed: &str) -> Self {
        if sent == routed && is_plain(sent) {
            Self::PLAIN
        } else {
            Self::of_unusual(sent, routed)
        }
    }

    fn of_unusual(sent: &str, routed: &str) -> Self {
        let mut others = Vec::new();
        let mut add = |path: String| {
            if path != routed && !others.contains(&path) {
                others.push(path);
            }
        };
        add(normalized(routed));
        for path in [sent, routed] {
            let decoded = decode(path);
            add(normalized(&decoded));
            add(with_slashes_merged(&decoded));
            add(decoded.into_owned());
        }
        let sent_ones = if sent == routed {
            Vec::new()
        } else {
            vec![sent.to_owned(), normalized(sent)]
        };
        Self {
            others,
            sent: sent_ones,
            has_dots: has_dots(sent) || has_dots(routed),
        }
    }

    /// Whether a segment is `.` or `..`, however written: such a path is not certain to lead where
    /// it seems to.
    #[inline]
    pub(crate) fn has_dots(&self) -> bool {
        self.has_dots
    }

    /// Every reading besides the path itself, for what restricts: as it was sent, too.
    pub(crate) fn all_others(&self) -> impl Iterator<Item = &str> {
        self.others.iter().chain(&self.sent).map(String::as_str)
    }

    /// Every reading besides the path itself by which it may be routed.
    pub(crate) fn others(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(String::as_str)
    }

    /// The rule that opens a path: it has to hold for every reading.
    #[inline]
    pub(crate) fn opened_by(&self, rules: &PathRules, path: &str) -> Option<PathMatch> {
        let kind = rules.matching(path)?;
        let is_certain =
            !self.has_dots && self.others().all(|other| rules.matching(other).is_some());
        is_certain.then_some(kind)
    }

    /// Whether rules that restrict hold for any reading, with the last slash or without.
    #[inline]
    pub(crate) fn restricted_by(&self, rules: &PathRules, path: &str) -> bool {
        !rules.is_empty()
            && self.any(
                path,
                |path| rules.matching(path).is_some(),
                rules.is_about_ends(),
            )
    }

    /// As [`restricted_by`](Self::restricted_by), for patterns alone.
    #[inline]
    pub(crate) fn restricted_by_patterns(&self, patterns: &Patterns, path: &str) -> bool {
        !patterns.is_empty() && self.any(path, |path| patterns.is_match(path), true)
    }

    fn any(&self, path: &str, holds: impl Fn(&str) -> bool, about_ends: bool) -> bool {
        let holds_either_way = |path: &str| {
            holds(path)
                || (about_ends && {
                    let trimmed = path.trim_end_matches('/');
                    if trimmed.len() < path.len() {
                        !trimmed.is_empty() && holds(trimmed)
                    } else {
                        with_slash(path, &holds)
                    }
                })
        };
        holds_either_way(path) || self.all_others().any(holds_either_way)
    }
}

/// Whether a path can be read in one way only.
fn is_plain(path: &str) -> bool {
    let mut before = 0;
    path.bytes().all(|byte| {
        let is_plain = match byte {
            b'%' | b'\\' => false,
            b'/' | b'.' => before != b'/',
            _ => true,
        };
        before = byte;
        is_plain
    })
}

/// Looks at the path with a slash at its end. Without an allocation for all but the longest ones, as
/// it may be for each request of a site that is online.
#[inline]
pub(crate) fn with_slash<R>(path: &str, look: impl FnOnce(&str) -> R) -> R {
    let mut room = [0; 192];
    let end = path.len();
    if end < room.len() {
        room[..end].copy_from_slice(path.as_bytes());
        room[end] = b'/';
        if let Ok(slashed) = std::str::from_utf8(&room[..=end]) {
            return look(slashed);
        }
    }
    look(&[path, "/"].concat())
}

fn decode(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// As `NormalizePath` makes it, which leaves dots where they are.
fn with_slashes_merged(path: &str) -> String {
    let mut merged = path.to_owned();
    while merged.contains("//") {
        merged = merged.replace("//", "/");
    }
    merged
}

fn has_dots(path: &str) -> bool {
    let mut path = Cow::Borrowed(path);
    for _ in 0..MOST_ENCODINGS {
        if path
            .split(['/', '\\'])
            .any(|segment| matches!(segment, "." | ".."))
        {
            return true;
        }
        match decode(&path) {
            Cow::Owned(decoded) if decoded != path => path = Cow::Owned(decoded),
            _ => return false,
        }
    }
    true
}

/// The path without empty segments and without `.` and `..`; the last slash stays.
fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut normalized = String::with_capacity(path.len() + 1);
    for segment in &segments {
        normalized.push('/');
        normalized.push_str(segment);
    }
    if normalized.is_empty() || path.ends_with(['/', '\\']) {
        normalized.push('/');
    }
    normalized
}

#[cfg(test)]
#[path = "readings_tests.rs"]
mod tests;
