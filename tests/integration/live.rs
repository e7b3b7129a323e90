//! `/live`: a WebSocket that tells of every change.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance,
    settings::{Settings, TokenSettings},
};
use actix_web::{App, rt::time::timeout, web};
use awc::{
    BoxedSocket, Client,
    ws::{Codec, Frame, Message},
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};

use crate::{
    eventually::{PATIENCE, eventually},
    test_app::{self, maintenance, sessions},
    test_server::TestServer,
};

const LIVE: &str = "/maintenance-mode/live";

/// A server whose app has sessions and the admin scope.
struct Site {
    maintenance: Maintenance,
    server: TestServer,
}

/// Somebody who is told.
struct Listener(actix_codec::Framed<BoxedSocket, Codec>);

impl Site {
    async fn start(edit: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        let maintenance = maintenance(|builder| builder.configure(edit)).await;
        let app = {
            let maintenance = maintenance.clone();
            move || test_app::app(&maintenance).wrap(sessions())
        };
        Self {
            server: TestServer::start(app),
            maintenance,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    async fn connect(&self, headers: &[(&'static str, String)]) -> Listener {
        let mut request = Client::builder()
            .max_http_version(awc::http::Version::HTTP_11)
            .finish()
            .ws(self.url(LIVE));
        for (name, value) in headers {
            request = request.header(*name, value.as_str());
        }
        let (response, connection) = request.connect().await.unwrap();
        assert_eq!(response.status(), 101);
        Listener(connection)
    }

    /// The cookie of somebody who has logged in.
    async fn log_in(&self, session: Value) -> String {
        let response = Client::default()
            .post(self.url("/log-in"))
            .send_json(&session)
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let cookie = response.cookie("id").unwrap();
        format!("{}={}", cookie.name(), cookie.value())
    }
}

impl Listener {
    async fn frame(&mut self) -> Option<Frame> {
        timeout(PATIENCE, self.0.next())
            .await
            .expect("a frame in time")
            .map(|frame| frame.unwrap())
    }

    /// The next document.
    async fn document(&mut self) -> Value {
        loop {
            match self.frame().await {
                Some(Frame::Text(text)) => return serde_json::from_slice(&text).unwrap(),
                Some(Frame::Ping(data)) => self.0.send(Message::Pong(data)).await.unwrap(),
                other => panic!("no document: {other:?}"),
            }
        }
    }

    /// The code with which the server ends it.
    async fn end(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(Frame::Close(reason)) => return reason.map(|reason| reason.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }
}

#[actix_web::test]
async fn whoever_connects_is_told_what_is_and_every_change() {
    let site = Site::start(|_| {}).await;
    let mut listener = site.connect(&[]).await;
    let open = json!({ "maintenance_mode": false, "phase": "online", "retry_after": 0 });
    assert_eq!(listener.document().await, open);
    site.maintenance.turn_on().await.unwrap();
    let closed = json!({ "maintenance_mode": true, "phase": "offline", "retry_after": 3600 });
    assert_eq!(listener.document().await, closed);
    let mut late = site.connect(&[]).await;
    assert_eq!(late.document().await, closed);
    // What anybody may know has not changed, so nothing is said.
    site.maintenance.turn_on().reason("others").await.unwrap();
    site.maintenance.turn_off().await.unwrap();
    assert_eq!(listener.document().await, open);
    assert_eq!(late.document().await, open);
}

#[actix_web::test]
async fn the_edge_of_a_window_is_told() {
    let site = Site::start(|_| {}).await;
    let mut listener = site.connect(&[]).await;
    listener.document().await;
    let start = jiff::Timestamp::now() + Duration::from_millis(300);
    site.maintenance.plan_window().start(start).await.unwrap();
    assert_eq!(listener.document().await["phase"], "offline");
    assert!(jiff::Timestamp::now() >= start);
}

#[actix_web::test]
async fn those_who_may_see_are_told_of_the_modes_on_pages_of_this_site_alone() {
    let (token, secret) = TokenSettings::generate("monitor").unwrap();
    let site = Site::start(|settings| settings.admin.tokens.push(token)).await;
    let ada = site
        .log_in(json!({ "user_id": "ada", "is_superuser": true }))
        .await;
    let bob = site.log_in(json!({ "user_id": "bob" })).await;
    let own = format!("http://{}", site.server.address);
    let cookie = |cookie: &String| ("Cookie", cookie.clone());
    let origin = |origin: &str| ("Origin", origin.to_owned());
    let bearer = ("Authorization", format!("Bearer {secret}"));
    let fetched = |site: &str| ("Sec-Fetch-Site", site.to_owned());
    for (headers, sees) in [
        (vec![], false),
        (vec![cookie(&bob)], false),
        (vec![cookie(&ada)], true),
        (vec![cookie(&ada), origin(&own)], true),
        (
            vec![cookie(&ada), origin(&own), fetched("same-origin")],
            true,
        ),
        (
            vec![cookie(&ada), origin(&own), fetched("cross-site")],
            false,
        ),
        (vec![cookie(&ada), origin("https://evil.example")], false),
        (vec![cookie(&ada), origin("null")], false),
        (vec![cookie(&ada), origin("")], false),
        (vec![bearer.clone()], true),
        (vec![bearer, origin("https://ci.example")], true),
    ] {
        let mut listener = site.connect(&headers).await;
        let first = listener.document().await;
        assert_eq!(first.get("modes").is_some(), sees, "{headers:?}: {first}");
        site.maintenance.turn_on().reason("secret").await.unwrap();
        let change = listener.document().await;
        let reason = change["modes"][0]["reason"].as_str();
        assert_eq!(reason, sees.then_some("secret"), "{headers:?}: {change}");
        site.maintenance.turn_off().await.unwrap();
    }
}

#[actix_web::test]
async fn a_store_that_fails_is_told_at_once_to_those_who_may_see() {
    let folder = tempfile::TempDir::new().unwrap();
    let state = folder.path().join("maintenance.state");
    let url = format!("file:{}", state.display());
    let site = Site::start(move |settings| settings.store = url).await;
    let ada = site
        .log_in(json!({ "user_id": "ada", "is_superuser": true }))
        .await;
    site.maintenance.turn_on().await.unwrap();
    let mut sees = site.connect(&[("Cookie", ada)]).await;
    let mut anybody = site.connect(&[]).await;
    assert_eq!(sees.document().await["store"], json!({ "error": null }));
    assert!(anybody.document().await.get("store").is_none());
    let kept = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();
    std::fs::create_dir(&state).unwrap();
    let told = loop {
        let told = sees.document().await;
        if told["store"]["error"].is_string() {
            break told;
        }
    };
    assert!(
        told["store"]["error"].as_str().unwrap().contains("folder"),
        "{told}"
    );
    assert_eq!(told["phase"], "offline", "the last that is known");
    std::fs::remove_dir(&state).unwrap();
    std::fs::write(&state, kept).unwrap();
    while sees.document().await["store"]["error"].is_string() {}
    // To the others nothing has changed, until something does.
    site.maintenance.turn_off().await.unwrap();
    assert_eq!(anybody.document().await["phase"], "online");
}

#[actix_web::test]
async fn there_are_no_more_connections_than_the_settings_allow() {
    let site = Site::start(|settings| settings.live.connections = 2).await;
    let mut first = site.connect(&[]).await;
    let _second = site.connect(&[]).await;
    let refused = Client::default().ws(site.url(LIVE)).connect().await;
    let refused = format!("{:?}", refused.map(|_| ()).unwrap_err());
    assert!(refused.contains("503"), "{refused}");
    first.0.close().await.unwrap();
    drop(first);
    let deadline = Instant::now() + PATIENCE;
    while Client::default()
        .ws(site.url(LIVE))
        .connect()
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "the place is not given back");
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
}

#[actix_web::test]
async fn who_does_not_answer_is_dropped_and_who_does_stays() {
    let site = Site::start(|settings| settings.live.heartbeat = Duration::from_secs(1)).await;
    let mut silent = site.connect(&[]).await;
    silent.document().await;
    let mut awake = site.connect(&[]).await;
    awake.document().await;
    let asked = async |listener: &mut Listener, answers: bool| {
        let mut asked = 0;
        while let Some(frame) = listener.frame().await {
            if let Frame::Ping(data) = frame {
                asked += 1;
                if answers {
                    listener.0.send(Message::Pong(data)).await.unwrap();
                }
                if asked == 3 {
                    break;
                }
            }
        }
        asked
    };
    let (silent, awake) = futures_util::join!(asked(&mut silent, false), asked(&mut awake, true));
    assert_eq!((silent, awake), (1, 3));
}

#[actix_web::test]
async fn who_says_too_much_is_dropped() {
    let site = Site::start(|_| {}).await;
    for (message, code) in [
        (Message::Text("x".repeat(2000).into()), Some(1009)),
        (Message::Binary(vec![0; 100_000].into()), Some(1009)),
        (Message::Close(None), Some(1000)),
    ] {
        let mut listener = site.connect(&[]).await;
        listener.document().await;
        listener.0.send(message).await.unwrap();
        assert_eq!(listener.end().await, code);
    }
    let mut listener = site.connect(&[]).await;
    listener.document().await;
    listener
        .0
        .send(Message::Text("hello".into()))
        .await
        .unwrap();
    listener.0.send(Message::Ping("x".into())).await.unwrap();
    assert!(matches!(listener.frame().await, Some(Frame::Pong(data)) if data == "x"));
}

#[actix_web::test]
async fn a_connection_is_endless_and_no_drain_waits_for_it() {
    let site = Site::start(|_| {}).await;
    let mut listener = site.connect(&[]).await;
    listener.document().await;
    let status = site.maintenance.status();
    assert_eq!((status.in_flight, status.endless), (Some(0), Some(1)));
    site.maintenance.turn_on().drain().await.unwrap();
    eventually("it is offline", || {
        site.maintenance.phase() == actix_maintenance_mode::Phase::Offline
    })
    .await;
    while listener.document().await["phase"] != "offline" {}
}

/// Changes whose documents are long, until they are far more than the system keeps on the way.
#[actix_web::test]
async fn who_does_not_read_is_dropped_and_holds_nobody_up() {
    const CHANGES: usize = 3000;
    const LENGTH: usize = 1990;
    let site = Site::start(|settings| settings.live.heartbeat = Duration::from_secs(1)).await;
    let ada = site
        .log_in(json!({ "user_id": "ada", "is_superuser": true }))
        .await;
    let mut slow = TcpStream::connect(site.server.address).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {LIVE} HTTP/1.1\r\nHost: {}\r\nCookie: {ada}\r\nUpgrade: websocket\r\nConnection: \
         Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
         dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        site.server.address
    );
    slow.write_all(request.as_bytes()).unwrap();
    eventually("it is connected", || {
        site.maintenance.status().endless == Some(1)
    })
    .await;
    for change in 0..CHANGES {
        let message = format!("{change}{}", "x".repeat(LENGTH));
        let change = site.maintenance.turn_on().message(&message);
        change.reason(message).await.unwrap();
    }
    let mut other = site.connect(&[]).await;
    assert_eq!(other.document().await["phase"], "offline");
    let asked = Instant::now();
    site.maintenance.turn_off().await.unwrap();
    assert_eq!(other.document().await["phase"], "online");
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );

    // What was kept for it on the way comes, and then the end.
    actix_web::rt::time::sleep(Duration::from_secs(8)).await;
    let reading = actix_web::rt::task::spawn_blocking(move || {
        let mut all = Vec::new();
        slow.read_to_end(&mut all).map(|_| all.len())
    });
    let read = reading.await.unwrap().unwrap();
    assert!(read < 2 * CHANGES * LENGTH, "{read} bytes");
    // The other one has not answered either meanwhile.
    eventually("their places are free", || {
        site.maintenance.status().endless == Some(0)
    })
    .await;
}

#[actix_web::test]
async fn it_ends_with_the_last_handle() {
    let site = Site::start(|_| {}).await;
    let mut listener = site.connect(&[]).await;
    listener.document().await;
    let Site {
        maintenance,
        server,
    } = site;
    drop(maintenance);
    server.stop().await;
    assert!(matches!(listener.end().await, None | Some(1001)));
}

#[actix_web::test]
async fn what_is_no_websocket_is_told_so() {
    let site = Site::start(|_| {}).await;
    for headers in [
        "",
        "Upgrade: websocket\r\n",
        "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n",
    ] {
        let answer = site.server.send(&format!("GET {LIVE}"), headers).await;
        assert_eq!(answer.status(), 426, "{headers}: {answer:?}");
        assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    }
    let no_key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let answer = site.server.send(&format!("GET {LIVE}/"), no_key).await;
    assert_eq!(answer.status(), 400, "{answer:?}");
    for method in ["HEAD", "POST", "PUT"] {
        let answer = site.server.send(&format!("{method} {LIVE}"), no_key).await;
        assert_eq!(answer.status(), 405);
    }
    site.server.stop().await;
}

#[actix_web::test]
async fn the_paths_for_templates_are_those_of_the_scope() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| settings.admin_path = "/ops/".to_owned())
    })
    .await;
    assert_eq!(maintenance.live_url(), "/ops/live");
    assert_eq!(maintenance.script_url(), "/ops/static/maintenance.js");
    let _app = App::new().app_data(web::Data::new(maintenance.clone()));
}

#[actix_web::test]
async fn who_logs_out_is_told_no_more_than_anybody() {
    let site = Site::start(|settings| settings.live.heartbeat = Duration::from_secs(1)).await;
    let ada = site
        .log_in(json!({ "user_id": "ada", "is_superuser": true }))
        .await;
    let mut listener = site.connect(&[("Cookie", ada.clone())]).await;
    assert!(listener.document().await.get("modes").is_some());
    let left = Client::default()
        .post(site.url("/log-in"))
        .insert_header(("Cookie", ada))
        .send_json(&json!({ "user_id": null, "is_superuser": null }))
        .await
        .unwrap();
    assert_eq!(left.status(), 200);
    site.maintenance.turn_on().reason("secret").await.unwrap();
    loop {
        // Judged again before the change, perhaps.
        let document = listener.document().await;
        assert!(document.get("modes").is_none(), "{document}");
        if document["maintenance_mode"] == true {
            break;
        }
    }
    // The page connects again, with whatever session it has by now.
    assert_eq!(listener.end().await, Some(1000));
}

#[actix_web::test]
async fn one_client_has_no_more_connections_than_one_may_have() {
    let site = Site::start(|settings| {
        settings.live.per_address = 2;
        settings.client.trusted_proxies = vec!["127.0.0.1".to_owned()];
    })
    .await;
    let from = |address: &str| [("X-Forwarded-For", address.to_owned())];
    let _first = site.connect(&from("192.0.2.1")).await;
    let _second = site.connect(&from("192.0.2.1")).await;
    let refused = Client::default()
        .ws(site.url(LIVE))
        .header("X-Forwarded-For", "192.0.2.1")
        .connect()
        .await;
    let refused = format!("{:?}", refused.map(|_| ()).unwrap_err());
    assert!(refused.contains("429"), "{refused}");
    // Another client behind the same proxy.
    let _other = site.connect(&from("192.0.2.2")).await;
}
