//! Noticing that the state file may have changed, whoever changed it and however.
//!
//! One thread per watch asks the system for events on the folders concerned and, since some
//! changes make no event, looks at the file now and then itself. A thread of its own, because a
//! look at a network file system can hang, and because dropping the watch must not wait for that.

use std::{
    path::PathBuf,
    pin::Pin,
    sync::mpsc as threads,
    task::{Context, Poll},
    thread,
};

use futures_core::Stream;
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior},
};

use super::{
    events::{Signal, Subscribe, subscribe},
    watch_thread::{PACE, Pace, WatchThread},
};
use crate::store::{Hint, Hints};

pub(super) fn watch(path: PathBuf) -> Hints {
    Box::pin(Watch::start(path, subscribe, PACE))
}

/// The stream of hints. It holds the thread by its channels.
struct Watch {
    hints: mpsc::Receiver<Hint>,
    signals: threads::Sender<Signal>,
    /// Takes over should the thread be gone, so that changes are found in any case.
    without_thread: Option<Interval>,
}

impl Watch {
    fn start(path: PathBuf, subscribe: Subscribe, pace: Pace) -> Self {
        // One place: a hint that nobody has taken yet stands for all that follow.
        let (hint, hints) = mpsc::channel(1);
        let (signals, inbox) = threads::channel();
        let watch_thread = WatchThread::new(path, subscribe, pace, signals.clone());
        let thread = thread::Builder::new()
            .name("maintenance-watch".to_owned())
            .spawn(move || watch_thread.run(&inbox, &hint));
        if let Err(error) = thread {
            tracing::warn!(%error, "no thread to watch the maintenance state with; it is read every second instead");
        }
        Self {
            hints,
            signals,
            without_thread: None,
        }
    }
}

impl Stream for Watch {
    type Item = Hint;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Hint>> {
        match self.hints.poll_recv(context) {
            Poll::Ready(Some(hint)) => return Poll::Ready(Some(hint)),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => {}
        }
        let interval = self.without_thread.get_or_insert_with(|| {
            let mut interval = tokio::time::interval(PACE.slow);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        });
        interval.poll_tick(context).map(|_| Some(Hint))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Fails only if the thread is gone already.
        let _ = self.signals.send(Signal::Stop);
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
