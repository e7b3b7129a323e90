//! Whatever a program with a token sends to the API, the answer is one that was meant.
#![no_main]

use std::rc::Rc;

use actix_maintenance_mode::{Maintenance, Settings, settings::TokenSettings};
use actix_maintenance_mode_fuzz::text;
use actix_web::{
    App,
    body::{self, MessageBody as _},
    dev::Service as _,
    http::{Method, StatusCode},
    rt::{System, SystemRunner},
    test::{self, TestRequest},
};
use futures_util::future::LocalBoxFuture;
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "{",
    "}",
    "\"reason\": ",
    "\"message\": ",
    "\"until\": ",
    "\"for\": ",
    "\"drain\": ",
    "\"held\": ",
    "\"name\": ",
    "\"ttl\": ",
    "\"start\": ",
    "\"end\": ",
    "\"mode\": \"site\"",
    "\"repeats\": ",
    "\"cron\": \"30 1 * * *\"",
    "\"zone\": \"Europe/Rome\"",
    "\"duration\": ",
    "\"2h\"",
    "\"2099-03-29T01:30:00Z\"",
    "\"+1h\"",
    "null",
    "true",
    "18446744073709551616",
    "\"x\"",
    "[",
    "]",
    ", ",
    "message=",
    "&",
    "%00",
    "\\u202e",
    "\u{202e}",
];
const TARGETS: [(&str, &str); 12] = [
    ("PUT", "/modes/site"),
    ("PUT", "/modes/site"),
    ("DELETE", "/modes/site"),
    ("POST", "/windows"),
    ("POST", "/windows"),
    ("PATCH", "/windows/a"),
    ("DELETE", "/windows/a"),
    ("POST", "/on"),
    ("POST", "/off"),
    ("POST", "/modes/site/held"),
    ("POST", "/plan"),
    ("POST", "/cancel"),
];

type Call = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, (StatusCode, bool, Vec<u8>)>>;

/// One app for all runs.
struct Site {
    runner: SystemRunner,
    call: Call,
    bearer: String,
}

impl Site {
    fn new() -> Self {
        let runner = System::new();
        let (token, secret) = TokenSettings::generate("fuzz").unwrap();
        let call = runner.block_on(async {
            let mut settings = Settings::default();
            settings.store = "memory:".to_owned();
            settings.admin.tokens = vec![token];
            let maintenance = Maintenance::builder()
                .settings(settings)
                .build()
                .await
                .unwrap();
            let app = App::new()
                .service(maintenance.admin())
                .wrap(maintenance.middleware());
            let service = Rc::new(test::init_service(app).await);
            let call: Call = Box::new(move |request| {
                let service = Rc::clone(&service);
                Box::pin(async move {
                    let response = service.call(request.to_request()).await.unwrap();
                    let status = response.status();
                    let is_json = response
                        .headers()
                        .get("content-type")
                        .is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
                    let body = response.into_body().boxed();
                    (
                        status,
                        is_json,
                        body::to_bytes(body).await.unwrap().to_vec(),
                    )
                })
            });
            call
        });
        Self {
            runner,
            call,
            bearer: format!("Bearer {secret}"),
        }
    }
}

thread_local! {
    // Never dropped: at the end of the thread the runtime would miss what is gone before it.
    static SITE: &'static Site = Box::leak(Box::new(Site::new()));
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let (method, path) = TARGETS[usize::from(*first) % TARGETS.len()];
    let kind = ["application/json", "application/x-www-form-urlencoded"][usize::from(first >> 7)];
    SITE.with(|site| {
        let request = TestRequest::default()
            .method(method.parse::<Method>().unwrap())
            .uri(&format!("/maintenance-mode{path}"))
            .insert_header(("Authorization", site.bearer.as_str()))
            .insert_header(("Content-Type", kind))
            .insert_header(("Accept", "application/json"))
            .set_payload(text(rest, WORDS));
        let (status, is_json, body) = site.runner.block_on((site.call)(request));
        assert!(
            !status.is_server_error(),
            "{status}: {}",
            String::from_utf8_lossy(&body)
        );
        if is_json {
            serde_json::from_slice::<serde_json::Value>(&body).unwrap();
        }
    });
});
