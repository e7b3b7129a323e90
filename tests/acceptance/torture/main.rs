//! Plays rounds of what may go wrong while somebody waits for maintenance to take hold, and counts
//! how often it was said to be safe when it was not: `torture --help`.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser as _;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::interval,
};

use crate::{
    arguments::{Arguments, StoreKind, SubjectKind, word},
    failure::{Failure, because},
    subject::{Lane, Played as _, Tally},
};

mod arguments;
mod during;
mod failure;
mod fault;
mod lane;
mod marks;
mod node;
mod operator;
mod place;
mod roles;
mod subject;
mod table;
mod tally;
mod watch;
mod way;

/// How often it is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Says that this process has mounts of its own already.
const MOUNTS: &str = "TORTURE_MOUNTS";

fn main() -> ExitCode {
    let outcome = match env::var(roles::ROLE).as_deref() {
        Ok(roles::NODE) => roles::serve(),
        Ok(roles::OPERATOR) => roles::operate(),
        _ => play(Arguments::parse()).map_err(Into::into),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn play(arguments: Arguments) -> Result<ExitCode, Failure> {
    let is_root = rustix::process::geteuid().is_root();
    if is_root && arguments.store == StoreKind::File && env::var_os(MOUNTS).is_none() {
        with_own_mounts();
    }
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(because("cannot start"))?;
    let is_good = runtime.block_on(async {
        match arguments.subject {
            SubjectKind::Barrier => play_all::<lane::Lane>(&arguments, is_root).await,
            SubjectKind::During => play_all::<during::Lane>(&arguments, is_root).await,
        }
    })?;
    Ok(match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs this program again where what it mounts goes with it; returns if that is not possible.
fn with_own_mounts() {
    let Ok(own) = env::current_exe() else { return };
    let mut command = Command::new("unshare");
    command.args(["--mount", "--"]).arg(own);
    let error = command
        .args(env::args_os().skip(1))
        .env(MOUNTS, "own")
        .exec();
    eprintln!("disks will not be filled: {error}");
}

/// Plays the rounds, and tells what came of them. Says whether all went well.
async fn play_all<L: Lane>(arguments: &Arguments, is_root: bool) -> Result<bool, Failure> {
    let tally = Arc::new(Mutex::new(L::Tally::new()));
    play_lanes::<L>(arguments, is_root, &tally).await?;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    print!("{}", tally.table(arguments));
    Ok(tally.is_good())
}

async fn play_lanes<L: Lane>(
    arguments: &Arguments,
    is_root: bool,
    tally: &Arc<Mutex<L::Tally>>,
) -> Result<(), Failure> {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!(
        "{}: {} rounds, {} store, {}, {} lanes, --seed {seed}",
        word(&arguments.subject),
        arguments.rounds,
        word(&arguments.store),
        word(&arguments.policy),
        arguments.lanes
    );
    let is_over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU64::new(0));
    let mut lanes = JoinSet::new();
    for number in 0..arguments.lanes.clamp(1, arguments.rounds.max(1)) {
        let (is_over, next) = (Arc::clone(&is_over), Arc::clone(&next));
        let (arguments, tally) = (arguments.clone(), Arc::clone(tally));
        lanes.spawn(async move {
            let mut lane = L::open(&arguments, number, is_root).await?;
            loop {
                let round = next.fetch_add(1, Ordering::SeqCst);
                if round >= arguments.rounds || is_over.load(Ordering::SeqCst) {
                    return Ok(());
                }
                let played = lane.play(seed.wrapping_add(round)).await?;
                if played.is_odd() || arguments.verbose {
                    println!("round {round}, lane {number}, {played}");
                }
                if played.is_odd() {
                    keep(lane.folder(), &arguments, round)?;
                }
                let is_stuck = played.is_stuck();
                tally
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .note(&played);
                if is_stuck {
                    // Nothing can be told of the rounds that follow.
                    drop(lane);
                    lane = L::open(&arguments, number, is_root).await?;
                }
            }
        });
    }
    let mut ended = signal(SignalKind::terminate()).map_err(because("cannot listen to signals"))?;
    let begin = Instant::now();
    let mut tell = interval(TELL_EVERY);
    tell.tick().await;
    loop {
        tokio::select! {
            ended = lanes.join_next() => match ended {
                None => return Ok(()),
                Some(Ok(ended)) => ended?,
                Some(Err(error)) => return Err(Failure::new(error.to_string())),
            },
            _ = tell.tick() => {
                let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                eprintln!("{}", tally.table(arguments));
                let minutes = begin.elapsed().as_secs() / 60;
                if arguments.minutes.is_some_and(|most| minutes >= most) {
                    is_over.store(true, Ordering::SeqCst);
                }
            }
            _ = ended.recv() => is_over.store(true, Ordering::SeqCst),
            _ = tokio::signal::ctrl_c() => is_over.store(true, Ordering::SeqCst),
        }
    }
}

/// Keeps the logs and the store of a round that went wrong, where that is wanted.
fn keep(folder: &Path, arguments: &Arguments, round: u64) -> Result<(), Failure> {
    let Some(keep) = &arguments.keep else {
        return Ok(());
    };
    let to = keep.join(format!("round-{round}"));
    fs::create_dir_all(&to).map_err(because("cannot keep it"))?;
    let entries = fs::read_dir(folder).map_err(because("cannot keep it"))?;
    let files = entries.flatten().map(|entry| entry.path());
    for file in files.filter(|path| path.is_file()) {
        if let Some(name) = file.file_name() {
            fs::copy(&file, to.join(name)).map_err(because("cannot keep it"))?;
        }
    }
    Ok(())
}
