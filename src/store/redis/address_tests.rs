use super::*;

fn shown(url: &str) -> String {
    Address::parse(url).unwrap().shown
}

#[test]
fn user_and_password_are_never_shown() {
    for (url, expected) in [
        ("redis://h", "redis://h"),
        ("redis://u:geheim@h:7000/3", "redis://h:7000/3"),
        ("rediss://:geheim@h/?prefix=shop", "rediss://h/?prefix=shop"),
        ("valkey://u@[::1]:1/", "valkey://[::1]:1/"),
        (
            "redis+unix:///run/redis.sock?db=2&user=u&pass=geheim&prefix=a%20b",
            "redis+unix:///run/redis.sock?db=2&prefix=a+b",
        ),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ] {
        assert_eq!(shown(url), expected);
        let debug = format!("{:?}", Address::parse(url).unwrap());
        assert!(!debug.contains("geheim"), "{debug}");
    }
}

#[test]
fn the_parts_are_taken_from_the_url() {
    let address = Address::parse("redis://u%40:p%23@h:7000/3?prefix=shop:a").unwrap();
    assert_eq!(address.prefix, "shop:a");
    assert!(!address.is_encrypted);
    let info = address.client.get_connection_info();
    assert_eq!(info.addr().to_string(), "h:7000");
    assert_eq!(info.redis_settings().db(), 3);
    assert_eq!(info.redis_settings().username(), Some("u@"));
    assert_eq!(info.redis_settings().password(), Some("p#"));

    let address = Address::parse("redis+unix:///run/r.sock?pass=a%26b&db=4").unwrap();
    assert_eq!(address.prefix, "maintenance");
    let info = address.client.get_connection_info();
    assert_eq!(info.addr().to_string(), "/run/r.sock");
    assert_eq!(info.redis_settings().password(), Some("a&b"));
    assert_eq!(info.redis_settings().db(), 4);
    assert!(Address::parse("rediss://h").unwrap().is_encrypted);
}

#[test]
fn what_cannot_be_a_server_is_told() {
    for (url, part) in [
        ("redis://a,b:1", "neither Redis Cluster nor Sentinel"),
        ("redis://", "Missing hostname; give for example"),
        ("http://h", "no URL of a Redis server"),
        ("redis:///0", "Missing hostname"),
        ("redis:h", "Missing hostname"),
        ("redis://h/x", "Invalid database number; give"),
        ("redis://h/?db=1", "no parameter `db`; known here: prefix"),
        ("redis://h/?prefix=", "0 bytes; give it 1 to 200"),
        ("rediss://h/#insecure", "always checked"),
        ("redis://0.0.0.0", "wildcard"),
    ] {
        let error = Address::parse(url).unwrap_err();
        assert!(error.contains(part), "{url}: {error}");
    }
}
