//! A cron expression in words: "every Saturday at 03:00".

use croner::parser::{Seconds, Year};
use croner::{Cron, parser::CronParser};

/// The most times of a day that are told one by one.
const MOST_TIMES: usize = 4;

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The days of a week or the month that a field of `*` stands for.
const ALL_WEEKDAYS: usize = 7;
const ALL_MONTHS: usize = 12;

/// Reads five fields, or a name such as `@daily`.
pub(super) fn read_cron(cron: &str) -> Result<Cron, String> {
    CronParser::builder()
        // A start is a minute of a calendar without end; cron has no more than that.
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(cron)
        .map_err(|error| error.to_string().trim_end_matches('.').to_owned())
}

/// When an expression starts something, as it stands in the middle of a sentence.
pub(super) fn in_words(expression: &Cron) -> String {
    match (days(expression), times(expression)) {
        (Some(days), Some(Times::At(times))) => format!("{days} at {}", list(&times)),
        (Some(days), Some(Times::Every(often))) if days == EVERY_DAY => often,
        (Some(days), Some(Times::Every(often))) => format!("{days}, {often}"),
        _ => as_croner_says(expression),
    }
}

/// What is rarer, as the library has it.
fn as_croner_says(expression: &Cron) -> String {
    let words = expression.describe();
    let words = words.trim_end_matches('.');
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The last day of the month that an expression names and that some of its months do not have, so
/// that nothing starts in them.
pub(super) fn left_out(expression: &Cron) -> Option<LeftOut> {
    let pattern = &expression.pattern;
    // A day of the week is in every month, and `L` and `W` find theirs.
    let by_the_month = pattern.is_dow_wildcard() && !pattern.is_dom_wildcard();
    if !by_the_month || pattern.days.has_modifiers() {
        return None;
    }
    let first = *pattern.days.values().first()?;
    let months = pattern.months.values();
    let is_short = |month: &u16| match month {
        2 => true,
        4 | 6 | 9 | 11 => first > 30,
        _ => false,
    };
    // What has no other month never starts, which is refused.
    (first > 28 && months.iter().any(is_short)).then_some(LeftOut { day: first })
}

/// Months in which a window does not open, because they are too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeftOut {
    day: u16,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = ordinal(self.day);
        write!(formatter, "months without a {day} are left out")
    }
}

/// When on a day.
enum Times {
    At(Vec<String>),
    /// Again and again.
    Every(String),
}

fn times(expression: &Cron) -> Option<Times> {
    let pattern = &expression.pattern;
    let (hours, minutes) = (pattern.hours.values(), pattern.minutes.values());
    if hours.len() * minutes.len() <= MOST_TIMES {
        let at = |hour: &u16| {
            let hour = *hour;
            minutes
                .iter()
                .map(move |minute| format!("{hour:02}:{minute:02}"))
                .collect::<Vec<_>>()
        };
        return Some(Times::At(hours.iter().flat_map(at).collect()));
    }
    let step = pattern.minutes.step;
    match (hours.len(), minutes.as_slice()) {
        (24, [0]) => Some(Times::Every("every hour on the hour".to_owned())),
        (24, [minute]) => Some(Times::Every(format!("every hour at minute {minute}"))),
        (24, all) if all.len() == 60 => Some(Times::Every("every minute".to_owned())),
        // Evenly, also from one hour to the next.
        (24, [0, ..]) if step > 1 && 60 % step == 0 && minutes.len() == usize::from(60 / step) => {
            Some(Times::Every(format!("every {step} minutes")))
        }
        _ => None,
    }
}

const EVERY_DAY: &str = "every day";

/// On which days.
fn days(expression: &Cron) -> Option<String> {
    let pattern = &expression.pattern;
    if pattern.days.has_modifiers() || pattern.days_of_week.has_modifiers() {
        return None;
    }
    let months = pattern.months.values();
    let in_months = (months.len() < ALL_MONTHS).then(|| {
        let named: Vec<_> = months
            .iter()
            .map(|month| name(&MONTHS, month - 1))
            .collect();
        list(&named)
    });
    let in_months = in_months.as_deref();
    let of_the_month = || on_days(&pattern.days.values(), in_months);
    let of_the_week = || every_weekday(&pattern.days_of_week.values());
    let within = |days: String| match in_months {
        Some(months) => format!("{days} in {months}"),
        None => days,
    };
    match (pattern.is_dom_wildcard(), pattern.is_dow_wildcard()) {
        (true, true) => Some(within(EVERY_DAY.to_owned())),
        (true, false) => Some(within(of_the_week())),
        (false, true) => Some(of_the_month()),
        // Either of them is enough.
        (false, false) if !pattern.matches_dom_and_dow() => {
            Some(format!("{} and {}", of_the_month(), within(of_the_week())))
        }
        (false, false) => None,
    }
}

/// `on the 1st and 15th of every month`.
fn on_days(days: &[u16], months: Option<&str>) -> String {
    let shown: Vec<_> = days.iter().map(|day| ordinal(*day)).collect();
    let months = months.unwrap_or("every month");
    let only_if = match days {
        [first, ..] if *first > 28 => " that has one",
        _ => "",
    };
    format!("on the {} of {months}{only_if}", list(&shown))
}

fn every_weekday(days: &[u16]) -> String {
    // People begin the week on Monday, so that a weekend stays together.
    let mut days: Vec<u16> = days.iter().map(|day| (day + 6) % 7).collect();
    days.sort_unstable();
    if days.len() == ALL_WEEKDAYS {
        return EVERY_DAY.to_owned();
    }
    let name = |day: &u16| name(&WEEKDAYS, (day + 1) % 7);
    match days.as_slice() {
        [first, _, .., last] if usize::from(last - first) + 1 == days.len() => {
            format!("every day from {} to {}", name(first), name(last))
        }
        days => {
            let named: Vec<_> = days.iter().map(name).collect();
            format!("every {}", list(&named))
        }
    }
}

fn name(names: &[&str], place: u16) -> String {
    names
        .get(usize::from(place))
        .map_or_else(String::new, |name| (*name).to_owned())
}

fn ordinal(number: u16) -> String {
    let ending = match (number % 10, number % 100) {
        (1, last) if last != 11 => "st",
        (2, last) if last != 12 => "nd",
        (3, last) if last != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `a`, `a and b`, `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
