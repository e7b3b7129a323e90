//! Hints by publish and subscribe.

use std::{future::poll_fn, pin::Pin, time::Duration};

use ::redis::{
    RedisError, Value,
    aio::{PubSubSink, PubSubStream},
};
use futures_core::Stream as _;

use super::address::Address;
use crate::store::server::{
    connections::{Connections, Server as _},
    watch::Subscribes,
};

/// The channel to which changes are published.
pub(super) struct Channel {
    pub(super) connections: Connections<Address>,
    pub(super) name: String,
}

/// A connection of its own, as one that has subscribed can ask nothing else.
pub(super) struct Subscription {
    sink: PubSubSink,
    messages: Pin<Box<PubSubStream>>,
}

impl Channel {
    async fn subscribed(&self) -> Result<Subscription, RedisError> {
        let client = &self.connections.server().client;
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(&self.name).await?;
        let (sink, messages) = connection.split();
        Ok(Subscription {
            sink,
            messages: Box::pin(messages),
        })
    }
}

impl Subscribes for Channel {
    type Subscription = Subscription;

    fn shown(&self) -> &str {
        self.connections.server().shown()
    }

    fn limit(&self) -> Duration {
        self.connections.limit()
    }

    async fn subscribe(&self) -> Result<Subscription, Option<String>> {
        self.subscribed()
            .await
            .map_err(|error| (!error.is_io_error()).then(|| error.to_string()))
    }

    async fn message(subscription: &mut Subscription) -> bool {
        let messages = &mut subscription.messages;
        let message = poll_fn(|context| messages.as_mut().poll_next(context));
        message.await.is_some()
    }

    async fn is_there(subscription: &mut Subscription) -> bool {
        subscription.sink.ping::<Value>().await.is_ok()
    }
}
