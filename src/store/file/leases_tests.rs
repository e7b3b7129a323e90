//! Leases in files, by clocks that the tests set.

use std::{
    fs::File,
    sync::{Arc, Barrier},
    thread,
    time::SystemTime,
};

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use super::{
    super::clock::{self, SinceStart},
    LeaseCondition::*,
};
use crate::store::{UNREADABLE, file::leases::sweep::STALE};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// One machine: its clocks, as far as they can be set.
#[derive(Clone)]
struct Machine(Arc<Mutex<Reading>>);

impl Machine {
    fn new(clock: Option<&str>) -> Self {
        Self(Arc::new(Mutex::new(Reading {
            own: Instant::now(),
            since_start: clock.map(|clock| SinceStart {
                clock: clock.into(),
                elapsed: HOUR,
            }),
            wall: Timestamp::from_second(2_000_000_000).unwrap(),
        })))
    }

    fn clock(&self) -> Clock {
        let reading = Arc::clone(&self.0);
        Arc::new(move || reading.lock().clone())
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock());
    }

    /// Lets time pass.
    fn pass(&self, time: Duration) {
        self.change(|reading| reading.own += time);
        self.sleep(time);
    }

    /// Lets time pass while the machine sleeps.
    fn sleep(&self, time: Duration) {
        self.change(|reading| {
            reading.wall += time;
            if let Some(since) = &mut reading.since_start {
                since.elapsed += time;
            }
        });
    }

    fn set_wall_clock_forward(&self, by: Duration) {
        self.change(|reading| reading.wall += by);
    }

    fn set_wall_clock_back(&self, by: Duration) {
        self.change(|reading| reading.wall -= by);
    }
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("maintenance.state")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("maintenance.state.leases")
    }

    fn file(&self, lease_name: &str) -> PathBuf {
        self.folder().join(file_name(lease_name))
    }

    /// A process on the machine that uses the leases here.
    fn process(&self, machine: &Machine) -> Leases {
        Leases::new(self.state(), machine.clock())
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn lease(name: &str, holder: &str) -> Lease {
    Lease::new(name, holder, format!("of {holder}")).unwrap()
}

fn names(leases: &Leases) -> Vec<String> {
    let leases = leases.list("").unwrap();
    leases
        .into_iter()
        .map(|live| live.lease.name().to_owned())
        .collect()
}

fn is_there(leases: &Leases) -> bool {
    !names(leases).is_empty()
}

fn put(leases: &Leases, lease: &Lease, time_to_live: Duration) {
    assert_eq!(
        leases.put(lease, time_to_live, IfAbsent).unwrap(),
        PutLease::Held
    );
}

#[test]
fn looking_writes_nothing_and_the_first_lease_makes_the_folder() {
    let place = Place::new();
    let leases = place.process(&Machine::new(Some("clock")));
    let mine = lease("lock/site", "me");
    assert_eq!(leases.list("").unwrap(), []);
    assert!(!leases.renew(&mine, SECOND).unwrap());
    leases.remove(&mine).unwrap();
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 0);

    put(&leases, &mine, SECOND);
    assert_eq!(place.files(), ["lock%2fsite.lease"]);
    leases.remove(&mine).unwrap();
    assert_eq!(place.files(), [] as [&str; 0]);
}

#[test]
fn a_lease_lives_for_its_time_in_every_process() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let (holder, other) = (place.process(&machine), place.process(&machine));
    let mine = lease("task/import", "me");
    put(&holder, &mine, 10 * SECOND);
    machine.pass(4 * SECOND);
    let expected = LiveLease {
        lease: mine.clone(),
        expires_in: 6 * SECOND,
    };
    for leases in [&holder, &other, &place.process(&machine)] {
        assert_eq!(
            leases.list("task/").unwrap(),
            std::slice::from_ref(&expected)
        );
        assert_eq!(leases.list("task/x").unwrap(), []);
    }

    let mine = mine.with_content("news").unwrap();
    assert!(holder.renew(&mine, 10 * SECOND).unwrap());
    machine.pass(10 * SECOND - Duration::from_nanos(1));
    assert_eq!(other.list("").unwrap()[0].lease, mine);
    machine.pass(Duration::from_nanos(1));
    for leases in [&holder, &other, &place.process(&machine)] {
        assert!(!is_there(leases));
    }
    assert!(!holder.renew(&mine, 10 * SECOND).unwrap());
}

#[test]
fn if_absent_spares_the_lease_of_another_until_it_lapses() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let leases = place.process(&machine);
    let (mine, theirs) = (lease("lock", "me"), lease("lock", "they"));
    put(&leases, &mine, SECOND);
    let taken = PutLease::Taken(LiveLease {
        lease: mine.clone(),
        expires_in: SECOND,
    });
    assert_eq!(leases.put(&theirs, SECOND, IfAbsent).unwrap(), taken);
    assert!(!leases.renew(&theirs, SECOND).unwrap());
    leases.remove(&theirs).unwrap();
    put(&leases, &mine, SECOND);

    machine.pass(SECOND);
    put(&leases, &theirs, SECOND);
    assert!(!leases.renew(&mine, SECOND).unwrap());
    leases.remove(&mine).unwrap();
    assert_eq!(leases.list("").unwrap()[0].lease, theirs);
    assert_eq!(leases.put(&mine, SECOND, Always).unwrap(), PutLease::Held);
    assert!(!leases.renew(&theirs, SECOND).unwrap());
}

#[test]
fn setting_the_wall_clock_changes_nothing_on_one_machine() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let holder = place.process(&machine);
    put(&holder, &lease("lock", "me"), 10 * SECOND);
    machine.set_wall_clock_forward(24 * HOUR);
    assert!(is_there(&place.process(&machine)));
    assert!(holder.renew(&lease("lock", "me"), 10 * SECOND).unwrap());
    machine.set_wall_clock_back(48 * HOUR);
    machine.pass(9 * SECOND);
    assert!(is_there(&place.process(&machine)));
    machine.pass(SECOND);
    assert!(!is_there(&place.process(&machine)));
}

#[test]
fn a_lease_lapses_while_the_machine_sleeps() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let leases = place.process(&machine);
    put(&leases, &lease("lock", "me"), 10 * SECOND);
    assert!(is_there(&leases));
    machine.sleep(10 * SECOND);
    assert!(!is_there(&leases));
}

#[test]
fn a_lease_from_before_the_machine_started_anew_lapses_by_the_wall_clock() {
    let place = Place::new();
    let machine = Machine::new(Some("before"));
    put(&place.process(&machine), &lease("lock", "me"), 10 * SECOND);
    machine.change(|reading| {
        reading.since_start = Some(SinceStart {
            clock: "after".into(),
            elapsed: SECOND,
        });
    });
    machine.pass(9 * SECOND);
    assert!(is_there(&place.process(&machine)));
    machine.pass(SECOND);
    assert!(!is_there(&place.process(&machine)));
}

#[test]
fn without_a_shared_clock_a_reader_asks_the_wall_clock_once_for_each_renewal() {
    let place = Place::new();
    let (here, there) = (Machine::new(None), Machine::new(None));
    let pass = |time| {
        here.pass(time);
        there.pass(time);
    };
    let holder = place.process(&here);
    let reader = place.process(&there);
    let mine = lease("lock", "me");
    put(&holder, &mine, 10 * SECOND);
    pass(4 * SECOND);
    assert_eq!(reader.list("").unwrap()[0].expires_in, 6 * SECOND);

    // Whoever has seen it does not care any more.
    there.set_wall_clock_forward(24 * HOUR);
    assert_eq!(reader.list("").unwrap()[0].expires_in, 6 * SECOND);
    there.set_wall_clock_back(48 * HOUR);
    assert_eq!(reader.list("").unwrap()[0].expires_in, 6 * SECOND);
    pass(6 * SECOND);
    assert!(!is_there(&reader));

    // A clock that is behind counts a writing as new, and no longer than it lives.
    put(&holder, &mine, 10 * SECOND);
    assert_eq!(reader.list("").unwrap()[0].expires_in, 10 * SECOND);
    pass(10 * SECOND);
    assert!(!is_there(&reader));
    assert!(!is_there(&holder));
}

#[test]
fn a_stamp_from_the_future_does_not_make_a_lease_live_forever() {
    let place = Place::new();
    let ahead = Machine::new(Some("clock"));
    ahead.sleep(24 * HOUR);
    put(&place.process(&ahead), &lease("lock", "me"), 10 * SECOND);
    let machine = Machine::new(Some("clock"));
    let reader = place.process(&machine);
    assert!(is_there(&reader));
    machine.pass(10 * SECOND);
    assert!(!is_there(&reader));
}

#[test]
fn a_renewal_that_comes_too_late_onto_the_disk_is_none() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let mine = lease("lock", "me");
    put(&place.process(&machine), &mine, 10 * SECOND);

    // Each look at the clock takes as long as a slow disk.
    let slow = machine.clone();
    let clock: Clock = Arc::new(move || {
        slow.pass(4 * SECOND);
        (slow.clock())()
    });
    assert!(
        !Leases::new(place.state(), clock)
            .renew(&mine, HOUR)
            .unwrap()
    );
    assert!(!is_there(&place.process(&machine)));
}

#[test]
fn garbage_hides_nothing_and_is_in_nobodys_way() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let leases = place.process(&machine);
    put(&leases, &lease("node/a", "a"), HOUR);
    put(&leases, &lease("node/z", "z"), HOUR);
    let good = fs::read(place.file("node/a")).unwrap();

    for (name, bytes) in [
        ("empty", Vec::new()),
        ("zeros", vec![0; 4096]),
        ("cut", good[..20].to_vec()),
        ("copied", good.clone()),
        ("large", vec![b'x'; 2 * 1024 * 1024]),
        ("json", b"{\"name\":\"json\",\"holder\":7}\n".to_vec()),
    ] {
        fs::write(place.file(name), bytes).unwrap();
    }
    fs::create_dir(place.file("folder")).unwrap();
    fs::write(place.folder().join("notes.txt"), "mine").unwrap();
    // Whose they are is unknown, which is not nobody's.
    let unknown = ["copied", "cut", "empty", "folder", "json", "large"];
    let listed = names(&leases);
    assert_eq!(listed[..6], unknown);
    assert_eq!(listed[6..], ["node/a", "node/z", "zeros"]);
    for live in leases.list("").unwrap() {
        let holder = match live.lease.name().strip_prefix("node/") {
            Some(name) => name,
            None => UNREADABLE,
        };
        assert_eq!(live.lease.holder(), holder);
    }

    for name in ["empty", "zeros", "cut", "copied", "large", "json"] {
        assert!(!leases.renew(&lease(name, "me"), HOUR).unwrap());
        leases.remove(&lease(name, "me")).unwrap();
        put(&leases, &lease(name, "me"), HOUR);
    }
    assert_eq!(names(&leases).len(), 9);
    let error = leases
        .put(&lease("folder", "me"), HOUR, Always)
        .unwrap_err();
    assert!(
        error.to_string().contains("no regular file; remove it"),
        "{error}"
    );
}

#[test]
fn the_next_writer_removes_what_is_over() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let leases = place.process(&machine);
    put(&leases, &lease("dead", "dead"), SECOND);
    put(&leases, &lease("alive", "alive"), HOUR);
    machine.pass(SECOND);
    let long_ago = SystemTime::now() - 2 * STALE;
    for (name, is_old) in [
        ("damaged-old.lease", true),
        ("damaged.lease", false),
        (".AbCdEf.tmp", true),
        (".GhIjKl.tmp", false),
        ("notes.txt", true),
    ] {
        let file = File::create(place.folder().join(name)).unwrap();
        if is_old {
            file.set_modified(long_ago).unwrap();
        }
    }
    assert_eq!(names(&leases), ["alive", "damaged"]);
    assert_eq!(place.files().len(), 7, "a reader removes nothing");

    leases.remove(&lease("nothing", "me")).unwrap();
    let expected = [".GhIjKl.tmp", "alive.lease", "damaged.lease", "notes.txt"];
    assert_eq!(place.files(), expected);
}

#[test]
fn any_name_is_kept_as_it_is() {
    let place = Place::new();
    let leases = place.process(&Machine::new(Some("clock")));
    let mut expected = vec![
        "..".to_owned(),
        "../../x".to_owned(),
        "/etc/passwd".to_owned(),
        "a\nb\0c".to_owned(),
        "lock/Site".to_owned(),
        "lock/site".to_owned(),
        "\u{1f6a7}".repeat(30),
        "%".repeat(120),
    ];
    for name in &expected {
        put(&leases, &lease(name, "me"), HOUR);
    }
    expected.sort();
    assert_eq!(names(&leases), expected);
    assert_eq!(place.files().len(), expected.len());
    // The folder of the leases, and the lock file, which notes that there is one.
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 2);
}

#[test]
fn a_missing_folder_of_the_state_is_an_error_and_not_an_empty_list() {
    let place = Place::new();
    let state = place.0.path().join("volume/state");
    let leases = Leases::new(state, Machine::new(None).clock());
    let mine = lease("lock", "me");
    for error in [
        leases.list("").unwrap_err(),
        leases.put(&mine, SECOND, Always).unwrap_err(),
        leases.renew(&mine, SECOND).unwrap_err(),
        leases.remove(&mine).unwrap_err(),
    ] {
        assert!(error.to_string().contains("mount the volume"), "{error}");
    }
}

#[test]
fn one_lease_that_is_locked_holds_up_no_other() {
    let place = Place::new();
    let leases = place.process(&Machine::new(Some("clock")));
    let (stuck, fine) = (lease("stuck", "me"), lease("fine", "me"));
    put(&leases, &stuck, HOUR);
    put(&leases, &fine, HOUR);
    let file = File::open(place.file("stuck")).unwrap();
    file.lock().unwrap();
    assert!(leases.renew(&fine, HOUR).unwrap());
    assert_eq!(names(&leases), ["fine", "stuck"]);
    let text = leases.renew(&stuck, HOUR).unwrap_err().to_string();
    assert!(text.contains("another process is changing it"), "{text}");
    drop(file);
    assert!(leases.renew(&stuck, HOUR).unwrap());
}

#[cfg(unix)]
#[test]
fn the_lock_of_a_file_that_was_replaced_meanwhile_does_not_count() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    let leases = place.process(&machine);
    let mine = lease("lock", "me");
    put(&leases, &mine, HOUR);
    let path = place.file("lock");
    let replaced = File::open(&path).unwrap();
    assert!(leases.renew(&mine, HOUR).unwrap());
    assert!(!take(&replaced, &path).unwrap());
    let present = File::open(&path).unwrap();
    assert!(take(&present, &path).unwrap());
    assert!(!take(&File::open(&path).unwrap(), &path).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(!take(&present, &path).unwrap());
}

/// Each round a lease that has lapsed is there, so that all of them race for replacing it, or
/// none, so that all of them race for making it.
#[test]
fn of_many_who_want_a_lease_exactly_one_gets_it() {
    let place = Place::new();
    let machine = Machine::new(Some("clock"));
    for round in 0..60 {
        let barrier = Barrier::new(4);
        let held: Vec<_> = thread::scope(|scope| {
            let contenders: Vec<_> = (0..4)
                .map(|number| {
                    let (leases, barrier) = (place.process(&machine), &barrier);
                    scope.spawn(move || {
                        let mine = lease("lock", &number.to_string());
                        barrier.wait();
                        let put = leases.put(&mine, SECOND, IfAbsent).unwrap();
                        (put == PutLease::Held).then_some(mine)
                    })
                })
                .collect();
            contenders
                .into_iter()
                .filter_map(|contender| contender.join().unwrap())
                .collect()
        });
        assert_eq!(held.len(), 1, "round {round}: {held:?}");
        let leases = place.process(&machine);
        assert_eq!(leases.list("").unwrap()[0].lease, held[0]);
        if round % 2 == 0 {
            machine.pass(SECOND);
        } else {
            leases.remove(&held[0]).unwrap();
        }
    }
}

#[test]
fn a_lease_that_is_renewed_is_in_every_list() {
    let place = Place::new();
    let mine = lease("node/a", "me");
    let holder = Leases::new(place.state(), clock::system());
    put(&holder, &mine, HOUR);
    thread::scope(|scope| {
        let renewing = scope.spawn(|| {
            for _ in 0..500 {
                assert!(holder.renew(&mine, HOUR).unwrap());
            }
        });
        let reader = Leases::new(place.state(), clock::system());
        while !renewing.is_finished() {
            assert_eq!(names(&reader), ["node/a"]);
        }
    });
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn those_who_come_by_a_link_share_the_leases() {
        let place = Place::new();
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("link");
        symlink(place.state(), &link).unwrap();
        let machine = Machine::new(Some("clock"));
        put(&Leases::new(link, machine.clock()), &lease("a", "me"), HOUR);
        assert!(is_there(&place.process(&machine)));
    }

    #[test]
    fn the_folder_is_for_whom_the_folder_of_the_state_is() {
        for (of_folder, of_file) in [
            (0o755, 0o640),
            (0o770, 0o640),
            (0o777, 0o644),
            (0o700, 0o600),
        ] {
            let place = Place::new();
            let around = fs::Permissions::from_mode(of_folder);
            fs::set_permissions(place.0.path(), around).unwrap();
            put(&place.process(&Machine::new(None)), &lease("a", "me"), HOUR);
            let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
            assert_eq!(mode(&place.folder()), of_folder);
            assert_eq!(mode(&place.file("a")), of_file);
        }
    }
}
