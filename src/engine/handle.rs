//! The handle of the engine: what every builder of a change holds.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::{
    core::{audit::Author, mode::Mode, status::whole::Status},
    engine::{
        change_error::ChangeError, driver::Command, leases::keeper::LeaseKeeper, shared::Shared,
    },
    store::StoreError,
};

/// Finds modes and sends changes to the driver. Clones mean the same; the driver ends when the last
/// one is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) published: watch::Receiver<u64>,
    pub(crate) leases: LeaseKeeper,
    /// Who asks by this handle, as far as that is known.
    pub(crate) author: Author,
}

impl Engine {
    /// The same handle in the hands of somebody.
    pub(crate) fn asked_by(&self, author: Author) -> Self {
        Self {
            author,
            ..self.clone()
        }
    }

    /// The key of the mode that is meant when none is named.
    pub(crate) fn default_mode(&self) -> String {
        self.shared.default_mode.clone()
    }

    pub(crate) fn find_mode(&self, key: &str) -> Result<&Mode, ChangeError> {
        let modes = &self.shared.modes;
        modes
            .iter()
            .find(|mode| mode.key == key)
            .map(|mode| &**mode)
            .ok_or_else(|| ChangeError::UnknownMode {
                key: key.to_owned(),
                known: modes.iter().map(|mode| mode.key.clone()).collect(),
            })
    }

    /// The key of the mode that a window is planned for, as far as this process knows.
    pub(crate) fn mode_of_window(&self, id: &str) -> Option<String> {
        let snapshot = self.shared.published.snapshot();
        let mode = snapshot
            .modes
            .iter()
            .find(|mode| mode.state.windows.iter().any(|window| window.id == id))?;
        Some(mode.key.as_ref().to_owned())
    }

    /// What is now, mode by mode.
    pub(crate) fn status(&self) -> Status {
        self.shared.status(&self.shared.published.snapshot())
    }

    /// What is now, with the nodes and tasks that the store knows of now.
    ///
    /// # Errors
    ///
    /// When the store cannot tell who is live.
    pub(crate) async fn ask_status(&self) -> Result<Status, StoreError> {
        self.shared.own_node.heard(self.leases.fleet().await?);
        Ok(self.status())
    }
}
