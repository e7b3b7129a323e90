//! A mode that is closed while a command runs.

use super::api::ApiHold;
use crate::{
    cli::failure::Failure,
    engine::{change_error::ChangeError, guard::Guard},
};

/// Holds a mode closed. Unless it is kept, what was before is put back when it is given back.
pub(in crate::cli) enum Hold {
    /// By a guard of this process on the store.
    Guard(Guard),
    /// By a guard that the site keeps, and that this program takes away again.
    Api(ApiHold),
}

impl Hold {
    /// Waits until it is lost that nobody else may hold the mode, and says so; for ever where nobody
    /// has asked for that.
    pub(in crate::cli) async fn lost(&self) -> String {
        match self {
            Self::Guard(guard) => ChangeError::LockLost(guard.lock_lost().await).to_string(),
            Self::Api(_) => std::future::pending().await,
        }
    }

    /// Whether an exclusive one is still the only one.
    pub(in crate::cli) fn is_exclusive(&self) -> bool {
        match self {
            Self::Guard(guard) => guard.holds_lock(),
            Self::Api(_) => false,
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
