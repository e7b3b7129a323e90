//! Tasks: who may run, who sees them, and what becomes of them when their process dies.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, Phase, Settings, TaskError,
    settings::{Forced, ModeSettings},
    store::{FileStore, MemoryStore, Store as _},
};
use actix_web::rt::{self, time::sleep};
use serde_json::{Value, json};

use crate::{
    child::{Child, Role, report},
    eventually::eventually,
    processes::maintenance_of,
    test_app::TestApp,
};

const FILE: &str = "TEST_STATE_FILE";
const SECOND: Duration = Duration::from_secs(1);

async fn on_store(store: &MemoryStore) -> Maintenance {
    with_settings(store, |_| {}).await
}

async fn with_settings(
    store: &MemoryStore,
    edit: impl FnOnce(&mut Settings) + Send + 'static,
) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .configure(edit)
        .custom_store(store.clone())
        .build()
        .await
        .unwrap()
}

/// The leases of tasks that anybody can see.
async fn running(store: &MemoryStore) -> Vec<String> {
    let leases = store.leases("task/").await.unwrap();
    leases
        .iter()
        .map(|live| live.lease.name().to_owned())
        .collect()
}

#[actix_web::test]
async fn a_task_runs_is_seen_by_its_name_and_is_gone_afterwards() {
    let store = MemoryStore::new();
    let maintenance = on_store(&store).await;
    let seen = maintenance
        .task("import")
        .run(async { running(&store).await })
        .await
        .unwrap();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("task/import/"), "{seen:?}");
    assert_eq!(running(&store).await, [""; 0]);
    let guard = maintenance
        .task("import")
        .exclusive()
        .enter()
        .await
        .unwrap();
    assert_eq!(running(&store).await, ["task/import"]);
    assert!(guard.is_held());
    assert_eq!(guard.name(), "import");
    guard.release().await;
    assert_eq!(running(&store).await, [""; 0]);
}

#[actix_web::test]
async fn the_status_over_http_shows_the_tasks_of_all_processes() {
    let store = MemoryStore::new();
    let app = TestApp::with_builder(|builder| builder.custom_store(store.clone())).await;
    let admin = app.log_in_superuser("root").await;
    let tasks = async || {
        let answer = app.get("/maintenance-mode/status").by(&admin).await;
        answer.json()["tasks"].clone()
    };
    assert_eq!(tasks().await, json!([]));
    let other = on_store(&store).await;
    let guard = other.task("import").by("cron").enter().await.unwrap();
    let shown = tasks().await;
    assert_eq!(shown[0]["name"], "import");
    assert!(
        shown[0]["by"].as_str().unwrap().starts_with("cron on "),
        "{shown}"
    );
    assert!(shown[0]["since"].is_string(), "{shown}");
    guard.release().await;
    assert_eq!(tasks().await, json!([]));
}

#[actix_web::test]
async fn tasks_of_one_name_run_together_unless_they_are_exclusive() {
    let store = MemoryStore::new();
    let (here, there) = (on_store(&store).await, on_store(&store).await);
    let one = here.task("report").enter().await.unwrap();
    let two = here.task("report").enter().await.unwrap();
    let three = there.task("report").enter().await.unwrap();
    assert_eq!(running(&store).await.len(), 3);
    // An exclusive one is exclusive towards them, too, and they towards it.
    let refused = there.task("report").exclusive().enter().await;
    assert!(matches!(refused, Err(TaskError::Taken { .. })));
    for guard in [one, two, three] {
        guard.release().await;
    }
    let alone = there.task("report").exclusive().enter().await.unwrap();
    let refused = here.task("report").enter().await;
    assert!(matches!(refused, Err(TaskError::Taken { .. })));
    // Others do not matter, also where the one name begins with the other.
    for name in ["reports", "rep", "import"] {
        here.task(name).exclusive().run(async {}).await.unwrap();
    }
    alone.release().await;
    assert_eq!(running(&store).await, [""; 0]);
}

#[actix_web::test]
async fn whoever_comes_second_learns_who_runs_it_and_since_when() {
    let store = MemoryStore::new();
    let (here, there) = (on_store(&store).await, on_store(&store).await);
    let guard = here
        .task("import")
        .exclusive()
        .by("alice")
        .enter()
        .await
        .unwrap();
    for second in [&here, &there] {
        match second.task("import").exclusive().enter().await {
            Err(error @ TaskError::Taken { since: Some(_), .. }) => {
                let text = error.to_string();
                let process = format!("process {}", std::process::id());
                assert!(
                    text.contains("`import` runs already, by alice on "),
                    "{text}"
                );
                assert!(text.contains(&process), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
    drop(guard);
    there
        .task("import")
        .exclusive()
        .run(async {})
        .await
        .unwrap();
}

#[actix_web::test]
async fn one_can_wait_until_another_has_ended() {
    let store = MemoryStore::new();
    let maintenance = on_store(&store).await;
    for first_is_exclusive in [true, false] {
        let first = maintenance.task("import");
        let first = if first_is_exclusive {
            first.exclusive()
        } else {
            first
        };
        let guard = first.enter().await.unwrap();
        let second = || maintenance.task("import").exclusive();
        let begin = Instant::now();
        let late = second().waiting(SECOND / 4).enter().await;
        assert!(matches!(late, Err(TaskError::Taken { .. })));
        assert!(begin.elapsed() >= SECOND / 4);
        rt::spawn(async {
            sleep(SECOND / 4).await;
            guard.release().await;
        });
        second().waiting(20 * SECOND).run(async {}).await.unwrap();
    }
}

#[actix_web::test]
async fn of_many_that_want_to_be_alone_one_at_a_time_is() {
    let store = MemoryStore::new();
    let inside = Arc::new(AtomicUsize::new(0));
    let mut contenders = Vec::new();
    for _ in 0..4 {
        let maintenance = on_store(&store).await;
        for _ in 0..4 {
            let (maintenance, inside) = (maintenance.clone(), Arc::clone(&inside));
            contenders.push(rt::spawn(async move {
                let task = maintenance.task("import").exclusive().waiting(60 * SECOND);
                task.run(async {
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    sleep(Duration::from_millis(5)).await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                })
                .await
            }));
        }
    }
    for contender in contenders {
        contender.await.unwrap().unwrap();
    }
}

#[actix_web::test]
async fn a_task_is_refused_in_maintenance_if_it_wants_to_be() {
    let store = MemoryStore::new();
    let (here, there) = (on_store(&store).await, on_store(&store).await);
    here.turn_on().lasting(3600 * SECOND).await.unwrap();
    match there.task("import").refuse_in_maintenance().enter().await {
        Err(
            ref error @ TaskError::Refused {
                ref mode,
                phase: Phase::Offline,
                until: Some(_),
                ..
            },
        ) => {
            assert_eq!(mode, "site");
            let text = error.to_string();
            assert!(
                text.contains("`import` is refused: the mode `site` is offline until"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(running(&store).await, [""; 0], "it is given back");
    // One that does not mind runs.
    there.task("import").run(async {}).await.unwrap();
    here.turn_off().await.unwrap();
    there
        .task("import")
        .refuse_in_maintenance()
        .run(async {})
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_task_may_mind_one_mode_only() {
    let store = MemoryStore::new();
    let maintenance = with_settings(&store, |settings| {
        settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
    })
    .await;
    maintenance.turn_on().mode("shop").await.unwrap();
    let task = || maintenance.task("import");
    task().refuse_in_mode("site").run(async {}).await.unwrap();
    let refused = task().refuse_in_mode("shop").run(async {}).await;
    assert!(matches!(refused, Err(TaskError::Refused { .. })));
    let refused = task().refuse_in_maintenance().run(async {}).await;
    assert!(matches!(refused, Err(TaskError::Refused { .. })));
    let unknown = task()
        .refuse_in_mode("blog")
        .run(async {})
        .await
        .unwrap_err();
    assert!(
        unknown.to_string().contains("there is site, shop"),
        "{unknown}"
    );
}

#[actix_web::test]
async fn what_the_settings_force_counts_for_tasks_too() {
    for (forced, is_refused) in [(Forced::On, true), (Forced::Off, false)] {
        let store = MemoryStore::new();
        let maintenance =
            with_settings(&store, move |settings| settings.forced = Some(forced)).await;
        let entered = maintenance
            .task("import")
            .refuse_in_maintenance()
            .enter()
            .await;
        assert_eq!(entered.is_err(), is_refused, "{entered:?}");
    }
}

#[actix_web::test]
async fn a_task_that_is_taken_over_is_stopped() {
    let store = MemoryStore::new();
    let (here, there) = (on_store(&store).await, on_store(&store).await);
    let first = rt::spawn(async move {
        here.task("import")
            .exclusive()
            .lapses_after(SECOND)
            .run(std::future::pending::<()>())
            .await
    });
    while running(&store).await.is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    let second = there.task("import").take_over().enter().await.unwrap();
    let stopped = first.await.unwrap();
    assert!(matches!(stopped, Err(TaskError::Lost(_))), "{stopped:?}");
    assert!(second.is_held());
    assert_eq!(running(&store).await, ["task/import"]);
    drop(second);
    // Where nobody is, there is nothing to take over.
    there
        .task("import")
        .take_over()
        .run(async {})
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_task_that_fails_panics_or_is_cancelled_has_ended() {
    let store = MemoryStore::new();
    let maintenance = on_store(&store).await;
    let task = || maintenance.task("import").exclusive();
    let failed: Result<(), &str> = task().run(async { Err("no rows") }).await.unwrap();
    assert_eq!(failed, Err("no rows"));
    let panicking = task();
    let panicked = rt::spawn(panicking.run(async { panic!("on purpose") }));
    assert!(panicked.await.is_err());
    let cancelled = rt::spawn(task().run(std::future::pending::<()>()));
    while running(&store).await.is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    cancelled.abort();
    task().waiting(5 * SECOND).run(async {}).await.unwrap();
    assert_eq!(running(&store).await, [""; 0]);
}

#[test]
fn blocking_code_runs_tasks_without_a_runtime() {
    let store = MemoryStore::new();
    let maintenance = rt::System::new().block_on(on_store(&store));
    let found = maintenance
        .task("import")
        .exclusive()
        .refuse_in_maintenance()
        .run_blocking(|guard| {
            assert!(guard.is_held());
            rt::System::new().block_on(running(&store))
        })
        .unwrap();
    assert_eq!(found, ["task/import"]);
    let guard = maintenance
        .task("import")
        .exclusive()
        .enter_blocking()
        .unwrap();
    let taken = maintenance.task("import").exclusive().run_blocking(|_| ());
    assert!(matches!(taken, Err(TaskError::Taken { .. })));
    drop(guard);
    maintenance
        .task("import")
        .exclusive()
        .run_blocking(|_| ())
        .unwrap();
}

#[actix_web::test]
async fn a_name_that_no_task_can_have_is_refused() {
    let maintenance = on_store(&MemoryStore::new()).await;
    let long = "x".repeat(65);
    for (name, why) in [
        ("", "empty"),
        ("a/b", "slash"),
        ("a\nb", "control"),
        (long.as_str(), "64 bytes"),
    ] {
        match maintenance.task(name).enter().await {
            Err(error @ TaskError::Name { .. }) => {
                assert!(error.to_string().contains(why), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    let longest = "x".repeat(64);
    maintenance.task(&longest).run(async {}).await.unwrap();
    maintenance
        .task("Täglich um 3")
        .exclusive()
        .run(async {})
        .await
        .unwrap();
}

/// Enters an exclusive task, tells how that went, and keeps it until it is killed.
pub(crate) async fn child_runs_a_task() {
    let maintenance = maintenance_of(&PathBuf::from(env::var(FILE).unwrap())).await;
    let task = maintenance.task("import").exclusive().by("the child");
    match task.lapses_after(SECOND).enter().await {
        Ok(guard) => {
            report(&json!("entered"));
            guard.lost().await;
        }
        Err(error) => report(&json!(error.to_string())),
    }
}

fn child(file: &Path) -> (Child, Value) {
    let mut child = Role::new("task").env(FILE, file).start();
    let told = child.next().unwrap();
    (child, told)
}

#[actix_web::test]
async fn a_task_whose_process_is_killed_is_gone_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let maintenance = maintenance_of(&file).await;
    let store = FileStore::new(&file).unwrap();
    for _ in 0..3 {
        let (holder, told) = child(&file);
        assert_eq!(told, "entered");
        // A second process, and this one, are told by whom it is taken.
        let (_second, told) = child(&file);
        let told = told.as_str().unwrap().to_owned();
        assert!(told.contains("runs already, by the child on "), "{told}");
        let task = || maintenance.task("import").exclusive();
        let taken = task().enter().await.unwrap_err().to_string();
        assert_eq!(taken, told);
        // It outlives its time to live many times while its process lives.
        sleep(3 * SECOND / 2).await;
        assert_eq!(store.leases("task/").await.unwrap().len(), 1);
        holder.kill();
        let killed = Instant::now();
        task().waiting(20 * SECOND).run(async {}).await.unwrap();
        let waited = killed.elapsed();
        assert!(waited < 10 * SECOND, "{waited:?}");
        assert_eq!(store.leases("task/").await.unwrap(), []);
    }
}

#[actix_web::test]
async fn a_drain_waits_for_the_task_of_another_process_until_that_ends_or_dies() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let maintenance = maintenance_of(&file).await;
    let (holder, told) = child(&file);
    assert_eq!(told, "entered");
    let status = maintenance.turn_on().drain().await.unwrap().status;
    assert_eq!(status.modes[0].phase, Phase::Pending);
    sleep(SECOND).await;
    let status = maintenance.ask_status().await.unwrap();
    assert_eq!(status.modes[0].phase, Phase::Pending, "it is waited for");
    assert_eq!(status.tasks.len(), 1);
    assert_eq!(status.tasks[0].name, "import");
    let by = &status.tasks[0].by;
    assert!(by.starts_with("the child on "), "{by}");
    let shown = serde_json::to_value(&status).unwrap();
    assert_eq!(shown["tasks"][0]["name"], "import");
    holder.kill();
    eventually("nothing runs any more", || {
        maintenance.phase() == Phase::Offline
    })
    .await;
    assert_eq!(maintenance.ask_status().await.unwrap().tasks, []);
}

#[actix_web::test]
async fn tasks_that_start_as_the_site_closes_either_run_before_or_not_at_all() {
    let store = MemoryStore::new();
    let (here, there) = (on_store(&store).await, on_store(&store).await);
    let (mut ran, mut refused) = (0, 0);
    for round in 0..80_u64 {
        let task = there.task("import").refuse_in_maintenance();
        // Now the one begins a little earlier, now the other.
        let pause = |micros: u64| std::thread::sleep(Duration::from_micros(micros));
        let entering = std::thread::spawn(move || {
            pause(round * 97 % 700);
            task.enter_blocking()
        });
        pause(round * 61 % 900);
        here.turn_on().await.unwrap();
        // Whoever has stored that the site is closed and finds no task knows that none begins.
        let found = running(&store).await;
        match entering.join().unwrap() {
            Ok(guard) => {
                ran += 1;
                assert_eq!(found.len(), 1, "a task runs that was not to be seen");
                guard.release().await;
            }
            Err(TaskError::Refused { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        here.turn_off().await.unwrap();
    }
    assert_eq!(ran + refused, 80);
    println!("{ran} tasks ran, and {refused} were refused");
}
