//! Reads what a store holds: the state document, a plain word, or django-maintenance-mode's state.
//!
//! Pure. What cannot be read is an error that says what to do, and never a panic.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value};

use crate::core::{
    excerpt::{Excerpt, start_of},
    state::{DEFAULT_MODE, Document, FORMAT, ModeState, Switch, SwitchOn, SwitchedOn, Window},
};

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
        let text = text(bytes)?;
        match word(text) {
            Some(false) => return Ok(Self::default()),
            Some(true) => return Ok(ByHand::On.alone(DEFAULT_MODE)),
            None => {}
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
            None => Ok(ByHand::Window(Box::new(from_django(&fields, zone)?)).alone(DEFAULT_MODE)),
        }
    }
}

/// The id of the window that django-maintenance-mode's own state means.
const IMPORTED: &str = "imported";

/// What a hand or another program wrote in place of a document. It says what the default mode is, and
/// nothing of windows, history or other modes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ByHand {
    Off,
    On,
    /// django-maintenance-mode's own state.
    Window(Box<Window>),
}

impl ByHand {
    /// `None`: it is something else, be it a document or not.
    pub(crate) fn read(bytes: &[u8], zone: Option<&TimeZone>) -> Option<Self> {
        let text = text(bytes).ok()?;
        match word(text) {
            Some(true) => return Some(Self::On),
            Some(false) => return Some(Self::Off),
            None => {}
        }
        let fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        if fields.contains_key("format") {
            return None;
        }
        let window = from_django(&fields, zone).ok()?;
        Some(Self::Window(Box::new(window)))
    }

    /// What it means where nothing else is known.
    pub(crate) fn alone(self, mode: &str) -> Document {
        let state = match self {
            Self::Off => return Document::default(),
            Self::On => ModeState {
                switch: Switch::On(SwitchedOn::default()),
                ..ModeState::default()
            },
            Self::Window(window) => ModeState {
                windows: vec![*window],
                ..ModeState::default()
            },
        };
        Document {
            modes: BTreeMap::from([(mode.to_owned(), state)]),
            ..Document::default()
        }
    }

    /// What it makes of what was there before: it throws the switch as anybody does, and takes the
    /// place of what such a program had planned before.
    pub(crate) fn added_to(self, before: &Document, mode: &str, now: Timestamp) -> Document {
        let imported = match &self {
            Self::Window(window) => Some(&**window),
            _ => None,
        };
        let known = before
            .mode(mode)
            .and_then(|mode| mode.windows.iter().find(|window| window.id == IMPORTED));
        // Not again what it has said before; some of it may be over.
        let mut next = match known {
            Some(known) if imported != Some(known) => before.cancel(IMPORTED, false, None, now),
            _ => None,
        };
        let base = next.as_ref().unwrap_or(before);
        let then = match &self {
            Self::Off => base.turn_off(mode, None, now),
            Self::On => base.turn_on(mode, &SwitchOn::default(), now),
            Self::Window(window) => base.plan(mode, window, now),
        };
        if then.is_some() {
            next = then;
        }
        next.unwrap_or_else(|| before.clone())
    }
}

impl Document {
    /// Whether it tells more than what a plain word can say.
    pub(crate) fn has_more_than_a_switch(&self) -> bool {
        let Self {
            format: _,
            generation: _,
            lineage: _,
            modes,
            grants,
            history,
            cancelled,
            unknown,
        } = self;
        let has_more = |mode: &ModeState| *mode != ModeState::default();
        let is_closed_by_hand = |mode: &ModeState| {
            let closed = Switch::On(SwitchedOn::default());
            mode.switch == closed && mode.windows.is_empty() && mode.guards.is_empty()
        };
        !history.is_empty()
            || !grants.is_empty()
            || !cancelled.is_empty()
            || !unknown.is_empty()
            || modes
                .values()
                .any(|mode| has_more(mode) && !is_closed_by_hand(mode))
    }
}

fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| DecodeError::Damaged("it is not UTF-8 text".to_owned()))?;
    // Editors on Windows put a byte order mark in front.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).trim())
}

/// Whether a plain word says on or off.
fn word(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "" | "0" | "off" | "false" => Some(false),
        "1" | "on" | "true" => Some(true),
        _ => None,
    }
}

/// `{"start": ..., "end": ...}` as django-maintenance-mode writes it since 0.23.
fn from_django(
    fields: &Map<String, Value>,
    zone: Option<&TimeZone>,
) -> Result<Window, DecodeError> {
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
    Ok(Window {
        id: IMPORTED.to_owned(),
        start,
        end,
        ..Window::default()
    })
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
