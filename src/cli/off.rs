//! `maintenance off`.

use clap::Args;

use super::{confirm::confirm, context::Context, failure::Failure, wording};
use crate::{cli::outcome::tell, core::status::whole::Status};

/// Bring the site back: switch off, cancel a drain, end a window
#[derive(Debug, Args)]
#[command(after_help = "\
Windows that are planned for later stay; `maintenance window remove` takes them
away. With several modes only the first is switched off, or the one of --mode.

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
        let change = context
            .maintenance
            .turn_off()
            .mode(&key)
            .by(&context.by)
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
    let next = status
        .mode(key)
        .and_then(|mode| Some((mode.windows.first()?.start?, mode.windows.first()?)));
    if let Some((start, window)) = next {
        let start = wording::time_from_now(start, context.now(), &context.output.zone);
        context.output.note(&format!(
            "a window is planned: {} starts at {start}",
            window.id
        ));
    }
}
