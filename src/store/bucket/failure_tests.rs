use super::*;

#[test]
fn a_missing_bucket_is_no_missing_object() {
    let missing = |text: &str| Error::NotFound {
        path: "a".to_owned(),
        source: text.to_owned().into(),
    };
    assert!(is_no_bucket(&missing("<Code>NoSuchBucket</Code>")));
    assert!(is_conflict(&missing("<Code>NoSuchKey</Code>")));
    assert!(told(&missing("NoSuchBucket")).contains("make it"));
    assert!(is_permanent(&missing("NoSuchBucket")));
    assert!(!is_permanent(&missing("NoSuchKey")));
}

#[test]
fn signatures_in_urls_are_not_told() {
    let error = Error::Generic {
        store: "S3",
        source: "error sending (https://h/b?sig=geheim) twice".into(),
    };
    let text = told(&error);
    assert!(!text.contains("geheim"), "{text}");
    assert!(text.contains("(https://h/b) twice"), "{text}");
}
