//! What rounds are played about.

use std::{fmt, path::Path};

use crate::{arguments::Arguments, failure::Failure};

/// A fleet with a store of its own, and the rounds that are played with it.
pub(crate) trait Lane: Sized + Send + 'static {
    type Played: Played;
    type Tally: Tally<Played = Self::Played>;

    fn open(
        arguments: &Arguments,
        number: u64,
        is_root: bool,
    ) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// Plays the round that this number draws.
    fn play(&mut self, seed: u64) -> impl Future<Output = Result<Self::Played, Failure>> + Send;

    /// Where its logs are.
    fn folder(&self) -> &Path;
}

/// A round that was played.
pub(crate) trait Played: fmt::Display + Send {
    /// Whether something came of it that is to be looked at.
    fn is_odd(&self) -> bool;

    /// Whether it did not go on after the round.
    fn is_stuck(&self) -> bool;
}

/// What was played, and what came of it.
pub(crate) trait Tally: Send + 'static {
    type Played;

    fn new() -> Self;

    /// Takes note of a round.
    fn note(&mut self, played: &Self::Played);

    fn is_good(&self) -> bool;

    fn table(&self, arguments: &Arguments) -> String;
}
