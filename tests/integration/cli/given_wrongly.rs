//! Names and numbers given wrongly, and variables that others have set.

use super::{Operator, Ran};

#[test]
fn the_last_none_of_the_history_are_a_usage_error() {
    let operator = Operator::new();
    operator.done(&["on"]);
    for number in ["0", "-1", "many"] {
        let ran = operator.fails(2, &["history", &format!("--last={number}")]);
        assert!(ran.err.contains("--last"), "{ran:?}");
    }
    let ran = operator.done(&["--json", "history", "--last", "1"]);
    assert_eq!(ran.json()["history"].as_array().unwrap().len(), 1);
}

fn with(operator: &Operator, variables: &[(&str, &str)]) -> Ran {
    let mut command = operator.command(&["on"]);
    for (name, value) in variables {
        command.env(name, value);
    }
    Ran::of(command)
}

#[test]
fn an_empty_store_is_that_of_the_file_or_the_default_one() {
    let operator = Operator::with_settings("store = \"file:shop.state\"");
    let ran = with(&operator, &[("MAINTENANCE_STORE", "")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(operator.exists("shop.state"));
    let operator = Operator::new();
    let ran = with(&operator, &[("MAINTENANCE_STORE", " ")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(operator.exists("maintenance.state"));
}

#[test]
fn what_links_between_containers_inject_does_not_stop_a_start() {
    // What `--link maintenance` and `--link db:maintenance_db` set.
    let ran = with(
        &Operator::new(),
        &[
            ("MAINTENANCE_NAME", "/web/maintenance"),
            ("MAINTENANCE_PORT", "tcp://172.17.0.5:80"),
            ("MAINTENANCE_PORT_80_TCP", "tcp://172.17.0.5:80"),
            ("MAINTENANCE_PORT_80_TCP_PROTO", "tcp"),
            ("MAINTENANCE_ENV_PATH", "/usr/bin"),
            ("MAINTENANCE_ENV_HTTP__PROXY", "x"),
            ("MAINTENANCE_DB_NAME", "/web/maintenance_db"),
            ("MAINTENANCE_DB_PORT_5432_TCP_ADDR", "172.17.0.6"),
            ("MAINTENANCE_DB_ENV_POSTGRES_PASSWORD", "x"),
        ],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // A slip of the pen still does.
    let ran = with(&Operator::new(), &[("MAINTENANCE_STORE_NAME", "x")]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("MAINTENANCE_STORE_NAME"), "{ran:?}");
}

#[test]
fn a_pattern_that_can_match_no_address_stops_the_start_and_says_what_would() {
    let mode = "[[mode]]\nkey = \"site\"\n[mode.exempt]\naddress_patterns = ['10\\.']\n";
    let settings = format!("[exempt]\naddress_patterns = ['^127\\.0\\.', '^127\\..*']\n{mode}");
    let ran = Operator::with_settings(&settings).fails(1, &["on"]);
    assert!(ran.err.contains("2 faults"), "{ran:?}");
    for key in ["exempt.address_patterns", "mode[0].exempt.address_patterns"] {
        assert!(ran.err.contains(key), "{ran:?}");
    }
    assert!(ran.err.contains("must match the whole of one"), "{ran:?}");
}
