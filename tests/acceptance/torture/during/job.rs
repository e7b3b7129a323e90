//! `maintenance during` in a process of its own, as seen from outside.

use std::{
    fmt,
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};

use super::account::{Account, Span};
use crate::{
    failure::{Failure, because},
    marks, roles,
};

/// What a job runs. It is named as the job is told of.
const COMMAND: &str = "#!/bin/sh\n: > \"$1.began\"\nsleep \"$2\"\n: > \"$1.ended\"\n";
/// The jobs of a round: the second one waits for the first.
pub(crate) const NAMES: [&str; 2] = ["./first", "./second"];

/// Writes down what the jobs of a lane run.
pub(crate) fn write_commands(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    for name in NAMES {
        let path = folder.join(name);
        fs::write(&path, COMMAND).map_err(because("cannot write"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(because("cannot write"))?;
    }
    Ok(())
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) account: Account,
    pub(crate) exit: Option<ExitStatus>,
    /// What the names of its files begin with.
    files: PathBuf,
    child: Child,
    stopped_at: Option<u64>,
}

/// How a job is run.
pub(crate) struct Start<'a> {
    pub(crate) name: &'static str,
    pub(crate) round: u64,
    pub(crate) folder: &'a Path,
    /// The options of the program, and of `during`.
    pub(crate) options: Vec<String>,
    pub(crate) store: String,
    pub(crate) policy: String,
    pub(crate) runs: Duration,
}

impl Job {
    pub(crate) fn start(start: &Start<'_>) -> Result<Self, Failure> {
        let stem = format!("{}-{}", start.name.trim_start_matches("./"), start.round);
        let files = start.folder.join(&stem);
        let said = File::create(files.with_extension("said")).map_err(because("cannot write"))?;
        let own = std::env::current_exe().map_err(because("cannot find this program"))?;
        let child = Command::new(own)
            .args(&start.options)
            .args(["--", start.name])
            .arg(&stem)
            .arg(start.runs.as_secs_f64().to_string())
            .current_dir(start.folder)
            .env(roles::ROLE, roles::OPERATOR)
            .env(roles::STORE, &start.store)
            .env(roles::POLICY, &start.policy)
            .env("MAINTENANCE_TOKEN", roles::TOKEN)
            .env("XDG_CACHE_HOME", start.folder.join("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .map_err(because("cannot start a job"))?;
        Ok(Self {
            name: start.name,
            account: Account::default(),
            exit: None,
            files,
            child,
            stopped_at: None,
        })
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| !self.is_over()) {
            // Fails only if it has ended.
            let _ = kill_process(pid, signal);
        }
    }

    pub(crate) fn kill(&mut self) {
        if !self.is_over() {
            self.account.killed.get_or_insert_with(marks::now);
            self.signal(Signal::KILL);
        }
    }

    pub(crate) fn end(&mut self) {
        if !self.is_over() {
            self.account.asked_to_end.get_or_insert_with(marks::now);
            self.signal(Signal::TERM);
        }
    }

    pub(crate) fn stop(&mut self) {
        if !self.is_over() {
            self.stopped_at.get_or_insert_with(marks::now);
            self.signal(Signal::STOP);
        }
    }

    pub(crate) fn go_on(&mut self) {
        if let Some(from) = self.stopped_at.take() {
            self.signal(Signal::CONT);
            let to = marks::now();
            self.account.stood_still.push(Span { from, to });
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.exit.is_some()
    }

    /// Looks at how far it is.
    pub(crate) fn look(&mut self) {
        let exit = match self.exit {
            None => self.child.try_wait().ok().flatten(),
            Some(_) => None,
        };
        // Files are looked at after the end: what was written before it is there.
        let written = |extension: &str| at(&self.files.with_extension(extension));
        self.account.began = self.account.began.or_else(|| written("began"));
        self.account.ended = self.account.ended.or_else(|| written("ended"));
        if exit.is_some() {
            self.exit = exit;
            self.account.exited = Some(marks::now());
            if let Some(from) = self.stopped_at.take() {
                let to = marks::now();
                self.account.stood_still.push(Span { from, to });
            }
        }
    }

    /// Its exit code; `None`: it was killed, or has not ended.
    pub(crate) fn code(&self) -> Option<i32> {
        self.exit.filter(|exit| exit.signal().is_none())?.code()
    }

    /// What is wrong with what it has said, given whether it was found dead. `is_calm`: nothing was done
    /// to it.
    pub(crate) fn untold(&self, was_lost: bool, is_calm: bool) -> Option<String> {
        let said = self.said();
        let told = ["lost", "could not be brought back", "may have"];
        let code = self.code();
        let fault = if self.account.has_died() && !was_lost {
            "its death is in no log"
        } else if was_lost && code == Some(0) {
            "it ends with 0, and was lost"
        } else if was_lost && code.is_some() && !told.iter().any(|word| said.contains(word)) {
            "it was lost, and does not say so"
        } else if is_calm && code != Some(0) {
            "it failed, and nothing went wrong"
        } else {
            return None;
        };
        Some(format!("{}: {fault}", self.name))
    }

    /// What it has said.
    fn said(&self) -> String {
        // Nothing is there where it could not be written.
        fs::read_to_string(self.files.with_extension("said")).unwrap_or_default()
    }
}

impl fmt::Display for Job {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            account,
            exit,
            ..
        } = self;
        writeln!(formatter, "  {name}: {exit:?}; {account:?}")?;
        for line in self.said().lines() {
            writeln!(formatter, "    {line}")?;
        }
        Ok(())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.kill();
        // It has been killed.
        let _ = self.child.wait();
        for extension in ["began", "ended", "said"] {
            // It may not be there.
            let _ = fs::remove_file(self.files.with_extension(extension));
        }
    }
}

/// When a file was written, by the clock that all share: what files have for it is another's.
fn at(path: &Path) -> Option<u64> {
    let written = fs::metadata(path).ok()?.modified().ok()?;
    let age = SystemTime::now()
        .duration_since(written)
        .unwrap_or_default();
    Some(marks::now().saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX)))
}
