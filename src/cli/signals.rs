//! The signals that would end this process.

use nix::sys::signal::Signal;
use signal_hook::{
    consts::{
        SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM,
        SIGXCPU, SIGXFSZ,
    },
    iterator::{
        Handle, SignalsInfo,
        exfiltrator::{WithOrigin, origin::Origin},
    },
    low_level::siginfo::Cause,
};
use tokio::sync::mpsc;

use super::failure::Failure;

/// All that end a process which does not listen to them, and that a process may listen to.
///
/// Without `SIGPIPE`, which Rust has ignored: whoever listens to it gets it for each text that nobody
/// reads. Those that tell of a fault of this process (`SIGSEGV` and its like) end it.
const HEARD: [i32; 12] = [
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
    SIGXCPU, SIGXFSZ,
];

/// A signal that has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) signal: Signal,
    /// Whether it comes from a key of the terminal, so that it went to all processes in front of it.
    pub(super) by_key: bool,
}

/// Receives the signals that would end this process otherwise.
pub(super) struct Signals {
    received: mpsc::UnboundedReceiver<Received>,
    handle: Handle,
}

impl Signals {
    /// From now on these signals end the process no longer.
    pub(super) fn listen() -> Result<Self, Failure> {
        let cannot = |error| Failure::failed(format!("signals cannot be received: {error}"));
        let mut signals = SignalsInfo::<WithOrigin>::new(HEARD).map_err(cannot)?;
        let handle = signals.handle();
        let (sender, received) = mpsc::unbounded_channel();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for origin in &mut signals {
                    if let Some(signal) = received_from(&origin)
                        && sender.send(signal).is_err()
                    {
                        return;
                    }
                }
            })
            .map_err(cannot)?;
        Ok(Self { received, handle })
    }

    /// A failure when one has come already, before there was a command to pass it on to.
    pub(super) fn none_yet(&mut self) -> Result<(), Failure> {
        match self.received.try_recv() {
            Ok(received) => Err(not_run(received.signal.as_str())),
            Err(_) => Ok(()),
        }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Received {
        match self.received.recv().await {
            Some(received) => received,
            // The thread is gone; nothing comes any more.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Says that a command was not run at all.
pub(super) fn not_run(why: &str) -> Failure {
    Failure::cancelled(format!("{why}; the command was not run"))
}

fn received_from(origin: &Origin) -> Option<Received> {
    let signal = Signal::try_from(origin.signal).ok()?;
    let is_a_key = matches!(signal, Signal::SIGINT | Signal::SIGQUIT);
    Some(Received {
        signal,
        // A terminal that vanishes is told by the kernel, too, but to one process of all.
        by_key: is_a_key && matches!(origin.cause, Cause::Kernel),
    })
}
