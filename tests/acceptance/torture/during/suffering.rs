//! Lets things go wrong when it is time, and heals them.

use std::time::Duration;

use fastrand::Rng;
use tokio::task::block_in_place;

use super::{
    account::Span,
    fault::{Drawn, Event, Fault},
    job::Job,
    lane::Lane,
};
use crate::{
    failure::Failure,
    fault::StoreFault,
    marks,
    way::{State, Way},
};

/// What is made good again, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Healing {
    Job(usize),
    JobWay {
        since: u64,
    },
    /// A node that was killed.
    Start(usize),
    /// A node that was stopped.
    GoOn(usize),
    NodeWay(usize),
    Store,
}

#[derive(Debug)]
pub(crate) struct Suffering {
    pub(crate) drawn: Drawn,
    pub(crate) happened: Vec<Event>,
    /// Whether another job comes.
    pub(crate) wants_second: bool,
    next: usize,
    healing: Vec<(Duration, Healing)>,
}

impl Suffering {
    pub(crate) fn new(drawn: Drawn) -> Self {
        Self {
            drawn,
            happened: Vec::new(),
            wants_second: false,
            next: 0,
            healing: Vec::new(),
        }
    }

    pub(crate) fn is_healed(&self) -> bool {
        self.healing.is_empty()
    }

    /// Makes good what has lasted long enough.
    pub(crate) fn heal(
        &mut self,
        lane: &mut Lane,
        jobs: &mut [Job],
        now: Duration,
    ) -> Result<(), Failure> {
        let (due, later) = self.healing.drain(..).partition(|(until, _)| *until <= now);
        self.healing = later;
        let due: Vec<(Duration, Healing)> = due;
        for (_, healing) in due {
            match healing {
                Healing::Job(number) => jobs[number].go_on(),
                Healing::JobWay { since } => {
                    if let Some(way) = &lane.job_way {
                        way.is(State::Open);
                    }
                    let to = marks::now();
                    for job in jobs.iter_mut() {
                        job.account.stood_still.push(Span { from: since, to });
                    }
                }
                Healing::Start(number) => lane.members[number].start(lane.folder.path()),
                Healing::GoOn(number) => lane.members[number].go_on(),
                Healing::NodeWay(number) => lane.members[number].way_is(State::Open),
                Healing::Store => block_in_place(|| lane.place.heal())?,
            }
        }
        Ok(())
    }

    /// Lets happen what is due.
    pub(crate) fn go_on(
        &mut self,
        lane: &mut Lane,
        jobs: &mut [Job],
        now: Duration,
        rng: &mut Rng,
    ) -> Result<(), Failure> {
        while let Some(event) = self.drawn.events.get(self.next).copied() {
            if now < event.after {
                return Ok(());
            }
            self.next += 1;
            self.happened.push(event);
            if let Some((lasts, healing)) = self.happen(event.fault, lane, jobs, rng)? {
                self.healing.push((now + lasts, healing));
            }
        }
        Ok(())
    }

    fn happen(
        &mut self,
        fault: Fault,
        lane: &mut Lane,
        jobs: &mut [Job],
        rng: &mut Rng,
    ) -> Result<Option<(Duration, Healing)>, Failure> {
        let (of_jobs, of_nodes) = (jobs.len(), lane.members.len());
        Ok(match fault {
            Fault::KillJob(number) => {
                jobs[number % of_jobs].kill();
                None
            }
            Fault::EndJob(number) => {
                jobs[number % of_jobs].end();
                None
            }
            Fault::StopJob(number, lasts) => {
                jobs[number % of_jobs].stop();
                Some((lasts, Healing::Job(number % of_jobs)))
            }
            Fault::CutJob(state, lasts) => lane.job_way.as_ref().map(|way: &Way| {
                way.is(state);
                let since = marks::now();
                (lasts, Healing::JobWay { since })
            }),
            Fault::KillNode(number, lasts) => {
                lane.members[number % of_nodes].kill();
                Some((lasts, Healing::Start(number % of_nodes)))
            }
            Fault::StopNode(number, lasts) => {
                lane.members[number % of_nodes].stop();
                Some((lasts, Healing::GoOn(number % of_nodes)))
            }
            Fault::CutNode(number, state, lasts) => {
                lane.members[number % of_nodes].way_is(state);
                Some((lasts, Healing::NodeWay(number % of_nodes)))
            }
            Fault::Store(fault, lasts) => block_in_place(|| {
                if fault == StoreFault::Down {
                    lane.place.save()?;
                }
                lane.place.suffer(fault, rng)?;
                Ok(Some((lasts, Healing::Store)))
            })?,
            Fault::Second => {
                self.wants_second = true;
                None
            }
        })
    }
}
