use std::time::Duration;

use super::*;
use crate::settings::{
    conversions::{duration, number, text},
    source::{Source, overlay},
};

/// Reads an array of tables beside a plain section, as later settings do.
fn read(text: &str, variables: &[(&str, &str)]) -> (Vec<(String, i64)>, Vec<String>) {
    let mut faults = Vec::new();
    let mut entries = Source { text, path: None }.entries(&mut faults);
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    overlay(&mut entries, variables, &mut faults);
    let mut reader = Reader::default();
    let modes = reader.read(entries, |root| {
        root.section("drain", |drain| {
            drain.value("timeout", duration, Duration::ZERO)
        });
        root.sections("mode", |mode| {
            let key = mode.value("key", text_kind, "site".to_owned());
            (key, mode.value("order", number("give a whole number"), 0))
        })
    });
    faults.extend(reader.finish().0);
    (modes, faults.iter().map(ToString::to_string).collect())
}

fn text_kind(value: &Value) -> Result<String, Expected> {
    text(value)
}

#[test]
fn an_array_of_tables_is_read_in_order() {
    let (modes, faults) = read("[[mode]]\nkey = \"a\"\n[[mode]]\norder = 2\n", &[]);
    assert_eq!(modes, [("a".to_owned(), 0), ("site".to_owned(), 2)]);
    assert_eq!(faults, [""; 0]);
}

#[test]
fn faults_in_an_array_of_tables_say_which_one() {
    let (_, faults) = read("[[mode]]\n[[mode]]\nkei = 1\norder = \"x\"\n", &[]);
    assert_eq!(
        faults,
        [
            "line 4: `mode[1].order` is `x`: give a whole number",
            "line 3: unknown key `mode[1].kei`, did you mean `mode.key`?",
        ]
    );
    let (_, faults) = read("mode = [1]\n", &[]);
    assert_eq!(
        faults,
        ["line 1: `mode`: give an array of tables, each under `[[mode]]`"]
    );
}

#[test]
fn an_array_of_tables_can_be_a_variable_but_not_a_part_of_it() {
    let variable = ("MAINTENANCE_MODE", r#"[{ key = "b" }, { order = 3 }]"#);
    let (modes, faults) = read("[[mode]]\n", &[variable]);
    assert_eq!(modes, [("b".to_owned(), 0), ("site".to_owned(), 3)]);
    assert_eq!(faults, [""; 0]);
    let (modes, faults) = read("[[mode]]\n", &[("MAINTENANCE_MODE__KEY", "c")]);
    assert_eq!(modes.len(), 1);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("set it as a whole"), "{}", faults[0]);
}

#[test]
fn keys_of_absent_sections_are_known() {
    let (_, faults) = read("tiemout = 1\n", &[]);
    assert_eq!(
        faults,
        ["line 1: unknown key `tiemout`, did you mean `drain.timeout`?"]
    );
    let (_, faults) = read("[zzz]\na = 1\n", &[]);
    assert_eq!(
        faults,
        ["line 1: unknown key `zzz`; known here: drain, mode"]
    );
}

#[test]
fn durations_are_seconds_or_words() {
    let read = |text: &str| {
        duration(&Value::Text(text.to_owned()))
            .ok()
            .map(|d| d.as_secs())
    };
    assert_eq!(read("1h"), Some(3600));
    assert_eq!(read("90s"), Some(90));
    assert_eq!(read("2h 30m"), Some(9000));
    assert_eq!(read("1d"), Some(86_400));
    assert_eq!(read("0"), Some(0));
    assert_eq!(read("0s"), Some(0));
    for text in [
        "",
        "-1h",
        "1h ago",
        "1.5s",
        "1 month",
        "soon",
        "-5",
        "9999999999999999999h",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    let seconds = |number| duration(&Value::Integer(Some(number), String::new())).ok();
    assert_eq!(seconds(60), Some(Duration::from_secs(60)));
    assert_eq!(seconds(-60), None);
    assert!(duration(&Value::Boolean(true)).is_err());
}
