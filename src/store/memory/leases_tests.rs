use super::{LeaseCondition::*, *};

const SECOND: Duration = Duration::from_secs(1);

fn lease(name: &str, holder: &str) -> Lease {
    Lease::new(name, holder, format!("of {holder}")).unwrap()
}

fn names(leases: &Leases, prefix: &str, now: Instant) -> Vec<String> {
    let leases = leases.list(prefix, now);
    leases
        .into_iter()
        .map(|live| live.lease.name().to_owned())
        .collect()
}

#[test]
fn a_lease_lives_until_its_time_is_over_and_is_then_forgotten() {
    let leases = Leases::default();
    let start = Instant::now();
    let mine = lease("lock", "me");
    assert_eq!(leases.put(&mine, SECOND, IfAbsent, start), PutLease::Held);
    let last = start + SECOND - Duration::from_nanos(1);
    let live = LiveLease {
        lease: mine.clone(),
        expires_in: Duration::from_nanos(1),
    };
    assert_eq!(leases.list("", last), [live]);
    assert_eq!(leases.list("", start + SECOND), []);
    assert!(leases.0.lock().is_empty());
    assert!(!leases.renew(&mine, SECOND, start + SECOND));
}

#[test]
fn only_the_holder_renews_and_drops() {
    let leases = Leases::default();
    let start = Instant::now();
    let (mine, theirs) = (lease("lock", "me"), lease("lock", "they"));
    leases.put(&mine, SECOND, IfAbsent, start);
    assert!(!leases.renew(&theirs, SECOND, start));
    leases.remove(&theirs, start);
    assert_eq!(names(&leases, "", start), ["lock"]);

    let mine = mine.with_content("news").unwrap();
    assert!(leases.renew(&mine, SECOND, start + SECOND / 2));
    let list = leases.list("", start + SECOND);
    assert_eq!(list[0].lease, mine);
    assert_eq!(list[0].expires_in, SECOND / 2);
    leases.remove(&mine, start);
    assert_eq!(leases.list("", start), []);
}

#[test]
fn if_absent_spares_the_lease_of_another_until_it_lapses() {
    let leases = Leases::default();
    let start = Instant::now();
    let (mine, theirs) = (lease("lock", "me"), lease("lock", "they"));
    leases.put(&mine, SECOND, IfAbsent, start);
    let taken = PutLease::Taken(LiveLease {
        lease: mine.clone(),
        expires_in: SECOND,
    });
    assert_eq!(leases.put(&theirs, SECOND, IfAbsent, start), taken);
    assert_eq!(leases.put(&mine, SECOND, IfAbsent, start), PutLease::Held);
    let later = start + SECOND;
    assert_eq!(leases.put(&theirs, SECOND, IfAbsent, later), PutLease::Held);
    assert_eq!(leases.put(&mine, SECOND, Always, later), PutLease::Held);
    assert!(!leases.renew(&theirs, SECOND, later));
}

#[test]
fn a_list_is_sorted_and_holds_what_begins_so() {
    let leases = Leases::default();
    let now = Instant::now();
    for name in [
        "task/b",
        "tas",
        "task/a",
        "node/x",
        "task0",
        "task/\u{10ffff}",
    ] {
        leases.put(&lease(name, "me"), SECOND, Always, now);
    }
    let expected = ["task/a", "task/b", "task/\u{10ffff}"];
    assert_eq!(names(&leases, "task/", now), expected);
    assert_eq!(names(&leases, "", now).len(), 6);
    assert_eq!(names(&leases, "none", now), [] as [&str; 0]);
}
