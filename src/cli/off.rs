//! `maintenance off`.

use clap::Args;

use super::{confirm::confirm, context::Context, failure::Failure, wording};
use crate::{
    cli::{outcome::tell, window::span},
    core::status::whole::Status,
};

/// How many windows that stay are told one by one.
const MOST_WINDOWS: usize = 5;

/// Bring the site back: switch off, cancel a drain, end a window
#[derive(Debug, Args)]
#[command(after_help = "\
Windows that are planned for later stay;
`maintenance window remove` takes them away. Of several
modes the default one is switched off, or that of --mode.

Examples:
  maintenance off
  maintenance --mode checkout off")]
pub(super) struct Off {
    /// Ask on the terminal first
    #[arg(long)]
    interactive: bool,
}

impl Off {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        let key = context.mode();
        if self.interactive {
            confirm(&format!("`{key}` is online again for all visitors.")).await?;
        }
        let change = context.site.turn_off(&key, &context.by).await?;
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
