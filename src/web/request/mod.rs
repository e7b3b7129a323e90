//! A request of actix as the rules see it.

pub(crate) mod address;
pub(crate) mod api_key;
pub(crate) mod app_routes;
pub(crate) mod host;
pub(crate) mod prefix;
pub(crate) mod route_table;
pub(crate) mod subject;

/// The pairs of a query; none if it cannot be read.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
        .map(actix_web::web::Query::into_inner)
        .unwrap_or_default()
}
