//! Who may look in although a mode is closed.

use std::time::Duration;

use actix_maintenance_mode::{
    ChangeError, GrantKind, Inquiry, Maintenance,
    settings::{Access, ModeSettings},
};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::{
    eventually::eventually,
    log::Log,
    test_app::{Answer, LoggedIn, TestApp},
};

const GRANTS: &str = "/maintenance-mode/grants";

/// A closed app, and a superuser of it.
async fn closed() -> (TestApp, LoggedIn) {
    let (app, ada) = TestApp::with_superuser().await;
    app.turn_on().await;
    (app, ada)
}

async fn make(app: &TestApp, who: &LoggedIn, body: Value) -> Answer {
    let request = app.request(Method::POST, GRANTS).by(who);
    request.body("application/json", body.to_string()).await
}

async fn list(app: &TestApp, who: &LoggedIn) -> Value {
    let answer = app.get(GRANTS).by(who).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["grants"].clone()
}

async fn with_token(app: &TestApp, path: &str, token: &str) -> Answer {
    app.get(path).header("X-Maintenance-Grant", token).await
}

/// The `Cookie` header of whoever opens a link.
fn cookie_of(entered: &Answer) -> String {
    let cookie = entered.cookie("maintenance_grant").unwrap();
    format!("{}={}", cookie.name(), cookie.value())
}

#[actix_web::test]
async fn a_link_is_opened_once_and_a_cookie_remembers_it() {
    let (app, ada) = closed().await;
    let made = make(&app, &ada, json!({ "name": "auditor", "for": "1h" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!(made["kind"], "link");
    let path = made["path"].as_str().unwrap().to_owned();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(path, format!("/maintenance-mode/enter/{secret}"));

    let entered = app.get(&format!("{path}?next=/shop/1")).await;
    assert_eq!(entered.status, 303, "{entered:?}");
    assert_eq!(entered.header("location"), Some("/shop/1"));
    assert_eq!(entered.header("cache-control"), Some("no-store"));
    assert_eq!(entered.header("referrer-policy"), Some("no-referrer"));
    let cookie = entered.cookie("maintenance_grant").unwrap();
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.same_site(), Some(actix_web::cookie::SameSite::Lax));
    // The request was not by https.
    assert_ne!(cookie.secure(), Some(true));
    let seconds = cookie.max_age().unwrap().whole_seconds();
    assert!((3590..=3600).contains(&seconds), "{seconds}");
    assert!(!cookie.value().contains(&secret[4..]));

    let header = cookie_of(&entered);
    let looked = app.get("/shop/1").header("Cookie", &header).await;
    looked.is_served();
    assert_eq!(looked.header("cache-control"), Some("private, no-store"));
    app.get("/shop/1").await.is_refused();
    // The secret of a link is no token, and its cookie neither.
    with_token(&app, "/", &secret).await.is_refused();
    with_token(&app, "/", cookie.value()).await.is_refused();
    let as_cookie = format!("maintenance_grant={secret}");
    app.get("/").header("Cookie", as_cookie).await.is_refused();
    // To other sites it does not lead.
    for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let entered = app.get(&format!("{path}?next={next}")).await;
        assert_eq!(entered.header("location"), Some("/"), "{next}");
    }
}

#[actix_web::test]
async fn behind_a_proxy_with_https_the_cookie_is_for_https_alone() {
    let app = TestApp::with_settings(|settings| {
        settings.client.trusted_proxies = vec!["127.0.0.1".to_owned()];
        settings.public_path = Some("/shop".to_owned());
    })
    .await;
    let granted = app.maintenance.grant("auditor").await.unwrap();
    let path = format!("/maintenance-mode/enter/{}", granted.secret().unwrap());
    let request = app.get(&path).from("127.0.0.1");
    let entered = request.header("X-Forwarded-Proto", "https").await;
    let cookie = entered.cookie("maintenance_grant").unwrap();
    assert_eq!(cookie.secure(), Some(true));
    assert_eq!(cookie.path(), Some("/shop/"));
    // It has no end, and lasts as long as the browser runs.
    assert_eq!(cookie.max_age(), None);
    assert_eq!(entered.header("location"), Some("/shop/"));
}

#[actix_web::test]
async fn unknown_over_and_revoked_links_get_the_same_answer() {
    let (app, _) = closed().await;
    let enter = async |secret: &str| app.get(&format!("/maintenance-mode/enter/{secret}")).await;
    let over = app
        .maintenance
        .grant("over")
        .lasting(Duration::from_millis(300));
    let over = over.await.unwrap();
    let revoked = app.maintenance.grant("revoked").await.unwrap();
    let token = app.maintenance.grant("token").token().await.unwrap();
    let header = cookie_of(&enter(revoked.secret().unwrap()).await);
    app.get("/").header("Cookie", &header).await.is_served();
    app.maintenance.revoke_grant("revoked").await.unwrap();
    // In the middle of its use.
    app.get("/").header("Cookie", &header).await.is_refused();
    eventually("it is over", || app.maintenance.grants().len() == 1).await;
    let unknown = enter("mmg_0000").await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert_eq!(unknown.cookie("maintenance_grant"), None);
    assert_eq!(unknown.header("cache-control"), Some("no-store"));
    assert_eq!(unknown.header("referrer-policy"), Some("no-referrer"));
    let secrets = [&over, &revoked, &token].map(|granted| granted.secret().unwrap().to_owned());
    let long = "x".repeat(3000);
    for secret in secrets
        .iter()
        .map(String::as_str)
        .chain([long.as_str(), "%00"])
    {
        let answer = enter(secret).await;
        assert_eq!(
            (answer.status, &answer.body),
            (404, &unknown.body),
            "{secret}"
        );
    }
}

#[actix_web::test]
async fn a_token_opens_its_modes_and_prefixes_and_nothing_else() {
    let app = TestApp::with_settings(|settings| {
        settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("other")];
    })
    .await;
    let ada = app.log_in_superuser("ada").await;
    app.turn_on().await;
    let body =
        json!({ "name": "probe", "kind": "token", "modes": ["site"], "prefixes": ["/shop"] });
    let token = make(&app, &ada, body).await.json()["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    with_token(&app, "/shop/1", &token).await.is_served();
    with_token(&app, "/shop", &token).await.is_served();
    for path in [
        "/",
        "/shopping",
        "/health",
        "/shop/../closed",
        "/shop/%2e%2e/closed",
        "/shop/..%2fclosed",
        "/%2e%2e/shop/1",
        "//shop/1",
        "/SHOP/1",
        "/shop%2f..%2fclosed",
        "/shop/.%2e/closed",
    ] {
        with_token(&app, path, &token).await.is_refused();
    }
    // Neither another one, nor two, nor garbage.
    let twice = app.get("/shop/1").header("X-Maintenance-Grant", &token);
    twice
        .header("X-Maintenance-Grant", &token)
        .await
        .is_refused();
    let long = format!("{token}{}", "0".repeat(600));
    for wrong in ["", "mmg_", &token[1..], &token.to_uppercase(), &long] {
        let request = app.get("/shop/1").header("X-Maintenance-Grant", wrong);
        request.await.is_refused();
    }
    for cookie in [
        "maintenance_grant=",
        "maintenance_grant",
        "=;=;;",
        "a=\"; maintenance_grant=x",
    ] {
        app.get("/shop/1")
            .header("Cookie", cookie)
            .await
            .is_refused();
    }
    let as_cookie = format!("maintenance_grant={token}");
    app.get("/shop/1")
        .header("Cookie", as_cookie)
        .await
        .is_refused();
    // Another mode that is closed, too, is not opened by it.
    app.maintenance.turn_on().mode("other").await.unwrap();
    with_token(&app, "/shop/1", &token).await.is_refused();
    app.maintenance.turn_off().mode("other").await.unwrap();
    with_token(&app, "/shop/1", &token).await.is_served();
}

#[actix_web::test]
async fn a_network_gets_in_also_as_mapped_addresses() {
    let (app, ada) = closed().await;
    let body = json!({ "name": "office", "kind": "address", "address": "192.0.2.77/24" });
    let made = make(&app, &ada, body).await.json();
    assert_eq!(
        (&made["secret"], &made["path"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(list(&app, &ada).await[0]["address"], "192.0.2.0/24");
    app.get("/").from("192.0.2.7").await.is_served();
    app.get("/").from("::ffff:192.0.2.7").await.is_served();
    app.get("/").from("192.0.3.7").await.is_refused();
    app.get("/").await.is_refused();
    // A header that nobody vouches for says nothing.
    let forged = app.get("/").from("198.51.100.1");
    forged
        .header("X-Forwarded-For", "192.0.2.7")
        .await
        .is_refused();
    let why = app.maintenance.explain(
        &Inquiry::new("GET", "/")
            .unwrap()
            .address("192.0.2.7".parse().unwrap()),
    );
    assert_eq!(why.rule.name(), "grant");
    assert_eq!(
        why.why,
        "The mode `site` is offline. The grant `office` lets it look in."
    );
}

#[actix_web::test]
async fn a_grant_never_opens_the_admin_scope_and_passes_a_mode_that_is_read_only() {
    let app = TestApp::with_settings(|settings| {
        let mut site = ModeSettings::new("site");
        site.access = Access::ReadOnly;
        settings.modes = vec![site];
    })
    .await;
    app.turn_on().await;
    let granted = app.maintenance.grant("writer").token().await.unwrap();
    let token = granted.secret().unwrap();
    app.post("/shop/1").await.is_refused();
    let wrote = app
        .post("/shop/1")
        .header("X-Maintenance-Grant", token)
        .await;
    wrote.is_served();
    with_token(&app, "/shop/1", token).await.is_served();
    for path in ["/maintenance-mode/", "/maintenance-mode/status", GRANTS] {
        let answer = with_token(&app, path, token).await;
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
    }
    let off = app
        .post("/maintenance-mode/off")
        .header("X-Maintenance-Grant", token)
        .await;
    assert_eq!(off.status, 403, "{off:?}");
    assert!(app.maintenance.is_on());
}

#[actix_web::test]
async fn only_hashes_are_stored_and_uses_are_counted_without_a_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let store = format!("file:{}", file.display());
    let app = TestApp::with_settings(move |settings| settings.store = store).await;
    let ada = app.log_in_superuser("ada").await;
    app.turn_on().await;
    let made = make(&app, &ada, json!({ "name": "probe", "kind": "token" }))
        .await
        .json();
    let token = made["secret"].as_str().unwrap();
    let stored = std::fs::read_to_string(&file).unwrap();
    assert!(
        stored.contains("\"probe\"") && !stored.contains(&token[4..]),
        "{stored}"
    );
    for _ in 0..3 {
        with_token(&app, "/", token).await.is_served();
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), stored);
    let listed = list(&app, &ada).await;
    let grant = &listed[0];
    assert_eq!((&grant["uses"], &grant["by"]), (&json!(3), &json!("ada")));
    assert_eq!(grant["nodes"][0]["uses"], 3);
    assert!(grant["last_used"].is_string(), "{grant}");
    assert!(!listed.to_string().contains(&token[4..]));
    assert!(
        !format!(
            "{:?} {:?}",
            app.maintenance.grants(),
            app.maintenance.status()
        )
        .contains(&token[4..])
    );
    let granted = app.maintenance.grant("other").token().await.unwrap();
    assert!(!format!("{granted:?}").contains(granted.secret().unwrap()));
}

#[actix_web::test]
async fn networks_that_a_switch_lets_in_end_with_it() {
    let (app, ada) = TestApp::with_superuser().await;
    let put = async |body: Value| {
        let request = app
            .request(Method::PUT, "/maintenance-mode/modes/site")
            .by(&ada);
        request.body("application/json", body.to_string()).await
    };
    let on = put(json!({ "allow": ["192.0.2.7", "::ffff:10.0.0.0/104"] })).await;
    assert_eq!(on.status, 200, "{on:?}");
    app.get("/").from("192.0.2.7").await.is_served();
    app.get("/").from("10.9.9.9").await.is_served();
    app.get("/").from("192.0.2.8").await.is_refused();
    let names: Vec<String> = app
        .maintenance
        .grants()
        .into_iter()
        .map(|grant| grant.name)
        .collect();
    assert_eq!(names, ["site-10.0.0.0_8", "site-192.0.2.7_32"]);
    // One of them is revoked alone.
    let path = format!("{GRANTS}/site-10.0.0.0_8");
    let revoked = app.request(Method::DELETE, &path).by(&ada).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    app.get("/").from("10.9.9.9").await.is_refused();
    app.get("/").from("192.0.2.7").await.is_served();
    let wrong = put(json!({ "allow": ["everywhere"] })).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    app.turn_off().await;
    assert!(app.maintenance.grants().is_empty());
    app.turn_on().await;
    app.get("/").from("192.0.2.7").await.is_refused();
    // `null` takes them away.
    put(json!({ "allow": ["192.0.2.7"] })).await;
    put(json!({ "allow": null })).await;
    app.get("/").from("192.0.2.7").await.is_refused();
}

#[actix_web::test]
async fn whoever_may_not_switch_a_mode_makes_and_sees_no_grant_for_it() {
    let (app, ada) = closed().await;
    let eve = {
        app.turn_off().await;
        let eve = app.log_in_user("eve").await;
        app.turn_on().await;
        eve
    };
    app.maintenance.grant("auditor").await.unwrap();
    assert_eq!(
        make(&app, &eve, json!({ "name": "mine" })).await.status,
        403
    );
    assert_eq!(app.get(GRANTS).by(&eve).await.status, 403);
    let path = format!("{GRANTS}/auditor");
    assert_eq!(
        app.request(Method::DELETE, &path).by(&eve).await.status,
        403
    );
    assert_eq!(list(&app, &ada).await.as_array().unwrap().len(), 1);
    let foreign = app.request(Method::POST, GRANTS).by(&ada);
    let foreign = foreign.header("Origin", "https://evil.example");
    let answer = foreign.body("application/json", r#"{"name": "x"}"#).await;
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[actix_web::test]
async fn what_is_wrong_with_a_grant_is_said() {
    let (app, ada) = closed().await;
    for (body, status, what) in [
        (json!({}), 400, "`name`: it is needed"),
        (json!({ "name": "a b" }), 400, "letters, digits"),
        (
            json!({ "name": "x".repeat(65) }),
            400,
            "at most 64 characters",
        ),
        (
            json!({ "name": "x", "kind": "key" }),
            400,
            "give \"link\" or \"token\"",
        ),
        (
            json!({ "name": "x", "kind": "address" }),
            400,
            "a network is needed",
        ),
        (
            json!({ "name": "x", "kind": "token", "address": "10.0.0.1" }),
            400,
            "only a grant",
        ),
        (
            json!({ "name": "x", "address": "10.0.0.0/33" }),
            400,
            "neither an address nor a network",
        ),
        (
            json!({ "name": "x", "prefixes": ["shop"] }),
            400,
            "a path such as /shop",
        ),
        (
            json!({ "name": "x", "prefixes": ["/"] }),
            400,
            "leave it out",
        ),
        (json!({ "name": "x", "prefixes": [7] }), 400, "give a list"),
        (
            json!({ "name": "x", "modes": ["nowhere"] }),
            404,
            "There is no mode",
        ),
        (
            json!({ "name": "x", "until": "2020-01-01T00:00:00Z" }),
            400,
            "which is past",
        ),
        (
            json!({ "name": "x", "until": "2099-01-01T00:00:00Z", "for": "1h" }),
            400,
            "not both",
        ),
        (json!({ "name": "x", "secret": "mine" }), 400, "unknown"),
    ] {
        let answer = make(&app, &ada, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        let text = answer.text().to_lowercase();
        assert!(
            text.contains(&what.to_lowercase().replace('"', "\\\"")),
            "{body}: {text}"
        );
    }
    assert!(app.maintenance.grants().is_empty());
    make(&app, &ada, json!({ "name": "auditor" })).await;
    let again = make(&app, &ada, json!({ "name": "auditor" })).await;
    assert_eq!(
        (again.status, &again.json()["code"]),
        (409, &json!("grant-exists"))
    );
    let gone = app
        .request(Method::DELETE, &format!("{GRANTS}/nobody"))
        .by(&ada)
        .await;
    assert_eq!(
        (gone.status, &gone.json()["code"]),
        (404, &json!("unknown-grant"))
    );
}

#[actix_web::test]
async fn there_are_no_more_grants_than_there_may_be() {
    let app = TestApp::start().await;
    for number in 0..200 {
        app.maintenance
            .grant(format!("grant-{number}"))
            .await
            .unwrap();
    }
    let error = app.maintenance.grant("one-more").await.unwrap_err();
    assert!(matches!(error, ChangeError::Full(_)), "{error:?}");
    app.maintenance.revoke_grant("grant-7").await.unwrap();
    app.maintenance.grant("one-more").await.unwrap();
}

/// On every node that shares the store.
#[actix_web::test]
async fn a_grant_and_its_end_are_seen_by_all_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}", folder.path().join("maintenance.state").display());
    let node = async || {
        let store = store.clone();
        TestApp::with_settings(move |settings| settings.store = store).await
    };
    let (one, other) = (node().await, node().await);
    one.turn_on().await;
    let granted = one.maintenance.grant("probe").token().await.unwrap();
    let has = |maintenance: &Maintenance, count| maintenance.grants().len() == count;
    eventually("it is known", || has(&other.maintenance, 1)).await;
    assert_eq!(other.maintenance.grants()[0].kind, GrantKind::Token);
    with_token(&other, "/", granted.secret().unwrap())
        .await
        .is_served();
    one.maintenance.revoke_grant("probe").await.unwrap();
    eventually("it is gone", || has(&other.maintenance, 0)).await;
    with_token(&other, "/", granted.secret().unwrap())
        .await
        .is_refused();
}

#[actix_web::test]
async fn the_log_names_the_grant_that_was_used_and_not_its_secret() {
    let app = TestApp::start().await;
    let granted = app.maintenance.grant("auditor").token().await.unwrap();
    let secret = granted.secret().unwrap();
    app.turn_on().await;
    let log = Log::collect();
    let looks = app.get("/").header("X-Maintenance-Grant", secret);
    looks.await.is_served();
    let lines = log.lines();
    let of_use = |line: &&String| {
        line.contains("maintenance.pass")
            && line.contains(r#" rule="grant""#)
            && line.contains(r#" grant="auditor""#)
    };
    assert_eq!(lines.iter().filter(of_use).count(), 1, "{lines:#?}");
    assert!(
        !lines.iter().any(|line| line.contains(secret)),
        "{lines:#?}"
    );
}
