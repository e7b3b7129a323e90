//! Many processes that see the same edge of a window: the history has each period once.

use std::{env, path::PathBuf, time::Duration};

use actix_maintenance_mode::{Ended, Maintenance, PastPeriod};
use actix_web::rt::time::sleep;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::{
    child::{Child, Role, report},
    eventually::eventually,
    processes::maintenance_of,
};

const FILE: &str = "TEST_STATE_FILE";
const PERIODS: &str = "TEST_PERIODS";

async fn until_over(maintenance: &Maintenance, periods: usize) -> Vec<PastPeriod> {
    eventually("every window is over and told", || {
        let history = maintenance.history();
        let ended = history.iter().filter(|period| period.ended_at.is_some());
        ended.count() >= periods
    })
    .await;
    // A period too many would come a moment later.
    sleep(Duration::from_millis(300)).await;
    maintenance.history()
}

/// Follows the state until so many periods are over, and tells them.
pub(crate) async fn child_follows() {
    let maintenance = maintenance_of(&PathBuf::from(env::var(FILE).unwrap())).await;
    report(&json!("ready"));
    let periods = env::var(PERIODS).unwrap().parse().unwrap();
    let history = until_over(&maintenance, periods).await;
    report(&serde_json::to_value(history).unwrap());
}

#[actix_web::test]
async fn many_processes_that_see_the_same_edges_record_each_period_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let maintenance = maintenance_of(&file).await;
    // Half a second each; the third and the fourth touch, and the last two overlap.
    let expected = [(0, 500), (800, 1300), (1600, 2600), (3000, 3700)];
    let windows = [
        (0, 500),
        (800, 1300),
        (1600, 2100),
        (2100, 2600),
        (3000, 3500),
        (3200, 3700),
    ];
    let mut children: Vec<Child> = (0..4)
        .map(|_| {
            Role::new("follow-edges")
                .env(FILE, &file)
                .env(PERIODS, expected.len().to_string())
                .start()
        })
        .collect();
    for child in &mut children {
        assert_eq!(child.next(), Some(json!("ready")));
    }
    let first = Timestamp::now() + 700.milliseconds();
    for (start, end) in windows {
        maintenance
            .plan_window()
            .start(first + start.milliseconds())
            .end(first + end.milliseconds())
            .await
            .unwrap();
    }
    // One of them dies in the middle of a window.
    eventually("the second window is open", || {
        Timestamp::now() > first + 900.milliseconds()
    })
    .await;
    children.pop().unwrap().kill();

    let history = until_over(&maintenance, expected.len()).await;
    let found: Vec<_> = history
        .iter()
        .map(|period| (period.started_at, period.ended_at, period.ended))
        .collect();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(start, end): (i64, i64)| {
            let (start, end) = (start.milliseconds(), end.milliseconds());
            (first + start, Some(first + end), Some(Ended::WindowEnd))
        })
        .collect();
    assert_eq!(found, expected);
    let told = serde_json::to_value(&history).unwrap();
    for child in children {
        assert_eq!(child.finish(), std::slice::from_ref(&told));
    }
    assert!(maintenance.status().modes[0].windows.is_empty());
}
