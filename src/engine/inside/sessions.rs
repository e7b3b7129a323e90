//! Which visitors are inside: authenticated ones who were seen a short while ago.
//!
//! Each worker keeps a table of its own that only it writes, so that a request of somebody who has
//! logged in costs no lock and no allocation. The driver reads all tables when it counts.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    clock::chance,
    core::{status::SessionInside, text::hexadecimal},
};

/// How many visitors one worker can tell apart. When there are more, those who were not seen for
/// longest are forgotten, and a drain does not wait for them.
const SLOTS: usize = 1 << 13;
/// How many slots a visitor may be in.
const PROBES: usize = 16;

/// One slot is one word, so that it is read whole: 40 bits of the visitor's hash, 23 bits of the
/// second in which they were seen last, and a bit that says that they have left.
const TIME_BITS: u32 = 23;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
const LEFT: u64 = 1 << TIME_BITS;
const HASH_SHIFT: u32 = TIME_BITS + 1;

/// What a node tells other nodes about a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionMark {
    /// Opaque, and the same on all nodes of a fleet.
    pub(crate) id: String,
    /// How many seconds ago that was.
    pub(crate) age: u64,
    /// Whether the visitor left then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) left: bool,
}

/// A secret that the nodes of a fleet share for as long as one of them lives.
///
/// Ids are made with it that others see: whoever does not know it cannot tell which visitor an id
/// stands for, not even by trying all that there may be.
#[derive(Clone)]
pub(crate) struct FleetKey {
    text: String,
    key: [u8; 32],
}

impl FleetKey {
    pub(crate) fn random() -> Self {
        let secret = chance::secret().unwrap_or_else(|_| {
            // What the standard library has got from the system before, and ends the process without.
            let mut secret = [0; 32];
            for part in secret.chunks_mut(8) {
                part.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
            }
            secret
        });
        Self::from_text(&hexadecimal(&secret))
    }

    /// The key as another node tells it.
    pub(crate) fn from_text(text: &str) -> Self {
        const PURPOSE: &str = "actix-maintenance-mode 2026-11-26 ids of visitors";
        Self {
            text: text.to_owned(),
            key: blake3::derive_key(PURPOSE, text.as_bytes()),
        }
    }

    pub(crate) fn as_text(&self) -> &str {
        &self.text
    }

    fn hash(&self, visitor: &str) -> u64 {
        let hash = blake3::keyed_hash(&self.key, visitor.as_bytes());
        let (first, _) = hash.as_bytes().split_at(8);
        first
            .iter()
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

impl fmt::Debug for FleetKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FleetKey")
    }
}

/// The visitors whom all workers of this process have seen.
#[derive(Debug)]
pub(crate) struct Sessions {
    begin: Instant,
    /// What a process hashes with that is in no fleet yet.
    own_key: FleetKey,
    /// What all nodes of a fleet hash with, so that they know a visitor by the same id.
    fleet_key: OnceLock<FleetKey>,
    workers: Mutex<Vec<Weak<[AtomicU64]>>>,
    /// What is noted of visitors elsewhere than in a worker.
    elsewhere: Mutex<Option<SessionTable>>,
    /// The second in which the first session was seen; zero: none has been. Written once.
    since: AtomicU64,
    /// The second in which visitors are seen, which the driver moves on: requests read no clock.
    second: AtomicU64,
    /// Wakes whoever moves it on.
    first: Notify,
}

/// A visitor as the tables know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VisitorHash(u64);

impl VisitorHash {
    /// 40 bits.
    pub(crate) fn as_u64(self) -> u64 {
        self.0
    }

    pub(crate) fn from_u64(hash: u64) -> Self {
        Self(hash)
    }
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            begin: Instant::now(),
            own_key: FleetKey::random(),
            fleet_key: OnceLock::new(),
            workers: Mutex::new(Vec::new()),
            elsewhere: Mutex::new(None),
            since: AtomicU64::new(0),
            second: AtomicU64::new(1),
            first: Notify::new(),
        }
    }

    /// Whether any session has been seen.
    pub(crate) fn do_exist(&self) -> bool {
        self.since.load(Ordering::Relaxed) > 0
    }

    /// Takes note of the first session.
    pub(crate) fn exist(&self) {
        if !self.do_exist() {
            self.tick();
            self.since.store(self.second(), Ordering::Relaxed);
            self.first.notify_one();
        }
    }

    /// Moves the second on for as long as it is polled, once there is anybody to be seen.
    pub(crate) async fn keep_time(&self) {
        self.first.notified().await;
        loop {
            self.tick();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn tick(&self) {
        self.second.store(self.now(), Ordering::Relaxed);
    }

    /// Gives a worker its own table.
    pub(crate) fn register(&self) -> SessionTable {
        let slots: Arc<[AtomicU64]> = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        let mut workers = self.workers.lock();
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(&slots));
        SessionTable(slots)
    }

    /// Notes that a visitor has left, elsewhere than in a worker.
    pub(crate) fn leave(&self, visitor: VisitorHash) {
        let mut table = self.elsewhere.lock();
        let table = table.get_or_insert_with(|| self.register());
        table.left(visitor, self.second());
    }

    /// Tells visitors apart by what they are known as, in a way that nobody can follow back.
    pub(crate) fn hash(&self, visitor: &str) -> VisitorHash {
        let key = self.fleet_key.get().unwrap_or(&self.own_key);
        VisitorHash(key.hash(visitor) >> HASH_SHIFT)
    }

    /// Takes over the key of the fleet, before any visitor is seen. Only the first one counts.
    pub(crate) fn share_key(&self, key: FleetKey) {
        // Whoever was seen by another key would be somebody else.
        let _ = self.fleet_key.set(key);
    }

    pub(crate) fn fleet_key(&self) -> Option<FleetKey> {
        self.fleet_key.get().cloned()
    }

    /// What was seen of visitors within `idle`, at most so many of them, the latest first.
    pub(crate) fn marks(&self, idle: Duration, at_most: usize) -> Vec<SessionMark> {
        let now = self.now();
        let mut marks: Vec<SessionMark> = self
            .latest()
            .into_iter()
            .map(|(hash, mark)| SessionMark {
                id: format!("{:010x}", hash.0),
                age: age(mark, now),
                left: mark & LEFT != 0,
            })
            .filter(|mark| mark.age < idle.as_secs().max(1))
            .collect();
        marks.sort_by(|one, other| one.age.cmp(&other.age).then(one.id.cmp(&other.id)));
        marks.truncate(at_most);
        marks
    }

    /// The second in which visitors are seen now. It may be one behind.
    pub(crate) fn second(&self) -> u64 {
        self.second.load(Ordering::Relaxed)
    }

    /// Seconds since this process began to look, from 1.
    fn now(&self) -> u64 {
        (self.begin.elapsed().as_secs() + 1) & TIME_MASK
    }

    /// Those who were seen within `idle` and have not left, the longest unseen first.
    pub(crate) fn inside(&self, idle: Duration) -> Vec<SessionInside> {
        self.inside_at(idle, self.now())
    }

    fn inside_at(&self, idle: Duration, now: u64) -> Vec<SessionInside> {
        let mut inside: Vec<SessionInside> = self
            .latest()
            .into_iter()
            .filter(|(_, mark)| mark & LEFT == 0)
            .map(|(hash, mark)| SessionInside {
                id: format!("{:010x}", hash.0),
                age: age(mark, now),
            })
            .filter(|session| session.age < idle.as_secs().max(1))
            .collect();
        inside.sort_by(|one, other| other.age.cmp(&one.age).then(one.id.cmp(&other.id)));
        inside
    }

    /// Whether this visitor is inside, or may be: until one `idle` has passed nobody can tell who
    /// came in before this process saw the first session, when not every request was looked at.
    pub(crate) fn is_inside(&self, visitor: VisitorHash, idle: Duration) -> bool {
        self.is_inside_at(visitor, idle, self.now())
    }

    fn is_inside_at(&self, visitor: VisitorHash, idle: Duration, now: u64) -> bool {
        let is_recent = |mark| age(mark, now) < idle.as_secs().max(1);
        match self.latest_of(visitor) {
            Some(mark) if mark & LEFT != 0 => false,
            Some(mark) => is_recent(mark),
            None => match self.since.load(Ordering::Relaxed) {
                0 => true,
                since => is_recent(since),
            },
        }
    }

    fn latest_of(&self, visitor: VisitorHash) -> Option<u64> {
        let workers = self.workers.lock();
        workers
            .iter()
            .filter_map(Weak::upgrade)
            .filter_map(|worker| {
                slots_of(&worker, visitor)
                    .map(|slot| slot.load(Ordering::Relaxed))
                    .find(|word| *word != 0 && word >> HASH_SHIFT == visitor.0)
            })
            .map(|word| word & (TIME_MASK | LEFT))
            .max_by_key(|mark| order(*mark))
    }

    /// The latest mark of each visitor over all workers. Of marks of one second, having left counts.
    fn latest(&self) -> HashMap<VisitorHash, u64> {
        let workers = self.workers.lock();
        let mut latest = HashMap::new();
        for worker in workers.iter().filter_map(Weak::upgrade) {
            for slot in worker.iter() {
                let word = slot.load(Ordering::Relaxed);
                if word != 0 {
                    let mark = word & (TIME_MASK | LEFT);
                    let known: &mut u64 =
                        latest.entry(VisitorHash(word >> HASH_SHIFT)).or_default();
                    if order(*known) < order(mark) {
                        *known = mark;
                    }
                }
            }
        }
        latest
    }
}

/// How many seconds ago a mark was made.
fn age(mark: u64, now: u64) -> u64 {
    now.wrapping_sub(mark) & TIME_MASK
}

/// The slots that a visitor may be in.
fn slots_of(table: &[AtomicU64], visitor: VisitorHash) -> impl Iterator<Item = &AtomicU64> {
    let first = usize::try_from(visitor.0 % SLOTS as u64).unwrap_or(0);
    (0..PROBES).map(move |probe| &table[(first + probe) % SLOTS])
}

/// Of two marks the later counts; of the same second, that the visitor has left.
fn order(mark: u64) -> (u64, u64) {
    (mark & TIME_MASK, mark & LEFT)
}

/// One worker's table. Only this worker writes it; that of no worker, whoever has its lock.
#[derive(Debug)]
pub(crate) struct SessionTable(Arc<[AtomicU64]>);

impl SessionTable {
    /// Notes that a visitor was seen now.
    pub(crate) fn seen(&self, visitor: VisitorHash, second: u64) {
        self.mark(visitor, second & TIME_MASK);
    }

    /// Notes that a visitor has logged out.
    pub(crate) fn left(&self, visitor: VisitorHash, second: u64) {
        self.mark(visitor, second & TIME_MASK | LEFT);
    }

    fn mark(&self, visitor: VisitorHash, mark: u64) {
        let hash = visitor.0;
        let slots = || slots_of(&self.0, visitor);
        let is_own = |slot: &&AtomicU64| {
            let word = slot.load(Ordering::Relaxed);
            word != 0 && word >> HASH_SHIFT == hash
        };
        let slot = slots()
            .find(is_own)
            // An empty slot is older than any.
            .or_else(|| slots().min_by_key(|slot| slot.load(Ordering::Relaxed) & TIME_MASK));
        if let Some(slot) = slot {
            slot.store(hash << HASH_SHIFT | mark, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
