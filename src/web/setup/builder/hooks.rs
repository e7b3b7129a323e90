//! What the app does around a change.

use std::time::Duration;

use super::Builder;
use crate::engine::hooks::{self, HookOutcome, ProposedChange, Transition};

impl Builder {
    /// Asks before each change that somebody wants to make in this process; an error is the reason
    /// for which it is [refused](crate::ChangeError::Refused).
    ///
    /// It is asked about what people and code switch, plan, cancel and forget, and about a guard that
    /// is entered. It is not asked about what follows by itself: windows and time-outs, the end of a
    /// drain, and what a guard puts back. A hook that panics, or takes longer than
    /// [`hook_time_limit`](Self::hook_time_limit), is told of in the log, and the change goes on
    /// without it. Hooks run on a thread of their own, which they share and must not block.
    ///
    /// ```
    /// # use actix_maintenance_mode::{ChangeError, ChangeKind, Maintenance};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder()
    ///     .store("memory:")
    ///     .before_change(async |change| match (change.kind, change.reason) {
    ///         (ChangeKind::TurnOn, None) => Err("say why"),
    ///         _ => Ok(()),
    ///     })
    ///     .build()
    ///     .await?;
    /// let refused = maintenance.turn_on().await;
    /// assert!(matches!(refused, Err(ChangeError::Refused { reason }) if reason == "say why"));
    /// maintenance.turn_on().reason("new disks").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn before_change<F>(
        mut self,
        hook: impl Fn(ProposedChange) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: HookOutcome> + Send + 'static,
    {
        self.hooks.before.push(hooks::hook(hook));
        self
    }

    /// Runs after a mode was entered: it was online and is now pending or offline, for whatever
    /// reason, also by another process. A process that starts in maintenance enters it.
    ///
    /// Nobody waits for it. One that fails, panics or takes longer than
    /// [`hook_time_limit`](Self::hook_time_limit) is told of in the log, and the next one runs.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # async fn tell_the_team(_text: String) {}
    /// let builder = Maintenance::builder()
    ///     .after_entering(async |entered| tell_the_team(format!("{} is closed", entered.mode.label)).await);
    /// ```
    pub fn after_entering<F>(
        mut self,
        hook: impl Fn(Transition) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: HookOutcome> + Send + 'static,
    {
        self.hooks.entering.push(hooks::hook(hook));
        self
    }

    /// Runs after a mode was left: it was pending or offline and is now online again. Otherwise as
    /// [`after_entering`](Self::after_entering).
    pub fn after_leaving<F>(
        mut self,
        hook: impl Fn(Transition) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: HookOutcome> + Send + 'static,
    {
        self.hooks.leaving.push(hooks::hook(hook));
        self
    }

    /// How long the hooks before a change may take, all together, and each hook after one. The
    /// default is 5 seconds.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # use std::time::Duration;
    /// let builder = Maintenance::builder().hook_time_limit(Duration::from_secs(10));
    /// ```
    pub fn hook_time_limit(mut self, limit: Duration) -> Self {
        self.hooks.limit = limit;
        self
    }
}
