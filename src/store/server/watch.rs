//! Hints by what a server tells, with a slow poll behind it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    clock::chance::jittered,
    store::{Hint, Hints},
};

/// How often to look without a message: what is written by hand tells nothing.
const POLL_EVERY: Duration = Duration::from_secs(5);
/// The first and the longest pause before a lost subscription is made again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What tells of changes, if it is subscribed to.
pub(in crate::store) trait Subscribes: Send + Sync + 'static {
    type Subscription: Send;

    /// The URL without user and password.
    fn shown(&self) -> &str;

    /// How long to wait for one answer.
    fn limit(&self) -> Duration;

    /// Subscribes, or says why that cannot be. `Err(None)`: the server does not answer, which is told by
    /// whoever reads the document.
    fn subscribe(&self) -> impl Future<Output = Result<Self::Subscription, Option<String>>> + Send;

    /// Waits until something may have changed. `false`: the subscription is lost. It may be dropped and
    /// called again.
    fn message(subscription: &mut Self::Subscription) -> impl Future<Output = bool> + Send;

    /// Whether the other end still answers.
    fn is_there(subscription: &mut Self::Subscription) -> impl Future<Output = bool> + Send;
}

/// Hints until it is dropped.
struct Watch {
    hints: mpsc::Receiver<Hint>,
    task: JoinHandle<()>,
}

impl Stream for Watch {
    type Item = Hint;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Hint>> {
        self.hints.poll_recv(context)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to watch, on the runtime that this is called on.
pub(in crate::store) fn watch<S: Subscribes>(source: S) -> Hints {
    // One hint that waits says as much as many.
    let (sender, hints) = mpsc::channel(1);
    let watcher = Watcher {
        source,
        hints: sender,
    };
    Box::pin(Watch {
        hints,
        task: tokio::spawn(watcher.run()),
    })
}

struct Watcher<S> {
    source: S,
    hints: mpsc::Sender<Hint>,
}

impl<S: Subscribes> Watcher<S> {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        let mut failure_told = false;
        loop {
            match timeout(3 * self.source.limit(), self.source.subscribe()).await {
                Ok(Ok(subscription)) => {
                    pause = FIRST_PAUSE;
                    failure_told = false;
                    // What was changed before is not told.
                    self.hint();
                    self.listen(subscription).await;
                }
                Ok(Err(Some(error))) if !failure_told => {
                    failure_told = true;
                    tracing::warn!(
                        %error,
                        store = %self.source.shown(),
                        "changes by others are seen late: there is no subscription to them"
                    );
                }
                Ok(Err(_)) | Err(_) => {}
            }
            self.hint();
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn hint(&self) {
        // If there is no room, a hint waits already.
        let _ = self.hints.try_send(Hint);
    }

    /// Passes messages on until the subscription is lost.
    async fn listen(&self, mut subscription: S::Subscription) {
        loop {
            tokio::select! {
                is_there = S::message(&mut subscription) => match is_there {
                    true => self.hint(),
                    false => return,
                },
                () = sleep(jittered(POLL_EVERY)) => {
                    self.hint();
                    // Finds out a connection whose way was cut, from which nothing comes any more.
                    let answered = timeout(self.source.limit(), S::is_there(&mut subscription)).await;
                    if answered != Ok(true) {
                        return;
                    }
                }
            }
        }
    }
}
