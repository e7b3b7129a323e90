//! What is said of a mode that is closed is changed while it is closed: it takes longer, or visitors
//! are to be told something else.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use sha2::{Digest as _, Sha256};

use super::{Document, ModeState, Switch, SwitchedOn};
use crate::core::{phase::Standing, state::switch::Draining, text::hexadecimal};

/// What of a mode somebody had before them when they decided what to do with it: told from what
/// anybody else has made of it since.
///
/// It is of what the mode means and not of the number of the document, which also moves on with
/// other modes, and when what is over is put into the history. It is the same on every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen(String);

impl Seen {
    /// As it came back in a form.
    pub(crate) fn from_form(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What a mode is at `now`. A mode that was closing and has closed since is the same.
    pub(crate) fn of(mode: Option<&ModeState>, now: Timestamp) -> Self {
        let standing = mode.map_or_else(Standing::online, |mode| mode.standing(now));
        let Standing {
            phase,
            // Of a window ahead, which a state alone does not announce.
            start: _,
            since,
            until,
            by,
            reason,
            message,
        } = standing;
        // That the end which was said has passed makes it nothing else.
        let until = until.or_else(|| mode?.overdue_since(now));
        let opening = mode.and_then(|mode| mode.switch.opening());
        let told = format!(
            "{:?}",
            (
                phase.is_maintenance(),
                since,
                until,
                by,
                reason,
                message,
                opening
            )
        );
        Self(hexadecimal(&Sha256::digest(told)[..8]))
    }
}

/// What is to be said of a mode from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Amendment {
    pub(crate) by: Option<String>,
    /// As it is to be: none takes away what was.
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) end: NewEnd,
}

/// Until when a mode is to be closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum NewEnd {
    /// As long as it is already.
    #[default]
    AsIs,
    /// So much longer than it is already.
    Later(SignedDuration),
    At(Timestamp),
    /// Until somebody opens it.
    Never,
}

impl Document {
    /// Says something else of a mode that is closed or closing, and closes nothing that is open.
    /// `None` when that changes nothing.
    ///
    /// What a window alone keeps closed is held by the switch from then on: a window is a plan, and
    /// whoever throws the switch knows more. It is closed as long as either of them says.
    pub(crate) fn amend(&self, key: &str, wanted: &Amendment, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.get_mut(key)?;
        let standing = mode.standing(now);
        if !standing.phase.is_maintenance() {
            return None;
        }
        let is_thrown = mode.switch_phase(now).is_maintenance();
        let before = mode.switch.clone();
        let mut on = match before.record() {
            Some(on) if is_thrown => on.clone(),
            _ => SwitchedOn {
                since: standing.since,
                until: standing.until,
                by: None,
                reason: None,
                message: None,
                allow: Vec::new(),
                park: None,
                opening: None,
                unknown: Map::new(),
            },
        };
        let is_said = (&standing.reason, &standing.message) == (&wanted.reason, &wanted.message);
        let until = match wanted.end {
            NewEnd::AsIs => on.until,
            // What is overdue is to end so much later than now.
            NewEnd::Later(longer) => standing
                .until
                .or_else(|| mode.overdue_since(now).map(|_| now))
                .and_then(|end| end.checked_add(longer).ok()),
            NewEnd::At(end) => Some(end),
            NewEnd::Never => None,
        };
        if is_said && until == on.until {
            return None;
        }
        // The end of what opens is when all are in.
        on.opening = on.opening().map(|opening| opening.ending(until, now));
        on.until = until;
        on.by.clone_from(&wanted.by);
        on.reason.clone_from(&wanted.reason);
        on.message.clone_from(&wanted.message);
        let after = match &before {
            Switch::Pending(drain) if is_thrown => Switch::Pending(Draining {
                on,
                ..drain.clone()
            }),
            _ => Switch::On(on),
        };
        mode.replace_switch(&before, after);
        Some(next)
    }
}

#[cfg(test)]
#[path = "amend_tests.rs"]
mod tests;
