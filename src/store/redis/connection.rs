//! The one connection over which requests go.
//!
//! The client library has a connection manager. It keeps a connection whose answers do not come, as
//! one whose way was cut; here that counts as lost, and the next request makes a new one. Who waits
//! how long before trying again is the caller's business.

use std::time::{Duration, Instant};

use ::redis::{
    AsyncConnectionConfig, FromRedisValue, RedisError, ScriptInvocation, Value,
    aio::MultiplexedConnection, cmd,
};
use tokio::sync::Mutex;

use super::{
    address::Address,
    failure::{self, CLUSTER, REPLICA, Reason, SENTINEL},
};
use crate::store::{StoreError, reserve::Reserve};

/// How long the server may take for a connection and for an answer. Together they are less than the
/// driver's patience, so that the error says what was waited for.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
pub(super) const ANSWER: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Connections {
    address: Address,
    state: Mutex<State>,
    /// The descriptor of a socket.
    reserve: Reserve,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Numbered>,
    /// How many there have been.
    count: u64,
    /// When connecting failed last, and why.
    failed: Option<(Instant, Reason)>,
}

/// A connection that can be told from the one after it.
#[derive(Debug, Clone)]
struct Numbered {
    connection: MultiplexedConnection,
    number: u64,
}

/// An answer, and whether the question may have reached the server twice.
pub(super) struct Answer<T> {
    pub(super) value: T,
    pub(super) asked_twice: bool,
}

impl Connections {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            state: Mutex::default(),
            reserve: Reserve::of(1),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Runs a script on the server, which can be run twice without harm. A connection that was closed while it was idle is replaced first.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        what: &str,
        script: &ScriptInvocation<'_>,
    ) -> Result<Answer<T>, StoreError> {
        let mut asked_twice = false;
        loop {
            let (mut numbered, is_new) = self
                .connection()
                .await
                .map_err(|reason| self.error(what, &reason))?;
            // Loads the script again if the server has forgotten it.
            let error = match script.invoke_async(&mut numbered.connection).await {
                Ok(value) => return Ok(Answer { value, asked_twice }),
                Err(error) => error,
            };
            if error.is_io_error() || error.is_unrecoverable_error() || failure::is_misled(&error) {
                self.discard(numbered.number).await;
            }
            if error.is_connection_dropped() && !is_new && !asked_twice {
                asked_twice = true;
                continue;
            }
            let reason = Reason::of(&error, &self.address.prefix);
            return Err(self.error(what, &reason));
        }
    }

    fn error(&self, what: &str, reason: &Reason) -> StoreError {
        let Reason { text, is_permanent } = reason;
        let error = StoreError::new(format!("cannot {what} at {}: {text}", self.address.shown));
        match is_permanent {
            true => error.permanent(),
            false => error,
        }
    }

    /// The connection that there is or a new one, and whether it is new.
    async fn connection(&self) -> Result<(Numbered, bool), Reason> {
        let began = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(numbered) = &state.connection {
            return Ok((numbered.clone(), false));
        }
        // Who waited while another tried does not try again at once: all would wait in a row.
        if let Some((at, reason)) = &state.failed
            && *at >= began
        {
            return Err(reason.clone());
        }
        match self.connect().await {
            Ok(connection) => {
                state.count += 1;
                let numbered = Numbered {
                    connection,
                    number: state.count,
                };
                state.connection = Some(numbered.clone());
                state.failed = None;
                Ok((numbered, true))
            }
            Err(reason) => {
                state.failed = Some((Instant::now(), reason.clone()));
                Err(reason)
            }
        }
    }

    async fn discard(&self, number: u64) {
        let mut state = self.state.lock().await;
        state.connection.take_if(|it| it.number == number);
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Reason> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let client = &self.address.client;
        let connect = || client.get_multiplexed_async_connection_with_config(&config);
        let mut connected = connect().await;
        if connected.is_err() && self.reserve.release() {
            connected = connect().await;
        }
        self.reserve.refill();
        let told = |error: RedisError| Reason::of(&error, &self.address.prefix);
        let mut connection = connected.map_err(told)?;
        // Servers before version 6 do not know the command; then there is nothing to be told.
        match cmd("HELLO").query_async::<Value>(&mut connection).await {
            Ok(hello) => judge(&hello).map_err(Reason::of_role)?,
            Err(error) if error.is_io_error() => return Err(told(error)),
            Err(error) => tracing::debug!(%error, "the server does not say what it is"),
        }
        Ok(connection)
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
