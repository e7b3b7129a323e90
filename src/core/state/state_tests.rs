//! What the state document promises. Values are made from JSON, as they come from a store, so that
//! a field that is added later needs no change here.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::core::{
    phase::{Phase, Standing},
    state::{decode::DecodeError, switch::Draining},
};

/// An instant on a small time line: so many seconds after an epoch that no test cares about.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn of<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn window(start: Option<i64>, end: Option<i64>) -> Window {
    of(json!({"id": "w", "start": start.map(at), "end": end.map(at)}))
}

fn on(until: Option<i64>) -> Switch {
    of(json!({"on": {"since": at(0), "until": until.map(at)}}))
}

fn mode(switch: Switch, windows: &[Window]) -> ModeState {
    ModeState {
        switch,
        windows: windows.to_vec(),
        ..ModeState::default()
    }
}

fn with_site(state: &ModeState) -> Document {
    let mut document = Document::default();
    document
        .modes
        .insert(DEFAULT_MODE.to_owned(), state.clone());
    document
}

fn site(document: &Document) -> ModeState {
    document.mode(DEFAULT_MODE).cloned().unwrap_or_default()
}

/// A document as operations get it: what is over is settled first.
fn settled(document: &Document, now: Timestamp) -> Document {
    crate::core::state::settle::settled(document, now).unwrap_or_else(|| document.clone())
}

/// When to look at a mode again.
fn next_edge(state: &ModeState, now: Timestamp) -> Option<Timestamp> {
    state.edges().filter(|edge| *edge > now).min()
}

fn decode(text: &str) -> Result<Document, DecodeError> {
    Document::decode(text.as_bytes(), None)
}

fn rome() -> TimeZone {
    TimeZone::get("Europe/Rome").unwrap()
}

mod reading {
    use super::*;

    #[test]
    fn plain_words_are_on_or_off_whatever_is_around_them() {
        for text in [
            "0",
            "off",
            "OFF",
            "Off\r\n",
            "false",
            "False",
            "",
            " ",
            "\n",
            "\r\n\t ",
            "\u{feff}",
            "\u{feff}0\n",
            "  0  ",
        ] {
            let document = decode(text).unwrap();
            assert_eq!(document, Document::default(), "{text:?}");
        }
        for text in [
            "1",
            "on",
            "on\n",
            "ON\r\n",
            "On",
            "true",
            "True",
            "TRUE\n\n",
            "\u{feff}on",
            "\u{feff} on\r\n",
            "\t1 \n",
        ] {
            let document = decode(text).unwrap();
            let standing = site(&document).standing(at(0));
            assert_eq!(standing.phase, Phase::Offline, "{text:?}");
            assert_eq!(standing.since, None, "nobody knows since when: {text:?}");
            assert_eq!(standing.until, None, "{text:?}");
        }
    }

    /// PARITY: "its state file: read as is" (django-maintenance-mode).
    #[test]
    fn the_window_of_django_maintenance_mode_is_read_as_it_writes_it() {
        let early = "2023-11-14T22:13:20+00:00".parse().unwrap();
        let late = "2023-11-14T23:13:20+00:00".parse().unwrap();
        assert_eq!((early, late), (at(0), at(3600)));
        let (early, late) = (Some(early), Some(late));
        for (text, start, end) in [
            (
                r#"{"start": "2023-11-14T22:13:20+00:00", "end": "2023-11-14T23:13:20+00:00"}"#,
                early,
                late,
            ),
            (
                r#"{"start": "2023-11-14T22:13:20Z", "end": "2023-11-15T00:13:20+01:00"}"#,
                early,
                late,
            ),
            (
                r#"{"start": "2023-11-14T22:13:20.000000+00:00", "end": null}"#,
                early,
                None,
            ),
            (r#"{"start": "2023-11-14T22:13:20Z"}"#, early, None),
            (
                r#"{"start": null, "end": "2023-11-14T18:13:20-05:00"}"#,
                None,
                late,
            ),
            (
                r#"{"start": "", "end": "2023-11-14T23:13:20Z"}"#,
                None,
                late,
            ),
            (
                "\u{feff}\n{\"start\": \"2023-11-14 22:13:20Z\", \"end\": null}\r\n",
                early,
                None,
            ),
        ] {
            let state = site(&decode(text).unwrap());
            assert_eq!(state.windows.len(), 1, "{text}");
            assert_eq!(
                (state.windows[0].start, state.windows[0].end),
                (start, end),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_without_an_offset_needs_the_time_zone() {
        let text = r#"{"start": "2023-11-14T23:13:20", "end": "2023-11-15 00:13:20.5"}"#;
        let state = site(&Document::decode(text.as_bytes(), Some(&rome())).unwrap());
        assert_eq!(state.windows[0].start, Some(at(0)));
        let half = jiff::SignedDuration::from_millis(500);
        assert_eq!(state.windows[0].end, Some(at(3600) + half));

        let error = decode(text).unwrap_err().to_string();
        assert!(error.contains("time_zone"), "{error}");
        assert!(error.contains("2023-11-14T23:13:20"), "{error}");
    }

    #[test]
    fn an_offset_wins_over_the_time_zone() {
        let text = r#"{"start": "2023-11-14T22:13:20Z", "end": null}"#;
        let state = site(&Document::decode(text.as_bytes(), Some(&rome())).unwrap());
        assert_eq!(state.windows[0].start, Some(at(0)));
    }

    #[test]
    fn a_newer_format_is_refused_with_what_to_do() {
        for found in [2_u64, 3, 1_000, u64::MAX] {
            let text = format!(r#"{{"format": {found}, "anything": [1]}}"#);
            let error = decode(&text).unwrap_err();
            assert_eq!(error, DecodeError::NewerFormat { found });
            let told = error.to_string();
            assert!(told.contains(&format!("format {found}")), "{told}");
            assert!(told.contains("up to format 1"), "{told}");
            assert!(told.contains("update"), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_to_do() {
        let cases: &[(&[u8], &str)] = &[
            (b"maybe", "`maybe`"),
            (b"on off", "`on off`"),
            (b"2", "`2`"),
            (b"null", "`null`"),
            (b"[]", "`[]`"),
            (b"\"on\"", "on"),
            (b"\xff\xfe1\0", "not UTF-8"),
            (b"{", "not valid JSON"),
            (b"{\"format\": 1", "not valid JSON"),
            (
                b"{\"format\": 1, \"generation\": 1} {}",
                "not valid JSON",
            ),
            (b"{\"format\": 1}", "generation"),
            (b"{\"format\": 0, \"generation\": 1}", "format"),
            (b"{\"format\": -1, \"generation\": 1}", "format"),
            (b"{\"format\": 1.5, \"generation\": 1}", "format"),
            (b"{\"format\": \"1\", \"generation\": 1}", "format"),
            (b"{\"format\": null, \"generation\": 1}", "format"),
            (b"{\"format\": 1, \"generation\": -1}", "-1"),
            (
                b"{\"format\": 1, \"generation\": 1, \"modes\": []}",
                "whole state document",
            ),
            (
                b"{\"format\": 1, \"generation\": 1, \"modes\": {\"site\": {\"switch\": \"dim\"}}}",
                "dim",
            ),
            (
                b"{\"format\": 1, \"generation\": 1, \"modes\": {\"site\": {\"switch\": {\"on\": {\"since\": \"today\"}}}}}",
                "year",
            ),
            (b"{\"generation\": 1}", "generation"),
            (b"{}", "start"),
            (b"{\"start\": null, \"end\": null}", "start"),
            (b"{\"start\": 5, \"end\": null}", "5"),
            (b"{\"start\": \"soon\", \"end\": null}", "`soon`"),
            (b"{\"start\": \"2023-02-30T00:00:00Z\"}", "2023-02-30"),
        ];
        for (bytes, expected) in cases {
            let shown = String::from_utf8_lossy(bytes);
            let error = Document::decode(bytes, None).unwrap_err();
            assert!(matches!(error, DecodeError::Damaged(_)), "{shown}: {error}");
            let told = error.to_string();
            assert!(told.contains(expected), "{shown}: {told}");
            assert!(told.contains("write `on` or `off` into it"), "{told}");
        }
    }

    #[test]
    fn what_is_told_of_damage_is_short_and_on_one_line() {
        let long = "x\n\u{1b}[31m".repeat(10_000);
        for text in [
            long.clone(),
            json!({"format": long}).to_string(),
            json!({"format": [long]}).to_string(),
            json!({"start": long}).to_string(),
            json!({"start": [long]}).to_string(),
            json!({ long.as_str(): 1 }).to_string(),
            json!({"format": 1, "generation": long}).to_string(),
            json!({"format": 1, "generation": 1, "modes": {"site": {"switch": long}}}).to_string(),
        ] {
            let told = decode(&text).unwrap_err().to_string();
            assert!(told.chars().count() < 1_000, "{} characters", told.len());
            assert!(!told.contains(char::is_control), "{told:?}");
        }
    }

    fn json_words() -> impl Strategy<Value = Vec<u8>> {
        let words = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\",
            "null",
            "true",
            "1",
            "2",
            "-1",
            "1e999",
            "\"format\":1,",
            "\"format\":",
            "\"generation\":7",
            "\"modes\":",
            "\"site\":",
            "\"switch\":",
            "\"on\":",
            "\"off\"",
            "\"pending\":",
            "\"windows\":",
            "\"history\":",
            "\"start\":",
            "\"end\":",
            "\"since\":",
            "\"until\":",
            "\"id\":\"a\",",
            "\"2023-11-14T22:13:20Z\"",
            "\"2023-11-14T22:13:20\"",
            "\"2023-11-14T22:13:20[Europe/Rome]\"",
            "\"-009999-01-02T01:59:59Z\"",
            "\"9999-12-31T23:59:59\"",
            "\"2023-13-99T99:99:99Z\"",
            "\"\"",
            "\u{feff}",
            " ",
            "\n",
            "on",
            "é",
            "\u{0}",
        ]);
        prop::collection::vec(words, 0..40).prop_map(|words| words.concat().into_bytes())
    }

    /// A valid document with some bytes changed, which gets much further than noise.
    fn nearly_valid() -> impl Strategy<Value = Vec<u8>> {
        let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
        (
            document(),
            edits,
            any::<prop::sample::Index>(),
            any::<bool>(),
        )
            .prop_map(|(document, edits, end, cut)| {
                let mut bytes = document.encode();
                for (place, byte) in edits {
                    let place = place.index(bytes.len());
                    bytes[place] = byte;
                }
                if cut {
                    bytes.truncate(end.index(bytes.len()));
                }
                bytes
            })
    }

    proptest! {
        #[test]
        fn reading_any_bytes_never_panics(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                json_words(),
                nearly_valid(),
            ],
            zoned in any::<bool>(),
            now in -20_i64..20,
        ) {
            let zone = zoned.then(rome);
            match Document::decode(&bytes, zone.as_ref()) {
                Ok(document) => {
                    // What was read can be asked anything.
                    let state = site(&document);
                    prop_assert_eq!(state.phase(at(now)), state.standing(at(now)).phase);
                    next_edge(&state, at(now));
                    document.turn_on(DEFAULT_MODE, &SwitchOn::default(), at(now));
                    document.turn_off(DEFAULT_MODE, None, at(now));
                    let again = Document::decode(&document.encode(), None);
                    prop_assert_eq!(again, Ok(document));
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }

        #[test]
        fn depth_does_not_exhaust_the_stack(depth in 1_000_usize..50_000, list in any::<bool>()) {
            let open = if list { "[" } else { "{\"a\":" };
            let text = format!("{{\"format\": 1, \"generation\": 1, \"x\": {}", open.repeat(depth));
            prop_assert!(decode(&text).is_err());
        }
    }
}

/// Any JSON that a field of a later version could hold.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_000_i32..1_000_000).prop_map(|number| Value::from(f64::from(number) / 64.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Fields that no version has, so that they are unknown on every level.
fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("x_[a-zé]{1,6}", json_value(), 0..3)
        .prop_map(|fields| fields.into_iter().collect())
}

fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (-20_i64..20).prop_map(at),
        (
            Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
            0_i32..1_000_000_000
        )
            .prop_map(
                |(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap_or(Timestamp::MIN)
            ),
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
    ]
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof![any::<String>(), Just(String::new())])
}

/// An object of these fields and of unknown ones.
fn object(known: Value, unknown: Map<String, Value>) -> Value {
    let mut fields = unknown;
    if let Value::Object(known) = known {
        fields.extend(known);
    }
    Value::Object(fields)
}

fn any_switch() -> impl Strategy<Value = Value> {
    let on = (
        prop::option::of(instant()),
        prop::option::of(instant()),
        text(),
        text(),
        text(),
        unknown(),
    )
        .prop_map(|(since, until, by, reason, message, unknown)| {
            let known = json!({
                "since": since, "until": until, "by": by, "reason": reason, "message": message
            });
            object(known, unknown)
        })
        .boxed();
    let draining = (
        on.clone(),
        prop::option::of(instant()),
        prop_oneof![Just("offline"), Just("cancel")],
    )
        .prop_map(|(on, deadline, on_timeout)| {
            let mut fields = on;
            fields["deadline"] = json!(deadline);
            fields["on_timeout"] = json!(on_timeout);
            json!({"pending": fields})
        });
    prop_oneof![
        1 => Just(json!("off")),
        2 => on.prop_map(|on| json!({"on": on})),
        1 => draining,
    ]
}

fn any_window() -> impl Strategy<Value = Value> {
    (
        any::<String>(),
        prop::option::of(instant()),
        prop::option::of(instant()),
        text(),
        unknown(),
    )
        .prop_map(|(id, start, end, by, unknown)| {
            object(
                json!({"id": id, "start": start, "end": end, "by": by, "reason": by}),
                unknown,
            )
        })
}

fn any_period() -> impl Strategy<Value = Value> {
    (
        "[a-z]{1,4}",
        instant(),
        prop::option::of(instant()),
        text(),
        unknown(),
    )
        .prop_map(|(mode, started_at, ended_at, by, unknown)| {
            let known = json!({
                "mode": mode, "started_at": started_at, "ended_at": ended_at, "by": by
            });
            object(known, unknown)
        })
}

fn document() -> impl Strategy<Value = Document> {
    let mode = (
        any_switch(),
        prop::collection::vec(any_window(), 0..3),
        unknown(),
    )
        .prop_map(|(switch, windows, unknown)| {
            object(json!({"switch": switch, "windows": windows}), unknown)
        });
    let key = prop_oneof![2 => Just("site".to_owned()), 1 => any::<String>()];
    (
        any::<u64>(),
        prop::collection::btree_map(key, mode, 0..3),
        prop::collection::vec(any_period(), 0..4),
        unknown(),
    )
        .prop_map(|(generation, modes, history, unknown)| {
            of(object(
                json!({
                    "format": 1, "generation": generation, "modes": modes, "history": history
                }),
                unknown,
            ))
        })
}

mod writing {
    use super::*;

    #[test]
    fn the_document_has_the_form_that_the_design_shows() {
        let wanted = SwitchOn {
            by: Some("alice".to_owned()),
            reason: Some("upgrade".to_owned()),
            ..SwitchOn::default()
        };
        let mut document = Document::default()
            .turn_on(DEFAULT_MODE, &wanted, at(0))
            .unwrap();
        document.generation = 42;
        let written: Value = serde_json::from_slice(&document.encode()).unwrap();
        assert_eq!(written["format"], 1);
        assert_eq!(written["generation"], 42);
        let on = &written["modes"]["site"]["switch"]["on"];
        assert_eq!(on["since"], "2023-11-14T22:13:20Z");
        assert_eq!(on["until"], Value::Null);
        assert_eq!(on["by"], "alice");
        assert_eq!(on["reason"], "upgrade");
        let period = &written["history"][0];
        assert_eq!(period["mode"], "site");
        assert_eq!(period["started_at"], "2023-11-14T22:13:20Z");
        assert_eq!(period["ended_at"], Value::Null);
        assert_eq!(period["by"], "alice");
        assert_eq!(period["reason"], "upgrade");
    }

    #[test]
    fn the_text_is_for_people_and_ends_with_a_newline() {
        let text = String::from_utf8(Document::default().encode()).unwrap();
        assert!(text.ends_with("}\n"), "{text:?}");
        assert!(text.lines().count() > 3, "{text:?}");
    }

    /// Every object of a document, by its path, with the fields that no version knows.
    fn unknown_fields(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = format!("{path}/{key}");
                    if key.starts_with("x_") {
                        found.push((path, value.clone()));
                    } else {
                        unknown_fields(&path, value, found);
                    }
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    unknown_fields(&format!("{path}/{place}"), item, found);
                }
            }
            _ => {}
        }
    }

    fn unknown_of(document: &Document) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        let value = serde_json::from_slice(&document.encode()).unwrap();
        unknown_fields("", &value, &mut found);
        found
    }

    #[test]
    fn unknown_fields_on_every_level_survive_a_change() {
        let extra = |level: &str| json!({"of": level, "list": [1, 2.5, null, {"deep": true}]});
        let text = json!({
            "format": 1, "generation": 7, "x_document": extra("document"),
            "modes": {
                "site": {
                    "switch": {"on": {"since": at(0), "x_on": extra("switch")}},
                    "windows": [{"id": "a", "start": at(500), "x_window": extra("window")}],
                    "x_mode": extra("mode")
                },
                "shop": {"switch": "off", "x_mode": extra("another mode")}
            },
            "history": [{"mode": "site", "started_at": at(0), "x_period": extra("period")}]
        })
        .to_string();
        let read = decode(&text).unwrap();
        let before = unknown_of(&read);
        assert_eq!(before.len(), 6, "{before:?}");

        let wanted = SwitchOn {
            reason: Some("another".to_owned()),
            ..SwitchOn::default()
        };
        let changed = read.turn_on(DEFAULT_MODE, &wanted, at(10)).unwrap();
        assert_eq!(unknown_of(&changed), before);

        // What belongs to being on goes with it; all else stays.
        let off = changed.turn_off(DEFAULT_MODE, None, at(20)).unwrap();
        let kept: Vec<_> = before
            .into_iter()
            .filter(|(path, _)| !path.contains("/switch/"))
            .collect();
        assert_eq!(kept.len(), 5);
        assert_eq!(unknown_of(&off), kept);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_the_same(document in document()) {
            let bytes = document.encode();
            prop_assert_eq!(Document::decode(&bytes, None), Ok(document.clone()));
            prop_assert_eq!(Document::decode(&bytes, Some(&rome())), Ok(document));
        }

        #[test]
        fn a_change_of_one_mode_leaves_all_others_and_what_is_unknown_alone(
            document in document(),
            now in instant(),
            turn_on in any::<bool>(),
        ) {
            let changed = if turn_on {
                document.turn_on("site", &SwitchOn::default(), now)
            } else {
                document.turn_off("site", None, now)
            };
            let Some(changed) = changed else { return Ok(()) };
            let changed = Document::decode(&changed.encode(), None).unwrap();
            prop_assert_eq!(&changed.unknown, &document.unknown);
            for (key, state) in document.modes.iter().filter(|(key, _)| *key != "site") {
                prop_assert_eq!(changed.modes.get(key), Some(state));
            }
            let (before, after) = (site(&document), site(&changed));
            prop_assert_eq!(&after.unknown, &before.unknown);
            for window in &after.windows {
                prop_assert!(before.windows.contains(window));
            }
            for (old, new) in document.history.iter().zip(&changed.history) {
                prop_assert_eq!(&old.unknown, &new.unknown);
            }
        }
    }
}

mod changing {
    use super::*;

    fn wanted(reason: &str) -> SwitchOn {
        SwitchOn {
            reason: Some(reason.to_owned()),
            ..SwitchOn::default()
        }
    }

    #[test]
    fn switching_on_what_is_on_changes_nothing() {
        let document = Document::default()
            .turn_on(DEFAULT_MODE, &wanted("first"), at(0))
            .unwrap();
        for again in [SwitchOn::default(), wanted("first")] {
            assert_eq!(document.turn_on(DEFAULT_MODE, &again, at(5)), None);
        }
        // By whom alone is no news either: the one who switched it on stays on record.
        let by = SwitchOn {
            by: Some("bob".to_owned()),
            ..SwitchOn::default()
        };
        assert_eq!(document.turn_on(DEFAULT_MODE, &by, at(5)), None);
    }

    #[test]
    fn a_new_reason_is_taken_over_and_since_stays() {
        let document = Document::default()
            .turn_on(DEFAULT_MODE, &wanted("first"), at(0))
            .unwrap()
            .turn_on(DEFAULT_MODE, &wanted("second"), at(5))
            .unwrap();
        let standing = site(&document).standing(at(6));
        assert_eq!(standing.since, Some(at(0)));
        assert_eq!(standing.reason.as_deref(), Some("second"));
        assert_eq!(document.history.len(), 1);
    }

    #[test]
    fn a_switch_whose_time_is_over_is_switched_on_anew() {
        let document = with_site(&mode(on(Some(10)), &[]));
        let next = settled(&document, at(10))
            .turn_on(DEFAULT_MODE, &wanted("again"), at(10))
            .unwrap();
        let standing = site(&next).standing(at(11));
        assert_eq!(standing.phase, Phase::Offline);
        assert_eq!(standing.since, Some(at(10)));
        assert_eq!(standing.until, None);
    }

    #[test]
    fn switching_off_what_is_off_changes_nothing() {
        assert_eq!(
            Document::default().turn_off(DEFAULT_MODE, None, at(0)),
            None
        );
        let document = with_site(&mode(Switch::Off, &[window(Some(5), Some(9))]));
        assert_eq!(document.turn_off(DEFAULT_MODE, None, at(0)), None);
        assert_eq!(document.turn_off(DEFAULT_MODE, None, at(9)), None);
    }

    #[test]
    fn switching_off_ends_open_windows_and_leaves_the_others() {
        let past = window(Some(-9), Some(-5));
        let open = window(Some(-5), Some(5));
        let planned = window(Some(5), Some(9));
        let document = with_site(&mode(on(None), &[past.clone(), open, planned.clone()]));
        let off = document.turn_off(DEFAULT_MODE, Some("bob"), at(0)).unwrap();
        assert_eq!(site(&off).windows, [past, planned]);
        assert_eq!(site(&off).phase(at(0)), Phase::Online);
        assert_eq!(site(&off).phase(at(5)), Phase::Offline);
    }

    #[test]
    fn the_history_keeps_the_newest_hundred_periods() {
        let mut document = Document::default();
        for round in 0..130 {
            document = document
                .turn_on(DEFAULT_MODE, &wanted(&round.to_string()), at(2 * round))
                .unwrap()
                .turn_off(DEFAULT_MODE, Some("bob"), at(2 * round + 1))
                .unwrap();
        }
        assert_eq!(document.history.len(), 100);
        let first = &document.history[0];
        assert_eq!(first.reason.as_deref(), Some("30"));
        assert!(document.history.iter().all(|period| {
            period.ended_at.is_some() && period.ended_by.as_deref() == Some("bob")
        }));
    }

    proptest! {
        #[test]
        fn after_switching_a_mode_is_what_it_was_switched_to(
            document in document(),
            now in instant(),
        ) {
            let document = settled(&document, now);
            let on = document.turn_on("site", &SwitchOn::default(), now);
            let on = on.unwrap_or_else(|| document.clone());
            prop_assert_eq!(site(&on).phase(now), Phase::Offline);
            // Once more is nothing new.
            prop_assert_eq!(on.turn_on("site", &SwitchOn::default(), now), None);

            let off = on.turn_off("site", None, now).unwrap_or(on);
            prop_assert_eq!(site(&off).phase(now), Phase::Online);
            prop_assert_eq!(off.turn_off("site", None, now), None);
            prop_assert!(off.history.iter().all(|it| it.mode != "site" || it.ended_at.is_some()));
        }
    }
}

mod standing {
    use super::*;

    #[test]
    fn a_window_contains_its_start_and_not_its_end() {
        let state = mode(Switch::Off, &[window(Some(10), Some(20))]);
        let nanosecond = jiff::SignedDuration::from_nanos(1);
        for (now, expected) in [
            (at(10) - nanosecond, Phase::Online),
            (at(10), Phase::Offline),
            (at(20) - nanosecond, Phase::Offline),
            (at(20), Phase::Online),
        ] {
            assert_eq!(state.phase(now), expected, "{now}");
            assert_eq!(state.standing(now).phase, expected, "{now}");
        }
    }

    #[test]
    fn an_open_end_is_never_reached() {
        let no_end = mode(Switch::Off, &[window(Some(10), None)]);
        assert_eq!(no_end.phase(at(9)), Phase::Online);
        assert_eq!(no_end.phase(Timestamp::MAX), Phase::Offline);
        assert_eq!(no_end.standing(at(10)).until, None);
        assert_eq!(no_end.standing(at(10)).since, Some(at(10)));
        assert_eq!(next_edge(&no_end, at(9)), Some(at(10)));
        assert_eq!(next_edge(&no_end, at(10)), None);

        let no_start = mode(Switch::Off, &[window(None, Some(10))]);
        assert_eq!(no_start.phase(Timestamp::MIN), Phase::Offline);
        assert_eq!(no_start.phase(at(10)), Phase::Online);
        assert_eq!(no_start.standing(at(0)).until, Some(at(10)));
        assert_eq!(no_start.standing(at(0)).since, None);

        let neither = mode(Switch::Off, &[window(None, None)]);
        assert_eq!(neither.phase(at(0)), Phase::Offline);
        assert_eq!(next_edge(&neither, at(0)), None);
    }

    #[test]
    fn a_window_that_ends_before_it_starts_is_never_open() {
        for end in [10, 5] {
            let state = mode(Switch::Off, &[window(Some(10), Some(end))]);
            for now in 0..15 {
                assert_eq!(state.phase(at(now)), Phase::Online, "{now} of 10..{end}");
            }
        }
    }

    #[test]
    fn until_is_the_end_of_the_whole_stretch() {
        for (windows, until) in [
            (vec![window(Some(0), Some(5))], Some(5)),
            // Touching.
            (
                vec![window(Some(0), Some(5)), window(Some(5), Some(9))],
                Some(9),
            ),
            // Overlapping, planned in any order.
            (
                vec![window(Some(3), Some(9)), window(Some(0), Some(5))],
                Some(9),
            ),
            // One inside of the other.
            (
                vec![window(Some(0), Some(9)), window(Some(2), Some(5))],
                Some(9),
            ),
            // A chain that is found only step by step.
            (
                vec![
                    window(Some(8), Some(12)),
                    window(Some(4), Some(8)),
                    window(Some(0), Some(4)),
                ],
                Some(12),
            ),
            // A gap of one second.
            (
                vec![window(Some(0), Some(5)), window(Some(6), Some(9))],
                Some(5),
            ),
            // It runs into an open end.
            (vec![window(Some(0), Some(5)), window(Some(4), None)], None),
        ] {
            let state = mode(Switch::Off, &windows);
            let standing = state.standing(at(1));
            assert_eq!(standing.until, until.map(at), "{windows:?}");
            assert_eq!(standing.since, Some(at(0)), "{windows:?}");
        }
    }

    #[test]
    fn a_switch_with_an_end_goes_off_by_itself() {
        let state = mode(on(Some(10)), &[]);
        assert_eq!(state.phase(at(9)), Phase::Offline);
        assert_eq!(state.standing(at(9)).until, Some(at(10)));
        assert_eq!(next_edge(&state, at(9)), Some(at(10)));
        assert_eq!(state.phase(at(10)), Phase::Online);
        assert_eq!(state.standing(at(10)), Standing::online());
        assert_eq!(next_edge(&state, at(10)), None);

        // A window takes over where the switch ends.
        let state = mode(on(Some(10)), &[window(Some(10), Some(20))]);
        assert_eq!(state.standing(at(9)).until, Some(at(20)));
        assert_eq!(state.standing(at(10)).since, Some(at(10)));

        // No end of the switch is no end.
        let state = mode(on(None), &[window(Some(0), Some(20))]);
        assert_eq!(state.standing(at(9)).until, None);
    }

    #[test]
    fn the_switch_is_told_rather_than_a_window() {
        let planned: Window = of(json!({
            "id": "w", "start": at(-5), "end": at(5), "by": "planner", "reason": "planned",
            "message": "from the window"
        }));
        let thrown: Switch = of(json!({"on": {"since": at(0), "by": "operator"}}));
        let standing = mode(thrown, std::slice::from_ref(&planned)).standing(at(1));
        assert_eq!(standing.by.as_deref(), Some("operator"));
        assert_eq!(standing.since, Some(at(0)));
        assert_eq!(standing.message.as_deref(), Some("from the window"));
        let standing = mode(Switch::Off, &[planned]).standing(at(1));
        assert_eq!(standing.by.as_deref(), Some("planner"));
        assert_eq!(standing.reason.as_deref(), Some("planned"));
    }

    const HORIZON: std::ops::Range<i64> = -2..14;

    /// Windows and a switch on a short time line of whole seconds.
    fn state() -> impl Strategy<Value = ModeState> {
        let end = || prop::option::weighted(0.85, 0_i64..12);
        let windows = prop::collection::vec((end(), end()), 0..4);
        (windows, prop::option::of(end())).prop_map(|(windows, switch)| {
            let windows: Vec<Window> = windows
                .into_iter()
                .map(|(start, end)| window(start, end))
                .collect();
            mode(switch.map_or(Switch::Off, on), &windows)
        })
    }

    #[test]
    fn a_drain_is_pending_until_its_deadline_and_then_what_was_said() {
        for (on_timeout, afterwards) in [
            (OnTimeout::Offline, Phase::Offline),
            (OnTimeout::Cancel, Phase::Online),
        ] {
            let state = mode(
                Switch::Pending(Draining {
                    deadline: Some(at(10)),
                    on_timeout,
                    on: SwitchedOn {
                        since: Some(at(0)),
                        until: Some(at(20)),
                        ..SwitchedOn::default()
                    },
                }),
                &[],
            );
            assert_eq!(state.phase(at(9)), Phase::Pending);
            assert_eq!(state.standing(at(9)).until, Some(at(20)));
            assert_eq!(state.phase(at(10)), afterwards);
            assert_eq!(state.phase(at(20)), Phase::Online);
            assert!(state.edges().any(|edge| edge == at(10)));
        }
    }

    #[test]
    fn a_window_that_is_open_is_stronger_than_a_drain() {
        let pending = Switch::Pending(Draining::default());
        let state = mode(pending, &[window(Some(5), Some(9))]);
        assert_eq!(state.phase(at(4)), Phase::Pending);
        assert_eq!(state.phase(at(5)), Phase::Offline);
        assert_eq!(state.phase(at(9)), Phase::Pending);
    }

    #[test]
    fn only_the_drain_that_was_waited_for_is_ended() {
        let wanted = SwitchOn {
            drain: Some(DrainWish {
                timeout: None,
                on_timeout: OnTimeout::Offline,
            }),
            ..SwitchOn::default()
        };
        let first = Document::default().turn_on("site", &wanted, at(1)).unwrap();
        let second = first
            .turn_off("site", None, at(2))
            .and_then(|off| off.turn_on("site", &wanted, at(3)))
            .unwrap();
        assert_eq!(second.drained("site", Some(at(1))), None);
        let offline = second.drained("site", Some(at(3))).unwrap();
        assert_eq!(offline.mode("site").unwrap().phase(at(4)), Phase::Offline);
        assert_eq!(offline.drained("site", Some(at(3))), None);
    }

    #[test]
    fn a_guard_that_drains_opens_what_it_has_closed_however_the_drain_ended() {
        let wanted = SwitchOn {
            drain: Some(DrainWish {
                timeout: Some(SignedDuration::from_secs(10)),
                on_timeout: OnTimeout::Offline,
            }),
            ..SwitchOn::default()
        };
        let begin = Document::default();
        let closing = begin.enter("site", "a", Some(&wanted), at(1)).unwrap();
        assert_eq!(site(&closing).phase(at(1)), Phase::Pending);
        let drained = closing.drained("site", Some(at(1))).unwrap();
        let timed_out = settled(&closing, at(20));
        for (closed, now) in [(closing, 2), (drained, 2), (timed_out, 20)] {
            let nested = closed.enter("site", "b", Some(&SwitchOn::default()), at(now));
            let nested = nested.unwrap().leave("site", "b", at(now)).unwrap();
            assert_eq!(site(&nested), site(&closed));
            let open = closed.leave("site", "a", at(now + 1)).unwrap();
            assert_eq!(site(&open), ModeState::default());
            assert!(!open.has_open_period("site"));
        }
    }

    /// The rule of the design, said again in the plainest way.
    fn is_closed(state: &ModeState, now: Timestamp) -> bool {
        let switched = match &state.switch {
            Switch::On(on) => on.until.is_none() || on.until > Some(now),
            _ => false,
        };
        let mut open = false;
        for window in &state.windows {
            let started = window.start.is_none() || window.start <= Some(now);
            let ended = window.end.is_some() && window.end <= Some(now);
            open |= started && !ended;
        }
        switched || open
    }

    proptest! {
        #[test]
        fn phases_are_those_of_the_plain_rule(state in state()) {
            for now in HORIZON.map(at) {
                let closed = is_closed(&state, now);
                prop_assert_eq!(state.phase(now).is_maintenance(), closed);
                prop_assert_eq!(state.standing(now).phase, state.phase(now));
            }
        }

        #[test]
        fn until_is_the_first_instant_at_which_it_is_over(state in state()) {
            for now in HORIZON {
                let standing = state.standing(at(now));
                let expected = if is_closed(&state, at(now)) {
                    (now..HORIZON.end).map(at).find(|later| !is_closed(&state, *later))
                } else {
                    None
                };
                prop_assert_eq!(standing.until, expected, "at {}", now);
            }
        }

        #[test]
        fn between_two_edges_nothing_changes(state in state()) {
            for now in HORIZON {
                let edge = next_edge(&state, at(now));
                prop_assert!(edge.is_none_or(|edge| edge > at(now)));
                let calm = (now..HORIZON.end)
                    .map(at)
                    .take_while(|later| edge.is_none_or(|edge| *later < edge));
                for later in calm {
                    prop_assert_eq!(state.phase(later), state.phase(at(now)));
                    prop_assert_eq!(state.standing(later), state.standing(at(now)));
                }
            }
        }
    }
}
