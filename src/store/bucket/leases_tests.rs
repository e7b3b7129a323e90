use object_store::memory::InMemory;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_lapsed_long_ago_is_removed_and_what_lapsed_lately_stays() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let leases = Leases::new(Arc::clone(&objects), Path::from("leases"));
    let lease = |name: &str| Lease::new(name, "me", "").unwrap();
    let later = |hours| {
        let mut clock = leases.clock.lock();
        clock.ahead = SignedDuration::from_hours(hours);
        clock.swept_at = None;
    };
    let hour = MINUTE * 60;
    let always = LeaseCondition::Always;
    leases.put(&lease("short"), MINUTE, always).await.unwrap();
    leases.put(&lease("long"), hour * 2, always).await.unwrap();
    leases.remove(&lease("long")).await.unwrap();
    leases.put(&lease("live"), hour * 9, always).await.unwrap();
    for (hours, left) in [(0, 3), (1, 2), (2, 1)] {
        later(hours);
        leases.sweep().await;
        assert_eq!(
            leases.all().await.unwrap().len(),
            left,
            "after {hours} hours"
        );
    }
    assert_eq!(leases.list("").await.unwrap()[0].lease.name(), "live");
}

#[test]
fn a_put_that_stalls_is_no_difference_of_clocks() {
    let noon: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let seconds = SignedDuration::from_secs;
    for (written, answered, expected) in [
        (0, 1, 0),
        // It was written at once, and the answer came late; or the other way round.
        (0, 30, 0),
        (30, 30, 0),
        (-3600, 30, -3600),
        (3600, 30, 3570),
    ] {
        let (written, answered) = (noon + seconds(written), noon + seconds(answered));
        assert_eq!(ahead(noon, written, answered), seconds(expected));
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_found_out_by_the_services() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let leases = Leases::new(objects, Path::from("leases"));
    leases.clock.lock().ahead = SignedDuration::from_hours(-5);
    let lease = Lease::new("node/a", "me", "").unwrap();
    // It is written with a time of five hours ago, and the service says that it was now.
    let put = leases.put(&lease, MINUTE, LeaseCondition::Always).await;
    assert_eq!(put.unwrap(), PutLease::Held);
    assert_eq!(leases.clock.lock().ahead, SignedDuration::ZERO);
    let live = leases.list("node/").await.unwrap();
    assert!(live[0].expires_in > MINUTE / 2, "{live:?}");
}
