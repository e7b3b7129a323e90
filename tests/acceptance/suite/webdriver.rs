//! Chromium, driven as a person drives it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{self, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A busy machine takes its time to start a browser and to show a page.
const PATIENCE: Duration = Duration::from_secs(30);

/// The script that finds what keeps people out; `tests/run` installs it.
const AXE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/npm/node_modules/axe-core/axe.min.js"
);

/// Whether pages are light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// The program that drives browsers. It is ended when this is dropped, and they with it.
pub(crate) struct Driver {
    process: process::Child,
    address: String,
    folder: TempDir,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start chromedriver");
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        let port: u16 = loop {
            line.clear();
            assert!(printed.read_line(&mut line).unwrap() > 0, "no port is told");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        // It must be able to print as long as it runs.
        std::thread::spawn(move || {
            let mut rest = String::new();
            let _ = printed.read_to_string(&mut rest);
        });
        Self {
            process,
            address: format!("http://127.0.0.1:{port}"),
            folder: TempDir::new().unwrap(),
        }
    }

    /// A browser with a profile of its own, that is, somebody else's.
    pub(crate) async fn browser(&self, site: impl std::fmt::Display) -> Browser {
        self.browser_with(site, &[]).await
    }

    /// A browser in which pages run no scripts.
    pub(crate) async fn browser_without_scripts(&self, site: impl std::fmt::Display) -> Browser {
        let browser = self.browser(site).await;
        browser
            .tell(
                "Emulation.setScriptExecutionDisabled",
                json!({ "value": true }),
            )
            .await;
        browser
    }

    pub(crate) async fn browser_with(
        &self,
        site: impl std::fmt::Display,
        more: &[&str],
    ) -> Browser {
        let profile = tempfile::Builder::new()
            .prefix("profile")
            .tempdir_in(&self.folder)
            .unwrap()
            .keep();
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en",
            "--window-size=1100,900",
        ]
        .iter()
        .chain(more)
        .map(|argument| (*argument).to_owned())
        .collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let mut capabilities = Map::new();
        capabilities.insert("browserName".to_owned(), json!("chrome"));
        capabilities.insert(
            "goog:chromeOptions".to_owned(),
            json!({ "args": arguments }),
        );
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .expect("start chromium");
        let session = client.session_id().await.unwrap().unwrap();
        Browser {
            client,
            session: format!("{}/session/{session}", self.address),
            site: format!("http://{site}"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // A driver that is killed leaves its browsers behind. Each is known by its profile.
        let Ok(processes) = fs::read_dir("/proc") else {
            return;
        };
        let folder = self.folder.path().display().to_string();
        for process in processes.flatten() {
            let is_of_this = fs::read(process.path().join("cmdline"))
                .is_ok_and(|command| String::from_utf8_lossy(&command).contains(&folder));
            if is_of_this {
                let _ = Command::new("kill")
                    .arg("-9")
                    .arg(process.file_name())
                    .stderr(Stdio::null())
                    .status();
            }
        }
    }
}

/// One browser window, at one site.
pub(crate) struct Browser {
    pub(crate) client: Client,
    session: String,
    site: String,
}

impl Browser {
    pub(crate) async fn open(&self, path: &str) {
        let address = format!("{}{path}", self.site);
        self.client.goto(&address).await.unwrap();
    }

    /// Sends what WebDriver itself has no command for.
    async fn send(&self, path: &str, body: Value) -> Value {
        let mut answer = awc::Client::builder()
            .timeout(PATIENCE)
            .finish()
            .post(format!("{}/{path}", self.session))
            .send_json(&body)
            .await
            .unwrap();
        let answer: Value = answer.json().limit(16 << 20).await.unwrap();
        answer["value"].clone()
    }

    /// A command of the DevTools.
    pub(crate) async fn tell(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.send("goog/cdp/execute", body).await
    }

    pub(crate) async fn prefer(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.tell(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Makes the window so wide, or as it was.
    pub(crate) async fn be_wide(&self, width: Option<u32>) {
        match width {
            Some(width) => {
                let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
                self.tell("Emulation.setDeviceMetricsOverride", size).await
            }
            None => {
                self.tell("Emulation.clearDeviceMetricsOverride", json!({}))
                    .await
            }
        };
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// All that can be read on the page.
    pub(crate) async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            // The page may be exchanged between the two.
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page says this, and tells how long that took.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> impl Future<Output = Duration> {
        let caller = std::panic::Location::caller();
        async move {
            let started = Instant::now();
            loop {
                let text = self.text().await;
                if text.contains(words) {
                    return started.elapsed();
                }
                assert!(
                    started.elapsed() < PATIENCE,
                    "{caller}: the page does not say `{words}`: {text}"
                );
                actix_web::rt::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Waits until a script says that it is so.
    #[track_caller]
    pub(crate) fn until(&self, script: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let started = Instant::now();
            while self.run(script).await != json!(true) {
                assert!(started.elapsed() < PATIENCE, "{caller}: not so: {script}");
                actix_web::rt::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    pub(crate) async fn find(&self, selector: &str) -> Element {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector))
            .await
            .unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.unwrap();
    }

    pub(crate) async fn write(&self, selector: &str, text: &str) {
        self.find(selector).await.send_keys(text).await.unwrap();
    }

    /// Sets a field as whole, as date fields take keys differently in each language.
    pub(crate) async fn set(&self, selector: &str, value: &str) {
        let script = "arguments[0].value = arguments[1]";
        let field = serde_json::to_value(self.find(selector).await).unwrap();
        self.client
            .execute(script, vec![field, json!(value)])
            .await
            .unwrap();
    }

    /// What keeps people from using the page.
    pub(crate) async fn barriers(&self) -> Vec<String> {
        let axe = fs::read_to_string(Path::new(AXE))
            .unwrap_or_else(|error| panic!("{AXE}: {error}; tests/run installs it"));
        self.run(&axe).await;
        let script = "const done = arguments[arguments.length - 1]; \
             axe.run(document, { resultTypes: ['violations'] }) \
               .then(found => done(found.violations), error => done([{ id: String(error), nodes: [] }]))";
        let found = self.client.execute_async(script, Vec::new()).await.unwrap();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|violation| {
                let nodes: Vec<String> = violation["nodes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|node| format!("{} {}", node["target"], node["failureSummary"]))
                    .collect();
                format!("{}: {}", violation["id"], nodes.join("; "))
            })
            .collect()
    }

    /// What the browser has complained about since it was asked last; of answers that are no
    /// success, only those for other addresses than `refused`.
    pub(crate) async fn complaints(&self, refused: &[&str]) -> Vec<String> {
        let entries = self.send("se/log", json!({ "type": "browser" })).await;
        let is_meant = |message: &str| {
            refused.iter().any(|path| {
                let address = format!("{}{path} - Failed to load resource", self.site);
                message.starts_with(&address)
            })
        };
        entries
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|entry| entry["message"].as_str())
            .filter(|message| !is_meant(message))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}
