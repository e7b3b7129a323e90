//! A redis-server of one test.

use std::{
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a server may take to start. Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with nothing in it and nothing saved. It ends when this is dropped.
pub(crate) struct RedisServer {
    process: Option<Child>,
    folder: TempDir,
    port: u16,
    options: Vec<String>,
}

/// A port that nobody uses at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server that starts when the test says so.
    pub(crate) fn not_yet() -> Self {
        Self {
            process: None,
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            options: Vec::new(),
        }
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let mut server = Self::not_yet();
        server.options = options.iter().map(|it| (*it).to_owned()).collect();
        server.run();
        server
    }

    /// Starts it, again or for the first time, on its port.
    pub(crate) fn run(&mut self) {
        let socket = self.socket();
        let process = Command::new("redis-server")
            .current_dir(self.folder.path())
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--unixsocket", &socket, "--save", "", "--appendonly", "no"])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("start redis-server");
        self.process = Some(process);
        let begin = Instant::now();
        // It listens at its socket after its port.
        while TcpStream::connect(("127.0.0.1", self.port)).is_err()
            || UnixStream::connect(&socket).is_err()
        {
            assert!(begin.elapsed() < PATIENCE, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn socket(&self) -> String {
        self.folder.path().join("s").to_str().unwrap().to_owned()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Asks it something over a connection of its own.
    pub(crate) fn ask(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_connection_with_timeout(PATIENCE).unwrap();
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query(&mut connection).unwrap()
    }

    pub(crate) fn get(&self, key: &str) -> Option<String> {
        redis::from_redis_value(self.ask(&["GET", key])).unwrap()
    }

    /// Stops it in its tracks, as a machine that hangs.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
