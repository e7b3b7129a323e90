//! The program `maintenance`, as its own process.

use std::{
    env,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Instant,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::eventually::PATIENCE;

mod doctor;
pub(crate) mod embedded;
mod given_wrongly;
mod held;
mod help;
mod predecessors;
mod pty;
mod readers;
mod site_api;
mod site_hold;
mod site_tls;
mod task;
mod token;
mod way;
mod with_a_store;
mod with_settings;

pub(crate) use self::way::child_is_a_site;
use self::way::{BySite, ByStore, Way};

/// By the store, as most people have it.
pub(crate) type Operator = OperatorBy<ByStore>;

/// What is the same on each way to the site: these files are compiled once for each.
macro_rules! on_each_way {
    ($($name:ident: $way:ty;)*) => {$(
        #[path = "each_way"]
        #[allow(clippy::duplicate_mod)]
        mod $name {
            #[allow(unused_imports)]
            use super::{Ran, Running, program, pty, send_signal, until};
            type Operator = super::OperatorBy<$way>;

            mod again;
            mod audit;
            mod commands;
            mod during;
            mod exit_codes;
            mod explain;
            mod output;
            mod parking;
            mod reach;
            mod terminal;
            mod times;
            mod waiting;
            mod windows;
            mod with_the_app;
        }
    )*};
}

on_each_way! {
    store: super::ByStore;
    site: super::BySite;
}

/// Somebody in a shell, in a folder of their own.
pub(crate) struct OperatorBy<W> {
    pub(crate) folder: TempDir,
    way: W,
}

/// How a command went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl<W: Way> OperatorBy<W> {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            way: W::default(),
        }
    }

    /// One whose folder has these settings.
    pub(crate) fn with_settings(settings: &str) -> Self {
        let operator = Self::new();
        operator.write("maintenance.toml", settings);
        operator
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// What the history says of who it is, up to the machine.
    pub(crate) fn by(&self) -> &'static str {
        W::BY
    }

    /// `maintenance` with nothing of this process's own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_at_the_store(arguments);
        self.equip(&mut command);
        command
    }

    /// Has a command that runs `maintenance` do that on the operator's way.
    pub(crate) fn equip(&self, command: &mut Command) {
        command.envs(self.way.variables(self.path()));
    }

    fn command_at_the_store(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.envs(OF_EVERYBODY);
        for name in strange_variables() {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let of_everybody = OF_EVERYBODY.map(|(name, value)| (name, value.to_owned()));
        let of_the_way = self.way.variables(self.path());
        of_everybody.into_iter().chain(of_the_way).collect()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Runs what must be done.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran
    }

    #[track_caller]
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        ran
    }

    /// The status as a document.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.done(&["--json", "status"]).json()
    }

    /// The phase of the first mode.
    #[track_caller]
    pub(crate) fn phase(&self) -> String {
        self.status()["modes"][0]["phase"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Starts what is not to be waited for yet.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        start(self.command(arguments))
    }

    /// The same where the store is, for what needs that.
    pub(crate) fn start_at_the_store(&self, arguments: &[&str]) -> Running {
        start(self.command_at_the_store(arguments))
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }
}

const OF_EVERYBODY: [(&str, &str); 3] = [
    ("TZ", "Europe/Rome"),
    ("USER", "alice"),
    ("TERM", "xterm-256color"),
];

fn start(mut command: Command) -> Running {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Running(Some(command.spawn().unwrap()))
}

impl Ran {
    pub(crate) fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// The one document on the standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A command that runs. It is killed when this is dropped.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Sends a signal to the program alone, as `kill` does.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(self.id(), signal);
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ran {
        let mut child = self.0.take().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("it does not end: {:?}", child.wait_with_output());
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.wait_with_output().unwrap().into()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // Fails only if it has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn send_signal(id: u32, signal: &str) {
    let sent = Command::new("kill")
        .args(["-s", signal, &id.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_maintenance")
}

/// What would change how the program behaves.
pub(crate) fn strange_variables() -> Vec<String> {
    let mut names: Vec<String> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("MAINTENANCE_"))
        .collect();
    names.extend(
        [
            "SUDO_USER",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "COLUMNS",
            "LINES",
        ]
        .map(String::from),
    );
    names
}

/// Waits until this holds.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Runs a future where there is no runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}
