//! A node process, as seen from outside.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::block_in_place,
    time::{sleep, timeout},
};

use crate::{
    arguments::{Policy, word},
    failure::{Failure, because},
    marks::Reader,
    roles,
    way::Way,
};

/// How long a visitor waits for an answer; those of nodes that are stopped come again.
const VISIT: Duration = Duration::from_secs(3);
/// How long a visitor stays away who was refused.
const AWAY: Duration = Duration::from_millis(25);

/// How a node is set up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// Has process numbers of its own, as one in a container or on another machine.
    pub(crate) elsewhere: bool,
    /// By how many seconds its clock is wrong.
    pub(crate) skew: Option<i64>,
    /// Keeps its copy of the state in a folder of its own.
    pub(crate) own_memory: bool,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) habits: Habits,
    pub(crate) way: Option<Way>,
    pub(crate) address: SocketAddr,
    pub(crate) marks: Reader,
    pub(crate) is_stopped: bool,
    /// Was stopped, or could not reach its store, at some time in this round.
    pub(crate) was_disturbed: bool,
    /// How many visitors were served.
    pub(crate) served: Arc<AtomicU64>,
    /// What is started: the node itself, or what holds it.
    child: Child,
    pid: Pid,
    is_over: Arc<AtomicBool>,
}

pub(crate) struct Start<'a> {
    pub(crate) name: String,
    pub(crate) folder: &'a Path,
    pub(crate) store: String,
    pub(crate) way: Option<Way>,
    pub(crate) policy: Policy,
    pub(crate) habits: Habits,
    /// How many it has at any time.
    pub(crate) visitors: usize,
}

/// Where the library is that makes a clock wrong, if it is installed.
pub(crate) fn faketime() -> Option<PathBuf> {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
    let mut found = folders.iter().flat_map(|folder| {
        let within = fs::read_dir(folder).into_iter().flatten().flatten();
        let within = within.map(|entry| entry.path());
        within.chain([PathBuf::from(folder)])
    });
    found.find_map(|folder| {
        let library = folder.join("faketime/libfaketime.so.1");
        library.is_file().then_some(library)
    })
}

impl Node {
    pub(crate) fn start(start: Start<'_>) -> Result<Self, Failure> {
        let Start {
            name,
            folder,
            store,
            way,
            policy,
            habits,
            visitors,
        } = start;
        let own = std::env::current_exe().map_err(because("cannot find this program"))?;
        let mut command = if habits.elsewhere {
            let mut command = Command::new("unshare");
            command.args(["--pid", "--fork", "--mount-proc", "--kill-child", "--"]);
            command.arg(own);
            command
        } else {
            Command::new(own)
        };
        let marks = folder.join(format!("{name}.marks"));
        File::create(&marks).map_err(because("cannot write"))?;
        let log = Self::log(folder, &name);
        // One that starts again goes on with its log.
        let log = File::options().append(true).create(true).open(log);
        let log = log.map_err(because("cannot write"))?;
        command
            .env(roles::ROLE, roles::NODE)
            .env(roles::STORE, store)
            .env(roles::POLICY, word(&policy))
            .env(roles::MARKS, &marks)
            .env(roles::NAME, &name)
            // What is kept where the user keeps caches is kept here.
            .env("XDG_CACHE_HOME", folder.join("cache"))
            // Kept open: the node ends with this program.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        if habits.own_memory {
            command.env(roles::MEMORY, folder.join(format!("{name}.memory")));
        }
        if let (Some(skew), Some(library)) = (habits.skew, faketime()) {
            command
                .env("LD_PRELOAD", library)
                .env("FAKETIME", format!("{skew:+}"))
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let mut child = command.spawn().map_err(because("cannot start a node"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            block_in_place(|| BufReader::new(output).read_line(&mut line))
                .map_err(because("cannot hear a node"))?;
        }
        let address = line.trim().parse();
        let address = address.map_err(|_| Failure::new(format!("{name} did not start")))?;
        let outer = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = match habits.elsewhere {
            true => only_child(child.id()),
            false => outer,
        };
        let node = Self {
            pid: pid.ok_or_else(|| Failure::new(format!("{name} has ended")))?,
            name,
            habits,
            way,
            address,
            marks: Reader::new(marks),
            is_stopped: false,
            was_disturbed: false,
            served: Arc::default(),
            child,
            is_over: Arc::default(),
        };
        for _ in 0..visitors {
            let (served, is_over) = (Arc::clone(&node.served), Arc::clone(&node.is_over));
            tokio::spawn(come_again(address, served, is_over));
        }
        Ok(node)
    }

    /// Where it logs to.
    pub(crate) fn log(folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}.log"))
    }

    fn signal(&self, signal: Signal) {
        // Fails only if it has ended.
        let _ = kill_process(self.pid, signal);
    }

    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
        self.was_disturbed = true;
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&mut self) {
        self.is_stopped = false;
        self.signal(Signal::CONT);
    }

    /// Ends it as nobody can prevent.
    pub(crate) fn kill(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.signal(Signal::KILL);
        let _ = self.child.kill();
        let _ = block_in_place(|| self.child.wait());
    }

    /// Asks it to end in good order.
    pub(crate) fn end(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.signal(Signal::TERM);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        // Nobody reads it any more; it may be gone.
        let _ = fs::remove_file(&self.marks.path);
    }
}

fn only_child(parent: u32) -> Option<Pid> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let children = fs::read_to_string(path).ok()?;
    Pid::from_raw(children.split_ascii_whitespace().next()?.parse().ok()?)
}

async fn come_again(address: SocketAddr, served: Arc<AtomicU64>, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        match timeout(VISIT, visit(address, "/")).await {
            Ok(Ok(200)) => {
                served.fetch_add(1, Ordering::Relaxed);
            }
            _ => sleep(AWAY).await,
        }
    }
}

/// The status with which a visitor is answered.
pub(crate) async fn visit(address: SocketAddr, page: &str) -> std::io::Result<u16> {
    let mut connection = TcpStream::connect(address).await?;
    connection
        .write_all(
            format!("GET {page} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .await?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    status.ok_or_else(|| std::io::Error::other("not an answer"))
}
