//! Texts: what those of others may hold where they come in, and how all are shown.

use std::fmt::Write as _;

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

/// The longest value that a fault repeats, in characters.
const LONGEST_VALUE: usize = 60;

/// One line of bounded length, whatever the text is.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
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
        text = format!("{text}: {error}");
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

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
