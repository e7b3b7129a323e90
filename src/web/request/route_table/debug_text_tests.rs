use std::{cell::RefCell, collections::HashMap, rc::Weak};

use super::*;

#[derive(Debug)]
#[allow(dead_code, reason = "only shown")]
struct Shown {
    text: Option<String>,
    list: Vec<(u16, &'static str)>,
    map: HashMap<String, Unit>,
    parent: RefCell<Weak<u8>>,
    pattern: regex::Regex,
    last: Unit,
}

#[derive(Debug)]
struct Unit;

#[test]
fn what_is_shown_is_read() {
    let odd = "a\"b\\c{d}[e], f: \n\u{1b}'é(";
    let shown = format!(
        "{:?}",
        Shown {
            text: Some(odd.to_owned()),
            list: vec![(1, "x"), (2, "]")],
            map: [("}".to_owned(), Unit)].into(),
            parent: RefCell::default(),
            pattern: regex::Regex::new(r#"^"\d{2}\)"#).unwrap(),
            last: Unit,
        }
    );
    let value = read(&shown).unwrap_or_else(|| panic!("{shown}"));
    let text = value.field("text").unwrap().option().unwrap();
    assert_eq!(text.unwrap().text(), Some(odd));
    assert_eq!(value.field("list").unwrap().list().unwrap().len(), 2);
    assert_eq!(value.field("last"), Some(&Value::Named("Unit", vec![])));
}

#[test]
fn nothing_else_is_read() {
    for text in [
        "", "A {", "[1", "\"x", "A(1", "A { a }", "[1,2]", "A B", "\"\\q\"",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read(&"[".repeat(10_000)), None);
}
