//! Bearer tokens: programs that use the admin scope without a session (RFC 6750, section 2.1).
//!
//! A token is 32 random bytes, so that its SHA-256 is enough to keep: nobody can guess what it is
//! the hash of. A slow hash is for passwords, which people choose; here it would only let strangers
//! keep the server busy.

use std::io;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{
    settings::{HASH_PREFIX, TokenSettings},
    web::permission::Permission,
};

/// What tokens that are made here begin with, so that scanners find those that leak.
const TOKEN_PREFIX: &str = "mmt_";
/// Longer credentials are not looked at.
const LONGEST_TOKEN: usize = 512;

/// The tokens of the settings.
#[derive(Default)]
pub(crate) struct Tokens(Vec<Token>);

/// A program that is known by its token.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) name: String,
    hash: [u8; 32],
    toggle: bool,
    see: bool,
    modes: Vec<String>,
}

impl Tokens {
    /// # Errors
    ///
    /// When a hash that was checked before is none all the same.
    pub(crate) fn new(settings: &[TokenSettings]) -> Result<Self, String> {
        let token = |settings: &TokenSettings| {
            Ok(Token {
                name: settings.name.clone(),
                hash: settings
                    .hash
                    .strip_prefix(HASH_PREFIX)
                    .and_then(from_hexadecimal)
                    .ok_or("not the hash of a token")?,
                toggle: settings.toggle,
                see: settings.see,
                modes: settings.modes.clone(),
            })
        };
        settings
            .iter()
            .map(token)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The program that sends this request, if it carries a valid token.
    ///
    /// The token is compared with all that there are, in a time that does not depend on where they
    /// differ. Nothing that is sent ever fails: it is a token or it is none.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<&Token> {
        if self.0.is_empty() {
            return None;
        }
        let mut lines = headers.get_all(AUTHORIZATION);
        let credentials = lines.next()?.as_bytes();
        // Of two, nobody knows which one a proxy has looked at.
        if lines.next().is_some() || credentials.len() > LONGEST_TOKEN {
            return None;
        }
        let (scheme, rest) = credentials.split_at_checked("Bearer ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Bearer ") {
            return None;
        }
        let hash = Sha256::digest(rest.trim_ascii());
        let mut found = None;
        for token in &self.0 {
            let is_it: Choice = token.hash.ct_eq(hash.as_slice());
            if bool::from(is_it) {
                found = Some(token);
            }
        }
        found
    }
}

impl Token {
    pub(crate) fn may(&self, permission: Permission, mode: &str) -> bool {
        let has_it = match permission {
            Permission::Toggle => self.toggle,
            Permission::See => self.see,
        };
        has_it && (self.modes.is_empty() || self.modes.iter().any(|known| known == mode))
    }
}

impl TokenSettings {
    /// Makes a new token: what goes into the settings, and the secret, which is shown once and kept
    /// nowhere.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers.
    pub fn generate(name: impl Into<String>) -> io::Result<(Self, String)> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let token = format!("{TOKEN_PREFIX}{}", hexadecimal(&secret));
        let hash = format!("{HASH_PREFIX}{}", hexadecimal(&Sha256::digest(&token)));
        Ok((Self::new(name, hash), token))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn the_hash_is_the_sha256_of_the_token_as_it_is_sent() {
        // printf %s abc | sha256sum
        let hash = "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let tokens = Tokens::new(&[TokenSettings::new("abc", hash)]).unwrap();
        for (line, is_it) in [
            (&b"Bearer abc"[..], true),
            (b"bearer  abc ", true),
            (b"Bearer abcd", false),
            (b"Bearer ", false),
            (b"Bearer", false),
            (b"abc", false),
            (b"Basic abc", false),
            (b"", false),
            (b"Bearer \xff\xfe", false),
        ] {
            let found = tokens.find(&headers(&[line])).map(|token| &*token.name);
            assert_eq!(found, is_it.then_some("abc"), "{line:?}");
        }
        assert!(tokens.find(&headers(&[])).is_none());
        assert!(
            tokens
                .find(&headers(&[b"Bearer abc", b"Bearer abc"]))
                .is_none()
        );
        let long = [b"Bearer ".as_slice(), &b" ".repeat(600), b"abc"].concat();
        assert!(tokens.find(&headers(&[&long])).is_none());
    }

    #[test]
    fn every_token_that_is_made_is_another_and_is_found() {
        let (one, first) = TokenSettings::generate("one").unwrap();
        let (two, second) = TokenSettings::generate("two").unwrap();
        assert_ne!(first, second);
        let tokens = Tokens::new(&[one, two]).unwrap();
        for (token, name) in [(first, "one"), (second, "two")] {
            let line = format!("Bearer {token}");
            assert_eq!(
                tokens.find(&headers(&[line.as_bytes()])).unwrap().name,
                name
            );
        }
    }

    #[test]
    fn a_hash_that_is_none_is_told() {
        for wrong in ["", "sha256:", "sha256:é", "abc"] {
            assert!(
                Tokens::new(&[TokenSettings::new("x", wrong)]).is_err(),
                "{wrong}"
            );
        }
    }
}
