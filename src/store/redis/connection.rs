//! The one connection over which requests go.
//!
//! The client library has a connection manager. It keeps a connection whose answers do not come, as
//! one whose way was cut; here that counts as lost, and the next request makes a new one. Who waits
//! how long before trying again is the caller's business.
//!
//! How long an answer may take depends on how long answers take. A connection is made behind those who
//! wait for it, and given all the time that is set: so they give up soon where nobody answers, and a
//! slow way is measured all the same.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::redis::{
    AsyncConnectionConfig, FromRedisValue, RedisError, ScriptInvocation, Value,
    aio::MultiplexedConnection, cmd,
};
use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};

use super::{
    address::Address,
    failure::{self, CLUSTER, REPLICA, Reason, SENTINEL},
};
use crate::{
    core::pace::Pace,
    store::{LONGEST_WAIT, StoreError, reserve::Reserve},
};

/// How long the server may take for a connection and for an answer, as long as nothing else is known.
/// Together they are less than the driver's patience, so that the error says what was waited for.
const LEAST_WAIT: Duration = Duration::from_secs(2);
/// How long the first attempt to connect may take. Each that hears nothing gives the next one half as
/// long again: what was swallowed on the way is tried anew soon, and a slow way gets its time.
const FIRST_ATTEMPT: Duration = Duration::from_secs(6);
/// What is waited at least for a connection that somebody else waits for already.
const BRIEFLY: Duration = Duration::from_secs(1);
/// A script that the server does not know takes as many answers: no, its text, and what it returns.
const ANSWERS: u32 = 3;

#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Address,
    state: Mutex<State>,
    pace: Mutex<Pace>,
    /// The descriptor of a socket.
    reserve: Reserve,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Numbered>,
    /// How many there have been.
    count: u64,
    /// The attempt that is being made, if one is.
    attempt: Option<Attempt>,
    /// How long the next one may take; `None`: the last one was answered.
    patience: Option<Duration>,
}

/// What comes of an attempt to connect, and since when it is made.
#[derive(Debug, Clone)]
struct Attempt {
    outcome: watch::Receiver<Option<Result<Numbered, Reason>>>,
    since: Instant,
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
        Self(Arc::new(Inner {
            address,
            state: Mutex::default(),
            pace: Mutex::new(Pace::new(LEAST_WAIT, LONGEST_WAIT)),
            reserve: Reserve::of(1),
        }))
    }

    /// Waits for no answer longer than this.
    pub(super) fn wait_at_most(&self, longest: Duration) {
        *self.0.pace.lock() = Pace::new(LEAST_WAIT, longest);
    }

    pub(super) fn address(&self) -> &Address {
        &self.0.address
    }

    /// How long a request may take, by what has been measured: a connection and its answers.
    pub(super) fn answers_within(&self) -> Duration {
        let pace = self.0.pace.lock();
        (pace.limit(ANSWERS) * 2).min(pace.most().max(2 * LEAST_WAIT))
    }

    /// How long to wait for one answer.
    pub(super) fn limit(&self) -> Duration {
        self.0.pace.lock().limit(ANSWERS)
    }

    /// Runs a script on the server, which can be run twice without harm. A connection that was closed
    /// while it was idle is replaced first.
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
            let (began, limit) = (Instant::now(), self.limit());
            // Loads the script again if the server has forgotten it.
            let asked = script.invoke_async(&mut numbered.connection);
            let error = match timeout(limit, asked).await {
                Ok(Ok(value)) => {
                    self.0.pace.lock().note(began.elapsed());
                    return Ok(Answer { value, asked_twice });
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    // How slow the way is, the next connection finds out.
                    self.discard(numbered.number);
                    return Err(self.error(what, &Reason::silent(limit)));
                }
            };
            if error.is_io_error() || error.is_unrecoverable_error() || failure::is_misled(&error) {
                self.discard(numbered.number);
            }
            if error.is_connection_dropped() && !is_new && !asked_twice {
                asked_twice = true;
                continue;
            }
            let reason = Reason::of(&error, &self.0.address.prefix);
            return Err(self.error(what, &reason));
        }
    }

    fn error(&self, what: &str, reason: &Reason) -> StoreError {
        let Reason { text, is_permanent } = reason;
        let error = StoreError::new(format!("cannot {what} at {}: {text}", self.0.address.shown));
        match is_permanent {
            true => error.permanent(),
            false => error,
        }
    }

    /// The connection that there is or a new one, and whether it is new. All who wait for a new one
    /// wait for the same attempt.
    async fn connection(&self) -> Result<(Numbered, bool), Reason> {
        let (mut attempt, limit) = {
            let mut state = self.0.state.lock();
            if let Some(numbered) = &state.connection {
                return Ok((numbered.clone(), false));
            }
            let attempt = match &state.attempt {
                Some(attempt) => attempt.clone(),
                None => {
                    let (tell, outcome) = watch::channel(None);
                    let since = Instant::now();
                    let attempt = Attempt { outcome, since };
                    state.attempt = Some(attempt.clone());
                    let inner = Arc::clone(&self.0);
                    tokio::spawn(async move { inner.attempt(&tell).await });
                    attempt
                }
            };
            // Making it takes an answer or two, and so does asking for leave.
            (
                attempt,
                self.0.pace.lock().limit(2 * ANSWERS).max(2 * LEAST_WAIT),
            )
        };
        // Whoever comes when it has been made for long does not wait as long again.
        let limit = limit.saturating_sub(attempt.since.elapsed()).max(BRIEFLY);
        let told = match timeout(limit, attempt.outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => (*outcome).clone(),
            // The runtime that it was made on has ended.
            Ok(Err(_)) => {
                self.0.state.lock().attempt = None;
                None
            }
            Err(_) => None,
        };
        let numbered = told.unwrap_or_else(|| Err(Reason::silent(limit)))?;
        Ok((numbered, true))
    }

    fn discard(&self, number: u64) {
        let mut state = self.0.state.lock();
        state.connection.take_if(|it| it.number == number);
    }
}

impl Inner {
    /// Makes a connection, and tells those who wait for it.
    async fn attempt(&self, tell: &watch::Sender<Option<Result<Numbered, Reason>>>) {
        let (most, measured) = {
            let pace = self.pace.lock();
            (pace.most(), pace.limit(2 * ANSWERS))
        };
        let patience = self.state.lock().patience.unwrap_or(FIRST_ATTEMPT);
        let patience = patience.max(measured).min(most);
        let connected = timeout(patience, self.connect(patience)).await;
        let mut state = self.state.lock();
        state.patience = connected.is_err().then(|| patience + patience / 2);
        let connected = connected.unwrap_or_else(|_| Err(Reason::silent(patience)));
        let outcome = connected.map(|connection| {
            state.count += 1;
            let numbered = Numbered {
                connection,
                number: state.count,
            };
            state.connection = Some(numbered.clone());
            numbered
        });
        state.attempt = None;
        drop(state);
        tell.send_replace(Some(outcome));
    }

    async fn connect(&self, most: Duration) -> Result<MultiplexedConnection, Reason> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(most))
            .set_response_timeout(Some(most));
        let client = &self.address.client;
        let connect = || client.get_multiplexed_async_connection_with_config(&config);
        let mut connected = connect().await;
        if connected.is_err() && self.reserve.release() {
            connected = connect().await;
        }
        self.reserve.refill();
        let told = |error: RedisError| Reason::of(&error, &self.address.prefix);
        let mut connection = connected.map_err(told)?;
        let began = Instant::now();
        // Servers before version 6 do not know the command; then there is nothing to be told.
        match cmd("HELLO").query_async::<Value>(&mut connection).await {
            Ok(hello) => judge(&hello).map_err(Reason::of_role)?,
            Err(error) if error.is_io_error() => return Err(told(error)),
            Err(error) => tracing::debug!(%error, "the server does not say what it is"),
        }
        self.pace.lock().note(began.elapsed());
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
