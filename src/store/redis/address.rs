//! Where a Redis server is, as a URL names it. No I/O.

use ::redis::{Client, parse_redis_url};

/// What keys begin with unless the URL says otherwise.
const PREFIX: &str = "maintenance";

/// Kept short: each lease has it in its key.
const LONGEST_PREFIX: usize = 200;

const SCHEMES: [&str; 7] = [
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "redis+unix",
    "valkey+unix",
    "unix",
];

/// A server, a database on it, and what the keys begin with.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(super) client: Client,
    /// The URL without user and password.
    pub(super) shown: String,
    pub(super) prefix: String,
    pub(super) is_encrypted: bool,
}

impl Address {
    /// Whether URLs of this scheme, in lower case, are for here.
    pub(crate) fn takes(scheme: &str) -> bool {
        SCHEMES.contains(&scheme)
    }

    /// Reads the URL, or says what would be right.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let fault = |message: &str| Err(message.to_owned());
        let authority = url.split_once("://").map_or("", |(_, rest)| {
            rest.split(['/', '?', '#']).next().unwrap_or(rest)
        });
        if authority.contains(',') {
            return fault(
                "several servers are named, and this store follows neither Redis Cluster nor \
                 Sentinel; give the address of one server, or of a proxy that leads to the primary",
            );
        }
        let Some(mut parsed) = parse_redis_url(url) else {
            return fault(
                "it is no URL of a Redis server; give \"redis://host\", \"rediss://host\" for TLS \
                 or \"redis+unix:///path\"",
            );
        };
        if parsed.fragment().is_some() {
            return fault(
                "nothing may follow a `#`: the server's certificate is always checked; percent-encode \
                 a `#` in the password as %23",
            );
        }
        let is_socket = parsed.scheme().ends_with("unix");
        let mut prefix = PREFIX.to_owned();
        let mut database = None;
        let mut login = Vec::new();
        for (name, value) in parsed.query_pairs() {
            match &*name {
                "prefix" => prefix = value.into_owned(),
                "db" if is_socket => database = Some(value.into_owned()),
                "user" | "pass" if is_socket => {
                    login.push((name.into_owned(), value.into_owned()));
                }
                _ => {
                    return Err(format!(
                        "there is no parameter `{name}`; known here: {}",
                        match is_socket {
                            true => "prefix, db, user, pass",
                            false => "prefix",
                        }
                    ));
                }
            }
        }
        if prefix.is_empty() || prefix.len() > LONGEST_PREFIX {
            return Err(format!(
                "the prefix has {} bytes; give it 1 to {LONGEST_PREFIX}",
                prefix.len()
            ));
        }
        parsed.set_query(None);
        let mut shown = parsed.clone();
        if let Some(database) = &database {
            parsed.query_pairs_mut().append_pair("db", database);
            shown.query_pairs_mut().append_pair("db", database);
        }
        for (name, value) in &login {
            parsed.query_pairs_mut().append_pair(name, value);
        }
        // Fails for URLs that have no room for them, which then have none.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        if prefix != PREFIX {
            shown.query_pairs_mut().append_pair("prefix", &prefix);
        }
        let is_encrypted = matches!(parsed.scheme(), "rediss" | "valkeys");
        let client = Client::open(parsed).map_err(|error| {
            // What follows is the library's name for the kind.
            let text = error.to_string();
            let text = text.split(" - ").next().unwrap_or_default();
            format!("{text}; give for example \"redis://host:6379/0\"")
        })?;
        Ok(Self {
            client,
            shown: shown.into(),
            prefix,
            is_encrypted,
        })
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
