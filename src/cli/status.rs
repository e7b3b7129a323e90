//! `maintenance status`.

use std::{io::IsTerminal as _, time::Duration};

use clap::Args;

use super::{
    context::Context,
    failure::Failure,
    signals::Signals,
    status_text::{change_line, text},
    wording,
};
use crate::core::{
    phase::Phase,
    status::{
        modes::{HeldStatus, ModeStatus},
        whole::Status,
    },
};

/// How often what is watched is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Show what is, mode by mode
#[derive(Debug, Args)]
#[command(after_help = "\
With --watch on a terminal the status is drawn anew in
place; elsewhere a line, or with --json a document, is
printed at each change. ^C ends it.
With --exit-code: 0 online, 10 scheduled, 11 pending,
12 offline, 13 offline and the job that held it has died,
14 opening; of several modes the gravest counts. 3: the
store is out of reach.

Examples:
  maintenance status --watch
  maintenance --mode site status --exit-code
  maintenance --json status | jq .maintenance_mode")]
pub(super) struct ShowStatus {
    /// Go on and show each change
    #[arg(long)]
    watch: bool,
    /// Tell the phase by the exit code
    #[arg(long)]
    exit_code: bool,
}

impl ShowStatus {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let status = if self.watch {
            watch(context).await?
        } else {
            let status = context.shown_status().await;
            if let Some(error) = &status.store.error {
                if context.output.is_json() {
                    context.output.document(&status);
                }
                return Err(Failure::store(error.clone()));
            }
            context.output.say(&status, || text(context, &status));
            status
        };
        Ok(if self.exit_code {
            exit_code(&status)
        } else {
            0
        })
    }
}

/// The code of the gravest phase.
fn exit_code(status: &Status) -> u8 {
    let code = |mode: &ModeStatus| match mode.phase {
        Phase::Online => 0,
        Phase::Scheduled => 10,
        Phase::Pending => 11,
        Phase::Offline if mode.held.as_ref().is_some_and(HeldStatus::is_lost) => 13,
        Phase::Offline => 12,
        Phase::Opening => 14,
    };
    // Of two, what lets fewer in is graver, and that nobody opens it again.
    let gravity = |code: &u8| match code {
        14 => 11,
        11 => 12,
        12 => 13,
        13 => 14,
        code => *code,
    };
    let codes = status.modes.iter().map(code);
    codes.max_by_key(gravity).unwrap_or(0)
}

/// Shows the status at each change, until a signal or the reader ends it.
async fn watch(context: &Context<'_>) -> Result<Status, Failure> {
    let mut signals = Signals::listen()?;
    let mut changes = context.site.changes();
    let in_place = std::io::stdout().is_terminal() && !context.output.is_json();
    let mut shown = Shown::default();
    loop {
        let status = tokio::select! {
            status = context.shown_status() => status,
            // A store that hangs must not keep it from ending.
            _ = signals.next() => return Ok(context.site.status()),
        };
        if in_place {
            shown.draw(context, &text(context, &status));
        } else {
            shown.append(context, &status);
        }
        if context.output.is_closed() {
            return Ok(status);
        }
        tokio::select! {
            _ = signals.next() => return Ok(status),
            () = changes.next() => {}
            () = tokio::time::sleep(context.site.pause(LOOK)) => {}
        }
    }
}

/// What stands on the screen, or was printed last.
#[derive(Default)]
struct Shown {
    text: String,
    lines: usize,
}

impl Shown {
    /// Draws the text over the one before.
    fn draw(&mut self, context: &Context<'_>, text: &str) {
        let (height, width) = console::Term::stdout().size();
        let (height, width) = (usize::from(height), usize::from(width));
        let text = context.output.shown(text);
        // A line that wraps, or scrolls away, could not be drawn over.
        let lines: Vec<_> = text
            .lines()
            .take(height.saturating_sub(1).max(1))
            .map(|line| console::truncate_str(line, width.saturating_sub(1).max(1), "…"))
            .collect();
        let text = lines.join("\n");
        if text == self.text {
            return;
        }
        let mut drawing = String::new();
        if self.lines > 0 {
            drawing.push_str(&format!("\u{1b}[{}A\r\u{1b}[J", self.lines));
        }
        drawing.push_str(&text);
        context.output.write(&drawing);
        self.lines = lines.len();
        self.text = text;
    }

    /// Prints what is new.
    fn append(&mut self, context: &Context<'_>, status: &Status) {
        let line = change_line(status);
        if line == self.text {
            return;
        }
        let now = wording::time(context.now(), &context.zone);
        context.output.say(status, || format!("{now}  {line}"));
        self.text = line;
    }
}
