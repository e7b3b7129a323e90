//! The traces of nodes: what is left of one whose lease is gone.
//!
//! A node that says nothing is not one that is not there. So each node leaves a *trace*, a second
//! lease `trace/…` that lives for long, and is renewed four times in the time to live of the first. A
//! node that ends in good order writes into it that it has left. What whoever waits makes of a node whose
//! trace is there and whose lease is not, or that it has seen itself:
//!
//! - It has left: it is gone.
//! - Its process runs on the same machine, and has ended: it is gone.
//! - Its lease would not have lapsed yet, by the observer's own clock: it is missing. The lease may have
//!   been renewed after the observer saw it last, and lost then. It cannot have been renewed after it was
//!   found missing, and not much later than the trace.
//! - It closes when it is cut off: it is closed, and gone.
//! - Its process runs on the same machine, and lives: it is missing, whatever its lease says.
//! - Else nobody can tell. Whoever hears that it is safe hears of the node, too.

use std::{collections::HashMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{engine::fleet::process::Process, store::LiveLease};

/// What the names of all traces begin with.
pub(crate) const TRACES: &str = "trace/";

/// How long a trace lives: far longer than anybody waits for a node.
pub(crate) const TRACE_LIVES: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long one that is not heard of is told of. After that it is taken for dead.
const DOUBT: Duration = Duration::from_secs(60 * 60);

/// How often a node renews its trace, as it is told: a part of the time to live of its lease.
pub(crate) fn renewed_every(lives: Duration) -> Duration {
    lives / 4
}

/// How much later than its trace a node may have renewed its lease: until the trace is due, and a while
/// for the node to notice.
fn lag(lives: Duration) -> Duration {
    renewed_every(lives) + lives / 12
}

/// What a node leaves behind. It is the content of the lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trace {
    /// The time to live of the node's lease, in milliseconds.
    pub(crate) lives: u64,
    /// Whether the node closes when it is cut off.
    #[serde(default)]
    pub(crate) closes: bool,
    /// Whether it has ended in good order.
    #[serde(default)]
    pub(crate) left: bool,
    #[serde(default)]
    pub(crate) process: Option<Process>,
}

impl Trace {
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A trace as the store shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traced {
    /// The node's id.
    pub(crate) id: String,
    /// `None` when it cannot be read.
    pub(crate) trace: Option<Trace>,
    /// How long ago it was put.
    pub(crate) age: Duration,
}

impl Traced {
    pub(crate) fn of(live: &LiveLease) -> Option<Self> {
        Some(Self {
            id: live.lease.name().strip_prefix(TRACES)?.to_owned(),
            trace: serde_json::from_slice(live.lease.content()).ok(),
            age: TRACE_LIVES.saturating_sub(live.expires_in),
        })
    }
}

/// A node that is listed.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: String,
    /// What is known of it, if its report can be read.
    pub(crate) trace: Option<Trace>,
    pub(crate) expires_in: Duration,
    /// How long ago it reported.
    pub(crate) age: Duration,
}

/// A node that is not listed, and that may be there all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Silent {
    pub(crate) id: String,
    /// For how long it has not been heard of.
    pub(crate) age: Duration,
    pub(crate) is: Presence,
}

/// What is made of a node that is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Its lease would not have lapsed yet.
    Expected,
    /// Its process lives.
    Alive,
    /// Nobody can tell.
    Doubtful,
}

/// What an observer has seen itself.
#[derive(Debug, Default)]
pub(crate) struct Memory(HashMap<String, Seen>);

#[derive(Debug)]
struct Seen {
    trace: Option<Trace>,
    /// When it was last heard of, by the observer's clock, as are the others.
    heard_at: Duration,
    /// When its trace was put.
    traced_at: Option<Duration>,
    /// When the lease lapses that was seen.
    lapses_at: Duration,
    /// When it was first found missing.
    missed_at: Option<Duration>,
}

impl Memory {
    /// Takes note of what a store has listed, and tells who is silent. `now` is the observer's own
    /// clock, and `is_alive` what the machine says of a process.
    pub(crate) fn note(
        &mut self,
        listed: &[Listed],
        traced: &[Traced],
        now: Duration,
        is_alive: impl Fn(&Process) -> Option<bool>,
    ) -> Vec<Silent> {
        for traced in traced {
            let Some(trace) = &traced.trace else { continue };
            let traced_at = now.saturating_sub(traced.age);
            let seen = self.0.entry(traced.id.clone()).or_insert_with(|| Seen {
                trace: None,
                heard_at: traced_at,
                traced_at: None,
                lapses_at: traced_at,
                missed_at: None,
            });
            seen.heard_at = seen.heard_at.max(traced_at);
            seen.traced_at = seen.traced_at.max(Some(traced_at));
            seen.trace = Some(trace.clone());
        }
        for node in listed {
            let before = self.0.remove(&node.id);
            let traced_at = before.as_ref().and_then(|seen| seen.traced_at);
            let seen = Seen {
                trace: node.trace.clone().or(before.and_then(|seen| seen.trace)),
                heard_at: now.saturating_sub(node.age),
                traced_at,
                lapses_at: now + node.expires_in,
                missed_at: None,
            };
            self.0.insert(node.id.clone(), seen);
        }
        let mut silent = Vec::new();
        self.0.retain(|id, seen| {
            if listed.iter().any(|node| node.id == *id) {
                return true;
            }
            seen.missed_at.get_or_insert(now);
            let Some(is) = seen.presence(now, &is_alive) else {
                return false;
            };
            let age = now.saturating_sub(seen.heard_at);
            let id = id.clone();
            silent.push(Silent { id, age, is });
            true
        });
        silent.sort_by(|one, other| one.id.cmp(&other.id));
        silent
    }
}

impl Seen {
    /// What is made of it when it is not listed. `None`: it is gone.
    fn presence(
        &self,
        now: Duration,
        is_alive: impl Fn(&Process) -> Option<bool>,
    ) -> Option<Presence> {
        let trace = self.trace.as_ref();
        let is_alive = || is_alive(trace?.process.as_ref()?);
        match trace {
            Some(trace) if trace.left => return None,
            _ if is_alive() == Some(false) => return None,
            _ if now < self.would_lapse_at() => return Some(Presence::Expected),
            Some(trace) if trace.closes => return None,
            _ if is_alive() == Some(true) => return Some(Presence::Alive),
            _ => {}
        }
        (now.saturating_sub(self.heard_at) < DOUBT).then_some(Presence::Doubtful)
    }

    /// When the lease lapses at the latest, wherever it is.
    fn would_lapse_at(&self) -> Duration {
        let Some(trace) = &self.trace else {
            return self.lapses_at;
        };
        let lives = Duration::from_millis(trace.lives);
        let by_trace = self.traced_at.map(|at| at + lag(lives));
        let renewed_at = self.missed_at.into_iter().chain(by_trace).min();
        self.lapses_at
            .max(renewed_at.map_or(Duration::ZERO, |at| at + lives))
    }
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
