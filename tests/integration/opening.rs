//! A site that opens for more and more visitors.

use std::time::{Duration, Instant};

use actix_maintenance_mode::{Ended, Inquiry, Maintenance, Phase, Role};
use actix_web::{http::Method, rt::time::sleep};
use serde_json::{Value, json};

use crate::{
    eventually::eventually,
    test_app::{TestApp, maintenance},
};

const AN_HOUR: Duration = Duration::from_secs(3600);

fn share(maintenance: &Maintenance) -> Option<f64> {
    let opening = maintenance.status().modes.remove(0).opening;
    opening.map(|opening| opening.share)
}

/// Opens for some, and stays there.
async fn half_open(maintenance: &Maintenance) -> f64 {
    loop {
        maintenance.turn_on().await.unwrap();
        let opens = maintenance.turn_off().over(Duration::from_secs(2));
        opens.await.unwrap();
        while share(maintenance).is_some_and(|share| share < 0.4) {
            sleep(Duration::from_millis(5)).await;
        }
        // On a busy machine all may be in by now.
        let paused = maintenance.turn_off().paused().await;
        if let (Ok(_), Some(share)) = (paused, share(maintenance)) {
            return share;
        }
    }
}

async fn is_in(app: &TestApp, address: &str) -> bool {
    let answer = app.get("/").from(address).await;
    match answer.status {
        200 => true,
        _ => {
            answer.is_refused();
            false
        }
    }
}

fn addresses() -> impl Iterator<Item = String> {
    (0..400).map(|number| format!("10.1.{}.{}", number / 200, number % 200))
}

#[actix_web::test]
async fn who_is_refused_is_told_when_it_is_their_own_turn() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let change = app.maintenance.turn_off().over(AN_HOUR).by("bob").await;
    assert!(change.unwrap().changed);
    assert_eq!(app.maintenance.phase(), Phase::Opening);
    let mut seconds = Vec::new();
    for address in ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"] {
        let request = app.get("/").from(address).accept("application/json");
        let answer = request.await;
        answer.is_refused();
        let told = answer.json();
        assert_eq!(told["phase"], "opening");
        let retry_after = told["retry_after"].as_u64().unwrap();
        assert_eq!(
            answer.header("retry-after"),
            Some(retry_after.to_string().as_str())
        );
        let until: jiff::Timestamp = told["until"].as_str().unwrap().parse().unwrap();
        let left = until.duration_since(jiff::Timestamp::now()).as_secs();
        assert!(
            (left - i64::try_from(retry_after).unwrap()).abs() <= 2,
            "{told}"
        );
        // Asked again it is the same turn.
        let again = app.get("/").from(address).accept("application/json").await;
        assert_eq!(again.json()["until"], told["until"]);
        let page = app.get("/").from(address).await;
        let time = format!(
            "<time datetime=\"{}\" data-countdown>",
            told["until"].as_str().unwrap()
        );
        assert!(page.text().contains(&time), "{}", page.text());
        assert!(page.text().contains("It is your turn at"));
        let text = app.get("/").from(address).accept("text/plain").await;
        assert!(text.text().contains("It is your turn at 20"), "{text:?}");
        seconds.push(retry_after);
        // The explanation says the same.
        let inquiry = Inquiry::new("GET", "/")
            .unwrap()
            .address(address.parse().unwrap());
        let why = app.maintenance.explain(&inquiry).why;
        assert!(
            why.starts_with("The mode `site` is opening. The visitor's turn comes at 20"),
            "{why}"
        );
        let whole = until.strftime("%Y-%m-%dT%H:%M").to_string();
        assert!(why.contains(&whole[..15]), "{why} {whole}");
    }
    seconds.dedup();
    assert_eq!(
        seconds.len(),
        4,
        "everybody has a turn of their own: {seconds:?}"
    );
    assert!(seconds.iter().all(|seconds| (1..=3600).contains(seconds)));
}

#[actix_web::test]
async fn the_share_is_in_by_address_or_by_who_has_logged_in_and_stays_in() {
    let app = TestApp::start().await;
    let mut people = Vec::new();
    for number in 0..60 {
        people.push(app.log_in_user(&format!("visitor-{number}")).await);
    }
    let share = half_open(&app.maintenance).await;
    let mut inside = Vec::new();
    for address in addresses() {
        if is_in(&app, &address).await {
            inside.push(address);
        }
    }
    let seen = inside.len() as f64 / 400.0;
    assert!((seen - share).abs() < 0.12, "{seen} of {share}");
    // Whoever has logged in is the same from anywhere.
    let mut logged_in = 0;
    for who in &people {
        let one = app.get("/").from("10.9.0.1").by(who).await.status;
        let other = app.get("/").from("10.9.7.7").by(who).await.status;
        assert_eq!(one, other);
        logged_in += usize::from(one == 200);
    }
    assert!((10..60).contains(&logged_in), "{logged_in} of 60");
    // An address of version 4 in one of version 6 is the same; of a network of version 6, all are.
    for address in addresses().take(40) {
        let mapped = format!("::ffff:{address}");
        assert_eq!(
            is_in(&app, &mapped).await,
            inside.contains(&address),
            "{address}"
        );
    }
    for network in 0..20 {
        let one = is_in(&app, &format!("2001:db8:0:{network}::1")).await;
        let other = is_in(&app, &format!("2001:db8:0:{network}:ffff::9")).await;
        assert_eq!(one, other);
    }
    // It goes on from there, and nobody is put out.
    app.maintenance.turn_off().over(AN_HOUR).await.unwrap();
    for address in &inside {
        assert!(is_in(&app, address).await, "{address}");
    }
    let personal = app.get("/").from(&inside[0]).await;
    assert_eq!(personal.header("cache-control"), Some("private, no-store"));
}

#[actix_web::test]
async fn off_in_the_middle_opens_for_all_and_on_closes_again() {
    let app = TestApp::start().await;
    app.turn_on().await;
    app.maintenance.turn_off().over(AN_HOUR).await.unwrap();
    assert!(app.maintenance.is_on());
    app.turn_on().await;
    assert_eq!(app.maintenance.phase(), Phase::Offline);
    let told = app.get("/").accept("application/json").await.json();
    assert_eq!(
        (&told["phase"], &told["until"]),
        (&json!("offline"), &Value::Null)
    );
    app.maintenance.turn_off().over(AN_HOUR).await.unwrap();
    app.turn_off().await;
    app.get("/").await.is_served();
    assert_eq!(app.maintenance.history().len(), 1);

    // Only what is opening can be paused.
    let error = app.maintenance.turn_off().paused().await.unwrap_err();
    assert!(error.to_string().contains("is not opening"), "{error}");
}

#[actix_web::test]
async fn it_is_open_for_all_at_the_end_and_the_history_says_who_opened_it() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let opens = app
        .maintenance
        .turn_off()
        .over(Duration::from_millis(300))
        .by("bob");
    opens.await.unwrap();
    eventually("it is open", || !app.maintenance.is_on()).await;
    app.get("/").await.is_served();
    let last = || app.maintenance.history().pop().unwrap();
    eventually("it is history", || last().ended_at.is_some()).await;
    let period = last();
    assert_eq!(period.ended, Some(Ended::Off));
    assert_eq!(period.ended_by.as_deref(), Some("bob"));
}

/// Three nodes and their visitors: in on all, or on none; the same after a restart.
#[actix_web::test]
async fn a_visitor_is_in_on_all_nodes_or_on_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}", folder.path().join("maintenance.state").display());
    let node = async || {
        let store = store.clone();
        TestApp::with_settings(move |settings| settings.store = store).await
    };
    let nodes = [node().await, node().await, node().await];
    let share = half_open(&nodes[0].maintenance).await;
    for node in &nodes {
        eventually("all have heard of it", || {
            let opening = node.maintenance.status().modes.remove(0).opening;
            opening.is_some_and(|opening| opening.until.is_none() && opening.share == share)
        })
        .await;
    }
    let restarted = node().await;
    let mut inside = 0;
    for address in addresses() {
        let first = is_in(&nodes[0], &address).await;
        inside += usize::from(first);
        for other in [&nodes[1], &nodes[2], &restarted] {
            assert_eq!(is_in(other, &address).await, first, "{address}");
        }
    }
    assert!((1..400).contains(&inside), "{inside}");
}

#[actix_web::test]
async fn programs_open_over_a_time_and_pause_by_the_api() {
    let (app, ada) = TestApp::with_superuser().await;
    app.turn_on().await;
    let delete = async |query: &str| {
        let path = format!("/maintenance-mode/modes/site{query}");
        app.request(Method::DELETE, &path).by(&ada).await
    };
    let opening = delete("?over=10m").await;
    assert_eq!(opening.status, 200, "{opening:?}");
    let mode = &opening.json()["modes"][0];
    assert_eq!(mode["phase"], "opening");
    assert_eq!(mode["opening"]["by"], "ada");
    assert_eq!(mode["opening"]["until"], mode["until"]);
    assert!(mode["opening"]["share"].as_f64().unwrap() < 0.1);
    let paused = delete("?pause=true").await;
    let opening = &paused.json()["modes"][0]["opening"];
    assert_eq!(opening["until"], Value::Null);
    assert!(opening["share"].as_f64().unwrap() > 0.0);
    for query in [
        "?over=soon",
        "?over=1m&pause=true",
        "?pause=maybe",
        "?more=1",
        "?over=0s",
    ] {
        let refused = delete(query).await;
        assert_eq!(refused.status, 400, "{query}: {refused:?}");
        assert!(
            refused.text().contains("Nothing was changed"),
            "{refused:?}"
        );
    }
    assert_eq!(delete("").await.json()["maintenance_mode"], false);
    let late = delete("?pause=true").await;
    assert_eq!(
        (late.status, &late.json()["code"]),
        (409, &json!("not-opening"))
    );
}

#[actix_web::test]
async fn a_load_balancer_sends_visitors_while_it_opens_and_each_is_told_their_own_turn() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let ping = async |address: &str| app.get("/maintenance-mode/ping").from(address).await;
    assert_eq!(ping("10.0.0.1").await.status, 503);
    app.maintenance.turn_off().over(AN_HOUR).await.unwrap();
    let (one, other) = (ping("10.0.0.1").await, ping("10.0.0.2").await);
    assert_eq!((one.status, other.status), (200, 200));
    let (one, other) = (one.json(), other.json());
    assert_eq!(
        (&one["phase"], &one["maintenance_mode"]),
        (&json!("opening"), &json!(true))
    );
    assert_ne!(one["retry_after"], other["retry_after"]);
    assert_eq!(app.get("/maintenance-mode/readyz").await.status, 200);
    half_open(&app.maintenance).await;
    for address in addresses().take(50) {
        let retry_after = ping(&address).await.json()["retry_after"].as_u64();
        // Where it is paused nobody knows, and the setting is told.
        let expected = if is_in(&app, &address).await { 0 } else { 3600 };
        assert_eq!(retry_after, Some(expected), "{address}");
    }
}

#[actix_web::test]
async fn a_request_that_got_in_by_its_turn_is_waited_for_when_it_closes_again() {
    let app = TestApp::start().await;
    half_open(&app.maintenance).await;
    let mut addresses = addresses();
    let inside = loop {
        let address = addresses.next().unwrap();
        if is_in(&app, &address).await {
            break address;
        }
    };
    let inquiry = Inquiry::new("GET", "/")
        .unwrap()
        .address(inside.parse().unwrap());
    let why = app.maintenance.explain(&inquiry);
    assert_eq!(why.rule.name(), "turn-has-come");
    // Who has logged in goes by their id, which nobody can tell from a role.
    let why = app.maintenance.explain(&inquiry.role(Role::Authenticated));
    assert!(
        why.not_known
            .iter()
            .any(|what| what.contains("Which visitor it is")),
        "{why:?}"
    );
}

#[actix_web::test]
async fn what_is_forced_on_and_who_is_exempt_are_as_ever() {
    let app = TestApp::with_settings(|settings| {
        settings.forced_on.routes = vec!["closed".to_owned()];
        settings.exempt.routes = vec!["health".to_owned()];
    })
    .await;
    app.turn_on().await;
    app.maintenance.turn_off().over(AN_HOUR).await.unwrap();
    app.get("/health").await.is_served();
    let closed = app.get("/closed").accept("application/json").await;
    closed.is_refused();
    assert_eq!(closed.json()["phase"], "offline");
}

/// Refusals are rendered for each second of a turn, and still kept.
#[actix_web::test]
async fn many_refusals_take_no_time() {
    let app = TestApp::start().await;
    app.turn_on().await;
    app.maintenance.turn_off().over(AN_HOUR).await.unwrap();
    let begin = Instant::now();
    for address in addresses() {
        is_in(&app, &address).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[actix_web::test]
async fn the_share_and_the_button_are_on_the_dashboard() {
    let (app, ada) = TestApp::with_superuser().await;
    app.turn_on().await;
    let form = app
        .get("/maintenance-mode/switch?mode=site&to=off")
        .by(&ada)
        .await;
    assert!(
        form.text().contains("<option value=\"10m\">"),
        "{}",
        form.text()
    );
    let post = async |form: &str| {
        let request = app.post("/maintenance-mode/off").by(&ada);
        request.form(form).await
    };
    let opened = post("mode=site&over=10m&next=/maintenance-mode/").await;
    assert_eq!(opened.status, 303, "{opened:?}");
    let dashboard = app.get("/maintenance-mode/").by(&ada).await;
    assert!(
        dashboard
            .text()
            .contains("<progress id=\"share-site\" max=\"1000\"")
    );
    assert!(dashboard.text().contains("Pause here"));
    assert!(dashboard.text().contains("of the visitors are in"));
    let paused = post("mode=site&pause=true&next=/maintenance-mode/").await;
    assert_eq!(paused.header("location"), Some("/maintenance-mode/"));
    let dashboard = app.get("/maintenance-mode/").by(&ada).await;
    assert!(dashboard.text().contains("nobody more for now"));
    assert!(!dashboard.text().contains("Pause here"));
    let wrong = post("mode=site&over=soon").await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
}

#[actix_web::test]
async fn nobody_whose_address_is_not_known_gets_in_before_the_last() {
    let app = TestApp::start().await;
    half_open(&app.maintenance).await;
    app.get("/").await.is_refused();
    let other = maintenance(|builder| builder).await;
    assert!(!other.is_on());
}
