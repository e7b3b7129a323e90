//! `maintenance window`.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::{
    context::Context,
    failure::Failure,
    table::table,
    wording::{self, line},
};
use crate::{
    cli::texts::{Texts, given},
    core::{
        schedule::parse_duration,
        status::windows::{PlannedWindow, Repeats},
    },
    engine::windows::PlanWindow,
};

/// Plan maintenance, show what is planned, cancel it
#[derive(Debug, Subcommand)]
pub(super) enum WindowCommand {
    Add(Add),
    List(List),
    Remove(Remove),
}

/// Plan a window
#[derive(Debug, Args)]
#[command(after_help = "\
TIME: 22:00, 'tomorrow 22:00', +2h, 2030-03-01T22:00+01:00.
An end such as 02:00 or +2h is told from the start.
CRON: minute, hour, day of month, month, day of week.

Examples:
  maintenance window add --start 2030-03-01T22:00 --for 2h --title 'New disks'
  maintenance window add --repeats '0 3 * * SUN' --for 2h --zone Europe/Rome")]
pub(super) struct Add {
    /// When it starts; now unless it is given
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// When it ends; when somebody ends it unless it is given
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// How long it lasts
    #[arg(id = "lasting", long = "for", value_name = "DURATION", value_parser = parse_duration)]
    lasting: Option<Duration>,
    /// Open it again and again, between --start and --end
    #[arg(long, value_name = "CRON", requires = "lasting")]
    repeats: Option<String>,
    /// The zone, such as Europe/Rome [default: `time_zone`]
    #[arg(long)]
    zone: Option<String>,
    /// What it is called
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    #[command(flatten)]
    texts: Texts,
}

/// Show the windows that are planned or open
#[derive(Debug, Args)]
#[command(after_help = "\
With --mode only those of that mode are shown.

Examples:
  maintenance window list
  maintenance --json window list")]
pub(super) struct List {}

/// Cancel windows; one that is open ends
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  maintenance window remove qkzvbnrt
  maintenance window remove --only-next qkzvbnrt")]
pub(super) struct Remove {
    /// Their ids, as `maintenance window list` shows them
    #[arg(required = true)]
    id: Vec<String>,
    /// Of one that repeats, only the time that comes next
    #[arg(long)]
    only_next: bool,
}

/// A window that is to be planned, as it was asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    pub(super) lasting: Option<Duration>,
    pub(super) repeats: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
    pub(super) reason: Option<String>,
}

impl WindowCommand {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(_) => list(context),
            Self::Remove(remove) => remove.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let wanted = Wanted {
            start: self.start,
            end: self.end,
            lasting: self.lasting,
            repeats: self.repeats,
            zone: self.zone,
            title: self.title,
            message: self.texts.message,
            reason: self.texts.reason,
        };
        plan(context, wanted).await
    }
}

/// Plans a window, and says so.
pub(super) async fn plan(context: &Context<'_>, wanted: Wanted) -> Result<u8, Failure> {
    context.can_be_seen_by_the_app()?;
    let mode = context.mode();
    let plan = context.maintenance.plan_window();
    let mut plan = plan.mode(&mode).by(&context.by);
    plan = given(plan, &wanted.start, PlanWindow::start_local);
    plan = given(plan, &wanted.end, PlanWindow::end_local);
    plan = given(plan, &wanted.lasting, PlanWindow::lasting);
    plan = given(plan, &wanted.repeats, PlanWindow::repeats);
    plan = given(plan, &wanted.zone, PlanWindow::zone);
    plan = given(plan, &wanted.title, PlanWindow::title);
    plan = given(plan, &wanted.message, PlanWindow::message);
    plan = given(plan, &wanted.reason, PlanWindow::reason);
    let planned = plan.await?;
    for warning in &planned.warnings {
        context.output.warn(warning);
    }
    let document = json!({
        "window": planned.id,
        "warnings": planned.warnings,
        "changed": planned.change.changed,
        "status": planned.change.status,
    });
    context.output.say(&document, || match planned.window() {
        Some(window) => format!("{mode}: window {} {}", window.id, span(window, context)),
        None => format!("{mode}: window {} is planned", planned.id),
    });
    Ok(0)
}

fn list(context: &Context<'_>) -> Result<u8, Failure> {
    let status = context.status()?;
    let windows: Vec<_> = status
        .modes
        .iter()
        .filter(|mode| {
            let named = context.named_mode.as_ref();
            named.is_none_or(|named| mode.key == *named)
        })
        .flat_map(|mode| {
            mode.windows
                .iter()
                .map(|window| (mode.key.as_str(), window))
        })
        .collect();
    let with_mode = |(mode, window): &(&str, &PlannedWindow)| {
        let mut document = json!(window);
        document["mode"] = json!(mode);
        document
    };
    let document = json!({"windows": windows.iter().map(with_mode).collect::<Vec<_>>()});
    context.output.say(&document, || {
        if windows.is_empty() {
            return "No window is planned.".to_owned();
        }
        let rows: Vec<_> = windows
            .iter()
            .map(|(mode, window)| row(mode, window, context))
            .collect();
        table(
            &[
                "ID", "MODE", "START", "END", "REPEATS", "TITLE", "BY", "REASON",
            ],
            &rows,
        )
    });
    Ok(0)
}

fn row(mode: &str, window: &PlannedWindow, context: &Context<'_>) -> Vec<String> {
    let zone = &context.output.zone;
    let time = |time: Option<Timestamp>| time.map(|time| wording::time(time, zone));
    let text = |text: &Option<String>| text.as_deref().map(line).unwrap_or_default();
    vec![
        window.id.clone(),
        mode.to_owned(),
        time(window.start).unwrap_or_default(),
        time(window.end).unwrap_or_else(|| "open".to_owned()),
        window.repeats.as_ref().map(repeats).unwrap_or_default(),
        text(&window.title),
        text(&window.by),
        text(&window.reason),
    ]
}

/// From when to when a window is.
pub(super) fn span(window: &PlannedWindow, context: &Context<'_>) -> String {
    let (zone, now) = (&context.output.zone, context.now());
    let time = |time| wording::time_from_now(time, now, zone);
    let again = match &window.repeats {
        Some(again) => format!(", repeats {}", repeats(again)),
        None => String::new(),
    };
    let once = match (window.start.filter(|start| *start > now), window.end) {
        (Some(start), Some(end)) => {
            let lasts = Duration::try_from(end.duration_since(start)).unwrap_or_default();
            format!("starts {}, lasts {}", time(start), wording::duration(lasts))
        }
        (Some(start), None) => format!("starts {}, until somebody ends it", time(start)),
        (None, Some(end)) => format!("is open, ends {}", time(end)),
        (None, None) => "is open, until somebody ends it".to_owned(),
    };
    once + &again
}

/// How a window repeats: `every Sunday at 03:00 in Europe/Rome (0 3 * * SUN)`.
fn repeats(repeats: &Repeats) -> String {
    let Repeats {
        words, zone, cron, ..
    } = repeats;
    format!("{words} in {} ({})", line(zone), line(cron))
}

impl Remove {
    async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        // All of them or none: a slip in the last one is told before the first is gone.
        let status = context.status()?;
        let is_known = |id: &String| {
            let mut modes = status.modes.iter();
            modes.any(|mode| mode.windows.iter().any(|window| window.id == *id))
        };
        if let Some(unknown) = self.id.iter().find(|id| !is_known(id)) {
            return Err(Failure::failed(format!(
                "there is no window `{}`; `maintenance window list` shows those that there are",
                line(unknown)
            )));
        }
        let mut status = status;
        for id in &self.id {
            let mut cancel = context.maintenance.cancel_window(id).by(&context.by);
            if self.only_next {
                cancel = cancel.only_next();
            }
            status = cancel.await?.status;
        }
        context.output.say(
            &json!({"removed": self.id, "changed": true, "status": status}),
            || format!("removed: {}", self.id.join(", ")),
        );
        Ok(0)
    }
}
