//! Hints by publish and subscribe, with a slow poll behind it.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use ::redis::{
    RedisError, Value,
    aio::{PubSubSink, PubSubStream},
};
use futures_core::Stream;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::connection::Connections;
use crate::{
    clock::chance::jittered,
    store::{Hint, Hints},
};

/// How often to look without a message: what is written by hand publishes nothing.
const POLL_EVERY: Duration = Duration::from_secs(5);
/// The first and the longest pause before a lost subscription is made again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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
pub(super) fn watch(connections: Connections, channel: String) -> Hints {
    // One hint that waits says as much as many.
    let (sender, hints) = mpsc::channel(1);
    let watcher = Watcher {
        connections,
        channel,
        hints: sender,
    };
    Box::pin(Watch {
        hints,
        task: tokio::spawn(watcher.run()),
    })
}

struct Watcher {
    connections: Connections,
    channel: String,
    hints: mpsc::Sender<Hint>,
}

impl Watcher {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        let mut failure_told = false;
        loop {
            match timeout(self.connections.limit(), self.subscribe()).await {
                Ok(Ok((sink, messages))) => {
                    pause = FIRST_PAUSE;
                    failure_told = false;
                    // What was changed before is not told.
                    self.hint();
                    self.listen(sink, messages).await;
                }
                // A server that does not answer is told by whoever reads the document.
                Ok(Err(error)) if !error.is_io_error() && !failure_told => {
                    failure_told = true;
                    tracing::warn!(
                        %error,
                        store = %self.connections.address().shown,
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

    async fn subscribe(&self) -> Result<(PubSubSink, PubSubStream), RedisError> {
        let mut connection = self.connections.address().client.get_async_pubsub().await?;
        connection.subscribe(&self.channel).await?;
        Ok(connection.split())
    }

    /// Passes messages on until the subscription is lost.
    async fn listen(&self, mut sink: PubSubSink, messages: PubSubStream) {
        let mut messages = pin!(messages);
        loop {
            let message = poll_fn(|context| messages.as_mut().poll_next(context));
            tokio::select! {
                message = message => match message {
                    Some(_) => self.hint(),
                    None => return,
                },
                () = sleep(jittered(POLL_EVERY)) => {
                    self.hint();
                    // Finds out a connection whose way was cut, from which nothing comes any more.
                    if !matches!(timeout(self.connections.limit(), sink.ping::<Value>()).await, Ok(Ok(_))) {
                        return;
                    }
                }
            }
        }
    }
}
