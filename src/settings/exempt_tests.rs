use super::*;
use crate::settings::{check::check, *};

#[test]
fn api_keys_need_a_place_and_a_length() {
    let faults = |api_key: ApiKeySettings| -> Vec<String> {
        let mut settings = Settings::default();
        settings.exempt.api_key = Some(api_key);
        check(&settings).iter().map(ToString::to_string).collect()
    };
    let good = ApiKeySettings {
        keys: vec!["12345678".to_owned()],
        ..ApiKeySettings::default()
    };
    assert_eq!(faults(good.clone()), [""; 0]);
    assert_eq!(
        faults(ApiKeySettings::default()),
        ["`exempt.api_key.keys`: give at least one key, of 8 characters or more"]
    );
    assert_eq!(
        faults(ApiKeySettings {
            header: None,
            keys: vec!["1234567".to_owned(), "12345678 ".to_owned()],
            ..good.clone()
        }),
        [
            "`exempt.api_key`: a request can carry a key nowhere; give `header`, `query` or \
             both",
            "`exempt.api_key.keys`, item 1: the key is short; give 8 characters or more",
            "`exempt.api_key.keys`, item 2: remove white space around the key and control \
             characters in it",
        ]
    );
    assert_eq!(
        faults(ApiKeySettings {
            header: Some("no header".to_owned()),
            query: Some(String::new()),
            ..good
        })
        .len(),
        2
    );
}
