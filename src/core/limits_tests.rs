use serde_json::json;

use super::*;

fn document(windows: usize, text: &str) -> Document {
    let windows: Vec<_> = (0..windows)
        .map(|number| json!({"id": format!("w{number}"), "message": text}))
        .collect();
    serde_json::from_value(json!({
        "format": 1, "generation": 1, "modes": {"site": {"windows": windows}, "shop": {}},
    }))
    .unwrap()
}

fn switched_on(document: &Document, message: &str) -> Document {
    let mut next = document.clone();
    let on = json!({"on": {"message": message}});
    next.modes.get_mut("shop").unwrap().switch = serde_json::from_value(on).unwrap();
    next
}

fn checked(before: &Document, after: &Document) -> Result<(), Excess> {
    check(before, after, || after.encode().len())
}

#[test]
fn a_mode_has_so_many_windows_and_no_more() {
    let full = document(WINDOWS_PER_MODE, "m");
    assert_eq!(checked(&document(WINDOWS_PER_MODE - 1, "m"), &full), Ok(()));
    let more = document(WINDOWS_PER_MODE + 1, "m");
    let excess = checked(&full, &more).unwrap_err();
    assert!(excess.to_string().contains("200 windows"), "{excess}");
    // As an older version may have stored them: they can be cancelled one by one.
    assert_eq!(checked(&document(WINDOWS_PER_MODE + 2, "m"), &more), Ok(()));
}

#[test]
fn windows_leave_room_for_switches() {
    let long = "\u{1f6e0}".repeat(LONGEST_TEXT);
    let plenty = document(150, &long);
    let mut too_many = plenty.clone();
    too_many.modes.insert(
        "shop".to_owned(),
        document(150, &long).modes["site"].clone(),
    );
    let excess = checked(&plenty, &too_many).unwrap_err();
    assert_eq!(excess, Excess::Room);
    // Whatever is there already, a switch is thrown.
    assert_eq!(checked(&too_many, &switched_on(&too_many, &long)), Ok(()));
}

#[test]
fn texts_are_short_and_have_no_control_characters() {
    let before = document(0, "");
    let fits = "\u{e4}".repeat(LONGEST_TEXT);
    assert_eq!(checked(&before, &switched_on(&before, &fits)), Ok(()));
    assert_eq!(
        checked(&before, &switched_on(&before, "two\r\nlines")),
        Ok(())
    );
    let long = switched_on(&before, &format!("{fits}x"));
    let excess = checked(&before, &long).unwrap_err().to_string();
    assert!(
        excess.contains("message has 2001 characters; give at most 2000"),
        "{excess}"
    );
    let excess = checked(&before, &switched_on(&before, "\u{1b}[2J")).unwrap_err();
    assert!(
        excess
            .to_string()
            .contains("message has the control character U+001B"),
        "{excess}"
    );
    // What is stored already is in nobody's way.
    let mut ended = long.clone();
    ended.modes.insert("other".to_owned(), ModeState::default());
    assert_eq!(checked(&long, &ended), Ok(()));
}
