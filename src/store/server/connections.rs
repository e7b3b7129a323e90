//! The one connection over which requests go.
//!
//! Client libraries have pools and managers. They keep a connection whose answers do not come, as one
//! whose way was cut; here that counts as lost, and the next request makes a new one. Who waits how long
//! before trying again is the caller's business.
//!
//! How long an answer may take depends on how long answers take. A connection is made behind those who
//! wait for it, and given all the time that is set: so they give up soon where nobody answers, and a
//! slow way is measured all the same.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};

use super::reason::{Failure, Reason};
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
/// What one request may take: a script that a Redis does not know takes no, its text, and what it
/// returns; a table that is not there takes no, its making, and what was asked.
const ANSWERS: u32 = 3;

/// A kind of server, and where one of it is.
pub(in crate::store) trait Server: fmt::Debug + Send + Sync + 'static {
    /// Cheap to clone; clones are the same connection.
    type Connection: Clone + Send + Sync + 'static;
    /// What a request fails with.
    type Error: Send;

    /// The URL without user and password.
    fn shown(&self) -> &str;

    /// Makes a connection to a server that can keep a document, within that time, and says how long one
    /// answer took, if it asked anything.
    fn connect(
        &self,
        most: Duration,
    ) -> impl Future<Output = Result<(Self::Connection, Option<Duration>), Reason>> + Send;

    /// What a request failed of.
    fn judge(&self, error: &Self::Error) -> Failure;

    /// Whether it is known that the connection is closed.
    fn is_closed(_connection: &Self::Connection) -> bool {
        false
    }

    /// Nobody uses the connection any more; after silence something may still be running at its other
    /// end. Called on the runtime that asked.
    fn give_up(&self, _connection: Self::Connection, _was_silent: bool) {}
}

#[derive(Debug)]
pub(in crate::store) struct Connections<S: Server>(Arc<Inner<S>>);

impl<S: Server> Clone for Connections<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Inner<S: Server> {
    server: S,
    state: Mutex<State<S>>,
    pace: Mutex<Pace>,
    /// The descriptor of a socket.
    reserve: Reserve,
}

struct State<S: Server> {
    connection: Option<Numbered<S::Connection>>,
    /// How many there have been.
    count: u64,
    /// The attempt that is being made, if one is.
    attempt: Option<Attempt<S::Connection>>,
    /// How long the next one may take; `None`: the last one was answered.
    patience: Option<Duration>,
}

impl<S: Server> fmt::Debug for State<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("is_connected", &self.connection.is_some())
            .field("count", &self.count)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// What comes of an attempt to connect, and since when it is made.
#[derive(Clone)]
struct Attempt<C> {
    outcome: watch::Receiver<Outcome<C>>,
    since: Instant,
}

/// `None`: nothing yet.
type Outcome<C> = Option<Result<Numbered<C>, Reason>>;

/// A connection that can be told from the one after it.
#[derive(Clone)]
struct Numbered<C> {
    connection: C,
    number: u64,
}

/// An answer, and whether the question may have reached the server twice.
pub(in crate::store) struct Answer<T> {
    pub(in crate::store) value: T,
    pub(in crate::store) asked_twice: bool,
}

impl<S: Server> Connections<S> {
    pub(in crate::store) fn new(server: S) -> Self {
        Self(Arc::new(Inner {
            server,
            state: Mutex::new(State {
                connection: None,
                count: 0,
                attempt: None,
                patience: None,
            }),
            pace: Mutex::new(Pace::new(LEAST_WAIT, LONGEST_WAIT)),
            reserve: Reserve::of(1),
        }))
    }

    /// Waits for no answer longer than this.
    pub(in crate::store) fn wait_at_most(&self, longest: Duration) {
        *self.0.pace.lock() = Pace::new(LEAST_WAIT, longest);
    }

    pub(in crate::store) fn server(&self) -> &S {
        &self.0.server
    }

    /// How long a request may take, by what has been measured: a connection and its answers.
    pub(in crate::store) fn answers_within(&self) -> Duration {
        let pace = self.0.pace.lock();
        (pace.limit(ANSWERS) * 2).min(pace.most().max(2 * LEAST_WAIT))
    }

    /// How long to wait for one answer.
    pub(in crate::store) fn limit(&self) -> Duration {
        self.0.pace.lock().limit(ANSWERS)
    }

    /// Asks the server something that can be asked twice without harm. A connection that was closed
    /// while it was idle is replaced first.
    pub(in crate::store) async fn ask<T, F>(
        &self,
        what: &str,
        question: impl Fn(S::Connection) -> F + Send + Sync,
    ) -> Result<Answer<T>, StoreError>
    where
        F: Future<Output = Result<T, S::Error>> + Send,
    {
        let mut asked_twice = false;
        loop {
            let (numbered, is_new) = self
                .connection()
                .await
                .map_err(|reason| self.error(what, &reason))?;
            let (began, limit) = (Instant::now(), self.limit());
            let asked = question(numbered.connection.clone());
            let failure = match timeout(limit, asked).await {
                Ok(Ok(value)) => {
                    self.0.pace.lock().note(began.elapsed());
                    return Ok(Answer { value, asked_twice });
                }
                Ok(Err(error)) => self.0.server.judge(&error),
                Err(_) => {
                    // How slow the way is, the next connection finds out.
                    self.discard(numbered.number, true);
                    return Err(self.error(what, &Reason::silent(limit)));
                }
            };
            if failure.is_lost {
                self.discard(numbered.number, false);
            }
            if failure.is_dropped && !is_new && !asked_twice {
                asked_twice = true;
                continue;
            }
            return Err(self.error(what, &failure.reason));
        }
    }

    pub(in crate::store) fn error(&self, what: &str, reason: &Reason) -> StoreError {
        let Reason { text, is_permanent } = reason;
        let shown = self.0.server.shown();
        let error = StoreError::new(format!("cannot {what} at {shown}: {text}"));
        match is_permanent {
            true => error.permanent(),
            false => error,
        }
    }

    /// The connection that there is or a new one, and whether it is new. All who wait for a new one
    /// wait for the same attempt.
    async fn connection(&self) -> Result<(Numbered<S::Connection>, bool), Reason> {
        let (mut attempt, limit) = {
            let mut state = self.0.state.lock();
            state.connection.take_if(|it| S::is_closed(&it.connection));
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

    fn discard(&self, number: u64, was_silent: bool) {
        let discarded = {
            let mut state = self.0.state.lock();
            state.connection.take_if(|it| it.number == number)
        };
        if let Some(numbered) = discarded {
            self.0.server.give_up(numbered.connection, was_silent);
        }
    }
}

impl<S: Server> Inner<S> {
    /// Makes a connection, and tells those who wait for it.
    async fn attempt(&self, tell: &watch::Sender<Outcome<S::Connection>>) {
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

    async fn connect(&self, most: Duration) -> Result<S::Connection, Reason> {
        let mut connected = self.server.connect(most).await;
        if connected.is_err() && self.reserve.release() {
            connected = self.server.connect(most).await;
        }
        self.reserve.refill();
        let (connection, took) = connected?;
        if let Some(took) = took {
            self.pace.lock().note(took);
        }
        Ok(connection)
    }
}
