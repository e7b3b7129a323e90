//! The file from outside: hand edits, damage, and what the handle makes of them.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use actix_maintenance_mode::{
    ChangeError, Maintenance, Settings,
    settings::WhenUnknownAtStart,
    store::{FileStore, Saved, Store},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::Role,
    eventually::{eventually, within},
    logs::Logs,
    processes::maintenance_of,
};

/// Far above what any change needs, so that a busy machine fails no test.
const SOON: Duration = Duration::from_secs(1);
/// What is promised.
const PROMISED: Duration = Duration::from_millis(100);

/// A state file in a folder of its own, with another folder above it.
struct Place {
    base: TempDir,
}

impl Place {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let place = Self { base };
        fs::create_dir(place.folder()).unwrap();
        place
    }

    fn folder(&self) -> PathBuf {
        self.base.path().join("folder")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("maintenance.state")
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    fn document(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap()
    }
}

fn shell(command: &str, folder: &Path) {
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "{command}");
}

/// Does everything to the file that an operator can do, and returns how long the handle took to
/// see each of them.
async fn edits_by_hand(patience: Duration, rounds: usize) -> Vec<(&'static str, Duration)> {
    let place = Place::new();
    let maintenance = maintenance_of(&place.file()).await;
    let (folder, away) = (place.folder(), place.base.path().join("away"));
    let mut times = Vec::new();
    let mut step = async |what: &'static str, change: &dyn Fn(), is_on: bool, fails: bool| {
        change();
        let seen = || {
            let status = maintenance.status();
            status.maintenance_mode == is_on && status.store.error.is_some() == fails
        };
        times.push((what, within(patience, what, seen).await));
    };
    for _ in 0..rounds {
        let sh = |command: &'static str| {
            let folder = folder.clone();
            move || shell(command, &folder)
        };
        step("on", &sh("echo on > maintenance.state"), true, false).await;
        step("off", &sh("echo off > maintenance.state"), false, false).await;
        step("1", &sh("printf 1 > maintenance.state"), true, false).await;
        step("emptied", &sh(": > maintenance.state"), false, false).await;
        step(
            "appended",
            &sh("echo true >> maintenance.state"),
            true,
            false,
        )
        .await;
        step(
            "replaced by off",
            &sh("echo 0 > new && mv new maintenance.state"),
            false,
            false,
        )
        .await;
        step(
            "replaced by on",
            &sh("echo 1 > new && mv new maintenance.state"),
            true,
            false,
        )
        .await;
        step("removed", &sh("rm maintenance.state"), false, false).await;
        step("back", &sh("echo on > maintenance.state"), true, false).await;
        step(
            "the folder removed: the last state is kept",
            &|| fs::remove_dir_all(&folder).unwrap(),
            true,
            true,
        )
        .await;
        step(
            "another folder in its place, empty: the last state is kept",
            &|| fs::create_dir(&folder).unwrap(),
            true,
            true,
        )
        .await;
        step("on again", &sh("echo on > maintenance.state"), true, false).await;
        step(
            "the folder renamed",
            &|| fs::rename(&folder, &away).unwrap(),
            true,
            true,
        )
        .await;
        step(
            "the folder back, with off in it",
            &|| {
                fs::write(away.join("maintenance.state"), "off").unwrap();
                fs::rename(&away, &folder).unwrap();
            },
            false,
            false,
        )
        .await;
        step(
            "a link",
            &sh("echo on > real && ln -sf real maintenance.state"),
            true,
            false,
        )
        .await;
        step("behind the link", &sh("echo off > real"), false, false).await;
        step(
            "a file again",
            &sh("rm maintenance.state && echo on > maintenance.state"),
            true,
            false,
        )
        .await;
        step(
            "off at the end",
            &sh("echo off > maintenance.state"),
            false,
            false,
        )
        .await;
    }
    times
}

fn longest(times: &[(&'static str, Duration)]) -> (&'static str, Duration) {
    *times.iter().max_by_key(|(_, time)| *time).unwrap()
}

#[actix_web::test]
async fn what_an_operator_does_to_the_file_is_seen_soon() {
    let times = edits_by_hand(SOON, 2).await;
    println!(
        "{} changes by hand, longest {:?}",
        times.len(),
        longest(&times)
    );
}

#[actix_web::test]
#[ignore = "timing: asserts 100 ms"]
async fn what_an_operator_does_to_the_file_is_seen_within_a_tenth_of_a_second() {
    let times = edits_by_hand(SOON, 5).await;
    let (what, time) = longest(&times);
    println!("{} changes by hand, longest {time:?}: {what}", times.len());
    assert!(time <= PROMISED, "{time:?}: {what}");
}

#[actix_web::test]
async fn the_first_change_after_a_hand_edit_writes_the_document() {
    let place = Place::new();
    place.write("on\n");
    let maintenance = maintenance_of(&place.file()).await;
    assert!(maintenance.is_on());
    let change = maintenance.turn_off().by("alice").await.unwrap();
    assert!(change.changed);
    let document = place.document();
    assert_eq!(document["format"], 1);
    assert_eq!(document["modes"]["site"]["switch"], "off");
    // What is so already leaves the operator's text as it is.
    place.write("off\n");
    assert!(!maintenance.turn_off().await.unwrap().changed);
    assert_eq!(fs::read_to_string(place.file()).unwrap(), "off\n");
}

#[actix_web::test]
async fn a_change_does_not_overlook_a_hand_edit_of_a_moment_before() {
    let place = Place::new();
    let maintenance = maintenance_of(&place.file()).await;
    for _ in 0..20 {
        place.write("on\n");
        // Whether the watch has seen it or not.
        let change = maintenance.turn_off().await.unwrap();
        assert!(change.changed, "the edit was overlooked");
        place.write("off\n");
        assert!(maintenance.turn_on().await.unwrap().changed);
    }
}

/// PARITY: "its state file: read as is" (django-maintenance-mode).
#[actix_web::test]
async fn the_state_file_of_django_maintenance_mode_is_taken_over() {
    let place = Place::new();
    for (text, is_on) in [
        ("1", true),
        ("0", false),
        ("1\n", true),
        (
            r#"{"start": "2000-01-01T00:00:00+00:00", "end": "2999-01-01T00:00:00+00:00"}"#,
            true,
        ),
        (
            r#"{"start": "2000-01-01T00:00:00+00:00", "end": "2001-01-01T00:00:00+00:00"}"#,
            false,
        ),
        (
            r#"{"start": "2000-01-01T00:00:00+00:00", "end": null}"#,
            true,
        ),
        (
            r#"{"start": "2999-01-01T00:00:00+00:00", "end": null}"#,
            false,
        ),
        (
            r#"{"start": null, "end": "2999-01-01T00:00:00+00:00"}"#,
            true,
        ),
    ] {
        place.write(text);
        let maintenance = maintenance_of(&place.file()).await;
        assert_eq!(maintenance.is_on(), is_on, "{text}");
        assert_eq!(maintenance.status().store.error, None, "{text}");
        let change = maintenance.turn_off().await.unwrap();
        assert_eq!(change.changed, is_on, "{text}");
        assert!(!maintenance.is_on(), "{text}");
    }
}

#[actix_web::test]
async fn a_window_in_the_file_opens_and_closes_by_itself() {
    let place = Place::new();
    let now = jiff::Timestamp::now();
    let start = now + jiff::SignedDuration::from_millis(300);
    let end = now + jiff::SignedDuration::from_millis(700);
    place.write(&json!({"start": start, "end": end}).to_string());
    let maintenance = maintenance_of(&place.file()).await;
    let mut changes = maintenance.subscribe();
    assert!(!maintenance.is_on());
    // What is told in between, such as the history's new period, does not matter here.
    let mut next = async |maintenance_mode: bool| {
        loop {
            let status = changes.next().await.unwrap();
            if status.maintenance_mode == maintenance_mode {
                return status;
            }
        }
    };
    let opened = next(true).await;
    assert_eq!(opened.modes[0].since, Some(start));
    assert_eq!(opened.modes[0].until, Some(end));
    assert!(jiff::Timestamp::now() >= start);
    next(false).await;
    assert!(jiff::Timestamp::now() >= end);
}

/// Garbage of several kinds. None of it is a newer format.
const DAMAGE: &[&[u8]] = &[
    b"maybe",
    b"{\"format\": 1, \"gener",
    b"{\"format\": 1}",
    b"\xff\xfe\x00",
    b"[]",
];

#[actix_web::test]
async fn damage_keeps_the_last_good_state_and_a_change_repairs_it() {
    for damage in DAMAGE {
        for was_on in [false, true] {
            for turn_on in [false, true] {
                let place = Place::new();
                let maintenance = maintenance_of(&place.file()).await;
                maintenance.turn_on().reason("first").await.unwrap();
                if !was_on {
                    maintenance.turn_off().await.unwrap();
                }
                let generation = maintenance.status().generation;

                fs::write(place.file(), damage).unwrap();
                eventually("the damage is seen", || {
                    maintenance.status().store.error.is_some()
                })
                .await;
                assert_eq!(maintenance.is_on(), was_on);
                let error = maintenance.status().store.error.unwrap();
                assert!(error.contains("write `on` or `off` into it"), "{error}");
                assert!(error.contains(place.file().to_str().unwrap()), "{error}");
                assert_eq!(fs::read(place.file()).unwrap(), *damage);

                let change = if turn_on {
                    maintenance.turn_on().await
                } else {
                    maintenance.turn_off().await
                }
                .unwrap();
                assert_eq!(maintenance.is_on(), turn_on);
                assert_eq!(maintenance.status().store.error, None);
                // It is written also where the switch is as it was: the file is to be repaired.
                assert!(change.changed, "{was_on} {turn_on}");
                let document = place.document();
                assert_eq!(document["generation"], generation + 1);
                assert_eq!(document["history"][0]["reason"], "first", "history is kept");
                assert_eq!(maintenance_of(&place.file()).await.is_on(), turn_on);
            }
        }
    }
}

#[actix_web::test]
async fn damage_that_an_operator_puts_right_is_forgotten() {
    let place = Place::new();
    let maintenance = maintenance_of(&place.file()).await;
    place.write("oops");
    eventually("the damage is seen", || {
        maintenance.status().store.error.is_some()
    })
    .await;
    place.write("on");
    eventually("the repair is seen", || {
        maintenance.is_on() && maintenance.status().store.error.is_none()
    })
    .await;
}

#[actix_web::test]
async fn damage_with_nothing_known_is_left_as_it_is() {
    for damage in DAMAGE {
        let place = Place::new();
        fs::write(place.file(), damage).unwrap();
        let maintenance = Maintenance::builder()
            .settings(Settings::default())
            .store(format!("file:{}", place.file().display()))
            .configure(|it| it.when_unknown_at_start = WhenUnknownAtStart::Off)
            .build()
            .await
            .unwrap();
        assert!(!maintenance.is_on());
        assert_eq!(maintenance.status().store.known_at, None);
        for result in [maintenance.turn_on().await, maintenance.turn_off().await] {
            let error = result.unwrap_err();
            assert!(matches!(error, ChangeError::Store(_)), "{error}");
            let text = error.to_string();
            assert!(text.contains("write `on` or `off` into it"), "{text}");
            assert!(text.contains(place.file().to_str().unwrap()), "{text}");
        }
        assert_eq!(fs::read(place.file()).unwrap(), *damage);
        // Doing what the text says helps.
        place.write("off");
        eventually("the repair is seen", || {
            maintenance.status().store.error.is_none()
        })
        .await;
        assert!(maintenance.turn_on().await.unwrap().changed);
    }
}

#[actix_web::test]
async fn a_newer_format_is_refused_and_left_as_it_is() {
    let newer = r#"{"format": 2, "generation": 9, "modes": {"site": {"dimmer": 0.5}}}"#;
    let refuse = async |maintenance: &Maintenance, place: &Place, is_on: bool| {
        eventually("it is seen", || maintenance.status().store.error.is_some()).await;
        assert_eq!(maintenance.is_on(), is_on);
        for result in [maintenance.turn_on().await, maintenance.turn_off().await] {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("format 2"), "{text}");
            assert!(text.contains("update"), "{text}");
        }
        assert_eq!(fs::read_to_string(place.file()).unwrap(), newer);
        assert_eq!(maintenance.is_on(), is_on);
    };
    // At start, when nothing is known, and later, when the last good state is kept.
    let place = Place::new();
    place.write(newer);
    refuse(&maintenance_of(&place.file()).await, &place, false).await;

    let place = Place::new();
    let maintenance = maintenance_of(&place.file()).await;
    maintenance.turn_on().await.unwrap();
    place.write(newer);
    refuse(&maintenance, &place, true).await;
}

#[actix_web::test]
async fn unknown_fields_of_the_file_survive_a_change() {
    let place = Place::new();
    place.write(
        r#"{"format": 1, "generation": 5, "x_new": [1, {"a": null}],
            "modes": {"site": {"switch": "off", "x_new": 1}, "other": {"switch": "off", "x_new": 2}},
            "history": [{"mode": "site", "started_at": "2024-01-01T00:00:00Z",
                         "ended_at": "2024-01-02T00:00:00Z", "x_new": "é"}]}"#,
    );
    let maintenance = maintenance_of(&place.file()).await;
    maintenance.turn_on().reason("disks").await.unwrap();
    let document = place.document();
    assert_eq!(document["generation"], 6);
    assert_eq!(document["x_new"], json!([1, {"a": null}]));
    assert_eq!(document["modes"]["site"]["x_new"], 1);
    assert_eq!(document["modes"]["other"]["x_new"], 2);
    assert_eq!(document["history"][0]["x_new"], "é");
    assert_eq!(document["history"][1]["reason"], "disks");
}

#[cfg(unix)]
#[actix_web::test]
async fn the_files_mode_is_kept() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let place = Place::new();
    place.write("off");
    let maintenance = maintenance_of(&place.file()).await;
    for mode in [0o640, 0o644, 0o600, 0o664] {
        fs::set_permissions(place.file(), fs::Permissions::from_mode(mode)).unwrap();
        let before = fs::metadata(place.file()).unwrap();
        maintenance
            .turn_on()
            .reason(mode.to_string())
            .await
            .unwrap();
        let after = fs::metadata(place.file()).unwrap();
        assert_eq!(after.mode() & 0o7777, mode);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "it was replaced");
    }
}

/// All that a write to the folder would change.
#[cfg(unix)]
fn traces(place: &Place) -> Vec<(PathBuf, u64, i64, i64, SystemTime)> {
    use std::os::unix::fs::MetadataExt as _;

    let mut paths = vec![place.folder()];
    paths.extend(
        fs::read_dir(place.folder())
            .unwrap()
            .map(|it| it.unwrap().path()),
    );
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let metadata = fs::metadata(&path).unwrap();
            let modified = metadata.modified().unwrap();
            let (ino, ctime) = (metadata.ino(), metadata.ctime());
            (path, ino, ctime, metadata.ctime_nsec(), modified)
        })
        .collect()
}

#[cfg(unix)]
#[actix_web::test]
async fn a_read_never_writes() {
    for content in [
        None,
        Some("on"),
        Some(""),
        Some("garbage"),
        Some("{\"format\": 9}"),
    ] {
        let place = Place::new();
        if let Some(content) = content {
            place.write(content);
        }
        let before = traces(&place);
        for _ in 0..3 {
            let maintenance = maintenance_of(&place.file()).await;
            maintenance.is_on();
            maintenance.status();
            let store = FileStore::new(place.file()).unwrap();
            store.load().await.unwrap();
            if content == Some("on") {
                // What is so already is not written again.
                assert!(!maintenance.turn_on().await.unwrap().changed);
            }
        }
        assert_eq!(traces(&place), before, "{content:?}");
    }
}

#[actix_web::test]
async fn the_store_itself_compares_and_swaps() {
    let place = Place::new();
    let store = FileStore::new(place.file()).unwrap();
    let Saved::Stored(first) = store.save(b"on", None).await.unwrap() else {
        panic!("a conflict in an empty folder");
    };
    File::options()
        .append(true)
        .open(place.file())
        .unwrap()
        .write_all(b"\n")
        .unwrap();
    let Saved::Conflict(Some(newer)) = store.save(b"off", Some(&first)).await.unwrap() else {
        panic!("the edit was overwritten");
    };
    assert_eq!(newer.document, b"on\n");
    let saved = store.save(b"off", Some(&newer.version)).await.unwrap();
    assert!(matches!(saved, Saved::Stored(_)));
}

#[test]
fn damage_is_logged_once() {
    Role::new("log-damage").run();
}

/// In a process of its own, because what the driver logs is the whole process's log.
pub(crate) async fn child_logs_damage() {
    let logs = Logs::capture();
    let place = Place::new();
    let maintenance = maintenance_of(&place.file()).await;
    let setup = logs.with("maintenance mode is set up");
    assert_eq!(setup.len(), 1);
    // DESIGN: the path is made absolute and logged at start.
    assert!(
        setup[0].contains(place.file().to_str().unwrap()),
        "{setup:?}"
    );

    maintenance
        .turn_on()
        .reason("disks")
        .by("alice")
        .await
        .unwrap();
    let changes = logs.with("maintenance changes");
    assert_eq!(changes.len(), 1, "{changes:?}");
    for part in ["site", "offline", "alice", "disks"] {
        assert!(changes[0].contains(part), "{changes:?}");
    }

    place.write("garbage");
    eventually("the damage is seen", || {
        maintenance.status().store.error.is_some()
    })
    .await;
    let damaged = || logs.with("ERROR the maintenance store fails");
    assert_eq!(damaged().len(), 1);
    assert!(damaged()[0].contains("garbage"), "{:?}", damaged());
    // The same again is no news.
    place.write("garbage");
    for _ in 0..100 {
        actix_web::rt::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(damaged().len(), 1);

    maintenance.turn_off().await.unwrap();
    let replaced = logs.with("is damaged and is replaced");
    assert_eq!(replaced.len(), 1);
    assert!(replaced[0].starts_with("WARN"), "{replaced:?}");
    assert!(replaced[0].contains("garbage"), "{replaced:?}");
    assert_eq!(logs.with("the maintenance store is back").len(), 1);
}
