//! A mode that is closed while a command runs.

use super::{Gone, api::ApiHold};
use crate::{
    cli::failure::Failure,
    engine::{change_error::ChangeError, guard::Guard},
};

/// Holds a mode closed. Unless it is kept, what was before is put back when it is given back.
pub(in crate::cli) enum Hold {
    /// By a guard of this process on the store.
    Guard(Box<Guard>),
    /// By a lease that the site keeps, and that this program renews.
    Api(ApiHold),
}

impl Hold {
    /// Waits until it is gone, and says what that means.
    pub(in crate::cli) async fn gone(&self) -> (Gone, String) {
        match self {
            Self::Guard(guard) => tokio::select! {
                mode = guard.lost() => (Gone::Lost, ChangeError::HolderLost(mode).to_string()),
                mode = guard.lock_lost() => (Gone::Lost, ChangeError::LockLost(mode).to_string()),
                mode = guard.taken_away() => (
                    Gone::TakenAway,
                    format!("somebody has switched `{mode}` off while the command runs"),
                ),
            },
            Self::Api(hold) => hold.gone().await,
        }
    }

    /// By what a job knows it that is a part of this one.
    pub(in crate::cli) fn token(&self) -> Option<&str> {
        match self {
            Self::Guard(guard) => guard.token(),
            Self::Api(hold) => Some(hold.id()),
        }
    }

    /// Puts back what was before. It can be tried again.
    pub(in crate::cli) async fn try_give_back(&mut self) -> Result<(), Failure> {
        match self {
            Self::Guard(guard) => {
                guard.try_release().await?;
            }
            Self::Api(hold) => hold.give_back(false).await?,
        }
        Ok(())
    }

    /// Leaves what is, for somebody to look at.
    pub(in crate::cli) async fn keep(self) -> Result<(), Failure> {
        match self {
            Self::Guard(guard) => {
                guard.keep().await?;
            }
            Self::Api(hold) => hold.give_back(true).await?,
        }
        Ok(())
    }
}
