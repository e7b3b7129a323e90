//! The command that `during` and `task` run.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, ErrorKind},
    os::{fd::AsFd as _, unix::process::ExitStatusExt as _},
    pin::pin,
    process::{ExitStatus, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

use super::signals::Signals;

/// What shells end with when there is no such command, and when it cannot be run.
const NO_SUCH_COMMAND: u8 = 127;
const CANNOT_BE_RUN: u8 = 126;
/// What shells add to the number of the signal that ended a command.
const BY_SIGNAL: i32 = 128;

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: u8,
    /// The signal that ended it.
    pub(super) signal: Option<Signal>,
    /// Why it could not be started.
    pub(super) not_started: Option<String>,
}

/// Runs a command to its end. Signals that ask this process to end are passed on to it instead.
///
/// When `stop` is over before the command is, the command is asked to end. It knows the job that it is
/// a part of by `part_of`: the name of a variable, and its value.
///
/// The command shares the terminal, if there is one. Where there is none, it gets a process group of
/// its own, so that signals reach all of what it starts.
pub(super) async fn run(
    command: &[OsString],
    stdout_is_ours: bool,
    part_of: Option<(&str, &str)>,
    signals: &mut Signals,
    stop: impl Future<Output = ()>,
) -> Ended {
    let Some((program, arguments)) = command.split_first() else {
        return not_started(NO_SUCH_COMMAND, "no command is given".to_owned());
    };
    let has_terminal = File::open("/dev/tty").is_ok();
    let mut started = Command::new(program);
    started.args(arguments);
    started.envs(part_of);
    if !has_terminal {
        started.process_group(0);
    }
    if stdout_is_ours {
        match io::stderr().as_fd().try_clone_to_owned() {
            Ok(stderr) => started.stdout(Stdio::from(stderr)),
            Err(_) => started.stdout(Stdio::null()),
        };
    }
    let mut child = match started.spawn() {
        Ok(child) => child,
        Err(error) => {
            let code = match error.kind() {
                ErrorKind::NotFound => NO_SUCH_COMMAND,
                _ => CANNOT_BE_RUN,
            };
            let name = program.to_string_lossy();
            return not_started(code, format!("`{name}` cannot be started: {error}"));
        }
    };
    let mut stop = pin!(stop);
    let mut is_stopped = false;
    loop {
        tokio::select! {
            ended = child.wait() => return match ended {
                Ok(status) => ended_by(status),
                Err(error) => not_started(CANNOT_BE_RUN, format!("the command is lost: {error}")),
            },
            received = signals.next() => {
                // A key of the terminal was meant for all in front of it, and the command has got
                // it, too.
                if !(has_terminal && received.by_key) {
                    pass_on(received.signal, &child, has_terminal);
                }
            }
            () = &mut stop, if !is_stopped => {
                is_stopped = true;
                pass_on(Signal::SIGTERM, &child, has_terminal);
            }
        }
    }
}

fn pass_on(signal: Signal, child: &Child, has_terminal: bool) {
    let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else {
        return;
    };
    let target = if has_terminal { id } else { -id };
    // It may have ended just now.
    let _ = kill(Pid::from_raw(target), signal);
}

fn ended_by(status: ExitStatus) -> Ended {
    let signal = status.signal();
    let code = status.code().or_else(|| Some(BY_SIGNAL + signal?));
    Ended {
        code: code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        signal: signal.and_then(|signal| Signal::try_from(signal).ok()),
        not_started: None,
    }
}

fn not_started(code: u8, why: String) -> Ended {
    Ended {
        code,
        signal: None,
        not_started: Some(why),
    }
}
