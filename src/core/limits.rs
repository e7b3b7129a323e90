//! How much a change may add to the document, so that one who may plan cannot keep another from
//! switching.
//!
//! Every change is held against this on its way to the store, whoever asks for it. What is stored
//! already is left alone, whatever it is: a site must be brought back also with it.

use std::fmt;

use crate::core::{
    state::{Document, ModeState, Switch},
    text::unfit,
};

/// How many windows a mode may have.
pub(crate) const WINDOWS_PER_MODE: usize = 200;

/// The longest message, reason, title or name, in characters.
pub(crate) const LONGEST_TEXT: usize = 2000;

/// How many grants there may be.
pub(crate) const MOST_GRANTS: usize = 200;

/// How many networks a switch may let in.
pub(crate) const MOST_ALLOWED: usize = 50;

/// How many characters the name of a grant has at most.
pub(crate) const LONGEST_GRANT_NAME: usize = 64;

/// How many path prefixes a grant may have.
pub(crate) const MOST_PREFIXES: usize = 20;

/// The longest path prefix of a grant, in bytes.
pub(crate) const LONGEST_PREFIX: usize = 200;

/// The largest document, in bytes, that a planned window may lead to. Far below what a store takes,
/// so that there is always room for switches, and small enough to be rewritten at once.
pub(crate) const ROOM_FOR_WINDOWS: usize = 2 * 1024 * 1024;

/// Why a change is more than may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Excess {
    Windows { mode: String },
    Grants,
    Allowed { mode: String },
    Room,
    Length { what: &'static str, length: usize },
    Character { what: &'static str, character: char },
}

impl Excess {
    /// Whether it is the text that is at fault, and not what is stored already.
    pub(crate) fn is_of_text(&self) -> bool {
        matches!(self, Self::Length { .. } | Self::Character { .. })
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Windows { mode } => write!(
                formatter,
                "the mode `{mode}` has {WINDOWS_PER_MODE} windows, and no mode may have more; \
                 cancel some, or plan one that repeats"
            ),
            Self::Grants => write!(
                formatter,
                "there are {MOST_GRANTS} grants, and there may be no more; revoke some"
            ),
            Self::Allowed { mode } => write!(
                formatter,
                "the switch of `{mode}` would let in more than {MOST_ALLOWED} networks; name larger ones"
            ),
            Self::Room => write!(
                formatter,
                "with it the state would be larger than {} MiB, and the rest is kept free for \
                 switches; cancel some windows, of whichever mode, or shorten their texts",
                ROOM_FOR_WINDOWS / 1024 / 1024
            ),
            Self::Length { what, length } => write!(
                formatter,
                "the {what} has {length} characters; give at most {LONGEST_TEXT}"
            ),
            Self::Character { what, character } => write!(
                formatter,
                "the {what} has the control character U+{:04X}; leave it out",
                u32::from(*character)
            ),
        }
    }
}

/// One text of a document: what it is, and whether it may have several lines.
type Text<'a> = (&'static str, bool, &'a str);

/// Refuses what a change adds beyond the limits. `size` tells how many bytes the new document has.
pub(crate) fn check(
    before: &Document,
    after: &Document,
    size: impl FnOnce() -> usize,
) -> Result<(), Excess> {
    let mut has_more_windows = false;
    if after.grants.len() > before.grants.len().max(MOST_GRANTS) {
        return Err(Excess::Grants);
    }
    for (name, grant) in &after.grants {
        let by = grant.by.as_deref().unwrap_or_default();
        let length = by.chars().count();
        let what = "name of who does it";
        if before.grants.get(name) == Some(grant) {
            continue;
        }
        if length > LONGEST_TEXT {
            return Err(Excess::Length { what, length });
        }
        if let Some(character) = unfit(by, false) {
            return Err(Excess::Character { what, character });
        }
    }
    for (key, mode) in &after.modes {
        let known = before.mode(key);
        let windows = known.map_or(0, |mode| mode.windows.len());
        if mode.windows.len() > windows {
            has_more_windows = true;
            if mode.windows.len() > WINDOWS_PER_MODE {
                return Err(Excess::Windows { mode: key.clone() });
            }
        }
        if known == Some(mode) {
            continue;
        }
        let allowed = |mode: &ModeState| mode.switch.record().map_or(0, |on| on.allow.len());
        if allowed(mode) > known.map_or(0, allowed).max(MOST_ALLOWED) {
            return Err(Excess::Allowed { mode: key.clone() });
        }
        let old: Vec<Text<'_>> = known.map(texts).unwrap_or_default();
        for text in texts(mode) {
            let (what, lines, content) = text;
            // Cheap ones first: a document has many texts that are as they were.
            let length = content.chars().count();
            let fault = if length > LONGEST_TEXT {
                Some(Excess::Length { what, length })
            } else {
                unfit(content, lines).map(|character| Excess::Character { what, character })
            };
            if let Some(fault) = fault
                && !old.iter().any(|(_, _, known)| *known == content)
            {
                return Err(fault);
            }
        }
    }
    if has_more_windows && size() > ROOM_FOR_WINDOWS {
        return Err(Excess::Room);
    }
    Ok(())
}

/// A text that there may be.
type MaybeText<'a> = (&'static str, bool, Option<&'a str>);

fn of_switch(switch: &Switch) -> Option<[MaybeText<'_>; 3]> {
    let on = switch.record()?;
    Some([
        ("message", true, on.message.as_deref()),
        ("reason", true, on.reason.as_deref()),
        ("name of who does it", false, on.by.as_deref()),
    ])
}

/// What somebody has written into a mode.
fn texts(mode: &ModeState) -> Vec<Text<'_>> {
    let of_guards = mode
        .guards
        .iter()
        .flat_map(|guard| [&guard.before, &guard.after])
        .filter_map(of_switch);
    let of_holders = mode
        .holders()
        .map(|(_, held)| ("name of what holds it", false, Some(held.name.as_str())));
    let of_windows = mode.windows.iter().map(|window| {
        [
            ("message", true, window.message.as_deref()),
            ("reason", true, window.reason.as_deref()),
            ("name of who does it", false, window.by.as_deref()),
        ]
    });
    let titles = mode
        .windows
        .iter()
        .map(|window| ("title", false, window.title.as_deref()));
    let opening = mode.switch.record().and_then(|on| on.opening.as_ref());
    let of_opening = opening.map(|opening| ("name of who opens it", false, opening.by.as_deref()));
    of_switch(&mode.switch)
        .into_iter()
        .chain(of_guards)
        .chain(of_windows)
        .flatten()
        .chain(titles)
        .chain(of_holders)
        .chain(of_opening)
        .filter_map(|(what, lines, text)| Some((what, lines, text?)))
        .collect()
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
