use super::*;

#[test]
fn a_hash_is_read_from_its_digits_and_from_nothing_else() {
    let hash = hash_of("mmg_geheim");
    let digits = hexadecimal(&hash);
    assert_eq!(hash_from_hexadecimal(&digits), Some(hash));
    assert_eq!(hash_from_hexadecimal(&digits[1..]), None);
    assert_eq!(
        hash_from_hexadecimal(&digits.replace(&digits[..2], "xx")),
        None
    );
    assert_eq!(hash_from_hexadecimal(&"ä".repeat(32)), None);
    assert_eq!(hash_from_hexadecimal(""), None);
}

/// Whoever reads the store, or sees the cookie, does not know the link.
#[test]
fn the_cookie_is_not_the_secret_and_the_hash_is_neither() {
    let secret = "mmg_0123";
    let cookie = cookie_of_link(secret);
    let hash = hexadecimal(&hash_of(&cookie));
    assert!(!cookie.contains(secret) && cookie != hash && cookie.len() == 64);
    assert_ne!(cookie_of_link(&cookie), cookie);
}

#[test]
fn what_a_hand_has_written_wrongly_opens_nothing() {
    let text = r#"{"format": 1, "generation": 1, "grants": {
        "no-hash": {"kind": "link", "made_at": "2026-01-01T00:00:00Z"},
        "no-network": {"kind": "address", "address": "everywhere", "made_at": "2026-01-01T00:00:00Z"},
        "short": {"kind": "token", "hash": "abcd", "made_at": "2026-01-01T00:00:00Z"},
        "good": {"kind": "address", "address": "10.0.0.0/8", "made_at": "2026-01-01T00:00:00Z"}
    }}"#;
    let document = Document::decode(text.as_bytes(), None).unwrap();
    let grants = Grants::new(&document, &[]);
    assert_eq!(grants.names().collect::<Vec<_>>(), ["good"]);
}
