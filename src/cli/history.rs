//! `maintenance history`.

use std::time::Duration;

use clap::{Args, builder::RangedU64ValueParser};
use serde_json::json;

use super::{
    context::Context,
    failure::Failure,
    table::table,
    wording::{self, line},
};
use crate::core::status::period::PastPeriod;

/// Show past and present periods of maintenance, the latest last
#[derive(Debug, Args)]
#[command(after_help = "\
The last 100 periods are kept. With --mode only those of
that mode are shown.

Examples:
  maintenance history --last 5
  maintenance --json history")]
pub(super) struct History {
    /// Only the latest ones
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    last: Option<usize>,
}

impl History {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.status()?;
        let mut periods = context.site.history().await?;
        if let Some(mode) = &context.named_mode {
            periods.retain(|period| period.mode == *mode);
        }
        if let Some(last) = self.last {
            periods.drain(..periods.len().saturating_sub(last));
        }
        context.output.say(&json!({"history": periods}), || {
            if periods.is_empty() {
                return "There was no maintenance yet.".to_owned();
            }
            let rows: Vec<_> = periods.iter().map(|period| row(period, context)).collect();
            table(
                &["STARTED", "LASTED", "MODE", "ENDED", "BY", "REASON"],
                &rows,
            )
        });
        Ok(0)
    }
}

fn row(period: &PastPeriod, context: &Context<'_>) -> Vec<String> {
    let end = period.ended_at.unwrap_or_else(|| context.now());
    let lasted = end.duration_since(period.started_at);
    // A table of past hours needs no tenths.
    let lasted = u64::try_from(lasted.as_secs()).unwrap_or_default();
    let lasted = wording::duration(Duration::from_secs(lasted));
    let text = |text: &Option<String>| text.as_deref().map(line).unwrap_or_default();
    let ended = match (period.ended_at, period.ended) {
        (None, _) => "goes on".to_owned(),
        (Some(_), how) => {
            let how = how.map_or("", |how| how.as_str());
            match &period.ended_by {
                Some(by) => format!("{how}, {}", line(by)),
                None => how.to_owned(),
            }
        }
    };
    vec![
        wording::time(period.started_at, &context.zone),
        lasted,
        period.mode.clone(),
        ended,
        text(&period.by),
        text(&period.reason),
    ]
}
