use proptest::prelude::*;

use super::*;

#[test]
fn what_commands_a_terminal_is_written_out() {
    assert_eq!(escaped("a\u{1b}[32mb\nc"), "a\\u{1b}[32mb\nc");
    assert_eq!(
        escaped("\u{202e}\u{9b}2J\u{7f}\r"),
        "\\u{202e}\\u{9b}2J\\u{7f}\\r"
    );
    assert_eq!(escaped("schön, 你好, مرحبا, 👩‍🔧"), "schön, 你好, مرحبا, 👩‍🔧");
}

#[test]
fn a_text_that_comes_in_has_no_control_characters() {
    assert_eq!(unfit("one line", false), None);
    assert_eq!(unfit("two\r\n\tlines", true), None);
    assert_eq!(unfit("two\nlines", false), Some('\n'));
    for hostile in ['\u{1b}', '\u{9b}', '\u{7f}', '\0', '\u{202e}'] {
        assert_eq!(unfit(&format!("a{hostile}b"), true), Some(hostile));
    }
    // As right-to-left languages need them.
    assert_eq!(unfit("\u{200f}\u{2067}שלום\u{2069}", false), None);
}

proptest! {
    #[test]
    fn escaped_json_means_the_same_and_has_nothing_hazardous(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        let shown = escaped_json(&json);
        prop_assert!(!shown.chars().any(is_hazardous), "{shown:?}");
        prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    #[test]
    fn no_escaped_text_has_anything_hazardous(text in any::<String>()) {
        let shown = escaped(&text);
        prop_assert_eq!(&escaped(&shown), &shown);
        prop_assert!(!shown.chars().any(|it| is_hazardous(it) && !matches!(it, '\n' | '\t')), "{shown:?}");
    }
}
