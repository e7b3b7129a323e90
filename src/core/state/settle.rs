//! Turns what is over into history: windows that have ended and switches whose time is up.
//!
//! Each process sees that by its own clock ([`seen`]), and stores it ([`settled`]) when no other can
//! still see it otherwise. In between the document means the same, settled or not.
//!
//! Pure, and idempotent: what it settles leaves the state, so that of many processes that see the
//! same edge only the first one writes, and no period is recorded twice or left out.

use jiff::Timestamp;

use crate::core::{
    phase::Phase,
    state::{Document, Ended, HISTORY_LENGTH, ModeState, Period, Switch, Window, horizon::Horizon},
};

/// Something that closes a mode, from a start that has passed.
#[derive(Debug, Clone)]
struct Source {
    /// Whether it is of what is to be settled. What is beside that keeps its own periods.
    is_meant: bool,
    /// `None`: it is not known since when.
    start: Option<Timestamp>,
    /// `None`: it goes on.
    end: Option<(Timestamp, Ended)>,
    /// Who ended it, if somebody did.
    ended_by: Option<String>,
    by: Option<String>,
    reason: Option<String>,
}

/// What can be over of a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Switch,
    /// With its id.
    Window(&'a str),
}

/// Which parts are settled, by the key of their mode.
type IsMeant<'a> = &'a dyn Fn(&str, Part<'_>) -> bool;

/// The document with everything settled that is over at `now`. `None` when there is nothing to
/// settle.
#[cfg(any(test, fuzzing))]
pub(crate) fn settled(document: &Document, now: Timestamp) -> Option<Document> {
    let horizon = Horizon {
        instant: now,
        is_agreed: true,
    };
    settled_up_to(document, horizon)
}

/// The document with everything settled that is over at the horizon. `None` when there is nothing to
/// settle.
///
/// What is settled leaves the document for everybody, so that it must be over by every clock.
pub(crate) fn settled_up_to(document: &Document, horizon: Horizon) -> Option<Document> {
    let begins = horizon.is_agreed;
    settle(
        document,
        horizon.instant,
        &|_, _| true,
        Purpose::Store { begins },
    )
}

/// What the document means by a clock that shows `now`: with everything settled that is over by it.
/// `None` when nothing is. Not to be stored.
pub(crate) fn seen(document: &Document, now: Timestamp) -> Option<Document> {
    settle(document, now, &|_, _| true, Purpose::See)
}

/// The document with only those parts settled that are meant.
pub(super) fn settled_in_part(
    document: &Document,
    now: Timestamp,
    is_meant: IsMeant<'_>,
) -> Option<Document> {
    settle(document, now, is_meant, Purpose::Change)
}

/// What something is settled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be stored. Of a switch that is over, a guard has nothing to put back any more.
    Store {
        /// Whether what does not say since when it is there is there since then.
        begins: bool,
    },
    /// To be looked at. Guards stay: whoever lets go of one says by that what the switch is, for
    /// everybody.
    See,
    /// To be changed. What has begun and goes on is left to the others.
    Change,
}

fn settle(
    document: &Document,
    now: Timestamp,
    is_meant: IsMeant<'_>,
    purpose: Purpose,
) -> Option<Document> {
    // Asked many times a second, and seldom with anything to settle: nothing is copied before.
    let mut next: Option<Document> = None;
    for (key, mode) in &document.modes {
        // Of what a hand wrote without a beginning nothing is known to have been.
        let begins = purpose != Purpose::Store { begins: false };
        let is_unknown = |part: Part<'_>| !begins && lacks_beginning(mode, part);
        let is_part = |part: Part<'_>| is_meant(key, part) && !is_unknown(part);
        // A drain that is not over in time is over all the same.
        if is_part(Part::Switch)
            && matches!(mode.switch, Switch::Pending(_))
            && mode.switch_phase(now) == Phase::Offline
        {
            let next = next.get_or_insert_with(|| document.clone());
            if let Some(mode) = next.modes.get_mut(key) {
                mode.close();
            }
        }
        let is_lacking =
            |window: &Window| window.lacks_beginning() && is_part(Part::Window(&window.id));
        let mut begun = None;
        if mode.windows.iter().any(is_lacking) {
            let mode = begun.insert(mode.clone());
            let lacking = mode.windows.iter_mut().filter(|window| is_lacking(window));
            lacking.for_each(|window| window.begin(now));
            let next = next.get_or_insert_with(|| document.clone());
            if let Some(stored) = next.modes.get_mut(key) {
                stored.windows.clone_from(&mode.windows);
            }
        }
        let mode = begun.as_ref().unwrap_or(mode);
        let sources = sources(mode, now, &is_part);
        let is_over = sources
            .iter()
            .any(|source| source.is_meant && source.end.is_some());
        // A switch that goes on has got its period when it was thrown, or a hand threw it.
        let window_goes_on =
            purpose != Purpose::Change && mode.windows.iter().any(|window| window.contains(now));
        if !is_over && (!window_goes_on || document.has_open_period(key)) {
            continue;
        }
        let next = next.get_or_insert_with(|| document.clone());
        record(next, key, sources, now);
        if let Some(mode) = next.modes.get_mut(key) {
            mode.windows
                .retain_mut(|window| !is_part(Part::Window(&window.id)) || window.forget_past(now));
            if is_part(Part::Switch)
                && let Some((_, how)) = mode.switch_ended(now)
            {
                mode.switch = Switch::Off;
                // Whoever was lost hears of that, and of nothing else, also when all is over.
                if how == Ended::HolderLost {
                    mode.reopened = mode.last_lost();
                }
                if matches!(purpose, Purpose::Store { .. }) {
                    mode.guards.clear();
                }
            }
        }
    }
    next.filter(|next| next != document)
}

fn sources(mode: &ModeState, now: Timestamp, is_part: &dyn Fn(Part<'_>) -> bool) -> Vec<Source> {
    let of_switch = mode.switch.record().map(|on| Source {
        is_meant: is_part(Part::Switch),
        start: on.since,
        end: mode.switch_ended(now),
        ended_by: mode.switch.opening().and_then(|opening| opening.by.clone()),
        by: on.by.clone(),
        reason: on.reason.clone(),
    });
    mode.windows
        .iter()
        .flat_map(|window| {
            let is_meant = is_part(Part::Window(&window.id));
            // More than the history keeps would only be forgotten again.
            let started = window.started(now, HISTORY_LENGTH);
            started.into_iter().map(move |open| Source {
                is_meant,
                start: open.start,
                end: open
                    .end
                    .filter(|end| *end <= now)
                    .map(|end| (end, Ended::WindowEnd)),
                ended_by: None,
                by: window.by.clone(),
                reason: window.reason.clone().or_else(|| window.title.clone()),
            })
        })
        .chain(of_switch)
        // What begins later by the clock of somebody else has its turn later.
        .filter(|source| source.end.is_some() || source.start.is_none_or(|start| start <= now))
        .collect()
}

/// Whether it is a window that does not say since when it repeats.
fn lacks_beginning(mode: &ModeState, part: Part<'_>) -> bool {
    let Part::Window(id) = part else {
        return false;
    };
    let mut windows = mode.windows.iter();
    windows.any(|window| window.id == id && window.lacks_beginning())
}

/// Whether something of a mode is over that ended after an instant, and has not been settled.
pub(super) fn is_over_since(mode: &ModeState, instant: Timestamp, now: Timestamp) -> bool {
    let begins = |part: Part<'_>| !lacks_beginning(mode, part);
    sources(mode, now, &begins)
        .iter()
        .filter(|source| source.is_meant)
        .any(|source| source.end.is_some_and(|(end, _)| instant < end))
}

/// Merges the sources into stretches and writes each into the history: into the period that is open
/// in it, or together with those that it overlaps and that somebody has ended meanwhile.
fn record(document: &mut Document, key: &str, mut sources: Vec<Source>, now: Timestamp) {
    let (of_mode, mut history): (Vec<Period>, Vec<Period>) =
        document.history.drain(..).partition(|it| it.mode == key);
    let (mut over, open): (Vec<Period>, Vec<Period>) =
        of_mode.into_iter().partition(|it| it.ended_at.is_some());
    let (mut open, later): (Vec<Period>, Vec<Period>) =
        open.into_iter().partition(|it| it.started_at <= now);
    history.extend(later);
    let started_at = open.first().map(|open| open.started_at);
    // What has always been there began, as far as anybody knows, with the open period or now.
    let start_of = |source: &Source| source.start.or(started_at).unwrap_or(now);
    // What a hand wrote may end before it starts, and never was.
    sources.retain(|source| source.end.is_none_or(|(end, _)| start_of(source) <= end));
    sources.sort_by_key(start_of);
    let mut stretches: Vec<(Period, Timestamp, bool)> = Vec::new();
    for source in sources {
        let start = start_of(&source);
        match stretches.last_mut() {
            Some((period, reaches, is_meant)) if start <= *reaches => {
                *is_meant |= source.is_meant;
                extend(period, reaches, &source, now);
            }
            _ => {
                let mut period = Period {
                    by: source.by.clone(),
                    reason: source.reason.clone(),
                    ..Period::starting(key, start)
                };
                let mut reaches = start;
                extend(&mut period, &mut reaches, &source, now);
                stretches.push((period, reaches, source.is_meant));
            }
        }
    }
    for (mut stretch, reaches, is_meant) in stretches {
        let goes_on = stretch.ended_at.is_none();
        let reaches = reaches.min(now);
        // An open period reaches until now, so the first stretch that ends after its start is a part
        // of it. More than one begins in a stretch where clocks differ.
        let (within, later): (Vec<Period>, Vec<Period>) =
            open.into_iter().partition(|it| it.started_at <= reaches);
        open = later;
        if !is_meant {
            history.extend(within);
            continue;
        }
        let overlaps = |it: &Period| {
            it.started_at < reaches && it.ended_at.is_some_and(|end| stretch.started_at < end)
        };
        let (known, apart): (Vec<Period>, Vec<Period>) = over.into_iter().partition(overlaps);
        over = apart;
        let is_known_to_end = known.iter().any(|it| it.ended_at > Some(now));
        if goes_on && is_known_to_end {
            // Somebody has ended it, whose clock is ahead. How long it was is known when it is over.
            history.extend(within.into_iter().chain(known));
            continue;
        }
        // It may have been begun by what came later, while this was not settled.
        if let Some(first) = within.into_iter().next()
            && first.started_at <= stretch.started_at
        {
            stretch = Period {
                ended_at: stretch.ended_at,
                ended: stretch.ended,
                ended_by: stretch.ended_by,
                ..first
            };
        }
        // The next stretch may be within the same one.
        over.push(
            known
                .into_iter()
                .fold(stretch, |stretch, known| joined(known, stretch)),
        );
    }
    history.extend(over);
    history.extend(open);
    history.sort_by_key(|period| period.started_at);
    let surplus = history.len().saturating_sub(HISTORY_LENGTH);
    history.drain(..surplus);
    document.history = history;
}

/// One period of two that overlap: it begins as the earlier one, and ends as the later one. Where that
/// is the same, as the first of the two.
pub(super) fn joined(one: Period, other: Period) -> Period {
    let (first, second) = match one.started_at <= other.started_at {
        true => (one, other),
        false => (other, one),
    };
    let second_is_last = match (first.ended_at, second.ended_at) {
        (None, _) => false,
        (_, None) => true,
        (Some(first), Some(second)) => first < second,
    };
    match second_is_last {
        true => Period {
            ended_at: second.ended_at,
            ended: second.ended,
            ended_by: second.ended_by,
            ..first
        },
        false => first,
    }
}

/// Lets a stretch reach as far as one more of its sources.
fn extend(period: &mut Period, reaches: &mut Timestamp, source: &Source, now: Timestamp) {
    let goes_on = *reaches > now;
    match source.end {
        // Beyond every end that has passed.
        None => {
            *reaches = Timestamp::MAX;
            period.ended_at = None;
            period.ended = None;
            period.ended_by = None;
        }
        Some((end, how)) if !goes_on && end >= *reaches => {
            *reaches = end;
            period.ended_at = Some(end);
            period.ended = Some(how);
            period.ended_by.clone_from(&source.ended_by);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
