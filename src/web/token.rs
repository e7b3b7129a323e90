//! Bearer tokens: programs that use the admin scope without a session (RFC 6750, section 2.1).
//!
//! A token is 32 random bytes, so that its SHA-256 is enough to keep: nobody can guess what it is
//! the hash of. A slow hash is for passwords, which people choose; here it would only let strangers
//! keep the server busy.

use std::{collections::HashMap, fmt, io, net::IpAddr, time::Duration};

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use jiff::Timestamp;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{
    clock::chance,
    core::{schedule::duration_in_words, secret::Secret, text::hexadecimal},
    settings::{HASH_PREFIX, TokenSettings, hash_from_text},
    web::permission::Permission,
    web::throttle::Throttle,
};

/// What tokens that are made here begin with, so that scanners find those that leak.
const TOKEN_PREFIX: &str = "mmt_";
/// Longer credentials are not looked at.
const LONGEST_TOKEN: usize = 512;

/// How long it is no news that a token is used.
const TOLD_FOR: Duration = Duration::from_secs(3600);
/// How many uses are remembered.
const MOST_USES: usize = 1024;

/// The tokens of the settings, and who has tried wrong ones.
#[derive(Default)]
pub(crate) struct Tokens {
    tokens: Vec<Token>,
    throttle: Mutex<Throttle>,
    uses: Mutex<HashMap<(String, Option<IpAddr>), Duration>>,
}

/// A program that is known by its token.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) name: String,
    hash: [u8; 32],
    toggle: bool,
    see: bool,
    modes: Vec<String>,
    expires: Option<Timestamp>,
}

/// What a request shows of a token.
#[derive(Debug)]
pub(crate) enum Shown<'t> {
    /// It has none.
    Nothing,
    /// It has one of the settings'.
    Valid(&'t Token),
    /// It has one that is none of the settings', or is not valid any more.
    Wrong(Wrong),
}

/// Why a token does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is none of the settings'. It may be one of the app's own.
    Unknown,
    /// It was valid until then.
    Expired { name: String, at: Timestamp },
    /// It was not looked at: too many from this address were wrong.
    TooMany { wait: Duration },
}

impl Wrong {
    /// The word for it in the log.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "wrong-token",
            Self::Expired { .. } => "expired-token",
            Self::TooMany { .. } => "too-many-wrong-tokens",
        }
    }

    /// The name of the token, if it has one.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Expired { name, .. } => Some(name),
            Self::Unknown | Self::TooMany { .. } => None,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter
                .write_str("The token is not known here. Compare its SHA-256 with `admin.tokens`."),
            Self::Expired { name, at } => write!(
                formatter,
                "The token `{name}` has expired at {at}. Make another one."
            ),
            Self::TooMany { wait } => write!(
                formatter,
                "Too many wrong tokens came from this address. Try again in {}.",
                duration_in_words(Duration::from_secs(wait_in_seconds(*wait)))
            ),
        }
    }
}

/// For how many whole seconds somebody has to wait.
pub(crate) fn wait_in_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX)
}

impl Tokens {
    /// # Errors
    ///
    /// When a hash that was checked before is none all the same.
    pub(crate) fn new(settings: &[TokenSettings]) -> Result<Self, String> {
        let token = |settings: &TokenSettings| {
            Ok(Token {
                name: settings.name.clone(),
                hash: hash_from_text(&settings.hash).ok_or("not the hash of a token")?,
                toggle: settings.toggle,
                see: settings.see,
                modes: settings.modes.clone(),
                expires: settings.expires,
            })
        };
        Ok(Self {
            tokens: settings.iter().map(token).collect::<Result<_, String>>()?,
            throttle: Mutex::default(),
            uses: Mutex::default(),
        })
    }

    /// Looks at the token of a request, unless too many wrong ones came from its address. `moment`
    /// is of the clock that nobody sets.
    ///
    /// A try is taken before it is known how it ends, so that many at once are no way around; what
    /// was not wrong is given back, here or by [`was_another`](Self::was_another).
    pub(crate) fn look(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
        now: Timestamp,
        moment: Duration,
    ) -> Shown<'_> {
        if !has_token(headers) {
            return Shown::Nothing;
        }
        if let Err(wait) = self.throttle.lock().take(address, moment) {
            return Shown::Wrong(Wrong::TooMany { wait });
        }
        match self.find(headers) {
            None => Shown::Wrong(Wrong::Unknown),
            Some(token) => {
                // Whoever has it is its owner, or has stolen it and guesses no more.
                self.throttle.lock().give_back(address);
                match token.expires {
                    Some(at) if at <= now => Shown::Wrong(Wrong::Expired {
                        name: token.name.clone(),
                        at,
                    }),
                    _ => Shown::Valid(token),
                }
            }
        }
    }

    /// Whether it is news that a token is used from an address: it was not within the last hour, as far
    /// as that is remembered.
    pub(crate) fn is_news(&self, token: &Token, address: Option<IpAddr>, moment: Duration) -> bool {
        let mut uses = self.uses.lock();
        let used = (token.name.clone(), address);
        let is_fresh = |told: &Duration| moment.saturating_sub(*told) < TOLD_FOR;
        if uses.get(&used).is_some_and(is_fresh) {
            return false;
        }
        if uses.len() >= MOST_USES {
            uses.retain(|_, told| is_fresh(told));
        }
        // Who has a token and very many addresses is told of each time.
        if uses.len() < MOST_USES {
            uses.insert(used, moment);
        }
        true
    }

    /// The token that was not known is one of the app's own.
    pub(crate) fn was_another(&self, address: Option<IpAddr>) {
        self.throttle.lock().give_back(address);
    }

    /// The names of the tokens that have expired.
    pub(crate) fn expired(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        self.tokens
            .iter()
            .filter(move |token| token.expires.is_some_and(|at| at <= now))
            .map(|token| token.name.as_str())
    }

    /// The program that sends this request, if it carries a valid token.
    ///
    /// The token is compared with all that there are, in a time that does not depend on where they
    /// differ. Nothing that is sent ever fails: it is a token or it is none.
    fn find(&self, headers: &HeaderMap) -> Option<&Token> {
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
        for token in &self.tokens {
            let is_it: Choice = token.hash.ct_eq(hash.as_slice());
            if bool::from(is_it) {
                found = Some(token);
            }
        }
        found
    }
}

/// Whether a bearer token is given at all, a valid one or not.
fn has_token(headers: &HeaderMap) -> bool {
    headers.get_all(AUTHORIZATION).any(|line| {
        let scheme = line.as_bytes().get(.."Bearer ".len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer "))
    })
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
        let token = format!("{TOKEN_PREFIX}{}", hexadecimal(&chance::secret()?));
        let hash = format!("{HASH_PREFIX}{}", hexadecimal(&Sha256::digest(&token)));
        Ok((Self::new(name, hash), token))
    }
}

/// A secret that nobody can guess, and what of it may be kept.
pub(crate) fn secret_and_hash() -> io::Result<(Secret, String)> {
    let secret = hexadecimal(&chance::secret()?);
    let hash = hash_of(&secret);
    Ok((Secret::new(secret), hash))
}

/// What may be kept of a secret: enough to know it again.
pub(crate) fn hash_of(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret)[..16])
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
