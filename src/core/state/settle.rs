//! Turns what is over into history: windows that have ended and switches whose time is up.
//!
//! Pure, and idempotent: what it settles leaves the state, so that of many processes that see the
//! same edge only the first one writes, and no period is recorded twice or left out.

use jiff::Timestamp;

use crate::core::{
    phase::Phase,
    state::{Document, Ended, HISTORY_LENGTH, ModeState, Period, Switch, Window},
};

/// Something that closes a mode, from a start that has passed.
#[derive(Debug, Clone)]
struct Source {
    /// `None`: it is not known since when.
    start: Option<Timestamp>,
    /// `None`: it goes on.
    end: Option<(Timestamp, Ended)>,
    by: Option<String>,
    reason: Option<String>,
}

/// The document with everything settled that is over at `now`. `None` when there is nothing to
/// settle.
pub(crate) fn settled(document: &Document, now: Timestamp) -> Option<Document> {
    // Asked many times a second, and seldom with anything to settle: nothing is copied before.
    let mut next: Option<Document> = None;
    for (key, mode) in &document.modes {
        // A drain that is not over in time is over all the same.
        if matches!(mode.switch, Switch::Pending(_)) && mode.switch.phase(now) == Phase::Offline {
            let next = next.get_or_insert_with(|| document.clone());
            if let Some(mode) = next.modes.get_mut(key) {
                mode.close();
            }
        }
        let mut begun = None;
        if mode.windows.iter().any(Window::lacks_beginning) {
            let mode = begun.insert(mode.clone());
            let lacking = mode
                .windows
                .iter_mut()
                .filter(|window| window.lacks_beginning());
            lacking.for_each(|window| window.begin(now));
            let next = next.get_or_insert_with(|| document.clone());
            if let Some(stored) = next.modes.get_mut(key) {
                stored.windows.clone_from(&mode.windows);
            }
        }
        let mode = begun.as_ref().unwrap_or(mode);
        let sources = sources(mode, now);
        let is_over = sources.iter().any(|source| source.end.is_some());
        // A switch that goes on has got its period when it was thrown, or a hand threw it.
        let window_goes_on = mode.windows.iter().any(|window| window.contains(now));
        if !is_over && (!window_goes_on || document.has_open_period(key)) {
            continue;
        }
        let next = next.get_or_insert_with(|| document.clone());
        record(next, key, sources, now);
        if let Some(mode) = next.modes.get_mut(key) {
            mode.windows.retain_mut(|window| window.forget_past(now));
            if mode.switch.ended(now).is_some() {
                mode.switch = Switch::Off;
                // What a guard had thrown is over, so there is nothing to put back.
                mode.guards.clear();
            }
        }
    }
    next
}

fn sources(mode: &ModeState, now: Timestamp) -> Vec<Source> {
    let of_switch = mode.switch.record().map(|on| Source {
        start: on.since,
        end: mode.switch.ended(now),
        by: on.by.clone(),
        reason: on.reason.clone(),
    });
    mode.windows
        .iter()
        .flat_map(|window| {
            // More than the history keeps would only be forgotten again.
            let started = window.started(now, HISTORY_LENGTH);
            started.into_iter().map(move |open| Source {
                start: open.start,
                end: open
                    .end
                    .filter(|end| *end <= now)
                    .map(|end| (end, Ended::WindowEnd)),
                by: window.by.clone(),
                reason: window.reason.clone().or_else(|| window.title.clone()),
            })
        })
        .chain(of_switch)
        .collect()
}

/// Merges the sources into stretches and writes each into the history, the first of them into the
/// period that is open.
fn record(document: &mut Document, key: &str, mut sources: Vec<Source>, now: Timestamp) {
    let open = document
        .history
        .iter()
        .position(|period| period.mode == key && period.ended_at.is_none());
    let started_at = open.map(|open| document.history[open].started_at);
    // What has always been there began, as far as anybody knows, with the open period or now.
    let start_of = |source: &Source| source.start.or(started_at).unwrap_or(now);
    sources.sort_by_key(start_of);
    let mut stretches: Vec<(Period, Timestamp)> = Vec::new();
    for source in sources {
        let start = start_of(&source);
        match stretches.last_mut() {
            Some((period, reaches)) if start <= *reaches => extend(period, reaches, &source, now),
            _ => {
                let mut period = Period {
                    by: source.by.clone(),
                    reason: source.reason.clone(),
                    ..Period::starting(key, start)
                };
                let mut reaches = start;
                extend(&mut period, &mut reaches, &source, now);
                stretches.push((period, reaches));
            }
        }
    }
    // The open period reaches until now, so the first stretch that ends after its start is a part
    // of it.
    let of_open = open.and_then(|open| {
        let started_at = document.history[open].started_at;
        let stretch = stretches
            .iter()
            .position(|(_, reaches)| started_at <= *reaches)?;
        Some((open, stretch))
    });
    if let Some((open, stretch)) = of_open {
        let (stretch, _) = stretches.remove(stretch);
        let period = &mut document.history[open];
        period.ended_at = stretch.ended_at;
        period.ended = stretch.ended;
    }
    for (stretch, _) in stretches {
        document.remember(stretch);
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
        }
        Some((end, how)) if !goes_on && end >= *reaches => {
            *reaches = end;
            period.ended_at = Some(end);
            period.ended = Some(how);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
