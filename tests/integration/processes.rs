//! Many processes and one file: no update is lost, no reader sees half a document, and a process
//! that is killed leaves nothing behind.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_maintenance_mode::{Maintenance, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::{self, Child, Role, report},
    eventually::eventually,
};

/// Not a test by itself: what this binary does when it is run as a child.
#[actix_web::test]
async fn child_role() {
    let Some(role) = child::role() else { return };
    // The test harness has begun a line.
    println!();
    match role.as_str() {
        "toggle" => child_toggles().await,
        "load-settings" => crate::settings::child_loads(),
        "build" => crate::settings::child_builds().await,
        "log-failures" => crate::handle::child_logs_failures().await,
        "log-events" => crate::observe::child_logs_events().await,
        "cannot-report" => crate::absence::child_cannot_report().await,
        "wrong-clock" => crate::clocks::child_has_a_wrong_clock().await,
        "metrics" => crate::observe::child_exports_figures().await,
        #[cfg(feature = "cli")]
        "ask-and-hear-nothing" => {
            crate::cli::embedded::child_asks_a_server_that_falls_silent().await;
        }
        #[cfg(feature = "cli")]
        "site" => crate::cli::child_is_a_site().await,
        "log-damage" => crate::store::child_logs_damage().await,
        #[cfg(target_os = "linux")]
        "flooded" => crate::starts::child_is_flooded().await,
        #[cfg(target_os = "linux")]
        "failing-page" => crate::pages::child_refuses_by_a_page_that_fails().await,
        #[cfg(feature = "notices")]
        "sender" => crate::notices::child_sends().await,
        "task" => crate::tasks::child_runs_a_task().await,
        "lock" => crate::locks::child_holds_the_lock().await,
        "follow-edges" => crate::edges::child_follows().await,
        _ => panic!("no role {role}"),
    }
}

const FILE: &str = "TEST_STATE_FILE";
const NAME: &str = "TEST_NAME";
const COUNT: &str = "TEST_COUNT";

fn variable(name: &str) -> String {
    env::var(name).unwrap()
}

pub(crate) async fn maintenance_of(file: &Path) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .store(format!("file:{}", file.display()))
        .build()
        .await
        .unwrap()
}

/// Switches on and off in turns, and tells of each change that was made.
async fn child_toggles() {
    let maintenance = maintenance_of(&PathBuf::from(variable(FILE))).await;
    let name = variable(NAME);
    for round in 0..variable(COUNT).parse::<u64>().unwrap() {
        let reason = format!("{name}-{round}");
        let change = if round % 2 == 0 {
            maintenance.turn_on().reason(&reason).by(&name).await
        } else {
            maintenance.turn_off().by(&name).await
        }
        .unwrap();
        report(&json!({
            "changed": change.changed,
            "generation": change.status.generation,
            "on": change.status.maintenance_mode,
        }));
    }
}

fn toggler(file: &Path, name: &str, count: u64) -> Child {
    Role::new("toggle")
        .env(FILE, file)
        .env(NAME, name)
        .env(COUNT, count.to_string())
        .start()
}

/// What is stored. It must be a whole document.
fn stored(file: &Path) -> Option<Value> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{error}"),
    };
    let document: Value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)));
    assert_eq!(document["format"], 1);
    assert!(bytes.ends_with(b"}\n"));
    Some(document)
}

fn generation(document: &Value) -> u64 {
    document["generation"].as_u64().unwrap()
}

fn is_on(document: &Value) -> bool {
    document["modes"]["site"]["switch"]["on"].is_object()
}

/// All but what a killed process was writing of the copy, which another one removes some seconds
/// later.
fn names_in(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".maintenance.state.memory."))
        .collect();
    names.sort();
    names
}

#[actix_web::test]
async fn a_process_killed_in_the_middle_of_toggling_leaves_a_whole_document() {
    const KILLS: u64 = 30;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let mut acknowledged_in_all = 0;
    for kill in 0..KILLS {
        let before = stored(&file);
        let mut child = toggler(&file, &format!("child-{kill}"), 500);
        // Somewhere in the middle, at another point of the work each time.
        let mut last = None;
        for _ in 0..=kill * 3 % 41 {
            last = child.next();
        }
        std::thread::sleep(Duration::from_micros(kill * 311 % 5_000));
        let rest = child.kill();
        assert!(rest.len() < 400, "it was not in the middle");
        acknowledged_in_all += kill * 3 % 41 + 1 + rest.len() as u64;
        let last = rest.last().cloned().or(last).expect("nothing was changed");

        let document = stored(&file).expect("the file is gone");
        let (told, found) = (last["generation"].as_u64().unwrap(), generation(&document));
        // One more change may have been stored that nobody was told of any more.
        assert!(found == told || found == told + 1, "{found} after {told}");
        let expected = last["on"] == Value::Bool(found == told);
        assert_eq!(is_on(&document), expected, "{document} after {last}");
        assert!(generation(&document) > before.as_ref().map_or(0, generation));
        let history = document["history"].as_array().unwrap();
        let open = history.iter().filter(|period| period["ended_at"].is_null());
        assert_eq!(open.count(), usize::from(is_on(&document)));

        // What the killed process was writing is the only thing that may be left.
        let names = names_in(&folder);
        let temporary = names.iter().filter(|name| name.ends_with(".tmp")).count();
        assert!(temporary <= 1, "{names:?}");
        assert!(names.len() <= 3 + temporary, "{names:?}");
    }
    println!("{KILLS} kills after {acknowledged_in_all} changes");

    // A new process goes on where the killed ones ended, and clears up.
    let maintenance = maintenance_of(&file).await;
    let document = stored(&file).unwrap();
    assert_eq!(maintenance.is_on(), is_on(&document));
    assert_eq!(maintenance.status().generation, generation(&document));
    maintenance.turn_on().reason("the last one").await.unwrap();
    assert_eq!(
        names_in(&folder),
        [
            "maintenance.state",
            "maintenance.state.lock",
            "maintenance.state.memory"
        ]
    );
}

#[actix_web::test]
async fn two_processes_that_toggle_one_file_lose_no_update() {
    const EACH: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let follower = maintenance_of(&file).await;

    let children = ["left", "right"].map(|name| {
        let mut child = toggler(&file, name, EACH);
        // Read as it comes, so that the child never waits for its parent.
        std::thread::spawn(move || {
            let reports: Vec<Value> = std::iter::from_fn(|| child.next()).collect();
            child.finish();
            reports
        })
    });
    // A reader of the bare file, as fast as it can.
    let (mut reads, mut versions, mut newest) = (0_u64, 0_u64, 0);
    while !children.iter().all(std::thread::JoinHandle::is_finished) {
        if let Some(document) = stored(&file) {
            let found = generation(&document);
            assert!(found >= newest, "{found} after {newest}");
            versions += u64::from(found > newest);
            newest = found;
        }
        let followed = follower.status();
        assert_eq!(followed.store.error, None);
        reads += 1;
        actix_web::rt::task::yield_now().await;
    }

    let reports: Vec<Vec<Value>> = children
        .into_iter()
        .map(|child| child.join().unwrap())
        .collect();
    let mut generations = Vec::new();
    for reports in &reports {
        assert_eq!(reports.len() as u64, EACH);
        let changed = reports.iter().filter(|report| report["changed"] == true);
        generations.extend(changed.map(|report| report["generation"].as_u64().unwrap()));
    }
    generations.sort_unstable();
    let expected: Vec<u64> = (1..=generations.len() as u64).collect();
    // Each change made exactly one generation, and each generation was made by one change.
    assert_eq!(generations, expected);
    let document = stored(&file).unwrap();
    assert_eq!(generation(&document), generations.len() as u64);
    // A reason that is new is a change also when it is on already, so each `on` is one.
    assert!(generations.len() as u64 >= EACH, "{}", generations.len());
    println!(
        "{} changes of {} asked for, {reads} reads, {versions} versions seen",
        generations.len(),
        2 * EACH
    );
    assert!(versions > 10, "the reader did not run beside the writers");

    let last = generation(&document);
    eventually("the follower is up to date", || {
        follower.status().generation == last
    })
    .await;
    assert_eq!(follower.is_on(), is_on(&document));
    assert_eq!(
        names_in(&folder),
        [
            "maintenance.state",
            "maintenance.state.lock",
            "maintenance.state.memory"
        ]
    );
}

#[actix_web::test]
async fn a_vanished_folder_is_told_and_the_last_state_stays() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("volume");
    let away = base.path().join("away");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("maintenance.state");
    let maintenance = maintenance_of(&file).await;
    maintenance.turn_on().reason("first").await.unwrap();
    let before = fs::read(&file).unwrap();

    fs::rename(&folder, &away).unwrap();
    let text = maintenance.turn_off().await.unwrap_err().to_string();
    assert!(text.contains("create the folder, or mount"), "{text}");
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
    assert!(!folder.exists(), "the folder was made up");
    assert!(maintenance.is_on(), "the last state is kept");
    assert!(maintenance.status().store.error.is_some());

    fs::rename(&away, &folder).unwrap();
    assert_eq!(fs::read(&file).unwrap(), before);
    eventually("the store is back", || {
        maintenance.status().store.error.is_none()
    })
    .await;
    assert!(maintenance.turn_off().await.unwrap().changed);
    assert!(!is_on(&stored(&file).unwrap()));
}

#[cfg(target_os = "linux")]
mod as_root {
    use super::*;

    /// A small file system of its own, unmounted when this is dropped.
    struct SmallDisk(TempDir);

    impl SmallDisk {
        fn new() -> Self {
            let disk = Self(tempfile::tempdir().unwrap());
            disk.mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"]);
            disk
        }

        fn mount(&self, arguments: &[&str]) {
            let status = std::process::Command::new("mount")
                .args(arguments)
                .arg(self.path())
                .status()
                .unwrap();
            assert!(status.success(), "mount {arguments:?}: {status}");
        }

        fn path(&self) -> &Path {
            self.0.path()
        }

        fn fill(&self) -> PathBuf {
            let path = self.path().join("filler");
            // As much as there is room for; the error is the aim.
            let error = fs::write(&path, vec![0_u8; 1 << 20]).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
            path
        }
    }

    impl Drop for SmallDisk {
        fn drop(&mut self) {
            // Lazily, as the driver's thread may end a moment later.
            let _ = std::process::Command::new("umount")
                .arg("-l")
                .arg(self.path())
                .status();
        }
    }

    /// A change fails with a text that has this in it, and what is stored stays as it is.
    async fn refuses_changes(maintenance: &Maintenance, file: &Path, told: &str) {
        let before = fs::read(file).unwrap();
        for _ in 0..2 {
            let errors = [
                maintenance.turn_on().reason("another").await.unwrap_err(),
                maintenance.turn_off().await.unwrap_err(),
            ];
            for error in errors {
                let text = error.to_string();
                assert!(text.contains(told), "{text}");
                assert!(text.contains(file.to_str().unwrap()), "{text}");
            }
        }
        assert_eq!(fs::read(file).unwrap(), before);
        assert!(maintenance.is_on());
        assert_eq!(maintenance.status().generation, 1);
        assert_eq!(maintenance.status().store.error, None, "it can be read");
    }

    #[actix_web::test]
    #[ignore = "needs root, mounts a small tmpfs"]
    async fn a_full_disk_is_told_and_keeps_the_old_state() {
        let disk = SmallDisk::new();
        let file = disk.path().join("maintenance.state");
        let maintenance = maintenance_of(&file).await;
        maintenance.turn_on().reason("first").await.unwrap();

        let filler = disk.fill();
        refuses_changes(&maintenance, &file, "the disk is full; free some space").await;
        let names: Vec<_> = fs::read_dir(disk.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        let known = [
            "filler",
            "maintenance.state",
            "maintenance.state.lock",
            "maintenance.state.memory",
        ];
        let is_known = |name: &std::ffi::OsString| known.iter().any(|known| name == known);
        assert!(
            names.iter().all(is_known),
            "a temporary file is left: {names:?}"
        );

        fs::remove_file(filler).unwrap();
        let change = maintenance.turn_off().await.unwrap();
        assert!(change.changed);
        assert_eq!(change.status.generation, 2);
        assert!(!is_on(&stored(&file).unwrap()));
    }

    #[actix_web::test]
    #[ignore = "needs root, mounts a small tmpfs"]
    async fn a_read_only_folder_is_told_and_keeps_the_old_state() {
        let disk = SmallDisk::new();
        let file = disk.path().join("maintenance.state");
        let maintenance = maintenance_of(&file).await;
        maintenance.turn_on().reason("first").await.unwrap();

        disk.mount(&["-o", "remount,ro"]);
        refuses_changes(&maintenance, &file, "ead-only").await;
        // A process that starts now can read it.
        assert!(maintenance_of(&file).await.is_on());

        disk.mount(&["-o", "remount,rw"]);
        assert!(maintenance.turn_off().await.unwrap().changed);
        assert!(!is_on(&stored(&file).unwrap()));
    }
}
