//! Leases.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Check, Finding, Suite, ensure, load, stored, told};
use crate::store::{
    Lease, LeaseCondition,
    LeaseCondition::{Always, IfAbsent},
    LiveLease, PutLease, Store,
};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);
/// Between two looks at a lease that is to lapse.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// From how long before its time on a lease is looked at without a pause, so that one that lapses a
/// little too early is seen.
const CLOSELY: Duration = Duration::from_millis(5);
/// How long a lease may outlive its time: a store may count in whole milliseconds, rounded up. There
/// is no such allowance for one that lapses early, as two holders might then act at once. A request
/// and its answer take longer than clocks run apart in this time.
const TICK: Duration = Duration::from_millis(1);

pub(super) fn checks(suite: &Suite) -> [(&'static str, Check<'_>); 7] {
    [
        (
            "a lease is in every list until it is dropped",
            Box::pin(is_listed(suite)),
        ),
        (
            "a list is sorted and holds what begins so, whatever the characters",
            Box::pin(lists_by_prefix(suite)),
        ),
        (
            "a lease that another holds is not got if it is to be absent",
            Box::pin(spares_others(suite)),
        ),
        (
            "only the holder renews and drops",
            Box::pin(obeys_the_holder(suite)),
        ),
        (
            "a lease lives as long as it is to, and lapses then",
            Box::pin(lapses(suite)),
        ),
        (
            "a lease that is renewed in time outlives its time to live",
            Box::pin(outlives(suite)),
        ),
        (
            "leases and the document leave each other alone",
            Box::pin(are_apart(suite)),
        ),
    ]
}

fn lease(name: &str, holder: &str, content: &str) -> Result<Lease, String> {
    Lease::new(name, holder, content).map_err(|error| told(&error))
}

async fn put(
    store: &dyn Store,
    lease: &Lease,
    time_to_live: Duration,
    condition: LeaseCondition,
) -> Result<PutLease, String> {
    let put = store.put_lease(lease, time_to_live, condition).await;
    put.map_err(|error| format!("putting {:?} fails: {}", lease.name(), told(&error)))
}

async fn hold(store: &dyn Store, lease: &Lease, time_to_live: Duration) -> Finding {
    let put = put(store, lease, time_to_live, IfAbsent).await?;
    ensure(put == PutLease::Held, || {
        format!("{:?}, which nobody else holds, is {put:?}", lease.name())
    })
}

async fn renew(store: &dyn Store, lease: &Lease, time_to_live: Duration) -> Result<bool, String> {
    let renewed = store.renew_lease(lease, time_to_live).await;
    renewed.map_err(|error| format!("renewing {:?} fails: {}", lease.name(), told(&error)))
}

async fn release(store: &dyn Store, lease: &Lease) -> Finding {
    let dropped = store.drop_lease(lease).await;
    dropped.map_err(|error| format!("dropping {:?} fails: {}", lease.name(), told(&error)))
}

async fn list(store: &dyn Store, prefix: &str) -> Result<Vec<LiveLease>, String> {
    let listed = store.leases(prefix).await;
    listed.map_err(|error| format!("listing {prefix:?} fails: {}", told(&error)))
}

/// The list holds these leases, in this order and as they are.
async fn lists(store: &dyn Store, prefix: &str, expected: &[&Lease]) -> Finding {
    let listed = list(store, prefix).await?;
    let leases: Vec<_> = listed.iter().map(|live| &live.lease).collect();
    ensure(leases == expected, || {
        let names = |leases: &[&Lease]| -> Vec<_> {
            leases.iter().map(|it| it.name().to_owned()).collect()
        };
        match names(&leases) == names(expected) {
            true => format!("{prefix:?}: the leases are {leases:.300?}, not {expected:.300?}"),
            false => format!(
                "{prefix:?} lists {:?}, not {:?}",
                names(&leases),
                names(expected)
            ),
        }
    })
}

async fn is_listed(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    lists(&*store, "", &[]).await?;
    let bytes = Lease::new("node/a", "me", (0..=255).collect::<Vec<u8>>());
    let bytes = bytes.map_err(|error| told(&error))?;
    let empty = lease("task/b", "me", "")?;
    for one in [&empty, &bytes] {
        hold(&*store, one, LONG).await?;
    }
    for reader in [&store, &other] {
        lists(&**reader, "", &[&bytes, &empty]).await?;
        for live in list(&**reader, "").await? {
            let is_right = live.expires_in <= LONG && live.expires_in > LONG / 2;
            ensure(is_right, || {
                format!("after a moment of {LONG:?}, {:?} are left", live.expires_in)
            })?;
        }
    }
    release(&*store, &bytes).await?;
    // What is gone can be dropped again.
    release(&*store, &bytes).await?;
    for reader in [&store, &other] {
        lists(&**reader, "", &[&empty]).await?;
    }
    ensure(!renew(&*store, &bytes, LONG).await?, || {
        "a lease that was dropped is renewed".to_owned()
    })?;
    // A year is the most; nothing overflows.
    hold(&*store, &lease("task/long", "me", "")?, Duration::MAX).await
}

async fn lists_by_prefix(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    // Sorted by their bytes.
    let names = [
        "",
        "\u{0}/\n\t\\",
        "*",
        "NODE/x",
        "[a-z]/x",
        "node/../x",
        "node/x y?z*",
        "node/x%20y#z&w=1",
        "node/\u{e4}\u{1f527}",
        "node0",
        "task/1",
        "task/10",
        "task/2",
        "{task}/1",
    ];
    let longest = "x".repeat(120);
    let mut leases = Vec::new();
    for name in names.iter().skip(1).copied().chain([longest.as_str()]) {
        leases.push(lease(name, "me", name)?);
    }
    leases.sort_by(|a, b| a.name().cmp(b.name()));
    for one in leases.iter().rev() {
        hold(&*store, one, LONG).await?;
    }
    for prefix in [
        "",
        "node/",
        "node/x",
        "task/1",
        "*",
        "[a-z]",
        "n?de",
        "\u{0}",
        "node/\u{e4}",
        "none",
        "NODE",
        "{task}",
        &longest,
    ] {
        let expected: Vec<_> = leases
            .iter()
            .filter(|one| one.name().starts_with(prefix))
            .collect();
        lists(&*store, prefix, &expected).await?;
    }
    Ok(())
}

async fn spares_others(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let mine = lease("lock/site", "me", "mine")?;
    let theirs = lease("lock/site", "they", "theirs")?;
    hold(&*store, &mine, LONG).await?;
    match put(&*other, &theirs, LONG, IfAbsent).await? {
        PutLease::Taken(by) if by.lease == mine && by.expires_in <= LONG => {}
        put => return Err(format!("where another holds it, the outcome is {put:?}")),
    }
    lists(&*other, "lock/", &[&mine]).await?;
    // An answer that was lost is asked for again.
    let again = lease("lock/site", "me", "mine again")?;
    hold(&*other, &again, LONG).await?;
    lists(&*store, "lock/", &[&again]).await?;

    let put = put(&*other, &theirs, LONG, Always).await?;
    ensure(put == PutLease::Held, || format!("`Always` gets {put:?}"))?;
    lists(&*store, "lock/", &[&theirs]).await?;
    ensure(!renew(&*store, &again, LONG).await?, || {
        "a lease that another has put is renewed by its former holder".to_owned()
    })
}

async fn obeys_the_holder(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    let mine = lease("lock/site", "me", "mine")?;
    let theirs = lease("lock/site", "they", "theirs")?;
    ensure(!renew(&*store, &mine, LONG).await?, || {
        "a lease that nobody has put is renewed".to_owned()
    })?;
    lists(&*store, "", &[]).await?;
    hold(&*store, &mine, LONG).await?;
    ensure(!renew(&*store, &theirs, LONG).await?, || {
        "another one renews it".to_owned()
    })?;
    release(&*store, &theirs).await?;
    lists(&*store, "", &[&mine]).await?;
    let news = lease("lock/site", "me", "news")?;
    ensure(renew(&*store, &news, LONG).await?, || {
        "its holder cannot renew it".to_owned()
    })?;
    lists(&*store, "", &[&news]).await?;
    // The content does not matter when it is dropped.
    release(&*store, &mine).await?;
    lists(&*store, "", &[]).await?;
    hold(&*store, &theirs, LONG).await
}

async fn lapses(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let time_to_live = suite.lease_time;
    let mine = lease("lock/site", "me", "")?;
    let theirs = lease("lock/site", "they", "")?;
    let asked = Instant::now();
    hold(&*store, &mine, time_to_live).await?;
    let answered = Instant::now();
    loop {
        for reader in [&store, &other] {
            // One that has never seen the lease decides no differently.
            for reader in [Arc::clone(reader), suite.open(&place).await?] {
                let before = Instant::now();
                let listed = list(&*reader, "lock/").await?;
                let after = Instant::now();
                ensure(!listed.is_empty() || after > asked + time_to_live, || {
                    format!(
                        "it lapses {:?} before its time",
                        asked + time_to_live - after
                    )
                })?;
                ensure(
                    listed.is_empty() || before < answered + time_to_live + TICK,
                    || {
                        format!(
                            "it is there {:?} after its time",
                            before - answered - time_to_live
                        )
                    },
                )?;
            }
        }
        let end = answered + time_to_live + TICK;
        if Instant::now() >= end {
            break;
        }
        // Wakes late rather than early, so it is told to wake well before.
        let until_closely = (asked + time_to_live - CLOSELY).checked_duration_since(Instant::now());
        if let Some(pause) = until_closely {
            sleep(pause.min(LOOK_EVERY)).await;
        }
    }
    ensure(!renew(&*store, &mine, LONG).await?, || {
        "a lease that has lapsed is renewed".to_owned()
    })?;
    release(&*store, &mine).await?;
    hold(&*other, &theirs, LONG).await?;
    // The shortest time there is.
    hold(&*store, &lease("task/short", "me", "")?, Duration::ZERO).await?;
    sleep(LOOK_EVERY).await;
    lists(&*store, "", &[&theirs]).await
}

async fn outlives(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let mut time_to_live = suite.lease_time * 2;
    let mine = lease("lock/site", "me", "")?;
    let theirs = lease("lock/site", "they", "")?;
    loop {
        let asked = Instant::now();
        hold(&*store, &mine, time_to_live).await?;
        if renew(&*store, &mine, LONG).await? {
            break;
        }
        // On a machine that stood still meanwhile it may have lapsed, which proves nothing.
        ensure(asked.elapsed() > time_to_live, || {
            "it cannot be renewed".to_owned()
        })?;
        time_to_live *= 2;
    }
    let begin = Instant::now();
    while begin.elapsed() < time_to_live + LOOK_EVERY {
        lists(&*other, "lock/", &[&mine]).await?;
        let put = put(&*other, &theirs, LONG, IfAbsent).await?;
        ensure(matches!(put, PutLease::Taken(_)), || {
            "another one gets it".to_owned()
        })?;
        sleep(LOOK_EVERY).await;
    }
    // A renewal can also make it shorter.
    renew(&*store, &mine, Duration::from_millis(1)).await?;
    sleep(LOOK_EVERY).await;
    lists(&*other, "lock/", &[]).await
}

async fn are_apart(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    let mine = lease("node/a", "me", "on")?;
    hold(&*store, &mine, LONG).await?;
    let loaded = load(&*store).await?;
    ensure(loaded.is_none(), || {
        "a lease shows as a document".to_owned()
    })?;
    let version = stored(&*store, b"off", None).await?;
    lists(&*store, "", &[&mine]).await?;
    ensure(renew(&*store, &mine, LONG).await?, || {
        "a save ends a lease".to_owned()
    })?;
    release(&*store, &mine).await?;
    stored(&*store, b"on", Some(&version)).await?;
    Ok(())
}
