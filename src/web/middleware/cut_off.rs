//! Breaking off what a node serves that is cut off and is to be closed then.
//!
//! A request is bound to the lease that the node had when it let the request in. Once that lease is
//! lost, nothing of the request goes on: a lease that the node gets later does not revive it, since
//! others may have been told meanwhile that nobody is served.

use std::{error::Error as StdError, fmt, sync::Arc};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
};

use crate::{
    engine::leases::deadline::Deadline,
    web::{middleware::admission::Inside, refusal::rendered::X_MAINTENANCE_MODE},
};

/// How soon a client may try again, on another node or on this one.
const TRY_AGAIN_SECONDS: u64 = 1;

/// What counts a request, and the lease that it is bound to.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) lease: Arc<Deadline>,
    /// Held for its drop.
    pub(crate) _inside: Inside,
}

/// The request was let in, and the node has been cut off since.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "this server has lost touch with the others, and has broken off what it was doing; \
             try again",
        )
    }
}

impl StdError for CutOff {}

impl ResponseError for CutOff {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .insert_header((X_MAINTENANCE_MODE, "1"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((RETRY_AFTER, TRY_AGAIN_SECONDS))
            .body(self.to_string())
    }
}
