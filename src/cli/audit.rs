//! `maintenance audit`.

use clap::{Args, builder::RangedU64ValueParser};
use serde_json::json;

use super::{
    context::Context,
    failure::Failure,
    table::table,
    wording::{self, line},
};
use crate::core::audit::{AuditEntry, AuditOutcome};

/// Show who did what, the latest last
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the file that the setting `audit.file` names: what the
processes have done that write to it. With --mode only what
was done with that mode is shown.

Examples:
  maintenance audit --last 20
  maintenance --json audit")]
pub(super) struct ShowAudit {
    /// How many entries
    #[arg(
        long,
        value_name = "N",
        default_value = "100",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000),
    )]
    last: usize,
}

impl ShowAudit {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let mode = context.named_mode.as_deref();
        let mut entries = context.site.audit(mode, self.last).await?;
        if let Some(mode) = mode {
            entries.retain(|entry| entry.mode.as_deref() == Some(mode));
        }
        let surplus = entries.len().saturating_sub(self.last);
        entries.drain(..surplus);
        context.output.say(&json!({"audit": entries}), || {
            if entries.is_empty() {
                return "Nothing has been written down yet.".to_owned();
            }
            let rows: Vec<_> = entries.iter().map(|entry| row(entry, context)).collect();
            let heads = ["AT", "WHAT", "MODE", "BY", "HOW", "FROM", "OUTCOME"];
            table(&heads, &rows)
        });
        Ok(0)
    }
}

fn row(entry: &AuditEntry, context: &Context<'_>) -> Vec<String> {
    let text = |text: &Option<String>| text.as_deref().map(line).unwrap_or_default();
    let outcome = match (entry.outcome, &entry.why) {
        (AuditOutcome::Done, None) => String::new(),
        (AuditOutcome::Done, Some(why)) => line(why),
        (outcome, None) => outcome.as_str().to_owned(),
        (outcome, Some(why)) => format!("{}: {}", outcome.as_str(), line(why)),
    };
    vec![
        wording::time(entry.at, &context.zone),
        line(&entry.event),
        text(&entry.mode),
        text(&entry.by),
        entry.how.as_str().to_owned(),
        entry.address.map(|it| it.to_string()).unwrap_or_default(),
        outcome,
    ]
}
