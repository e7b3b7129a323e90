//! What was played, and what came of it.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::fault::Event;
use crate::{
    arguments::{Arguments, word},
    subject,
    table::{Times, table},
};

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The command ran to its end, and the site is open.
    Done,
    /// The command did not run: the job said why.
    NotBegun,
    /// The job was found dead, and the site was opened.
    Opened,
    /// The job was found dead, the site is closed, and that is told.
    Told,
    /// Somebody was let in while the job held the site.
    Opening(String),
    /// The site is closed, and nobody says why.
    Silent(String),
    /// A loss was not told where it was to be: by the job itself, in the log, by an exit code.
    Untold(String),
    /// Something would be wrong, but the machine had no time for this program meanwhile.
    NoTime(String),
    /// It did not go on after the round.
    Stuck(String),
}

/// A round that was played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) outcome: Outcome,
    pub(crate) seed: u64,
    pub(crate) events: Vec<Event>,
    /// From its death to the word, where nothing else went wrong.
    pub(crate) until_word: Option<Duration>,
    pub(crate) let_in: u64,
    pub(crate) refused: u64,
    /// What the jobs have done and said.
    pub(crate) jobs: String,
}

impl fmt::Display for Played {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: Vec<String> = self.events.iter().map(Event::to_string).collect();
        write!(
            formatter,
            "seed {}: {:?}\n  events: {}\n{}",
            self.seed,
            self.outcome,
            events.join("; "),
            self.jobs
        )
    }
}

impl subject::Played for Played {
    fn is_odd(&self) -> bool {
        use Outcome::{Done, NotBegun, Opened, Told};

        !matches!(self.outcome, Done | NotBegun | Opened | Told)
    }

    fn is_stuck(&self) -> bool {
        matches!(self.outcome, Outcome::Stuck(_))
    }
}

#[derive(Debug)]
pub(crate) struct Tally {
    began: Instant,
    rounds: u64,
    done: u64,
    not_begun: u64,
    opened: u64,
    told: u64,
    openings: u64,
    silent: u64,
    untold: u64,
    no_time: u64,
    stuck: u64,
    let_in: u64,
    refused: u64,
    until_word: Vec<Duration>,
}

impl subject::Tally for Tally {
    type Played = Played;

    fn new() -> Self {
        Self {
            began: Instant::now(),
            rounds: 0,
            done: 0,
            not_begun: 0,
            opened: 0,
            told: 0,
            openings: 0,
            silent: 0,
            untold: 0,
            no_time: 0,
            stuck: 0,
            let_in: 0,
            refused: 0,
            until_word: Vec::new(),
        }
    }

    fn note(&mut self, played: &Played) {
        self.rounds += 1;
        self.let_in += played.let_in;
        self.refused += played.refused;
        self.until_word.extend(played.until_word);
        let counted = match played.outcome {
            Outcome::Done => &mut self.done,
            Outcome::NotBegun => &mut self.not_begun,
            Outcome::Opened => &mut self.opened,
            Outcome::Told => &mut self.told,
            Outcome::Opening(_) => &mut self.openings,
            Outcome::Silent(_) => &mut self.silent,
            Outcome::Untold(_) => &mut self.untold,
            Outcome::NoTime(_) => &mut self.no_time,
            Outcome::Stuck(_) => &mut self.stuck,
        };
        *counted += 1;
    }

    fn is_good(&self) -> bool {
        self.openings + self.silent + self.untold + self.stuck == 0
    }

    fn table(&self, arguments: &Arguments) -> String {
        let times = Times::new(&self.until_word);
        let at = |percent| times.below(percent);
        let minutes = self.began.elapsed().as_secs() / 60;
        let rows = [
            ("rounds", self.rounds.to_string()),
            (
                "the command ran, and the site is open",
                self.done.to_string(),
            ),
            ("the command did not run", self.not_begun.to_string()),
            ("lost: opened, and told", self.opened.to_string()),
            ("lost: closed, and told", self.told.to_string()),
            ("openings while the holder lives", self.openings.to_string()),
            ("closed without a word", self.silent.to_string()),
            (
                "a loss that was not told everywhere",
                self.untold.to_string(),
            ),
            (
                "not judged: the machine had no time",
                self.no_time.to_string(),
            ),
            (
                "a node or the store did not come back",
                self.stuck.to_string(),
            ),
            ("visitors let in", self.let_in.to_string()),
            ("visitors refused", self.refused.to_string()),
            ("from a death to the word, median", at(50)),
            ("the same, 99 of 100", at(99)),
            ("the same, longest", at(100)),
            ("minutes", minutes.to_string()),
        ];
        let heading = format!(
            "{} store, by {}, {}",
            word(&arguments.store),
            word(&arguments.transport),
            word(&arguments.if_lost)
        );
        table(&heading, &rows)
    }
}
