use serde_json::{from_str, to_string};

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    Red,
    DarkGreen,
}

words! {
    /// The word for it.
    Colour in JSON { Red = "red", DarkGreen = "dark-green" }
}

#[test]
fn a_word_is_the_same_wherever_it_is_told_and_read() {
    for (colour, word) in [(Colour::Red, "red"), (Colour::DarkGreen, "dark-green")] {
        assert_eq!(colour.as_str(), word);
        assert_eq!(Colour::of_word(word), Some(colour));
        assert_eq!(to_string(&colour).unwrap(), format!("\"{word}\""));
        assert_eq!(from_str::<Colour>(&format!("\"{word}\"")).unwrap(), colour);
    }
    // Also where a letter is written as an escape, which cannot be borrowed.
    assert_eq!(from_str::<Colour>(r#""\u0072ed""#).unwrap(), Colour::Red);
}

#[test]
fn an_unknown_word_is_told_with_those_that_there_are() {
    assert_eq!(Colour::of_word("Red"), None);
    let error = from_str::<Colour>("\"blue\"").unwrap_err().to_string();
    assert!(error.contains("blue"), "{error}");
    assert!(error.contains("`red` or `dark-green`"), "{error}");
}
