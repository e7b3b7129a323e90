use super::*;

fn hello(mode: &str, role: &str) -> Value {
    let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    Value::Array(vec![
        text("proto"),
        Value::Int(2),
        text("mode"),
        text(mode),
        text("role"),
        text(role),
        text("modules"),
        Value::Array(Vec::new()),
    ])
}

#[test]
fn only_a_primary_that_stands_alone_will_do() {
    assert_eq!(judge(&hello("standalone", "master")), Ok(()));
    assert_eq!(judge(&Value::Nil), Ok(()));
    for (mode, role, part) in [
        ("standalone", "replica", "read-only replica"),
        ("standalone", "slave", "read-only replica"),
        ("cluster", "master", "Redis Cluster"),
        ("sentinel", "sentinel", "a Sentinel"),
    ] {
        let error = judge(&hello(mode, role)).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
