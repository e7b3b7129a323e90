//! Whether whoever sends a request to the admin scope may do what it asks for.

use std::net::IpAddr;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, HeaderValue, LOCATION, RETRY_AFTER, VARY},
    },
};

use super::{answer::refusal, origin, visible::Visibility, visitor};
use crate::{
    clock::steady,
    core::{
        audit::{AuditEntry, AuditOutcome, Author, How, event},
        public_path::in_public,
        visitor::Visitor,
    },
    web::{
        maintenance::Maintenance,
        observe,
        permission::Permission,
        refusal::negotiate::{ResponseFormat, negotiate},
        token::{Shown, Wrong, wait_in_seconds},
    },
};

/// How the history tells a program from a user.
const TOKEN: &str = "token ";
/// How it tells a user whose id could be taken for something else.
const USER: &str = "user ";

/// Who sends a request, and with which modes they may do what was asked for.
#[derive(Debug)]
pub(super) struct Caller {
    /// Who it is; a program by the name of its token.
    visitor: Visitor,
    /// The keys of the modes with which they may.
    pub(super) modes: Vec<String>,
    by_token: bool,
    /// Why the token does not count that came with the request.
    wrong: Option<Wrong>,
    address: Option<IpAddr>,
    how: How,
}

impl Caller {
    /// Who it is, for the audit.
    pub(super) fn author(&self) -> Author {
        Author {
            by: self.name(),
            how: self.how,
            address: self.address,
        }
    }

    /// The handle by which the caller makes changes: the audit says whose they are.
    pub(super) fn asks(&self, maintenance: &Maintenance) -> Maintenance {
        maintenance.asked_by(self.author())
    }

    /// Whether it is known who it is.
    pub(super) fn is_authenticated(&self) -> bool {
        self.visitor.authenticated || self.by_token
    }

    /// Whether the request carries a token, which no browser adds by itself.
    pub(super) fn by_token(&self) -> bool {
        self.by_token
    }

    /// Who it is, as the history says it: `token NAME` for a program, and for a user the id. No
    /// user's id can be taken for a token.
    pub(super) fn by(&self) -> String {
        match self.name() {
            Some(name) => name,
            None if self.visitor.superuser => "a superuser".to_owned(),
            None => "somebody".to_owned(),
        }
    }

    /// As [`by`](Self::by), if it is known who it is.
    pub(super) fn name(&self) -> Option<String> {
        let id = self.visitor.id.as_deref()?;
        Some(if self.by_token {
            format!("{TOKEN}{id}")
        } else if id.starts_with(TOKEN) || id.starts_with(USER) {
            format!("{USER}{id}")
        } else {
            id.to_owned()
        })
    }

    /// The name of the token, also of one that does not count any more.
    fn token(&self) -> Option<&str> {
        let valid = self.visitor.id.as_deref().filter(|_| self.by_token);
        valid.or_else(|| self.wrong.as_ref().and_then(Wrong::name))
    }
}

/// Who is asking, and the modes with which they may do this: by a token, or by who the visitor is.
///
/// A bearer token that is none of the settings' may be one of the app's own, so the app's identity
/// is asked then.
pub(super) async fn caller(
    request: &HttpRequest,
    maintenance: &Maintenance,
    permission: Permission,
) -> Caller {
    let shared = &maintenance.engine.shared;
    maintenance.tell_if_unenforced();
    let address = maintenance.client_address(request);
    let now = shared.clock.now();
    let wrong = match maintenance
        .front
        .tokens
        .look(request.headers(), address, now, steady::now())
    {
        Shown::Nothing => None,
        Shown::Wrong(wrong) => Some(wrong),
        Shown::Valid(token) => {
            let modes = shared.modes.iter();
            let caller = Caller {
                visitor: Visitor::user(&token.name),
                modes: modes
                    .map(|mode| &mode.key)
                    .filter(|key| token.may(permission, key))
                    .cloned()
                    .collect(),
                by_token: true,
                wrong: None,
                address,
                how: How::Api,
            };
            if maintenance
                .front
                .tokens
                .is_news(token, address, steady::now())
            {
                let used = AuditEntry::new(event::TOKEN_USED, &caller.author(), now);
                shared.audit.note(used);
            }
            return caller;
        }
    };
    let visitor = visitor(maintenance, request).await;
    let wrong = wrong.filter(|wrong| {
        if visitor.authenticated && *wrong == Wrong::Unknown {
            maintenance.front.tokens.was_another(address);
        }
        !visitor.authenticated
    });
    if let Some(wrong) = &wrong {
        log_wrong_token(wrong, address);
        note_wrong_token(wrong, address, maintenance);
    }
    Caller {
        modes: maintenance.permitted_modes(&visitor, permission).await,
        visitor,
        by_token: false,
        wrong,
        address,
        how: match origin::is_of_a_browser(request.headers()) {
            true => How::Browser,
            false => How::Api,
        },
    }
}

/// A token that was not looked at for its number is not told: the first ones were.
fn note_wrong_token(wrong: &Wrong, address: Option<IpAddr>, maintenance: &Maintenance) {
    if matches!(wrong, Wrong::TooMany { .. }) {
        return;
    }
    let shared = &maintenance.engine.shared;
    let author = Author {
        by: wrong.name().map(|name| format!("{TOKEN}{name}")),
        how: How::Api,
        address,
    };
    let entry = AuditEntry::new(event::TOKEN_REFUSED, &author, shared.clock.now());
    let entry = entry.ending(AuditOutcome::Refused, wrong.word());
    shared.audit.note_try(entry);
}

/// Notes that somebody asked for what they may not. That somebody unknown asked to see it is of every
/// day.
fn note_refusal(
    caller: &Caller,
    maintenance: &Maintenance,
    permission: Permission,
    mode: Option<&str>,
    why: &str,
) {
    let event = match permission {
        Permission::Toggle => event::TOGGLE_REFUSED,
        Permission::See if caller.is_authenticated() => event::SEE_REFUSED,
        Permission::See => return,
    };
    let shared = &maintenance.engine.shared;
    // What somebody made up is no mode.
    let mode = mode.filter(|mode| maintenance.engine.find_mode(mode).is_ok());
    let entry = AuditEntry::new(event, &caller.author(), shared.clock.now()).of_mode(mode);
    shared
        .audit
        .note_try(entry.ending(AuditOutcome::Refused, why));
}

/// What whoever sends a request may see.
pub(crate) async fn sight(request: &HttpRequest, maintenance: &Maintenance) -> Visibility {
    let caller = caller(request, maintenance, Permission::See).await;
    Visibility::of(caller.modes, maintenance.engine.shared.modes.len())
}

/// Lets those on who may see anything, with what they may see.
pub(super) async fn may_see(
    request: &HttpRequest,
    maintenance: &Maintenance,
) -> Result<(Caller, Visibility), HttpResponse> {
    let caller = authorize(request, maintenance, Permission::See, None).await?;
    let sight = Visibility::of(caller.modes.clone(), maintenance.engine.shared.modes.len());
    Ok((caller, sight))
}

/// As [`authorize`] with the permission to switch, for what changes something: a session must not
/// be made to do it by a page of another site. `what` says what it changes, as it follows "to".
pub(super) async fn authorize_change(
    request: &HttpRequest,
    maintenance: &Maintenance,
    mode: Option<&str>,
    what: &str,
) -> Result<Caller, HttpResponse> {
    let caller = authorize(request, maintenance, Permission::Toggle, mode).await?;
    if caller.by_token {
        return Ok(caller);
    }
    match origin::check(request, &maintenance.front) {
        Ok(()) => Ok(caller),
        Err(foreign) => {
            tracing::warn!(
                event = observe::TOGGLE_REFUSED,
                by = caller.name(),
                address = caller.address.map(tracing::field::display),
                mode,
                why = %foreign,
                "a request to {what} was refused for its origin"
            );
            let why = foreign.to_string();
            note_refusal(&caller, maintenance, Permission::Toggle, mode, &why);
            Err(refusal(
                request,
                maintenance,
                StatusCode::FORBIDDEN,
                "Refused for its origin",
                &format!("{foreign} Nothing was changed. Open this address yourself to {what}."),
            ))
        }
    }
}

/// Lets those on who may, with this mode or, where none is named, with any. The others get the
/// response: the way to the log-in page, or the refusal.
pub(super) async fn authorize(
    request: &HttpRequest,
    maintenance: &Maintenance,
    permission: Permission,
    mode: Option<&str>,
) -> Result<Caller, HttpResponse> {
    let caller = caller(request, maintenance, permission).await;
    let may = match mode {
        Some(mode) if maintenance.engine.find_mode(mode).is_ok() => {
            caller.modes.iter().any(|key| key == mode)
        }
        // That there is no such mode is told to those only from whom no mode is hidden. To the
        // others it is as one that they may not touch.
        Some(_) => caller.modes.len() == maintenance.engine.shared.modes.len(),
        None => !caller.modes.is_empty(),
    };
    if may {
        return Ok(caller);
    }
    if caller.wrong.is_none() {
        log_refusal(&caller, permission, mode);
        note_refusal(&caller, maintenance, permission, mode, "permission");
    }
    let visitor = &caller.visitor;
    let login = maintenance
        .front
        .login_url
        .as_deref()
        .filter(|_| !visitor.authenticated && caller.token().is_none() && caller.wrong.is_none())
        .filter(|_| is_page_request(request));
    Err(match login {
        Some(login) => sent_to_log_in(request, maintenance, permission, login),
        None => refused(request, maintenance, permission, &caller),
    })
}

/// That somebody asked to see what they may not is of every day; a try to switch is worth a look.
fn log_refusal(caller: &Caller, permission: Permission, mode: Option<&str>) {
    let by = caller.name();
    let token = caller.token();
    let address = caller.address.map(tracing::field::display);
    let what = permission.in_words();
    match permission {
        Permission::Toggle => tracing::info!(
            event = observe::TOGGLE_REFUSED,
            by,
            token,
            address,
            mode,
            why = "permission",
            "somebody who may not asked to {what}"
        ),
        Permission::See => tracing::debug!(
            event = observe::SEE_REFUSED,
            by,
            token,
            address,
            why = "permission",
            "somebody who may not asked to {what}"
        ),
    }
}

fn log_wrong_token(wrong: &Wrong, address: Option<IpAddr>) {
    let token = wrong.name();
    let address = address.map(tracing::field::display);
    let why = wrong.word();
    match wrong {
        Wrong::Unknown | Wrong::Expired { .. } => tracing::warn!(
            event = observe::TOKEN_REFUSED,
            token,
            address,
            why,
            "a token was refused"
        ),
        // As often as somebody likes.
        Wrong::TooMany { .. } => tracing::debug!(
            event = observe::TOKEN_REFUSED,
            token,
            address,
            why,
            "a token was not looked at"
        ),
    }
}

fn is_page_request(request: &HttpRequest) -> bool {
    negotiate(request.headers()) == ResponseFormat::Html
        && [Method::GET, Method::HEAD, Method::POST].contains(request.method())
}

fn sent_to_log_in(
    request: &HttpRequest,
    maintenance: &Maintenance,
    permission: Permission,
    login: &str,
) -> HttpResponse {
    // Never back to what changes something: a link of another site would then come from this one
    // after the log-in. From the dashboard it is one click.
    let next = match permission {
        Permission::See if request.method() != Method::POST => {
            let uri = request.uri();
            uri.path_and_query()
                .map_or_else(|| uri.path(), |path| path.as_str())
        }
        _ => maintenance.front.admin_path.as_str(),
    };
    let prefix = maintenance.front.public_prefix(request);
    let next = in_public(&prefix, next);
    // A path is one of this app; anything else is elsewhere.
    let login = if login.starts_with('/') && !login.starts_with("//") {
        in_public(&prefix, login)
    } else {
        login.to_owned()
    };
    HttpResponse::SeeOther()
        .insert_header((LOCATION, with_next(&login, &next)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "Accept"))
        .finish()
}

/// The address with one more parameter in its query, before its fragment.
fn with_next(address: &str, next: &str) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (address, None),
    };
    let mut target = address.to_owned();
    target.push(if address.contains('?') { '&' } else { '?' });
    target.push_str("next=");
    for byte in next.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            target.push(char::from(byte));
        } else {
            target.push_str(&format!("%{byte:02X}"));
        }
    }
    if let Some(fragment) = fragment {
        target.push('#');
        target.push_str(fragment);
    }
    target
}

fn refused(
    request: &HttpRequest,
    maintenance: &Maintenance,
    permission: Permission,
    caller: &Caller,
) -> HttpResponse {
    let what = permission.in_words();
    let detail = if let Some(wrong) = &caller.wrong {
        wrong.to_string()
    } else if let Some(token) = caller.token() {
        format!("The token `{token}` may not {what}, or not with this mode.")
    } else if maintenance.front.permissions.is_for_superusers(permission) {
        format!("Only superusers may {what}. Log in as one and try again.")
    } else {
        format!("You may not {what}. Log in as somebody who may and try again.")
    };
    if let Some(Wrong::TooMany { wait }) = caller.wrong {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = refusal(request, maintenance, status, "Too many", &detail);
        let seconds = HeaderValue::from(wait_in_seconds(wait));
        response.headers_mut().insert(RETRY_AFTER, seconds);
        return response;
    }
    refusal(
        request,
        maintenance,
        StatusCode::FORBIDDEN,
        "Not allowed",
        &detail,
    )
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
