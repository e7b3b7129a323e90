//! The beginning of a text that may be long, to be shown.

use std::fmt;

/// Quotes a text that came from outside, shortened and without control characters.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LENGTH: usize = 60;
        let (start, more) = start_of(self.0, LENGTH);
        write!(formatter, "`{}{more}`", start.escape_debug())
    }
}

/// So many characters of a text at most, and what shows that there are more.
pub(crate) fn start_of(text: &str, length: usize) -> (&str, &'static str) {
    match text.char_indices().nth(length) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    }
}
