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

#[test]
fn no_form_of_a_url_shows_its_password() {
    for (url, shown) in [
        ("redis://u:geheim@h/0?prefx=a", "redis://…@h/0?…"),
        ("redis://u:ge@heim@h/1", "redis://…@h/1"),
        ("redis://u:ge/he#i?m@h/1", "redis://…@h/1"),
        ("redis:u:geheim@h", "redis:…@h"),
        ("redis:/u:geheim@h", "redis:/…@h"),
        ("redis://u:geheim", "redis://…"),
        ("redis://:geheim/0", "redis://…/0"),
        ("redis://u:geheim%40h/0", "redis://…/0"),
        ("redis://h/0?password=geheim", "redis://h/0?…"),
        ("redis://h/0#geheim", "redis://h/0#…"),
        (
            "redis+unix:///r.sock?db=1&user=u&pass=geheim",
            "redis+unix:///r.sock?…&db=1",
        ),
        ("http://u:geheim@h", "http://…@h"),
        ("u:geheim@h", "u:…@h"),
        (" redis://u:geheim@h", " redis://…@h"),
        ("s3://key:geheim@bucket", "s3://…@bucket"),
        ("https://h/x?token=geheim", "https://h/x?…"),
        // What holds none is shown as it is.
        (
            "redis://h:6379/1?prefix=shop",
            "redis://h:6379/1?prefix=shop",
        ),
        ("redis://[::1]:6379/", "redis://[::1]:6379/"),
        (
            "postgres://u:p@a:1,b:2/d?sslmode=require",
            "postgres://…@a:1,b:2/d?sslmode=require",
        ),
        ("postgres://a,u:geheim", "postgres://…"),
        ("memory:", "memory:"),
        ("file:a@b", "file:a@b"),
        ("file:/var/lib/a:b", "file:/var/lib/a:b"),
        ("maintenance.state", "maintenance.state"),
    ] {
        assert_eq!(without_password(url), shown, "{url}");
    }
    assert_eq!(
        without_passwords(
            "no 'redis://u:geheim@h/?pass=geheim', redis:u:geheim@h: x://a:geheim@b, c"
        ),
        "no 'redis://…@h/?…', redis:…@h: x://…@b, c"
    );
}

proptest! {
    #[test]
    fn a_password_before_an_at_sign_is_never_shown(
        scheme in "[a-z][a-z0-9+]{1,8}",
        slashes in "/{0,3}",
        user in "[a-z:/?#]{0,4}",
        password in "[A-Z]{4,9}",
        rest in "[a-z0-9/?=&]{0,12}",
    ) {
        prop_assume!(scheme != "file");
        let url = format!("{scheme}:{slashes}{user}:{password}@{rest}");
        prop_assert!(!without_password(&url).contains(&password), "{url}");
        let text = format!("cannot use '{scheme}://{user}:{password}@{rest}': no");
        prop_assert!(!without_passwords(&text).contains(&password), "{text}");
    }

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

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Cause {
    text: &'static str,
    source: Option<Box<Cause>>,
}

#[test]
fn a_chain_says_each_thing_once() {
    let told = |texts: &[&'static str]| {
        let mut error = None;
        for text in texts.iter().rev() {
            let source = error.map(Box::new);
            error = Some(Cause { text, source });
        }
        chain(&error.unwrap())
    };
    let full = "no space left on device";
    assert_eq!(
        told(&["cannot write", full]),
        format!("cannot write: {full}")
    );
    // One that tells its cause itself, and causes that only repeat each other.
    let whole = "cannot write: no space left on device";
    assert_eq!(told(&[whole, full]), whole);
    assert_eq!(told(&["cannot write", full, full]), whole);
}

#[test]
fn a_hash_is_read_from_its_digits_and_from_nothing_else() {
    let hash: [u8; 32] = std::array::from_fn(|place| 8 * u8::try_from(place).unwrap() + 7);
    let digits = hexadecimal(&hash);
    assert_eq!(hash_from_hexadecimal(&digits), Some(hash));
    assert_eq!(hash_from_hexadecimal(&digits.to_uppercase()), Some(hash));
    let wrong = [
        String::new(),
        digits[..62].to_owned(),
        format!("{digits}00"),
        digits.replacen('0', "+", 1),
        format!("{}\u{e4}", &digits[..62]),
        "g".repeat(64),
    ];
    for digits in wrong {
        assert_eq!(hash_from_hexadecimal(&digits), None, "{digits}");
    }
}
