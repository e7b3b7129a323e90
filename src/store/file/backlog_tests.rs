use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn nobody_is_let_in_while_earlier_work_hangs() {
    let backlog = Backlog::new(5 * SECOND);
    let start = Instant::now();
    let first = backlog.begin(start).unwrap();
    let second = backlog.begin(start + 4 * SECOND).unwrap();
    for seconds in [5, 6, 100] {
        let error = backlog.begin(start + seconds * SECOND).unwrap_err();
        assert_eq!(error, seconds * SECOND);
    }
    drop(first);
    let third = backlog.begin(start + 8 * SECOND).unwrap();
    backlog.begin(start + 9 * SECOND).unwrap_err();
    drop(second);
    backlog.begin(start + 9 * SECOND).unwrap();
    drop(third);
    assert_eq!(backlog.begun.lock().len(), 0);
}
