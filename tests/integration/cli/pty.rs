//! A terminal that a test looks at and types into.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::AsFd as _,
    process::Child,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Instant,
};

use pty_process::{
    Size,
    blocking::{Command, Pty},
};

use super::{OperatorBy, program, strange_variables, way::Way};
use crate::eventually::PATIENCE;

/// A command in front of a terminal of 24 lines and 80 columns, unless it is narrow. It is killed when this
/// is dropped.
pub(crate) struct Terminal {
    pty: Option<Pty>,
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    watcher: Option<JoinHandle<()>>,
}

impl Terminal {
    pub(crate) fn run(operator: &OperatorBy<impl Way>, arguments: &[&str]) -> Self {
        Self::start(operator, arguments, &[], Some(80))
    }

    /// In front of one that has so many columns.
    pub(crate) fn run_narrow(
        operator: &OperatorBy<impl Way>,
        arguments: &[&str],
        columns: u16,
    ) -> Self {
        Self::start(operator, arguments, &[("NO_COLOR", "1")], Some(columns))
    }

    pub(crate) fn run_with(
        operator: &OperatorBy<impl Way>,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        Self::start(operator, arguments, variables, Some(80))
    }

    /// One that nobody looks at, and that can vanish.
    pub(crate) fn run_unwatched(operator: &OperatorBy<impl Way>, arguments: &[&str]) -> Self {
        Self::start(operator, arguments, &[], None)
    }

    fn start(
        operator: &OperatorBy<impl Way>,
        arguments: &[&str],
        variables: &[(&str, &str)],
        watched: Option<u16>,
    ) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(24, watched.unwrap_or(80))).unwrap();
        let mut command = Command::new(program());
        for name in strange_variables() {
            command = command.env_remove(name);
        }
        let child = command
            .args(arguments)
            .envs(operator.environment())
            .envs(variables.iter().copied())
            .current_dir(operator.path())
            .spawn(pts)
            .unwrap();
        let mut terminal = Self {
            pty: Some(pty),
            child,
            shown: Arc::default(),
            watcher: None,
        };
        if watched.is_some() {
            terminal.watch();
        }
        terminal
    }

    /// Keeps what is shown. The terminal is then there as long as the command is.
    fn watch(&mut self) {
        let pty = self.pty.as_ref().unwrap();
        let mut reader = File::from(pty.as_fd().try_clone_to_owned().unwrap());
        let seen = Arc::clone(&self.shown);
        self.watcher = Some(std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Fails when the command has left the terminal.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        }));
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that was shown, with what commands the terminal.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// All that a command has shown until its end.
    #[track_caller]
    pub(crate) fn lines(&mut self) -> Vec<String> {
        self.code();
        if let Some(watcher) = self.watcher.take() {
            watcher.join().unwrap();
        }
        self.raw().lines().map(str::to_owned).collect()
    }

    /// Waits until this text is shown.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let started = Instant::now();
        while !self.raw().contains(text) {
            assert!(
                started.elapsed() < PATIENCE,
                "{text:?} is not shown: {:?}",
                self.raw()
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Types keys; `\u{3}` is ^C.
    pub(crate) fn types(&mut self, keys: &str) {
        let pty = self.pty.as_mut().unwrap();
        pty.write_all(keys.as_bytes()).unwrap();
    }

    /// Closes the window of the terminal.
    pub(crate) fn vanish(&mut self) {
        drop(self.pty.take());
    }

    /// Waits for the command's end.
    #[track_caller]
    pub(crate) fn code(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                started.elapsed() < PATIENCE,
                "it does not end: {:?}",
                self.raw()
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
