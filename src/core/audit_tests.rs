use super::*;

#[test]
fn a_line_is_one_line_whatever_is_in_it() {
    let author = Author {
        by: Some("mal\u{1b}[2Jlory\nroot \u{202e}gnol\u{7f}\u{85}\u{2028}".to_owned()),
        how: How::Api,
        address: Some("192.0.2.7".parse().unwrap()),
    };
    let entry = AuditEntry::new(event::ON, &author, Timestamp::UNIX_EPOCH);
    let entry = entry
        .of_mode(Some("site"))
        .ending(AuditOutcome::Refused, "a\r\nb");
    let line = entry.line();
    assert_eq!(line.matches('\n').count(), 1);
    assert!(
        line.trim_end()
            .bytes()
            .all(|byte| (0x20..0x7f).contains(&byte)),
        "{line}"
    );
    assert_eq!(AuditEntry::read(&line), Some(entry));
    assert_eq!(
        line,
        "{\"at\":\"1970-01-01T00:00:00Z\",\"event\":\"on\",\"outcome\":\"refused\",\"mode\":\"site\",\
         \"by\":\"mal\\u001b[2Jlory\\nroot \\u202egnol\\u007f\\u0085\\u2028\",\"how\":\"api\",\
         \"address\":\"192.0.2.7\",\"node\":\"\",\"why\":\"a\\r\\nb\"}\n"
    );
}

#[test]
fn a_line_of_a_newer_version_is_read() {
    let line = "{\"at\":\"1970-01-01T00:00:00Z\",\"event\":\"grant-made\",\"how\":\"api\",\"grant\":\"x\"}";
    assert_eq!(AuditEntry::read(line).unwrap().event, "grant-made");
    assert_eq!(AuditEntry::read(&line[..40]), None);
}
