use ::redis::make_extension_error;

use super::*;

#[test]
fn each_answer_of_a_server_says_what_to_do() {
    for (code, part) in [
        ("NOAUTH", "redis://user:password@host"),
        ("WRONGPASS", "redis://user:password@host"),
        ("OOM", "`maxmemory`"),
        ("BUSY", "SCRIPT KILL"),
        ("MISCONF", "free some space"),
        ("NOREPLICAS", "min-replicas-to-write"),
        ("WRONGTYPE", "begins with `shop:`"),
        ("STRANGE", "the server answers: "),
    ] {
        let error = make_extension_error(code.to_owned(), Some("for a reason".to_owned()));
        let text = told(&error, "shop");
        assert!(text.contains(part), "{code}: {text}");
        let waits = ["OOM", "BUSY", "MISCONF", "NOREPLICAS", "STRANGE"].contains(&code);
        assert_eq!(reason(&error, "shop").is_permanent, !waits, "{code}");
    }
    assert!(of_role(CLUSTER).is_permanent);
    assert!(!of_role(REPLICA).is_permanent);
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    assert!(told(&refused.into(), "shop").contains("nothing listens there"));
    let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
    assert!(told(&late.into(), "shop").contains("in time"));
}
