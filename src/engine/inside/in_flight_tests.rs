use super::*;

fn inside(in_flight: &InFlight) -> (u64, u64) {
    let Inside {
        requests, endless, ..
    } = in_flight.inside();
    (requests, endless)
}

#[test]
fn requests_of_all_workers_count_until_they_end() {
    let in_flight = InFlight::default();
    let (one, other) = (in_flight.register(), in_flight.register());
    one.begin();
    other.begin();
    one.begin();
    assert_eq!(inside(&in_flight), (3, 0));
    other.begin_endless();
    other.end();
    assert_eq!(inside(&in_flight), (2, 1));
    one.end();
    other.end_endless();
    assert_eq!(inside(&in_flight), (1, 0));
    one.end();
    assert_eq!(inside(&in_flight), (0, 0));
}

/// The counts are written without read-modify-write: had one of them two writers, some of these
/// millions of changes would be lost.
#[test]
fn each_worker_writes_its_own_count_and_no_other() {
    const REQUESTS: u64 = 1_000_000;
    let in_flight = InFlight::default();
    let (done, all_done) = (std::sync::Barrier::new(5), std::sync::Barrier::new(5));
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (in_flight, done, all_done) = (&in_flight, &done, &all_done);
            scope.spawn(move || {
                let counter = in_flight.register();
                for _ in 0..REQUESTS {
                    counter.begin();
                    counter.begin();
                    counter.end();
                }
                for _ in 0..worker {
                    counter.begin_endless();
                }
                done.wait();
                all_done.wait();
            });
        }
        done.wait();
        assert_eq!(inside(&in_flight), (4 * REQUESTS, 1 + 2 + 3));
        all_done.wait();
    });
    assert_eq!(inside(&in_flight), (0, 0), "the workers are gone");
}

/// A counter stays on its worker's thread. This does not compile once it may leave: then the
/// trait would be implemented twice.
#[test]
fn a_counter_cannot_leave_its_thread() {
    trait StaysHere<Why> {
        fn check() {}
    }
    struct MayLeave;
    impl<T: ?Sized> StaysHere<()> for T {}
    impl<T: ?Sized + Send> StaysHere<MayLeave> for T {}
    <Counter as StaysHere<_>>::check();
}

#[test]
fn a_worker_that_is_gone_counts_no_more() {
    let in_flight = InFlight::default();
    let counter = in_flight.register();
    counter.begin();
    drop(counter);
    assert_eq!(inside(&in_flight), (0, 0));
}
