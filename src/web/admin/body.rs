//! The JSON body of a change: read to its end, so that all of its faults are told at once.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::CONTENT_TYPE},
    web::Bytes,
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use crate::{
    core::limits::LONGEST_TEXT,
    core::schedule::{duration_in_words, parse_duration, read_time},
    core::words::Words,
};

/// The longest body, in bytes.
pub(super) const LONGEST_BODY: usize = 64 * 1024;

/// Why a body was not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("The body is no JSON. Send it as application/json, or none.")]
    NoJson,
    #[error("The body cannot be read: {0}.")]
    Broken(String),
    #[error("The body is no JSON object.")]
    NoObject,
    #[error("The body is longer than {LONGEST_BODY} bytes, or did not come to its end.")]
    TooLong,
}

impl Unreadable {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken(_) | Self::NoObject => StatusCode::BAD_REQUEST,
        }
    }
}

/// The members of an object. Each that is asked for is taken out, so that what is left is unknown.
#[derive(Debug, Default)]
pub(super) struct Members {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    /// What stands before the names in faults.
    path: String,
    faults: Vec<String>,
}

impl Members {
    /// Reads a body; none at all is an object without members.
    pub(super) fn read(
        request: &HttpRequest,
        body: Result<Bytes, actix_web::Error>,
    ) -> Result<Self, Unreadable> {
        let body = body.map_err(|_| Unreadable::TooLong)?;
        if body.is_empty() {
            return Ok(Self::default());
        }
        if !is_json(request) {
            return Err(Unreadable::NoJson);
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(members)) => Ok(Self {
                left: members,
                ..Self::default()
            }),
            Ok(_) => Err(Unreadable::NoObject),
            Err(error) => Err(Unreadable::Broken(error.to_string())),
        }
    }

    /// A value; `null` is none.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    fn fault(&mut self, name: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("`{}{name}`: {what}", self.path));
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if text.chars().count() > LONGEST_TEXT => {
                let given = text.chars().count();
                let fault = format_args!("{given} characters; give at most {LONGEST_TEXT}");
                self.fault(name, fault);
                None
            }
            Value::String(text) if !text.trim().is_empty() => Some(text),
            _ => {
                self.fault(name, "give a text that is not empty, null or nothing");
                None
            }
        }
    }

    /// A list of texts, none of them empty; one alone may stand for itself.
    pub(super) fn texts(&mut self, name: &'static str, at_most: usize) -> Vec<String> {
        let texts = match self.take(name) {
            None => return Vec::new(),
            Some(Value::String(text)) => vec![Value::String(text)],
            Some(Value::Array(texts)) => texts,
            Some(_) => vec![Value::Null],
        };
        let is_fit = |text: &str| !text.trim().is_empty() && text.chars().count() <= LONGEST_TEXT;
        let fit: Vec<String> = texts
            .iter()
            .filter_map(|text| text.as_str().filter(|text| is_fit(text)))
            .map(str::to_owned)
            .collect();
        if fit.len() < texts.len() || fit.len() > at_most {
            let fault = format_args!("give a list of at most {at_most} texts that are not empty");
            self.fault(name, fault);
            return Vec::new();
        }
        fit
    }

    /// Whether a member is there, whatever it is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Whether a member is there, and is `null`.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(Value::is_null)
    }

    /// An instant, and what is to be said of how it was read.
    pub(super) fn time(
        &mut self,
        name: &'static str,
        zone: Option<&TimeZone>,
        now: Timestamp,
    ) -> Option<(Timestamp, Option<String>)> {
        let text = self.text(name)?;
        match read_time(&text, zone, now, now) {
            Ok(time) => Some((time.instant, time.note)),
            Err(error) => {
                self.fault(name, error);
                None
            }
        }
    }

    /// A number of seconds, or a text such as `2h 30m`.
    pub(super) fn duration(&mut self, name: &'static str) -> Option<Duration> {
        let text = match self.take(name)? {
            Value::Number(seconds) => seconds.to_string(),
            Value::String(text) => text,
            _ => String::new(),
        };
        match parse_duration(&text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.fault(name, error);
                None
            }
        }
    }

    /// A duration within limits.
    pub(super) fn duration_between(
        &mut self,
        name: &'static str,
        shortest: Duration,
        longest: Duration,
    ) -> Option<Duration> {
        let duration = self.duration(name)?;
        if duration < shortest || longest < duration {
            let (shortest, longest) = (duration_in_words(shortest), duration_in_words(longest));
            self.fault(name, format_args!("give from {shortest} to {longest}"));
            return None;
        }
        Some(duration)
    }

    /// A text that must be there.
    pub(super) fn needed_text(&mut self, name: &'static str) -> Option<String> {
        let is_missing = self.left.get(name).is_none_or(Value::is_null);
        let text = self.text(name);
        if is_missing {
            self.fault(name, "it is needed");
        }
        text
    }

    /// One of the words of an enum.
    pub(super) fn one_of<T: Words>(&mut self, name: &'static str) -> Option<T> {
        let given = self.take(name)?;
        let found = given.as_str().and_then(T::of_word);
        if found.is_none() {
            let words: Vec<_> = T::ALL
                .iter()
                .map(|known| format!("\"{}\"", known.word()))
                .collect();
            self.fault(name, format_args!("give {}", words.join(" or ")));
        }
        found
    }

    /// An object of its own, or `true` for one without members; `false` is none.
    pub(super) fn object_or_true<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let left = match self.take(name)? {
            Value::Object(members) => members,
            Value::Bool(true) => Map::new(),
            Value::Bool(false) => return None,
            _ => {
                self.fault(name, "give true, false or an object");
                return None;
            }
        };
        let mut inner = Self {
            left,
            path: format!("{}{name}.", self.path),
            ..Self::default()
        };
        let value = read(&mut inner);
        self.faults.append(&mut inner.into_faults());
        Some(value)
    }

    /// Notes that two members cannot be given together.
    pub(super) fn contradict(&mut self, one: &str, other: &str) {
        let other = format!("give this or `{}{other}`, not both", self.path);
        self.fault(one, other);
    }

    /// All that is wrong; unknown members among it.
    pub(super) fn into_faults(mut self) -> Vec<String> {
        let unknown: Vec<String> = self.left.keys().take(20).cloned().collect();
        let known = self.known.join(", ");
        for name in unknown {
            let shown: String = name
                .chars()
                .filter(|it| !it.is_control())
                .take(60)
                .collect();
            self.fault(&shown, format_args!("unknown; known here: {known}"));
        }
        self.faults
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| {
            let kind = kind.trim().to_ascii_lowercase();
            kind == "application/json"
                || kind.starts_with("application/") && kind.ends_with("+json")
        })
}
