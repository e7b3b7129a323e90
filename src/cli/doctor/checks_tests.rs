use super::{super::finding::Verdict, *};
use crate::web::maintenance::Maintenance;

async fn status() -> Status {
    let builder = Maintenance::builder().settings(Settings::default());
    builder.store("memory:").build().await.unwrap().status()
}

#[tokio::test]
async fn a_clock_is_right_within_two_seconds_and_unknown_where_there_is_none() {
    let mut status = status().await;
    for (ahead, verdict, says) in [
        (None, Verdict::Unknown, "the store has none to compare with"),
        (Some(-1999), Verdict::Right, "shows the same time"),
        (Some(2001), Verdict::Wrong, "2 s ahead of the store's"),
        (
            Some(-90_000),
            Verdict::Wrong,
            "1 min 30 s behind the store's",
        ),
    ] {
        status.store.clock_ahead_ms = ahead;
        let found = of_clock(&status);
        assert_eq!(found.verdict, verdict, "{ahead:?}");
        assert!(found.says.contains(says), "{found:?}");
        assert_eq!(found.remedy.is_some(), verdict == Verdict::Wrong);
    }
}

#[test]
fn what_takes_long_is_told() {
    let found = timed("store", "it is read", Duration::from_millis(2000), "");
    assert_eq!(found, Finding::right("store", "it is read in 2000 ms"));
    let found = timed("store", "it is read", Duration::from_millis(2001), "");
    assert_eq!(found.verdict, Verdict::Wrong);
    assert!(
        found.says.ends_with("in 2001 ms, which is slow"),
        "{found:?}"
    );
}

#[test]
fn a_token_is_told_of_two_weeks_before_it_expires() {
    let now: Timestamp = "2026-03-27T12:00Z".parse().unwrap();
    let found = |expires: &str| {
        let mut settings = Settings::default();
        let hash = format!("sha256:{}", "5".repeat(64));
        let mut token = crate::settings::TokenSettings::new("deploy", hash);
        token.expires = expires.parse().ok();
        settings.admin.tokens = vec![token];
        of_tokens(&settings, now, &TimeZone::UTC).remove(0)
    };
    for (expires, verdict, says) in [
        (
            "",
            Verdict::Right,
            "1 token, none of which expires within 14 days",
        ),
        ("2026-04-10T12:00Z", Verdict::Right, "within 14 days"),
        (
            "2026-04-10T11:59Z",
            Verdict::Wrong,
            "deploy expires: 2026-04-10 11:59:00 +00:00 (in 13 d 23 h)",
        ),
        ("2026-03-27T12:00Z", Verdict::Wrong, "deploy has expired"),
    ] {
        let found = found(expires);
        assert_eq!(found.verdict, verdict, "{expires}");
        assert!(found.says.contains(says), "{found:?}");
    }
}
