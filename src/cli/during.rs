//! `maintenance during`.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    time::Duration,
};

use clap::Args;
use serde_json::json;

use super::{
    child::{self, Ended},
    confirm::confirm,
    context::Context,
    failure::{Exit, Failure, OfHold},
    on::Closing,
    reach::{Reach, is_safe},
    signals::{Signals, not_run},
    site::{Gone, Hold, HoldWishes, Wishes},
    status_text::inside,
    waiting::{Waited, follow, names},
    wording::{self, line},
};
use crate::{
    cli::{options::word, texts::Texts},
    core::{schedule::parse_duration, secret::Secret, state::IfLost, text::escaped},
    settings::PART_OF_VARIABLE,
};

/// How often, and with which pauses, the site is brought back while the store fails.
const ATTEMPTS: usize = 6;
const PAUSE: Duration = Duration::from_secs(2);
/// How often one who waits for another job asks whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// What of a command's name is told, in characters.
const LONGEST_NAME: usize = 60;

/// Run a command while the site is out of service
#[derive(Debug, Args)]
#[command(override_usage = "maintenance during [OPTIONS] -- <COMMAND>...")]
#[command(after_help = "\
The site stays closed as long as COMMAND runs, whatever end
was announced. The exit code is that of COMMAND, or
128 + signal; 1 if the hold was lost.
Example: maintenance during --keep-on-failure -- ./migrate")]
pub(super) struct During {
    #[command(flatten)]
    texts: Texts,
    #[command(flatten)]
    closing: Closing,
    /// Wait until no other such command holds the mode
    #[arg(long)]
    exclusive: bool,
    /// If this program dies: stay or reopen [default: stay]
    #[arg(
        long,
        value_parser = word::<IfLost>(),
        value_name = "WHAT",
        default_value = "stay",
        hide_default_value = true,
        hide_possible_values = true
    )]
    if_lost: IfLost,
    /// End COMMAND if the hold is lost
    #[arg(long)]
    stop_if_lost: bool,
    /// How long after its death it is lost
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, hide = true)]
    lost_after: Option<Duration>,
    /// Stay out of service if COMMAND fails
    #[arg(long)]
    keep_on_failure: bool,
    /// What to run, with its arguments
    #[arg(last = true, required = true, hide = true)]
    command: Vec<OsString>,
}

impl During {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        self.closing.check()?;
        context.can_be_seen_by_the_app()?;
        let wishes = self
            .closing
            .wishes(context, &self.texts, self.closing.end(context)?);
        if self.closing.interactive {
            confirm(&self.closing.consequence(context)).await?;
        }
        // From here on nothing ends this process before the site is as it was.
        let mut signals = Signals::listen()?;
        let key = context.mode();
        let was_closed = is_closed(context);
        tell_terminal(context, &format!("{key} closes"));
        let mut hold = self.hold(context, &wishes, &mut signals).await?;
        let mut gone = None;
        let lost = async {
            match hold.gone().await {
                (Gone::Lost, why) => why,
                // Whoever waits hears of that.
                (Gone::TakenAway, _) => std::future::pending().await,
            }
        };
        let waited = tokio::select! {
            biased;
            why = lost => {
                gone = Some(Gone::Lost);
                Err(not_run(&why))
            }
            waited = self.wait(context, &mut signals) => waited,
        };
        if let Err(failure) = waited.and_then(|()| signals.none_yet()) {
            // What was to follow its loss has followed.
            if gone.is_none() {
                bring_back(&mut hold, context).await?;
            }
            tell_what_is_left(context, was_closed, false);
            return Err(failure);
        }
        let command = self.name();
        tell_terminal(context, &format!("{key} is closed; {command} runs"));
        let json = context.output.is_json();
        let stop = async {
            let (how, why) = hold.gone().await;
            gone = Some(how);
            context.output.error(&why);
            if !self.stop_if_lost {
                std::future::pending().await
            }
        };
        let part_of = hold.token().map(|token| (PART_OF_VARIABLE, token));
        let ended = child::run(&self.command, json, part_of, &mut signals, stop).await;
        tell_terminal(context, &format!("{command} has ended with {}", ended.code));
        if let Some(why) = &ended.not_started {
            context.output.error(why);
        }
        // What it has done since, it may not have done alone, and not behind a closed door.
        let code = ended.code.max(u8::from(gone == Some(Gone::Lost)));
        let keep = self.keep_on_failure && code != 0 && gone.is_none();
        let brought_back = if keep {
            keep_closed(hold, context).await
        } else {
            bring_back(&mut hold, context).await
        };
        let left = match &brought_back {
            Err(_) => Some("not-brought-back"),
            Ok(()) if keep => Some("kept"),
            Ok(()) => tell_what_is_left(context, was_closed, true),
        };
        tell(context, &ended, left).await;
        match brought_back {
            Err(failure) if code == 0 => Err(failure),
            Err(failure) => {
                context.output.error(&failure.message);
                Ok(code)
            }
            Ok(()) => Ok(code),
        }
    }

    /// What the job is called.
    fn name(&self) -> String {
        let command = self.command.first().map(|name| name.to_string_lossy());
        escaped(&command.unwrap_or_default())
    }

    /// Closes the mode, and holds it. Whoever else does is waited for, if that is wanted.
    async fn hold(
        &self,
        context: &Context<'_>,
        wishes: &Wishes,
        signals: &mut Signals,
    ) -> Result<Hold, Failure> {
        let how = HoldWishes {
            exclusive: self.exclusive,
            name: self.name().chars().take(LONGEST_NAME).collect(),
            if_lost: self.if_lost,
            within: env::var(PART_OF_VARIABLE).ok().map(Secret::new),
            lost_after: self.lost_after,
        };
        let mut told = None;
        loop {
            let failure = match context.site.hold(wishes, &how).await {
                Ok(hold) => return Ok(hold),
                Err(failure) if failure.of_hold == Some(OfHold::Taken) => failure,
                Err(failure) => return Err(failure),
            };
            // One that has died is not waited for longer than it takes to be sure of that.
            if !self.exclusive && context.is_alive(&wishes.mode).await {
                return Err(failure);
            }
            if told.as_ref() != Some(&failure.message) {
                context
                    .output
                    .note(&format!("waiting: {}", failure.message));
                told = Some(failure.message);
            }
            tokio::time::sleep(ASK_EVERY).await;
            signals.none_yet()?;
        }
    }

    /// Waits as it was asked, before the command may run.
    async fn wait(&self, context: &Context<'_>, signals: &mut Signals) -> Result<(), Failure> {
        let Some(goal) = self.closing.goal() else {
            Reach::find(context).await.tell(context);
            return Ok(());
        };
        let what = match follow(context, goal, signals).await? {
            Waited::Empty(safe) => match is_safe(context, &safe, self.closing.no_nodes) {
                Ok(()) => return Ok(()),
                Err(unknown) => unknown.message,
            },
            Waited::TimedOut if goal.whoever_is_in => return Ok(()),
            Waited::TimedOut => {
                let inside = inside(&context.fresh_status().await);
                format!("timed out, with {inside} inside")
            }
            Waited::Missing(missing) => format!("timed out: {}", names(&missing)),
            Waited::Online => "somebody has switched it off".to_owned(),
            Waited::Interrupted(signal) => signal.to_string(),
        };
        Err(not_run(&what))
    }
}

/// Puts back what was before, and tries that more than once: nobody may be there to do it later.
async fn bring_back(hold: &mut Hold, context: &Context<'_>) -> Result<(), Failure> {
    let mut attempt = 1;
    loop {
        let failure = match hold.try_give_back().await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let key = context.mode();
        if failure.of_hold == Some(OfHold::Lost) {
            // It brings nothing back any more: what was to follow has followed.
            let status = context.fresh_status().await;
            let mode = status.mode(&key);
            let is = match mode.filter(|mode| mode.phase.is_maintenance()) {
                Some(_) => format!("is closed; `maintenance --mode {key} off` brings it back"),
                None => "is open".to_owned(),
            };
            return Err(Failure {
                message: format!("{}; {key} {is}", failure.message),
                ..failure
            });
        }
        if failure.exit != Exit::StoreOutOfReach || attempt == ATTEMPTS {
            return Err(Failure {
                message: format!(
                    "{key} could not be brought back; `maintenance --mode {key} off` does it \
                     later: {}",
                    failure.message
                ),
                ..failure
            });
        }
        context.output.warn(&failure.message);
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Leaves it closed, for somebody to look at.
async fn keep_closed(hold: Hold, context: &Context<'_>) -> Result<(), Failure> {
    hold.keep().await?;
    let key = context.mode();
    context.output.warn(&format!(
        "the command failed: {key} stays as it is; `maintenance --mode {key} off` brings it back"
    ));
    Ok(())
}

/// Whether the mode is closed now, as far as is known.
fn is_closed(context: &Context<'_>) -> bool {
    let status = context.site.status();
    let mode = status.mode(&context.mode());
    mode.is_some_and(|mode| mode.phase.is_maintenance())
}

/// Tells people in front of a terminal what is done; scripts hear of what is not as they would expect.
fn tell_terminal(context: &Context<'_>, what: &str) {
    if io::stderr().is_terminal() {
        context.output.note(what);
    }
}

/// Tells what keeps the mode closed although what was before is put back, and returns a word for it.
fn tell_what_is_left(
    context: &Context<'_>,
    was_closed: bool,
    has_run: bool,
) -> Option<&'static str> {
    let status = context.site.status();
    let key = context.mode();
    let mode = status.mode(&key)?;
    let is = wording::is(mode.phase);
    if !mode.phase.is_maintenance() {
        if has_run {
            tell_terminal(context, &format!("{key} {is} again"));
        }
        return None;
    }
    let since = match (mode.since, &mode.by) {
        (Some(since), Some(by)) => {
            let since = wording::time(since, &context.zone);
            format!(", since {since} by {}", line(by))
        }
        (Some(since), None) => format!(", since {}", wording::time(since, &context.zone)),
        (None, _) => String::new(),
    };
    let (why, word) = if was_closed {
        ("as it was before", "as-before")
    } else {
        ("something else closes it", "closed-by-other")
    };
    context.output.note(&format!(
        "{key} {is} still{since}: {why}; `maintenance --mode {key} off` brings it back"
    ));
    Some(word)
}

/// `left`: what keeps the mode closed, if it is.
async fn tell(context: &Context<'_>, ended: &Ended, left: Option<&str>) {
    if !context.output.is_json() {
        return;
    }
    context.output.document(&json!({
        "exit_code": ended.code,
        "signal": ended.signal.map(|signal| signal.as_str()),
        "not_started": ended.not_started,
        "restored": left.is_none(),
        "left": left,
        "status": context.fresh_status().await,
    }));
}
