use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use notify::RecommendedWatcher;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{super::events::EventFilter, *};

/// Far below the slow poll and far above what a busy machine needs for an event.
const SOON: Duration = Duration::from_millis(500);
const QUIET: Duration = Duration::from_millis(150);
const NEVER: Duration = Duration::from_secs(3600);

/// Leaves it to events to tell of changes, except where a folder is missing.
const EVENTS_ONLY: Pace = Pace {
    slow: NEVER,
    poll: NEVER,
    restless: Duration::ZERO,
    ..PACE
};

fn no_events(_: &[PathBuf], _: EventFilter) -> notify::Result<RecommendedWatcher> {
    Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch))
}

struct Watched {
    /// The folder above the one with the file.
    base: TempDir,
    watch: Watch,
}

impl Watched {
    async fn new(subscribe: Subscribe, pace: Pace) -> Self {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("folder")).unwrap();
        fs::write(base.path().join("folder/state"), "off").unwrap();
        let path = base.path().join("folder/state");
        Self::of(base, path, subscribe, pace).await
    }

    async fn of(base: TempDir, path: PathBuf, subscribe: Subscribe, pace: Pace) -> Self {
        let watch = Watch::start(path, subscribe, pace);
        let mut watched = Self { base, watch };
        // The first hint says that the watch has begun.
        watched.hint("the beginning").await;
        watched.calm().await;
        watched
    }

    fn folder(&self) -> PathBuf {
        self.base.path().join("folder")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("state")
    }

    async fn hint(&mut self, of: &str) {
        let hint = timeout(SOON, self.watch.next()).await;
        assert_eq!(hint, Ok(Some(Hint)), "no hint of {of}");
    }

    async fn calm(&mut self) {
        while timeout(QUIET, self.watch.next()).await.is_ok() {}
    }

    async fn assert_silent(&mut self) {
        let hint = timeout(QUIET, self.watch.next()).await;
        assert!(hint.is_err(), "a hint of nothing");
    }

    /// Every kind of change, one after the other.
    async fn sees_everything(&mut self) {
        let (folder, file) = (self.folder(), self.file());
        let away = self.base.path().join("away");
        let new = folder.join("new");
        for round in 0..2 {
            fs::write(&file, "on").unwrap();
            self.hint("a write").await;
            self.calm().await;

            fs::write(&new, format!("off {round}")).unwrap();
            fs::rename(&new, &file).unwrap();
            self.hint("a replacement").await;
            self.calm().await;

            fs::remove_file(&file).unwrap();
            self.hint("a removal").await;
            self.calm().await;

            fs::write(&file, "on").unwrap();
            self.hint("a new file").await;
            self.calm().await;

            fs::remove_dir_all(&folder).unwrap();
            self.hint("the folder's removal").await;
            self.calm().await;

            fs::create_dir(&folder).unwrap();
            fs::write(&file, "on").unwrap();
            self.hint("the folder's return").await;
            self.calm().await;

            fs::rename(&folder, &away).unwrap();
            self.hint("the folder's renaming").await;
            self.calm().await;

            fs::rename(&away, &folder).unwrap();
            self.hint("the folder's renaming back").await;
            self.calm().await;

            // Replaced before anybody could see it missing.
            fs::rename(&folder, &away).unwrap();
            fs::create_dir(&folder).unwrap();
            self.hint("another folder").await;
            self.calm().await;
            fs::remove_dir_all(&away).unwrap();
            self.calm().await;
        }
        fs::write(&file, "off").unwrap();
        self.hint("a write at the end").await;
    }
}

#[tokio::test]
async fn events_tell_of_every_kind_of_change() {
    let mut watched = Watched::new(subscribe, EVENTS_ONLY).await;
    watched.sees_everything().await;
}

#[tokio::test]
async fn polling_finds_every_kind_of_change_where_there_are_no_events() {
    let pace = Pace {
        restless: Duration::ZERO,
        ..PACE
    };
    let mut watched = Watched::new(no_events, pace).await;
    watched.sees_everything().await;
}

#[tokio::test]
async fn the_slow_poll_finds_what_no_event_tells() {
    let mut watched = Watched::new(
        |_, filter| {
            // A watcher of no folder, which never has anything to tell.
            subscribe(&[], filter)
        },
        PACE,
    )
    .await;
    // By then the liveliness of the beginning is over.
    tokio::time::sleep(PACE.restless).await;
    watched.calm().await;
    fs::write(watched.file(), "other").unwrap();
    let hint = timeout(PACE.slow + SOON, watched.watch.next()).await;
    assert_eq!(hint, Ok(Some(Hint)));
}

#[tokio::test]
async fn reads_and_neighbours_make_no_hints() {
    let mut watched = Watched::new(subscribe, EVENTS_ONLY).await;
    for _ in 0..10 {
        fs::read(watched.file()).unwrap();
        fs::read_dir(watched.folder()).unwrap().count();
        let lock = File::create(watched.folder().join("state.lock")).unwrap();
        lock.try_lock().unwrap();
        let temporary = watched.folder().join(".state.AbCdEf.tmp");
        fs::write(&temporary, "x").unwrap();
        fs::remove_file(&temporary).unwrap();
        File::open(watched.folder()).unwrap().sync_all().unwrap();
    }
    watched.assert_silent().await;

    // And yet the watch is awake.
    fs::write(watched.file(), "on").unwrap();
    watched.hint("a write").await;
}

#[tokio::test]
async fn many_changes_at_once_are_few_hints() {
    let mut watched = Watched::new(subscribe, EVENTS_ONLY).await;
    for round in 0..200 {
        fs::write(watched.file(), round.to_string()).unwrap();
    }
    tokio::time::sleep(QUIET).await;
    let mut count = 0;
    while timeout(QUIET, watched.watch.next()).await.is_ok() {
        count += 1;
    }
    assert!((1..=3).contains(&count), "{count} hints");
}

#[tokio::test]
async fn begins_without_a_folder_and_sees_it_come() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("folder/state");
    let mut watched = Watched::of(base, path, subscribe, EVENTS_ONLY).await;
    fs::create_dir(watched.folder()).unwrap();
    watched.hint("the folder").await;
    watched.calm().await;
    fs::write(watched.file(), "on").unwrap();
    watched.hint("the file").await;
}

#[cfg(unix)]
#[tokio::test]
async fn watches_the_link_and_what_it_points_to() {
    use std::os::unix::fs::symlink;

    let base = tempfile::tempdir().unwrap();
    for folder in ["folder", "real", "other"] {
        fs::create_dir(base.path().join(folder)).unwrap();
        fs::write(base.path().join(folder).join("target"), "off").unwrap();
    }
    let link = base.path().join("folder/state");
    symlink("../real/target", &link).unwrap();
    let mut watched = Watched::of(base, link.clone(), subscribe, EVENTS_ONLY).await;

    let real = watched.base.path().join("real/target");
    fs::write(&real, "on").unwrap();
    watched.hint("a write to the target").await;
    watched.calm().await;

    let new = watched.folder().join("new");
    symlink("../other/target", &new).unwrap();
    fs::rename(&new, &link).unwrap();
    watched.hint("another target").await;
    watched.calm().await;

    fs::write(watched.base.path().join("other/target"), "on").unwrap();
    watched.hint("a write to the new target").await;
    watched.calm().await;

    fs::write(&real, "off").unwrap();
    watched.assert_silent().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_change_of_mode_is_a_hint() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut watched = Watched::new(subscribe, EVENTS_ONLY).await;
    fs::set_permissions(watched.file(), fs::Permissions::from_mode(0o600)).unwrap();
    watched.hint("the mode").await;
}

#[tokio::test]
async fn dropping_the_stream_ends_the_thread() {
    let base = tempfile::tempdir().unwrap();
    let (report, ended) = threads::channel::<()>();
    let (signals, inbox) = threads::channel();
    let (hint, hints) = mpsc::channel(1);
    let path = base.path().join("state");
    let watch_thread = WatchThread::new(path, subscribe, EVENTS_ONLY, signals.clone());
    thread::spawn(move || {
        watch_thread.run(&inbox, &hint);
        drop(report);
    });
    let mut watch = Watch {
        hints,
        signals,
        without_thread: None,
    };
    assert_eq!(watch.next().await, Some(Hint));
    drop(watch);
    assert_eq!(
        ended.recv_timeout(SOON),
        Err(threads::RecvTimeoutError::Disconnected)
    );
}

#[tokio::test]
async fn goes_on_with_a_hint_a_second_should_the_thread_be_gone() {
    let (_, hints) = mpsc::channel(1);
    let (signals, _) = threads::channel();
    let mut watch = Watch {
        hints,
        signals,
        without_thread: None,
    };
    assert_eq!(timeout(SOON, watch.next()).await, Ok(Some(Hint)));
    assert!(timeout(QUIET, watch.next()).await.is_err());
    let next = timeout(PACE.slow + SOON, watch.next()).await;
    assert_eq!(next, Ok(Some(Hint)));
}

#[tokio::test]
#[ignore = "needs an idle machine: measures time"]
async fn a_hint_comes_within_a_tenth_of_a_second() {
    async fn measure(watched: &mut Watched, change: impl FnOnce(&Path)) -> Duration {
        watched.calm().await;
        let file = watched.file();
        let started = Instant::now();
        change(&file);
        let _ = timeout(SOON, watched.watch.next()).await;
        started.elapsed()
    }
    let mut watched = Watched::new(subscribe, EVENTS_ONLY).await;
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        for change in [
            |file: &Path| fs::write(file, "on").unwrap(),
            |file: &Path| fs::remove_dir_all(file.parent().unwrap()).unwrap(),
            |file: &Path| {
                fs::create_dir(file.parent().unwrap()).unwrap();
                fs::write(file, "off").unwrap();
            },
        ] {
            longest = longest.max(measure(&mut watched, change).await);
        }
    }
    println!("longest: {longest:?}");
    assert!(longest <= Duration::from_millis(100), "{longest:?}");
}
