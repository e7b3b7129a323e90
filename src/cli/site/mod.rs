//! The site that commands are about, and the ways to it. What a command asks for and what comes of it
//! is the same by each.

mod api;
mod hold;
mod store;
mod wishes;

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;

use super::failure::Failure;
use crate::{
    core::{
        audit::AuditEntry,
        status::{grants::GrantStatus, period::PastPeriod, whole::Status},
    },
    engine::{
        changes::{Change, Changes},
        fleet::missing::Missing,
        windows::Planned,
    },
};

pub(super) use self::{
    api::{ApiOptions, ApiSite},
    hold::Hold,
    store::StoreSite,
    wishes::{
        DrainWishes, Emptiness, EndWish, Explained, Gone, GrantMade, GrantWishes, HoldWishes,
        OpeningWishes, Question, WindowChanges, WindowWishes, Wishes,
    },
};

/// How often a site is called at most while something is looked at.
const CALLS_APART: Duration = Duration::from_millis(250);

/// The site, by the way on which it is reached.
pub(super) enum Site {
    /// By its settings and its store, whether an app runs or not.
    Store(Box<StoreSite>),
    /// By the API of an app that runs.
    Api(Arc<ApiSite>),
}

impl Site {
    /// The site by its store, for what the other ways do not have.
    ///
    /// # Errors
    ///
    /// When it is reached on another way.
    pub(super) fn by_store(&self) -> Result<&StoreSite, Failure> {
        match self {
            Self::Store(store) => Ok(store),
            Self::Api(_) => Err(needs_the_store()),
        }
    }

    /// The key of the mode that is meant when none is named.
    pub(super) fn default_mode(&self) -> String {
        match self {
            Self::Store(store) => store.default_mode(),
            Self::Api(api) => api.default_mode(),
        }
    }

    /// Refuses a mode that there is not.
    pub(super) fn find_mode(&self, key: &str) -> Result<(), Failure> {
        match self {
            Self::Store(store) => store.find_mode(key),
            Self::Api(api) => api.find_mode(key),
        }
    }

    /// The zone of times that are given without one.
    pub(super) fn time_zone(&self) -> Option<TimeZone> {
        match self {
            Self::Store(store) => store.time_zone(),
            Self::Api(api) => api.time_zone(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        match self {
            Self::Store(store) => store.now(),
            Self::Api(api) => api.now(),
        }
    }

    /// Whose clock the status compares with that of the store.
    pub(super) fn whose_clock(&self) -> &'static str {
        match self {
            Self::Store(_) => "this machine's",
            Self::Api(_) => "the site's",
        }
    }

    /// Whether a change can be seen by the app at all.
    pub(super) fn can_be_seen_by_the_app(&self) -> Result<(), Failure> {
        match self {
            Self::Store(store) => store.can_be_seen_by_the_app(),
            Self::Api(_) => Ok(()),
        }
    }

    /// What is, as it was heard last.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Store(store) => store.status(),
            Self::Api(api) => api.status(),
        }
    }

    /// What is, with the nodes and tasks of now; or why nobody can tell.
    pub(super) async fn ask_status(&self) -> Result<Status, String> {
        match self {
            Self::Store(store) => store.ask_status().await,
            Self::Api(api) => api.ask_status().await,
        }
    }

    /// Past and present periods, the oldest first.
    pub(super) async fn history(&self) -> Result<Vec<PastPeriod>, Failure> {
        match self {
            Self::Store(store) => Ok(store.history()),
            Self::Api(api) => api.history().await,
        }
    }

    /// Who did what, the latest last: so many entries at least, if there are.
    pub(super) async fn audit(
        &self,
        mode: Option<&str>,
        last: usize,
    ) -> Result<Vec<AuditEntry>, Failure> {
        match self {
            Self::Store(store) => store.audit(),
            Self::Api(api) => api.audit(mode, last).await,
        }
    }

    pub(super) async fn explain(&self, question: &Question) -> Result<Explained, Failure> {
        match self {
            Self::Store(store) => Ok(store.explain(question)),
            Self::Api(api) => api.explain(question).await,
        }
    }

    pub(super) async fn turn_on(&self, wishes: &Wishes) -> Result<Change, Failure> {
        match self {
            Self::Store(store) => store.turn_on(wishes).await,
            Self::Api(api) => api.turn_on(wishes).await,
        }
    }

    pub(super) async fn turn_off(
        &self,
        mode: &str,
        by: &str,
        how: OpeningWishes,
    ) -> Result<Change, Failure> {
        match self {
            Self::Store(store) => store.turn_off(mode, by, how).await,
            Self::Api(api) => api.turn_off(mode, how).await,
        }
    }

    pub(super) async fn forget(&self, mode: &str, by: &str) -> Result<Change, Failure> {
        match self {
            Self::Store(store) => store.forget(mode, by).await,
            Self::Api(api) => api.forget(mode).await,
        }
    }

    pub(super) async fn plan(&self, wishes: &WindowWishes) -> Result<Planned, Failure> {
        match self {
            Self::Store(store) => store.plan(wishes).await,
            Self::Api(api) => api.plan(wishes).await,
        }
    }

    pub(super) async fn change_window(&self, changes: &WindowChanges) -> Result<Planned, Failure> {
        match self {
            Self::Store(store) => store.change_window(changes).await,
            Self::Api(api) => api.change_window(changes).await,
        }
    }

    pub(super) async fn cancel(
        &self,
        id: &str,
        only_next: bool,
        by: &str,
    ) -> Result<Change, Failure> {
        match self {
            Self::Store(store) => store.cancel(id, only_next, by).await,
            Self::Api(api) => api.cancel(id, only_next).await,
        }
    }

    pub(super) async fn grant(&self, wishes: &GrantWishes) -> Result<GrantMade, Failure> {
        match self {
            Self::Store(store) => store.grant(wishes).await,
            Self::Api(api) => api.grant(wishes).await,
        }
    }

    /// Those who may look in, with what the nodes tell now.
    pub(super) async fn grants(&self) -> Result<Vec<GrantStatus>, Failure> {
        match self {
            Self::Store(store) => store.grants().await,
            Self::Api(api) => api.grants().await,
        }
    }

    pub(super) async fn revoke_grant(&self, name: &str, by: &str) -> Result<(), Failure> {
        match self {
            Self::Store(store) => store.revoke_grant(name, by).await,
            Self::Api(api) => api.revoke_grant(name).await,
        }
    }

    /// Closes a mode until the hold is given back.
    pub(super) async fn hold(&self, wishes: &Wishes, how: &HoldWishes) -> Result<Hold, Failure> {
        match self {
            Self::Store(store) => store.hold(wishes, how).await,
            Self::Api(api) => Ok(Hold::Api(Arc::clone(api).hold(wishes, how).await?)),
        }
    }

    /// Waits until a mode is closed and empty on every node, and tells meanwhile who is missing. That
    /// no node reports at all is no failure here.
    pub(super) async fn until_empty(
        &self,
        mode: &str,
        at_most: Option<Duration>,
        told: Arc<Mutex<Vec<Missing>>>,
    ) -> Result<Emptiness, Failure> {
        match self {
            Self::Store(store) => store.until_empty(mode, at_most, told).await,
            Self::Api(api) => api.until_empty(mode, at_most, told).await,
        }
    }

    /// How long to pause between two looks at what is: longer where each is a call.
    pub(super) fn pause(&self, pause: Duration) -> Duration {
        match self {
            Self::Store(_) => pause,
            Self::Api(_) => pause.max(CALLS_APART),
        }
    }

    /// Hears of changes, as far as somebody tells of them; who waits for one looks by itself, too.
    pub(super) fn changes(&self) -> HeardChanges {
        match self {
            Self::Store(store) => HeardChanges::Told(store.changes()),
            Self::Api(_) => HeardChanges::NotTold,
        }
    }
}

/// What is said of a command that a site cannot do by its API.
pub(super) fn needs_the_store() -> Failure {
    Failure::usage(
        "this command needs the settings and the store of the site; run it where they are, without \
         --url and MAINTENANCE_URL",
    )
}

/// Changes as they are heard of.
pub(super) enum HeardChanges {
    Told(Changes),
    /// Nobody tells of them.
    NotTold,
}

impl HeardChanges {
    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        match self {
            Self::Told(changes) => {
                changes.next().await;
            }
            Self::NotTold => std::future::pending().await,
        }
    }
}
