//! The URL that names a store.

use std::{
    fmt,
    path::{Path, PathBuf},
};

pub(crate) use crate::core::text::without_password;

/// A store of this crate, as its URL names it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `memory:`: the state lives in this process and ends with it.
    Memory,
    /// `file:` and a path, relative or absolute.
    File(PathBuf),
    /// `redis:` and the like: the whole URL.
    #[cfg(feature = "redis")]
    Redis(String),
    /// `s3:` and the like: the whole URL.
    #[cfg(feature = "object-store")]
    Bucket(String),
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => formatter.write_str("memory:"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            #[cfg(feature = "redis")]
            Self::Redis(url) => formatter.write_str(&without_password(url)),
            #[cfg(feature = "object-store")]
            Self::Bucket(url) => formatter.write_str(&without_password(url)),
        }
    }
}

impl StoreUrl {
    /// Reads the URL, or says what would be right.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        const KNOWN: &str = "give \"memory:\" or \"file:\" and a path";
        if url.is_empty() {
            return Err(KNOWN.to_owned());
        }
        let (scheme, rest) = match url.split_once(':') {
            // One letter is a drive, not a scheme.
            Some((scheme, rest)) if scheme.len() > 1 && !scheme.contains(['/', '\\', '.']) => {
                (scheme.to_ascii_lowercase(), rest)
            }
            _ => {
                let path = crate::core::text::shown(&without_password(url));
                return Err(format!("no scheme; did you mean `file:{path}`?"));
            }
        };
        let needs = |feature: &str| {
            Err(format!(
                "`{scheme}:` stores are not supported by this build, they need the crate's \
                 feature `{feature}`; {KNOWN}"
            ))
        };
        match scheme.as_str() {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => Err("nothing follows the colon; give \"memory:\"".to_owned()),
            "file" => Self::file(rest),
            _ if scheme.contains("sentinel") || scheme.contains("cluster") => Err(format!(
                "`{scheme}:` stores are not supported: neither Redis Cluster nor Sentinel is \
                 followed; give \"redis://\" and the address of the primary, or of a proxy that \
                 leads to it"
            )),
            #[cfg(feature = "redis")]
            _ if crate::store::redis::address::Address::takes(&scheme) => {
                crate::store::redis::address::Address::parse(url)?;
                Ok(Self::Redis(url.to_owned()))
            }
            "redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" | "valkey+unix" | "unix" => {
                needs("redis")
            }
            #[cfg(feature = "object-store")]
            "s3" | "gs" | "az" => {
                crate::store::bucket::address::Address::parse(url)?;
                Ok(Self::Bucket(url.to_owned()))
            }
            #[cfg(not(feature = "object-store"))]
            "s3" | "gs" | "az" => needs("object-store"),
            _ => Err(format!("no store has the scheme `{scheme}:`; {KNOWN}")),
        }
    }

    fn file(rest: &str) -> Result<Self, String> {
        let path = match rest.strip_prefix("//") {
            None => rest,
            Some(path) if path.starts_with('/') => path,
            Some(_) => {
                return Err(
                    "a file store has no host; give \"file:\" and a relative path, or \
                            \"file:///\" and an absolute one"
                        .to_owned(),
                );
            }
        };
        if path.contains('\0') {
            return Err("a path has no NUL characters; remove them".to_owned());
        }
        let names_a_file = Path::new(path).file_name().is_some();
        if !names_a_file || path.ends_with('/') {
            return Err(
                "no file is named; give a path, such as \"file:maintenance.state\"".to_owned(),
            );
        }
        Ok(Self::File(PathBuf::from(path)))
    }
}

#[cfg(test)]
mod tests {
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
                ("postgres://db", "no store has the scheme `postgres:`"),
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
}
