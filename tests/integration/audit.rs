//! `/audit` and the file behind it.

use actix_maintenance_mode::settings::{ModeSettings, TokenSettings};
use actix_web::http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{eventually::eventually, test_app::TestApp};

struct Site {
    app: TestApp,
    folder: TempDir,
}

impl Site {
    async fn start(tokens: Vec<TokenSettings>) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("audit.jsonl");
        let app = TestApp::with_settings(move |all| {
            all.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
            all.admin.tokens = tokens;
            all.audit.file = Some(file);
        })
        .await;
        Self { app, folder }
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("audit.jsonl"));
        let text = text.unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn events(&self) -> Vec<String> {
        let lines = self.lines();
        let event = |line: &Value| line["event"].as_str().unwrap().to_owned();
        lines.iter().map(event).collect()
    }
}

#[actix_web::test]
async fn who_and_how_is_told_of_each_way() {
    let site = Site::start(Vec::new()).await;
    let ada = site.app.log_in_superuser("ada").await;
    site.app.post("/maintenance-mode/on").by(&ada).await;
    site.app
        .request(Method::POST, "/maintenance-mode/off")
        .by(&ada)
        .header("Sec-Fetch-Site", "same-origin")
        .await;
    site.app
        .maintenance
        .turn_on()
        .by("job")
        .mode("shop")
        .await
        .unwrap();
    let told: Vec<_> = site
        .lines()
        .iter()
        .map(|line| [&line["event"], &line["mode"], &line["by"], &line["how"]].map(Value::clone))
        .collect();
    assert_eq!(
        told,
        [
            ["on", "site", "ada", "api"].map(|word| json!(word)),
            ["off", "site", "ada", "browser"].map(|word| json!(word)),
            ["on", "shop", "job", "code"].map(|word| json!(word)),
        ]
    );
}

#[actix_web::test]
async fn what_is_refused_is_told_and_why() {
    let site = Site::start(Vec::new()).await;
    let user = site.app.log_in_user("eve").await;
    site.app.post("/maintenance-mode/on").by(&user).await;
    site.app
        .request(Method::PUT, "/maintenance-mode/modes/site")
        .header("Authorization", "Bearer mmt_wrong")
        .await;
    let ada = site.app.log_in_superuser("ada").await;
    site.app
        .request(Method::POST, "/maintenance-mode/on")
        .by(&ada)
        .header("Sec-Fetch-Site", "cross-site")
        .await;
    eventually("it is written", || site.events().len() >= 3).await;
    let lines = site.lines();
    let told: Vec<_> = lines
        .iter()
        .map(|line| [&line["event"], &line["by"], &line["outcome"]].map(Value::clone))
        .collect();
    assert_eq!(
        told[0],
        [json!("toggle-refused"), json!("eve"), json!("refused")]
    );
    assert_eq!(
        told[1],
        [json!("token-refused"), json!(null), json!("refused")]
    );
    assert_eq!(
        told[2],
        [json!("toggle-refused"), json!("ada"), json!("refused")]
    );
    assert!(
        lines[2]["why"].as_str().unwrap().contains("site"),
        "{}",
        lines[2]
    );
    let text = std::fs::read_to_string(site.folder.path().join("audit.jsonl")).unwrap();
    assert!(!text.contains("mmt_wrong"));
}

#[actix_web::test]
async fn each_sees_what_belongs_to_the_modes_that_they_may_see() {
    let (mut shop, of_shop) = TokenSettings::generate("shop").unwrap();
    shop.modes = vec!["shop".to_owned()];
    let (all, of_all) = TokenSettings::generate("all").unwrap();
    let site = Site::start(vec![shop, all]).await;
    site.app
        .maintenance
        .turn_on()
        .mode("site")
        .by("secret job")
        .await
        .unwrap();
    site.app.maintenance.turn_on().mode("shop").await.unwrap();
    let read = async |token: &str, query: &str| {
        let path = format!("/maintenance-mode/audit{query}");
        let request = site.app.request(Method::GET, &path);
        request
            .header("Authorization", format!("Bearer {token}"))
            .await
    };
    read(&of_shop, "").await;
    eventually("it is written", || site.events().len() == 3).await;
    let answer = read(&of_shop, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let entries = answer.json()["audit"].as_array().unwrap().clone();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["mode"], "shop");
    let page = read(&of_all, "?mode=site").await.json();
    assert_eq!(page["audit"].as_array().unwrap().len(), 1);
    assert_eq!(page["audit"][0]["by"], "secret job");
    // One token use is no news for an hour.
    eventually("it is written", || site.events().len() == 4).await;
    let all = read(&of_all, "?last=2").await.json();
    assert_eq!(all["audit"].as_array().unwrap().len(), 2);
    assert_eq!(all["audit"][1]["event"], "token-used");
    assert_eq!(read(&of_all, "?last=0").await.status, 400);
    assert_eq!(read("mmt_wrong", "").await.status, 403);
}

#[actix_web::test]
async fn the_dashboard_shows_it() {
    let site = Site::start(Vec::new()).await;
    let ada = site.app.log_in_superuser("ada").await;
    let page = site
        .app
        .get("/maintenance-mode/")
        .by(&ada)
        .await
        .text()
        .to_owned();
    assert!(page.contains("Who did what"), "{page}");
    site.app
        .maintenance
        .turn_on()
        .by("<b>job</b>")
        .await
        .unwrap();
    let page = site
        .app
        .get("/maintenance-mode/")
        .by(&ada)
        .await
        .text()
        .to_owned();
    assert!(page.contains("&lt;b&gt;job"), "{page}");
    let (app, superuser) = TestApp::with_superuser().await;
    let page = app
        .get("/maintenance-mode/")
        .by(&superuser)
        .await
        .text()
        .to_owned();
    assert!(!page.contains("Who did what"));
    assert_eq!(
        app.get("/maintenance-mode/audit")
            .by(&superuser)
            .await
            .status,
        409
    );
}

#[actix_web::test]
async fn what_time_does_is_told_once() {
    let site = Site::start(Vec::new()).await;
    let start = Timestamp::now() + SignedDuration::from_millis(500);
    let maintenance = &site.app.maintenance;
    let window = maintenance
        .plan_window()
        .mode("site")
        .start(start)
        .by("ada");
    window
        .lasting(std::time::Duration::from_secs(1))
        .await
        .unwrap();
    eventually("it is written", || {
        site.events().contains(&"off".to_owned())
    })
    .await;
    assert_eq!(site.events().iter().filter(|it| *it == "off").count(), 1);
    let lines = site.lines();
    let off = lines.iter().find(|line| line["event"] == "off").unwrap();
    assert_eq!(
        (&off["how"], &off["why"]),
        (&json!("schedule"), &json!("window-end"))
    );
    assert_eq!(off["by"], json!(null));
}

#[actix_web::test]
async fn a_disk_that_takes_nothing_holds_up_no_switch() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("audit.jsonl");
    std::fs::create_dir(folder.path().join("audit.jsonl.d")).unwrap();
    let named = file.clone();
    let app = TestApp::with_settings(move |all| all.audit.file = Some(named)).await;
    // A folder where the file should be: whoever runs as root could write to all else.
    std::fs::rename(folder.path().join("audit.jsonl.d"), &file).unwrap();
    app.maintenance.turn_on().by("ada").await.unwrap();
    assert!(app.maintenance.is_on());
    let status = app.maintenance.status().audit.unwrap();
    assert!(status.error.unwrap().contains("cannot write the audit"));
    std::fs::remove_dir(&file).unwrap();
    eventually("it is written", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("ada"))
    })
    .await;
}
