//! What is asked of a site, as addresses and bodies.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::{
    cli::site::{EndWish, GrantWishes, WindowChanges, WindowWishes, Wishes},
    engine::window_said::WindowSaid,
};

/// What stands in an address as it is.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address of a mode.
pub(super) fn path_of(mode: &str) -> String {
    format!("/modes/{}", encoded(mode))
}

/// A text as it stands in an address.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, AS_IT_IS).to_string()
}

/// What is given, as the query of an address.
pub(super) fn query(members: &[(&str, Option<&String>)]) -> String {
    let mut query = String::new();
    for (name, value) in members {
        if let Some(value) = value {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(&format!("{name}={}", encoded(value)));
        }
    }
    query
}

/// An empty text takes away what was said before.
fn text_or_none(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        _ => json!(text),
    }
}

/// What a mode is switched on with.
pub(super) fn body_of(wishes: &Wishes) -> Value {
    let mut body = Map::new();
    for (name, text) in [("message", &wishes.message), ("reason", &wishes.reason)] {
        if let Some(text) = text {
            body.insert(name.to_owned(), text_or_none(text));
        }
    }
    match wishes.end {
        Some(EndWish::At(end)) => body.insert("until".to_owned(), json!(end)),
        Some(EndWish::After(duration)) => body.insert("for".to_owned(), json!(duration.as_secs())),
        Some(EndWish::Never) => body.insert("until".to_owned(), Value::Null),
        None => None,
    };
    if let Some(drain) = &wishes.drain {
        let mut members = Map::new();
        if let Some(timeout) = drain.timeout {
            members.insert("timeout".to_owned(), json!(timeout.as_secs()));
        }
        if let Some(on_timeout) = drain.on_timeout {
            members.insert("on_timeout".to_owned(), json!(on_timeout));
        }
        body.insert("drain".to_owned(), members.into());
    }
    if !wishes.allow.is_empty() {
        body.insert("allow".to_owned(), json!(wishes.allow));
    }
    if let Some(park) = wishes.park {
        let park = (!park.is_zero()).then_some(park.as_secs());
        body.insert("park".to_owned(), json!(park));
    }
    body.into()
}

/// What a grant is made with.
pub(super) fn body_of_grant(wishes: &GrantWishes) -> Value {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(wishes.name));
    body.insert("kind".to_owned(), json!(wishes.kind));
    body.insert("address".to_owned(), json!(wishes.address));
    body.insert("modes".to_owned(), json!(wishes.modes));
    body.insert("prefixes".to_owned(), json!(wishes.prefixes));
    body.insert("until".to_owned(), json!(wishes.until));
    if let Some(lasting) = wishes.lasting {
        body.insert("for".to_owned(), json!(lasting.as_secs()));
    }
    body.into()
}

/// What a window is planned with.
pub(super) fn body_of_window(wishes: &WindowWishes) -> Value {
    let mut body = Map::new();
    body.insert("mode".to_owned(), json!(wishes.mode));
    say(&mut body, &wishes.said);
    body.into()
}

/// A member that is there counts, `null` too.
pub(super) fn body_of_change(changes: &WindowChanges) -> Value {
    let mut body = Map::new();
    if changes.no_end {
        body.insert("end".to_owned(), Value::Null);
    }
    say(&mut body, &changes.said);
    body.into()
}

fn say(body: &mut Map<String, Value>, said: &WindowSaid) {
    for (name, text) in [
        ("start", &said.start),
        ("end", &said.end),
        ("repeats", &said.repeats),
        ("zone", &said.zone),
        ("title", &said.title),
        ("message", &said.message),
        ("reason", &said.reason),
    ] {
        if let Some(text) = text {
            body.insert(name.to_owned(), text_or_none(text));
        }
    }
    if let Some(lasting) = said.lasting {
        body.insert("for".to_owned(), json!(lasting.as_secs()));
    }
}
