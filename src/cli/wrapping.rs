//! What is too long for a line of the terminal goes on in the next one, broken between words.

use console::{Term, measure_text_width};
use textwrap::{Options, WordSeparator, WordSplitter, wrap};

/// The text as it goes there: as it is, unless it goes to a terminal.
pub(super) fn wrapped(text: &str, to: &Term) -> String {
    let columns = to.size_checked().filter(|_| to.features().is_attended());
    match columns {
        Some((_, columns @ 1..)) => broken(text, usize::from(columns)),
        _ => text.to_owned(),
    }
}

/// A word that is longer than a line, such as a path, stays whole: so it can be copied.
fn broken(text: &str, columns: usize) -> String {
    let each = text.split('\n').map(|line| {
        if measure_text_width(line) <= columns {
            return line.to_owned();
        }
        let indent = " ".repeat(continuation(line, columns));
        let options = Options::new(columns)
            .subsequent_indent(&indent)
            .break_words(false)
            // `--no-nodes` is one word.
            .word_splitter(WordSplitter::NoHyphenation)
            .word_separator(WordSeparator::AsciiSpace);
        wrap(line, options).join("\n")
    });
    each.collect::<Vec<_>>().join("\n")
}

/// In which column a line goes on: under what stands beside a name (`  reason   …`), or else as far in as
/// it begins.
fn continuation(line: &str, columns: usize) -> usize {
    let begins = line.len() - line.trim_start_matches(' ').len();
    let after_name = line[begins..].find("  ").map(|gap| {
        let rest = &line[begins + gap..];
        let value = rest.trim_start_matches(' ');
        measure_text_width(&line[..line.len() - value.len()])
    });
    after_name
        .filter(|column| *column <= columns / 2)
        .unwrap_or(begins)
}

#[cfg(test)]
#[path = "wrapping_tests.rs"]
mod tests;
