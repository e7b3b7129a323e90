use super::*;

#[test]
fn an_entry_may_begin_with_methods() {
    for (entry, methods, route) in [
        ("list", vec![], "list"),
        ("GET list", vec!["GET"], "list"),
        ("GET,HEAD  /items/{id}", vec!["GET", "HEAD"], "/items/{id}"),
        ("two words", vec![], "two words"),
        ("get list", vec![], "get list"),
        ("GET", vec![], "GET"),
        ("GET,SET list", vec![], "GET,SET list"),
    ] {
        assert_eq!(split(entry), (methods, route), "{entry}");
    }
}

#[test]
fn a_route_is_named_for_all_methods_or_some() {
    let routes = Routes::new("", &["GET list".to_owned(), "item".to_owned()]);
    assert_eq!(routes.names("list", "GET"), Named::ByMethod);
    assert_eq!(routes.names("list", "POST"), Named::Not);
    assert_eq!(routes.names("item", "POST"), Named::Plainly);
    assert_eq!(routes.names("GET list", "GET"), Named::Not);
}

#[test]
fn only_what_is_certain_is_opened() {
    use Named::{ByMethod, Not, Plainly};
    // The routes are their patterns here.
    for (candidates, expected) in [
        (vec![], false),
        (vec![('a', Not)], false),
        (vec![('a', Plainly)], true),
        (vec![('a', ByMethod)], true),
        (vec![('a', Plainly), ('a', Not)], false),
        (vec![('a', Plainly), ('a', Plainly)], false),
        (vec![('a', ByMethod), ('a', Not)], true),
        (vec![('a', Not), ('a', ByMethod)], true),
        (vec![('b', Not), ('a', ByMethod)], false),
        (vec![('a', ByMethod), ('b', Not)], true),
    ] {
        let shown = format!("{candidates:?}");
        let candidates: Vec<_> = candidates
            .into_iter()
            .map(|(route, named)| Candidate { route, named })
            .collect();
        assert_eq!(
            opens(&candidates, |one, other| one == other),
            expected,
            "{shown}"
        );
    }
}
