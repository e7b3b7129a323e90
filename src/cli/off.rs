//! `maintenance off`.

use std::time::Duration;

use clap::Args;

use super::{confirm::confirm, context::Context, failure::Failure, site::OpeningWishes, wording};
use crate::{
    cli::{outcome::tell, window::span},
    core::{schedule::parse_duration, status::whole::Status},
};

/// How many windows that stay are told one by one.
const MOST_WINDOWS: usize = 5;

/// Bring the site back: switch off, cancel a drain, end a window
#[derive(Debug, Args)]
#[command(after_help = "\
With --over visitors are let in share by share: who gets
in when is decided by who they are, and each who is
refused is told when. `off` in the middle opens for all,
`on` closes again. Windows that are planned for later stay;
`maintenance window remove` takes them away. Of several
modes the default one is switched off, or that of --mode.

Examples:
  maintenance off
  maintenance off --over 10m
  maintenance --mode checkout off")]
pub(super) struct Off {
    /// Let more and more visitors in; all after so long: 10m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    over: Option<Duration>,
    /// Let nobody more in for now; --over goes on
    #[arg(long, conflicts_with = "over")]
    pause: bool,
    /// Ask on the terminal first
    #[arg(long)]
    interactive: bool,
}

impl Off {
    fn wishes(&self) -> OpeningWishes {
        match (self.pause, self.over) {
            (true, _) => OpeningWishes::Paused,
            (false, Some(over)) => OpeningWishes::Over(over),
            (false, None) => OpeningWishes::AtOnce,
        }
    }

    /// What follows, for the question of `--interactive`.
    fn consequence(&self, key: &str) -> String {
        match self.wishes() {
            OpeningWishes::Paused => format!("`{key}` lets nobody more in for now."),
            OpeningWishes::Over(over) => format!(
                "`{key}` opens for more and more visitors: for all in {} s.",
                over.as_secs()
            ),
            OpeningWishes::AtOnce => format!("`{key}` is online again for all visitors."),
        }
    }
}

impl Off {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        let key = context.mode();
        if self.interactive {
            confirm(&self.consequence(&key)).await?;
        }
        let change = context
            .site
            .turn_off(&key, &context.by, self.wishes())
            .await?;
        tell(context, &change).await;
        remind(context, &change.status, &key);
        Ok(0)
    }
}

/// Tells what may keep visitors out all the same, now or soon.
fn remind(context: &Context<'_>, status: &Status, key: &str) {
    for mode in &status.modes {
        if mode.key != key && mode.phase.is_maintenance() {
            let (other, is) = (&mode.key, wording::is(mode.phase));
            context.output.note(&format!(
                "{other} {is}; `maintenance --mode {other} off` brings it back"
            ));
        }
    }
    let windows = status.mode(key).map_or(&[][..], |mode| &mode.windows);
    for window in windows.iter().take(MOST_WINDOWS) {
        context.output.note(&format!(
            "a window is planned: {} {}",
            window.id,
            span(window, context)
        ));
    }
    if let Some(more) = windows
        .len()
        .checked_sub(MOST_WINDOWS)
        .filter(|more| *more > 0)
    {
        context.output.note(&format!(
            "{} planned besides; `maintenance window list` shows them",
            wording::count(
                u64::try_from(more).unwrap_or(u64::MAX),
                "window is",
                "windows are"
            )
        ));
    }
}
