//! Answers that a client need not be sent again (RFC 9110, section 13.1.2).

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{ETAG, EntityTag, Header as _, IfNoneMatch},
};
use sha2::{Digest as _, Sha256};

use crate::core::text::hexadecimal;

/// The tag of these bytes.
pub(crate) fn entity_tag(bytes: &[u8]) -> EntityTag {
    EntityTag::new_strong(hexadecimal(&Sha256::digest(bytes)[..8]))
}

/// Begins the answer: "not modified" to a client that has it already, and that it is told by.
pub(crate) fn unless_known(
    request: &HttpRequest,
    tag: &EntityTag,
) -> (HttpResponseBuilder, IsKnown) {
    let is_known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    };
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((ETAG, tag.to_string()));
    (response, IsKnown(is_known))
}

/// Whether a client has it already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IsKnown(pub(crate) bool);
