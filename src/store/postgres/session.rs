//! One connection to a Postgres server, and how it is made.

use std::{
    future::poll_fn,
    sync::Arc,
    time::{Duration, Instant},
};

use ::tokio_postgres::{
    AsyncMessage, CancelToken, Client, Config, Connection, Error, NoTls, Socket,
    config::{Host, SslMode},
    types::{ToSql, Type},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{
    address::{Address, Place, name_of},
    encryption, failure, pass_file,
};
use crate::store::server::reason::Reason;

/// What a notification says: the text with which it was sent.
pub(super) type Told = mpsc::Sender<String>;

/// A connection. It is closed when nobody has it any more, or when it is given up.
pub(super) struct Session {
    pub(super) client: Client,
    /// Moves what is sent and received.
    task: JoinHandle<()>,
    cancel: CancelToken,
    /// By which a statement is ended that nobody waits for any more.
    encryption: Option<::tokio_postgres_rustls::MakeRustlsConnect>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A value of a statement, with its type: so that a statement needs no preparation, which poolers lose.
pub(super) type Value<'a> = (&'a (dyn ToSql + Sync), Type);

impl Session {
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed() || self.task.is_finished()
    }

    /// Closes it, also for others who use it. What still runs at the other end is cancelled, so that it
    /// does not happen long after it was called off: a statement that waits for a lock, say.
    pub(super) fn give_up(session: Arc<Self>, was_silent: bool, most: Duration) {
        session.task.abort();
        if !was_silent {
            return;
        }
        tokio::spawn(async move {
            let cancel = session.cancel.clone();
            let encryption = session.encryption.clone();
            drop(session);
            let cancelled = async {
                match encryption {
                    Some(encryption) => cancel.cancel_query(encryption).await,
                    None => cancel.cancel_query(NoTls).await,
                }
            };
            if let Ok(Err(error)) = timeout(most, cancelled).await {
                tracing::debug!(%error, "a statement that nobody waits for may still run");
            }
        });
    }
}

/// Connects to the first of the servers that takes writes, beginning with the one at `first`. Returns how
/// long one answer took, and which of them it is.
pub(super) async fn open(
    address: &Address,
    first: usize,
    most: Duration,
    told: Option<&Told>,
) -> Result<(Session, Duration, usize), Reason> {
    let count = address.hosts.len();
    let end = Instant::now() + most;
    let mut reasons: Vec<(String, Reason)> = Vec::new();
    for step in 0..count {
        let at = (first + step) % count;
        let Some(place) = address.hosts.get(at) else {
            continue;
        };
        // Whoever does not answer leaves the others their time.
        let left = u32::try_from(count - step).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / left;
        let opened = timeout(share, open_at(address, place, told)).await;
        match opened.unwrap_or_else(|_| Err(Reason::silent(share))) {
            Ok((session, took)) => return Ok((session, took, at)),
            Err(reason) => {
                reasons.push((format!("{}:{}", name_of(&place.host), place.port), reason))
            }
        }
    }
    Err(summed(reasons))
}

/// What several servers said, as one reason. It stays only if all of them do.
fn summed(mut reasons: Vec<(String, Reason)>) -> Reason {
    if reasons.len() == 1
        && let Some((_, reason)) = reasons.pop()
    {
        return reason;
    }
    let texts: Vec<String> = reasons
        .iter()
        .map(|(host, reason)| format!("{host}: {}", reason.text))
        .collect();
    Reason {
        text: texts.join("; "),
        is_permanent: reasons.iter().all(|(_, reason)| reason.is_permanent),
    }
}

async fn open_at(
    address: &Address,
    place: &Place,
    told: Option<&Told>,
) -> Result<(Session, Duration), Reason> {
    let config = configured(address, place).await?;
    let failed = |error: Error| failure::reason(&error);
    let session = if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
        session(client, connection, None, told)
    } else {
        let (encryption, negotiation) = (address.encryption.clone(), config.get_ssl_negotiation());
        let connector = spawn_blocking(move || encryption::connector(&encryption, negotiation));
        let connector = connector
            .await
            .map_err(|error| Reason::passing(error.to_string()))?
            .map_err(Reason::permanent)?;
        let (client, connection) = config.connect(connector.clone()).await.map_err(failed)?;
        session(client, connection, Some(connector), told)
    };
    let began = Instant::now();
    // No parameters and no preparation: poolers pass it on.
    const WRITABLE: &str =
        "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on'";
    let row = session.client.query_typed(WRITABLE, &[]).await;
    let rows = row.map_err(failed)?;
    let said = |column: usize| rows.first().and_then(|row| row.try_get(column).ok());
    match (said(0), said(1)) {
        (Some(true), _) => Err(Reason::passing(failure::REPLICA)),
        (_, Some(true)) => Err(Reason::passing(failure::READ_ONLY)),
        _ => Ok((session, began.elapsed())),
    }
}

/// What the driver is to know of one of the servers.
async fn configured(address: &Address, place: &Place) -> Result<Config, Reason> {
    let mut config = address.config.clone();
    config.port(place.port);
    match &place.host {
        Host::Tcp(host) => config.host(host),
        #[cfg(unix)]
        Host::Unix(folder) => config.host_path(folder),
    };
    if let Some(address) = place.address {
        config.hostaddr(address);
    }
    let is_socket = !matches!(place.host, Host::Tcp(_));
    config.ssl_mode(match is_socket {
        // Nobody is in between.
        true => SslMode::Disable,
        false => address.encryption.mode,
    });
    let (Some(file), None) = (&address.pass_file, config.get_password()) else {
        return Ok(config);
    };
    // Each time anew, as passwords change.
    let (file, place) = (file.clone(), place.clone());
    let user = match config.get_user() {
        Some(user) => user.to_owned(),
        // Whom the driver takes.
        None => std::env::var("USER").unwrap_or_default(),
    };
    let database = config.get_dbname().unwrap_or(&user).to_owned();
    let found = spawn_blocking(move || pass_file::password(&file, &place, &database, &user));
    match found
        .await
        .map_err(|error| Reason::passing(error.to_string()))?
    {
        Ok(Some(password)) => {
            config.password(password);
        }
        Ok(None) => {}
        // Perhaps none is needed; if one is, both are told.
        Err(reason) => tracing::warn!(%reason, "the file with passwords"),
    }
    Ok(config)
}

fn session<T>(
    client: Client,
    connection: Connection<Socket, T>,
    encryption: Option<::tokio_postgres_rustls::MakeRustlsConnect>,
    told: Option<&Told>,
) -> Session
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Session {
        cancel: client.cancel_token(),
        client,
        task: tokio::spawn(carry(connection, told.cloned())),
        encryption,
    }
}

/// Moves what is sent and received, until the connection ends.
async fn carry<T>(mut connection: Connection<Socket, T>, told: Option<Told>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let (AsyncMessage::Notification(notification), Some(told)) = (message, &told) {
            // Where there is no room, enough is told already.
            let _ = told.try_send(notification.payload().to_owned());
        }
    }
}
