//! What a fleet asks of Redis that has nothing to do.

use std::{any::Any, time::Duration};

use actix_maintenance_mode::Maintenance;
use actix_web::{App, rt, test};

use crate::{NODES, Redis, node};

/// For how long they are looked at: several rounds of everything that is done now and then.
const LOOK: Duration = Duration::from_secs(60);
/// By then all have begun.
const SETTLE: Duration = Duration::from_secs(5);

/// One that takes part, as an app that wraps the middleware does.
async fn taking_part(url: &str) -> (Maintenance, Box<dyn Any>) {
    let maintenance = node(url).await;
    let app = App::new().wrap(maintenance.middleware());
    let app = test::init_service(app).await;
    (maintenance, Box::new(app))
}

/// How often each command was called, also by scripts.
fn calls(connection: &mut redis::Connection) -> Vec<(String, u64)> {
    let told: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(connection)
        .unwrap();
    told.lines()
        .filter_map(|line| {
            let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = figures.strip_prefix("calls=")?.split(',').next()?;
            Some((name.to_owned(), calls.parse().ok()?))
        })
        .filter(|(name, _)| name != "info")
        .collect()
}

pub(crate) async fn measure() {
    println!(
        "\n| idle nodes | commands a second | and node | the most frequent, a second and node |"
    );
    println!("|---|---|---|---|");
    for count in NODES {
        let (_server, url) = Redis::start();
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(taking_part(&url).await);
        }
        rt::time::sleep(SETTLE).await;
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_connection().unwrap();
        let before = calls(&mut connection);
        rt::time::sleep(LOOK).await;
        let mut rates: Vec<(f64, String)> = calls(&mut connection)
            .into_iter()
            .map(|(name, after)| {
                let before = before.iter().find(|(known, _)| *known == name);
                let calls = after - before.map_or(0, |(_, calls)| *calls);
                (calls as f64 / LOOK.as_secs_f64(), name)
            })
            .collect();
        rates.sort_by(|one, other| other.0.total_cmp(&one.0));
        let all: f64 = rates.iter().map(|(rate, _)| rate).sum();
        let each = |rate: f64| rate / count as f64;
        let most: Vec<String> = rates
            .iter()
            .take(6)
            .map(|(rate, name)| format!("{name} {:.2}", each(*rate)))
            .collect();
        println!(
            "| {count} | {all:.1} | {:.2} | {} |",
            each(all),
            most.join(", ")
        );
    }
}
