//! What the app and the web servers in front of it say alike to scripts of other origins.

/// What scripts may read of a refusal besides what they may read of every answer.
pub(crate) const EXPOSED_HEADERS: &str = "Retry-After, X-Maintenance-Mode";

/// By what the answer to a preflight differs.
pub(crate) const PREFLIGHT_VARIES_BY: &str =
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
