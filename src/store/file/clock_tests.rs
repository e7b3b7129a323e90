use super::*;

#[cfg(target_os = "linux")]
#[test]
fn the_time_since_the_start_goes_on_and_names_its_clock() {
    let clock = system();
    let first = clock().since_start.unwrap();
    let second = clock().since_start.unwrap();
    assert!(second.elapsed >= first.elapsed);
    assert!(first.elapsed > Duration::ZERO);
    assert_eq!(first.clock, second.clock);
    assert!(first.clock.len() > 36, "{:?}", first.clock);
}
