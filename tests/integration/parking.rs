//! Requests that wait for the reopening instead of being refused.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    rc::Rc,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    ChangeError, Inquiry, Maintenance, Outcome, Phase,
    settings::{Access, CorsSetting, ModeSettings, Settings},
};
use actix_web::{
    App, HttpResponse,
    http::Method,
    rt::{self, task::JoinHandle, time::sleep},
    web,
};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    eventually::eventually,
    test_app::{Answer, TestApp, maintenance},
    test_server::TestServer,
};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_secs(1);
/// Over how long those who waited are let in.
const SPREAD: Duration = Duration::from_secs(1);

async fn park(app: &TestApp, patience: Duration) {
    app.maintenance.turn_on().park(patience).await.unwrap();
}

fn parked(maintenance: &Maintenance) -> u64 {
    maintenance.status().parked.unwrap()
}

async fn wait_for(maintenance: &Maintenance, count: u64) {
    let what = format!("{count} requests wait");
    eventually(&what, || parked(maintenance) == count).await;
}

/// Sends a request, and goes on. What comes back tells how long it took.
fn send(app: &Rc<TestApp>, method: Method, path: &str) -> JoinHandle<(Answer, Duration)> {
    let (app, path) = (Rc::clone(app), path.to_owned());
    let sent = Instant::now();
    rt::spawn(async move {
        let answer = app.request(method, &path).await;
        (answer, sent.elapsed())
    })
}

fn get(app: &Rc<TestApp>, path: &str) -> JoinHandle<(Answer, Duration)> {
    send(app, Method::GET, path)
}

/// Closes the site, and sends the one request that waits for it.
async fn one_waits(app: &Rc<TestApp>) -> JoinHandle<(Answer, Duration)> {
    park(app, LONG).await;
    let request = get(app, "/");
    wait_for(&app.maintenance, 1).await;
    request
}

/// The modes `site` and `shop`, of which the second one is about `/shop`.
fn site_and_shop(settings: &mut Settings) {
    let mut shop = ModeSettings::new("shop");
    shop.applies_to.prefixes = vec!["/shop".to_owned()];
    settings.modes = vec![ModeSettings::new("site"), shop];
}

#[actix_web::test]
async fn a_request_waits_until_the_mode_opens() {
    let app = Rc::new(TestApp::start().await);
    park(&app, LONG).await;
    let methods = [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE];
    let sent: Vec<_> = methods
        .into_iter()
        .map(|method| send(&app, method, "/"))
        .collect();
    wait_for(&app.maintenance, 4).await;
    sleep(Duration::from_millis(200)).await;
    assert!(sent.iter().all(|request| !request.is_finished()));
    app.turn_off().await;
    for request in sent {
        let (answer, waited) = request.await.unwrap();
        answer.is_served();
        assert!(waited >= Duration::from_millis(200) && waited < LONG);
    }
    assert_eq!(parked(&app.maintenance), 0);
    // Online nobody waits.
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn its_patience_ends_with_the_ordinary_refusal() {
    let app = TestApp::start().await;
    let get = async || {
        let sent = Instant::now();
        let answer = app.get("/").accept("application/json").await;
        (answer, sent.elapsed())
    };
    park(&app, SHORT).await;
    let (answer, waited) = get().await;
    answer.is_refused();
    assert!(waited >= SHORT, "{waited:?}");
    assert_eq!(parked(&app.maintenance), 0);
    let none = app.maintenance.turn_on().park(Duration::ZERO);
    none.await.unwrap();
    let (ordinary, at_once) = get().await;
    assert!(at_once < SHORT, "{at_once:?}");
    assert_eq!(answer.body, ordinary.body);
    let lines = |answer: &Answer| {
        let headers = answer.headers.iter();
        let mut lines: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&answer), lines(&ordinary));
}

#[actix_web::test]
async fn where_as_many_wait_as_may_the_newest_is_refused_at_once() {
    let app = TestApp::with_settings(|settings| settings.park.most = 2).await;
    let app = Rc::new(app);
    park(&app, LONG).await;
    let first = [get(&app, "/"), get(&app, "/")];
    wait_for(&app.maintenance, 2).await;
    for _ in 0..3 {
        let (answer, waited) = get(&app, "/").await.unwrap();
        answer.is_refused();
        assert!(waited < LONG / 2, "{waited:?}");
    }
    app.turn_off().await;
    for request in first {
        request.await.unwrap().0.is_served();
    }
}

#[actix_web::test]
async fn whoever_goes_away_frees_their_place() {
    let app = TestApp::with_settings(|settings| settings.park.most = 1).await;
    let app = Rc::new(app);
    park(&app, LONG).await;
    let first = get(&app, "/");
    wait_for(&app.maintenance, 1).await;
    first.abort();
    wait_for(&app.maintenance, 0).await;
    let second = get(&app, "/");
    wait_for(&app.maintenance, 1).await;
    app.turn_off().await;
    second.await.unwrap().0.is_served();
}

#[actix_web::test]
async fn nothing_waits_for_those_who_wait() {
    let app = TestApp::with_settings(|settings| settings.drain.session_idle = 2 * SHORT).await;
    let app = Rc::new(app);
    app.log_in_user("bob").await;
    let turn_on = app.maintenance.turn_on().park(LONG).drain();
    turn_on.drain_timeout(LONG).await.unwrap();
    // Bob is in, and whoever is new waits while it is closing.
    let request = get(&app, "/");
    wait_for(&app.maintenance, 1).await;
    assert_eq!(app.maintenance.status().in_flight, Some(0));
    eventually("the drain is over", || {
        app.maintenance.phase() == Phase::Offline
    })
    .await;
    let empty = app.maintenance.wait_until_empty().at_most(LONG / 2);
    empty.await.unwrap();
    assert_eq!(parked(&app.maintenance), 1);
    assert!(!request.is_finished());
    app.turn_off().await;
    request.await.unwrap().0.is_served();
}

#[actix_web::test]
async fn they_are_let_in_over_a_second_in_the_order_in_which_they_came() {
    const COUNT: u32 = 50;
    let app = Rc::new(TestApp::start().await);
    park(&app, LONG).await;
    let mut sent = Vec::new();
    for number in 1..=COUNT {
        sent.push(get(&app, "/"));
        wait_for(&app.maintenance, number.into()).await;
    }
    app.turn_off().await;
    let opened = Instant::now();
    let answered = sent.into_iter().map(|request| async {
        request.await.unwrap().0.is_served();
        opened.elapsed()
    });
    let answered = join_all(answered).await;
    for (place, after) in (0..).zip(&answered) {
        let turn = SPREAD * place / COUNT;
        // The clock of the release was read a little before this one.
        assert!(*after + SPREAD / 10 >= turn, "{place} after {after:?}");
    }
    assert!(answered.is_sorted(), "{answered:?}");
    // Whoever comes meanwhile has not waited, and does not.
    assert_eq!(parked(&app.maintenance), 0);
}

#[actix_web::test]
async fn nobody_is_refused_because_their_turn_in_the_release_is_late() {
    let app = Rc::new(TestApp::start().await);
    park(&app, 2 * SHORT).await;
    let sent: Vec<_> = (0..20).map(|_| get(&app, "/")).collect();
    wait_for(&app.maintenance, 20).await;
    sleep(SHORT * 3 / 2).await;
    app.turn_off().await;
    for request in sent {
        let (answer, waited) = request.await.unwrap();
        answer.is_served();
        assert!(waited < 2 * SHORT + SPREAD, "{waited:?}");
    }
}

#[actix_web::test]
async fn whoever_wakes_is_judged_anew() {
    let app = Rc::new(TestApp::with_settings(site_and_shop).await);
    let turn_on = |mode: &str| app.maintenance.turn_on().mode(mode);
    let turn_off = |mode: &str| app.maintenance.turn_off().mode(mode);
    // Another mode is closed, and nobody waits for that.
    turn_on("site").park(LONG).await.unwrap();
    turn_on("shop").await.unwrap();
    let request = get(&app, "/shop/1");
    wait_for(&app.maintenance, 1).await;
    turn_off("site").await.unwrap();
    request.await.unwrap().0.is_refused();
    // Another mode is closed, and who waits for the first waits for that, too, but no longer than it says.
    turn_on("site").park(LONG).await.unwrap();
    turn_on("shop").park(2 * SHORT).await.unwrap();
    let request = get(&app, "/shop/1");
    let other = get(&app, "/");
    wait_for(&app.maintenance, 2).await;
    turn_off("site").await.unwrap();
    other.await.unwrap().0.is_served();
    assert!(!request.is_finished());
    let (answer, waited) = request.await.unwrap();
    answer.is_refused();
    assert!(waited >= 2 * SHORT && waited < LONG, "{waited:?}");
    // It has closed again before their turn: they go on waiting.
    turn_off("shop").await.unwrap();
    turn_on("site").park(LONG).await.unwrap();
    let sent: Vec<_> = (0..20).map(|_| get(&app, "/")).collect();
    wait_for(&app.maintenance, 20).await;
    turn_off("site").await.unwrap();
    turn_on("site").await.unwrap();
    assert_eq!(app.maintenance.status().mode("site").unwrap().park, None);
    // Without a word of waiting they are refused.
    let answers = join_all(sent).await;
    assert!(
        answers
            .iter()
            .any(|answer| answer.as_ref().unwrap().0.status == 503)
    );
}

#[actix_web::test]
async fn who_waits_goes_on_waiting_when_it_closes_again() {
    let app = Rc::new(TestApp::start().await);
    park(&app, LONG).await;
    let sent: Vec<_> = (0..20).map(|_| get(&app, "/")).collect();
    wait_for(&app.maintenance, 20).await;
    app.turn_off().await;
    park(&app, LONG).await;
    // Of those whose turn had not come nobody is refused.
    sleep(SPREAD + SPREAD / 2).await;
    let waiting = parked(&app.maintenance);
    assert!(waiting > 0, "all got in before it closed again");
    app.turn_off().await;
    for request in sent {
        request.await.unwrap().0.is_served();
    }
}

#[actix_web::test]
async fn what_is_said_of_the_waiting_later_counts_for_those_who_wait() {
    let app = Rc::new(TestApp::start().await);
    let request = one_waits(&app).await;
    // What says nothing of it leaves it as it is.
    app.maintenance.turn_on().reason("more work").await.unwrap();
    assert_eq!(app.maintenance.status().modes[0].park, Some(30));
    sleep(SHORT / 5).await;
    assert!(!request.is_finished());
    app.maintenance
        .turn_on()
        .park(Duration::ZERO)
        .await
        .unwrap();
    let (answer, waited) = request.await.unwrap();
    answer.is_refused();
    assert!(waited < LONG / 2);
    assert_eq!(app.maintenance.status().modes[0].park, None);
}

#[actix_web::test]
async fn where_it_opens_by_share_each_ones_own_turn_counts() {
    let app = Rc::new(TestApp::start().await);
    let request = one_waits(&app).await;
    let opens = app.maintenance.turn_off().over(Duration::from_secs(3600));
    opens.await.unwrap();
    // Nobody knows where it comes from, so that its turn is the last.
    let (answer, waited) = request.await.unwrap();
    answer.is_refused();
    assert!(waited < LONG / 2, "{waited:?}");
    assert!(
        answer.text().contains("It is your turn"),
        "{}",
        answer.text()
    );
    // While it opens nobody waits.
    let (answer, waited) = get(&app, "/").await.unwrap();
    answer.is_refused();
    assert!(waited < LONG / 2, "{waited:?}");
    // It closes again.
    let request = one_waits(&app).await;
    app.turn_off().await;
    request.await.unwrap().0.is_served();
}

#[actix_web::test]
async fn it_opens_by_itself_for_those_who_wait() {
    let app = Rc::new(TestApp::start().await);
    let turn_on = app.maintenance.turn_on().park(LONG);
    turn_on.lasting(2 * SHORT).await.unwrap();
    let (answer, waited) = get(&app, "/").await.unwrap();
    answer.is_served();
    assert!(waited < LONG / 2, "{waited:?}");
}

#[actix_web::test]
async fn the_admin_scope_and_what_is_exempt_never_wait_nor_what_is_always_closed() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.paths = vec!["/open".to_owned()];
        settings.exempt.addresses = vec!["10.0.0.0/8".to_owned()];
        settings.forced_on.routes = vec!["closed".to_owned()];
        settings.response.cors = CorsSetting::Named(vec!["https://shop.example".to_owned()]);
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    park(&app, LONG).await;
    app.get("/open").await.is_served();
    app.get("/").from("10.0.0.7").await.is_served();
    let status = app.get("/maintenance-mode/status").by(&superuser).await;
    assert_eq!(status.status, 200);
    assert_eq!(app.get("/maintenance-mode/livez").await.status, 200);
    assert_eq!(app.get("/maintenance-mode/ping").await.status, 503);
    app.get("/closed").await.is_refused();
    // A browser asks before it sends: that has an answer of its own.
    let asked = app.preflight("/", "https://shop.example").await;
    assert_eq!(asked.status, 204);
    assert_eq!(parked(&app.maintenance), 0);
}

#[actix_web::test]
async fn in_a_window_alone_requests_are_refused() {
    let app = Rc::new(TestApp::start().await);
    let now = jiff::Timestamp::now();
    let plan = app.maintenance.plan_window().start(now);
    plan.lasting(Duration::from_secs(3600)).await.unwrap();
    let (answer, waited) = get(&app, "/").await.unwrap();
    answer.is_refused();
    assert!(waited < LONG / 2);
    // A switch besides the window has its say; it takes both to open.
    let request = one_waits(&app).await;
    app.turn_off().await;
    request.await.unwrap().0.is_served();
}

#[actix_web::test]
async fn in_a_read_only_mode_what_would_change_something_waits_and_what_reads_passes() {
    let app = TestApp::with_settings(|settings| {
        let mut site = ModeSettings::new("site");
        site.access = Access::ReadOnly;
        settings.modes = vec![site];
    })
    .await;
    let app = Rc::new(app);
    park(&app, LONG).await;
    app.get("/").await.is_served();
    let request = send(&app, Method::DELETE, "/");
    wait_for(&app.maintenance, 1).await;
    app.turn_off().await;
    request.await.unwrap().0.is_served();
}

#[actix_web::test]
async fn whoever_waits_is_not_logged_out() {
    let app = TestApp::with_settings(|settings| settings.logout.authenticated = true).await;
    let user = app.log_in_user("bob").await;
    park(&app, LONG).await;
    let (waits, ()) =
        futures_util::future::join(app.get("/session").by(&user).into_future(), async {
            wait_for(&app.maintenance, 1).await;
            app.turn_off().await;
        })
        .await;
    assert!(waits.text().contains("user_id"), "{}", waits.text());
    assert!(
        waits
            .cookie("id")
            .is_none_or(|cookie| !cookie.value().is_empty())
    );
    // Whoever is refused in the end is.
    park(&app, SHORT).await;
    let refused = app.get("/").by(&user).await;
    refused.is_refused();
    assert!(
        refused
            .cookie("id")
            .is_some_and(|cookie| cookie.value().is_empty())
    );
}

#[actix_web::test]
async fn when_the_process_leaves_those_who_wait_are_refused_and_nobody_waits_any_more() {
    let app = Rc::new(TestApp::start().await);
    let request = one_waits(&app).await;
    app.maintenance.leave().await;
    let (answer, waited) = request.await.unwrap();
    answer.is_refused();
    assert!(waited < LONG / 2, "{waited:?}");
    let (answer, waited) = get(&app, "/").await.unwrap();
    answer.is_refused();
    assert!(waited < LONG / 2, "{waited:?}");
}

#[actix_web::test]
async fn no_switch_asks_for_more_than_the_settings_say() {
    let app = TestApp::with_settings(|settings| settings.park.longest = 5 * SHORT).await;
    let superuser = app.log_in_superuser("ada").await;
    let refused = app.maintenance.turn_on().park(6 * SHORT).await.unwrap_err();
    assert!(matches!(refused, ChangeError::Park { longest } if longest == 5 * SHORT));
    assert_eq!(
        refused.to_string(),
        "requests may wait for 5 s at most, as the setting `park.longest` says; give less, or set more"
    );
    assert_eq!(app.maintenance.phase(), Phase::Online);
    let put = |body: serde_json::Value| {
        let request = app.request(Method::PUT, "/maintenance-mode/modes/site");
        request
            .by(&superuser)
            .body("application/json", body.to_string())
    };
    let answer = put(json!({ "park": "6s" })).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.text().contains("park.longest"), "{}", answer.text());
    let answer = put(json!({ "park": "soon" })).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.text().contains("`park`"), "{}", answer.text());
    assert_eq!(app.maintenance.phase(), Phase::Online);
    // Seconds, or a text; what says nothing leaves it; null takes it away.
    let park = async |body| put(body).await.json()["modes"][0]["park"].clone();
    assert_eq!(park(json!({ "park": 5 })).await, 5);
    assert_eq!(park(json!({ "park": "3s" })).await, 3);
    assert_eq!(park(json!({ "reason": "x" })).await, 3);
    assert_eq!(park(json!({ "park": null })).await, json!(null));
}

#[actix_web::test]
async fn an_explanation_says_that_it_would_wait() {
    let app =
        TestApp::with_settings(|settings| settings.forced_on.patterns = vec!["/closed".to_owned()])
            .await;
    park(&app, 10 * SHORT).await;
    let explain = |method: &str, path: &str| {
        app.maintenance
            .explain(&Inquiry::new(method, path).unwrap())
    };
    let reads = explain("GET", "/shop/1");
    assert_eq!((reads.outcome, reads.waits), (Outcome::Refuse, Some(10)));
    assert_eq!(
        reads.why,
        "The mode `site` is offline. No exemption holds. It would wait up to 10 s for the mode to open."
    );
    let writes = explain("POST", "/shop/1");
    assert_eq!(writes.waits, Some(10));
    assert!(writes.why.ends_with(
        "If it has no body, or a small one, it would wait up to 10 s for the mode to open."
    ));
    assert_eq!(explain("GET", "/closed").waits, None);
    assert_eq!(explain("GET", "/robots.txt").waits, None);
    app.maintenance
        .turn_on()
        .park(Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(explain("GET", "/shop/1").waits, None);
}

/// A connection of HTTP/1.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(LONG)).unwrap();
        Self(connection)
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// The next answer, head and body.
    async fn answer(&mut self) -> String {
        let mut connection = self.0.try_clone().unwrap();
        rt::task::spawn_blocking(move || {
            let mut answer = Vec::new();
            loop {
                let mut chunk = [0; 4096];
                let length = connection.read(&mut chunk).unwrap();
                answer.extend_from_slice(&chunk[..length]);
                let text = String::from_utf8_lossy(&answer).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    assert!(length > 0, "closed after {text:?}");
                    continue;
                };
                let expected = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse().unwrap());
                if body.len() >= expected {
                    return text;
                }
                assert!(length > 0, "closed after {text:?}");
            }
        })
        .await
        .unwrap()
    }
}

async fn echo(body: web::Bytes) -> String {
    format!(
        "{} bytes: {}",
        body.len(),
        String::from_utf8_lossy(&body[..body.len().min(5)])
    )
}

fn serve(maintenance: &Maintenance) -> TestServer {
    let maintenance = maintenance.clone();
    TestServer::start(move || {
        App::new()
            .route("/echo", web::post().to(echo))
            .default_service(web::to(async || HttpResponse::Ok().body("served")))
            .wrap(maintenance.middleware())
    })
}

#[actix_web::test]
async fn over_one_connection_a_request_waits_and_the_next_one_follows() {
    let maintenance = maintenance(|builder| builder).await;
    let server = serve(&maintenance);
    let mut client = Client::connect(server.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(client.answer().await.starts_with("HTTP/1.1 200"));
    maintenance.turn_on().park(LONG).await.unwrap();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&maintenance, 1).await;
    maintenance.turn_off().await.unwrap();
    let answer = client.answer().await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("served"),
        "{answer}"
    );
    maintenance.turn_on().park(SHORT).await.unwrap();
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&maintenance, 1).await;
    maintenance.turn_off().await.unwrap();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answers = String::new();
    client.0.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
    server.stop().await;
}

#[actix_web::test]
async fn a_small_body_waits_with_its_request_and_others_are_refused() {
    let maintenance = maintenance(|builder| builder).await;
    let server = serve(&maintenance);
    maintenance.turn_on().park(LONG).await.unwrap();
    let post = |length: usize| {
        let body = "x".repeat(length);
        format!("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let mut large = Client::connect(server.address);
    large.send(&post(16 * 1024 + 1));
    assert!(large.answer().await.starts_with("HTTP/1.1 503"));
    let mut unknown = Client::connect(server.address);
    unknown.send(
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    );
    assert!(unknown.answer().await.starts_with("HTTP/1.1 503"));
    let mut small = Vec::new();
    for length in [0, 1, 16 * 1024] {
        let mut client = Client::connect(server.address);
        client.send(&post(length));
        small.push((client, length));
    }
    wait_for(&maintenance, 3).await;
    maintenance.turn_off().await.unwrap();
    for (mut client, length) in small {
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains(&format!("{length} bytes")), "{answer}");
    }
    server.stop().await;
}
