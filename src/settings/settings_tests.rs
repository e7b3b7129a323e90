use super::*;

#[test]
fn defaults_pass_their_own_check() {
    assert_eq!(
        Settings::default().check().map_err(|e| e.to_string()),
        Ok(())
    );
}

#[test]
fn debug_hides_api_keys_and_the_stores_password() {
    let mut settings = Settings {
        store: "redis://app:geheimnis@cache/1".to_owned(),
        ..Settings::default()
    };
    settings.exempt.api_key = Some(ApiKeySettings {
        keys: vec!["sesame-open-up".to_owned()],
        ..ApiKeySettings::default()
    });
    let shown = format!("{settings:?} {settings:#?}");
    assert!(!shown.contains("sesame"), "{shown}");
    assert!(!shown.contains("geheimnis"), "{shown}");
    assert!(shown.contains("[1 hidden]"), "{shown}");
    assert!(shown.contains("cache/1"), "{shown}");
}
