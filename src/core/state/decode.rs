//! Reads what a store holds: the state document, a plain word, or django-maintenance-mode's state.
//!
//! Pure. What cannot be read is an error that says what to do, and never a panic.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value};

use crate::core::state::{DEFAULT_MODE, Document, FORMAT, ModeState, Switch, SwitchedOn, Window};

/// Why bytes from a store are not a state document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error(
        "it has format {found}, and this version reads up to format {FORMAT}; \
         update this node before its state is changed"
    )]
    NewerFormat { found: u64 },
    #[error("{0}; put it right, or write `on` or `off` into it")]
    Damaged(String),
}

impl Document {
    /// Reads a document, a plain word, an empty text or django-maintenance-mode's own state.
    ///
    /// `zone` is for times without an offset, which only the last of these can have.
    pub(crate) fn decode(bytes: &[u8], zone: Option<&TimeZone>) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| DecodeError::Damaged("it is not UTF-8 text".to_owned()))?;
        // Editors on Windows put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        match text.to_ascii_lowercase().as_str() {
            "" | "0" | "off" | "false" => return Ok(Self::default()),
            "1" | "on" | "true" => return Ok(Self::switched_on_by_hand()),
            _ => {}
        }
        if !text.starts_with('{') {
            return Err(DecodeError::Damaged(format!(
                "it says {}, which is neither a state document nor one of 0, 1, on, off, true, \
                 false",
                Excerpt(text)
            )));
        }
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            DecodeError::Damaged(format!("it is not valid JSON ({})", Told(&error)))
        })?;
        match fields.get("format").map(Value::as_u64) {
            Some(Some(found)) if found > u64::from(FORMAT) => {
                Err(DecodeError::NewerFormat { found })
            }
            Some(Some(found)) if found == u64::from(FORMAT) => {
                serde_json::from_value(Value::Object(fields)).map_err(|error| {
                    DecodeError::Damaged(format!(
                        "it is not a whole state document ({})",
                        Told(&error)
                    ))
                })
            }
            Some(_) => Err(DecodeError::Damaged(format!(
                "its `format` is {}, which is no format",
                Told(&fields["format"])
            ))),
            None => Self::from_django(&fields, zone),
        }
    }

    fn switched_on_by_hand() -> Self {
        Self::of_default_mode(ModeState {
            switch: Switch::On(SwitchedOn::default()),
            ..ModeState::default()
        })
    }

    fn of_default_mode(state: ModeState) -> Self {
        Self {
            modes: BTreeMap::from([(DEFAULT_MODE.to_owned(), state)]),
            ..Self::default()
        }
    }

    /// `{"start": ..., "end": ...}` as django-maintenance-mode writes it since 0.23.
    fn from_django(
        fields: &Map<String, Value>,
        zone: Option<&TimeZone>,
    ) -> Result<Self, DecodeError> {
        if let Some(key) = fields.keys().find(|key| *key != "start" && *key != "end") {
            return Err(DecodeError::Damaged(format!(
                "it has no `format`, so it is not a state document (first field: {})",
                Excerpt(key)
            )));
        }
        let instant = |key: &str| match fields.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => parse_instant(text, zone).map(Some),
            Some(other) => Err(DecodeError::Damaged(format!(
                "its `{key}` is {}, which is no time",
                Told(other)
            ))),
        };
        let (start, end) = (instant("start")?, instant("end")?);
        if start.is_none() && end.is_none() {
            return Err(DecodeError::Damaged(
                "it has neither a `start` nor an `end`".to_owned(),
            ));
        }
        Ok(Self::of_default_mode(ModeState {
            windows: vec![Window {
                id: "imported".to_owned(),
                start,
                end,
                ..Window::default()
            }],
            ..ModeState::default()
        }))
    }
}

/// Reads an instant that has an offset, or a local time in `zone`.
fn parse_instant(text: &str, zone: Option<&TimeZone>) -> Result<Timestamp, DecodeError> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local: civil::DateTime = text.parse().map_err(|error| {
        DecodeError::Damaged(format!("{} is no time ({})", Excerpt(text), Told(&error)))
    })?;
    let Some(zone) = zone else {
        return Err(DecodeError::Damaged(format!(
            "{} has no offset, and the setting `time_zone` is not set",
            Excerpt(text)
        )));
    };
    zone.to_timestamp(local).map_err(|error| {
        DecodeError::Damaged(format!("{} is no time ({})", Excerpt(text), Told(&error)))
    })
}

/// Quotes a text that came from outside, shortened and without control characters.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LENGTH: usize = 60;
        let (start, more) = start_of(self.0, LENGTH);
        write!(formatter, "`{}{more}`", start.escape_debug())
    }
}

/// Tells what may repeat a text from outside: an error of a parser, or a value. Shortened, and
/// without control characters.
struct Told<'a, T>(&'a T);

impl<T: fmt::Display> fmt::Display for Told<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LENGTH: usize = 200;
        let text = self.0.to_string();
        let (start, more) = start_of(&text, LENGTH);
        for character in start.chars() {
            // Quotes stay as they are, unlike in an excerpt, which is quoted itself.
            if character.is_control() {
                write!(formatter, "{}", character.escape_debug())?;
            } else {
                write!(formatter, "{character}")?;
            }
        }
        formatter.write_str(more)
    }
}

/// So many characters of a text at most, and what shows that there are more.
fn start_of(text: &str, length: usize) -> (&str, &'static str) {
    match text.char_indices().nth(length) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    }
}
