//! `held` in a `PUT` of `/modes/{key}`, and `POST /modes/{key}/held`: a mode that a program holds from
//! elsewhere, such as a job of a deployment.

use std::{io, time::Duration};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::{
    answer::{Changed, document, faulty, not_changed, unread},
    answering::Answer,
    authorize::{authorize_change, sight},
    body::Members,
};
use crate::{
    core::{secret::Secret, state::Hold, words::words},
    engine::{
        change_error::ChangeError,
        holding::{HoldWish, holder_of, let_go, put_lease},
    },
    store::StoreError,
    web::{
        maintenance::Maintenance,
        token::{hash_of, secret_and_hash},
    },
};

/// How long a program has, unless it says otherwise, to renew what it holds. It talks to the site over
/// a network, and is perhaps a loop in a shell.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What a program holds, and the secret by which it renews that.
pub(super) struct Held {
    pub(super) id: Secret,
    pub(super) hold: Hold,
}

impl Held {
    /// Puts the lease; what the document says comes after it.
    pub(super) async fn put(
        wish: &HoldWish,
        by: String,
        maintenance: &Maintenance,
    ) -> Result<Self, ChangeError> {
        let no_random = |error: io::Error| {
            let why = format!("the system has no random numbers: {error}");
            ChangeError::Store(StoreError::new(why))
        };
        let (id, token) = secret_and_hash().map_err(no_random)?;
        let now = maintenance.engine.shared.clock.now();
        let hold = wish.hold(&token, Some(by), now);
        put_lease(&maintenance.engine, &hold).await?;
        Ok(Self { id, hold })
    }
}

/// What `held` says.
pub(super) fn wish(members: &mut Members) -> HoldWish {
    HoldWish {
        name: Some(members.text("name").unwrap_or_else(|| "a job".to_owned())),
        if_lost: members.one_of("if_lost").unwrap_or_default(),
        time_to_live: members
            .duration_between("ttl", SHORTEST, LONGEST)
            .unwrap_or(TIME_TO_LIVE),
        alone: true,
        within: members.text("within").as_deref().map(hash_of),
    }
}

/// What a program leaves behind that has done what it held the mode for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// What was before.
    PutBack,
    /// What it switched.
    Keep,
}

words! {
    /// The word in the API.
    Done {
        PutBack = "put-back",
        Keep = "keep",
    }
}

/// Renews what a program holds, or lets go of it.
pub(super) async fn renew(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    key: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let what = "hold maintenance";
    let caller = authorize_change(&request, &maintenance, Some(&key), what).await?;
    let mut members = Members::read(&request, body)
        .map_err(|unreadable| unread(&request, &maintenance, &unreadable))?;
    let id = members.needed_text("id");
    // Nothing: it goes on.
    let done = members.one_of::<Done>("done");
    let faults = members.into_faults();
    let Some(id) = id.filter(|_| faults.is_empty()) else {
        return Err(faulty(&request, &maintenance, &faults));
    };
    let not_changed = |error| not_changed(&request, &maintenance, &error);
    let engine = &caller.asks(&maintenance).engine;
    let found = holder_of(engine, &key, &hash_of(&id)).await;
    let hold = found.map_err(not_changed)?;
    let Some(done) = done else {
        put_lease(engine, &hold).await.map_err(not_changed)?;
        return Ok(HttpResponse::NoContent().finish());
    };
    let change = let_go(engine, &key, &hold, done == Done::Keep)
        .await
        .map_err(not_changed)?;
    let sight = sight(&request, &maintenance).await;
    Ok(document(StatusCode::OK, &Changed::new(change, &sight)))
}
