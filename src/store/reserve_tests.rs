use super::*;

#[test]
fn what_works_or_fails_for_another_reason_is_done_once() {
    let reserve = Reserve::of(2);
    for outcome in [Ok(1), Err("no")] {
        let mut times = 0;
        let done = reserve.spend_on(|| {
            times += 1;
            outcome
        });
        assert_eq!((done, times), (outcome, 1));
    }
    assert_eq!(reserve.held.lock().len(), if cfg!(unix) { 2 } else { 0 });
}
