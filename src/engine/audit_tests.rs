use jiff::Timestamp;

use super::*;

fn entry(by: &str) -> AuditEntry {
    let author = Author {
        by: Some(by.to_owned()),
        ..Author::default()
    };
    AuditEntry::new(event::ON, &author, Timestamp::UNIX_EPOCH).of_mode(Some("site"))
}

fn names(audit: &Audit) -> Vec<String> {
    let entries = audit.latest(100, |_| true).unwrap().unwrap();
    entries.into_iter().filter_map(|entry| entry.by).collect()
}

#[tokio::test]
async fn a_file_that_is_renamed_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(Some(&path), "node".to_owned()).unwrap();
    audit.note(entry("one"));
    audit.written().await;
    assert_eq!(names(&audit), ["one"]);
    std::fs::rename(&path, folder.path().join("audit.jsonl.1")).unwrap();
    audit.note(entry("two"));
    audit.written().await;
    assert_eq!(names(&audit), ["two"]);
    let kept = std::fs::read_to_string(folder.path().join("audit.jsonl.1")).unwrap();
    assert!(kept.contains("\"one\"") && !kept.contains("\"two\""));
    assert!(kept.contains("\"node\":\"node\""));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0);
    }
}

#[tokio::test]
async fn a_line_that_a_crash_has_cut_off_swallows_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    std::fs::write(&path, format!("{}{{\"at\":\"19", entry("one").line())).unwrap();
    let audit = Audit::start(Some(&path), "node".to_owned()).unwrap();
    audit.note(entry("two"));
    audit.written().await;
    assert_eq!(names(&audit), ["one", "two"]);
}

#[tokio::test]
async fn what_cannot_be_written_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("audit.jsonl");
    let audit = Audit::start(Some(&path), "node".to_owned()).unwrap();
    audit.note(entry("one"));
    audit.written().await;
    let error = audit.status().unwrap().error.unwrap();
    assert!(error.contains("cannot write the audit"), "{error}");
    std::fs::create_dir(folder.path().join("gone")).unwrap();
    audit.note(entry("two"));
    audit.written().await;
    assert_eq!(names(&audit), ["one", "two"]);
    assert_eq!(audit.status().unwrap().error, None);
}

#[test]
fn a_flood_of_tries_leaves_room_for_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = Audit::start(Some(&path), "node".to_owned()).unwrap();
    for _ in 0..100_000 {
        audit.note_try(entry("stranger"));
    }
    audit.note(entry("alice"));
    pollster::block_on(async {
        let (reply, written) = oneshot::channel();
        let file = audit.file.as_ref().unwrap();
        file.orders.send(Order::Tell(reply)).unwrap();
        written.await.unwrap();
    });
    let names = names(&audit);
    assert_eq!(names.last().map(String::as_str), Some("alice"));
    assert!(names.len() < 400, "{}", names.len());
    assert_eq!(audit.status().unwrap().lost, 0);
}
