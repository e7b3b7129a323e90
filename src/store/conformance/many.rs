//! Many tasks and many processes at once.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::task::{JoinSet, spawn_blocking};

use super::{Check, Finding, PLACE, Suite, ensure, load, save, told};
use crate::store::{Lease, LeaseCondition, PutLease, Saved, Store};

const TASKS: u64 = 6;
const PROCESSES: u64 = 3;
/// How often each of them counts.
const TIMES: u64 = 12;
/// How many locks the processes want, of which each can be had once.
const LOCKS: u64 = 12;

pub(super) fn checks(suite: &Suite) -> [(&'static str, Check<'_>); 3] {
    [
        (
            "of many tasks that count together none loses a count",
            Box::pin(counts_in_many_tasks(suite)),
        ),
        (
            "of many tasks that want the same lease one gets it",
            Box::pin(gives_a_lease_once(suite)),
        ),
        (
            "of many processes none loses a count, and each lease is had once",
            Box::pin(counts_in_many_processes(suite)),
        ),
    ]
}

/// Adds to a number in the document, as an operation on the state is done: again and again until
/// nobody else was faster.
async fn count(store: &dyn Store, name: &str, by: u64) -> Finding {
    let mut loaded = load(store).await?;
    loop {
        let mut numbers: Value = match &loaded {
            None => json!({}),
            Some(loaded) => serde_json::from_slice(&loaded.document)
                .map_err(|error| format!("a reader sees half a document: {error}"))?,
        };
        numbers[name] = json!(numbers[name].as_u64().unwrap_or(0) + by);
        // Long enough that a part of it is no document.
        numbers["padding"] = json!("x".repeat(8 * 1024));
        let expected = loaded.as_ref().map(|it| &it.version);
        match save(store, numbers.to_string().as_bytes(), expected).await? {
            Saved::Stored(_) => return Ok(()),
            Saved::Conflict(newer) => loaded = newer,
        }
    }
}

async fn counted(store: &dyn Store, name: &str, expected: u64) -> Finding {
    let loaded = load(store).await?.map(|it| it.document);
    let numbers: Value = serde_json::from_slice(&loaded.unwrap_or_default())
        .map_err(|error| format!("what is stored in the end is no document: {error}"))?;
    ensure(numbers[name] == expected, || {
        format!("{name}: {} where {expected} is right", numbers[name])
    })
}

async fn all(mut tasks: JoinSet<Finding>) -> Finding {
    while let Some(task) = tasks.join_next().await {
        task.map_err(|error| error.to_string())??;
    }
    Ok(())
}

async fn counts_in_many_tasks(suite: &Suite) -> Finding {
    let place = suite.place();
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let store = suite.open(&place).await?;
        tasks.spawn(async move {
            for _ in 0..TIMES {
                count(&*store, "changes", 1).await?;
            }
            Ok(())
        });
    }
    all(tasks).await?;
    counted(&*suite.open(&place).await?, "changes", TASKS * TIMES).await
}

/// Wants each lock once, and says how many it got.
async fn take_locks(store: &dyn Store, holder: &str) -> Result<u64, String> {
    let failed = |error| format!("a lease fails: {}", told(&error));
    let mut taken = 0;
    for number in 0..LOCKS {
        let lease = Lease::new(format!("lock/{number}"), holder, "").map_err(failed)?;
        let put = store.put_lease(&lease, Duration::from_secs(600), LeaseCondition::IfAbsent);
        taken += u64::from(put.await.map_err(failed)? == PutLease::Held);
    }
    Ok(taken)
}

async fn gives_a_lease_once(suite: &Suite) -> Finding {
    let place = suite.place();
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let store = suite.open(&place).await?;
        tasks.spawn(async move {
            let taken = take_locks(&*store, &format!("task-{number}")).await?;
            count(&*store, "locks", taken).await
        });
    }
    all(tasks).await?;
    counted(&*suite.open(&place).await?, "locks", LOCKS).await
}

async fn counts_in_many_processes(suite: &Suite) -> Finding {
    let Some(processes) = &suite.processes else {
        return Ok(());
    };
    let place = suite.place();
    // Waits for the end on a thread of its own, as reading what a process writes blocks.
    let mut ends = JoinSet::new();
    for _ in 0..PROCESSES {
        let mut command = processes();
        command
            .env(PLACE, &place)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        ends.spawn(spawn_blocking(move || {
            let output = command
                .output()
                .map_err(|error| format!("a process cannot be started: {error}"))?;
            ensure(output.status.success(), || {
                format!(
                    "a process ends with {}: {}{}",
                    output.status,
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                )
            })
        }));
    }
    while let Some(end) = ends.join_next().await {
        end.and_then(|end| end)
            .map_err(|error| error.to_string())??;
    }
    let store = suite.open(&place).await?;
    // A name that runs no test, or one that never comes to the suite, would count nothing.
    counted(&*store, "changes", PROCESSES * TIMES).await?;
    counted(&*store, "locks", LOCKS).await
}

/// What a process does for [`counts_in_many_processes`].
pub(super) async fn take_part(suite: &Suite, place: String) -> Finding {
    let store = suite.open(&place).await?;
    for _ in 0..TIMES {
        count(&*store, "changes", 1).await?;
    }
    let taken = take_locks(&*store, &format!("process-{}", std::process::id())).await?;
    count(&*store, "locks", taken).await
}
