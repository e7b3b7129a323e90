use super::*;

#[test]
fn a_token_is_shown_nowhere() {
    let token = Token::new("mmt_secret\n", "MAINTENANCE_TOKEN").unwrap();
    assert_eq!(token.header(), "Bearer mmt_secret");
    assert!(!format!("{token:?} {:?}", token.header()).contains("secret"));
    for wrong in [
        "mmt_sec ret",
        "mmt_secret\nmmt_other",
        "mmt_sécret",
        "mmt_secret\u{7f}",
    ] {
        let error = Token::new(wrong, "MAINTENANCE_TOKEN").unwrap_err();
        assert!(!error.contains("cret"), "{error}");
        assert!(
            error.starts_with("MAINTENANCE_TOKEN holds no token"),
            "{error}"
        );
    }
}

#[test]
fn what_is_empty_is_no_token() {
    for empty in ["", " \n"] {
        let error = Token::new(empty, "MAINTENANCE_TOKEN").unwrap_err();
        assert!(error.starts_with("MAINTENANCE_TOKEN is empty"), "{error}");
    }
}

#[test]
fn a_file_that_everybody_can_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "mmt_secret\n").unwrap();
    for (mode, is_told) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (token, note) = Token::read(&path).unwrap();
        assert_eq!(token.header(), "Bearer mmt_secret");
        assert_eq!(note.is_some(), is_told, "{mode:o}: {note:?}");
    }
    fs::write(&path, "x".repeat(5000)).unwrap();
    assert!(Token::read(&path).unwrap_err().contains("too long"));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(Token::read(&path).unwrap_err().contains("cannot be read"));
    assert!(
        Token::read(folder.path())
            .unwrap_err()
            .contains("cannot be read")
    );
}
