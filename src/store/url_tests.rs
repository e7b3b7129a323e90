use super::*;
use crate::settings::{Settings, values::tests::refused};

#[test]
fn store_urls_are_memory_or_a_file() {
    let file = |path: &str| Ok(StoreUrl::File(PathBuf::from(path)));
    assert_eq!(StoreUrl::parse("memory:"), Ok(StoreUrl::Memory));
    assert_eq!(
        StoreUrl::parse("file:maintenance.state"),
        file("maintenance.state")
    );
    assert_eq!(StoreUrl::parse("file:./a/b"), file("./a/b"));
    assert_eq!(StoreUrl::parse("file:/var/a"), file("/var/a"));
    assert_eq!(StoreUrl::parse("file:///var/a"), file("/var/a"));
    assert_eq!(StoreUrl::parse("FILE:a b%20c"), file("a b%20c"));
    fn fault(url: &str) -> Option<String> {
        StoreUrl::parse(url).err()
    }
    refused(
        fault,
        &[
            ("", "\"memory:\" or"),
            (
                "maintenance.state",
                "did you mean `file:maintenance.state`?",
            ),
            ("/var/a:b", "did you mean `file:/var/a:b`?"),
            ("C:\\state", "did you mean `file:C:\\state`?"),
            ("file:", "no file is named"),
            ("file:///", "no file is named"),
            ("file:/var/", "no file is named"),
            ("file:..", "no file is named"),
            ("file:a\0b", "NUL"),
            ("file://host/path", "no host"),
            ("memory:x", "nothing follows"),
            (
                "redis-sentinel://localhost",
                "neither Redis Cluster nor Sentinel",
            ),
            (
                "redis+cluster://localhost",
                "give \"redis://\" and the address",
            ),
            ("mysql://db", "no store has the scheme `mysql:`"),
        ],
    );
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_server_needs_the_feature() {
    for url in [
        "redis://localhost",
        "rediss://localhost",
        "redis+unix:///run/r.sock",
    ] {
        let fault = StoreUrl::parse(url).unwrap_err();
        assert!(fault.contains("not supported by this build"), "{fault}");
        assert!(fault.contains("feature `redis`"), "{fault}");
    }
}

#[cfg(not(feature = "postgres"))]
#[test]
fn a_database_needs_the_feature() {
    for url in ["postgres://u@db/shop", "postgresql:///shop"] {
        let fault = StoreUrl::parse(url).unwrap_err();
        assert!(fault.contains("feature `postgres`"), "{fault}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_database_is_taken_and_what_is_none_is_told() {
    for url in [
        "postgres://u:p@one:1,two/shop?prefix=a",
        "PostgreSQL:///shop",
    ] {
        assert_eq!(StoreUrl::parse(url), Ok(StoreUrl::Postgres(url.to_owned())));
    }
    let fault = StoreUrl::parse("postgres://u:geheim@h/x?prefx=a").unwrap_err();
    assert!(fault.contains("no parameter `prefx`"), "{fault}");
    assert!(!fault.contains("geheim"), "{fault}");
}

#[cfg(not(feature = "object-store"))]
#[test]
fn a_bucket_needs_the_feature() {
    for url in ["s3://bucket/key", "gs://bucket/key", "az://bucket/key"] {
        let fault = StoreUrl::parse(url).unwrap_err();
        assert!(fault.contains("feature `object-store`"), "{fault}");
    }
}

#[cfg(feature = "object-store")]
#[test]
fn a_bucket_is_taken() {
    for url in ["s3://bucket/key", "gs://bucket/key", "az://bucket/key"] {
        assert_eq!(StoreUrl::parse(url), Ok(StoreUrl::Bucket(url.to_owned())));
    }
    let fault = StoreUrl::parse("s3://").unwrap_err();
    assert!(fault.contains("no bucket is named"), "{fault}");
}

#[cfg(feature = "redis")]
#[test]
fn a_server_is_taken_and_what_is_none_is_told() {
    for url in [
        "redis://localhost",
        "VALKEYS://u:p@h/1?prefix=a",
        "redis+unix:///r.sock",
    ] {
        assert_eq!(StoreUrl::parse(url), Ok(StoreUrl::Redis(url.to_owned())));
    }
    let fault = StoreUrl::parse("redis://u:geheim@h/x").unwrap_err();
    assert!(fault.contains("database"), "{fault}");
    assert!(!fault.contains("geheim"), "{fault}");
}

#[test]
fn a_stores_password_is_not_shown() {
    assert_eq!(
        without_password("redis+unix:///r.sock?db=1&user=u&pass=geheim"),
        "redis+unix:///r.sock?…&db=1"
    );
    assert_eq!(without_password("redis://u:p@ss@h/1"), "redis://…@h/1");
    assert_eq!(without_password("redis://h/1"), "redis://h/1");
    assert_eq!(without_password("file:a@b"), "file:a@b");
    let settings = Settings {
        store: "redis://u:geheim@h/no-number".to_owned(),
        ..Settings::default()
    };
    let error = settings.check().unwrap_err();
    assert!(!error.to_string().contains("geheim"), "{error}");
}
