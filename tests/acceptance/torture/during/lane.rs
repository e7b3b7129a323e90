//! A site with a store of its own, and the rounds that are played with it.

use std::{path::Path, process::Stdio, time::Duration};

use actix_maintenance_mode::Maintenance;
use fastrand::Rng;
use tempfile::TempDir;
use tokio::{
    process::Command,
    task::block_in_place,
    time::{Instant, sleep},
};

use super::{
    account::{Span, openings},
    balancer::Balancer,
    fault::{Drawn, draw},
    fleet::Member,
    job::{self, Job, NAMES, write_commands},
    prober::Met,
    suffering::Suffering,
    tally::{Outcome, Played, Tally},
    word::{Word, logs_loss, says_lost, status},
};
use crate::{
    arguments::{Arguments, IfLost, Transport, word},
    failure::{Failure, because},
    marks,
    place::Place,
    roles, subject,
    way::{State, Way},
};

/// How long a holder lives in the store without renewing its lease.
pub(crate) const LEASE: Duration = Duration::from_secs(2);
/// How long it may take, once nothing goes wrong any more, until the site is open or the loss is told:
/// a node that could not look believes the holder for one lease more.
const WORD: Duration = Duration::from_secs(12);
/// How long jobs may take, with all that goes wrong.
const ROUND: Duration = Duration::from_secs(100);
/// How long it may take until everything goes on after a round.
const RECOVERY: Duration = Duration::from_secs(120);
/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How `status --exit-code` ends for a mode whose holder is lost.
const LOST: i32 = 13;
const ASK_EVERY: Duration = Duration::from_millis(40);

#[derive(Debug)]
pub(crate) struct Lane {
    pub(super) arguments: Arguments,
    pub(super) members: Vec<Member>,
    pub(super) place: Place,
    /// The way of the jobs to the store.
    pub(super) job_way: Option<Way>,
    pub(super) folder: TempDir,
    balancer: Balancer,
    operator: Maintenance,
    met: Met,
    round: u64,
}

impl subject::Lane for Lane {
    type Played = Played;
    type Tally = Tally;

    async fn open(arguments: &Arguments, number: u64, is_root: bool) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("torture-{number}-"))
            .tempdir()
            .map_err(because("cannot make a folder"))?;
        write_commands(folder.path())?;
        let place = block_in_place(|| Place::make(arguments.store, folder.path(), is_root))?;
        let operator = Maintenance::builder()
            .settings(arguments.policy.settings())
            .store(place.url(None))
            .build()
            .await
            .map_err(because("cannot use the store"))?;
        let mut members = Vec::new();
        for member in 0..=number % 2 {
            let way = place.way().await?;
            let url = place.url(way.as_ref());
            let name = format!("n{member}");
            members.push(Member::new(name, url, arguments.policy, way));
        }
        let mut lane = Self {
            arguments: arguments.clone(),
            members,
            job_way: place.way().await?,
            place,
            folder,
            balancer: Balancer::open().await?,
            operator,
            met: Met::default(),
            round: 0,
        };
        lane.recover().await?;
        Ok(lane)
    }

    async fn play(&mut self, seed: u64) -> Result<Played, Failure> {
        let mut rng = Rng::with_seed(seed);
        let drawn = draw(&mut rng, self.arguments.store, self.arguments.transport);
        self.round += 1;
        self.place.before_round(&mut rng)?;
        for member in &mut self.members {
            member.forget_log(self.folder.path());
        }
        self.met.forget();
        let mut jobs = vec![self.start_job(0, &drawn)?];
        let mut suffering = Suffering::new(drawn);
        let run = self.run(&mut jobs, &mut suffering, &mut rng).await?;
        let mut until_word = None;
        let outcome = match run {
            Run::Stuck => Outcome::Stuck("a job does not end, or a node does not start".to_owned()),
            Run::Over { slowest } => {
                let word = self.wait_for_word().await?;
                if let [job] = &jobs[..]
                    && suffering.happened.len() == 1
                    && job.account.has_died()
                {
                    let since = job.account.killed.unwrap_or_default();
                    until_word = Some(Duration::from_micros(marks::now().saturating_sub(since)));
                }
                match self.judge(&word, &jobs, &suffering).await? {
                    outcome if is_wrong(&outcome) && slowest > LEASE / 4 => {
                        Outcome::NoTime(format!("{outcome:?}, {slowest:?}"))
                    }
                    outcome => outcome,
                }
            }
        };
        let (let_in, refused) = self.met.counts();
        let jobs = jobs.iter().map(Job::to_string).collect();
        let outcome = match self.recover().await {
            Err(stuck) if !is_wrong(&outcome) => Outcome::Stuck(stuck.to_string()),
            _ => outcome,
        };
        Ok(Played {
            outcome,
            seed,
            events: suffering.happened,
            until_word,
            let_in,
            refused,
            jobs,
        })
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// What became of the jobs of a round.
enum Run {
    Over {
        /// The longest that this program had to wait for its turn.
        slowest: Duration,
    },
    Stuck,
}

fn is_wrong(outcome: &Outcome) -> bool {
    use Outcome::{Opening, Silent, Untold};

    matches!(outcome, Opening(_) | Silent(_) | Untold(_))
}

impl Lane {
    /// How the program reaches the site.
    fn way_of_jobs(&self) -> Vec<String> {
        match self.arguments.transport {
            Transport::Store => Vec::new(),
            Transport::Http => {
                let address = self.balancer.address;
                vec![
                    "--url".to_owned(),
                    format!("http://{address}/maintenance-mode"),
                ]
            }
        }
    }

    fn start_job(&self, number: usize, drawn: &Drawn) -> Result<Job, Failure> {
        let mut options = self.way_of_jobs();
        let lease = format!("{}s", LEASE.as_secs());
        let if_lost = word(&self.arguments.if_lost);
        options
            .extend(["during", "--lost-after", &lease, "--if-lost", &if_lost].map(str::to_owned));
        options.extend(["--wait", "--timeout", "4s", "--reason", "torture"].map(str::to_owned));
        if let Some(lasting) = drawn.lasting {
            options.extend(["--for".to_owned(), format!("{}s", lasting.as_secs())]);
        }
        if number > 0 {
            options.push("--exclusive".to_owned());
        }
        Job::start(&job::Start {
            name: NAMES[number],
            round: self.round,
            folder: self.folder.path(),
            options,
            store: self.place.url(self.job_way.as_ref()),
            policy: word(&self.arguments.policy),
            runs: drawn.runs[number],
        })
    }

    /// Takes over what has started.
    async fn look(&mut self) -> Result<(), Failure> {
        let mut is_changed = false;
        for member in &mut self.members {
            is_changed |= member.look(&self.met).await?;
        }
        if is_changed {
            let addresses = self.members.iter().filter_map(Member::address);
            self.balancer.goes_to(addresses.collect());
        }
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.members.iter().all(|member| member.address().is_some())
    }

    /// Runs the jobs to their end, while things go wrong.
    async fn run(
        &mut self,
        jobs: &mut Vec<Job>,
        suffering: &mut Suffering,
        rng: &mut Rng,
    ) -> Result<Run, Failure> {
        let begin = Instant::now();
        let mut slowest = Duration::ZERO;
        while begin.elapsed() < ROUND {
            let asleep = Instant::now();
            sleep(LOOK_EVERY).await;
            slowest = slowest.max(asleep.elapsed());
            self.look().await?;
            jobs.iter_mut().for_each(Job::look);
            if suffering.wants_second && jobs.len() < NAMES.len() {
                jobs.push(self.start_job(1, &suffering.drawn)?);
            }
            let are_over = jobs.iter().all(Job::is_over);
            let now = begin.elapsed();
            suffering.heal(self, jobs, now)?;
            if !are_over {
                suffering.go_on(self, jobs, now, rng)?;
            } else if suffering.is_healed() && self.is_whole() {
                return Ok(Run::Over { slowest });
            }
        }
        Ok(Run::Stuck)
    }

    /// Waits until the site is open, or the loss is told.
    async fn wait_for_word(&self) -> Result<Word, Failure> {
        let deadline = Instant::now() + WORD;
        loop {
            let mut is_open = true;
            for member in &self.members {
                is_open &= member.is_open().await;
            }
            if is_open {
                return Ok(Word::Open);
            }
            let mut told = String::new();
            for address in self.members.iter().filter_map(Member::address) {
                match status(address).await {
                    Ok(status) if says_lost(&status) => {
                        if self.arguments.if_lost == IfLost::Stay {
                            return Ok(Word::Lost);
                        }
                        told = status.to_string();
                    }
                    Ok(status) => told = status.to_string(),
                    Err(error) => told = error.to_string(),
                }
            }
            if Instant::now() > deadline {
                return Ok(Word::None(told));
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Looks whether all went as it was promised.
    async fn judge(
        &self,
        word: &Word,
        jobs: &[Job],
        suffering: &Suffering,
    ) -> Result<Outcome, Failure> {
        let is_calm = suffering.happened.is_empty();
        let lease = u64::try_from(LEASE.as_micros()).unwrap_or(u64::MAX);
        let promises: Vec<Span> = jobs
            .iter()
            .filter_map(|job| job.account.promise(lease))
            .collect();
        if let Some(first) = openings(&promises, &self.met.let_in()).first() {
            return Ok(Outcome::Opening(format!("{first:?} of {promises:?}")));
        }
        if let Word::None(status) = word {
            return Ok(Outcome::Silent(status.clone()));
        }
        let folder = self.folder.path();
        let logs: String = self
            .members
            .iter()
            .map(|member| member.log(folder))
            .collect();
        let mut is_lost = false;
        for job in jobs {
            let lost = logs_loss(&logs, job.name);
            is_lost |= lost;
            if let Some(fault) = job.untold(lost, is_calm) {
                return Ok(Outcome::Untold(fault));
            }
        }
        if *word == Word::Lost {
            if !is_lost {
                return Ok(Outcome::Untold("the loss is in no log".to_owned()));
            }
            let (code, said) = self.status_code().await?;
            // What was announced may have come meanwhile.
            let is_over = code == Some(0) && suffering.drawn.lasting.is_some();
            if code != Some(LOST) && !is_over {
                return Ok(Outcome::Untold(format!(
                    "`status` ends with {code:?}: {said}"
                )));
            }
            return Ok(Outcome::Told);
        }
        let has_begun = jobs.iter().any(|job| job.account.began.is_some());
        Ok(match (is_lost, has_begun) {
            (true, _) => Outcome::Opened,
            (false, true) => Outcome::Done,
            (false, false) => Outcome::NotBegun,
        })
    }

    /// How `maintenance status --exit-code` ends.
    async fn status_code(&self) -> Result<(Option<i32>, String), Failure> {
        let own = std::env::current_exe().map_err(because("cannot find this program"))?;
        let output = Command::new(own)
            .args(self.way_of_jobs())
            .args(["status", "--exit-code"])
            .current_dir(self.folder.path())
            .env(roles::ROLE, roles::OPERATOR)
            .env(roles::STORE, self.place.url(None))
            .env(roles::POLICY, word(&self.arguments.policy))
            .env("MAINTENANCE_TOKEN", roles::TOKEN)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(because("cannot run this program"))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok((output.status.code(), said))
    }

    /// Heals everything, opens the site, and waits until every node lets visitors in.
    async fn recover(&mut self) -> Result<(), Failure> {
        block_in_place(|| self.place.heal())?;
        if let Some(way) = &self.job_way {
            way.is(State::Open);
        }
        for member in &mut self.members {
            member.way_is(State::Open);
            member.go_on();
            member.start(self.folder.path());
        }
        let deadline = Instant::now() + RECOVERY;
        loop {
            self.look().await?;
            let off = self.operator.turn_off().by("torture").await;
            let mut is_open = off.is_ok() && self.is_whole();
            for member in &self.members {
                is_open = is_open && member.is_open().await;
            }
            if is_open {
                return Ok(());
            }
            if Instant::now() > deadline {
                let off = off.map(|_| "it is off, and a node serves nobody");
                let why = off.map_or_else(|error| error.to_string(), str::to_owned);
                return Err(Failure::new(why));
            }
            sleep(ASK_EVERY).await;
        }
    }
}
