use super::*;

#[test]
fn requests_wait_from_a_second_to_an_hour() {
    for (seconds, is_right) in [(0, false), (1, true), (3600, true), (3601, false)] {
        let mut settings = Settings::default();
        settings.park.longest = Duration::from_secs(seconds);
        let found = settings.check();
        assert_eq!(found.is_ok(), is_right, "{seconds}");
        if let Err(faults) = found {
            assert!(faults.to_string().contains("park.longest"), "{faults}");
        }
    }
}

#[test]
fn nobody_may_wait_at_all() {
    let settings = Settings::from_toml("[park]\nlongest = \"5s\"\nmost = 0\n").unwrap();
    assert_eq!(settings.park.most, 0);
    assert_eq!(settings.park.longest, Duration::from_secs(5));
    let fault = Settings::from_toml("[park]\nmost = -1\n").unwrap_err();
    assert!(fault.to_string().contains(MOST_EXPECTED), "{fault}");
}
