//! What a command says: to people or as JSON, on the standard output; messages on the other one.
//!
//! All of it may repeat texts of others, so all of it is [escaped] here, and nowhere else need
//! anybody think of it.

use std::{
    cell::{Cell, RefCell},
    env, fmt,
    io::{self, IsTerminal, Write as _},
    os::fd::AsFd,
    process::ExitCode,
};

use console::{Style, Term};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;
use serde_json::json;

use super::{failure::Failure, wrapping::wrapped};
use crate::core::text::{escaped, escaped_json};

pub(super) struct Output {
    json: bool,
    /// Whether a document was printed, so that a failure does not print a second one.
    has_document: Cell<bool>,
    /// Why the standard output could not be written.
    broken: RefCell<Option<io::Error>>,
    pub(super) colours: Colours,
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Output")
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            has_document: Cell::new(false),
            broken: RefCell::new(None),
            colours: Colours {
                on: is_coloured(&io::stdout()),
                mark: fastrand::u64(..),
            },
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Says how it went: to people in words, to programs as a document.
    pub(super) fn say(&self, document: &impl Serialize, words: impl FnOnce() -> String) {
        if self.json {
            self.document(document);
        } else {
            self.print(&words());
        }
    }

    /// Prints a document on a line of its own.
    pub(super) fn document(&self, document: &impl Serialize) {
        self.has_document.set(true);
        match serde_json::to_string(document) {
            Ok(text) => self.write(&escaped_json(&text)),
            Err(error) => self.keep(io::Error::other(error)),
        }
    }

    /// Hands out a file: to programs as a document, and otherwise as it is, byte for byte. Where it
    /// would go to a terminal it is for people, too.
    pub(super) fn hand_out(&self, document: &impl Serialize, file: &str) {
        if self.json {
            self.document(document);
        } else if io::stdout().is_terminal() {
            self.write(&self.shown(file));
        } else {
            self.write(file);
        }
    }

    /// Prints lines for people.
    pub(super) fn print(&self, text: &str) {
        self.write(&wrapped(&self.shown(text), &Term::stdout()));
    }

    /// A text for people as it goes to the standard output: with this program's own colours, and
    /// without anything else that a terminal would obey.
    pub(super) fn shown(&self, text: &str) -> String {
        self.colours.escaped(text)
    }

    /// Writes what is fit for a terminal already.
    pub(super) fn write(&self, text: &str) {
        if text.is_empty() || self.broken.borrow().is_some() {
            return;
        }
        let mut out = io::stdout().lock();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let written = write!(out, "{text}{end}").and_then(|()| out.flush());
        drop(out);
        if let Err(error) = written {
            self.keep(error);
        }
    }

    /// Whether nobody reads the standard output any more.
    pub(super) fn is_closed(&self) -> bool {
        self.broken.borrow().is_some() || has_no_reader(&io::stdout())
    }

    fn keep(&self, error: io::Error) {
        self.broken.borrow_mut().get_or_insert(error);
    }

    /// Tells something beside what was asked for.
    pub(super) fn note(&self, text: &str) {
        message("note", Style::new().cyan(), text);
    }

    pub(super) fn warn(&self, text: &str) {
        message("warning", Style::new().yellow(), text);
    }

    pub(super) fn error(&self, text: &str) {
        message("error", Style::new().red(), text);
    }

    /// Ends the command: tells why it failed, if it did, and makes the exit code.
    pub(super) fn exit(&self, outcome: Result<u8, Failure>) -> ExitCode {
        let code = match outcome {
            Ok(code) => code,
            Err(failure) => {
                if self.json && !self.has_document.get() {
                    self.document(&json!({"error": failure.message}));
                }
                self.error(&failure.message);
                failure.exit as u8
            }
        };
        match self.broken.take() {
            // Whoever reads has read enough, as `head` does.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => code.into(),
            Some(error) => {
                self.error(&format!("the output cannot be written: {error}"));
                if code == 0 { 1 } else { code }.into()
            }
            None => code.into(),
        }
    }
}

/// Tells people something. Where nobody listens any more, there is nothing to be done about it: a
/// terminal that is gone must not stop what is under way.
fn message(kind: &str, style: Style, text: &str) {
    let mut err = io::stderr().lock();
    let kind = style
        .bold()
        .force_styling(is_coloured(&err))
        .apply_to(format!("{kind}:"));
    let text = wrapped(&format!("{kind} {}", escaped(text)), &Term::stderr());
    let _ = writeln!(err, "{text}");
}

/// Whether whoever reads from there has gone, as `head` does when it has read enough. It shows at
/// the next write only, and that may be long in coming.
fn has_no_reader(stream: &impl AsFd) -> bool {
    let mut polled = [PollFd::new(stream.as_fd(), PollFlags::empty())];
    poll(&mut polled, PollTimeout::ZERO).is_ok()
        && polled[0]
            .revents()
            .is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}

/// Whether to use colours there: on a terminal that has them, and that nobody wants without.
pub(super) fn is_coloured(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && are_colours_welcome()
}

/// Whether the environment has nothing against colours.
pub(super) fn are_colours_welcome() -> bool {
    let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    !is_unwanted && !is_dumb
}

/// Colours for what goes to the standard output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Colours {
    on: bool,
    /// What tells this program's own commands to the terminal from those in texts of others: nobody
    /// else can know it.
    mark: u64,
}

impl Colours {
    /// The text in a style, to be printed by [`Output::print`].
    pub(super) fn paint(self, style: &Style, text: &str) -> String {
        style
            .clone()
            .force_styling(self.on)
            .apply_to(escaped(text))
            .to_string()
            .replace(ESCAPE, &self.marked())
    }

    fn marked(self) -> String {
        format!("{ESCAPE}{:016x}", self.mark)
    }

    fn escaped(self, text: &str) -> String {
        let parts: Vec<String> = text.split(&self.marked()).map(escaped).collect();
        parts.join(ESCAPE)
    }
}

/// What a terminal's commands begin with.
const ESCAPE: &str = "\u{1b}";

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
