use super::*;

#[test]
fn a_name_and_a_holder_have_1_to_120_bytes() {
    for text in ["x".repeat(120), "\u{e4}".repeat(60), "\0\n/..".to_owned()] {
        let lease = Lease::new(text.clone(), text.clone(), "content").unwrap();
        assert_eq!((lease.name(), lease.holder()), (&*text, &*text));
        assert_eq!(lease.content(), b"content");
    }
    for (text, length) in [(String::new(), 0), ("x".repeat(121), 121)] {
        let error = Lease::new(text.clone(), "holder", "").unwrap_err();
        let expected =
            format!("{text:?} as the name of a lease: it has {length} bytes; give it 1 to 120");
        assert!(error.to_string().contains(&expected), "{error}");
        let error = Lease::new("name", text, "").unwrap_err();
        assert!(
            error.to_string().contains("the holder of a lease"),
            "{error}"
        );
    }
}

#[test]
fn a_content_has_at_most_1_mebibyte() {
    let lease = Lease::new("name", "holder", vec![0; 1024 * 1024]).unwrap();
    let error = lease.with_content(vec![0; 1024 * 1024 + 1]).unwrap_err();
    assert!(error.to_string().contains("tell less"), "{error}");
}

#[test]
fn a_time_to_live_is_never_nothing_and_never_forever() {
    let second = Duration::from_secs(1);
    assert_eq!(bounded(second), second);
    assert_eq!(bounded(Duration::ZERO), Duration::from_millis(1));
    assert_eq!(
        bounded(Duration::MAX),
        Duration::from_secs(365 * 24 * 60 * 60)
    );
}
