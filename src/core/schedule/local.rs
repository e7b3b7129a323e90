//! Local times and the instants that they stand for.

use jiff::{
    Error, SignedDuration, Timestamp, Zoned,
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

/// What a local time is in a zone.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Local {
    /// The clocks show it once.
    Once(Timestamp),
    /// The clocks are put back and show it twice.
    Twice { earlier: Zoned },
    /// The clocks are put forward and never show it.
    Never(Gap),
}

/// A stretch of local times that the clocks leave out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gap {
    /// The last whole second before the clocks are put forward.
    pub(super) before: Zoned,
    /// The first instant after it.
    pub(super) after: Zoned,
}

impl Gap {
    /// Whether the clocks leave out the whole day of `local`, as those of Apia left out
    /// 2011-12-30.
    pub(super) fn swallows_the_day_of(&self, local: DateTime) -> bool {
        // The date before the gap is an earlier one, and so is the whole day.
        self.before.date() < local.date() && local.date() < self.after.date()
    }
}

/// Says which instant, if any, `local` is in `zone`.
///
/// # Errors
///
/// At the far ends of what jiff can express, some nine thousand years from now.
pub(super) fn locate(local: DateTime, zone: &TimeZone) -> Result<Local, Error> {
    Ok(match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => Local::Once(offset.to_timestamp(local)?),
        AmbiguousOffset::Fold { before, .. } => Local::Twice {
            earlier: before.to_timestamp(local)?.to_zoned(zone.clone()),
        },
        AmbiguousOffset::Gap { before, after } => Local::Never(gap(local, zone, before, after)?),
    })
}

/// The gap that `local` falls into, where the offset changes from `before` to `after`.
fn gap(local: DateTime, zone: &TimeZone, before: Offset, after: Offset) -> Result<Gap, Error> {
    // With the offset of afterwards, a time in the gap is an instant before the change; with the
    // one of before, it is an instant at the change or after it.
    let (earliest, latest) = (after.to_timestamp(local)?, before.to_timestamp(local)?);
    let change = zone
        .following(earliest)
        .take_while(|transition| transition.timestamp() <= latest)
        // A zone can also change its name and keep its offset.
        .find(|transition| transition.offset() == after)
        .map_or(latest, |transition| transition.timestamp());
    Ok(Gap {
        before: change
            .checked_sub(SignedDuration::from_secs(1))?
            .to_zoned(zone.clone()),
        after: change.to_zoned(zone.clone()),
    })
}
