//! The form by which somebody is let in who is to look although a mode is closed.

use actix_web::{
    HttpRequest,
    http::{Method, StatusCode},
    web,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    fault::{Fault, comes_again},
    page::{Choice, Page, see_other},
};
use crate::{
    core::{schedule::parse_duration, state::GrantKind, text::sentence},
    engine::grants::Granted,
    web::{
        admin::{
            answering::Answer,
            authorize::{authorize, authorize_change},
            form::Form,
            grants::{is_of, path_of_link},
            not_changed,
        },
        maintenance::Maintenance,
        permission::Permission,
        request::subject::{own_host, own_scheme},
    },
};

const MAKE: &str = "let somebody look in";
/// How many minutes a grant may last.
const DURATIONS: [i64; 5] = [60, 4 * 60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60];

/// `GET` shows the form, `POST` makes the grant and shows what it is known by, this once.
pub(in crate::web::admin) async fn grant(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    if request.method() != Method::POST {
        let caller = authorize(&request, &maintenance, Permission::Toggle, None).await?;
        let page = Page::of(&request, &maintenance, caller).await;
        let asked = GrantAsked::new(&page, None, None);
        return Ok(page.answer("grant", StatusCode::OK, &asked));
    }
    let form = Form::of_body(&body);
    let modes: Vec<String> = form.get("mode").map(str::to_owned).into_iter().collect();
    let caller = authorize_change(&request, &maintenance, None, MAKE).await?;
    if !is_of(&caller.modes, &modes, &maintenance) {
        let known = maintenance.engine.shared.modes.iter();
        let denied = modes.first().cloned().or_else(|| {
            let mut keys = known.map(|mode| mode.key.clone());
            keys.find(|key| !caller.modes.contains(key))
        });
        authorize_change(&request, &maintenance, denied.as_deref(), MAKE).await?;
    }
    let by = caller.by();
    let asked = caller.asks(&maintenance);
    let page = Page::of(&request, &maintenance, caller).await;
    let again = |fault: Fault| {
        let status = fault.status;
        let asked = GrantAsked::new(&page, Some(&form), Some(fault));
        page.answer("grant", status, &asked)
    };
    let lasting = form.get("for").map(parse_duration).transpose();
    let lasting = lasting.map_err(|error| {
        let text = format!("{}: {}", page.reader.text("not_done"), sentence(&error));
        again(Fault::of_text(text))
    })?;
    let mut grant = asked.grant(form.get("name").unwrap_or_default()).by(by);
    grant = match form.get("kind") {
        Some("token") => grant.token(),
        Some("address") => grant.address(form.get("address").unwrap_or_default()),
        _ => grant.link(),
    };
    for mode in modes {
        grant = grant.mode(mode);
    }
    if let Some(prefix) = form.get("prefix") {
        grant = grant.prefix(prefix);
    }
    if let Some(lasting) = lasting {
        grant = grant.lasting(lasting);
    }
    match grant.await {
        Ok(granted) => {
            let made = Made::new(&page, &granted);
            let asked = GrantAsked {
                made: Some(made),
                ..GrantAsked::new(&page, None, None)
            };
            Ok(page.answer("grant", StatusCode::OK, &asked))
        }
        Err(error) if comes_again(&request, &form, &maintenance) => {
            Err(again(Fault::of_change(&page, "", &error)))
        }
        Err(error) => Err(not_changed(&maintenance, &request, &error)),
    }
}

/// Revokes a grant by a button of the dashboard.
pub(in crate::web::admin) async fn revoke(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let form = Form::of_body(&body);
    let name = form.get("name").unwrap_or_default();
    let caller = authorize_change(&request, &maintenance, None, "revoke a grant").await?;
    let modes = maintenance.engine.shared.modes_of_grant(name);
    let may = modes.is_none_or(|modes| is_of(&caller.modes, &modes, &maintenance));
    if may {
        let revoked = caller
            .asks(&maintenance)
            .revoke_grant(name)
            .by(caller.by())
            .await;
        // One that is gone already is as it was to be.
        if let Err(error) = revoked
            && !matches!(
                error,
                crate::engine::change_error::ChangeError::UnknownGrant(_)
            )
        {
            return Err(not_changed(&maintenance, &request, &error));
        }
    }
    Ok(see_other(&request, &maintenance))
}

/// A grant that was made, with what is shown once.
#[derive(Debug, Serialize)]
struct Made {
    text: String,
    shown: Option<String>,
    hint: String,
}

impl Made {
    fn new(page: &Page<'_>, granted: &Granted) -> Self {
        let reader = &page.reader;
        let until = granted.until.map_or_else(
            || reader.text("grant_no_end").to_owned(),
            |until: Timestamp| reader.instant(until).text,
        );
        let values = [("name", granted.name.as_str()), ("time", until.as_str())];
        let (shown, hint) = match (granted.kind, granted.secret()) {
            (GrantKind::Link, Some(secret)) => {
                let path = path_of_link(page.request, page.maintenance, secret);
                let front = &page.maintenance.front;
                let link = match own_host(page.request, front) {
                    Some(host) => format!("{}://{host}{path}", own_scheme(page.request, front)),
                    None => path,
                };
                (Some(link), "grant_link_hint")
            }
            (GrantKind::Token, Some(secret)) => (
                Some(format!("X-Maintenance-Grant: {secret}")),
                "grant_token_hint",
            ),
            _ => (None, "grant_address_hint"),
        };
        Self {
            text: reader.filled_all("grant_made", &values),
            shown,
            hint: reader.text(hint).to_owned(),
        }
    }
}

#[derive(Debug, Serialize)]
struct GrantAsked {
    fault: Option<Fault>,
    made: Option<Made>,
    name: String,
    kinds: Vec<Choice>,
    address: String,
    /// None where there is one alone.
    modes: Vec<Choice>,
    prefix: String,
    durations: Vec<Choice>,
}

impl GrantAsked {
    fn new(page: &Page<'_>, written: Option<&Form>, fault: Option<Fault>) -> Self {
        let reader = &page.reader;
        let field = |name: &str| written.and_then(|form| form.get(name)).unwrap_or_default();
        let choice = |value: &str, text: String, chosen: &str| Choice {
            is_chosen: value == chosen,
            value: value.to_owned(),
            text,
        };
        let kinds = [GrantKind::Link, GrantKind::Token, GrantKind::Address];
        let known = &page.maintenance.engine.shared.modes;
        let mut modes = Vec::new();
        if known.len() > 1 {
            if known.iter().all(|mode| page.switchable.contains(&mode.key)) {
                modes.push(choice(
                    "",
                    reader.text("all_modes").to_owned(),
                    field("mode"),
                ));
            }
            let may = known
                .iter()
                .filter(|mode| page.switchable.contains(&mode.key));
            modes.extend(may.map(|mode| choice(&mode.key, mode.label.clone(), field("mode"))));
        }
        let each = DURATIONS.into_iter().map(|minutes| {
            let duration = reader.duration(SignedDuration::from_mins(minutes));
            let text = reader.filled("for_after", "duration", &duration);
            choice(&format!("{minutes}m"), text, field("for"))
        });
        let for_ever = choice("", reader.text("grant_no_end").to_owned(), field("for"));
        let mut durations: Vec<Choice> = each.chain([for_ever]).collect();
        if written.is_none() {
            for (place, duration) in durations.iter_mut().enumerate() {
                duration.is_chosen = place == 0;
            }
        }
        Self {
            fault,
            made: None,
            name: field("name").to_owned(),
            kinds: kinds
                .into_iter()
                .map(|kind| {
                    let text = reader.text(&format!("grant_{}", kind.as_str())).to_owned();
                    choice(kind.as_str(), text, field("kind"))
                })
                .collect(),
            address: field("address").to_owned(),
            modes,
            prefix: field("prefix").to_owned(),
            durations,
        }
    }
}
