//! A request of actix as the rules see it.

pub(crate) mod address;
pub(crate) mod app_routes;
pub(crate) mod host;
pub(crate) mod route_table;
pub(crate) mod subject;
