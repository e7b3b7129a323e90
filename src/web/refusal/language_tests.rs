use super::*;

fn languages(own: &[(&str, &str)]) -> Result<Languages, String> {
    let own: Vec<(String, String)> = own
        .iter()
        .map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned()))
        .collect();
    Languages::read(&LanguageSettings::default(), &own).map_err(|error| error.to_string())
}

fn chosen(languages: &Languages, accepted: &str) -> String {
    let mut headers = HeaderMap::new();
    if !accepted.is_empty() {
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
    }
    languages.get(languages.negotiate(&headers)).tag.clone()
}

#[test]
fn people_are_answered_in_the_language_that_they_like_best() {
    let languages = languages(&[]).unwrap();
    for (accepted, expected) in [
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-CH-1996", "de"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("nl, fr;q=0.5, de;q=0.7", "de"),
        ("en;q=0.1, ja", "ja"),
        ("es;q=0, it;q=0.1", "it"),
        ("zh-CN", "zh"),
        ("zh-Hans-CN,zh;q=0.9", "zh"),
        ("zh-TW", "zh"),
        ("pt-BR,pt;q=0.9", "pt"),
        ("*", "en"),
        ("nl", "en"),
        ("nl, *;q=0.1", "en"),
        ("en;q=0, *", "de"),
        ("den", "en"),
        ("de;q=zwei, it", "it"),
        (";;;,,,", "en"),
        ("-", "en"),
        ("de-", "de"),
    ] {
        assert_eq!(chosen(&languages, accepted), expected, "{accepted}");
    }
}

#[test]
fn an_app_adds_a_language_and_changes_a_word() {
    let languages = languages(&[
        ("nl", "[refusal]\ntry_again = 'Opnieuw proberen'"),
        ("de", "[refusal]\ntry_again = 'Noch einmal'"),
        ("zh-Hant", "[refusal]\ntry_again = '重試'"),
        ("pt-BR", "[refusal]\ntry_again = 'Tente de novo'"),
        ("sr-Latn", ""),
    ])
    .unwrap();
    let text = |accepted: &str, key: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
        languages
            .get(languages.negotiate(&headers))
            .text("refusal", key)
            .to_owned()
    };
    assert_eq!(text("nl-BE", "try_again"), "Opnieuw proberen");
    assert_eq!(text("nl-BE", "offline_title"), "Down for maintenance");
    assert_eq!(text("de", "try_again"), "Noch einmal");
    assert_eq!(text("de", "offline_title"), "Wartungsarbeiten");
    assert_eq!(chosen(&languages, "zh-TW"), "zh-Hant");
    assert_eq!(chosen(&languages, "zh-HK, zh"), "zh-Hant");
    assert_eq!(chosen(&languages, "zh-CN"), "zh");
    assert_eq!(chosen(&languages, "pt-BR"), "pt-BR");
    assert_eq!(chosen(&languages, "pt"), "pt");
    assert_eq!(chosen(&languages, "sr"), "sr-Latn");
}

#[test]
fn a_catalogue_that_does_not_fit_is_told_of() {
    for (tag, text, expected) in [
        ("nl", "[refusal", "cannot be understood"),
        ("nl", "[refusal]\ntitel = 'x'", "`refusal.titel`"),
        ("nl", "[page]\ntitle = 'x'", "`page.title`"),
        (
            "nl",
            "[refusal]\nback_at = 'Terug om {tijd}.'",
            "[tijd]; they must be [time]",
        ),
        ("nl", "direction = 'up'", "`direction`"),
        ("nl_BE", "", "language tag"),
        ("", "", "language tag"),
    ] {
        let error = languages(&[(tag, text)]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn settings_name_languages_that_there_are() {
    let mut settings = LanguageSettings {
        default: "de-AT".to_owned(),
        ..LanguageSettings::default()
    };
    let languages = Languages::read(&settings, &[]).unwrap();
    assert_eq!(chosen(&languages, ""), "de");
    assert_eq!(chosen(&languages, "fr"), "fr");
    assert!(languages.are_negotiated());

    settings.force = Some("xx".to_owned());
    let error = Languages::read(&settings, &[]).unwrap_err().to_string();
    assert!(
        error.contains("language.force") && error.contains("ja"),
        "{error}"
    );

    settings.force = Some("it".to_owned());
    let languages = Languages::read(&settings, &[]).unwrap();
    assert_eq!(languages.get(languages.default()).tag, "it");
    assert!(!languages.are_negotiated());
}

#[test]
fn every_catalogue_has_every_text_with_the_same_placeholders() {
    let files: Vec<(&str, CatalogueFile)> = EMBEDDED
        .iter()
        .map(|(tag, text)| (*tag, toml::from_str(text).unwrap()))
        .collect();
    let (_, english) = &files[0];
    assert!(english.sections.values().map(BTreeMap::len).sum::<usize>() >= 10);
    for (tag, file) in &files {
        assert!(!file.name.is_empty());
        assert!(file.sections.keys().eq(english.sections.keys()), "{tag}");
        for (section, texts) in &english.sections {
            for (key, text) in texts {
                let place = format!("{tag}: {section}.{key}");
                let translated = file.sections[section].get(key);
                let translated = translated.unwrap_or_else(|| panic!("{place} is missing"));
                assert!(!translated.trim().is_empty(), "{place}");
                assert_eq!(placeholders(translated), placeholders(text), "{place}");
            }
            let extra: Vec<_> = file.sections[section]
                .keys()
                .filter(|key| !texts.contains_key(*key))
                .collect();
            assert!(extra.is_empty(), "{tag}: {section}: {extra:?}");
        }
    }
}
