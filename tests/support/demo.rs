//! The demo site, as its own process on a free port, and those who visit it.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long the demo may take for anything. Only a failing test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a browser says when the user clicks a button or a link in a page of the site.
pub(crate) const FROM_THIS_SITE: [(&str, &str); 2] = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Dest", "document"),
];

pub(crate) struct Demo {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    /// Open as long as the demo runs, as it would fail to print otherwise.
    _printed: BufReader<ChildStdout>,
}

impl Demo {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_logging_to(folder, variables, Stdio::null())
    }

    pub(crate) fn start_logging_to(folder: &Path, variables: &[(&str, &str)], log: Stdio) -> Self {
        let mut command = command(folder);
        command.envs(variables.iter().copied());
        Self::start_by(command, log)
    }

    /// By a [`command`] that the test has changed.
    pub(crate) fn start_by(mut command: Command, log: Stdio) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("start the demo");
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        printed.read_line(&mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("The shop is open at http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or_else(|| panic!("the demo printed {line:?}"))
            .parse()
            .unwrap();
        Self {
            process,
            address,
            _printed: printed,
        }
    }

    /// A visitor with a cookie jar of its own.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            address: self.address,
            cookie: None,
        }
    }

    pub(crate) fn superuser(&self) -> Visitor {
        let mut visitor = self.visitor();
        assert_eq!(visitor.get("/login/superuser").status, 303);
        visitor
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the demo does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Demo {
    /// As `kill -9`: nothing is tidied up.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The demo, on a free port and with nothing of this process's own settings.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .current_dir(folder)
        .env("DEMO_ADDR", "127.0.0.1:0")
        .env_remove("DEMO_KEY");
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("MAINTENANCE_") {
            command.env_remove(name);
        }
    }
    command
}

/// The example's binary is beside the folder of this test's own.
fn binary() -> PathBuf {
    let own = env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let binary = profile
        .join("examples")
        .join(format!("demo{}", env::consts::EXE_SUFFIX));
    assert!(
        binary.exists(),
        "{} is missing: `cargo test` builds it, or `cargo build --example demo`",
        binary.display()
    );
    binary
}

pub(crate) struct Visitor {
    pub(crate) address: SocketAddr,
    cookie: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// As it came: in chunks, if it was sent so.
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    /// Without the date, which may differ between two responses that are the same.
    pub(crate) fn sorted_headers(mut self) -> Vec<(String, String)> {
        self.headers.retain(|(name, _)| name != "date");
        self.headers.sort();
        self.headers
    }
}

impl Visitor {
    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, &[], "")
    }

    /// Presses a button of a page of the site.
    pub(crate) fn press(&mut self, path: &str, form: &str) -> Response {
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &[&FROM_THIS_SITE[..], &kind].concat(), form)
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut connection = TcpStream::connect(self.address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.address
        );
        if let Some(cookie) = &self.cookie {
            request.push_str(&format!("Cookie: {cookie}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let response = Response {
            status: status.parse().unwrap(),
            headers: lines
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        };
        if let Some(cookie) = response.header("set-cookie") {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        response
    }
}
