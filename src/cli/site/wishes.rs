//! What commands ask a site for: plain data, the same on each way.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    core::{
        phase::Phase,
        secret::Secret,
        state::{GrantKind, IfLost, OnTimeout},
    },
    engine::{barrier::Safe, fleet::missing::Missing, window_said::WindowSaid},
    web::explain::{Explanation, Inquiry, Role},
};

/// How a mode is to be closed.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Wishes {
    pub(in crate::cli) mode: String,
    pub(in crate::cli) by: String,
    /// An empty one takes away what was said before; so does an empty reason.
    pub(in crate::cli) message: Option<String>,
    pub(in crate::cli) reason: Option<String>,
    pub(in crate::cli) end: Option<EndWish>,
    pub(in crate::cli) drain: Option<DrainWishes>,
    /// The networks that get in for as long as it is on.
    pub(in crate::cli) allow: Vec<String>,
    /// How long requests wait for it to open; none at all takes away what was said before.
    pub(in crate::cli) park: Option<Duration>,
}

/// How a mode is to be held.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct HoldWishes {
    /// Only one at a time, which the others wait for.
    pub(in crate::cli) exclusive: bool,
    /// What the job is called.
    pub(in crate::cli) name: String,
    pub(in crate::cli) if_lost: IfLost,
    /// By which the job knows itself that this one is a part of.
    pub(in crate::cli) within: Option<Secret>,
    /// How long it is held after its last sign of life, if that is said.
    pub(in crate::cli) lost_after: Option<Duration>,
}

/// How a hold has gone that was not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Gone {
    /// Others have seen this program die, or hold the lock now.
    Lost,
    /// Somebody has switched the mode off.
    TakenAway,
}

/// Who is to look in, and by what.
#[derive(Debug, Clone)]
pub(in crate::cli) struct GrantWishes {
    pub(in crate::cli) name: String,
    pub(in crate::cli) by: String,
    pub(in crate::cli) kind: GrantKind,
    pub(in crate::cli) address: Option<String>,
    pub(in crate::cli) modes: Vec<String>,
    pub(in crate::cli) prefixes: Vec<String>,
    pub(in crate::cli) until: Option<Timestamp>,
    pub(in crate::cli) lasting: Option<Duration>,
}

/// A grant that was made, with what it is known by.
pub(in crate::cli) struct GrantMade {
    pub(in crate::cli) name: String,
    pub(in crate::cli) kind: GrantKind,
    pub(in crate::cli) until: Option<Timestamp>,
    pub(in crate::cli) secret: Option<String>,
    /// Whole where the address of the site is known, and else its path.
    pub(in crate::cli) link: Option<String>,
}

/// How a mode is to be opened.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum OpeningWishes {
    AtOnce,
    /// Share by share, within this time.
    Over(Duration),
    /// No further than it is.
    Paused,
}

/// When it ends by itself.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum EndWish {
    At(Timestamp),
    After(Duration),
    Never,
}

/// What of a drain is not as the settings say.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct DrainWishes {
    pub(in crate::cli) timeout: Option<Duration>,
    pub(in crate::cli) on_timeout: Option<OnTimeout>,
}

/// A window that is to be planned, as it was asked for.
#[derive(Debug, Clone)]
pub(in crate::cli) struct WindowWishes {
    pub(in crate::cli) mode: String,
    pub(in crate::cli) by: String,
    pub(in crate::cli) said: WindowSaid,
}

/// What is to be another of a window that is planned.
#[derive(Debug, Clone)]
pub(in crate::cli) struct WindowChanges {
    pub(in crate::cli) id: String,
    pub(in crate::cli) by: String,
    pub(in crate::cli) said: WindowSaid,
    pub(in crate::cli) no_end: bool,
}

/// What is asked of a request that nobody sent.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Question {
    pub(in crate::cli) method: String,
    /// The path, or a whole address.
    pub(in crate::cli) path: String,
    pub(in crate::cli) address: Option<IpAddr>,
    pub(in crate::cli) role: Option<Role>,
    pub(in crate::cli) host: Option<String>,
    /// The same, as it was understood.
    pub(in crate::cli) inquiry: Inquiry,
}

/// What would become of a request, as the document tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::cli) struct Explained {
    pub(in crate::cli) outcome: String,
    pub(in crate::cli) rule: String,
    pub(in crate::cli) mode: Option<String>,
    pub(in crate::cli) phase: Phase,
    pub(in crate::cli) logout: bool,
    #[serde(default)]
    pub(in crate::cli) waits: Option<u64>,
    pub(in crate::cli) why: String,
    pub(in crate::cli) not_known: Vec<String>,
}

impl From<Explanation> for Explained {
    fn from(explanation: Explanation) -> Self {
        let Explanation {
            outcome,
            rule,
            mode,
            phase,
            logout,
            waits,
            why,
            not_known,
        } = explanation;
        Self {
            outcome: outcome.as_str().to_owned(),
            rule: rule.name().to_owned(),
            mode,
            phase,
            logout,
            waits,
            why,
            not_known,
        }
    }
}

/// How it ended to wait for a mode to be closed and empty.
#[derive(Debug)]
pub(in crate::cli) enum Emptiness {
    Empty(Safe),
    /// The time was over before these had closed and were empty.
    Missing(Vec<Missing>),
    /// Somebody, or the time-out, has brought the mode back.
    Reopened,
}
