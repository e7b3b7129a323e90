use super::*;

fn faults(toml: &str) -> String {
    let settings = Settings::from_toml(toml);
    settings.map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn what_is_wrong_is_said_and_no_secret() {
    for (toml, said) in [
        ("url = \"ftp://a\"", "give a URL"),
        ("url = \"https://user:geheim@a\"", "not sent"),
        ("url = \"https://a\"\nsecret = \"geheim\"", "whsec_"),
        (
            "url = \"https://a\"\nsecret = \"whsec_Z2VoZWlt\"",
            "6 bytes",
        ),
        (
            "url = \"https://a\"\nevents = [\"opn\"]",
            "give some of planned",
        ),
        (
            "url = \"https://a\"\nmodes = [\"shop\"]",
            "no mode has this key",
        ),
        (
            "url = \"https://a\"\nurl_file = \"/gone\"",
            "cannot be read",
        ),
        (
            "kind = \"alertmanager\"\nurl = \"https://a\"",
            "which alerts",
        ),
        (
            "kind = \"alertmanager\"\nurl = \"https://a\"\nmatchers = [\"a=~\\\".*\\\"\"]",
            "every alert",
        ),
        ("kind = \"mail\"\nurl = \"https://a\"", "webhook"),
        (
            "url = \"https://a\"\n[[notice]]\nurl = \"https://a/b\"",
            "its own `name`",
        ),
    ] {
        let told = faults(&format!("[[notice]]\n{toml}\n"));
        assert!(told.contains(said), "{toml}: {told}");
        assert!(!told.contains("geheim") && !told.contains("Z2Vo"), "{told}");
    }
    let settings = Settings::from_toml(
        "[[notice]]\nurl = \"https://hooks.example.com:8443/T0/geheim\"\nsecret = \
         \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n",
    );
    let settings = settings.unwrap();
    assert_eq!(
        settings.notices[0].called(),
        "webhook hooks.example.com:8443"
    );
    let shown = format!("{settings:?}");
    assert!(
        !shown.contains("geheim") && !shown.contains("MfKQ"),
        "{shown}"
    );
}
