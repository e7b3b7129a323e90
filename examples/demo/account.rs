//! Log-in without a password, log-out, and who the crate takes the visitor for.

use actix_maintenance_mode::{Maintenance, Visitor};
use actix_session::Session;
use actix_web::{
    Error, HttpRequest, HttpResponse, error,
    http::header::LOCATION,
    web::{Data, Json, Path, Query},
};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct Destination {
    next: Option<String>,
}

pub(crate) async fn login(
    role: Path<String>,
    destination: Query<Destination>,
    session: Session,
) -> Result<HttpResponse, Error> {
    let (staff, superuser) = match role.as_str() {
        "user" => (false, false),
        "staff" => (true, false),
        // As in Django, a superuser belongs to the staff.
        "superuser" => (true, true),
        _ => {
            return Err(error::ErrorNotFound(
                "Log in as user, staff or superuser.\n",
            ));
        }
    };
    session.clear();
    session.insert("user_id", role.as_str())?;
    session.insert("is_staff", staff)?;
    session.insert("is_superuser", superuser)?;
    session.renew();
    Ok(sent_to(&destination))
}

pub(crate) async fn logout(destination: Query<Destination>, session: Session) -> HttpResponse {
    session.purge();
    sent_to(&destination)
}

fn sent_to(destination: &Destination) -> HttpResponse {
    let target = own_path(destination.next.as_deref()).unwrap_or_else(|| "/".to_owned());
    HttpResponse::SeeOther()
        .insert_header((LOCATION, target))
        .insert_header(("Cache-Control", "no-store"))
        .finish()
}

/// The path to return to, if it is one of this site: nobody is to be led elsewhere by a link to
/// here. Browsers take `//host` and `/\host` for other sites and drop tabs and line ends.
fn own_path(next: Option<&str>) -> Option<String> {
    let next = next?;
    let is_own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.contains(char::is_control);
    is_own.then(|| {
        next.bytes()
            .map(|byte| match byte {
                b'!'..=b'~' => char::from(byte).to_string(),
                // A header holds ASCII only.
                _ => format!("%{byte:02X}"),
            })
            .collect()
    })
}

#[derive(Serialize)]
pub(crate) struct Known {
    #[serde(flatten)]
    visitor: Visitor,
    address: Option<std::net::IpAddr>,
}

/// What the rules of the settings would judge by.
pub(crate) async fn whoami(request: HttpRequest, maintenance: Data<Maintenance>) -> Json<Known> {
    Json(Known {
        visitor: maintenance.visitor(&request).await,
        address: maintenance.client_address(&request),
    })
}
