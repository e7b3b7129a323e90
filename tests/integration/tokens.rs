//! Bearer tokens: a program uses the admin scope without a session.

use actix_maintenance_mode::settings::{ModeSettings, Settings, TokenSettings};
use actix_web::http::Method;

use crate::{
    log::Log,
    test_app::{Answer, TestApp},
};

const SITE: &str = "/maintenance-mode/modes/site";
const STATUS: &str = "/maintenance-mode/status";

struct Api {
    app: TestApp,
    token: String,
}

impl Api {
    async fn start(edit: impl FnOnce(&mut TokenSettings)) -> Self {
        let (mut settings, token) = TokenSettings::generate("deploy").unwrap();
        edit(&mut settings);
        let app = TestApp::with_settings(|all| {
            all.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
            all.admin.tokens.push(settings);
        })
        .await;
        Self { app, token }
    }

    async fn send(&self, method: Method, path: &str) -> Answer {
        self.app
            .request(method, path)
            .header("Authorization", format!("Bearer {}", self.token))
            .await
    }
}

#[actix_web::test]
async fn a_deploy_job_switches_and_sees_with_its_token_alone() {
    let api = Api::start(|_| {}).await;
    let answer = api.send(Method::PUT, SITE).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["modes"][0]["by"], "deploy");
    assert!(api.app.maintenance.is_on());
    for path in [
        STATUS,
        "/maintenance-mode/history",
        "/maintenance-mode/explain?path=/",
    ] {
        assert_eq!(api.send(Method::GET, path).await.status, 200, "{path}");
    }
    let ping = api.send(Method::GET, "/maintenance-mode/ping").await;
    assert_eq!(ping.json()["modes"].as_array().unwrap().len(), 2);
    assert_eq!(api.send(Method::DELETE, SITE).await.status, 200);
    assert!(!api.app.maintenance.is_on());
    assert_eq!(
        api.app.maintenance.history()[0].ended_by.as_deref(),
        Some("deploy")
    );
    assert_eq!(
        api.send(Method::POST, "/maintenance-mode/on").await.status,
        303
    );
    assert!(api.app.maintenance.is_on());
}

#[actix_web::test]
async fn a_token_needs_no_origin_because_no_browser_adds_it() {
    let api = Api::start(|_| {}).await;
    let answer = api
        .app
        .request(Method::PUT, SITE)
        .header("Authorization", format!("Bearer {}", api.token))
        .header("Origin", "https://ci.example")
        .header("Sec-Fetch-Site", "cross-site")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[actix_web::test]
async fn a_token_may_what_the_settings_say() {
    let watch = Api::start(|token| token.toggle = false).await;
    assert_eq!(watch.send(Method::GET, STATUS).await.status, 200);
    let answer = watch.send(Method::PUT, SITE).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("`deploy` may not"), "{answer:?}");
    assert!(!watch.app.maintenance.is_on());

    let blind = Api::start(|token| token.see = false).await;
    assert_eq!(blind.send(Method::GET, STATUS).await.status, 403);
    assert_eq!(blind.send(Method::PUT, SITE).await.status, 200);

    let shop = Api::start(|token| token.modes = vec!["shop".to_owned()]).await;
    assert_eq!(shop.send(Method::PUT, SITE).await.status, 403);
    let answer = shop.send(Method::PUT, "/maintenance-mode/modes/shop").await;
    assert_eq!(answer.json()["modes"].as_array().unwrap().len(), 1);
    let modes = shop.send(Method::GET, STATUS).await.json()["modes"].clone();
    assert_eq!(modes.as_array().unwrap().len(), 1);
    assert_eq!(modes[0]["key"], "shop");
}

#[actix_web::test]
async fn what_is_no_token_is_nobody() {
    let api = Api::start(|_| {}).await;
    let (other, _) = TokenSettings::generate("other").unwrap();
    let lines: Vec<Vec<u8>> = vec![
        b"Bearer".to_vec(),
        b"Bearer ".to_vec(),
        b"Bearer \xff\xfe\x80".to_vec(),
        b"Basic YWRhOmFkYQ==".to_vec(),
        format!("Basic {}", api.token).into_bytes(),
        format!("Bearer {}x", api.token).into_bytes(),
        format!("Bearer {}", other.hash).into_bytes(),
        [b"Bearer ".as_slice(), &b"a".repeat(8000)].concat(),
        api.token.clone().into_bytes(),
    ];
    for line in lines {
        for (method, path) in [(Method::PUT, SITE), (Method::GET, STATUS)] {
            let answer = api
                .app
                .request(method, path)
                .header("Authorization", &line)
                .await;
            assert_eq!(answer.status, 403, "{line:?}");
            let kind = answer.header("content-type");
            assert_eq!(kind, Some("application/problem+json"), "{line:?}");
        }
    }
    assert!(!api.app.maintenance.is_on());
}

#[actix_web::test]
async fn neither_token_nor_hash_is_ever_shown() {
    let logs = Log::collect();
    let (settings, token) = TokenSettings::generate("deploy").unwrap();
    let hash = settings.hash.clone();
    let api = Api::start(|own| own.hash.clone_from(&hash)).await;
    let api = Api {
        token: token.clone(),
        ..api
    };
    let mut shown = String::new();
    for (method, path) in [
        (Method::PUT, SITE),
        (Method::GET, STATUS),
        (Method::GET, "/maintenance-mode/history"),
        (Method::DELETE, SITE),
        (Method::PUT, "/maintenance-mode/modes/nothing"),
    ] {
        shown += &format!("{:?}", api.send(method, path).await);
    }
    let mut all = Settings::default();
    all.admin.tokens.push(settings);
    shown += &format!("{all:?} {all:#?} {:?}", api.app.maintenance);
    shown += &logs.lines().join("\n");
    let digits = hash.strip_prefix("sha256:").unwrap();
    assert!(shown.contains("deploy"), "{shown}");
    assert!(
        !shown.contains(&token) && !shown.contains(digits),
        "{shown}"
    );
}
