//! Which process somebody is, in words that another process on the same machine can check.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A process, also after its number has been given to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The start of the machine on which it runs.
    machine: String,
    /// Within what its number counts: a container has numbers of its own.
    numbers: String,
    pid: u32,
    /// When it began, in the ticks of the machine since its start.
    began: u64,
}

impl Process {
    /// This process. `None` where the system does not tell.
    pub(crate) fn own() -> Option<Self> {
        static OWN: OnceLock<Option<Process>> = OnceLock::new();
        OWN.get_or_init(own).clone()
    }

    /// Whether it still lives, stopped or not. `None`: it cannot be told from here.
    pub(crate) fn is_alive(&self) -> Option<bool> {
        let here = Self::own()?;
        if (&self.machine, &self.numbers) != (&here.machine, &here.numbers) {
            return None;
        }
        match began(self.pid) {
            Began::At(began) => Some(began == self.began),
            Began::Ended => Some(false),
            Began::Unknown => None,
        }
    }

    /// One that no longer lives, and one that nobody here can tell of.
    #[cfg(test)]
    pub(crate) fn dead_and_elsewhere() -> Option<(Self, Self)> {
        let own = Self::own()?;
        let dead = Self {
            began: own.began + 1,
            ..own.clone()
        };
        let elsewhere = Self {
            machine: "another".to_owned(),
            ..own
        };
        Some((dead, elsewhere))
    }
}

/// When a process began.
#[derive(Debug, PartialEq, Eq)]
enum Began {
    At(u64),
    Ended,
    Unknown,
}

#[cfg(target_os = "linux")]
fn own() -> Option<Process> {
    let machine = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let pid = std::process::id();
    match began(pid) {
        Began::At(began) => Some(Process {
            machine: machine.trim().to_owned(),
            numbers: numbers.display().to_string(),
            pid,
            began,
        }),
        Began::Ended | Began::Unknown => None,
    }
}

#[cfg(target_os = "linux")]
fn began(pid: u32) -> Began {
    use std::{fs::read_to_string, io::ErrorKind};

    match read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => parse(&stat).unwrap_or(Began::Unknown),
        // It may only be hidden. The first process is always there: who cannot see it cannot tell.
        Err(error) if error.kind() == ErrorKind::NotFound => match read_to_string("/proc/1/stat") {
            Ok(_) => Began::Ended,
            Err(_) => Began::Unknown,
        },
        Err(_) => Began::Unknown,
    }
}

/// Reads what the system says of a process: its name in brackets, which may hold anything, its
/// state, and as the twenty-second of all fields its beginning.
#[cfg(target_os = "linux")]
fn parse(stat: &str) -> Option<Began> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    // A process that has ended and that nobody has asked about yet serves nobody.
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return Some(Began::Ended);
    }
    fields.nth(18)?.parse().ok().map(Began::At)
}

#[cfg(not(target_os = "linux"))]
fn own() -> Option<Process> {
    None
}

#[cfg(not(target_os = "linux"))]
fn began(_pid: u32) -> Began {
    Began::Unknown
}

#[cfg(all(test, target_os = "linux"))]
#[path = "process_tests.rs"]
mod tests;
