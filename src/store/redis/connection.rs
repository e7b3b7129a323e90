//! How a connection to a Redis server is made, and what its failures mean.

use std::time::{Duration, Instant};

use ::redis::{
    AsyncConnectionConfig, FromRedisValue, RedisError, Value, aio::MultiplexedConnection, cmd,
};

use super::{
    address::Address,
    failure::{self, CLUSTER, REPLICA, SENTINEL},
};
use crate::store::server::{
    connections::Server,
    reason::{Failure, Reason},
};

impl Server for Address {
    type Connection = MultiplexedConnection;
    type Error = RedisError;

    fn shown(&self) -> &str {
        &self.shown
    }

    async fn connect(
        &self,
        most: Duration,
    ) -> Result<(MultiplexedConnection, Option<Duration>), Reason> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(most))
            .set_response_timeout(Some(most));
        let told = |error: RedisError| failure::reason(&error, &self.prefix);
        let connected = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connected.await.map_err(told)?;
        let began = Instant::now();
        // Servers before version 6 do not know the command; then there is nothing to be told.
        match cmd("HELLO").query_async::<Value>(&mut connection).await {
            Ok(hello) => judge(&hello).map_err(failure::of_role)?,
            Err(error) if error.is_io_error() => return Err(told(error)),
            Err(error) => tracing::debug!(%error, "the server does not say what it is"),
        }
        Ok((connection, Some(began.elapsed())))
    }

    fn judge(&self, error: &RedisError) -> Failure {
        Failure {
            reason: failure::reason(error, &self.prefix),
            is_lost: error.is_io_error()
                || error.is_unrecoverable_error()
                || failure::is_misled(error),
            is_dropped: error.is_connection_dropped(),
        }
    }
}

/// Refuses a server that is not one where documents can be kept.
fn judge(hello: &Value) -> Result<(), &'static str> {
    let field = |name: &str| -> Option<String> {
        let pairs: Vec<(&Value, &Value)> = match hello {
            Value::Map(pairs) => pairs.iter().map(|(name, value)| (name, value)).collect(),
            Value::Array(items) => items
                .chunks_exact(2)
                .filter_map(|pair| Some((pair.first()?, pair.get(1)?)))
                .collect(),
            _ => return None,
        };
        let text = |value: &Value| String::from_redis_value_ref(value).ok();
        pairs
            .into_iter()
            .find(|(known, _)| text(known).as_deref() == Some(name))
            .and_then(|(_, value)| text(value))
    };
    match (field("mode").as_deref(), field("role").as_deref()) {
        (Some("cluster"), _) => Err(CLUSTER),
        (Some("sentinel"), _) | (_, Some("sentinel")) => Err(SENTINEL),
        (_, Some("replica" | "slave")) => Err(REPLICA),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
