//! What meets actix: the middleware, the admin scope, pages, the builder, the public handle.

pub(crate) mod admin;
pub(crate) mod calendar;
pub(crate) mod closures;
pub(crate) mod embedded;
pub(crate) mod entity_tag;
pub(crate) mod explain;
pub(crate) mod front;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub(crate) mod grants;
pub(crate) mod live;
pub(crate) mod maintenance;
pub(crate) mod menu;
pub(crate) mod middleware;
pub(crate) mod mode;
#[cfg(feature = "notices")]
pub(crate) mod notice_text;
pub mod observe;
pub(crate) mod permission;
pub(crate) mod public_plan;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod setup;
pub(crate) mod template;
pub(crate) mod termination;
pub(crate) mod throttle;
pub(crate) mod token;
pub(crate) mod told_once;
pub(crate) mod visitor;
