//! Who reads a page: their language, zone and instant.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    core::{phase::Phase, status::modes::ModeStatus},
    settings::Access,
    web::refusal::language::Catalogue,
};

/// Who reads a page, and when: how times and texts are shown.
pub(crate) struct Reader<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
}

/// An instant as people read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Shown {
    pub(crate) iso: String,
    /// Date and time in the reader's zone.
    pub(crate) text: String,
    /// How far it is from now.
    pub(crate) relative: String,
}

impl Reader<'_> {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.catalogue.text("dashboard", key)
    }

    pub(crate) fn filled(&self, key: &str, name: &str, value: &str) -> String {
        self.catalogue.filled("dashboard", key, &[(name, value)])
    }

    pub(crate) fn instant(&self, instant: Timestamp) -> Shown {
        let zoned = instant.to_zoned(self.zone.clone());
        let distance = instant.duration_since(self.now);
        let key = if distance.is_negative() { "ago" } else { "in" };
        Shown {
            iso: instant.to_string(),
            text: zoned.strftime("%Y-%m-%d %H:%M").to_string(),
            relative: self.filled(key, "duration", &self.duration(distance.abs())),
        }
    }

    /// How long ago something was.
    pub(crate) fn ago(&self, seconds: u64) -> String {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let duration = self.duration(SignedDuration::from_secs(seconds));
        self.filled("ago", "duration", &duration)
    }

    /// The two largest units that it has.
    pub(crate) fn duration(&self, duration: SignedDuration) -> String {
        let seconds = duration.as_secs();
        let minutes = (seconds + 30) / 60;
        let parts = match () {
            () if seconds < 60 => [("seconds", seconds), ("seconds", 0)],
            () if minutes < 60 => [("minutes", minutes), ("minutes", 0)],
            () if minutes < 24 * 60 => [("hours", minutes / 60), ("minutes", minutes % 60)],
            () => [("days", minutes / (24 * 60)), ("hours", minutes / 60 % 24)],
        };
        let unit = |(key, count): (&str, i64)| self.filled(key, "count", &count.to_string());
        match parts {
            [first, (_, 0)] => unit(first),
            [first, second] => format!("{} {}", unit(first), unit(second)),
        }
    }

    pub(crate) fn phase_name(&self, mode: &ModeStatus) -> &str {
        self.text(match mode.phase {
            Phase::Offline if mode.access == Access::ReadOnly => "phase_read_only",
            Phase::Online => "phase_online",
            Phase::Scheduled => "phase_scheduled",
            Phase::Pending => "phase_pending",
            Phase::Offline => "phase_offline",
        })
    }
}
