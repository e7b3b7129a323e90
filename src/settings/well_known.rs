//! The words that everybody tries first, whose hashes are no secrets.

use std::{collections::HashSet, sync::OnceLock};

use sha2::{Digest as _, Sha256};

/// One a line: what stands at the head of every list of leaked passwords, and what stands in
/// examples.
const WORDS: &str = include_str!("well_known_words.txt");
/// What people add to make a word look like more.
const ENDINGS: [&str; 5] = ["", "1", "2", "123", "!"];

/// Whether this is the SHA-256 of a well-known word, or of the token's own name.
pub(super) fn is_hash_of_a_word(hash: &[u8; 32], name: &str) -> bool {
    static HASHES: OnceLock<HashSet<[u8; 32]>> = OnceLock::new();
    let hashes = HASHES.get_or_init(|| WORDS.lines().chain([""]).flat_map(hashes_of).collect());
    hashes.contains(hash) || hashes_of(name).any(|known| known == *hash)
}

/// The hashes of a word as people write it, also with the end of line that `echo` adds.
fn hashes_of(word: &str) -> impl Iterator<Item = [u8; 32]> {
    let mut written = vec![word.to_owned(), word.to_uppercase()];
    let mut letters = word.chars();
    if let Some(first) = letters.next() {
        written.push(first.to_uppercase().chain(letters).collect());
    }
    written.sort();
    written.dedup();
    written.into_iter().flat_map(|word| {
        ENDINGS.into_iter().flat_map(move |ending| {
            ["", "\n"].map(|line_end| Sha256::digest(format!("{word}{ending}{line_end}")).into())
        })
    })
}

#[cfg(test)]
#[path = "well_known_tests.rs"]
mod tests;
