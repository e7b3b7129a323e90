//! `maintenance task`.

use std::{cell::Cell, ffi::OsString, time::Duration};

use clap::Args;
use serde_json::json;

use super::{
    child,
    context::Context,
    failure::Failure,
    signals::{Signals, not_run},
};
use crate::{core::schedule::parse_duration, engine::task::TaskError};

/// Run a command as a task that maintenance waits for
#[derive(Debug, Args)]
#[command(override_usage = "maintenance task [OPTIONS] <NAME> -- <COMMAND>...")]
#[command(after_help = "\
While it runs, a drain waits for it, and the status shows it
by its NAME. With --mode it is refused in that mode only.
Ends with the exit code of COMMAND; 1 if it may not run.

Examples:
  maintenance task import --exclusive -- ./import --all")]
pub(super) struct TaskCommand {
    /// What it is called
    name: String,
    /// Only while no other of its name runs anywhere
    #[arg(long)]
    exclusive: bool,
    /// Wait so long while another of its name runs
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "take_over")]
    waiting: Option<Duration>,
    /// Stop another of its name, and run instead of it
    #[arg(long)]
    take_over: bool,
    /// Not while a mode is pending or offline
    #[arg(long)]
    refuse_in_maintenance: bool,
    /// What to run, with its arguments
    #[arg(last = true, required = true, hide = true)]
    command: Vec<OsString>,
}

impl TaskCommand {
    pub(super) async fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        context.can_be_seen_by_the_app()?;
        let maintenance = &context.site.by_store()?.maintenance;
        let mut task = maintenance.task(&self.name).by(&context.by);
        if self.exclusive {
            task = task.exclusive();
        }
        if self.take_over {
            task = task.take_over();
        }
        if let Some(waiting) = self.waiting {
            task = task.waiting(waiting);
        }
        let is_exclusive = self.exclusive || self.take_over;
        if self.refuse_in_maintenance {
            task = match &context.named_mode {
                Some(mode) => task.refuse_in_mode(mode),
                None => task.refuse_in_maintenance(),
            };
        }
        // From here on nothing ends this process before the task is given back.
        let mut signals = Signals::listen()?;
        let guard = tokio::select! {
            guard = task.enter() => guard?,
            // Nobody should have to wait for the end of the wait.
            received = signals.next() => return Err(not_run(received.signal.as_str())),
        };
        signals.none_yet()?;
        let is_lost = Cell::new(false);
        let lost = async {
            if !is_exclusive {
                std::future::pending::<()>().await;
            }
            guard.lost().await;
            is_lost.set(true);
            let lost = TaskError::Lost(self.name.clone());
            context.output.error(&lost.to_string());
        };
        let json = context.output.is_json();
        let ended = child::run(&self.command, json, None, &mut signals, lost).await;
        guard.release().await;
        if let Some(why) = &ended.not_started {
            context.output.error(why);
        }
        if json {
            context.output.document(&json!({
                "task": self.name,
                "exit_code": ended.code,
                "signal": ended.signal.map(|signal| signal.as_str()),
                "not_started": ended.not_started,
                "lost": is_lost.get(),
            }));
        }
        // Whatever it has done, it has not done it alone.
        Ok(if is_lost.get() {
            ended.code.max(1)
        } else {
            ended.code
        })
    }
}
