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
    /// `postgres:` and the like: the whole URL.
    #[cfg(feature = "postgres")]
    Postgres(String),
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
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => formatter.write_str(&without_password(url)),
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
            #[cfg(feature = "postgres")]
            _ if crate::store::postgres::address::Address::takes(&scheme) => {
                crate::store::postgres::address::Address::parse(url)?;
                Ok(Self::Postgres(url.to_owned()))
            }
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => needs("postgres"),
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
#[path = "url_tests.rs"]
mod tests;
