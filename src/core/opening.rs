//! Opening by share: more and more visitors are let in, each at a time of their own.
//!
//! Everybody has a place, which is a hash of who they are: no state is kept for anybody, and all nodes
//! say the same, before a restart and after it, whatever compiler they were built by. The places that
//! are in grow from the first to the last, so that whoever is in stays in, and each one's turn is known
//! from the beginning.
//!
//! All of it is counted in whole numbers: that somebody's turn has come and that their place is among
//! those that are in is the same to the nanosecond.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::{client::client_of, visitor::Visitor};

/// How many places there are.
const PLACES: u32 = 1_000_000_000;

/// A mode that is opening, as it is stored with its switch.
///
/// An older version does not know it: to that the mode is closed until the end, and then open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    /// When the share began to grow from `from`.
    pub(crate) since: Timestamp,
    /// When everybody is in; `None`: it has been paused. The switch says the same. Where it does not,
    /// an older version has been told something else since, and this does not count.
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
    /// How many of the thousand million places were in by then.
    #[serde(default)]
    pub(crate) from: u32,
    /// Who opens it.
    #[serde(default)]
    pub(crate) by: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Opening {
    /// Begins with nobody.
    pub(crate) fn starting(now: Timestamp, until: Option<Timestamp>, by: Option<&str>) -> Self {
        Self {
            since: now,
            until,
            from: 0,
            by: by.map(str::to_owned),
            unknown: Map::new(),
        }
    }

    /// Goes on from those who are in at `now`, until another end.
    pub(crate) fn going_on(&self, now: Timestamp, until: Option<Timestamp>) -> Self {
        Self {
            // What another clock has begun in the future has let in nobody yet.
            from: self.places_in(now),
            since: now,
            until,
            ..self.clone()
        }
    }

    /// The same with another end, if it is another.
    pub(crate) fn ending(&self, until: Option<Timestamp>, now: Timestamp) -> Self {
        match until == self.until {
            true => self.clone(),
            false => self.going_on(now, until),
        }
    }

    /// How many places are in at `now`.
    fn places_in(&self, now: Timestamp) -> u32 {
        let from = self.from.min(PLACES);
        let Some(until) = self.until else {
            return from;
        };
        if until <= now {
            return PLACES;
        }
        let elapsed = nanoseconds_between(self.since, now);
        let whole = nanoseconds_between(self.since, until);
        if elapsed < 0 || whole <= 0 {
            return from;
        }
        let grown = elapsed * i128::from(PLACES - from) / whole;
        // The turn of a place comes with the instant that is computed for it, and not after.
        let places = i128::from(from) + grown + 1;
        u32::try_from(places).unwrap_or(PLACES).min(PLACES)
    }

    /// The share of the visitors who are in at `now`, from 0 to 1.
    pub(crate) fn share(&self, now: Timestamp) -> f64 {
        f64::from(self.places_in(now)) / f64::from(PLACES)
    }

    /// When a place gets in. `None`: it has been paused before. Whose place is not known gets in with
    /// the last.
    pub(crate) fn turn(&self, place: Option<Place>) -> Option<Timestamp> {
        let from = self.from.min(PLACES);
        let Some(Place(place)) = place else {
            return self.until;
        };
        if place < from {
            return Some(Timestamp::MIN);
        }
        let until = self.until?;
        let whole = nanoseconds_between(self.since, until);
        if whole <= 0 {
            return Some(until);
        }
        let (ahead, places) = (i128::from(place - from), i128::from(PLACES - from));
        let after = (ahead * whole + places - 1) / places;
        let turn = Timestamp::from_nanosecond(self.since.as_nanosecond() + after);
        Some(turn.unwrap_or(until).min(until))
    }
}

fn nanoseconds_between(from: Timestamp, to: Timestamp) -> i128 {
    to.as_nanosecond() - from.as_nanosecond()
}

/// A visitor's place in the order in which all get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u32);

impl Place {
    /// The place of whoever asks: by who they are, or else by where they are. `None`: neither is
    /// known.
    pub(crate) fn of(visitor: &Visitor, address: Option<IpAddr>) -> Option<Self> {
        match (&visitor.id, address) {
            (Some(id), _) if visitor.authenticated => Some(Self::hashed(b"id", id.as_bytes())),
            (_, Some(address)) => Some(Self::of_address(address)),
            (_, None) => None,
        }
    }

    fn of_address(address: IpAddr) -> Self {
        match client_of(address) {
            IpAddr::V4(address) => Self::hashed(b"v4", &address.octets()),
            IpAddr::V6(address) => Self::hashed(b"v6", &address.octets()[..8]),
        }
    }

    fn hashed(kind: &[u8; 2], who: &[u8]) -> Self {
        const PURPOSE: &str = "actix-maintenance-mode 2026-11-27 places of visitors";
        let mut hasher = blake3::Hasher::new_derive_key(PURPOSE);
        let hash = hasher.update(kind).update(who).finalize();
        let (first, _) = hash.as_bytes().split_at(8);
        let number = first
            .iter()
            .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        // Each place is as likely as any other.
        let place = (number * u128::from(PLACES)) >> 64;
        Self(u32::try_from(place).unwrap_or(PLACES - 1))
    }
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
