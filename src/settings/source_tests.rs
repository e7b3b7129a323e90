use super::*;

#[test]
fn service_links_are_told_from_settings() {
    for name in [
        "SERVICE_HOST",
        "SERVICE_PORT",
        "SERVICE_PORT_HTTP",
        "PORT",
        "PORT_80_TCP",
        "PORT_80_TCP_ADDR",
        "PAGE_SERVICE_HOST",
        "PAGE_SERVICE_PORT_HTTP",
        "PAGE_PORT_8080_UDP_PROTO",
        "PAGE_PORT",
        "NAME",
        "ENV_PATH",
        "ENV_HTTP__PROXY",
        "DB_ENV_POSTGRES_PASSWORD",
    ] {
        let name = format!("{PREFIX}{name}");
        assert!(is_service_link(&name, "tcp://10.0.0.1:80"), "{name}");
    }
    for name in [
        "STORE",
        "EXEMPT__PORT",
        "RESPONSE_PORT",
        "SUPPORT",
        "X_PORT_A_TCP",
        "DB_NAME",
        "",
    ] {
        assert!(!is_service_link(&format!("{PREFIX}{name}"), "80"), "{name}");
    }
}

#[test]
fn the_name_of_a_link_is_told_from_a_slip_of_the_pen() {
    assert!(is_service_link("MAINTENANCE_DB_NAME", "/web/db"));
    for value in ["db", "/db", "/web/db/x", "//", "web/db"] {
        assert!(!is_service_link("MAINTENANCE_DB_NAME", value), "{value}");
    }
}

#[test]
fn lines_are_counted_from_one() {
    let mut faults = Vec::new();
    let source = Source {
        text: "a = 1\n\n[b]\nc = [\n  1,\n  2,\n]\n",
        path: None,
    };
    let tree = source.entries(&mut faults);
    assert_eq!(tree["a"].origin.to_string(), "line 1");
    assert_eq!(tree["b"].origin.to_string(), "line 3");
    let Value::Table(b) = &tree["b"].value else {
        panic!("not a table");
    };
    assert_eq!(b["c"].origin.to_string(), "line 4");
    let Value::List(items) = &b["c"].value else {
        panic!("not a list");
    };
    assert_eq!(items[1].origin.to_string(), "line 6");
    assert_eq!(faults, []);
}
