//! `[admin]`: what programs may do in the admin scope.

use std::{fmt, path::PathBuf};

use jiff::Timestamp;

use super::{
    Settings,
    reader::Section,
    values::{Faults, folder_fault},
    well_known,
};
use crate::core::{text::hash_from_hexadecimal, words::words};
use crate::settings::conversions::{boolean, instant, one_of, text};

/// What `admin.tokens` takes as a hash: this and 64 hexadecimal digits.
pub(crate) const HASH_PREFIX: &str = "sha256:";
const HASH_DIGITS: usize = 64;
/// Longer names are no names.
const LONGEST_NAME: usize = 100;

/// `[admin]`: what programs may do in the admin scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AdminSettings {
    /// What a `GET` of `/on` and `/off` does. Default [`GetSwitches::Typed`].
    pub get: GetSwitches,
    /// The bearer tokens of programs, such as deploy jobs. Default empty.
    pub tokens: Vec<TokenSettings>,
    /// A folder whose files are served under `static/` of the admin scope, in the place of the
    /// embedded ones that have the same name. Default `None`.
    pub static_dir: Option<PathBuf>,
}

/// `admin.get`: what a `GET` of `/on` and `/off` does, of somebody who may switch.
///
/// Every link can make a browser send a `GET`, also one on another site. So it switches only where
/// the user's own intent shows, and takes no text; a `POST` is what forms and programs send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GetSwitches {
    /// `typed`: it switches if the browser says that the user typed the address or used a bookmark,
    /// or if the client is no browser. Else it shows the page that asks.
    #[default]
    Typed,
    /// `ask`: it always shows the page that asks.
    Ask,
}

words! {
    /// The word in the settings: `typed` or `ask`.
    pub(crate) GetSwitches {
        Typed = "typed",
        Ask = "ask",
    }
}

/// `admin.tokens`: a program that may use the admin scope, without a session.
///
/// It sends `Authorization: Bearer …`. The settings hold a hash of the token, never the token.
///
/// ```
/// use actix_maintenance_mode::settings::{Settings, TokenSettings};
///
/// let (deploy, secret) = TokenSettings::generate("deploy")?;
/// let mut settings = Settings::default();
/// settings.admin.tokens.push(deploy);
/// settings.check()?;
/// assert!(!format!("{settings:?}").contains(&secret));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenSettings {
    /// Who it is: recorded as `by`. Needed, and no other token's.
    pub name: String,
    /// `sha256:` and the SHA-256 of the token in hexadecimal digits. Needed.
    pub hash: String,
    /// Whether it may switch, and plan and cancel windows. Default `true`.
    pub toggle: bool,
    /// Whether it may see the status and the history. Default `true`.
    pub see: bool,
    /// The keys of the modes for which that holds. Default empty: all.
    pub modes: Vec<String>,
    /// From when on it counts no more. Default `None`: it never expires.
    pub expires: Option<Timestamp>,
}

impl TokenSettings {
    /// A token with this name and hash that may do everything with every mode.
    pub fn new(name: impl Into<String>, hash: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hash: hash.into(),
            toggle: true,
            see: true,
            modes: Vec::new(),
            expires: None,
        }
    }
}

/// Shows everything but the hash.
impl fmt::Debug for TokenSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            hash: _,
            toggle,
            see,
            modes,
            expires,
        } = self;
        formatter
            .debug_struct("TokenSettings")
            .field("name", name)
            .field("hash", &format_args!("[hidden]"))
            .field("toggle", toggle)
            .field("see", see)
            .field("modes", modes)
            .field("expires", expires)
            .finish()
    }
}

pub(super) fn read(section: &mut Section<'_>) -> AdminSettings {
    AdminSettings {
        get: section.value("get", one_of::<GetSwitches>, GetSwitches::default()),
        tokens: section.sections("tokens", token),
        static_dir: section
            .optional("static_dir", text, None)
            .map(PathBuf::from),
    }
}

fn token(section: &mut Section<'_>) -> TokenSettings {
    let default = TokenSettings::new("", "");
    TokenSettings {
        name: section.value("name", text, default.name),
        hash: section.value("hash", text, default.hash),
        toggle: section.value("toggle", boolean, default.toggle),
        see: section.value("see", boolean, default.see),
        modes: section.list("modes", default.modes),
        expires: section.optional("expires", instant, default.expires),
    }
}

pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    if let Some(folder) = &settings.admin.static_dir {
        let shown = folder.to_string_lossy();
        faults.note("admin.static_dir", &shown, folder_fault(folder));
    }
    let tokens = &settings.admin.tokens;
    for (place, token) in tokens.iter().enumerate() {
        let key = |name: &str| format!("admin.tokens[{place}].{name}");
        faults.one(&key("name"), &token.name, token_name_fault);
        if tokens[..place].iter().any(|other| other.name == token.name) {
            let message = "another token has this name; give each its own".to_owned();
            faults.note(&key("name"), &token.name, Some(message));
        }
        let hash = token.hash.as_str();
        let fault = hash_fault(hash).or_else(|| well_known_fault(hash, &token.name));
        faults.note(&key("hash"), hash, fault);
        if !token.toggle && !token.see {
            let message = "the token may do nothing; set `toggle`, `see` or both, or remove it";
            faults.whole(&format!("admin.tokens[{place}]"), message);
        }
        for (item, mode) in token.modes.iter().enumerate() {
            if !settings.has_mode(mode) {
                faults.item(
                    &key("modes"),
                    item,
                    mode,
                    "no mode has this key; give one of those under `[[mode]]`",
                );
            }
        }
    }
}

pub(crate) fn token_name_fault(name: &str) -> Option<String> {
    let fits = !name.trim().is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.contains(char::is_control);
    (!fits).then(|| format!("give a name of at most {LONGEST_NAME} characters, such as \"deploy\""))
}

/// The bytes of a hash as the settings have it.
pub(crate) fn hash_from_text(text: &str) -> Option<[u8; 32]> {
    hash_from_hexadecimal(text.strip_prefix(HASH_PREFIX)?)
}

fn hash_fault(hash: &str) -> Option<String> {
    hash_from_text(hash).is_none().then(|| {
        format!(
            "give \"{HASH_PREFIX}\" and {HASH_DIGITS} hexadecimal digits: the SHA-256 of the \
             token, not the token itself"
        )
    })
}

/// A word that everybody tries first is no secret, and its hash is known to all.
fn well_known_fault(hash: &str, name: &str) -> Option<String> {
    let hash = hash_from_text(hash)?;
    well_known::is_hash_of_a_word(&hash, name).then(|| {
        "this is the hash of a well-known word, which anybody can guess; make a token of random \
         bytes, as by `openssl rand -hex 32`, and give its hash"
            .to_owned()
    })
}

#[cfg(test)]
#[path = "admin_tests.rs"]
mod tests;
