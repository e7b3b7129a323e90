//! What was played, and what came of it.

use std::time::{Duration, Instant};

use crate::{
    arguments::{Arguments, word},
    lane::Played,
    subject,
    table::{Times, table},
};

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was said to be safe, and it was.
    Safe,
    /// Nobody said that it is safe: why.
    NotSaid(NotSaid, String),
    /// Somebody was inside, by what the answer itself made it depend on.
    AsSaid,
    /// Somebody was inside of a node that nobody can know of any more, with `keep-last`: it is cut
    /// off, and the store has lost what told of it, or never had it.
    Unknowable,
    /// A step that was under way when its process was stopped went on, and nothing after it.
    MidStep,
    /// Somebody was inside.
    False(String),
    /// It did not go on after the round.
    Stuck(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSaid {
    TimedOut,
    /// The change was not made, or not known to be.
    NotChanged,
    NoNodes,
}

#[derive(Debug)]
pub(crate) struct Tally {
    began: Instant,
    rounds: u64,
    safe: u64,
    timed_out: u64,
    not_changed: u64,
    as_said: u64,
    unknowable: u64,
    mid_step: u64,
    wrong: u64,
    stuck: u64,
    served: u64,
    waited: Vec<Duration>,
}

impl subject::Tally for Tally {
    type Played = Played;

    fn new() -> Self {
        Self {
            began: Instant::now(),
            rounds: 0,
            safe: 0,
            timed_out: 0,
            not_changed: 0,
            as_said: 0,
            unknowable: 0,
            mid_step: 0,
            wrong: 0,
            stuck: 0,
            served: 0,
            waited: Vec::new(),
        }
    }

    fn note(&mut self, played: &Played) {
        self.rounds += 1;
        self.served += played.served;
        let counted = match &played.outcome {
            Outcome::Safe => {
                self.waited.push(played.waited);
                &mut self.safe
            }
            Outcome::NotSaid(NotSaid::TimedOut | NotSaid::NoNodes, _) => &mut self.timed_out,
            Outcome::NotSaid(NotSaid::NotChanged, _) => &mut self.not_changed,
            Outcome::AsSaid => &mut self.as_said,
            Outcome::Unknowable => &mut self.unknowable,
            Outcome::MidStep => &mut self.mid_step,
            Outcome::False(_) => &mut self.wrong,
            Outcome::Stuck(_) => &mut self.stuck,
        };
        *counted += 1;
    }

    fn is_good(&self) -> bool {
        self.wrong == 0 && self.stuck == 0
    }

    fn table(&self, arguments: &Arguments) -> String {
        let times = Times::new(&self.waited);
        let at = |percent| times.below(percent);
        let rows = [
            ("rounds", self.rounds.to_string()),
            ("said to be safe, and it was", self.safe.to_string()),
            (
                "not said: timed out, or no node known",
                self.timed_out.to_string(),
            ),
            ("not said: not switched off", self.not_changed.to_string()),
            ("false", self.wrong.to_string()),
            (
                "false, by a node that the answer names",
                self.as_said.to_string(),
            ),
            (
                "false, by a node that nobody can know of",
                self.unknowable.to_string(),
            ),
            (
                "one step that was under way went on",
                self.mid_step.to_string(),
            ),
            (
                "a node or the store did not come back",
                self.stuck.to_string(),
            ),
            ("visitors served", self.served.to_string()),
            ("from the switch to the word, median", at(50)),
            ("the same, 99 of 100", at(99)),
            ("minutes", (self.began.elapsed().as_secs() / 60).to_string()),
        ];
        let heading = format!(
            "{} store, {}",
            word(&arguments.store),
            word(&arguments.policy)
        );
        table(&heading, &rows)
    }
}
