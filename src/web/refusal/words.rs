//! What visitors are told in words.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit, tz::TimeZone};

use super::described::Refusal;
use crate::{core::phase::Phase, settings::Access, web::refusal::language::Catalogue};

/// What visitors are told when nobody said anything else.
pub(super) fn general_message(catalogue: &Catalogue, phase: Phase, access: Access) -> &str {
    let key = match (phase, access) {
        (_, Access::ReadOnly) => "read_only_message",
        (Phase::Opening, Access::None) => "opening_message",
        (Phase::Pending, Access::None) => "closing_message",
        (_, Access::None) => "message",
    };
    catalogue.text("refusal", key)
}

/// Whether nobody said anything else to visitors.
pub(super) fn is_general(catalogue: &Catalogue, refusal: &Refusal) -> bool {
    refusal.message == general_message(catalogue, refusal.phase, refusal.access)
}

/// What is added to an operator's own message: that reading works, or that the site is closing.
pub(super) fn addition<'a>(catalogue: &'a Catalogue, refusal: &Refusal) -> Option<&'a str> {
    let key = match (refusal.access, refusal.phase) {
        (Access::ReadOnly, _) => "reading_works",
        (Access::None, Phase::Pending) => "closing",
        (Access::None, Phase::Opening) => "opening",
        (Access::None, _) => return None,
    };
    (!is_general(catalogue, refusal)).then(|| catalogue.text("refusal", key))
}

/// What is said of what was sent: nobody is to believe that it arrived.
pub(super) fn not_saved<'a>(catalogue: &'a Catalogue, refusal: &Refusal) -> Option<&'a str> {
    refusal.sent.then(|| catalogue.text("refusal", "not_saved"))
}

pub(super) fn text(refusal: &Refusal, catalogue: &Catalogue) -> String {
    let mut text = format!("{}\n", refusal.message);
    if let Some(addition) = addition(catalogue, refusal) {
        text.push_str(addition);
        text.push('\n');
    }
    if let Some(not_saved) = not_saved(catalogue, refusal) {
        text.push_str(not_saved);
        text.push('\n');
    }
    if let Some(until) = refusal.until {
        let until = in_words(until);
        let key = match refusal.phase {
            Phase::Opening => "your_turn",
            _ => "back_at",
        };
        text.push_str(&catalogue.filled("refusal", key, &[("time", &until)]));
        text.push('\n');
    }
    text
}

/// An instant for people: in UTC, as nobody knows where the visitor is, and never too early.
pub(super) fn in_words(instant: Timestamp) -> String {
    let up = TimestampRound::new()
        .smallest(Unit::Minute)
        .mode(RoundMode::Ceil);
    instant
        .round(up)
        .unwrap_or(instant)
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}
