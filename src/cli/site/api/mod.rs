//! A running site by the API of its admin scope: the same as by its store, from anywhere.

mod address;
mod answer;
mod client;
mod hold;
mod request;
mod token;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::sleep;
use ureq::http::Method;

pub(in crate::cli) use self::hold::ApiHold;
use self::{
    address::Address,
    client::{Client, Patience},
    request::{body_of, body_of_change, body_of_grant, body_of_window, encoded, path_of, query},
    token::Token,
};
use super::{
    Emptiness, Explained, GrantMade, GrantWishes, OpeningWishes, Question, WindowChanges,
    WindowWishes, Wishes,
};
use crate::{
    cli::failure::{Exit, Failure},
    core::{
        audit::AuditEntry,
        phase::Phase,
        secret::Secret,
        state::GrantKind,
        status::{UnheardNode, grants::GrantStatus, period::PastPeriod, whole::Status},
    },
    engine::{
        barrier::Safe, change_error::ChangeError, changes::Change, fleet::missing::Missing,
        windows::Planned,
    },
    settings::Settings,
};

/// How long one look waits for a mode to be empty.
const LOOK: Duration = Duration::from_secs(1);
/// How long it is until a site that could not be asked is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// How a site is reached.
#[derive(Debug, Default)]
pub(in crate::cli) struct ApiOptions {
    pub(in crate::cli) url: String,
    pub(in crate::cli) token: Option<String>,
    pub(in crate::cli) token_file: Option<PathBuf>,
    pub(in crate::cli) ca_file: Option<PathBuf>,
}

/// A site that runs somewhere.
#[derive(Debug)]
pub(in crate::cli) struct ApiSite {
    client: Arc<Client>,
    /// As it was told last.
    heard: Mutex<Status>,
}

/// By what whoever holds a mode is known.
#[derive(Debug, Deserialize)]
struct HoldId {
    id: Secret,
}

#[derive(Debug, Deserialize)]
struct Changed {
    changed: bool,
    /// To who asked to hold the mode.
    #[serde(default)]
    held: Option<HoldId>,
    #[serde(default)]
    window: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(flatten)]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct History {
    history: Vec<PastPeriod>,
}

/// A grant that was made.
#[derive(Debug, Deserialize)]
struct Made {
    name: String,
    kind: GrantKind,
    #[serde(default)]
    until: Option<Timestamp>,
    #[serde(default)]
    secret: Option<Secret>,
}

#[derive(Debug, Deserialize)]
struct Grants {
    grants: Vec<GrantStatus>,
}

#[derive(Debug, Deserialize)]
struct Revoked {}

#[derive(Debug, Deserialize)]
struct Audit {
    audit: Vec<AuditEntry>,
}

#[derive(Debug, Deserialize)]
struct Empty {
    empty: bool,
    phase: Phase,
    missing: Vec<Missing>,
    nodes: usize,
    if_dead: Vec<UnheardNode>,
}

impl ApiSite {
    /// Asks the site for the first time. The second one is what is to be told beside.
    pub(in crate::cli) async fn connect(
        options: ApiOptions,
    ) -> Result<(Self, Option<String>), Failure> {
        let address = Address::parse(&options.url)
            .map_err(|fault| Failure::usage(format!("--url or MAINTENANCE_URL: {fault}")))?;
        let (token, note) = match (&options.token_file, &options.token) {
            (Some(path), _) => {
                let (token, note) = Token::read(path).map_err(Failure::failed)?;
                (Some(token), note)
            }
            (None, Some(text)) => {
                let token = Token::new(text, "MAINTENANCE_TOKEN").map_err(Failure::failed)?;
                (Some(token), None)
            }
            (None, None) => (None, None),
        };
        if token.is_some() && !address.may_carry_a_token() {
            return Err(Failure::usage(format!(
                "--url {}: a token is sent by https alone, or to this machine; anybody on the way \
                 could read it here; give an address that begins with https://",
                address.as_str()
            )));
        }
        let authorities = options.ca_file.as_deref();
        let client =
            Client::new(address, token, authorities, Patience::USUAL).map_err(Failure::failed)?;
        let client = Arc::new(client);
        let status = get(&client, "/status".to_owned()).await?;
        let site = Self {
            client,
            heard: Mutex::new(as_heard(status)),
        };
        Ok((site, note))
    }

    pub(super) fn default_mode(&self) -> String {
        let heard = self.heard.lock();
        let first = heard.modes.first().map(|mode| mode.key.clone());
        heard
            .default_mode
            .clone()
            .or(first)
            .unwrap_or_else(|| Settings::default().default_mode().to_owned())
    }

    pub(super) fn find_mode(&self, key: &str) -> Result<(), Failure> {
        let heard = self.heard.lock();
        if heard.mode(key).is_some() {
            return Ok(());
        }
        Err(Failure::from(ChangeError::UnknownMode {
            key: key.to_owned(),
            known: heard.modes.iter().map(|mode| mode.key.clone()).collect(),
        }))
    }

    pub(super) fn time_zone(&self) -> Option<TimeZone> {
        TimeZone::get(self.heard.lock().time_zone.as_deref()?).ok()
    }

    pub(super) fn now(&self) -> Timestamp {
        crate::engine::shared::Clock::system().now()
    }

    pub(super) fn status(&self) -> Status {
        self.heard.lock().clone()
    }

    pub(super) async fn ask_status(&self) -> Result<Status, String> {
        let status: Result<Status, Failure> = get(&self.client, "/status".to_owned()).await;
        let status = as_heard(status.map_err(|failure| failure.message)?);
        *self.heard.lock() = status.clone();
        Ok(status)
    }

    pub(super) async fn history(&self) -> Result<Vec<PastPeriod>, Failure> {
        let told: History = get(&self.client, "/history".to_owned()).await?;
        Ok(told.history)
    }

    pub(super) async fn audit(
        &self,
        mode: Option<&str>,
        last: usize,
    ) -> Result<Vec<AuditEntry>, Failure> {
        let (mode, last) = (mode.map(str::to_owned), last.to_string());
        let query = query(&[("mode", mode.as_ref()), ("last", Some(&last))]);
        let told: Audit = get(&self.client, format!("/audit{query}")).await?;
        Ok(told.audit)
    }

    pub(super) async fn explain(&self, question: &Question) -> Result<Explained, Failure> {
        let address = question.address.map(|address| address.to_string());
        let role = question.role.map(|role| role.as_str().to_owned());
        let query = query(&[
            ("method", Some(&question.method)),
            ("path", Some(&question.path)),
            ("address", address.as_ref()),
            ("role", role.as_ref()),
            ("host", question.host.as_ref()),
        ]);
        get(&self.client, format!("/explain{query}")).await
    }

    pub(super) async fn turn_on(&self, wishes: &Wishes) -> Result<Change, Failure> {
        let body = body_of(wishes);
        let changed = self
            .change(Method::PUT, path_of(&wishes.mode), Some(body))
            .await?;
        Ok(self.change_of(changed))
    }

    pub(super) async fn turn_off(&self, mode: &str, how: OpeningWishes) -> Result<Change, Failure> {
        let (over, pause) = match how {
            OpeningWishes::AtOnce => (None, None),
            OpeningWishes::Over(over) => (Some(format!("{}ms", over.as_millis())), None),
            OpeningWishes::Paused => (None, Some("true".to_owned())),
        };
        let query = query(&[("over", over.as_ref()), ("pause", pause.as_ref())]);
        let path = format!("{}{query}", path_of(mode));
        let changed = self.change(Method::DELETE, path, None).await?;
        Ok(self.change_of(changed))
    }

    pub(super) async fn forget(&self, mode: &str) -> Result<Change, Failure> {
        let path = format!("{}?forget=true", path_of(mode));
        let changed = self.change(Method::DELETE, path, None).await?;
        Ok(self.change_of(changed))
    }

    pub(super) async fn plan(&self, wishes: &WindowWishes) -> Result<Planned, Failure> {
        let path = "/windows".to_owned();
        let changed: Changed = self
            .change(Method::POST, path, Some(body_of_window(wishes)))
            .await?;
        Ok(Planned {
            id: changed.window.clone().unwrap_or_default(),
            warnings: changed.warnings.clone(),
            change: self.change_of(changed),
        })
    }

    pub(super) async fn change_window(&self, changes: &WindowChanges) -> Result<Planned, Failure> {
        let path = format!("/windows/{}", encoded(&changes.id));
        let changed: Changed = self
            .change(Method::PATCH, path, Some(body_of_change(changes)))
            .await?;
        Ok(Planned {
            id: changes.id.clone(),
            warnings: changed.warnings.clone(),
            change: self.change_of(changed),
        })
    }

    pub(super) async fn cancel(&self, id: &str, only_next: bool) -> Result<Change, Failure> {
        let only_next = only_next.then(|| "true".to_owned());
        let query = query(&[("only_next", only_next.as_ref())]);
        let path = format!("/windows/{}{query}", encoded(id));
        let changed = self.change(Method::DELETE, path, None).await?;
        Ok(self.change_of(changed))
    }

    pub(super) async fn grant(&self, wishes: &GrantWishes) -> Result<GrantMade, Failure> {
        let body = body_of_grant(wishes);
        let made: Made = self
            .change(Method::POST, "/grants".to_owned(), Some(body))
            .await?;
        Ok(GrantMade {
            link: match (made.kind, &made.secret) {
                (GrantKind::Link, Some(secret)) => {
                    let (scope, secret) = (self.client.address(), secret.reveal());
                    Some(format!("{scope}/enter/{secret}"))
                }
                _ => None,
            },
            name: made.name,
            kind: made.kind,
            until: made.until,
            secret: made.secret.map(|secret| secret.reveal().to_owned()),
        })
    }

    pub(super) async fn grants(&self) -> Result<Vec<GrantStatus>, Failure> {
        let told: Grants = get(&self.client, "/grants".to_owned()).await?;
        Ok(told.grants)
    }

    pub(super) async fn revoke_grant(&self, name: &str) -> Result<(), Failure> {
        let path = format!("/grants/{}", encoded(name));
        let _: Revoked = self.change(Method::DELETE, path, None).await?;
        Ok(())
    }

    pub(super) async fn until_empty(
        &self,
        mode: &str,
        at_most: Option<Duration>,
        told: Arc<Mutex<Vec<Missing>>>,
    ) -> Result<Emptiness, Failure> {
        let begin = Instant::now();
        loop {
            let left = at_most.map(|at_most| at_most.saturating_sub(begin.elapsed()));
            let wait = left.unwrap_or(LOOK).min(LOOK).as_secs().max(1);
            let path = format!("{}/empty?wait={wait}", path_of(mode));
            match get::<Empty>(&self.client, path).await {
                Ok(found) if found.empty => {
                    let Empty { nodes, if_dead, .. } = found;
                    return Ok(Emptiness::Empty(Safe { nodes, if_dead }));
                }
                Ok(found) if !found.phase.is_maintenance() => return Ok(Emptiness::Reopened),
                Ok(found) => *told.lock() = found.missing,
                // Whoever waits would rather wait on than not know.
                Err(failure) if failure.exit == Exit::StoreOutOfReach => {
                    *told.lock() = vec![Missing::store_fails(failure.message)];
                    sleep(PAUSE).await;
                }
                Err(failure) => return Err(failure),
            }
            if at_most.is_some_and(|at_most| begin.elapsed() >= at_most) {
                return Ok(Emptiness::Missing(told.lock().clone()));
            }
        }
    }

    async fn change<T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        path: String,
        body: Option<Value>,
    ) -> Result<T, Failure> {
        let client = Arc::clone(&self.client);
        aside(move || {
            let answer = client.change(&method, &path, body.as_ref());
            client.document(answer, true)
        })
        .await
    }

    /// What a change has led to, which is heard of by that.
    fn change_of(&self, changed: Changed) -> Change {
        let status = as_heard(changed.status);
        *self.heard.lock() = status.clone();
        Change {
            changed: changed.changed,
            status,
        }
    }
}

/// Reads something of a site.
async fn get<T: DeserializeOwned + Send + 'static>(
    client: &Arc<Client>,
    path: String,
) -> Result<T, Failure> {
    let client = Arc::clone(client);
    aside(move || {
        let answer = client.get(&path);
        client.document(answer, false)
    })
    .await
}

/// Runs what blocks on a thread of its own: the runtime may be an app's.
async fn aside<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(call).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Failure::failed(format!("the call was given up: {error}"))),
    }
}

/// A status as this process tells it, which is none of the nodes.
fn as_heard(mut status: Status) -> Status {
    for node in &mut status.nodes {
        node.own = false;
    }
    status
}
