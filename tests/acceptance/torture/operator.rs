//! Whoever switches the site off and waits: by the Rust API, or by the program in a process of its own.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use actix_maintenance_mode::{ChangeError, Maintenance, WaitError};
use tokio::task::spawn_blocking;

use crate::{
    arguments::{Policy, word},
    failure::{Failure, because},
    marks, roles,
    tally::NotSaid,
};

/// How long it is waited.
const PATIENCE: Duration = Duration::from_secs(3);

/// What whoever waits has heard.
#[derive(Debug)]
pub(crate) enum Word {
    Safe {
        at: u64,
        /// The nodes on whose death it depends.
        if_dead: Vec<String>,
    },
    NotSaid(NotSaid, String),
}

/// Waits by the Rust API.
pub(crate) async fn by_handle(handle: Maintenance) -> Word {
    let waited = handle.turn_on().by("torture").wait_at_most(PATIENCE).await;
    let at = marks::now();
    match waited {
        Ok(change) => {
            let unheard = change.status.unheard.iter();
            let unheard = unheard.filter(|node| !node.waited_for);
            Word::Safe {
                at,
                if_dead: unheard.map(|node| node.id.clone()).collect(),
            }
        }
        Err(error) => {
            let why = match &error {
                WaitError::Change(ChangeError::Store(_) | ChangeError::NotKnown(_)) => {
                    NotSaid::NotChanged
                }
                _ => NotSaid::TimedOut,
            };
            Word::NotSaid(why, error.to_string())
        }
    }
}

/// Waits by `maintenance on --wait`.
pub(crate) async fn by_program(store: String, policy: Policy) -> Result<Word, Failure> {
    let run = move || -> std::io::Result<(std::process::Output, u64)> {
        let output = Command::new(std::env::current_exe()?)
            .args(["on", "--wait", "--timeout"])
            .arg(format!("{}s", PATIENCE.as_secs()))
            .env(roles::ROLE, roles::OPERATOR)
            .env(roles::STORE, store)
            .env(roles::POLICY, word(&policy))
            .stdin(Stdio::null())
            .output()?;
        Ok((output, marks::now()))
    };
    let (output, at) = spawn_blocking(run)
        .await
        .map_err(because("cannot wait"))?
        .map_err(because("cannot run this program"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(match output.status.code() {
        Some(0) => Word::Safe {
            at,
            if_dead: told.lines().filter_map(named).collect(),
        },
        Some(3) => Word::NotSaid(NotSaid::NotChanged, told),
        Some(4) if told.contains("no app reports") => Word::NotSaid(NotSaid::NoNodes, told),
        Some(1 | 4) => Word::NotSaid(NotSaid::TimedOut, told),
        _ => return Err(Failure::new(format!("{}: {told}", output.status))),
    })
}

/// The node of "safe, if NODE, not heard of for 12 s, is dead".
fn named(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("safe, if ")?;
    let (name, _) = rest.split_once(", not heard of")?;
    Some(name.to_owned())
}
