//! Somebody whom changes are told, and how a call to them goes.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::SignedDuration;
use ureq::{
    Agent, Error,
    http::{
        Method, Request, Uri,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    tls::{RootCerts, TlsConfig},
};

use super::address::CheckedResolver;
use crate::core::{matcher::Matcher, state::notice::Interest, text::chain};

/// How long a target may take for all of a call. One that comes to its end after another process has
/// taken over is only a repeat: that one has begun with the same notice.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;
/// The longest that a target may ask to be left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What kind of receiver it is, with what only that kind has.
pub(crate) enum Kind {
    Webhook {
        secret: Option<Vec<u8>>,
    },
    Slack,
    Alertmanager {
        matchers: Vec<Matcher>,
        time_to_live: SignedDuration,
    },
}

impl Kind {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack => "slack",
            Self::Alertmanager { .. } => "alertmanager",
        }
    }
}

/// Somebody whom changes are told. It is never shown as it is: the URL may be a secret.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) interest: Interest,
    /// A template of the settings.
    pub(crate) text: Option<String>,
    pub(crate) details: bool,
    url: String,
    agent: Agent,
}

/// Why a call did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: String,
    pub(super) status: Option<u16>,
    /// How long the target asks to be left alone.
    pub(super) wait: Option<Duration>,
}

impl Refusal {
    /// Whether it is this very message that the target does not take.
    pub(super) fn is_of_content(&self) -> bool {
        matches!(
            self.status,
            Some(400 | 406 | 411 | 413 | 414 | 415 | 422 | 431)
        )
    }
}

impl Target {
    pub(crate) fn new(name: String, kind: Kind, url: String, private: bool) -> Self {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(provider))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // It would be another receiver than the one that the settings name.
            .max_redirects(0)
            // A proxy would resolve the name by itself, and nobody could say where that is.
            .proxy(None)
            .tls_config(tls)
            .user_agent(concat!(
                "actix-maintenance-mode/",
                env!("CARGO_PKG_VERSION")
            ))
            .timeout_global(Some(PATIENCE))
            // Each time anew: the name may stand for another address by now.
            .max_idle_connections(0)
            .build();
        let agent = Agent::with_parts(
            config,
            ureq::unversioned::transport::DefaultConnector::default(),
            CheckedResolver::new(private),
        );
        Self {
            name,
            kind,
            interest: Interest::default(),
            text: None,
            details: false,
            url: url.trim_end_matches('/').to_owned(),
            agent,
        }
    }

    /// Calls the target, which blocks; for as long as it may take at most.
    ///
    /// # Errors
    ///
    /// Whatever else comes than a success.
    pub(super) fn call(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<String>,
    ) -> Result<Vec<u8>, Refusal> {
        let failed = |error: &Error| Refusal {
            why: reason(error),
            status: None,
            wait: None,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answered = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.into_bytes())
                .map_err(Error::from)
                .and_then(|request| self.agent.run(request)),
            None => request
                .body(())
                .map_err(Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        let mut response = answered.map_err(|error| failed(&error))?;
        let status = response.status();
        let wait = response.headers().get(RETRY_AFTER);
        let wait = wait.and_then(|value| retry_after(value.to_str().ok()?, SystemTime::now()));
        if status.is_success() {
            // What an answer says is of no use to most kinds, and its length is none of ours.
            let reader = response.body_mut().with_config().limit(LONGEST_ANSWER);
            return match reader.read_to_vec() {
                Ok(body) => Ok(body),
                Err(_) if !matches!(self.kind, Kind::Alertmanager { .. }) => Ok(Vec::new()),
                Err(error) => Err(failed(&error)),
            };
        }
        let why = match status.as_u16() {
            410 => "it says that it is gone for good (410); remove it from the settings".to_owned(),
            code if status.is_redirection() => format!(
                "it answers with a redirect ({code}), which is not followed; give its new address"
            ),
            code => format!("it answers with {code}"),
        };
        Err(Refusal {
            why,
            status: Some(status.as_u16()),
            wait,
        })
    }

    /// Where it is, without anything that may be a secret.
    pub(super) fn host(&self) -> String {
        let uri = self.url.parse::<Uri>().ok();
        let host = uri.as_ref().and_then(Uri::host);
        host.unwrap_or_default().to_owned()
    }
}

/// What `Retry-After` asks for: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(value).ok()?;
            SystemTime::from(at.timestamp()).duration_since(now).ok()?
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

fn reason(error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("it has not answered within {} seconds", PATIENCE.as_secs()),
        Error::HostNotFound => "there is no host of this name".to_owned(),
        Error::Io(error) => chain(error),
        other => chain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_ask_for_some_time() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        let asked = |value: &str| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(asked("7"), Some(7));
        assert_eq!(asked("999999999"), Some(3600));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:30 GMT"), Some(30));
        assert_eq!(asked("Wed, 21 Oct 2015 07:27:30 GMT"), None);
        assert_eq!(asked("soon"), None);
    }
}
