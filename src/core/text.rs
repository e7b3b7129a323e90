//! Texts: what those of others may hold where they come in, and how all are shown.

/// Whether a terminal could take a character for a command, or show what stands around it in
/// another order or not at all: control characters, the marks that change the direction of writing,
/// separators of lines and the byte order mark.
pub(crate) fn is_hazardous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The first character that has no place in a text that somebody gives: a control character, or one
/// that turns the direction of all that follows. Line breaks and tabs are taken where `lines` says
/// so.
///
/// Marks and isolates of direction are let through, which texts in Hebrew or Arabic need.
pub(crate) fn unfit(text: &str, lines: bool) -> Option<char> {
    text.chars().find(|character| match character {
        '\n' | '\r' | '\t' => !lines,
        '\u{202a}'..='\u{202e}' => true,
        other => other.is_control(),
    })
}

/// The text with everything that a terminal could take for a command written as `\u{1b}`. Line
/// breaks and tabs stay. What was written so stays as it is when it is written so again.
#[cfg(any(feature = "cli", test))]
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hazardous(character) && !matches!(character, '\n' | '\t') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The JSON text with the same characters written as JSON has it. They stand in strings only, so the
/// meaning is the same.
pub(crate) fn escaped_json(json: &str) -> String {
    use std::fmt::Write as _;

    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        // White space between the members, which is no part of any string.
        if is_hazardous(character) && !matches!(character, '\n' | '\r' | '\t') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The parameters of a store's URL that are no secrets.
const SHOWN_PARAMETERS: [&str; 5] = ["db", "host", "port", "prefix", "sslmode"];

/// The URL with an ellipsis in the place of whatever may be a user, a password or a key, whether it
/// is a URL that can be read or one with a slip of the pen in it.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':') else {
        return url.to_owned();
    };
    let is_path = scheme.trim().eq_ignore_ascii_case("file") || scheme.contains(['/', '\\']);
    let looks_like_url = scheme.len() > 1 && !scheme.contains('.');
    if is_path || !(looks_like_url || rest.contains('@')) {
        return url.to_owned();
    }
    let start = rest.len() - rest.trim_start_matches('/').len();
    let (slashes, rest) = rest.split_at(start);
    // The last `@`: a password may hold one itself, and whatever else ends another part.
    let (login, place) = match rest.rsplit_once('@') {
        Some((_, place)) => ("…@", place),
        None => ("", rest),
    };
    let (place, end) = match place.find(['?', '#']) {
        Some(at) => place.split_at(at),
        None => (place, ""),
    };
    let (host, path) = match place.find('/') {
        Some(at) => place.split_at(at),
        None => (place, ""),
    };
    // What follows a colon and is no port is a password, of a URL without a host.
    let after_address = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let has_password = after_address
        .split(',')
        .any(|one| match one.split_once(':') {
            Some((_, port)) => !is_port(port),
            None => false,
        });
    let host = if has_password { "…" } else { host };
    format!("{scheme}:{slashes}{login}{host}{path}{}", parameters(end))
}

/// What follows the path, with those parameters alone that are no secrets.
fn parameters(end: &str) -> String {
    let Some(query) = end.strip_prefix('?') else {
        return if end.is_empty() { "" } else { "#…" }.to_owned();
    };
    let (query, fragment) = match query.split_once('#') {
        Some((query, _)) => (query, "#…"),
        None => (query, ""),
    };
    let is_shown = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or(pair);
        pair.is_empty() || SHOWN_PARAMETERS.contains(&name)
    };
    let shown: Vec<&str> = query.split('&').filter(is_shown).collect();
    let is_whole = shown.len() == query.split('&').count();
    let shown = shown.join("&");
    match (is_whole, shown.as_str()) {
        (true, shown) => format!("?{shown}{fragment}"),
        (false, "") => format!("?…{fragment}"),
        (false, shown) => format!("?…&{shown}{fragment}"),
    }
}

/// A text in which there may be URLs, without the passwords in them.
pub(crate) fn without_passwords(text: &str) -> String {
    let is_end = |character: char| character.is_whitespace() || "'\"`".contains(character);
    let may_have_login = |word: &str| {
        let after = word.split_once(':').map(|(_, after)| after);
        after.is_some_and(|after| after.starts_with("//") || after.contains('@'))
    };
    // Each with what ends it.
    text.split_inclusive(is_end)
        .map(|word| {
            let bare = word.trim_end_matches(is_end);
            if may_have_login(bare) {
                without_password(bare) + &word[bare.len()..]
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// The longest value that a fault repeats, in characters.
const LONGEST_VALUE: usize = 60;

/// One line of bounded length, whatever the text is, and without the passwords of URLs.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in without_passwords(text).chars().enumerate() {
        if count == LONGEST_VALUE {
            shown.push('…');
            break;
        }
        if is_hazardous(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// An error with all that it follows from: Tera puts the useful part into the sources.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        // Many a text tells its cause itself.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

/// An error as a sentence for people.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => text,
    }
}

/// Bytes as digits, two for each.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hash from its digits, two for each.
pub(crate) fn hash_from_hexadecimal(digits: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
