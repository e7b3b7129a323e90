use super::return_target;

#[test]
fn only_paths_of_this_origin_are_returned_to() {
    for (next, target) in [
        (None, "/"),
        (Some("/shop?x=1#top"), "/shop?x=1#top"),
        (Some("/a b/ä"), "/a%20b/%C3%A4"),
        (Some(""), "/"),
        (Some("shop"), "/"),
        (Some("//evil.example"), "/"),
        (Some("/\\evil.example"), "/"),
        (Some("\\\\evil.example"), "/"),
        (Some("https://evil.example"), "/"),
        (Some("javascript:alert(1)"), "/"),
        (Some("/\r\nSet-Cookie: a=b"), "/"),
        (Some("/\t/evil.example"), "/"),
    ] {
        assert_eq!(return_target(next, ""), target, "next: {next:?}");
    }
}
