//! Real processes: this test binary, run again in a role of its own.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{self, ChildStdout, Command, Stdio},
    thread::JoinHandle,
};

use serde_json::Value;

/// Says which role a process has. Not `MAINTENANCE_…`, which would be a setting.
const ROLE: &str = "TEST_CHILD_ROLE";
/// What every line of a child's report begins with.
const MARK: &str = "@report ";

/// The role of this process; `None` in the process that runs the tests.
pub(crate) fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Tells the parent.
pub(crate) fn report(value: &Value) {
    println!("{MARK}{value}");
}

/// A process that plays a role. It is killed when this is dropped.
pub(crate) struct Child {
    process: process::Child,
    reports: BufReader<ChildStdout>,
    errors: Option<JoinHandle<String>>,
}

/// Sets a child up.
pub(crate) struct Role(Command);

impl Role {
    pub(crate) fn new(role: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["processes::child_role", "--exact", "--nocapture"])
            .args(["--test-threads", "1"]);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("MAINTENANCE_") {
                command.env_remove(name);
            }
        }
        command.env(ROLE, role);
        Self(command)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// A process that may have so many files and connections open.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_descriptors(self, most: u32) -> Self {
        let mut limited = Command::new("prlimit");
        limited
            .arg(format!("--nofile={most}"))
            .arg(self.0.get_program())
            .args(self.0.get_args());
        for (name, value) in self.0.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        Self(limited)
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    pub(crate) fn start(mut self) -> Child {
        let mut process = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let reports = BufReader::new(process.stdout.take().unwrap());
        let mut errors = process.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        Child {
            process,
            reports,
            errors: Some(errors),
        }
    }

    /// Plays the role to its end and returns what was reported.
    pub(crate) fn run(self) -> Vec<Value> {
        self.start().finish()
    }
}

impl Child {
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The next report; `None` at the child's end.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.reports.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The test harness writes to the same stream. A line without an end was cut off.
            if let Some(report) = line.strip_prefix(MARK)
                && let Some(report) = report.strip_suffix('\n')
            {
                return Some(serde_json::from_str(report).unwrap());
            }
        }
    }

    /// Ends the process as no process can prevent (SIGKILL), and returns what it had reported.
    pub(crate) fn kill(mut self) -> Vec<Value> {
        self.process.kill().unwrap();
        let reports = std::iter::from_fn(|| self.next()).collect();
        self.process.wait().unwrap();
        reports
    }

    /// Waits for the end, which must be a good one.
    #[track_caller]
    pub(crate) fn finish(self) -> Vec<Value> {
        self.finish_with_errors().0
    }

    /// The same, with what was said on the standard error output.
    #[track_caller]
    pub(crate) fn finish_with_errors(mut self) -> (Vec<Value>, String) {
        let reports = std::iter::from_fn(|| self.next()).collect();
        let status = self.process.wait().unwrap();
        let errors = self.errors.take().unwrap().join().unwrap();
        assert!(status.success(), "the child ended with {status}: {errors}");
        (reports, errors)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking()
            && let Some(errors) = self.errors.take()
        {
            eprintln!(
                "what the child said:\n{}",
                errors.join().unwrap_or_default()
            );
        }
    }
}

/// How often one that sends notices is killed; many times by hand.
pub(crate) fn kills() -> u64 {
    env::var("TEST_SENDER_KILLS").map_or(6, |kills| kills.parse().unwrap())
}
