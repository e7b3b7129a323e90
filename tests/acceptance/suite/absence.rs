//! A node that cannot report is not one that is not there: the demo as a process, the program as
//! another, one machine, the file store.
//!
//! `tests/integration/absence.rs` has what the API says of it.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::demo::{self, Demo, PATIENCE};

/// How long the node's lease lives.
const TIME_TO_LIVE: &str = "2s";
/// How long the request takes that is inside: longer than a lease that is not renewed.
const INSIDE: Duration = Duration::from_secs(5);

/// A shop with a visitor inside.
struct Shop {
    folder: PathBuf,
    demo: Demo,
    /// The visitor is not out before that.
    out_at: Instant,
    logs: TempDir,
}

impl Shop {
    /// `change` may change how the demo is started.
    fn with_a_visitor(folder: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let logs = tempfile::tempdir().unwrap();
        let log = File::create(logs.path().join("log")).unwrap();
        let mut command = demo::command(folder);
        command.env("MAINTENANCE_NODE__TIME_TO_LIVE", TIME_TO_LIVE);
        change(&mut command);
        let demo = Demo::start_by(command, Stdio::from(log));
        let out_at = Instant::now() + INSIDE;
        let mut visitor = demo.visitor();
        thread::spawn(move || visitor.get(&format!("/slow?ms={}", INSIDE.as_millis())));
        let shop = Self {
            folder: folder.to_owned(),
            demo,
            out_at,
            logs,
        };
        let mut superuser = shop.demo.superuser();
        until("the visitor is inside", || {
            let status = superuser.get("/maintenance-mode/status").json();
            status["in_flight"] == 1
        });
        shop
    }

    fn log(&self) -> String {
        fs::read_to_string(self.logs.path().join("log")).unwrap()
    }

    /// Runs the program beside the demo, as an operator does.
    fn operator(&self, arguments: &[&str]) -> Child {
        let own = std::env::current_exe().unwrap();
        let profile = own.parent().and_then(Path::parent).unwrap();
        let program = profile.join("maintenance");
        assert!(
            program.exists(),
            "first: cargo build --all-features --bin maintenance"
        );
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MAINTENANCE_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("MAINTENANCE_NODE__TIME_TO_LIVE", TIME_TO_LIVE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Closed for whoever comes now.
    fn is_closed(&self) -> bool {
        self.demo.visitor().get("/").status == 503
    }

    /// How `on --wait` ends, while something is done to the store again and again. Whatever it
    /// says, it does not say that it is safe before the visitor is out.
    fn is_never_called_safe(&self, timeout: &str, mut harm: impl FnMut(&Path)) -> (i32, String) {
        let mut waiting = self.operator(&["on", "--wait", "--timeout", timeout]);
        until("it is closed", || self.is_closed());
        while waiting.try_wait().unwrap().is_none() {
            harm(&self.folder);
            thread::sleep(Duration::from_millis(5));
        }
        let ended_at = Instant::now();
        let ended = waiting.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        let code = ended.status.code().unwrap();
        assert!(
            code != 0 || ended_at >= self.out_at,
            "called safe {:?} before the visitor is out: {told}",
            self.out_at - ended_at
        );
        (code, told)
    }

    /// Once nothing is wrong any more, and the node has reported again, it is said.
    fn is_called_safe(&self) {
        until("it is called safe", || {
            let waiting = self.operator(&["on", "--wait", "--timeout", "20s"]);
            let ended = waiting.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&ended.stderr);
            let code = ended.status.code();
            assert!(code == Some(0) || told.contains("no app reports"), "{told}");
            code == Some(0)
        });
        assert!(Instant::now() >= self.out_at);
    }

    /// It says itself that it cannot report: in its status, and in the log at level error, once.
    fn says_that_it_cannot_report(&self) {
        let mut superuser = self.demo.superuser();
        until("it says so itself", || {
            let status = superuser.get("/maintenance-mode/status").json();
            let error = status["store"]["error"].as_str().unwrap_or_default();
            error.contains("cannot report")
        });
        let log = self.log();
        let told: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("maintenance.node-unreported"))
            .collect();
        assert_eq!(told.len(), 1, "{log}");
        assert!(told[0].contains("ERROR"), "{told:?}");
    }
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn leases(folder: &Path) -> PathBuf {
    folder.join("maintenance.state.leases")
}

#[test]
#[ignore = "needs the program, and seconds"]
fn leases_that_are_removed_again_and_again_hide_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::with_a_visitor(folder.path(), |_| {});
    let (code, told) = shop.is_never_called_safe("3s", |folder| {
        // Somebody may be writing there.
        let _ = fs::remove_dir_all(leases(folder));
    });
    assert_eq!(code, 4, "{told}");
    shop.is_called_safe();
}

#[test]
#[ignore = "needs the program, and seconds"]
fn leases_that_are_cut_to_nothing_hide_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::with_a_visitor(folder.path(), |_| {});
    let (code, told) = shop.is_never_called_safe("3s", |folder| {
        let entries = fs::read_dir(leases(folder)).into_iter().flatten();
        for entry in entries.flatten() {
            let _ = File::options()
                .write(true)
                .truncate(true)
                .open(entry.path());
        }
    });
    assert_eq!(code, 4, "{told}");
    shop.is_called_safe();
}

#[test]
#[ignore = "needs prlimit, the program, and seconds"]
fn a_node_that_may_open_nothing_more_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::with_a_visitor(folder.path(), |_| {});
    let process = shop.demo.process.id().to_string();
    let limited = Command::new("prlimit")
        .args(["--pid", &process, "--nofile=60"])
        .status()
        .unwrap();
    assert!(limited.success());
    // They stay as long as the shop lets them.
    let clients: Vec<TcpStream> = (0..70)
        .map(|_| TcpStream::connect(shop.demo.address).unwrap())
        .collect();
    let mut waiting = shop.operator(&["on", "--wait", "--timeout", "3s"]);
    let code = waiting.wait().unwrap().code();
    assert!(
        code == Some(4) || Instant::now() >= shop.out_at,
        "called safe with a visitor inside: {code:?}"
    );
    drop(clients);
    shop.is_called_safe();
    assert!(shop.is_closed());
}

mod as_root {
    use std::{
        io::Write as _,
        os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    };

    use super::*;

    /// The user who owns nothing.
    const NOBODY: u32 = 65534;

    #[test]
    #[ignore = "needs root, the program, and seconds"]
    fn an_app_that_may_not_write_beside_the_state_is_not_taken_for_one_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // The app may read what is stored, and only that.
        let state = folder.path().join("maintenance.state");
        fs::write(&state, "off").unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o644)).unwrap();
        let shop = Shop::with_a_visitor(folder.path(), |command| {
            command.uid(NOBODY).gid(NOBODY);
        });
        shop.says_that_it_cannot_report();
        let (code, told) = shop.is_never_called_safe("1s", |_| {});
        assert_eq!(code, 4, "{told}");
        // Nothing runs beside the visitor.
        let during = ["during", "--drain", "--timeout", "1s", "--", "touch", "ran"];
        let ended = shop.operator(&during).wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(4), "{told}");
        assert!(!folder.path().join("ran").exists());
    }

    #[test]
    #[ignore = "needs root, mounts a small tmpfs, needs the program, and seconds"]
    fn a_disk_that_fills_up_while_it_is_waited_hides_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::mount(folder.path());
        let shop = Shop::with_a_visitor(folder.path(), |_| {});
        let (code, told) = shop.is_never_called_safe("3s", |_| disk.fill());
        assert_eq!(code, 4, "{told}");
        shop.says_that_it_cannot_report();
        disk.free();
        shop.is_called_safe();
    }

    /// A small disk, unmounted when this is dropped.
    struct Disk<'a>(&'a Path);

    impl<'a> Disk<'a> {
        fn mount(folder: &'a Path) -> Self {
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
                .arg(folder)
                .status()
                .unwrap();
            assert!(mounted.success());
            Self(folder)
        }

        fn filler(&self) -> PathBuf {
            self.0.join("filler")
        }

        fn fill(&self) {
            let mut options = File::options();
            let mut filler = options
                .append(true)
                .create(true)
                .open(self.filler())
                .unwrap();
            // As much as there is room for; the error is the aim.
            while filler.write_all(&[0; 4096]).is_ok() {}
        }

        fn free(&self) {
            fs::remove_file(self.filler()).unwrap();
        }
    }

    impl Drop for Disk<'_> {
        fn drop(&mut self) {
            // Lazily: the demo ends a moment later.
            let _ = Command::new("umount").arg("-l").arg(self.0).status();
        }
    }
}
