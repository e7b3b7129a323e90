//! The demo site: every route, online and offline; the switch in the browser; state that survives a
//! restart.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::demo::{Demo, FROM_THIS_SITE, PATIENCE, command};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn online_every_route_answers() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut visitor = demo.visitor();
    for (path, text) in [
        ("/", "/login/superuser"),
        ("/about", "About"),
        ("/shop/lamp", "lamp"),
        ("/admin", "Admin"),
        ("/admin/users/1", "users/1"),
        ("/health", "ok"),
        ("/static/shop.css", "body"),
        ("/slow?ms=1", "1 ms"),
        ("/slow", "1000 ms"),
        ("/stream?ms=20&every=10", "20 ms"),
        ("/maintenance-mode/ping", "\"maintenance_mode\":false"),
    ] {
        let response = visitor.get(path);
        assert_eq!(response.status, 200, "{path}");
        assert!(response.body.contains(text), "{path}: {}", response.body);
        assert!(
            !response.body.contains("id=\"maintenance-banner\""),
            "{path}"
        );
    }
    assert_eq!(visitor.get("/health").body, "ok");
    assert_eq!(visitor.get("/closed").status, 503);
    assert_eq!(visitor.get("/nothing").status, 404);
}

#[test]
fn the_list_of_items_can_be_read_and_added_to() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut visitor = demo.visitor();
    let before = visitor.get("/api/items").json();
    assert!(before.as_array().is_some_and(|items| !items.is_empty()));

    let added = visitor.send("POST", "/api/items", &[], r#"{"name": "<b>Shelf</b>"}"#);
    assert_eq!(added.status, 201);
    assert_eq!(added.json()["name"], "<b>Shelf</b>");
    assert_eq!(visitor.send("POST", "/api/items", &[], "").status, 201);
    assert_eq!(
        visitor.send("POST", "/api/items", &[], "{\"name\"").status,
        400
    );

    let after = visitor.get("/api/items").json();
    assert_eq!(
        after.as_array().unwrap().len(),
        before.as_array().unwrap().len() + 2
    );
    assert!(visitor.get("/").body.contains("&lt;b&gt;Shelf"));
}

#[test]
fn whoami_tells_the_visitor_as_the_crate_sees_it() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut visitor = demo.visitor();
    let known = |id: Value, authenticated, staff, superuser| {
        json!({
            "id": id,
            "authenticated": authenticated,
            "staff": staff,
            "superuser": superuser,
            "address": "127.0.0.1",
        })
    };
    assert_eq!(
        visitor.get("/whoami").json(),
        known(Value::Null, false, false, false)
    );
    for (role, staff, superuser) in [
        ("superuser", true, true),
        ("staff", true, false),
        ("user", false, false),
    ] {
        let response = visitor.get(&format!("/login/{role}"));
        assert_eq!(
            (response.status, response.header("location")),
            (303, Some("/"))
        );
        assert_eq!(
            visitor.get("/whoami").json(),
            known(role.into(), true, staff, superuser)
        );
    }
    assert_eq!(visitor.get("/logout").status, 303);
    assert_eq!(visitor.get("/whoami").json()["authenticated"], false);
    assert_eq!(visitor.get("/login/root").status, 404);
}

#[test]
fn log_in_and_log_out_return_to_paths_of_this_site_only() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut visitor = demo.visitor();
    for (next, target) in [
        ("/shop/lamp?x=1", "/shop/lamp?x=1"),
        ("/a%20b/%C3%A4", "/a%20b/%C3%A4"),
        ("", "/"),
        ("shop", "/"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("%5C%5Cevil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/%09/evil.example", "/"),
        ("/%0D%0AX-Evil:1", "/"),
    ] {
        for path in ["/login/user", "/logout"] {
            let response = visitor.get(&format!("{path}?next={next}"));
            assert_eq!(response.status, 303, "{path} {next}");
            assert_eq!(response.header("location"), Some(target), "{path} {next}");
            assert_eq!(response.header("x-evil"), None);
        }
    }
}

#[test]
fn a_superuser_closes_and_opens_the_site_in_the_browser() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let (mut superuser, mut visitor) = (demo.superuser(), demo.visitor());

    let closed = superuser.press("/maintenance-mode/on", "message=Back+at+%3Cnoon%3E.");
    assert_eq!((closed.status, closed.header("location")), (303, Some("/")));
    for path in [
        "/",
        "/about",
        "/shop/lamp",
        "/admin",
        "/admin/x",
        "/whoami",
        "/slow",
        "/closed",
    ] {
        let response = visitor.get(path);
        assert_eq!(response.status, 503, "{path}");
        assert_eq!(response.header("x-maintenance-mode"), Some("1"), "{path}");
        assert_eq!(response.header("retry-after"), Some("3600"), "{path}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        // What is outside of the maintenance middleware completes refusals, too.
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    }
    let accept_page = [("Accept", "text/html")];
    let page = visitor.send("GET", "/", &accept_page, "");
    assert!(page.body.contains("Back at &lt;noon&gt;."), "{}", page.body);
    let accept_json = [("Accept", "application/json")];
    let data = visitor.send("POST", "/api/items", &accept_json, "{}");
    assert_eq!(
        (data.status, &data.json()["message"]),
        (503, &json!("Back at <noon>."))
    );
    // As the demo's settings say, superusers are refused like everybody else.
    assert_eq!(superuser.get("/").status, 503);

    for (path, status) in [
        ("/health", 200),
        ("/static/shop.css", 200),
        ("/login/user", 303),
        ("/logout", 303),
        ("/maintenance-mode/ping", 503),
    ] {
        assert_eq!(demo.visitor().get(path).status, status, "{path}");
    }

    // A link in a page of the site asks; the address itself, typed, is enough.
    let asked = superuser.send("GET", "/maintenance-mode/off", &FROM_THIS_SITE, "");
    assert_eq!(asked.status, 200);
    assert_eq!(visitor.get("/").status, 503);
    let typed = [
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-User", "?1"),
    ];
    let opened = superuser.send("GET", "/maintenance-mode/off", &typed, "");
    assert_eq!(opened.status, 303);
    assert_eq!(visitor.get("/").status, 200);
}

#[test]
fn nobody_else_closes_the_site() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    for role in ["", "user", "staff"] {
        let mut visitor = demo.visitor();
        if !role.is_empty() {
            visitor.get(&format!("/login/{role}"));
        }
        assert_eq!(
            visitor.press("/maintenance-mode/on", "").status,
            403,
            "{role}"
        );
    }
    let mut superuser = demo.superuser();
    let from_elsewhere = [("Sec-Fetch-Site", "cross-site")];
    let lured = superuser.send("POST", "/maintenance-mode/on", &from_elsewhere, "");
    assert_eq!(lured.status, 403);
    assert_eq!(demo.visitor().get("/").status, 200);
}

#[test]
fn whoever_is_let_through_sees_a_banner() {
    let folder = folder();
    let demo = Demo::start_with(folder.path(), &[("MAINTENANCE_EXEMPT__SUPERUSERS", "true")]);
    let mut superuser = demo.superuser();
    let banner = "<div id=\"maintenance-banner\"";
    assert!(!superuser.get("/").body.contains(banner));
    superuser.press("/maintenance-mode/on", "message=Back+%3Csoon%3E.");
    for path in ["/", "/about"] {
        let page = superuser.get(path);
        assert_eq!(page.status, 200);
        assert!(page.body.contains(banner), "{path}: {}", page.body);
        assert!(page.body.contains("Back &lt;soon&gt;."), "{}", page.body);
        assert!(page.body.contains("The site is closed."), "{}", page.body);
    }
    // The environment is laid over the demo's own settings, and does not replace them.
    assert_eq!(demo.visitor().get("/health").status, 200);
    assert_eq!(demo.visitor().get("/").status, 503);
    superuser.press("/maintenance-mode/off", "");
    let page = superuser.get("/");
    assert!(!page.body.contains(banner));
    assert!(page.body.contains("The site is open."), "{}", page.body);
}

#[test]
fn a_part_of_the_site_is_closed_and_staff_gets_in() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let (mut superuser, mut visitor) = (demo.superuser(), demo.visitor());
    let mut staff = demo.visitor();
    staff.get("/login/staff");
    superuser.press("/maintenance-mode/on", "mode=shop");
    let closed = visitor.send("GET", "/shop/1", &[("Accept", "text/plain")], "");
    assert_eq!(closed.status, 503);
    assert!(
        closed.body.contains("closed for stocktaking"),
        "{}",
        closed.body
    );
    assert_eq!(visitor.send("POST", "/api/items", &[], "").status, 503);
    for path in ["/", "/about"] {
        assert_eq!(visitor.get(path).status, 200, "{path}");
    }
    assert_eq!(staff.get("/shop/1").status, 200);
    superuser.press("/maintenance-mode/off", "mode=shop");
    assert_eq!(visitor.get("/shop/1").status, 200);
}

#[test]
fn read_only_the_shop_can_be_seen_and_shows_no_form() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let (mut superuser, mut visitor) = (demo.superuser(), demo.visitor());
    let form = "action=\"/api/items\"";
    assert!(visitor.get("/").body.contains(form));
    let page = [("Accept", "text/html")];
    let added = visitor.send("POST", "/api/items", &page, "name=Shelf");
    assert_eq!((added.status, added.header("location")), (303, Some("/")));
    assert!(visitor.get("/").body.contains("Shelf"));

    superuser.press("/maintenance-mode/on", "mode=read-only");
    let home = visitor.get("/");
    assert_eq!(home.status, 200);
    assert!(!home.body.contains(form), "{}", home.body);
    assert!(
        home.body.contains("Nothing can be changed"),
        "{}",
        home.body
    );
    let json = [("Accept", "application/json")];
    let refused = visitor.send("POST", "/api/items", &json, "{}");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["access"], "read-only");
    // The button that brings back brings back what is on.
    let home = superuser.get("/");
    assert!(home.body.contains("value=\"read-only\""), "{}", home.body);
    superuser.press("/maintenance-mode/off", "mode=read-only");
    assert_eq!(visitor.send("POST", "/api/items", &[], "").status, 201);
}

#[test]
fn a_banner_counts_down_to_a_window_that_is_announced() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut superuser = demo.superuser();
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2);
    let kind = [("Content-Type", "application/json")];
    let headers = [&FROM_THIS_SITE[..], &kind].concat();
    let body = format!("{{\"start\": \"{start}\", \"for\": \"1h\", \"message\": \"Soon.\"}}");
    let planned = superuser.send("POST", "/maintenance-mode/windows", &headers, &body);
    assert!((200..=201).contains(&planned.status), "{}", planned.body);
    // Everybody sees it, logged in or not.
    let page = demo.visitor().get("/about");
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("Maintenance is planned."),
        "{}",
        page.body
    );
    assert!(page.body.contains("Soon."), "{}", page.body);
    assert!(
        page.body
            .contains(&format!("<time datetime=\"{start}\" data-countdown>")),
        "{}",
        page.body
    );
    let script = page.body.split("<script src=\"").nth(1).unwrap();
    let script = demo.visitor().get(script.split('"').next().unwrap());
    assert_eq!(script.status, 200);
    assert!(script.body.contains("time[data-countdown]"));
}

#[test]
fn the_state_and_the_log_in_survive_a_kill_and_a_restart() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut superuser = demo.superuser();
    superuser.press("/maintenance-mode/on", "");
    drop(demo);

    let demo = Demo::start(folder.path());
    assert_eq!(demo.visitor().get("/").status, 503);
    superuser.address = demo.address;
    assert_eq!(superuser.press("/maintenance-mode/off", "").status, 303);
    assert_eq!(demo.visitor().get("/").status, 200);
    drop(demo);

    let demo = Demo::start(folder.path());
    assert_eq!(demo.visitor().get("/").status, 200);
}

#[test]
fn a_word_in_the_state_file_closes_the_site() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    for (word, status) in [("on\n", 503), ("off\n", 200)] {
        fs::write(folder.path().join("maintenance.state"), word).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while demo.visitor().get("/about").status != status {
            assert!(Instant::now() < deadline, "{word:?} is not seen");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_settings_file_that_is_given_decides_alone() {
    let folder = folder();
    let settings = "[exempt]\npaths = [\"/about\"]\n";
    let here = folder.path().join("maintenance.toml");
    let elsewhere = folder.path().join("other.toml");
    for (file, variables) in [
        (&here, &[][..]),
        (&elsewhere, &[("MAINTENANCE_SETTINGS", "other.toml")][..]),
    ] {
        fs::write(file, settings).unwrap();
        fs::write(folder.path().join("maintenance.state"), "on").unwrap();
        let demo = Demo::start_with(folder.path(), variables);
        for (path, status) in [
            ("/about", 200),
            ("/health", 503),
            ("/login/user", 503),
            ("/static/shop.css", 503),
            ("/closed", 503),
        ] {
            assert_eq!(demo.visitor().get(path).status, status, "{path}");
        }
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn the_environment_wins_over_the_settings_of_the_demo() {
    let folder = folder();
    let demo = Demo::start_with(folder.path(), &[("MAINTENANCE_STORE", "file:other.state")]);
    demo.superuser().press("/maintenance-mode/on", "");
    assert_eq!(demo.visitor().get("/").status, 503);
    assert_eq!(demo.visitor().get("/health").status, 200);
    assert!(folder.path().join("other.state").exists());
    assert!(!folder.path().join("maintenance.state").exists());
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut visitor = demo.visitor();
    let mut same_headers = |path: &str, status: u16| {
        let get = visitor.get(path);
        let head = visitor.send("HEAD", path, &[], "");
        assert_eq!((get.status, head.status), (status, status), "{path}");
        assert_eq!(head.body, "", "{path}");
        assert_eq!(head.sorted_headers(), get.sorted_headers(), "{path}");
    };
    for path in ["/", "/about", "/health", "/api/items", "/static/shop.css"] {
        same_headers(path, 200);
    }
    same_headers("/closed", 503);
    demo.superuser().press("/maintenance-mode/on", "");
    same_headers("/about", 503);
    same_headers("/health", 200);
    same_headers("/maintenance-mode/ping", 503);
}

#[test]
fn slow_requests_take_the_time_they_were_asked_to() {
    let folder = folder();
    let demo = Demo::start(folder.path());
    let mut visitor = demo.visitor();
    for path in ["/slow?ms=200", "/stream?ms=200&every=90"] {
        let start = Instant::now();
        assert_eq!(visitor.get(path).status, 200);
        assert!(start.elapsed() >= Duration::from_millis(200), "{path}");
    }
    let stream = visitor.get("/stream?ms=20&every=9");
    assert_eq!(stream.header("transfer-encoding"), Some("chunked"));
    assert!(stream.body.contains("9 ms\n") && stream.body.contains("18 ms\n"));
    for (path, parameter) in [
        ("/slow?ms=soon", "`ms`"),
        ("/slow?ms=", "`ms`"),
        ("/slow?ms=-1", "`ms`"),
        ("/slow?ms=60001", "`ms`"),
        ("/stream?ms=99999999999999999999", "`ms`"),
        ("/stream?ms=10&every=0", "`every`"),
    ] {
        let response = visitor.get(path);
        assert_eq!(response.status, 400, "{path}");
        assert!(
            response.body.contains(parameter),
            "{path}: {}",
            response.body
        );
    }
}

#[test]
fn a_demo_that_cannot_start_says_why_and_fails() {
    let folder = folder();
    for (name, value, told) in [
        ("MAINTENANCE_RESPONSE__STATUS", "200", "`response.status`"),
        ("MAINTENANCE_SETTINGS", "absent.toml", "absent.toml"),
        ("DEMO_ADDR", "nowhere", "DEMO_ADDR"),
        ("DEMO_KEY", "short", "DEMO_KEY"),
    ] {
        let error = failed_start(folder.path(), name, value);
        assert!(error.contains(told), "{name}={value}: {error}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = folder();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let error = failed_start(folder.path(), "DEMO_ADDR", &address);
    assert!(error.contains(&address), "{error}");
}

#[cfg(unix)]
#[test]
fn signals_stop_the_demo_without_an_error() {
    for signal in ["INT", "TERM"] {
        let folder = folder();
        let demo = Demo::start(folder.path());
        assert_eq!(demo.visitor().get("/health").status, 200);
        demo.signal(signal);
        assert_eq!(demo.exit_code(), Some(0), "{signal}");
    }
}

/// Starts a demo that cannot start, and returns its error.
fn failed_start(folder: &Path, name: &str, value: &str) -> String {
    let mut process = command(folder)
        .env(name, value)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while process.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Nothing but a demo that did start, against expectation, is still there to be killed.
    let _ = process.kill();
    let Output { status, stderr, .. } = process.wait_with_output().unwrap();
    let error = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{name}={value}: {error}");
    error
}
