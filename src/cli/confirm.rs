//! `--interactive`: asks before something is changed.

use std::io::{self, IsTerminal as _, Write as _};

use console::Term;
use tokio::sync::oneshot;

use super::{failure::Failure, signals::Signals, wrapping::wrapped};
use crate::core::text::escaped;

/// Says what would follow and asks whether to go on.
///
/// # Errors
///
/// When there is no terminal to ask on, and when the answer is not yes.
pub(super) async fn confirm(consequence: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(
            "--interactive has no terminal to ask on; leave it out where nobody can answer",
        ));
    }
    let mut signals = Signals::listen()?;
    {
        let mut err = io::stderr().lock();
        let consequence = wrapped(&escaped(consequence), &Term::stderr());
        let _ = write!(err, "{consequence}\nGo on? [y/N] ");
        let _ = err.flush();
    }
    let (answered, answer) = oneshot::channel();
    // A thread of its own: nothing can take a read from the terminal back.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let _ = answered.send(read.map(|_| line));
    });
    let is_yes = tokio::select! {
        answer = answer => match answer {
            Ok(Ok(line)) => matches!(line.trim().to_lowercase().as_str(), "y" | "yes"),
            _ => false,
        },
        _ = signals.next() => {
            let _ = writeln!(io::stderr());
            false
        }
    };
    if is_yes {
        Ok(())
    } else {
        Err(Failure::cancelled("cancelled; nothing was changed"))
    }
}
