//! `maintenance window`.

mod change;

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use self::change::Change;
use super::{
    context::Context,
    failure::Failure,
    table::table,
    wording::{self, line},
};
use crate::{
    cli::{reach::Reach, site::WindowWishes, texts::Texts},
    core::{
        overlap::{Closed, closed_within},
        schedule::parse_duration,
        status::{
            modes::ModeStatus,
            whole::Status,
            windows::{PlannedWindow, Repeats},
        },
    },
    engine::window_said::WindowSaid,
};

/// Plan maintenance, change it, show what is planned, cancel it
#[derive(Debug, Subcommand)]
pub(super) enum WindowCommand {
    Add(Add),
    Change(Change),
    #[command(alias = "ls")]
    List(List),
    #[command(alias = "rm")]
    Remove(Remove),
}

/// Plan a window
#[derive(Debug, Args)]
#[command(after_help = "\
TIME: 22:00, 'tomorrow 22:00', +2h, 2030-03-01T22:00+01:00.
An end such as 02:00 or +2h is told from the start.
CRON: minute, hour, day of month, month, day of week.

Examples:
  maintenance window add --start 'tomorrow 22:00' --for 2h
  maintenance window add --repeats '0 3 * * SUN' --for 2h")]
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

impl WindowCommand {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::Change(change) => change.run(context).await,
            Self::List(_) => list(context),
            Self::Remove(remove) => remove.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let says_when = self.start.is_some() || self.end.is_some();
        if !says_when && self.lasting.is_none() {
            return Err(Failure::usage(
                "say when: give --start, --end or --for; `maintenance on` closes at once",
            ));
        }
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
        plan(context, said).await
    }
}

/// Plans a window, and says so.
pub(super) async fn plan(context: &Context<'_>, said: WindowSaid) -> Result<u8, Failure> {
    context.can_be_seen_by_the_app()?;
    let mode = context.mode();
    let wishes = WindowWishes {
        mode: mode.clone(),
        by: context.by.clone(),
        said,
    };
    let planned = context.site.plan(&wishes).await?;
    for warning in &planned.warnings {
        context.output.warn(warning);
    }
    let reach = Reach::find(context).await;
    context.warn_of_files(&planned.change.status);
    let document = json!({
        "window": planned.id,
        "warnings": planned.warnings,
        "changed": planned.change.changed,
        "reached": reach.document(),
        "status": planned.change.status,
    });
    context.output.say(&document, || match planned.window() {
        Some(window) => words(&mode, window, &reach, context),
        None => format!("{mode}: window {} is planned", planned.id),
    });
    reach.tell(context);
    let is_later = planned
        .window()
        .is_some_and(|window| !is_open(window, context));
    if let Some(mode) = planned.change.status.mode(&mode).filter(|_| is_later) {
        tell_if_closed(context, mode);
    }
    Ok(0)
}

fn is_open(window: &PlannedWindow, context: &Context<'_>) -> bool {
    window.start.is_none_or(|start| start <= context.now())
}

/// From when to when a window is, and whom that has reached.
fn words(mode: &str, window: &PlannedWindow, reach: &Reach, context: &Context<'_>) -> String {
    let (id, reached, span) = (&window.id, reach.words(), span(window, context));
    if is_open(window, context) {
        format!("{mode} is offline{reached}: window {id} {span}")
    } else if reached.is_empty() {
        format!("{mode}: window {id} {span}")
    } else {
        format!("{mode}: window {id} {span}; known{reached}")
    }
}

/// A window that starts later does not open what is closed now.
fn tell_if_closed(context: &Context<'_>, mode: &ModeStatus) {
    if mode.phase.is_maintenance() {
        let (key, is) = (&mode.key, wording::is(mode.phase));
        let until = until(mode.until, context);
        context.output.note(&format!(
            "{key} {is} already and stays so {until}; `maintenance --mode {key} off` brings it back \
             until the window starts"
        ));
    }
}

fn until(until: Option<Timestamp>, context: &Context<'_>) -> String {
    match until {
        Some(until) => {
            let until = wording::time_from_now(until, context.now(), &context.zone);
            format!("until {until}")
        }
        None => "until somebody brings it back".to_owned(),
    }
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
    let zone = &context.zone;
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
    let (zone, now) = (&context.zone, context.now());
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
        let before = status.clone();
        let mut status = status;
        for id in &self.id {
            let cancelled = context.site.cancel(id, self.only_next, &context.by).await?;
            status = cancelled.status;
        }
        let reach = Reach::find(context).await;
        context.warn_of_files(&status);
        let closed = self.closed_all_the_same(&before, &status, context.now());
        let still_closed: Vec<_> = closed
            .iter()
            .map(|(id, mode, closed)| json!({"id": id, "mode": mode.key, "closed": closed}))
            .collect();
        context.output.say(
            &json!({
                "removed": self.id,
                "changed": true,
                "still_closed": still_closed,
                "reached": reach.document(),
                "status": status,
            }),
            || format!("removed{}: {}", reach.words(), self.id.join(", ")),
        );
        reach.tell(context);
        for (id, mode, closed) in closed {
            tell_of_closed(context, id, mode, &closed);
        }
        Ok(0)
    }

    /// What is closed by something else during what was cancelled: by window, the mode and until when.
    fn closed_all_the_same<'a>(
        &'a self,
        before: &Status,
        after: &'a Status,
        now: Timestamp,
    ) -> Vec<(&'a str, &'a ModeStatus, Closed)> {
        let mut found = Vec::new();
        for id in &self.id {
            for mode in &before.modes {
                let window = mode.windows.iter().find(|window| window.id == *id);
                if let Some(window) = window
                    && let Some(mode) = after.mode(&mode.key)
                    && let Some(closed) = closed_within(mode, window.start, window.end, now)
                {
                    found.push((id.as_str(), mode, closed));
                }
            }
        }
        found
    }
}

fn tell_of_closed(context: &Context<'_>, id: &str, mode: &ModeStatus, closed: &Closed) {
    let key = &mode.key;
    let until = until(closed.until, context);
    let zone = &context.zone;
    let words = match (&closed.window, closed.from) {
        (Some(window), Some(from)) => format!(
            "{key} is closed at the time of {id} all the same: window {window} closes it from {} {until}",
            wording::time(from, zone)
        ),
        _ => format!("{key} {} all the same, {until}", wording::is(mode.phase)),
    };
    context.output.note(&words);
}
