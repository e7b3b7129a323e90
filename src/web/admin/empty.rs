//! `/modes/{key}/empty`: whether a mode is closed and empty on every node, and who is missing.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, http::StatusCode, web};
use parking_lot::Mutex;
use serde::Serialize;

use super::{
    answer::{document, faulty, not_changed},
    answering::Answer,
    authorize::authorize,
    visible::Told,
};
use crate::{
    core::{
        phase::Phase,
        schedule::{duration_in_words, parse_duration},
        status::UnheardNode,
    },
    engine::{
        barrier::{Safe, WaitError},
        fleet::missing::Missing,
    },
    web::{
        maintenance::Maintenance,
        permission::Permission,
        request::{query_pairs, unknown_parameter},
    },
};

/// How long one request waits unless it says otherwise, which is long enough to ask the store.
const WAIT: Duration = Duration::from_secs(1);
/// How long it may wait: less than proxies do.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Whether it is safe to change what the app works on.
#[derive(Debug, Serialize)]
struct Empty {
    /// Whether the mode is closed on every node, and nothing is being served.
    empty: bool,
    /// What the mode is; online: somebody has opened it.
    phase: Phase,
    /// Who or what is waited for, and why.
    missing: Vec<Missing>,
    /// How many nodes reported when it was found empty.
    nodes: usize,
    /// The nodes on whose death it depends that it is empty: nobody can tell whether they are dead.
    if_dead: Vec<UnheardNode>,
}

/// It is about one mode, which whoever asks may see.
impl Told for Empty {}

/// Waits a while, and says what is then.
pub(super) async fn empty(
    request: HttpRequest,
    key: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    authorize(&request, &maintenance, Permission::See, Some(&key)).await?;
    let at_most =
        wait(request.query_string()).map_err(|fault| faulty(&request, &maintenance, &[fault]))?;
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let waited = maintenance
        .wait_until_empty()
        .mode(key.as_str())
        // How many nodes report is part of the answer.
        .no_nodes()
        .at_most(at_most)
        .on_progress(move |missing| *hears.lock() = missing.to_vec())
        .safe()
        .await;
    let phase = maintenance.phase_of(&key).unwrap_or_default();
    let mut found = Empty {
        empty: false,
        phase,
        missing: Vec::new(),
        nodes: 0,
        if_dead: Vec::new(),
    };
    match waited {
        Ok(Safe { nodes, if_dead }) => {
            found.empty = true;
            found.nodes = nodes;
            found.if_dead = if_dead;
        }
        Err(WaitError::TimedOut { missing, .. }) => found.missing = missing,
        Err(WaitError::Reopened { phase, .. }) => found.phase = phase,
        Err(WaitError::Change(error)) => return Err(not_changed(&request, &maintenance, &error)),
        // It was told that none need be there.
        Err(WaitError::NoNodes { .. }) => found.empty = true,
    }
    Ok(document(StatusCode::OK, &found))
}

/// Reads the query: how long to wait.
fn wait(query: &str) -> Result<Duration, String> {
    let mut wait = WAIT;
    for (name, value) in query_pairs(query) {
        if name != "wait" {
            return Err(unknown_parameter("wait"));
        }
        wait = parse_duration(&value).map_err(|error| format!("`wait`: {error}"))?;
    }
    if wait > LONGEST_WAIT {
        let most = duration_in_words(LONGEST_WAIT);
        return Err(format!("`wait`: give at most {most}, and ask again"));
    }
    Ok(wait)
}
