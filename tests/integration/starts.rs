//! What a node goes by that starts while the store cannot be read.

use std::{
    any::Any,
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    BuildError, Maintenance,
    settings::{Forced, Settings, WhenUnknownAtStart},
};
use actix_web::{App, test};
use tempfile::TempDir;

use crate::{
    child::{Role, report},
    eventually::eventually,
};

/// What is in a state file that cannot be read, each for a reason of its own.
const UNREADABLE: [&str; 3] = ["{\"format\": 1, \"gener", "{\"format\": 2}", "oops"];

fn settings(state: &Path, unknown: WhenUnknownAtStart) -> Settings {
    let mut settings = Settings::default();
    settings.store = format!("file:{}", state.display());
    settings.when_unknown_at_start = unknown;
    settings
}

/// What runs the middleware, and so is a node.
struct Node {
    maintenance: Maintenance,
    /// Held for its drop.
    _app: Box<dyn Any>,
}

impl Deref for Node {
    type Target = Maintenance;

    fn deref(&self) -> &Maintenance {
        &self.maintenance
    }
}

impl Node {
    async fn of(maintenance: Maintenance) -> Self {
        let app = App::new().wrap(maintenance.middleware());
        Self {
            _app: Box::new(test::init_service(app).await),
            maintenance,
        }
    }
}

async fn start(settings: Settings) -> Result<Node, BuildError> {
    let maintenance = Maintenance::builder().settings(settings).build().await?;
    Ok(Node::of(maintenance).await)
}

/// A node that closes the site, and ends.
async fn closed_and_ended(settings: &Settings) {
    let maintenance = start(settings.clone()).await.unwrap();
    maintenance.turn_on().reason("disks").await.unwrap();
    let start = jiff::Timestamp::now() + Duration::from_secs(48 * 3600);
    maintenance.plan_window().start(start).await.unwrap();
    maintenance.leave().await;
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("maintenance.state");
    (folder, state)
}

#[actix_web::test]
async fn what_was_known_last_counts_while_the_store_cannot_be_read() {
    let (_folder, state) = place();
    let settings = settings(&state, WhenUnknownAtStart::Off);
    closed_and_ended(&settings).await;
    let whole = fs::read(&state).unwrap();
    for unreadable in UNREADABLE {
        fs::write(&state, unreadable).unwrap();
        let maintenance = start(settings.clone()).await.unwrap();
        let status = maintenance.status();
        assert!(maintenance.is_on(), "{unreadable}");
        assert_eq!(status.modes[0].reason.as_deref(), Some("disks"));
        assert_eq!(status.modes[0].windows.len(), 1);
        assert!(status.store.error.is_some(), "{unreadable}");
        assert!(status.store.remembered && status.store.known_at.is_some());

        // It follows the store as soon as it can be read.
        fs::write(&state, "off").unwrap();
        eventually("it is open", || !maintenance.is_on()).await;
        assert!(!maintenance.status().store.remembered);
        fs::write(&state, &whole).unwrap();
        eventually("it is closed", || maintenance.is_on()).await;
    }
}

#[actix_web::test]
async fn a_node_that_only_looks_on_remembers_too_and_a_read_leaves_nothing() {
    let (folder, state) = place();
    let looking = Maintenance::builder()
        .settings(settings(&state, WhenUnknownAtStart::Off))
        .build()
        .await
        .unwrap();
    fs::write(&state, "on").unwrap();
    eventually("it is closed", || looking.is_on()).await;
    let copy = folder.path().join("maintenance.state.memory");
    assert!(!copy.exists(), "a program that looks is no node");
    let node = Node::of(looking).await;
    eventually("it is remembered", || copy.exists()).await;
    drop(node);
    fs::write(&state, "oops").unwrap();
    let next = start(settings(&state, WhenUnknownAtStart::Off))
        .await
        .unwrap();
    assert!(next.is_on());
}

#[actix_web::test]
async fn a_copy_in_a_folder_of_its_own_outlives_the_volume_of_the_state() {
    let (folder, _) = place();
    let volume = folder.path().join("volume");
    fs::create_dir(&volume).unwrap();
    let mut settings = settings(&volume.join("maintenance.state"), WhenUnknownAtStart::Off);
    settings.node.memory = Some(folder.path().join("local"));
    closed_and_ended(&settings).await;
    fs::remove_dir_all(&volume).unwrap();
    let maintenance = start(settings.clone()).await.unwrap();
    assert!(maintenance.is_on());
    let error = maintenance.status().store.error.unwrap();
    assert!(error.contains("does not exist"), "{error}");
    drop(maintenance);

    // The place where it is to be mounted is an empty folder.
    fs::create_dir(&volume).unwrap();
    let maintenance = start(settings.clone()).await.unwrap();
    assert!(maintenance.is_on());
    let error = maintenance.status().store.error.unwrap();
    assert!(error.contains("is not the one in which it was"), "{error}");
    drop(maintenance);

    // Nobody but an operator knows that it is to be so.
    fs::write(volume.join("maintenance.state"), "off").unwrap();
    assert!(!start(settings).await.unwrap().is_on());
}

#[actix_web::test]
async fn where_nothing_is_known_the_setting_says_what_counts() {
    for (unknown, is_on) in [
        (WhenUnknownAtStart::Wait, false),
        (WhenUnknownAtStart::On, true),
        (WhenUnknownAtStart::Off, false),
    ] {
        let (_folder, state) = place();
        fs::write(&state, "oops").unwrap();
        let begin = Instant::now();
        let maintenance = start(settings(&state, unknown)).await.unwrap();
        let has_waited = begin.elapsed() >= Duration::from_secs(5);
        assert_eq!(has_waited, unknown == WhenUnknownAtStart::Wait);
        assert_eq!(maintenance.is_on(), is_on, "{unknown:?}");
        let store = maintenance.status().store;
        assert_eq!((store.known_at, store.remembered), (None, false));
        assert!(store.error.is_some());
        fs::write(&state, if is_on { "off" } else { "on" }).unwrap();
        eventually("it follows the store", || maintenance.is_on() != is_on).await;
    }
}

#[actix_web::test]
async fn a_start_waits_no_longer_than_the_store_needs() {
    let (_folder, state) = place();
    fs::write(&state, "oops").unwrap();
    let begin = Instant::now();
    let (started, ()) =
        futures_util::join!(start(settings(&state, WhenUnknownAtStart::Wait)), async {
            actix_web::rt::time::sleep(Duration::from_millis(300)).await;
            fs::write(&state, "on").unwrap();
        });
    assert!(started.unwrap().is_on());
    assert!(
        begin.elapsed() < Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
}

#[actix_web::test]
async fn a_store_that_can_never_work_stops_the_start_unless_it_does_not_decide() {
    let (folder, state) = place();
    fs::create_dir(&state).unwrap();
    let mut settings = settings(&state, WhenUnknownAtStart::On);
    settings.node.memory = Some(folder.path().to_owned());
    let error = start(settings.clone()).await.err().unwrap();
    assert!(matches!(error, BuildError::Store(_)), "{error}");
    assert!(error.to_string().contains("it is a folder"), "{error}");

    settings.forced = Some(Forced::On);
    assert!(start(settings).await.unwrap().is_on());
}

const STATE: &str = "TEST_STATE_FILE";

/// How many descriptors the flooded process may have.
#[cfg(target_os = "linux")]
const DESCRIPTORS: u32 = 60;

/// Takes the descriptors of a process, but none that was kept back before it came.
#[cfg(target_os = "linux")]
struct Flood {
    taken: Vec<fs::File>,
    kept_back: usize,
}

#[cfg(target_os = "linux")]
impl Flood {
    fn new() -> Self {
        Self {
            taken: Vec::new(),
            kept_back: Self::spares(),
        }
    }

    /// How many descriptors of this process are on the null device. To look takes none.
    fn spares() -> usize {
        (0..DESCRIPTORS)
            .filter(|number| {
                fs::read_link(format!("/proc/self/fd/{number}"))
                    .is_ok_and(|link| link == Path::new("/dev/null"))
            })
            .count()
    }

    /// Takes all that may be taken. What was kept back and is in use at this moment is given back:
    /// a flood that comes in the middle of a change may win it, and that would be luck.
    async fn rise(&mut self) {
        loop {
            while let Ok(file) = fs::File::open("/dev/null") {
                self.taken.push(file);
            }
            if Self::spares() - self.taken.len() >= self.kept_back {
                return;
            }
            self.taken.clear();
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A flooded process: at each change every descriptor that it may have is in use.
#[cfg(target_os = "linux")]
pub(crate) async fn child_is_flooded() {
    let state = PathBuf::from(std::env::var(STATE).unwrap());
    let maintenance = start(settings(&state, WhenUnknownAtStart::Off))
        .await
        .unwrap();
    eventually("it is a node", || !maintenance.status().nodes.is_empty()).await;
    let mut flood = Flood::new();
    flood.rise().await;
    report(&serde_json::json!("flooded"));
    eventually("it is closed by another process", || maintenance.is_on()).await;
    flood.rise().await;
    let status = maintenance.turn_off().await.unwrap().status;
    report(&serde_json::json!(status.maintenance_mode));
    // Its lease is renewed, too.
    for _ in 0..3 {
        flood.rise().await;
        maintenance.turn_on().await.unwrap();
        flood.rise().await;
        maintenance.turn_off().await.unwrap();
    }
    report(&serde_json::json!("done"));
    std::process::exit(0);
}

#[cfg(target_os = "linux")]
#[actix_web::test]
async fn a_site_is_closed_whose_process_may_open_nothing_more() {
    let (_folder, state) = place();
    let role = Role::new("flooded").env(STATE, &state);
    let mut child = role.with_descriptors(DESCRIPTORS).start();
    assert_eq!(child.next(), Some("flooded".into()));
    let operator = Maintenance::builder()
        .settings(settings(&state, WhenUnknownAtStart::Off))
        .build()
        .await
        .unwrap();
    operator.turn_on().await.unwrap();
    assert_eq!(child.next(), Some(false.into()));
    assert_eq!(child.next(), Some("done".into()));
    eventually("the operator sees it", || !operator.is_on()).await;
}
