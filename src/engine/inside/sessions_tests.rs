use super::*;

const IDLE: Duration = Duration::from_secs(900);

#[test]
fn whoever_was_seen_is_inside_once_whichever_worker_saw_them() {
    let sessions = Sessions::new();
    let (one, other) = (sessions.register(), sessions.register());
    let alice = sessions.hash("alice");
    one.seen(alice, sessions.second());
    other.seen(alice, sessions.second());
    other.seen(sessions.hash("bob"), sessions.second());
    assert_eq!(sessions.inside(IDLE).len(), 2);
    assert!(sessions.is_inside(alice, IDLE));
}

#[test]
fn an_id_is_the_same_on_every_node_and_no_two_fleets_have_the_same() {
    let key = FleetKey::random();
    assert!(key.as_text().len() >= 64, "256 bits");
    assert_ne!(key.as_text(), FleetKey::random().as_text());
    let on_node = || {
        let sessions = Sessions::new();
        sessions.share_key(FleetKey::from_text(key.as_text()));
        sessions.hash("alice")
    };
    assert_eq!(on_node(), on_node());
    assert_ne!(on_node(), Sessions::new().hash("alice"));
    assert_ne!(Sessions::new().hash("alice"), Sessions::new().hash("alice"));
    // As the algorithm has it, so that nodes of different builds agree.
    let known = blake3::keyed_hash(&key.key, b"alice");
    assert_eq!(
        on_node().as_u64(),
        u64::from_be_bytes(known.as_bytes()[..8].try_into().unwrap()) >> HASH_SHIFT
    );
}

#[test]
fn whoever_has_left_is_not_inside_and_may_come_back() {
    let sessions = Sessions::new();
    let (one, other) = (sessions.register(), sessions.register());
    let alice = sessions.hash("alice");
    one.seen(alice, 5);
    other.left(alice, 5);
    assert!(sessions.inside_at(IDLE, 5).is_empty());
    assert!(!sessions.is_inside_at(alice, IDLE, 5));
    one.seen(alice, 6);
    assert_eq!(sessions.inside_at(IDLE, 6).len(), 1);
}

#[test]
fn nobody_knows_who_came_before_every_request_was_looked_at() {
    let sessions = Sessions::new();
    let carol = sessions.hash("carol");
    assert!(sessions.is_inside(carol, IDLE), "no session has been seen");
    sessions.exist();
    assert!(
        sessions.is_inside(carol, IDLE),
        "she may be in since before"
    );
    let idle_for = |seconds| sessions.is_inside_at(carol, IDLE, sessions.now() + seconds);
    assert!(idle_for(IDLE.as_secs() - 1));
    assert!(!idle_for(IDLE.as_secs()), "by now she would have been seen");
}

#[test]
fn a_visitor_is_inside_until_the_idle_time_is_over() {
    let sessions = Sessions::new();
    let table = sessions.register();
    sessions.exist();
    let alice = sessions.hash("alice");
    table.seen(alice, 10);
    assert!(sessions.is_inside_at(alice, IDLE, 10 + IDLE.as_secs() - 1));
    assert!(!sessions.is_inside_at(alice, IDLE, 10 + IDLE.as_secs()));
    let ages = |now| -> Vec<u64> {
        let inside = sessions.inside_at(IDLE, now);
        inside.iter().map(|session| session.age).collect()
    };
    assert_eq!(ages(11), [1]);
    assert_eq!(ages(10 + IDLE.as_secs()), [0; 0]);
}

#[test]
fn a_table_bears_more_visitors_than_it_has_room_for() {
    let sessions = Sessions::new();
    let table = sessions.register();
    for visitor in 0..3 * SLOTS {
        table.seen(sessions.hash(&visitor.to_string()), sessions.second());
    }
    assert!(sessions.inside(IDLE).len() <= SLOTS);
    assert!(sessions.inside(IDLE).len() > SLOTS / 2);
}

#[test]
fn an_id_tells_nothing_about_the_visitor() {
    let sessions = Sessions::new();
    let table = sessions.register();
    table.seen(sessions.hash("alice@example.com"), sessions.second());
    assert!(!sessions.inside(IDLE)[0].id.contains("alice"));
    assert_ne!(
        sessions.hash("alice@example.com"),
        Sessions::new().hash("alice@example.com"),
        "another process, another id"
    );
}
