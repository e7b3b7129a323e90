//! Walks through every order of events, and finds what is wrong with protocols that are a little
//! different.

use stateright::{Checker, HasDiscoveries, Model};

use super::{EVICTING, FORGETFUL, PROTOCOL, Protocol, SAFE};

/// Looks at every state that can be reached, or until it finds what is wrong.
fn check(protocol: Protocol) -> impl Checker<Protocol> {
    protocol
        .checker()
        .symmetry()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs()
        .join()
}

#[test]
fn it_is_never_called_safe_while_somebody_is_served() {
    let begin = std::time::Instant::now();
    let checker = check(PROTOCOL);
    println!(
        "{} states in {:?}",
        checker.unique_state_count(),
        begin.elapsed()
    );
    checker.assert_properties();
}

/// Whether the checker finds that a protocol may call it safe too early. Two nodes are enough for
/// that.
fn is_found_wanting(protocol: Protocol) -> bool {
    let protocol = Protocol {
        nodes: protocol.nodes.min(2),
        ..protocol
    };
    let found = check(protocol).discovery(SAFE);
    if let Some(path) = &found {
        println!("{path}");
    }
    found.is_some()
}

#[test]
fn patience_must_be_shorter_than_the_time_to_live() {
    // As long as it, there is an instant at which both are over; which one the clocks call first
    // is anybody's guess. Longer is wrong by any clock.
    assert!(is_found_wanting(Protocol {
        patience: PROTOCOL.time_to_live + 1,
        ..PROTOCOL
    }));
}

#[test]
fn patience_must_count_from_before_the_node_asked() {
    assert!(is_found_wanting(Protocol {
        counts_from_asking: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_that_goes_on_by_the_last_state_breaks_the_promise() {
    assert!(is_found_wanting(Protocol {
        closes: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_that_is_cut_off_must_break_off_what_it_serves() {
    assert!(is_found_wanting(Protocol {
        breaks_off: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_new_lease_must_not_revive_what_was_served_under_the_old_one() {
    assert!(is_found_wanting(Protocol {
        binds_to_lease: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_must_read_the_state_after_its_lease_is_in_the_store() {
    assert!(is_found_wanting(Protocol {
        leases_then_reads: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_whose_lease_has_lapsed_must_read_the_state_again() {
    assert!(is_found_wanting(Protocol {
        rejoins: false,
        ..PROTOCOL
    }));
}

#[test]
fn the_change_must_be_stored_before_the_nodes_are_listed() {
    assert!(is_found_wanting(Protocol {
        stores_then_lists: false,
        ..PROTOCOL
    }));
}

#[test]
fn it_is_never_called_safe_too_early_either_where_the_store_may_forget() {
    let checker = check(FORGETFUL);
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_list_must_not_be_believed_right_after_a_loss() {
    assert!(is_found_wanting(Protocol {
        asks_since_when: false,
        ..FORGETFUL
    }));
}

#[test]
fn leases_must_have_been_remembered_for_as_long_as_a_node_relies_on_one() {
    // A marker that is there, but younger, tells nothing.
    assert!(is_found_wanting(Protocol {
        believes_after: PROTOCOL.patience - 1,
        ..FORGETFUL
    }));
}

#[test]
fn what_is_remembered_must_not_replace_what_was_written_after_a_loss() {
    assert!(is_found_wanting(Protocol {
        knows_lineages: false,
        ..FORGETFUL
    }));
}

#[test]
fn it_is_never_called_safe_too_early_either_where_the_store_may_evict_a_lease() {
    let checker = check(EVICTING);
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_lease_that_is_evicted_must_leave_a_trace() {
    assert!(is_found_wanting(Protocol {
        leaves_traces: false,
        ..EVICTING
    }));
}

#[test]
fn a_lease_that_was_seen_may_have_been_renewed_since_and_lost_then() {
    assert!(is_found_wanting(Protocol {
        reckons_with_renewals: false,
        ..EVICTING
    }));
}

#[test]
fn a_lease_may_have_been_renewed_a_while_after_the_trace() {
    assert!(is_found_wanting(Protocol {
        trace_is_taken_to_lag: 0,
        ..EVICTING
    }));
}
