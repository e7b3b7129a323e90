//! The signals that ask this process to end.

use nix::sys::signal::Signal;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::{
        Handle, SignalsInfo,
        exfiltrator::{WithOrigin, origin::Origin},
    },
    low_level::siginfo::Cause,
};
use tokio::sync::mpsc;

use super::failure::Failure;

/// A signal that has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) signal: Signal,
    /// Whether the kernel sent it, as it does for a key of the terminal: then it went to all
    /// processes in front of the terminal.
    pub(super) by_terminal: bool,
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
        let mut signals =
            SignalsInfo::<WithOrigin>::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT]).map_err(cannot)?;
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

fn received_from(origin: &Origin) -> Option<Received> {
    Some(Received {
        signal: Signal::try_from(origin.signal).ok()?,
        by_terminal: matches!(origin.cause, Cause::Kernel),
    })
}
