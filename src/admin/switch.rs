//! `/on` and `/off`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION},
    },
    web,
};

use super::{authorize::authorize_change, not_changed, prefers_json};
use crate::{
    change::{Change, ChangeError},
    maintenance::Maintenance,
    shared::query_pairs,
};

/// The longest message or reason, in bytes. They are stored, and shown on every refusal.
const LONGEST_TEXT: usize = 4096;

pub(super) async fn turn_on(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    answer(&request, &body, &maintenance, true).await
}

pub(super) async fn turn_off(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    answer(&request, &body, &maintenance, false).await
}

/// What a request to switch says, in its query or its form.
#[derive(Debug, Default)]
struct Wishes {
    mode: Option<String>,
    next: Option<String>,
    message: Option<String>,
    reason: Option<String>,
}

/// Why a body cannot be read. A change without the message that came with it is not what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unreadable {
    #[error("The body is no form. Send it as application/x-www-form-urlencoded, or none.")]
    NoForm,
    #[error("The form is not in UTF-8.")]
    NotUtf8,
}

impl Unreadable {
    fn status(self) -> StatusCode {
        match self {
            Self::NoForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotUtf8 => StatusCode::BAD_REQUEST,
        }
    }
}

impl Wishes {
    /// The form comes after the query, so it wins. What is not known is left out.
    fn read(request: &HttpRequest, body: &[u8]) -> Result<Self, Unreadable> {
        let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.as_bytes().split(|byte| *byte == b';').next();
            kind.is_some_and(|kind| {
                kind.trim_ascii()
                    .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
            })
        });
        if !body.is_empty() && !is_form {
            return Err(Unreadable::NoForm);
        }
        let form = std::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
        let mut wishes = Self::default();
        let pairs = query_pairs(request.query_string())
            .into_iter()
            .chain(query_pairs(form));
        for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "mode" => wishes.mode = Some(value),
                "next" => wishes.next = Some(value),
                "message" => wishes.message = Some(value),
                "reason" => wishes.reason = Some(value),
                _ => {}
            }
        }
        Ok(wishes)
    }

    fn is_too_long(&self) -> bool {
        [&self.message, &self.reason]
            .into_iter()
            .flatten()
            .any(|text| text.len() > LONGEST_TEXT)
    }
}

async fn answer(
    request: &HttpRequest,
    body: &[u8],
    maintenance: &Maintenance,
    on: bool,
) -> HttpResponse {
    let wishes = Wishes::read(request, body);
    let mode = match &wishes {
        Ok(wishes) => wishes.mode.clone(),
        Err(_) => None,
    };
    let mode = mode.unwrap_or_else(|| maintenance.first_mode());
    let what = if on {
        "switch maintenance on"
    } else {
        "switch maintenance off"
    };
    let authorized = match authorize_change(request, maintenance, Some(&mode), what).await {
        Ok(authorized) => authorized,
        Err(response) => return response,
    };
    let wishes = match wishes {
        Ok(wishes) => wishes,
        Err(unreadable) => {
            return maintenance.shared.responses.notice(
                request.headers(),
                unreadable.status(),
                "Not understood",
                &format!("{unreadable} Nothing was changed."),
            );
        }
    };
    if wishes.is_too_long() {
        return maintenance.shared.responses.notice(
            request.headers(),
            StatusCode::BAD_REQUEST,
            "Too long",
            &format!("Message and reason may have {LONGEST_TEXT} bytes each. Nothing was changed."),
        );
    }
    match change(maintenance, &wishes, authorized.by(), on).await {
        Ok(change) if prefers_json(request) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(change.status),
        Ok(_) => HttpResponse::SeeOther()
            .insert_header((LOCATION, return_target(wishes.next.as_deref())))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish(),
        Err(error) => not_changed(maintenance, request, &error),
    }
}

async fn change(
    maintenance: &Maintenance,
    wishes: &Wishes,
    by: String,
    on: bool,
) -> Result<Change, ChangeError> {
    if !on {
        let mut turn_off = maintenance.turn_off().by(by);
        if let Some(mode) = &wishes.mode {
            turn_off = turn_off.mode(mode);
        }
        return turn_off.await;
    }
    let mut turn_on = maintenance.turn_on().by(by);
    if let Some(mode) = &wishes.mode {
        turn_on = turn_on.mode(mode);
    }
    if let Some(message) = &wishes.message {
        turn_on = turn_on.message(message);
    }
    if let Some(reason) = &wishes.reason {
        turn_on = turn_on.reason(reason);
    }
    turn_on.await
}

/// Where the browser goes next: a path of this origin, or `/`.
///
/// Browsers take `//host` and `/\host` for other sites, so neither is a path.
fn return_target(next: Option<&str>) -> String {
    let Some(next) = next else {
        return "/".to_owned();
    };
    let is_own_path = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.contains(char::is_control);
    if !is_own_path {
        return "/".to_owned();
    }
    let mut target = String::with_capacity(next.len());
    for byte in next.bytes() {
        if byte.is_ascii_graphic() {
            target.push(char::from(byte));
        } else {
            // A header holds ASCII only.
            target.push_str(&format!("%{byte:02X}"));
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::return_target;

    #[test]
    fn only_paths_of_this_origin_are_returned_to() {
        for (next, target) in [
            (None, "/"),
            (Some("/shop?x=1#top"), "/shop?x=1#top"),
            (Some("/a b/ä"), "/a%20b/%C3%A4"),
            (Some(""), "/"),
            (Some("shop"), "/"),
            (Some("//evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("\\\\evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("javascript:alert(1)"), "/"),
            (Some("/\r\nSet-Cookie: a=b"), "/"),
            (Some("/\t/evil.example"), "/"),
        ] {
            assert_eq!(return_target(next), target, "next: {next:?}");
        }
    }
}
