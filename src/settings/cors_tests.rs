use super::*;
use crate::settings::{
    Settings,
    values::tests::{accepted, refused},
};

#[test]
fn origins_are_written_as_browsers_send_them() {
    accepted(
        origin_fault,
        &[
            "https://app.example.com",
            "http://localhost:3000",
            "https://app.example.com:8443",
            "http://[::1]:3000",
            "http://192.0.2.7",
            "https://xn--bcher-kva.example",
            "capacitor://localhost",
            "chrome-extension://gighmmpiobklfepjocnamgkkbiglidom",
        ],
    );
    refused(
        origin_fault,
        &[
            ("null", "sandboxed"),
            ("*", "cors = \"*\""),
            ("https://*.example.com", "stars"),
            ("https://bücher.example", "xn--"),
            ("https://App.example.com", "lower case"),
            ("app.example.com", "no scheme"),
            ("https://app.example.com/", "without a slash"),
            ("https://app.example.com/shop", "without a slash"),
            ("https://app.example.com?x", "without a slash"),
            ("https://app.example.com:443", "usual port"),
            ("http://app.example.com:80", "usual port"),
            ("https://me@app.example.com", "give an origin"),
            ("https://", "give an origin"),
            ("https://app.example.com:", "give an origin"),
            ("https://app.example.com:x", "give an origin"),
            ("https://a b", "give an origin"),
            ("", "no scheme"),
        ],
    );
}

#[test]
fn it_is_a_list_or_a_star() {
    let read = |line: &str| Settings::from_toml(&format!("[response]\n{line}\n"));
    let cors = |line: &str| read(line).unwrap().response.cors;
    assert_eq!(cors(""), CorsSetting::Named(Vec::new()));
    assert_eq!(cors("cors = []"), CorsSetting::Named(Vec::new()));
    assert_eq!(cors("cors = \"*\""), CorsSetting::Any);
    let named = vec!["https://a.example".to_owned()];
    assert_eq!(
        cors("cors = [\"https://a.example\"]"),
        CorsSetting::Named(named)
    );
    for (line, part) in [
        ("cors = \"https://a.example\"", "give a list of origins"),
        ("cors = true", "give a list of origins"),
        ("cors = [\"*\"]", "cors = \"*\""),
        ("cors = [\"https://a.example/\"]", "without a slash"),
    ] {
        let error = read(line).unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
        assert!(error.contains("response.cors"), "{line}: {error}");
    }
}
