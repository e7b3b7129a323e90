//! A Postgres server of one test, a standby of it, and a pooler in front.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::redis_server::free_port;

/// How long a server may take to start or to end. Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with nothing in it. It ends when this is dropped.
pub(crate) struct PostgresServer {
    process: Option<Child>,
    folder: TempDir,
    port: u16,
    options: Vec<String>,
}

/// The newest of the servers that are installed, where Debian has them.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("install postgresql")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|folder| folder.join(name).exists())
        .collect();
    folders.sort();
    folders.pop().expect("install postgresql").join(name)
}

/// Neither the server nor the pooler runs as root; then it is somebody else.
fn somebody() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let found = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields[0] == "postgres").then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    });
    Some(found.expect("a user `postgres`"))
}

/// A command that runs as somebody who is not root.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null());
    if let Some((user, group)) = somebody() {
        command.uid(user).gid(group);
    }
    command
}

/// Gives a file or folder to whom the server runs as.
fn give(path: &Path) {
    if let Some((user, group)) = somebody() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// A folder of whom the server runs as.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    give(folder.path());
    folder
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

impl PostgresServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self::prepared(options, |data| {
            succeeds(command(&program("initdb")).arg("-D").arg(data).args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-N",
                "--no-locale",
                "-E",
                "UTF8",
            ]));
        })
    }

    /// A server whose folder was made first.
    fn prepared(options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let mut server = Self {
            process: None,
            folder: folder(),
            port: free_port(),
            options: options.iter().map(|it| (*it).to_owned()).collect(),
        };
        prepare(&server.data());
        server.run();
        server
    }

    /// A standby, which follows it without being waited for.
    pub(crate) fn standby(&self) -> Self {
        Self::prepared(&[], |data| {
            succeeds(
                command(&program("pg_basebackup"))
                    .arg("-D")
                    .arg(data)
                    .args(["-R", "-c", "fast", "-U", "postgres", "-h"])
                    .arg(self.folder.path())
                    .args(["-p", &self.port.to_string()]),
            );
        })
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        succeeds(
            command(&program("pg_ctl"))
                .args(["promote", "-w", "-s", "-D"])
                .arg(self.data()),
        );
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Puts a file for the server alone into its folder.
    pub(crate) fn put(&self, name: &str, content: &str) {
        let path = self.data().join(name);
        fs::write(&path, content).unwrap();
        give(&path);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&path, mode).unwrap();
    }

    /// Has it read its files again.
    pub(crate) fn reload(&self) {
        self.ask("SELECT pg_reload_conf()");
    }

    /// Starts it, again or for the first time, on its port.
    pub(crate) fn run(&mut self) {
        let begin = Instant::now();
        while !self.try_to_run() {
            // What is left of one that was killed may still be there.
            assert!(begin.elapsed() < PATIENCE, "postgres does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn try_to_run(&mut self) -> bool {
        let mut process = command(&program("postgres"))
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-k"])
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(["-c", "max_connections=200", "-c", "shared_buffers=16MB"])
            .args(self.options.iter().flat_map(|option| ["-c", option]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        loop {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            if self.psql("SELECT 1").output().unwrap().status.success() {
                self.process = Some(process);
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn psql(&self, sql: &str) -> Command {
        let mut psql = command(&program("psql"));
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
        ])
        .arg("-h")
        .arg(self.folder.path())
        .args(["-p", &self.port.to_string(), "-d", "postgres", "-c", sql])
        .env("PGCONNECT_TIMEOUT", "20");
        psql
    }

    /// Asks it something over a connection of its own, as its administrator.
    pub(crate) fn ask(&self, sql: &str) -> String {
        succeeds(&mut self.psql(sql)).trim_end().to_owned()
    }

    /// Dumps the table into a file.
    pub(crate) fn dump(&self) -> PathBuf {
        let file = self.folder.path().join("dump.sql");
        let mut dump = command(&program("pg_dump"));
        dump.args([
            "-U",
            "postgres",
            "-t",
            "maintenance",
            "--clean",
            "--inserts",
            "-h",
        ])
        .arg(self.folder.path())
        .args(["-p", &self.port.to_string(), "-f"])
        .arg(&file)
        .arg("postgres");
        succeeds(&mut dump);
        file
    }

    /// Puts back what was dumped.
    pub(crate) fn restore(&self, dump: &Path) {
        succeeds(self.psql("SELECT 1").arg("-f").arg(dump));
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder with its socket.
    pub(crate) fn socket(&self) -> String {
        self.folder.path().to_str().unwrap().to_owned()
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    /// The document that it holds, as text.
    pub(crate) fn document(&self) -> String {
        self.ask("SELECT convert_from(content, 'UTF8') FROM maintenance WHERE name = ''")
    }

    /// Stops it in its tracks, as a machine that hangs.
    pub(crate) fn pause(&self) {
        self.signal_all("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal_all("CONT");
    }

    /// It and each of its processes.
    fn signal_all(&self, name: &str) {
        let process = self.process.as_ref().unwrap().id();
        signal(name, &process.to_string());
        let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
        for child in children.unwrap().split_whitespace() {
            signal(name, child);
        }
    }

    /// Ends it as `kill -9` does, and as a machine that loses its power.
    pub(crate) fn kill(&mut self) {
        if self.process.is_some() {
            self.signal_all("KILL");
            self.process.take().unwrap().wait().unwrap();
        }
    }

    /// Ends it as an administrator does, who does not wait for anybody.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal("INT", &process.id().to_string());
            process.wait().unwrap();
        }
    }
}

/// One that has ended by itself is no failure.
fn signal(name: &str, process: &str) {
    let _ = Command::new("kill").args(["-s", name, process]).status();
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The administrator's database of a server, or of a way to one, on this machine.
pub(crate) fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

/// A pooler in transaction mode.
pub(crate) struct Pooler {
    process: Child,
    _folder: TempDir,
    port: u16,
}

impl Pooler {
    pub(crate) fn to(server: &PostgresServer) -> Self {
        let (folder, port) = (folder(), free_port());
        let file = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 3\n",
            server.port()
        );
        fs::write(&file, text).unwrap();
        give(&file);
        let process = command(Path::new("pgbouncer"))
            .arg(&file)
            .env("PATH", "/usr/sbin:/usr/bin:/bin")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("install pgbouncer");
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < PATIENCE, "pgbouncer does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            process,
            _folder: folder,
            port,
        }
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
