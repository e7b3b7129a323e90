//! A fleet with a store of its own, and the rounds that are played with it.

use std::{fmt, path::Path, sync::atomic::Ordering, time::Duration};

use actix_maintenance_mode::Maintenance;
use fastrand::Rng;
use tempfile::TempDir;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep, timeout},
};

use crate::{
    arguments::{Arguments, Policy},
    failure::{Failure, because},
    fault::{Event, Fault, draw, habits},
    node::{Habits, Node, Start, visit},
    operator::{self, Word},
    place::Place,
    subject,
    tally::{Outcome, Tally},
    watch::{Late, forget, look, probe},
    way::{State, Way},
};

/// How long it may take until everything goes on after a round. A machine that is so busy that a node
/// gets no time for three quarters of a second is one on which nodes are cut off again and again.
const RECOVERY: Duration = Duration::from_secs(120);
/// How long a round waits at most until visitors are inside.
const INSIDE: Duration = Duration::from_secs(2);
/// How many visitors each node has at any time.
const VISITORS: usize = 2;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A round that was played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) outcome: Outcome,
    /// From the switch to the word.
    pub(crate) waited: Duration,
    pub(crate) served: u64,
    seed: u64,
    events: Vec<Event>,
    by_program: bool,
    nodes: Vec<String>,
}

impl fmt::Display for Played {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: Vec<String> = self.events.iter().map(Event::to_string).collect();
        write!(
            formatter,
            "seed {}: {:?}\n  waited {:?} by {}; nodes: {}\n  events: {}",
            self.seed,
            self.outcome,
            self.waited,
            if self.by_program {
                "the program"
            } else {
                "the Rust API"
            },
            self.nodes.join(", "),
            events.join("; "),
        )
    }
}

#[derive(Debug)]
pub(crate) struct Lane {
    arguments: Arguments,
    is_root: bool,
    nodes: Vec<Node>,
    /// Those who have ended in this round, or are about to: what they did counts, too.
    gone: Vec<Node>,
    started: u64,
    /// How many had been started when this round began.
    started_before: u64,
    operator: Maintenance,
    operator_way: Option<Way>,
    place: Place,
    folder: TempDir,
}

impl subject::Played for Played {
    fn is_odd(&self) -> bool {
        !matches!(self.outcome, Outcome::Safe | Outcome::NotSaid(..))
    }

    fn is_stuck(&self) -> bool {
        matches!(self.outcome, Outcome::Stuck(_))
    }
}

impl subject::Lane for Lane {
    type Played = Played;
    type Tally = Tally;

    async fn open(arguments: &Arguments, number: u64, is_root: bool) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("torture-{number}-"))
            .tempdir()
            .map_err(because("cannot make a folder"))?;
        let place = block_in_place(|| Place::make(arguments.store, folder.path(), is_root))?;
        let operator_way = place.way().await?;
        let operator = Maintenance::builder()
            .settings(arguments.policy.settings())
            .store(place.url(operator_way.as_ref()))
            .build()
            .await
            .map_err(because("cannot use the store"))?;
        Ok(Self {
            arguments: arguments.clone(),
            is_root,
            nodes: Vec::new(),
            gone: Vec::new(),
            started: 0,
            started_before: 0,
            operator,
            operator_way,
            place,
            folder,
        })
    }

    async fn play(&mut self, seed: u64) -> Result<Played, Failure> {
        let mut rng = Rng::with_seed(seed);
        self.place.before_round(&mut rng)?;
        while self.nodes.len() < self.arguments.nodes.max(1) {
            let habits = habits(&mut rng, self.is_root);
            self.start(habits).await?;
        }
        self.started_before = self.started;
        let served = |lane: &Self| -> u64 {
            let nodes = lane.nodes.iter().chain(&lane.gone);
            nodes.map(|node| node.served.load(Ordering::Relaxed)).sum()
        };
        self.let_visitors_in().await?;
        let before = served(self);
        let events = draw(
            &mut rng,
            self.arguments.store,
            self.arguments.policy,
            self.is_root,
        );
        let by_program = rng.u8(..3) == 0;
        let pause = Duration::from_millis(rng.u64(..60));
        let began = Instant::now();
        let word = tokio::spawn({
            let operator = self.operator.clone();
            let store = self.place.url(self.operator_way.as_ref());
            let policy = self.arguments.policy;
            async move {
                sleep(pause).await;
                match by_program {
                    true => operator::by_program(store, policy).await,
                    false => Ok(operator::by_handle(operator).await),
                }
            }
        });
        let mut happened = Vec::new();
        let word = self.suffer(&events, word, &mut rng, &mut happened).await?;
        let waited = began.elapsed();
        let outcome = self.judge(word, &happened).await?;
        let nodes = self.nodes.iter().chain(&self.gone);
        let nodes = nodes.map(|node| format!("{} {:?}", node.name, node.habits));
        let nodes = nodes.collect();
        let served = served(self) - before;
        let outcome = match self.recover().await {
            Err(stuck) if !matches!(outcome, Outcome::False(_)) => {
                Outcome::Stuck(stuck.to_string())
            }
            _ => outcome,
        };
        Ok(Played {
            outcome,
            waited,
            served,
            seed,
            events: happened,
            by_program,
            nodes,
        })
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Lane {
    async fn start(&mut self, habits: Habits) -> Result<(), Failure> {
        let way = self.place.way().await?;
        let name = format!("n{}", self.started);
        self.started += 1;
        let start = Start {
            store: self.place.url(way.as_ref()),
            name,
            folder: self.folder.path(),
            way,
            policy: self.arguments.policy,
            habits,
            visitors: VISITORS,
        };
        self.nodes.push(Node::start(start)?);
        Ok(())
    }

    /// Waits until somebody was served by each node, and so somebody is inside all the time.
    async fn let_visitors_in(&mut self) -> Result<(), Failure> {
        let begin = Instant::now();
        let counts = |lane: &Self| -> Vec<u64> {
            let nodes = lane.nodes.iter();
            nodes
                .map(|node| node.served.load(Ordering::Relaxed))
                .collect()
        };
        let before = counts(self);
        while begin.elapsed() < INSIDE {
            if counts(self)
                .iter()
                .zip(&before)
                .all(|(now, before)| now > before)
            {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Lets things go wrong until the word is said.
    async fn suffer(
        &mut self,
        events: &[Event],
        mut word: tokio::task::JoinHandle<Result<Word, Failure>>,
        rng: &mut Rng,
        happened: &mut Vec<Event>,
    ) -> Result<Word, Failure> {
        let begin = Instant::now();
        // Those who go on before the round is over.
        let mut paused: Vec<(String, Instant)> = Vec::new();
        let mut left = events.iter();
        let mut next = left.next();
        loop {
            tokio::select! {
                word = &mut word => return word.map_err(because("nobody waits"))?,
                () = sleep(Duration::from_millis(5)) => {}
            }
            if let Some(event) = next.filter(|event| begin.elapsed() >= event.after) {
                happened.push(*event);
                self.happen(event.fault, rng, &mut paused).await?;
                next = left.next();
            }
            paused.retain(|(name, until)| {
                let is_over = *until <= Instant::now();
                let node = self.nodes.iter_mut().find(|node| node.name == *name);
                if let Some(node) = node.filter(|_| is_over) {
                    node.go_on();
                }
                !is_over
            });
        }
    }

    async fn happen(
        &mut self,
        fault: Fault,
        rng: &mut Rng,
        paused: &mut Vec<(String, Instant)>,
    ) -> Result<(), Failure> {
        match fault {
            Fault::Join(habits) => self.start(habits).await?,
            Fault::OperatorWay(state) => {
                if let Some(way) = &self.operator_way {
                    way.is(state);
                }
            }
            Fault::Store(fault) => block_in_place(|| self.place.suffer(fault, rng))?,
            Fault::Kill(number)
            | Fault::Stop(number)
            | Fault::Pause(number, _)
            | Fault::Leave(number)
            | Fault::Way(number, _) => {
                if self.nodes.is_empty() {
                    return Ok(());
                }
                let number = number % self.nodes.len();
                let node = &mut self.nodes[number];
                match fault {
                    Fault::Stop(_) => node.stop(),
                    Fault::Pause(_, time) => {
                        node.stop();
                        paused.push((node.name.clone(), Instant::now() + time));
                    }
                    Fault::Way(_, state) => {
                        node.was_disturbed = true;
                        if let Some(way) = &node.way {
                            way.is(state);
                        }
                    }
                    Fault::Leave(_) => {
                        let mut node = self.nodes.swap_remove(number);
                        node.end();
                        self.gone.push(node);
                    }
                    _ => {
                        let mut node = self.nodes.swap_remove(number);
                        node.kill();
                        self.gone.push(node);
                    }
                }
            }
        }
        Ok(())
    }

    /// Looks whether it is as it was said.
    async fn judge(&mut self, word: Word, happened: &[Event]) -> Result<Outcome, Failure> {
        let (at, if_dead) = match word {
            Word::NotSaid(why, text) => return Ok(Outcome::NotSaid(why, text)),
            Word::Safe { at, if_dead } => (at, if_dead),
        };
        // They wake up in the middle of what they were doing, and are at once asked for more.
        for node in self.nodes.iter_mut().filter(|node| node.is_stopped) {
            node.go_on();
        }
        let mut late = Vec::new();
        probe(&self.nodes).await;
        let mut all: Vec<&mut Node> = self.nodes.iter_mut().chain(&mut self.gone).collect();
        look(&mut all, at, &mut late).await?;
        if late.is_empty() {
            return Ok(Outcome::Safe);
        }
        let lost = happened
            .iter()
            .any(|event| matches!(event.fault, Fault::Store(fault) if fault.loses()));
        let mut worst = None;
        for late in &late {
            let found = self.explain(late, at, &if_dead, lost);
            let is_worse = matches!(found, Outcome::False(_)) || worst.is_none();
            if is_worse {
                worst = Some(found);
            }
        }
        Ok(worst.unwrap_or(Outcome::Safe))
    }

    fn explain(&self, late: &Late, at: u64, if_dead: &[String], lost: bool) -> Outcome {
        let node = self
            .nodes
            .iter()
            .chain(&self.gone)
            .find(|node| node.name == late.node);
        let keeps = self.arguments.policy == Policy::KeepLast;
        let is_named = if_dead
            .iter()
            .any(|id| id.split('/').next() == Some(&*late.node));
        let is_new = node.is_some_and(|node| {
            let number = node.name.trim_start_matches('n').parse();
            number.is_ok_and(|number: u64| number >= self.started_before)
        });
        let was_disturbed = node.is_some_and(|node| node.was_disturbed);
        if keeps && is_named {
            Outcome::AsSaid
        } else if keeps && was_disturbed && (lost || is_new) {
            Outcome::Unknowable
        } else if late.is_one_step() {
            Outcome::MidStep
        } else {
            Outcome::False(late.tell(at))
        }
    }

    /// Heals everything, switches the site on again, and waits until every node serves.
    async fn recover(&mut self) -> Result<(), Failure> {
        block_in_place(|| self.place.heal())?;
        if let Some(way) = &self.operator_way {
            way.is(State::Open);
        }
        for node in &mut self.nodes {
            if node.is_stopped {
                node.go_on();
            }
            node.was_disturbed = false;
            if let Some(way) = &node.way {
                way.is(State::Open);
            }
        }
        self.gone.clear();
        if self.nodes.len() > self.arguments.nodes {
            self.nodes.truncate(self.arguments.nodes);
        }
        let deadline = Instant::now() + RECOVERY;
        loop {
            let error = match self.operator.turn_off().by("torture").await {
                Ok(_) => break,
                Err(error) => error,
            };
            if Instant::now() > deadline {
                return Err(because("it cannot be switched off")(error));
            }
            sleep(LOOK_EVERY).await;
        }
        for node in &mut self.nodes {
            loop {
                if node.has_ended() {
                    return Err(Failure::new(format!("{} has ended", node.name)));
                }
                let visited = timeout(Duration::from_secs(2), visit(node.address, "/")).await;
                if matches!(visited, Ok(Ok(200))) {
                    break;
                }
                if Instant::now() > deadline {
                    return Err(Failure::new(format!("{} serves nobody", node.name)));
                }
                sleep(LOOK_EVERY).await;
            }
        }
        forget(&mut self.nodes)
    }
}
