//! Waiting that can be seen: for a drain, and for every node.

use std::{
    future::pending,
    io::{self, IsTerminal as _, Write as _},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use nix::sys::signal::Signal;
use parking_lot::Mutex;
use serde_json::json;

use super::{
    context::Context,
    failure::Failure,
    reach::{Reach, is_safe},
    signals::Signals,
    site::{Emptiness, OpeningWishes},
    status_text::inside,
    wording,
};
use crate::{
    cli::outcome::sentence,
    core::{phase::Phase, status::whole::Status, text::escaped},
    engine::{barrier::Safe, changes::Change, fleet::missing::Missing},
};

/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// What is over sooner is not shown.
const FIRST_LINE_AFTER: Duration = Duration::from_millis(500);
/// How long nodes may take to follow when a drain was not over in time.
const GRACE: Duration = Duration::from_secs(5);
/// How long a second ^C cancels the drain.
const SECOND_THOUGHT: Duration = Duration::from_secs(3);

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    /// How long at most; `None`: as long as the drain takes.
    pub(super) timeout: Option<Duration>,
    /// Whether those who are in may finish first.
    pub(super) drains: bool,
    /// Whether it is as good when somebody is still in at the end of the drain.
    pub(super) whoever_is_in: bool,
    /// Whether every node must have closed and be empty.
    pub(super) every_node: bool,
}

/// How the waiting ended.
#[derive(Debug)]
pub(super) enum Waited {
    /// The mode is offline and nobody is inside.
    Empty(Safe),
    /// The time was over; the mode is offline with whoever was in.
    TimedOut,
    /// The time was over before these had closed and were empty.
    Missing(Vec<Missing>),
    /// Somebody, or the time-out, has brought the mode back.
    Online,
    /// A signal ended the waiting; the drain goes on.
    Interrupted(Signal),
}

/// Waits, shows it, and says how it went: the end of `on --drain` and `on --wait`.
pub(super) async fn wait(
    context: &Context<'_>,
    change: &Change,
    goal: Goal,
    no_nodes: bool,
    signals: &mut Signals,
) -> Result<u8, Failure> {
    let waited = follow(context, goal, signals).await?;
    let reach = Reach::find(context).await;
    let status = context.fresh_status().await;
    let status = match &waited {
        Waited::Empty(safe) => safe.told_in(status),
        _ => status,
    };
    let now = Change {
        changed: change.changed,
        status,
    };
    let say = |waited: &str| {
        let reached = reach.document();
        context.output.say(
            &json!({
                "changed": now.changed, "waited": waited, "reached": reached, "status": now.status,
            }),
            || sentence(context, &now, &reach),
        );
        reach.tell(context);
    };
    let key = context.mode();
    match waited {
        Waited::Empty(safe) => {
            let safe = is_safe(context, &safe, no_nodes || !goal.every_node);
            say(if safe.is_ok() { "done" } else { "unknown" });
            safe.map(|()| 0)
        }
        Waited::TimedOut if goal.whoever_is_in => {
            say("timed-out");
            Ok(0)
        }
        Waited::TimedOut => {
            say("timed-out");
            Err(Failure::cancelled(format!(
                "timed out before {key} was empty: {} inside",
                inside(&now.status)
            )))
        }
        Waited::Missing(missing) => {
            let missing = names(&missing);
            say("timed-out");
            Err(Failure::cancelled(format!("timed out: {missing}")))
        }
        Waited::Online => {
            say("cancelled");
            Err(Failure::cancelled(format!(
                "{key} is back online: it was switched off, or the drain timed out"
            )))
        }
        Waited::Interrupted(Signal::SIGINT) => second_thought(context, signals).await,
        Waited::Interrupted(signal) => Err(Failure::cancelled(format!(
            "{signal}: no longer waited for; {}",
            what_goes_on(context)
        ))),
    }
}

/// Follows the mode until it is closed and empty.
///
/// # Errors
///
/// When what is stored cannot be read at all.
pub(super) async fn follow(
    context: &Context<'_>,
    goal: Goal,
    signals: &mut Signals,
) -> Result<Waited, Failure> {
    let key = context.mode();
    let mut progress = Progress::new();
    let mut changes = context.site.changes();
    let patience = goal
        .timeout
        .and_then(|timeout| context.now().checked_add(timeout).ok());
    let missing = Arc::new(Mutex::new(Vec::new()));
    let mut barrier = pin!(barrier(context, goal, Arc::clone(&missing)));
    let mut deadline = None;
    loop {
        let status = tokio::select! {
            status = context.fresh_status() => status,
            received = signals.next() => return Ok(Waited::Interrupted(received.signal)),
        };
        let now = context.now();
        let phase = status.mode(&key).map_or(Phase::Online, |mode| mode.phase);
        // Whether the drain has ended because its time was over.
        let is_late = deadline.is_some_and(|deadline| deadline <= now);
        match phase {
            Phase::Online | Phase::Scheduled | Phase::Opening => return Ok(Waited::Online),
            Phase::Offline if goal.every_node => {}
            Phase::Offline if is_late => return Ok(Waited::TimedOut),
            Phase::Offline => return Ok(Waited::Empty(as_told(status))),
            // When the drain waits no longer.
            Phase::Pending => deadline = status.mode(&key).and_then(|mode| mode.drain_deadline),
        }
        let end = deadline.filter(|_| !is_late).or(patience);
        let missing = missing.lock().clone();
        progress.show(&line(&key, &status, &missing, end, now));
        tokio::select! {
            received = signals.next() => return Ok(Waited::Interrupted(received.signal)),
            over = &mut barrier => return match over {
                Ok(Emptiness::Empty(_)) if is_late => Ok(Waited::TimedOut),
                Ok(Emptiness::Empty(safe)) => Ok(Waited::Empty(safe)),
                Ok(Emptiness::Missing(missing)) => Ok(Waited::Missing(missing)),
                Ok(Emptiness::Reopened) => Ok(Waited::Online),
                Err(failure) => Err(failure),
            },
            () = changes.next() => {}
            () = tokio::time::sleep(context.site.pause(LOOK)) => {}
        }
    }
}

/// On whom it depends that a drain is over, as a status tells.
fn as_told(status: Status) -> Safe {
    let unheard = status.unheard.into_iter();
    Safe {
        nodes: status.nodes.len(),
        if_dead: unheard.filter(|node| !node.waited_for).collect(),
    }
}

/// Waits for every node, if that is wanted, and tells meanwhile who is missing.
async fn barrier(
    context: &Context<'_>,
    goal: Goal,
    told: Arc<Mutex<Vec<Missing>>>,
) -> Result<Emptiness, Failure> {
    if !goal.every_node {
        return pending().await;
    }
    // A drain that is not over in time has to be heard of by all nodes, too.
    let grace = if goal.drains { GRACE } else { Duration::ZERO };
    let at_most = goal.timeout.map(|timeout| timeout + grace);
    // What it means that no node reports is said at the end.
    let mode = context.mode();
    context.site.until_empty(&mode, at_most, told).await
}

fn line(
    key: &str,
    status: &Status,
    missing: &[Missing],
    end: Option<Timestamp>,
    now: Timestamp,
) -> String {
    let phase = status.mode(key).map_or(Phase::Online, |mode| mode.phase);
    let mut line = format!("{key} {}: {} inside", wording::is(phase), inside(status));
    let behind = status.nodes.iter().filter(|node| !node.up_to_date).count();
    if behind > 0 {
        line.push_str(&format!(
            "; {behind} of {} nodes missing",
            status.nodes.len()
        ));
    }
    if !missing.is_empty() {
        line.push_str(&format!("; {}", names(missing)));
    }
    if let Some(error) = &status.store.error {
        line.push_str(&format!("; the store fails: {}", wording::line(error)));
    }
    if let Some(end) = end.filter(|end| *end > now) {
        let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
        line.push_str(&format!("; {} left", wording::duration(left)));
    }
    line
}

/// Who is missing, in words.
pub(super) fn names(missing: &[Missing]) -> String {
    let names: Vec<String> = missing
        .iter()
        .map(|missing| wording::line(&missing.to_string()))
        .collect();
    names.join(", ")
}

/// ^C ends the waiting; a second one soon after cancels the drain.
async fn second_thought(context: &Context<'_>, signals: &mut Signals) -> Result<u8, Failure> {
    let key = context.mode();
    let goes_on = what_goes_on(context);
    context.output.note(&format!(
        "no longer waited for; {goes_on}. Press ^C again within {} to cancel it.",
        wording::duration(SECOND_THOUGHT)
    ));
    let second = tokio::time::timeout(SECOND_THOUGHT, signals.next()).await;
    if second.is_err() {
        return Err(Failure::cancelled(format!(
            "no longer waited for; {goes_on}"
        )));
    }
    let status = context.site.status();
    let phase = status.mode(&key).map(|mode| mode.phase);
    if phase == Some(Phase::Offline) {
        return Err(Failure::cancelled(format!(
            "{key} is offline already; `maintenance --mode {key} off` brings it back"
        )));
    }
    let at_once = OpeningWishes::AtOnce;
    context.site.turn_off(&key, &context.by, at_once).await?;
    Err(Failure::cancelled(format!(
        "cancelled; {key} is back online"
    )))
}

fn what_goes_on(context: &Context<'_>) -> String {
    let key = context.mode();
    let status = context.site.status();
    match status.mode(&key).map(|mode| mode.phase) {
        Some(Phase::Pending) => format!("the drain of {key} goes on"),
        Some(phase) => format!("{key} {}", wording::is(phase)),
        None => format!("{key} is gone"),
    }
}

/// Shows how it goes: in place on a terminal, elsewhere a line now and then.
enum Progress {
    InPlace(ProgressBar),
    Lines { next: Instant },
}

impl Progress {
    fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines {
                next: Instant::now() + FIRST_LINE_AFTER,
            };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self::InPlace(bar)
    }

    fn show(&mut self, line: &str) {
        let line = escaped(line);
        match self {
            Self::InPlace(bar) => bar.set_message(line),
            Self::Lines { next } if *next <= Instant::now() => {
                *next = Instant::now() + LINE_EVERY;
                // Nobody may listen any more.
                let _ = writeln!(io::stderr(), "{line}");
            }
            Self::Lines { .. } => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::InPlace(bar) = self {
            bar.finish_and_clear();
        }
    }
}
