//! Routes of the settings against actix's own router.

use super::*;

/// A route that Actix takes passes, and any other is told of: it panics at those.
#[test]
fn routes_are_such_as_actix_takes() {
    let sixteen = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}";
    for route in [
        "list",
        "two words",
        "GET list",
        "GET,HEAD /items/{id}",
        "/shop",
        "/s.op(",
        r"/year/{y:\d{4}}/x",
        "/all/{rest}*",
        "/all/{rest:.*}",
        "/closed}",
        sixteen,
    ] {
        assert_eq!(route_fault(route), None, "{route}");
        let (_, pattern) = split(route);
        actix_web::dev::ResourceDef::new(pattern);
    }
    for (route, fault) in [
        (" ", "give the name of an Actix resource"),
        ("get list", "methods are in capitals: \"GET list\""),
        ("Get,head  /x", "methods are in capitals: \"GET,HEAD /x\""),
        ("/broken/{", "a brace is not closed"),
        ("/broken/{a{b}", "a brace is not closed"),
        ("GET /broken/{a:(}", "Actix takes no such pattern"),
        ("/broken/{}", "Actix takes no such pattern"),
        ("/{a}/{a}", "Actix takes no such pattern"),
        ("/{a:.*}*", "takes no `*`"),
        (&format!("{sixteen}/{{q}}"), "at most 16 parameters"),
    ] {
        let told = route_fault(route).unwrap_or_else(|| panic!("{route} passes"));
        assert!(told.contains(fault), "{route}: {told}");
    }
}
