//! What those who may see can read: `/status`, `/history` and `/explain`.

use std::time::Duration;

use actix_web::{HttpRequest, http::StatusCode, web};
use serde::Serialize;
use tokio::time::timeout;

use super::{
    answer::document,
    answering::Answer,
    authorize::may_see,
    visible::{Told, Visible},
};
use crate::{
    core::{
        status::{period::PastPeriod, whole::Status},
        text::sentence,
    },
    web::{
        explain::{Inquiry, Role, explain_to},
        maintenance::Maintenance,
        request::query_pairs,
    },
};

/// How long the store may take to say which nodes and tasks there are.
const ASK_PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn status(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let (_, sight) = may_see(&request, &maintenance).await?;
    let status = sight.status(asked(&maintenance).await);
    Ok(document(StatusCode::OK, &status))
}

/// What is, with the nodes and tasks of now; of before, if the store does not answer soon.
async fn asked(maintenance: &Maintenance) -> Status {
    match timeout(ASK_PATIENCE, maintenance.ask_status_without_request()).await {
        Ok(Ok(status)) => status,
        Ok(Err(_)) | Err(_) => maintenance.status_without_request(),
    }
}

#[derive(Debug, Serialize)]
struct History {
    history: Visible<Vec<PastPeriod>>,
}

impl Told for History {}

pub(super) async fn history(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let (_, sight) = may_see(&request, &maintenance).await?;
    let history = sight.history(maintenance.history());
    Ok(document(StatusCode::OK, &History { history }))
}

/// Asks the app's own routes, too: the request that asks has the map of them.
pub(super) async fn explanation(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let (_, sight) = may_see(&request, &maintenance).await?;
    let inquiry = read_inquiry(request.query_string()).map_err(|faults| {
        maintenance.front.responses.notice(
            request.headers(),
            StatusCode::BAD_REQUEST,
            "Not understood",
            &faults.join(" "),
        )
    })?;
    let routes = Some(request.resource_map());
    let explanation =
        sight.worked_out(|may_hear_of| explain_to(&maintenance, &inquiry, routes, may_hear_of));
    Ok(document(StatusCode::OK, &explanation))
}

/// Reads the query of `/explain`, or says all that is wrong with it.
fn read_inquiry(query: &str) -> Result<Inquiry, Vec<String>> {
    let mut faults = Vec::new();
    let (mut method, mut path, mut address) = (None, None, None);
    let (mut role, mut host) = (None, None);
    for (name, value) in query_pairs(query) {
        let known = match name.as_str() {
            "method" => &mut method,
            "path" => &mut path,
            "address" => &mut address,
            "role" => &mut role,
            "host" => &mut host,
            _ => {
                faults.push(
                    "There is a parameter that is not known; known are path, method, address, \
                     role and host."
                        .to_owned(),
                );
                continue;
            }
        };
        if known.replace(value).is_some() {
            faults.push(format!("`{name}` is there twice."));
        }
    }
    let role = role.as_deref().map_or(Ok(Role::default()), str::parse);
    let role = role.map_err(|error| faults.push(format!("`role`: {}", sentence(&error))));
    let address = address.map(|address| address.parse()).transpose();
    let address = address.map_err(|_| {
        faults.push("`address`: Give an IPv4 or IPv6 address, such as 192.0.2.7.".to_owned());
    });
    let Some(path) = path else {
        faults.push("`path` is missing; give one such as ?path=/shop/1.".to_owned());
        return Err(faults);
    };
    let inquiry = Inquiry::new(method.as_deref().unwrap_or("GET"), &path)
        .map_err(|error| faults.push(sentence(&error)));
    match (inquiry, role, address) {
        (Ok(mut inquiry), Ok(role), Ok(address)) if faults.is_empty() => {
            inquiry = inquiry.role(role);
            if let Some(address) = address {
                inquiry = inquiry.address(address);
            }
            if let Some(host) = host {
                inquiry = inquiry.host(host);
            }
            Ok(inquiry)
        }
        _ => Err(faults),
    }
}
