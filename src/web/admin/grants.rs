//! `/grants`: who may look in although a mode is closed, for programs.

use std::time::Duration;

use actix_web::{HttpRequest, http::StatusCode, web};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    answer::{document, faulty, not_changed, unread},
    answering::Answer,
    authorize::{authorize, authorize_change},
    body::Members,
    visible::Told,
};
use crate::{
    core::{
        limits::{LONGEST_GRANT_NAME, MOST_PREFIXES},
        state::GrantKind,
        status::grants::GrantStatus,
    },
    engine::{change_error::ChangeError, grants::AddGrant},
    web::{maintenance::Maintenance, permission::Permission},
};

const MAKE: &str = "let somebody look in";
const REVOKE: &str = "revoke a grant";
/// How many modes one grant may name.
const MOST_MODES: usize = 100;

/// A grant that was made. Whoever made it is told what it is known by, and nobody else ever is.
#[derive(Debug, Serialize)]
struct Made {
    name: String,
    kind: GrantKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Of a link: the path that it leads to, as visitors see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Told for Made {}

/// Those of which the caller may switch every mode.
#[derive(Debug, Serialize)]
struct Listed {
    grants: Vec<GrantStatus>,
}

impl Told for Listed {}

#[derive(Debug, Serialize)]
struct Revoked {
    changed: bool,
}

impl Told for Revoked {}

/// Whether whoever may switch these modes may have to do with a grant for those.
pub(super) fn is_of(switchable: &[String], modes: &[String], maintenance: &Maintenance) -> bool {
    let may = |mode: &String| switchable.contains(mode);
    let mut known = maintenance.engine.shared.modes.iter();
    // Whoever may switch all has to do also with modes that there are no more.
    known.all(|mode| may(&mode.key)) || !modes.is_empty() && modes.iter().all(may)
}

/// The grants that a caller may have to do with.
pub(super) fn listed(maintenance: &Maintenance, switchable: &[String]) -> Vec<GrantStatus> {
    let mut grants = maintenance.grants();
    grants.retain(|grant| is_of(switchable, &grant.modes, maintenance));
    grants
}

/// The address of a link, as visitors see its path.
pub(super) fn path_of_link(
    request: &HttpRequest,
    maintenance: &Maintenance,
    secret: &str,
) -> String {
    let front = &maintenance.front;
    front.public(request, &format!("{}/enter/{secret}", front.admin_path))
}

pub(super) async fn make(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let caller = authorize_change(&request, &maintenance, None, MAKE).await?;
    let members = Members::read(&request, body)
        .map_err(|unreadable| unread(&request, &maintenance, &unreadable))?;
    let (grant, modes, warnings) = read(members, &caller.asks(&maintenance))
        .map_err(|faults| faulty(&request, &maintenance, &faults))?;
    let all: Vec<String> = match modes.as_slice() {
        [] => {
            let known = maintenance.engine.shared.modes.iter();
            known.map(|mode| mode.key.clone()).collect()
        }
        modes => modes.to_vec(),
    };
    if let Some(mode) = all.iter().find(|mode| !caller.modes.contains(mode)) {
        // That there is no such mode is told to those only from whom none is hidden.
        authorize_change(&request, &maintenance, Some(mode), MAKE).await?;
        let found = maintenance.engine.find_mode(mode);
        found.map_err(|error| not_changed(&request, &maintenance, &error))?;
    }
    let granted = grant.by(caller.by()).await;
    let granted = granted.map_err(|error| not_changed(&request, &maintenance, &error))?;
    let secret = granted.secret().map(str::to_owned);
    let is_link = granted.kind == GrantKind::Link;
    let made = Made {
        path: secret
            .as_deref()
            .filter(|_| is_link)
            .map(|secret| path_of_link(&request, &maintenance, secret)),
        name: granted.name,
        kind: granted.kind,
        until: granted.until,
        secret,
        warnings,
    };
    Ok(document(StatusCode::CREATED, &made))
}

pub(super) async fn list(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let caller = authorize(&request, &maintenance, Permission::Toggle, None).await?;
    // With what the nodes tell now; of before, if the store does not answer.
    let _ = maintenance.ask_status_without_request().await;
    let grants = listed(&maintenance, &caller.modes);
    Ok(document(StatusCode::OK, &Listed { grants }))
}

pub(super) async fn revoke(
    request: HttpRequest,
    name: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let caller = authorize_change(&request, &maintenance, None, REVOKE).await?;
    let modes = maintenance.engine.shared.modes_of_grant(&name);
    let may = modes.is_none_or(|modes| is_of(&caller.modes, &modes, &maintenance));
    if !may {
        // Of what somebody may not see there is nothing.
        let error = ChangeError::UnknownGrant(name.into_inner());
        return Err(not_changed(&request, &maintenance, &error));
    }
    let revoked = caller
        .asks(&maintenance)
        .revoke_grant(name.as_str())
        .by(caller.by())
        .await;
    let change = revoked.map_err(|error| not_changed(&request, &maintenance, &error))?;
    let changed = change.changed;
    Ok(document(StatusCode::OK, &Revoked { changed }))
}

/// What a body asks for, and what is to be said of how it was read.
type Asked = (AddGrant, Vec<String>, Vec<String>);

fn read(mut members: Members, maintenance: &Maintenance) -> Result<Asked, Vec<String>> {
    let shared = &maintenance.engine.shared;
    let name = members.needed_text("name");
    let kind: Option<GrantKind> = members.one_of("kind");
    let address = members.text("address");
    let modes = members.texts("modes", MOST_MODES);
    let prefixes = members.texts("prefixes", MOST_PREFIXES);
    let until = members.time("until", shared.time_zone.as_ref(), shared.clock.now());
    let lasting: Option<Duration> = members.duration("for");
    if until.is_some() && lasting.is_some() {
        members.contradict("until", "for");
    }
    let mut faults = members.into_faults();
    let is_address = kind == Some(GrantKind::Address) || kind.is_none() && address.is_some();
    if is_address && address.is_none() {
        faults
            .push("`address`: an address or a network is needed, such as 192.0.2.0/24".to_owned());
    }
    if !is_address && address.is_some() {
        faults.push("`address`: only a grant of the kind address has one".to_owned());
    }
    let Some(name) = name.filter(|_| faults.is_empty()) else {
        return Err(faults);
    };
    if name.chars().count() > LONGEST_GRANT_NAME {
        return Err(vec![format!(
            "`name`: give at most {LONGEST_GRANT_NAME} characters"
        )]);
    }
    let mut grant = maintenance.grant(name);
    grant = match (kind, address) {
        (_, Some(address)) => grant.address(address),
        (Some(GrantKind::Token), None) => grant.token(),
        _ => grant.link(),
    };
    for mode in &modes {
        grant = grant.mode(mode);
    }
    for prefix in prefixes {
        grant = grant.prefix(prefix);
    }
    let mut warnings = Vec::new();
    if let Some((until, note)) = until {
        grant = grant.until(until);
        warnings.extend(note);
    }
    if let Some(lasting) = lasting {
        grant = grant.lasting(lasting);
    }
    Ok((grant, modes, warnings))
}
