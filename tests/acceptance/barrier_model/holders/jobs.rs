//! What jobs do.

use super::{Document, Guard, Job, Life, PATIENCE, Protocol, TIME_TO_LIVE, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum OfJob {
    PutLease,
    Close,
    /// The job hears that the lease was renewed, or put again.
    Renew,
    /// It does not hear of it.
    RenewUnheard,
    Stop,
    Wake,
    Crash,
    Finish,
    Hear,
    PutBack,
}

impl Protocol {
    pub(super) fn at_once_by_job(&self, world: &World, place: usize) -> Option<OfJob> {
        let job = &world.jobs[place];
        if !job.works() {
            None
        } else if self.puts_back && world.is_behind(job.wrote) {
            Some(OfJob::PutBack)
        } else if self.hears_of_its_loss && world.has_given_up(place) {
            Some(OfJob::Hear)
        } else {
            None
        }
    }

    /// What a job may do, late or never.
    pub(super) fn may_be_done_by_job(
        &self,
        world: &World,
        place: usize,
        mut may: impl FnMut(OfJob),
    ) {
        let job = &world.jobs[place];
        match job.life {
            // The jobs are alike: the second does not begin before the first.
            Life::Idle if place == 0 || world.jobs[place - 1].life != Life::Idle => {
                may(OfJob::PutLease);
            }
            Life::Entering => {
                let is_free = world.document().living().is_none();
                if is_free || !self.asks_who_holds {
                    may(OfJob::Close);
                }
                may(OfJob::Crash);
            }
            Life::Working => {
                may(OfJob::Crash);
                may(match job.is_stopped {
                    true => OfJob::Wake,
                    false => OfJob::Stop,
                });
            }
            _ => {}
        }
        if job.acts() && (job.lease < TIME_TO_LIVE || job.patience < PATIENCE) {
            may(OfJob::Renew);
            may(OfJob::RenewUnheard);
        }
        if job.works() && !world.is_behind(job.wrote) && world.stored.is_some() {
            may(OfJob::Finish);
        }
    }

    pub(super) fn job_does(&self, world: &mut World, place: usize, does: &OfJob) {
        let document = world.document();
        let strangers =
            |world: &World| (0..self.jobs).find(|&it| it != place && world.jobs[it].lease > 0);
        match does {
            OfJob::PutLease => {
                let job = &mut world.jobs[place];
                job.life = Life::Entering;
                job.lease = TIME_TO_LIVE;
                job.patience = PATIENCE;
            }
            OfJob::Close => {
                let guard = Some(Guard {
                    job: place,
                    is_lost: false,
                });
                world.write(Document {
                    guard,
                    reopened: None,
                    ..document
                });
                world.has_end_passed = false;
                let number = world.document().number;
                let job = &mut world.jobs[place];
                job.life = Life::Working;
                job.wrote = number;
            }
            OfJob::Renew | OfJob::RenewUnheard => {
                let is_gone = world.jobs[place].lease == 0;
                let renewed = match strangers(world) {
                    Some(other) if is_gone && !self.looks_at_the_name => other,
                    _ => place,
                };
                world.jobs[renewed].lease = TIME_TO_LIVE;
                world.jobs[place].silent = 0;
                if *does == OfJob::Renew {
                    world.jobs[place].patience = PATIENCE;
                }
            }
            OfJob::Stop => world.jobs[place].is_stopped = true,
            OfJob::Wake => {
                let job = &mut world.jobs[place];
                job.is_stopped = false;
                job.silent = 0;
            }
            OfJob::Crash => {
                let job = &mut world.jobs[place];
                end(job, Life::Crashed);
                job.is_stopped = false;
            }
            OfJob::Finish => {
                let is_its_own = document.living() == Some(place);
                if is_its_own {
                    world.write(Document {
                        guard: None,
                        ..document
                    });
                }
                let is_well = is_its_own || !self.looks_when_it_ends;
                let job = &mut world.jobs[place];
                end(job, if is_well { Life::EndedWell } else { Life::Told });
                job.lease = 0;
            }
            OfJob::Hear => {
                let job = &mut world.jobs[place];
                end(job, Life::Told);
                job.lease = 0;
            }
            OfJob::PutBack => {
                let guard = Some(Guard {
                    job: place,
                    is_lost: false,
                });
                world.stored = Some(Document {
                    guard,
                    reopened: None,
                    number: world.jobs[place].wrote,
                });
            }
        }
    }
}

fn end(job: &mut Job, how: Life) {
    job.life = how;
    job.patience = 0;
    job.wrote = 0;
}
