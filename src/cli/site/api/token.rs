//! The token that a program shows.

use std::{
    fmt, fs,
    io::Read as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use ureq::http::HeaderValue;

/// The longest token that is read, in bytes.
const LONGEST: u64 = 4096;
/// The permission of everybody on the machine to read a file.
const READABLE_BY_ALL: u32 = 0o004;

/// A secret that no output shows.
#[derive(Clone)]
pub(super) struct Token(HeaderValue);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl Token {
    /// `source`: where it was given.
    ///
    /// # Errors
    ///
    /// When it cannot be one. The error does not show it.
    pub(super) fn new(text: &str, source: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err(format!(
                "{source} is empty; give what `maintenance token NAME` has printed as the token"
            ));
        }
        let is_visible = |byte: u8| byte.is_ascii_graphic();
        let header = text
            .bytes()
            .all(is_visible)
            .then(|| HeaderValue::from_str(&format!("Bearer {text}")).ok())
            .flatten();
        match header {
            Some(mut header) => {
                header.set_sensitive(true);
                Ok(Self(header))
            }
            None => Err(format!(
                "{source} holds no token: it has spaces, or letters that no token has; give what \
                 `maintenance token NAME` has printed as the token, and nothing else"
            )),
        }
    }

    /// Reads a file that holds the token alone. The second one is what is to be told of the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or holds none.
    pub(super) fn read(path: &Path) -> Result<(Self, Option<String>), String> {
        let shown = path.display();
        let cannot = |error| format!("the token file {shown} cannot be read: {error}");
        let file = fs::File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        let mut text = String::new();
        file.take(LONGEST + 1)
            .read_to_string(&mut text)
            .map_err(cannot)?;
        if u64::try_from(text.len()).is_ok_and(|length| length > LONGEST) {
            return Err(format!(
                "the token file {shown} is too long; it should hold a token and nothing else"
            ));
        }
        let token = Self::new(&text, &format!("the token file {shown}"))?;
        let mode = metadata.permissions().mode();
        let note = (metadata.is_file() && mode & READABLE_BY_ALL != 0).then(|| {
            let owner = metadata.uid();
            format!(
                "the token file {shown} of user {owner} can be read by everybody on this machine; \
                 `chmod 600` mends that"
            )
        });
        Ok((token, note))
    }

    pub(super) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
