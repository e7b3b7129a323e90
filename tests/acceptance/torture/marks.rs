//! What nodes did for visitors, and when: files that outlive whoever wrote them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use rustix::time::{ClockId, clock_gettime};

/// Microseconds of the clock that all processes of this machine share. Nobody sets it, and `faketime`
/// does not reach it.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    seconds * 1_000_000 + nanos / 1000
}

/// A step that a node took for a visitor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) at: u64,
    /// The number of the request within its process.
    pub(crate) request: u32,
    /// Which step of the request; the first is zero.
    pub(crate) step: u32,
}

impl Step {
    const SIZE: usize = 16;

    fn encode(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.at.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.request.to_le_bytes());
        bytes[12..].copy_from_slice(&self.step.to_le_bytes());
        bytes
    }

    fn decode(bytes: [u8; Self::SIZE]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        // The parts in the order in which they were put, the lowest first.
        Self {
            at: bits as u64,
            request: (bits >> 64) as u32,
            step: (bits >> 96) as u32,
        }
    }
}

/// Where a node writes.
#[derive(Debug)]
pub(crate) struct Marks(File);

impl Marks {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self(file))
    }

    /// Notes a step. The clock is looked at first: a node that is stopped here is not told on.
    pub(crate) fn step(&self, request: u32, step: u32) -> io::Result<()> {
        let at = now();
        (&self.0).write_all(&Step { at, request, step }.encode())
    }
}

/// Reads on where it stopped.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) path: PathBuf,
    read: u64,
}

impl Reader {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// The steps since the last time.
    pub(crate) fn new_steps(&mut self) -> io::Result<Vec<Step>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (steps, _) = bytes.as_chunks();
        self.read += (steps.len() * Step::SIZE) as u64;
        Ok(steps.iter().copied().map(Step::decode).collect())
    }
}
