use actix_web::http::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderValue};
use proptest::prelude::*;

use super::*;

#[test]
fn what_is_whole_holds_together() {
    state_document(
        br#"{"format": 1, "generation": 3, "modes": {"site": {"switch": {"on": {}},
            "windows": [{"id": "a", "start": "2026-03-29T01:30:00Z", "end": null}]}}}"#,
    );
    state_document(br#"{"start": "2026-03-29T03:30", "end": "2026-03-29T04:30"}"#);
    lease_file(
        b"{\"name\":\"node/a\",\"holder\":\"h\",\"time_to_live_ms\":15000,\
          \"renewed_at\":\"2026-03-29T01:30:00Z\"}\ncontent",
    );
    // By hand a name may be longer than that of any lease.
    let name = "ä".repeat(100);
    let long =
        r#"{"name":"NAME","holder":"h","time_to_live_ms":1,"renewed_at":"2026-03-29T01:30:00Z"}"#;
    lease_file(format!("{}\n", long.replace("NAME", &name)).as_bytes());
    times_and_cron("2026-10-25T02:30\n2h\n30 2 * * 7\nEurope/Rome");
    times_and_cron("\n\n* * * * 2");
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/plain"));
    headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("de-AT"));
    assert_eq!(negotiate(&headers), ResponseFormat::Text);
    assert_eq!(language(&headers), "de");
    assert!(languages().any(|tag| tag == "en"));
    let peer = IpAddr::from([10, 0, 0, 1]);
    assert_eq!(client_address(peer, &headers, &["10.0.0.0/8"]), Some(peer));
}

proptest! {
    #[test]
    fn nothing_makes_them_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), text in ".{0,60}") {
        state_document(&bytes);
        lease_file(&bytes);
        times_and_cron(&text);
    }
}
