//! Figures for the `metrics` facade.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{
    core::{
        phase::Phase,
        rules::rule::Rule,
        snapshot::Snapshot,
        state::{Holder, IfLost},
    },
    engine::shared::Shared,
};

const PHASE: &str = "maintenance_phase";
const PHASE_SECONDS: &str = "maintenance_phase_seconds";
const OPENING_SHARE: &str = "maintenance_opening_share";
const HOLDER_LOST: &str = "maintenance_holder_lost";
const HOLDERS_LOST: &str = "maintenance_holders_lost_total";
#[cfg(feature = "notices")]
const NOTICES_WAITING: &str = "maintenance_notices_waiting";
#[cfg(feature = "notices")]
const NOTICES_FAILING: &str = "maintenance_notices_failing";
const REFUSALS: &str = "maintenance_refusals_total";
const PASSES: &str = "maintenance_passes_total";
const GRANT_USES: &str = "maintenance_grant_uses_total";
const IN_FLIGHT: &str = "maintenance_in_flight_requests";
const ENDLESS: &str = "maintenance_endless_responses";
const PARKED: &str = "maintenance_parked_requests";
const PARKED_ENDED: &str = "maintenance_parked_total";
const PARKED_TURNED_AWAY: &str = "maintenance_parked_turned_away_total";
const SESSIONS: &str = "maintenance_sessions";
const TASKS: &str = "maintenance_tasks";
const STORE_ERRORS: &str = "maintenance_store_errors_total";
const KNOWLEDGE_AGE: &str = "maintenance_knowledge_age_seconds";

/// How often gauges are set.
const EVERY: Duration = Duration::from_secs(1);

const PHASES: [Phase; 5] = [
    Phase::Online,
    Phase::Scheduled,
    Phase::Pending,
    Phase::Offline,
    Phase::Opening,
];

pub(crate) fn refused(mode: &str, format: &'static str) {
    counter!(REFUSALS, "mode" => mode.to_owned(), "format" => format).increment(1);
}

pub(crate) fn holder_lost(mode: &str, if_lost: IfLost) {
    counter!(HOLDERS_LOST, "mode" => mode.to_owned(), "if_lost" => if_lost.as_str()).increment(1);
}

pub(crate) fn granted(grant: &str) {
    counter!(GRANT_USES, "grant" => grant.to_owned()).increment(1);
}

pub(crate) fn passed(rule: Rule) {
    counter!(PASSES, "rule" => rule.name()).increment(1);
}

pub(crate) fn store_failed() {
    counter!(STORE_ERRORS).increment(1);
}

/// Sets the gauges for as long as it is polled.
pub(crate) async fn report(shared: &Shared) {
    describe();
    // An exporter shows a counter from its first use on; a rate needs it from zero.
    counter!(STORE_ERRORS).increment(0);
    let mut since: Vec<(Phase, tokio::time::Instant)> = Vec::new();
    loop {
        let snapshot = shared.published.snapshot();
        set_phases(shared, &snapshot, &mut since);
        let inside = shared.in_flight.inside();
        gauge!(IN_FLIGHT).set(inside.requests as f64);
        gauge!(ENDLESS).set(inside.endless as f64);
        gauge!(PARKED).set(shared.parked.count() as f64);
        for (became, count) in shared.parked.ended() {
            counter!(PARKED_ENDED, "outcome" => became.as_str()).absolute(count);
        }
        counter!(PARKED_TURNED_AWAY).absolute(shared.parked.turned_away());
        // Each node tells of itself alone. To ask for the others would cost the store the square of
        // how many there are.
        let sessions = shared.sessions.inside(shared.drain.session_idle);
        gauge!(SESSIONS).set(sessions.len() as f64);
        gauge!(TASKS).set(shared.own_node.tasks.load(Ordering::SeqCst) as f64);
        #[cfg(feature = "notices")]
        for target in shared.notices.status() {
            gauge!(NOTICES_WAITING, "target" => target.name.clone()).set(target.waiting as f64);
            let is_failing = target.failing_since.is_some();
            gauge!(NOTICES_FAILING, "target" => target.name).set(f64::from(u8::from(is_failing)));
        }
        if let Some(age) = shared.freshness.status(String::new(), None).age {
            gauge!(KNOWLEDGE_AGE).set(age as f64);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn set_phases(
    shared: &Shared,
    snapshot: &Arc<Snapshot>,
    since: &mut Vec<(Phase, tokio::time::Instant)>,
) {
    let now = shared.now_for(snapshot);
    for (index, mode) in snapshot.modes.iter().enumerate() {
        let standing = mode.standing(now);
        let key = mode.key.as_ref().to_owned();
        for phase in PHASES {
            let is_in = phase == standing.phase;
            gauge!(PHASE, "mode" => key.clone(), "phase" => phase.as_str())
                .set(f64::from(u8::from(is_in)));
        }
        // Of the visitors: all where nobody is refused, and none where everybody is.
        let share = match (standing.phase, mode.state.switch.opening()) {
            (Phase::Opening, Some(opening)) => opening.share(now),
            (phase, _) => f64::from(u8::from(!phase.is_maintenance())),
        };
        gauge!(OPENING_SHARE, "mode" => key.clone()).set(share);
        let holder = mode.state.holder().map(|(_, holder)| holder);
        let is_lost = standing.phase.is_maintenance() && holder.is_some_and(Holder::is_lost);
        gauge!(HOLDER_LOST, "mode" => key.clone()).set(f64::from(u8::from(is_lost)));
        let seen = tokio::time::Instant::now();
        match since.get_mut(index) {
            Some(before) if before.0 == standing.phase => {}
            Some(before) => *before = (standing.phase, seen),
            None => since.push((standing.phase, seen)),
        }
        // The state says since when a mode is not online; of the other phases only this process
        // knows.
        let seconds = match standing.since.filter(|_| standing.phase.is_maintenance()) {
            Some(begun) => shared.clock.now().duration_since(begun).as_secs_f64(),
            None => since
                .get(index)
                .map_or(0.0, |(_, since)| since.elapsed().as_secs_f64()),
        };
        gauge!(PHASE_SECONDS, "mode" => key).set(seconds.max(0.0));
    }
}

fn describe() {
    describe_gauge!(
        PHASE,
        "1 for the phase that the mode is in, 0 for the others"
    );
    describe_gauge!(
        PHASE_SECONDS,
        Unit::Seconds,
        "how long the mode has been in its phase"
    );
    describe_gauge!(
        OPENING_SHARE,
        "the share of the visitors whom the mode lets in: 1 online, 0 closed, in between while it opens"
    );
    describe_gauge!(
        HOLDER_LOST,
        "1 while the mode is closed by a job that has died"
    );
    describe_counter!(
        HOLDERS_LOST,
        "jobs that held a mode and have died, as this process has seen it"
    );
    #[cfg(feature = "notices")]
    {
        describe_gauge!(NOTICES_WAITING, "notices that wait for a target");
        describe_gauge!(NOTICES_FAILING, "1 while a target takes no notices");
    }
    describe_counter!(REFUSALS, "requests that maintenance refused");
    describe_counter!(PASSES, "requests that maintenance let through, by the rule");
    describe_counter!(GRANT_USES, "requests that were let through by a grant");
    describe_gauge!(IN_FLIGHT, "requests that this process is serving");
    describe_gauge!(
        ENDLESS,
        "upgraded connections and responses without an end that this process is serving"
    );
    describe_gauge!(
        PARKED,
        "requests that wait outside of this process for a mode to open"
    );
    describe_counter!(
        PARKED_ENDED,
        "requests that have waited for a mode to open, by what became of them"
    );
    describe_counter!(
        PARKED_TURNED_AWAY,
        "requests that were refused at once because too many waited"
    );
    describe_gauge!(SESSIONS, "visitors who are inside");
    describe_gauge!(TASKS, "running tasks that maintenance waits for");
    describe_counter!(STORE_ERRORS, "how often the store failed");
    describe_gauge!(
        KNOWLEDGE_AGE,
        Unit::Seconds,
        "how long ago the store was last known to say what is published"
    );
}
