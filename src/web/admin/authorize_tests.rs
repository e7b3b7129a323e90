use super::with_next;

#[test]
fn the_way_back_is_one_more_parameter() {
    for (address, target) in [
        ("/login", "/login?next=/m/status%3Fa%3D1%26b%3D%2523"),
        (
            "/login?x=y",
            "/login?x=y&next=/m/status%3Fa%3D1%26b%3D%2523",
        ),
        ("/#log-in", "/?next=/m/status%3Fa%3D1%26b%3D%2523#log-in"),
    ] {
        assert_eq!(with_next(address, "/m/status?a=1&b=%23"), target);
    }
}
