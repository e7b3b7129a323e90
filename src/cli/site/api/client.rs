//! Sends requests to the API, each within a time, and keeps to what may be sent and read.

use std::{fs, io, path::Path, sync::Arc, thread, time::Duration};

use serde_json::Value;
use ureq::{
    Agent, AsSendBody, Error, Timeout,
    config::Config,
    http::{
        Method, Request,
        header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
    },
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{address::Address, token::Token};
use crate::core::text::{chain, without_password};

/// How long a site may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until there is a connection, with its encryption.
    pub(super) connect: Duration,
    /// For all of a request that only reads.
    pub(super) reading: Duration,
    /// For all of one that changes something: hooks and a slow store may take a while.
    pub(super) changing: Duration,
}

impl Patience {
    pub(super) const USUAL: Self = Self {
        connect: Duration::from_secs(10),
        reading: Duration::from_secs(20),
        changing: Duration::from_secs(60),
    };
}

/// The longest answer that is read, in bytes.
pub(super) const LONGEST_ANSWER: u64 = 16 * 1024 * 1024;
/// The pauses before what only reads is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// Calls one site.
#[derive(Debug)]
pub(super) struct Client {
    address: Address,
    token: Option<Token>,
    /// Keeps its connections, for what may be tried again.
    reading: Agent,
    /// Makes a new connection each time: one that was kept may be gone, and then nobody could tell
    /// whether a change was made.
    changing: Agent,
    patience: Patience,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Without its parameters.
    pub(super) content_type: String,
    /// Where a redirect points to, without what a secret could be in.
    pub(super) location: Option<String>,
    /// `None`: it is longer than is read.
    pub(super) body: Option<Vec<u8>>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) struct Unreached {
    pub(super) why: String,
    /// Whether the site may have got the request all the same.
    pub(super) may_have_been_sent: bool,
    /// Whether it may work in a moment.
    may_pass: bool,
}

impl Client {
    /// # Errors
    ///
    /// When the certificates cannot be read.
    pub(super) fn new(
        address: Address,
        token: Option<Token>,
        authorities: Option<&Path>,
        patience: Patience,
    ) -> Result<Self, String> {
        let roots = match authorities {
            Some(path) => read_authorities(path)?,
            None => RootCerts::PlatformVerifier,
        };
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(provider))
            .build();
        let config = |connections: usize| -> Config {
            let mut config = Agent::config_builder()
                .http_status_as_error(false)
                // Another address is told and not followed: what is sent is a secret.
                .max_redirects(0)
                .https_only(address.is_encrypted())
                .tls_config(tls.clone())
                .user_agent(concat!("maintenance/", env!("CARGO_PKG_VERSION")))
                .accept("application/json, application/problem+json")
                .max_idle_connections(connections)
                .max_idle_connections_per_host(connections);
            if !address.goes_by_proxy() {
                config = config.proxy(None);
            }
            config.build()
        };
        Ok(Self {
            reading: config(1).new_agent(),
            changing: config(0).new_agent(),
            patience,
            address,
            token,
        })
    }

    pub(super) fn address(&self) -> &str {
        self.address.as_str()
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Reads something, and tries that again where it may be of use.
    pub(super) fn get(&self, path: &str) -> Result<Answer, Unreached> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.call(
                &self.reading,
                self.patience.reading,
                &Method::GET,
                path,
                None,
            );
            let is_worth_it = match &answer {
                Ok(answer) => answer.is_of_a_proxy(),
                Err(unreached) => unreached.may_pass,
            };
            match pauses.next() {
                Some(pause) if is_worth_it => {
                    tracing::debug!(path, "the site is asked once more");
                    thread::sleep(pause);
                }
                _ => return answer,
            }
        }
    }

    /// Changes something. It is sent once.
    pub(super) fn change(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Unreached> {
        self.change_within(self.patience.changing, method, path, body)
    }

    /// The same, of what can be sent again: there is no use in waiting longer for one answer than until
    /// then.
    pub(super) fn change_within(
        &self,
        whole: Duration,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Unreached> {
        self.call(&self.changing, whole, method, path, body)
    }

    fn call(
        &self,
        agent: &Agent,
        whole: Duration,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Unreached> {
        let connect = self.patience.connect.min(whole);
        tracing::debug!(%method, url = self.address(), path, "asks the site");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address()));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.header());
        }
        let answered = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string().into_bytes())
                .map_err(Error::from)
                .and_then(|request| agent.run(within(agent, request, connect, whole))),
            None => request
                .body(())
                .map_err(Error::from)
                .and_then(|request| agent.run(within(agent, request, connect, whole))),
        };
        let unreached = |error: &Error| Unreached::new(error, connect, whole);
        let mut response = answered.map_err(|error| unreached(&error))?;
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let content_type = header(CONTENT_TYPE).unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let (status, location) = (response.status().as_u16(), header(LOCATION));
        let content_type = kind.to_ascii_lowercase();
        let reader = response.body_mut().with_config().limit(LONGEST_ANSWER);
        let body = match reader.read_to_vec() {
            Ok(body) => Some(body),
            Err(Error::BodyExceedsLimit(_)) => None,
            Err(error) => {
                return Err(Unreached {
                    may_have_been_sent: true,
                    ..unreached(&error)
                });
            }
        };
        tracing::debug!(status, "the site answers");
        Ok(Answer {
            status,
            content_type,
            location: location.map(|location| without_secrets(&location)),
            body,
        })
    }
}

/// A request that may take so long: to connect, and in all.
fn within<B: AsSendBody>(
    agent: &Agent,
    request: Request<B>,
    connect: Duration,
    whole: Duration,
) -> Request<B> {
    agent
        .configure_request(request)
        .timeout_connect(Some(connect))
        .timeout_global(Some(whole))
        .build()
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn is_problem(&self) -> bool {
        self.content_type == "application/problem+json"
    }

    /// Whether it comes from before the site, which may be there again in a moment.
    fn is_of_a_proxy(&self) -> bool {
        matches!(self.status, 502..=504) && !self.is_problem()
    }
}

impl Unreached {
    /// `connect` and `whole`: how long was waited.
    fn new(error: &Error, connect: Duration, whole: Duration) -> Self {
        let may_have_been_sent = match error {
            Error::Io(error) => !is_before_sending(error),
            Error::Timeout(when) => !matches!(when, Timeout::Resolve | Timeout::Connect),
            Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::RedirectFailed => true,
            _ => false,
        };
        Self {
            why: reason(error, connect, whole),
            may_have_been_sent,
            // A certificate does not become another, and nobody waits for the same in vain twice.
            may_pass: !matches!(error, Error::Timeout(_) | Error::Rustls(_))
                && !matches!(error, Error::Io(error) if of_tls(error).is_some()),
        }
    }
}

/// What encryption says of a connection.
fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether an error is of making the connection.
fn is_before_sending(error: &io::Error) -> bool {
    of_tls(error).is_some()
        || matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable
        )
}

/// Why a call failed, in words.
fn reason(error: &Error, connect: Duration, whole: Duration) -> String {
    let certificate = |error: &dyn std::error::Error| {
        format!(
            "{}; if the certificate is of an authority of your own, give that by --ca-file",
            chain(error)
        )
    };
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            format!("there was no connection within {connect:?}")
        }
        Error::Timeout(_) => format!("it has not answered within {whole:?}"),
        Error::HostNotFound => "there is no host of this name".to_owned(),
        Error::Rustls(error @ rustls::Error::InvalidCertificate(_)) => certificate(error),
        Error::Rustls(error) => chain(error),
        Error::Io(error) => match of_tls(error) {
            Some(error @ rustls::Error::InvalidCertificate(_)) => certificate(error),
            Some(error) => chain(error),
            None => chain(error),
        },
        Error::ConnectProxyFailed(why) => format!("the proxy does not connect: {why}"),
        other => other.to_string(),
    }
}

/// Where a redirect points to: its query may have what is nobody's business.
fn without_secrets(location: &str) -> String {
    let bare = location.split(['?', '#']).next().unwrap_or_default();
    without_password(bare)
}

/// The authorities of a file, which are trusted instead of the system's.
fn read_authorities(path: &Path) -> Result<RootCerts, String> {
    let shown = path.display();
    let pem = fs::read(path)
        .map_err(|error| format!("the certificates {shown} cannot be read: {error}"))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(format!("the certificates {shown} are damaged: {error}")),
        }
    }
    if certificates.is_empty() {
        return Err(format!(
            "the file {shown} holds no certificate; give one or more in PEM"
        ));
    }
    Ok(RootCerts::from(certificates))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
