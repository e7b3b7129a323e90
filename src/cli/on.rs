//! `maintenance on`.

use std::time::Duration;

use clap::{ArgAction, Args};
use jiff::Timestamp;

use super::{
    confirm::confirm,
    context::Context,
    failure::Failure,
    options::word,
    outcome::{is_closed, tell, tell_what_stands},
    signals::Signals,
    site::{DrainWishes, EndWish, Wishes},
    texts::Texts,
    waiting::{Goal, wait},
    window::plan,
    wording::{self, line},
};
use crate::{
    core::{
        schedule::{DurationError, parse_duration, whole_seconds},
        state::OnTimeout,
    },
    engine::{changes::Change, window_said::WindowSaid},
};

/// Take the site out of service, now or in a window
#[derive(Debug, Args)]
#[command(after_help = "\
'' is no text. Example: maintenance on --drain && ./migrate")]
pub(super) struct On {
    #[command(flatten)]
    texts: Texts,
    /// Plan a window that starts then, instead of now
    #[arg(long, value_name = "TIME", conflicts_with_all = ["drain", "wait"])]
    start: Option<String>,
    #[command(flatten)]
    closing: Closing,
}

/// How a mode is switched on.
#[derive(Debug, Args)]
pub(super) struct Closing {
    /// When it ends: 22:00, +2h, 2030-03-01T22:00+01:00
    #[arg(long, value_name = "TIME", conflicts_with = "lasting")]
    pub(super) end: Option<String>,
    /// How long it lasts: 90s, '2h 30m'
    #[arg(id = "lasting", long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub(super) lasting: Option<Duration>,
    /// It does not end by itself
    #[arg(long, conflicts_with_all = ["end", "lasting"])]
    pub(super) no_end: bool,
    /// Let those who are in finish first; wait for that
    #[arg(long)]
    pub(super) drain: bool,
    /// How long to wait at most [default: settings]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
    /// What then: offline or cancel [default: settings]
    #[arg(
        long,
        value_parser = word::<OnTimeout>(),
        value_name = "WHAT",
        requires = "drain",
        hide_possible_values = true
    )]
    pub(super) on_timeout: Option<OnTimeout>,
    /// Let this network look in as long as it is on
    #[arg(long, value_name = "CIDR", action = ArgAction::Append)]
    pub(super) allow: Vec<String>,
    /// Have requests wait for it to open, so long; 0: none
    #[arg(long, value_name = "DURATION", value_parser = park)]
    pub(super) park: Option<Duration>,
    /// Go offline with whoever is in, at --timeout or now
    #[arg(long, conflicts_with = "on_timeout")]
    pub(super) force: bool,
    /// Wait until every node has closed and is empty
    #[arg(long)]
    pub(super) wait: bool,
    /// Wait also where no app runs
    #[arg(long)]
    pub(super) no_nodes: bool,
    /// Ask on the terminal first
    #[arg(long)]
    pub(super) interactive: bool,
}

/// A duration, or none at all.
fn park(text: &str) -> Result<Duration, DurationError> {
    match whole_seconds(text) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(DurationError::NoDuration(text.to_owned())),
    }
}

impl Closing {
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.timeout.is_some() && !self.drain && !self.wait {
            return Err(Failure::usage(
                "--timeout is how long --drain or --wait waits; give one of them, too",
            ));
        }
        if self.no_nodes && !self.drain && !self.wait {
            return Err(Failure::usage(
                "--no-nodes says that --wait or --drain needs no app that reports; give one of \
                 them, too",
            ));
        }
        Ok(())
    }

    /// When it ends by itself, if that is given as a time.
    pub(super) fn end(&self, context: &Context<'_>) -> Result<Option<Timestamp>, Failure> {
        let end = self.end.as_deref();
        end.map(|end| context.time("--end", end)).transpose()
    }

    /// What becomes of a drain that is not over in time.
    pub(super) fn on_timeout(&self) -> Option<OnTimeout> {
        match (self.force, self.on_timeout) {
            (true, _) => Some(OnTimeout::Offline),
            (false, what) => what,
        }
    }

    /// What a site is asked for.
    pub(super) fn wishes(
        &self,
        context: &Context<'_>,
        texts: &Texts,
        end: Option<Timestamp>,
    ) -> Wishes {
        let end = match (self.no_end, end, self.lasting) {
            (true, _, _) => Some(EndWish::Never),
            (false, Some(end), _) => Some(EndWish::At(end)),
            (false, None, lasting) => lasting.map(EndWish::After),
        };
        Wishes {
            mode: context.mode(),
            by: context.by.clone(),
            message: texts.message.clone(),
            reason: texts.reason.clone(),
            end,
            allow: self.allow.clone(),
            park: self.park,
            drain: self.drain.then(|| DrainWishes {
                timeout: self.timeout,
                on_timeout: self.on_timeout(),
            }),
        }
    }

    /// What is waited for, if anything.
    pub(super) fn goal(&self) -> Option<Goal> {
        (self.drain || self.wait).then_some(Goal {
            timeout: self.timeout,
            drains: self.drain,
            every_node: self.wait,
            whoever_is_in: self.force,
        })
    }

    /// What follows, for the question of `--interactive`.
    pub(super) fn consequence(&self, context: &Context<'_>) -> String {
        let mode = context.mode();
        let status = context.site.status();
        let help = status.mode(&mode).and_then(|mode| mode.help.as_deref());
        let help = help.map_or_else(String::new, |help| format!(" {}", line(help)));
        if self.drain {
            format!(
                "`{mode}` closes: nobody new gets in, and it is offline once those who are in \
                 have finished.{help}"
            )
        } else {
            format!(
                "`{mode}` goes offline at once: visitors are refused, except those who are \
                 exempt.{help}"
            )
        }
    }
}

impl On {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.closing.check()?;
        context.can_be_seen_by_the_app()?;
        if let Some(start) = &self.start {
            if !self.closing.allow.is_empty() {
                return Err(Failure::usage(
                    "--allow is for a switch; `maintenance grant add NAME --address CIDR` is for windows, too",
                ));
            }
            if self.closing.park.is_some() {
                return Err(Failure::usage(
                    "--park is for a switch: in a window requests are refused",
                ));
            }
            return self.plan(context, start).await;
        }
        let end = self.closing.end(context)?;
        if self.closing.interactive {
            confirm(&self.closing.consequence(context)).await?;
        }
        let was_closed = is_closed(context);
        let Some(goal) = self.closing.goal() else {
            let change = self.turn_on(context, end).await?;
            tell(context, &change).await;
            if was_closed {
                tell_what_stands(context);
            }
            return Ok(0);
        };
        // Listened to before the change, so that no ^C falls in between.
        let mut signals = Signals::listen()?;
        let change = self.turn_on(context, end).await?;
        wait(context, &change, goal, self.closing.no_nodes, &mut signals).await
    }

    async fn turn_on(
        &self,
        context: &Context<'_>,
        end: Option<Timestamp>,
    ) -> Result<Change, Failure> {
        let wishes = self.closing.wishes(context, &self.texts, end);
        context.site.turn_on(&wishes).await
    }

    /// Plans a window instead.
    async fn plan(&self, context: &Context<'_>, start: &str) -> Result<u8, Failure> {
        let Self { texts, closing, .. } = self;
        if closing.interactive {
            let until = match (&closing.end, closing.lasting) {
                (Some(end), _) => format!("until {end}"),
                (None, Some(lasting)) => format!("for {}", wording::duration(lasting)),
                (None, None) => "until somebody ends it".to_owned(),
            };
            let mode = context.mode();
            confirm(&format!("`{mode}` goes offline at {start} {until}.")).await?;
        }
        let said = WindowSaid {
            start: Some(start.to_owned()),
            end: closing.end.clone(),
            lasting: closing.lasting,
            message: texts.message.clone(),
            reason: texts.reason.clone(),
            ..WindowSaid::default()
        };
        plan(context, said).await
    }
}
