//! The store of a lane, and what it suffers.

use std::{
    fs::{self, File},
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    arguments::StoreKind,
    failure::{Failure, because},
    fault::StoreFault,
    way::Way,
};

/// How long a server may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) enum Place {
    File(Disk),
    Redis(Redis),
}

impl Place {
    pub(crate) fn make(kind: StoreKind, folder: &Path, is_root: bool) -> Result<Self, Failure> {
        Ok(match kind {
            StoreKind::File => Self::File(Disk::make(folder, is_root)?),
            StoreKind::Redis => Self::Redis(Redis::make(folder)?),
        })
    }

    /// A way to it that can fail, if it is elsewhere.
    pub(crate) async fn way(&self) -> Result<Option<Way>, Failure> {
        match self {
            Self::File(_) => Ok(None),
            Self::Redis(redis) => {
                let way = Way::to(redis.address).await;
                way.map(Some).map_err(because("cannot listen"))
            }
        }
    }

    pub(crate) fn url(&self, way: Option<&Way>) -> String {
        match self {
            Self::File(disk) => format!("file:{}", disk.state().display()),
            Self::Redis(redis) => {
                format!("redis://{}", way.map_or(redis.address, |way| way.address))
            }
        }
    }

    /// Something happens in some rounds, without which others would have less to lose.
    pub(crate) fn before_round(&mut self, rng: &mut Rng) -> Result<(), Failure> {
        match self {
            Self::Redis(redis) if rng.u8(..4) == 0 => redis.ask(&["SAVE"]).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// What it holds now is what it comes back with.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        match self {
            // One that is down has saved what it could, and one that hangs would not be heard of.
            Self::Redis(redis) if redis.process.is_some() => {
                redis.signal(Signal::CONT);
                redis.ask(&["SAVE"]).map(|_| ())
            }
            Self::Redis(_) | Self::File(_) => Ok(()),
        }
    }

    pub(crate) fn suffer(&mut self, fault: StoreFault, rng: &mut Rng) -> Result<(), Failure> {
        match self {
            Self::File(disk) => disk.suffer(fault, rng),
            Self::Redis(redis) => redis.suffer(fault, rng),
        }
    }

    pub(crate) fn heal(&mut self) -> Result<(), Failure> {
        match self {
            Self::File(disk) => disk.heal(),
            Self::Redis(redis) => redis.heal(),
        }
    }
}

/// A folder, on a small disk of its own if possible.
#[derive(Debug)]
pub(crate) struct Disk {
    mounted: PathBuf,
    /// Whether it is small enough to be filled.
    is_small: bool,
}

impl Disk {
    fn make(folder: &Path, is_root: bool) -> Result<Self, Failure> {
        let mounted = folder.join("disk");
        fs::create_dir(&mounted).map_err(because("cannot make a folder"))?;
        // In a mount namespace of this program: it goes with it.
        let is_small = is_root
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
                .arg(&mounted)
                .status()
                .is_ok_and(|status| status.success());
        let disk = Self { mounted, is_small };
        fs::create_dir(disk.folder()).map_err(because("cannot make a folder"))?;
        Ok(disk)
    }

    fn folder(&self) -> PathBuf {
        self.mounted.join("folder")
    }

    fn away(&self) -> PathBuf {
        self.mounted.join("away")
    }

    fn filler(&self) -> PathBuf {
        self.mounted.join("filler")
    }

    fn state(&self) -> PathBuf {
        self.folder().join("maintenance.state")
    }

    fn leases(&self) -> PathBuf {
        self.folder().join("maintenance.state.leases")
    }

    fn a_lease(&self, rng: &mut Rng) -> Option<PathBuf> {
        let entries = fs::read_dir(self.leases()).ok()?;
        let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        rng.choice(paths)
    }

    fn suffer(&mut self, fault: StoreFault, rng: &mut Rng) -> Result<(), Failure> {
        // What is not there any more cannot be lost: nothing here fails.
        match fault {
            StoreFault::LeaseGone => {
                if let Some(path) = self.a_lease(rng) {
                    let _ = fs::remove_file(path);
                }
            }
            StoreFault::LeaseCut => {
                if let Some(path) = self.a_lease(rng) {
                    let _ = File::options().write(true).truncate(true).open(path);
                }
            }
            StoreFault::LeasesGone => {
                let _ = fs::remove_dir_all(self.leases());
            }
            StoreFault::Full if self.is_small => {
                let mut filler =
                    File::create(self.filler()).map_err(because("cannot fill the disk"))?;
                while filler.write_all(&[0; 4096]).is_ok() {}
            }
            StoreFault::Away => {
                let _ = fs::rename(self.folder(), self.away());
            }
            _ => {}
        }
        Ok(())
    }

    fn heal(&mut self) -> Result<(), Failure> {
        let _ = fs::remove_file(self.filler());
        if self.away().exists() {
            let _ = fs::remove_dir_all(self.folder());
            fs::rename(self.away(), self.folder()).map_err(because("cannot bring it back"))?;
        }
        Ok(())
    }
}

/// A server.
#[derive(Debug)]
pub(crate) struct Redis {
    folder: PathBuf,
    address: SocketAddr,
    process: Option<Child>,
}

impl Redis {
    fn make(folder: &Path) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0));
        let address = listener.and_then(|listener| listener.local_addr());
        let mut redis = Self {
            folder: folder.to_owned(),
            address: address.map_err(because("no port is free"))?,
            process: None,
        };
        redis.run()?;
        Ok(redis)
    }

    fn saved(&self) -> PathBuf {
        self.folder.join("dump.rdb")
    }

    fn run(&mut self) -> Result<(), Failure> {
        let log = File::create(self.folder.join("redis.log"));
        let process = Command::new("redis-server")
            .current_dir(&self.folder)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &self.address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(log.map_err(because("cannot write"))?)
            .spawn()
            .map_err(because("cannot start redis-server"))?;
        self.process = Some(process);
        let begin = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if begin.elapsed() > PATIENCE {
                return Err(Failure::new("redis-server does not start"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Fails only if it has ended.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.process.as_ref().and_then(|process| {
            let pid = i32::try_from(process.id()).ok()?;
            Pid::from_raw(pid)
        });
        if let Some(pid) = pid {
            // Fails only if it has ended.
            let _ = kill_process(pid, signal);
        }
    }

    fn ask(&self, words: &[&str]) -> Result<redis::Value, Failure> {
        let ask = || -> redis::RedisResult<redis::Value> {
            let client = redis::Client::open(format!("redis://{}", self.address))?;
            let mut connection = client.get_connection_with_timeout(PATIENCE)?;
            connection.set_read_timeout(Some(PATIENCE))?;
            let mut command = redis::Cmd::new();
            for word in words {
                command.arg(word);
            }
            command.query(&mut connection)
        };
        ask().map_err(because("cannot ask Redis"))
    }

    fn names(&self, pattern: &str) -> Result<Vec<String>, Failure> {
        let names = self.ask(&["KEYS", pattern])?;
        redis::from_redis_value(names).map_err(because("cannot ask Redis"))
    }

    fn suffer(&mut self, fault: StoreFault, rng: &mut Rng) -> Result<(), Failure> {
        if self.process.is_none() {
            // It is down: nothing else can happen to it.
            return Ok(());
        }
        // One that hangs would not be heard of.
        self.signal(Signal::CONT);
        match fault {
            StoreFault::Hang => self.signal(Signal::STOP),
            StoreFault::Down => self.kill(),
            StoreFault::Restart => {
                self.ask(&["SAVE"])?;
                self.kill();
                self.run()?;
            }
            StoreFault::RestartOld => {
                self.kill();
                self.run()?;
            }
            StoreFault::RestartEmpty => {
                self.kill();
                let _ = fs::remove_file(self.saved());
                self.run()?;
            }
            StoreFault::Flush => {
                self.ask(&["FLUSHALL"])?;
            }
            StoreFault::LeaseGone => {
                if let Some(name) = rng.choice(self.names("maintenance:lease:*")?) {
                    self.ask(&["DEL", &name])?;
                }
            }
            StoreFault::LeasesGone => {
                self.ask(&["DEL", "maintenance:leases"])?;
            }
            StoreFault::Full => {
                self.ask(&["CONFIG", "SET", "maxmemory", "1"])?;
            }
            StoreFault::LeaseCut | StoreFault::Away => {}
        }
        Ok(())
    }

    fn heal(&mut self) -> Result<(), Failure> {
        self.signal(Signal::CONT);
        if self.process.is_none() {
            self.run()?;
        }
        self.ask(&["CONFIG", "SET", "maxmemory", "0"]).map(|_| ())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
