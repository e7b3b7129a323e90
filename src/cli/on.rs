//! `maintenance on`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::{
    confirm::confirm,
    context::Context,
    failure::Failure,
    reach::Reach,
    signals::Signals,
    waiting::{Goal, wait},
    window::{Wanted, plan},
    wording::{self, line},
};
use crate::{
    core::{phase::Phase, schedule::parse_duration, state::OnTimeout},
    engine::changes::{Change, TurnOn},
};

/// Take the site out of service, now or in a window
#[derive(Debug, Args)]
#[command(after_help = "\
TIME: 22:00, 'tomorrow 22:00', +2h, 2030-03-01T22:00+01:00.
If it is on, what is given replaces what was; '' is no text.
Example: maintenance on --drain --timeout 10m && ./migrate")]
pub(super) struct On {
    #[command(flatten)]
    texts: Texts,
    /// Plan a window that starts then, instead of now
    #[arg(long, value_name = "TIME", conflicts_with_all = ["drain", "wait"])]
    start: Option<String>,
    #[command(flatten)]
    closing: Closing,
}

/// What is said when a mode is switched on.
#[derive(Debug, Args)]
pub(super) struct Texts {
    /// What visitors are told
    #[arg(long, value_name = "TEXT")]
    pub(super) message: Option<String>,
    /// Why, for operators; visitors never see it
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

/// How a mode is switched on.
#[derive(Debug, Args)]
pub(super) struct Closing {
    /// When it ends by itself
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
        value_name = "WHAT",
        requires = "drain",
        hide_possible_values = true
    )]
    pub(super) on_timeout: Option<WhatThen>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WhatThen {
    Offline,
    Cancel,
}

impl From<WhatThen> for OnTimeout {
    fn from(what: WhatThen) -> Self {
        match what {
            WhatThen::Offline => Self::Offline,
            WhatThen::Cancel => Self::Cancel,
        }
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
            (false, what) => what.map(OnTimeout::from),
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
        let status = context.maintenance.status();
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
        let Self { texts, closing, .. } = self;
        let turn_on = context.maintenance.turn_on();
        let mut turn_on = turn_on.mode(context.mode()).by(&context.by);
        turn_on = given(turn_on, &texts.message, TurnOn::message);
        turn_on = given(turn_on, &texts.reason, TurnOn::reason);
        turn_on = given(turn_on, &end, TurnOn::until);
        turn_on = given(turn_on, &closing.lasting, TurnOn::lasting);
        if closing.no_end {
            turn_on = turn_on.without_end();
        }
        if closing.drain {
            turn_on = turn_on.drain();
            turn_on = given(turn_on, &closing.timeout, TurnOn::drain_timeout);
            turn_on = given(turn_on, &closing.on_timeout(), TurnOn::on_timeout);
        }
        Ok(turn_on.await?)
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
        let wanted = Wanted {
            start: Some(start.to_owned()),
            end: closing.end.clone(),
            lasting: closing.lasting,
            message: texts.message.clone(),
            reason: texts.reason.clone(),
            ..Wanted::default()
        };
        plan(context, wanted).await
    }
}

/// Applies what was given.
pub(super) fn given<B, T: Clone>(builder: B, value: &Option<T>, set: impl FnOnce(B, T) -> B) -> B {
    match value {
        Some(value) => set(builder, value.clone()),
        None => builder,
    }
}

/// Says what has become of a switch that was thrown, and whom it has reached.
pub(super) async fn tell(context: &Context<'_>, change: &Change) {
    let reach = Reach::find(context).await;
    context.warn_of_files(&change.status);
    let status = context.maintenance.status();
    context.output.say(
        &json!({"changed": change.changed, "reached": reach.document(), "status": status}),
        || sentence(context, change, &reach),
    );
    reach.tell(context);
}

/// Whether the mode is closed already, as far as is known.
fn is_closed(context: &Context<'_>) -> bool {
    let status = context.maintenance.status();
    let mode = status.mode(&context.mode());
    mode.is_some_and(|mode| mode.phase.is_maintenance())
}

/// Of a mode that was closed already: what was said before stands where nothing was said now.
fn tell_what_stands(context: &Context<'_>) {
    let status = context.maintenance.status();
    let Some(mode) = status.mode(&context.mode()) else {
        return;
    };
    let zone = &context.output.zone;
    let until = match mode.until {
        Some(until) => format!("until {}", wording::time(until, zone)),
        None => "until somebody ends it".to_owned(),
    };
    let text = |what: &str, text: &Option<String>| match text {
        Some(text) => format!("{what}: {}", line(text)),
        None => format!("no {what}"),
    };
    context.output.note(&format!(
        "what stands is {until}; {}; {}",
        text("message", &mode.message),
        text("reason", &mode.reason)
    ));
}

/// What is now, as a sentence.
pub(super) fn sentence(context: &Context<'_>, change: &Change, reach: &Reach) -> String {
    let key = context.mode();
    let Some(mode) = change.status.mode(&key) else {
        return format!("{key} is gone");
    };
    let zone = &context.output.zone;
    let mut words = format!("{key} {}", wording::is(mode.phase));
    if !change.changed {
        words.push_str(" already");
    }
    words.push_str(&reach.words());
    if let (false, true, Some(since)) = (change.changed, mode.phase.is_maintenance(), mode.since) {
        words.push_str(&format!(", since {}", wording::time(since, zone)));
        if let Some(by) = &mode.by {
            words.push_str(&format!(" by {}", line(by)));
        }
    }
    if let Some(until) = mode.until.filter(|_| mode.phase == Phase::Offline) {
        let until = wording::time_from_now(until, context.now(), zone);
        words.push_str(&format!(", until {until}"));
    }
    words
}
