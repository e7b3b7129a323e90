//! A request of actix as the rules see it.

pub(crate) mod address;
pub(crate) mod api_key;
pub(crate) mod app_routes;
pub(crate) mod grant;
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

/// The one parameter that a query may have, true or false; false where it is not there. What is not
/// understood must not do what was not meant.
pub(crate) fn boolean_of_query(query: &str, name: &str) -> Result<bool, String> {
    let mut is_set = false;
    for (given, value) in query_pairs(query) {
        is_set = match value.as_str() {
            _ if given != name => return Err(unknown_parameter(name)),
            "true" => true,
            "false" => false,
            _ => return Err(format!("`{name}`: give true or false")),
        };
    }
    Ok(is_set)
}

/// That a query has another parameter than the one that it may have.
pub(crate) fn unknown_parameter(known: &str) -> String {
    format!("there is a parameter that is not known; known is {known}")
}
