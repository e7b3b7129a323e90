//! Whether whoever sends a request to the admin scope may do what it asks for.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, LOCATION, VARY},
    },
};

use super::{answer::refusal, origin, visitor};
use crate::web::{
    maintenance::Maintenance,
    observe,
    permission::Permission,
    refusal::negotiate::{ResponseFormat, negotiate},
    visitor::identity::Visitor,
};

/// Somebody who may do what was asked for.
#[derive(Debug)]
pub(super) struct Authorized {
    /// Who it is; a program by the name of its token.
    pub(super) visitor: Visitor,
    /// The keys of the modes with which they may.
    pub(super) modes: Vec<String>,
    by_token: bool,
}

impl Authorized {
    /// Whether the request carries a token, which no browser adds by itself.
    pub(super) fn by_token(&self) -> bool {
        self.by_token
    }

    /// Who it is, as the history says it.
    pub(super) fn by(&self) -> String {
        self.visitor.id.clone().unwrap_or_else(|| {
            let somebody = if self.visitor.superuser {
                "a superuser"
            } else {
                "somebody"
            };
            somebody.to_owned()
        })
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
) -> Authorized {
    if let Some(token) = maintenance.shared.tokens.find(request.headers()) {
        let modes = maintenance.shared.modes.iter();
        return Authorized {
            visitor: Visitor::user(&token.name),
            modes: modes
                .map(|mode| &mode.key)
                .filter(|key| token.may(permission, key))
                .cloned()
                .collect(),
            by_token: true,
        };
    }
    let visitor = visitor(maintenance, request).await;
    Authorized {
        modes: maintenance.permitted_modes(&visitor, permission).await,
        visitor,
        by_token: false,
    }
}

/// As [`authorize`] with the permission to switch, for what changes something: a session must not
/// be made to do it by a page of another site. `what` says what it changes, as it follows "to".
pub(super) async fn authorize_change(
    request: &HttpRequest,
    maintenance: &Maintenance,
    mode: Option<&str>,
    what: &str,
) -> Result<Authorized, HttpResponse> {
    let authorized = authorize(request, maintenance, Permission::Toggle, mode).await?;
    if authorized.by_token {
        return Ok(authorized);
    }
    match origin::check(request, &maintenance.shared) {
        Ok(()) => Ok(authorized),
        Err(foreign) => {
            let by = &authorized.visitor.id;
            tracing::warn!(
                event = observe::TOGGLE_REFUSED,
                by,
                mode,
                why = %foreign,
                "a request to {what} was refused for its origin"
            );
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
) -> Result<Authorized, HttpResponse> {
    let caller = caller(request, maintenance, permission).await;
    // A mode that is not there is told of to those who may do anything at all.
    let is_known = |key: &&str| maintenance.find_mode(key).is_ok();
    let may = match mode.filter(is_known) {
        Some(mode) => caller.modes.iter().any(|key| key == mode),
        None => !caller.modes.is_empty(),
    };
    if may {
        return Ok(caller);
    }
    let visitor = &caller.visitor;
    tracing::info!(
        event = observe::TOGGLE_REFUSED,
        by = visitor.id,
        mode,
        why = "permission",
        "somebody who may not asked to {}",
        permission.in_words()
    );
    let login = maintenance
        .shared
        .login_url
        .as_deref()
        .filter(|_| !visitor.authenticated && is_page_request(request));
    Err(match login {
        Some(login) => sent_to_log_in(request, maintenance, permission, login),
        None => refused(request, maintenance, permission, &caller),
    })
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
        _ => maintenance.shared.admin_path.as_str(),
    };
    HttpResponse::SeeOther()
        .insert_header((LOCATION, with_next(login, next)))
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
    caller: &Authorized,
) -> HttpResponse {
    let shared = &maintenance.shared;
    let what = permission.in_words();
    let detail = if caller.by_token {
        let name = caller.by();
        format!("The token `{name}` may not {what}, or not with this mode.")
    } else if shared.permissions.is_for_superusers(permission) {
        format!("Only superusers may {what}. Log in as one and try again.")
    } else {
        format!("You may not {what}. Log in as somebody who may and try again.")
    };
    refusal(
        request,
        maintenance,
        StatusCode::FORBIDDEN,
        "Not allowed",
        &detail,
    )
}

#[cfg(test)]
mod tests {
    use super::with_next;

    #[test]
    fn the_way_back_is_one_more_parameter() {
        for (address, target) in [
            ("/login", "/login?next=/m/status%3Fa%3D1%26b%3D%2523"),
            (
                "/login?x=y",
                "/login?x=y&next=/m/status%3Fa%3D1%26b%3D%2523",
            ),
            ("/#log-in", "/?next=/m/status%3Fa%3D1%26b%3D%2523#log-in"),
        ] {
            assert_eq!(with_next(address, "/m/status?a=1&b=%23"), target);
        }
    }
}
