use super::*;

#[test]
fn each_answer_of_a_server_says_what_to_do() {
    for (code, part, is_permanent) in [
        ("28P01", "`~/.pgpass`", true),
        ("28000", "`pg_hba.conf`", true),
        ("3D000", "make it", true),
        ("42501", "`maintenance export postgres`", true),
        ("42703", "search_path", true),
        ("25006", "is a standby", false),
        ("53300", "`max_connections`", false),
        ("53100", "disk is full", false),
        ("57P03", "answers when it is done", false),
        ("57014", "`statement_timeout`", false),
        ("XX000", "the server answers: for a reason", false),
    ] {
        let reason = by_code(&SqlState::from_code(code), "for a reason");
        assert!(reason.text.contains(part), "{code}: {}", reason.text);
        assert_eq!(reason.is_permanent, is_permanent, "{code}");
    }
}
