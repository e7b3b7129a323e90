//! `maintenance forget`.

use clap::Args;
use serde_json::json;

use super::{context::Context, failure::Failure, wording::line};

/// Remove all that is stored of a mode: its switch and its windows
#[derive(Debug, Args)]
#[command(after_help = "\
For a mode that the settings do not have any more. Of one
that they have it is as `off` and no windows. The history
stays.

Examples:
  maintenance forget old-shop")]
pub(super) struct Forget {
    /// The mode's key, as `maintenance status` shows it
    // Not `mode`, which is the option of every command.
    #[arg(value_name = "MODE")]
    key: String,
}

impl Forget {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        let change = context.site.forget(&self.key, &context.by).await?;
        let document = json!({"changed": change.changed, "status": change.status});
        context.output.say(&document, || {
            let key = line(&self.key);
            if change.changed {
                format!("nothing is stored of {key} any more")
            } else {
                format!("nothing was stored of {key}")
            }
        });
        Ok(0)
    }
}
