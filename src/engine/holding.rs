//! How a mode is held: by a lease, and by what the document says of its holder.

use std::{env, path::Path, time::Duration};

use jiff::Timestamp;
use serde_json::Map;

use crate::{
    core::state::{Hold, Holder, IfLost, ModeState},
    engine::{
        change_error::ChangeError,
        changes::{Change, change, read_anew},
        driver::Operation,
        handle::Engine,
        leases::{
            content::Content,
            held_lease::HeldLease,
            names::HELD,
            wanted::{AcquireError, Wanted},
        },
        pauses,
    },
    store::{Lease, StoreError},
};

/// How somebody wants to hold a mode.
#[derive(Debug, Clone)]
pub(crate) struct HoldWish {
    /// What the job is called; by default as the program.
    pub(crate) name: Option<String>,
    pub(crate) if_lost: IfLost,
    pub(crate) time_to_live: Duration,
    /// Whether no other that is to be alone may hold the mode.
    pub(crate) alone: bool,
    /// The token of the job that this one is a part of.
    pub(crate) within: Option<String>,
}

impl Default for HoldWish {
    fn default() -> Self {
        Self {
            name: None,
            if_lost: IfLost::default(),
            time_to_live: pauses::TIME_TO_LIVE,
            alone: false,
            within: None,
        }
    }
}

impl HoldWish {
    /// What the document says of it.
    pub(crate) fn hold(&self, token: &str, by: Option<String>, since: Timestamp) -> Hold {
        Hold {
            token: token.to_owned(),
            holder: Holder {
                name: self.name.clone().unwrap_or_else(program),
                by,
                since,
                if_lost: self.if_lost,
                time_to_live: u64::try_from(self.time_to_live.as_millis()).unwrap_or(u64::MAX),
                alone: self.alone,
                lost_at: None,
                unknown: Map::new(),
            },
            within: self.within.clone(),
        }
    }
}

fn lease_of(hold: &Hold) -> Result<(Lease, Duration), StoreError> {
    let (content, _) = Content::of_this_process(hold.holder.by.clone(), hold.holder.since);
    let lease = Lease::new(
        lease_name(&hold.token),
        hold.token.clone(),
        content.encode(),
    )?;
    Ok((lease, Duration::from_millis(hold.holder.time_to_live)))
}

/// Puts the lease of a holder and keeps it. It comes before what the document says, so that nobody who
/// reads that misses it.
pub(super) async fn keep_lease(engine: &Engine, hold: &Hold) -> Result<HeldLease, ChangeError> {
    let (lease, time_to_live) = lease_of(hold).map_err(ChangeError::Store)?;
    let (name, holder) = (lease.name().to_owned(), lease.holder().to_owned());
    let wanted = Wanted::own(name, holder, lease.content()).time_to_live(time_to_live);
    match engine.leases.acquire(wanted).await {
        Ok(lease) => Ok(lease),
        // It replaces what is there, so that nobody can be in the way.
        Err(AcquireError::Taken(_) | AcquireError::Stopped) => Err(ChangeError::Stopped),
        Err(AcquireError::Store(error)) => Err(ChangeError::Store(error)),
    }
}

/// Puts the lease of a holder that renews it from elsewhere, by a secret of which the token is made.
pub(crate) async fn put_lease(engine: &Engine, hold: &Hold) -> Result<(), ChangeError> {
    let left = async {
        let (lease, time_to_live) = lease_of(hold)?;
        engine.leases.leave_behind(lease, time_to_live).await
    };
    left.await.map_err(ChangeError::Store)
}

/// Takes the lease of a holder away, which has let go or has come to hold nothing. If that fails, it
/// lapses.
pub(crate) async fn drop_lease(engine: &Engine, hold: &Hold) {
    let dropped = match lease_of(hold) {
        Ok((lease, _)) => engine.leases.expel(lease).await,
        Err(error) => Err(error),
    };
    if let Err(error) = dropped {
        tracing::debug!(%error, "the lease of who held a mode is left to lapse");
    }
}

/// Who holds a mode by a token, as the store says now.
pub(crate) async fn holder_of(
    engine: &Engine,
    mode: &str,
    token: &str,
) -> Result<Hold, ChangeError> {
    engine.find_mode(mode)?;
    read_anew(engine).await?;
    let snapshot = engine.shared.published.stored();
    let state = snapshot.mode(mode).map(|mode| &mode.state);
    if state.is_some_and(|state| state.lost(token).is_some()) {
        return Err(ChangeError::HolderLost(mode.to_owned()));
    }
    let mut holders = state.into_iter().flat_map(ModeState::holders);
    let found = holders.find(|(it, _)| *it == token);
    let (_, holder) = found.ok_or_else(|| ChangeError::NotHeld(mode.to_owned()))?;
    Ok(Hold {
        token: token.to_owned(),
        holder: holder.clone(),
        within: None,
    })
}

/// Lets go of what is held by a token: puts back what was before, or leaves it closed.
pub(crate) async fn let_go(
    engine: &Engine,
    mode: &str,
    hold: &Hold,
    keep: bool,
) -> Result<Change, ChangeError> {
    let (key, token) = (mode.to_owned(), hold.token.clone());
    let operation: Operation = match keep {
        true => Box::new(move |document, _| document.keep(&key, &token)),
        false => Box::new(move |document, now| document.leave(&key, &token, now)),
    };
    let change = change(engine, operation).await?;
    drop_lease(engine, hold).await;
    Ok(change)
}

/// The name of the lease by which somebody holds a mode.
pub(crate) fn lease_name(token: &str) -> String {
    format!("{HELD}{token}")
}

/// What this program is called.
fn program() -> String {
    let path = env::args_os().next().unwrap_or_default();
    let name = Path::new(&path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.filter(|name| !name.chars().any(char::is_control));
    name.unwrap_or_else(|| "a program".to_owned())
}
