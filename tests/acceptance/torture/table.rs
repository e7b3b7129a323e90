//! What was played as a table, as `benches/README.md` has it.

use std::{fmt::Write as _, time::Duration};

/// The times below which so many of a hundred are.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(times: &[Duration]) -> Self {
        let mut times = times.to_vec();
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn below(&self, percent: usize) -> String {
        let index = self.0.len().saturating_sub(1) * percent / 100;
        let time = self.0.get(index).copied().unwrap_or_default();
        format!("{} ms", time.as_millis())
    }
}

pub(crate) fn table(heading: &str, rows: &[(&str, String)]) -> String {
    let mut text = format!("| {heading} | |\n|---|---|\n");
    for (name, value) in rows {
        // A string takes everything.
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}
