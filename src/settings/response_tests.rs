use std::{fs, time::Duration};

use super::*;
use crate::settings::{
    values::tests::{accepted, refused},
    *,
};

#[test]
fn responses_are_refusals() {
    for (status, fits) in [
        (399, false),
        (400, true),
        (599, true),
        (600, false),
        (200, false),
    ] {
        let mut settings = Settings::default();
        settings.response.status = status;
        assert_eq!(settings.check().is_ok(), fits, "{status}");
    }
    assert_eq!(retry_after_fault(Duration::ZERO), None);
    assert_eq!(retry_after_fault(LONGEST_RETRY_AFTER), None);
    assert!(retry_after_fault(LONGEST_RETRY_AFTER + Duration::from_secs(1)).is_some());
    assert!(retry_after_fault(Duration::from_millis(1500)).is_some());
    refused(message_fault, &[("", "text"), (" ", "text")]);
}

#[test]
fn templates_are_inside_their_folder() {
    accepted(template_fault, &["503.html", "errors/503.html"]);
    for name in ["", "/503.html", "../503.html", "a/../b", "a/", ".", "a\nb"] {
        refused(template_fault, &[(name, "503.html")]);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(folder_fault(folder.path()), None);
    assert!(folder_fault(&file).unwrap().contains("not a folder"));
    assert!(
        folder_fault(&folder.path().join("none"))
            .unwrap()
            .contains("existing folder")
    );
}
