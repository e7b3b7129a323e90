use super::*;

#[test]
fn a_status_is_a_number_or_begins_with_one() {
    assert_eq!(leading_number("503"), Some(503));
    assert_eq!(leading_number("503 Service Unavailable"), Some(503));
    assert_eq!(leading_number("unavailable"), None);
    assert_eq!(leading_number(""), None);
    assert_eq!(leading_number("503.5"), None);
}
