//! Changes of state as code asks for them, and what becomes of them.

use std::{future::IntoFuture, pin::Pin};

use tokio::sync::{oneshot, watch};

use crate::{
    driver::{Changed, Command, Operation},
    maintenance::Maintenance,
    settings::Forced,
    snapshot::Status,
    state::{DEFAULT_MODE, SwitchOn},
    store::StoreError,
};

/// What a change that was made, or was not needed, leads to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// `false`: it was so already, and nothing was written.
    pub changed: bool,
    /// What is now.
    pub status: Status,
}

/// Why a change was not made. What is stored is as it was, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The settings force maintenance on or off, and they win over whatever is stored.
    #[error(
        "maintenance is forced {} by the settings; remove `forced` (or MAINTENANCE_FORCED) to switch it",
        .0.as_str()
    )]
    Forced(Forced),
    /// There is no mode with this key.
    #[error("there is no mode `{key}`; there is {}", .known.join(", "))]
    UnknownMode {
        /// The key that was asked for.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// The store did not take the change.
    #[error("the change was not stored: {0}")]
    Store(#[source] StoreError),
    /// The driver is gone, because the process ends.
    #[error("maintenance is shutting down in this process; try again on another")]
    Stopped,
}

/// The future of a change.
pub type ChangeFuture = Pin<Box<dyn Future<Output = Result<Change, ChangeError>> + Send>>;

/// Takes the site out of service: from [`Maintenance::turn_on`].
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOn {
    maintenance: Maintenance,
    mode: String,
    wanted: SwitchOn,
}

impl TurnOn {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        Self {
            maintenance,
            mode: DEFAULT_MODE.to_owned(),
            wanted: SwitchOn::default(),
        }
    }

    /// What visitors are told instead of the message in the settings.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.wanted.message = Some(message.into());
        self
    }

    /// Why, for operators. Visitors never see it.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.wanted.reason = Some(reason.into());
        self
    }

    /// Who does it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.wanted.by = Some(by.into());
        self
    }

    /// Which mode; the default is `site`.
    pub(crate) fn mode(mut self, key: impl Into<String>) -> Self {
        self.mode = key.into();
        self
    }
}

impl IntoFuture for TurnOn {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let (mode, wanted) = (self.mode.clone(), self.wanted);
        let operation: Operation =
            Box::new(move |document, now| document.turn_on(&mode, &wanted, now));
        change(self.maintenance, self.mode, operation)
    }
}

/// Brings the site back: from [`Maintenance::turn_off`].
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOff {
    maintenance: Maintenance,
    mode: String,
    by: Option<String>,
}

impl TurnOff {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        Self {
            maintenance,
            mode: DEFAULT_MODE.to_owned(),
            by: None,
        }
    }

    /// Who does it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Which mode; the default is `site`.
    pub(crate) fn mode(mut self, key: impl Into<String>) -> Self {
        self.mode = key.into();
        self
    }
}

impl IntoFuture for TurnOff {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let (mode, by) = (self.mode.clone(), self.by);
        let operation: Operation =
            Box::new(move |document, now| document.turn_off(&mode, by.as_deref(), now));
        change(self.maintenance, self.mode, operation)
    }
}

/// The one way of a change to the store: every change of state goes through here.
fn change(maintenance: Maintenance, mode: String, operation: Operation) -> ChangeFuture {
    Box::pin(async move {
        let snapshot = maintenance.shared.published.snapshot();
        if snapshot.mode(&mode).is_none() {
            return Err(ChangeError::UnknownMode {
                key: mode,
                known: snapshot
                    .modes
                    .iter()
                    .map(|mode| mode.key.as_ref().to_owned())
                    .collect(),
            });
        }
        if let Some(forced) = snapshot.forced {
            return Err(ChangeError::Forced(forced));
        }
        let (reply, answer) = oneshot::channel();
        maintenance
            .commands
            .send(Command { operation, reply })
            .map_err(|_| ChangeError::Stopped)?;
        let Changed { changed, snapshot } = answer.await.map_err(|_| ChangeError::Stopped)??;
        Ok(Change {
            changed,
            status: snapshot.status(crate::shared::now_for(&snapshot)),
        })
    })
}

/// Follows what maintenance is: from [`Maintenance::subscribe`].
#[derive(Debug)]
pub struct Changes {
    maintenance: std::sync::Weak<crate::shared::Shared>,
    published: watch::Receiver<u64>,
}

impl Changes {
    pub(crate) fn new(maintenance: &Maintenance) -> Self {
        let mut published = maintenance.published.clone();
        published.mark_unchanged();
        Self {
            maintenance: std::sync::Arc::downgrade(&maintenance.shared),
            published,
        }
    }

    /// Waits for the next change and returns what is then. Of changes in quick succession the
    /// latest is returned. `None` once the last handle is dropped.
    pub async fn next(&mut self) -> Option<Status> {
        self.published.changed().await.ok()?;
        let snapshot = self.maintenance.upgrade()?.published.snapshot();
        Some(snapshot.status(crate::shared::now_for(&snapshot)))
    }
}
