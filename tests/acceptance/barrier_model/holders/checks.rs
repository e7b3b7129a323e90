//! Walks through every order of events, and finds what is wrong with protocols that are a little
//! different.

use stateright::{Checker, HasDiscoveries, Model};

use super::{CLOSED, Fault, GIVEN_UP, IfLost, NOT_WELL, PROTOCOL, Protocol, TOLD};

fn check(protocol: Protocol) -> impl Checker<Protocol> {
    protocol
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join()
}

fn keeps_its_promises(protocol: Protocol) {
    let checker = check(protocol);
    println!("{} states", checker.unique_state_count());
    for promise in [CLOSED, TOLD, GIVEN_UP, NOT_WELL] {
        checker.assert_no_discovery(promise);
    }
}

/// Checks it with two jobs, of which the second may take over from the first, and with two nodes, of
/// which the second may be late.
fn keeps_them_with_more_jobs_and_more_nodes(fault: Fault) {
    let protocol = Protocol { fault, ..PROTOCOL };
    let has_end = false;
    for if_lost in [IfLost::Stay, IfLost::Reopen] {
        keeps_its_promises(Protocol {
            if_lost,
            has_end,
            ..protocol
        });
        keeps_its_promises(Protocol {
            if_lost,
            jobs: 1,
            nodes: 2,
            ..protocol
        });
    }
}

#[test]
fn a_held_mode_is_closed_while_its_job_lives_and_given_up_in_time_when_it_does_not() {
    for if_lost in [IfLost::Stay, IfLost::Reopen] {
        check(Protocol {
            if_lost,
            ..PROTOCOL
        })
        .assert_properties();
    }
    keeps_them_with_more_jobs_and_more_nodes(Fault::Nothing);
}

#[test]
fn so_it_is_where_the_store_may_lose_the_lease_of_a_job() {
    keeps_them_with_more_jobs_and_more_nodes(Fault::Evicts);
}

#[test]
fn so_it_is_where_the_store_may_forget() {
    keeps_them_with_more_jobs_and_more_nodes(Fault::Forgets);
}

#[test]
fn so_it_is_where_the_store_may_come_back_as_it_was() {
    keeps_them_with_more_jobs_and_more_nodes(Fault::ComesBackOld);
}

/// Whether the checker finds that a protocol breaks a promise.
fn breaks(promise: &'static str, protocol: Protocol) -> bool {
    let found = check(protocol).discovery(promise);
    if let Some(path) = &found {
        println!("{path}");
    }
    found.is_some()
}

#[test]
fn a_node_must_not_go_by_the_announced_end_of_a_mode_that_is_held() {
    let protocol = Protocol {
        holds_beyond_the_end: false,
        ..PROTOCOL
    };
    assert!(breaks(CLOSED, protocol));
}

#[test]
fn a_job_must_not_renew_the_lease_of_another() {
    // It would keep alive who is dead.
    let protocol = Protocol {
        looks_at_the_name: false,
        ..PROTOCOL
    };
    assert!(breaks(GIVEN_UP, protocol));
}

#[test]
fn a_job_must_hear_from_the_document_that_it_was_given_up() {
    let protocol = Protocol {
        hears_of_its_loss: false,
        ..PROTOCOL
    };
    assert!(breaks(TOLD, protocol));
}

#[test]
fn a_job_must_look_whether_it_was_given_up_before_it_ends_well() {
    let protocol = Protocol {
        looks_when_it_ends: false,
        ..PROTOCOL
    };
    assert!(breaks(NOT_WELL, protocol));
}

#[test]
fn a_job_must_not_take_a_mode_from_another_that_lives() {
    let protocol = Protocol {
        asks_who_holds: false,
        ..PROTOCOL
    };
    assert!(breaks(CLOSED, protocol));
}

#[test]
fn somebody_must_look_after_jobs() {
    let protocol = Protocol {
        looks_after_jobs: false,
        ..PROTOCOL
    };
    assert!(breaks(GIVEN_UP, protocol));
}

#[test]
fn a_lease_that_is_evicted_must_be_told_from_one_that_has_lapsed() {
    for protocol in [
        Protocol {
            looks_meanwhile: false,
            ..PROTOCOL
        },
        Protocol {
            believes_after_an_eviction: false,
            ..PROTOCOL
        },
    ] {
        let fault = Fault::Evicts;
        assert!(breaks(CLOSED, Protocol { fault, ..protocol }));
    }
}

#[test]
fn a_node_that_was_stopped_must_not_judge_at_once() {
    let protocol = Protocol {
        jobs: 1,
        nodes: 2,
        believes_when_late: false,
        fault: Fault::Evicts,
        ..PROTOCOL
    };
    assert!(breaks(CLOSED, protocol));
}

#[test]
fn nobody_must_be_given_up_right_after_a_loss() {
    let protocol = Protocol {
        asks_since_when: false,
        believes_after_an_eviction: false,
        fault: Fault::Forgets,
        ..PROTOCOL
    };
    assert!(breaks(CLOSED, protocol));
}

#[test]
fn what_is_remembered_must_be_put_back() {
    for fault in [Fault::Forgets, Fault::ComesBackOld] {
        let protocol = Protocol {
            puts_back: false,
            fault,
            ..PROTOCOL
        };
        assert!(breaks(CLOSED, protocol));
    }
}
