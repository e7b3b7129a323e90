//! What the targets share.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// Makes text of bytes: ASCII is itself, and every other byte is one of `words`. So the fuzzer comes
/// upon what a format is made of without having to guess it letter by letter.
pub fn text(bytes: &[u8], words: &[&str]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            0..0x80 => text.push(char::from(*byte)),
            _ => text.push_str(words[usize::from(byte - 0x80) % words.len()]),
        }
    }
    text
}

/// Takes lines for values of headers. The first character of a line says of which; what no server
/// would take for a value is left out.
pub fn headers(text: &str, names: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in text.lines() {
        let Some(first) = line.chars().next() else {
            continue;
        };
        let name = names[first as usize % names.len()];
        if let Ok(value) = HeaderValue::from_str(&line[first.len_utf8()..]) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}
