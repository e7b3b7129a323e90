//! `maintenance window change`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{span, words};
use crate::{
    cli::{
        context::Context, failure::Failure, reach::Reach, site::WindowChanges, texts::Texts,
        wording::line,
    },
    core::schedule::parse_duration,
    engine::window_said::WindowSaid,
};

/// Change a window; what is not given stays as it is
#[derive(Debug, Args)]
#[command(after_help = "\
TIME as for `window add`. An empty TEXT takes away what was.

Examples:
  maintenance window change qkzvbnrt --for 3h")]
pub(in crate::cli) struct Change {
    /// Its id, as `maintenance window list` shows it
    id: String,
    /// When it starts
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// When it ends; of one that repeats, for good
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// No end: until somebody ends it
    #[arg(long, conflicts_with = "end")]
    no_end: bool,
    /// How long it lasts; of one that repeats, each time
    #[arg(id = "lasting", long = "for", value_name = "DURATION", value_parser = parse_duration)]
    lasting: Option<Duration>,
    /// Open it again and again
    #[arg(long, value_name = "CRON")]
    repeats: Option<String>,
    /// The zone, such as Europe/Rome
    #[arg(long)]
    zone: Option<String>,
    /// What it is called
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    #[command(flatten)]
    texts: Texts,
}

impl Change {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        let said = WindowSaid {
            start: self.start,
            end: self.end,
            lasting: self.lasting,
            repeats: self.repeats,
            zone: self.zone,
            title: self.title,
            message: self.texts.message,
            reason: self.texts.reason,
        };
        let others = [&said.zone, &said.title, &said.message, &said.reason];
        let is_said = said.says_when() || others.into_iter().any(Option::is_some);
        if !is_said && !self.no_end {
            return Err(Failure::usage(
                "say what is to be another: give --start, --end, --no-end, --for, --repeats, --zone, \
                 --title, --message or --reason",
            ));
        }
        let id = self.id.clone();
        let changes = WindowChanges {
            id: self.id,
            by: context.by.clone(),
            said,
            no_end: self.no_end,
        };
        let changed = context.site.change_window(&changes).await?;
        for warning in &changed.warnings {
            context.output.warn(warning);
        }
        let reach = Reach::find(context).await;
        let status = &changed.change.status;
        context.warn_of_files(status);
        let is_changed = changed.change.changed;
        let document = json!({
            "window": id,
            "warnings": changed.warnings,
            "changed": is_changed,
            "reached": reach.document(),
            "status": status,
        });
        let mut modes = status.modes.iter();
        let mode = modes.find(|mode| mode.windows.iter().any(|window| window.id == id));
        context
            .output
            .say(&document, || match (mode, changed.window()) {
                (Some(mode), Some(window)) if is_changed => {
                    words(&mode.key, window, &reach, context)
                }
                (Some(mode), Some(window)) => {
                    let key = &mode.key;
                    format!(
                        "{key}: window {id} is so already, {}",
                        span(window, context)
                    )
                }
                _ => format!("window {} is changed", line(&id)),
            });
        reach.tell(context);
        Ok(0)
    }
}
