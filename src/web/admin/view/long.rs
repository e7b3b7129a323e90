//! Texts that may be long, and are folded then.

use serde::Serialize;

/// From how many characters on a text is folded.
const LONG: usize = 200;
/// How many characters are shown of it then, at most.
const SHORT: usize = 140;
/// How many lines a text may have that is not folded.
const LINES: usize = 3;

/// A text with its beginning, if that is not all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Long {
    short: Option<String>,
    whole: String,
}

impl Long {
    pub(crate) fn new(text: &str) -> Self {
        let is_long = text.chars().count() > LONG || text.lines().count() > LINES;
        Self {
            short: is_long.then(|| beginning(text)),
            whole: text.to_owned(),
        }
    }
}

/// The first words, on one line.
fn beginning(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take(LINES).map(str::trim).collect();
    let mut start: String = lines.join(" ").chars().take(SHORT).collect();
    if start.chars().count() == SHORT
        && let Some((words, _)) = start.rsplit_once(char::is_whitespace)
        // A language without spaces between words is cut where it is.
        && words.chars().count() > SHORT / 2
    {
        start.truncate(words.len());
    }
    start.push('…');
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_shown_as_they_are() {
        for text in ["", "Soon back.", "a\nb\nc", &"x".repeat(LONG)] {
            assert_eq!(Long::new(text).short, None, "{text}");
            assert_eq!(Long::new(text).whole, text);
        }
    }

    #[test]
    fn long_ones_begin_with_whole_words() {
        let text = "We are moving ".repeat(20);
        let long = Long::new(&text);
        let short = long.short.unwrap();
        assert!(short.ends_with("moving…") || short.ends_with("are…") || short.ends_with("We…"));
        assert!(short.chars().count() <= SHORT + 1);
        assert_eq!(long.whole, text);
        assert_eq!(
            Long::new("one\ntwo\nthree\nfour").short.as_deref(),
            Some("one two three…")
        );
        let unbroken = Long::new(&"長".repeat(LONG + 1)).short.unwrap();
        assert_eq!(unbroken.chars().count(), SHORT + 1);
    }
}
