//! The file that has passwords of databases: `.pgpass`, as libpq reads it.

use std::{fs, io, path::Path};

use super::address::Place;

/// The password in the file for this server, database and user, if it has one.
///
/// # Errors
///
/// Why the file that is there is not used, in a sentence.
pub(super) fn password(
    file: &Path,
    place: &Place,
    database: &str,
    user: &str,
) -> Result<Option<String>, String> {
    let refused = |reason: &str| Err(format!("{} is not used: {reason}", file.display()));
    let found = match fs::metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return refused(&error.to_string()),
    };
    if !found.is_file() {
        return refused("it is no plain file");
    }
    if is_for_others(&found) {
        return refused("others may read it; `chmod 0600` it");
    }
    match fs::read_to_string(file) {
        Ok(text) => Ok(matching(&text, place, database, user)),
        Err(error) => refused(&error.to_string()),
    }
}

#[cfg(unix)]
fn is_for_others(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    file.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_for_others(_file: &fs::Metadata) -> bool {
    false
}

fn matching(text: &str, place: &Place, database: &str, user: &str) -> Option<String> {
    let host = host(place);
    let port = place.port.to_string();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut fields = Fields(line);
            for expected in [host.as_str(), &port, database, user] {
                let field = fields.next_field()?;
                if field != "*" && field != expected {
                    return None;
                }
            }
            Some(unescaped(fields.0))
        })
}

/// What libpq takes for the host's name: a socket in the usual folder is `localhost`.
fn host(place: &Place) -> String {
    let name = super::address::name_of(&place.host);
    match name.as_str() {
        "/var/run/postgresql" | "/run/postgresql" | "/tmp" => "localhost".to_owned(),
        _ => name,
    }
}

/// What is left of a line.
struct Fields<'a>(&'a str);

impl Fields<'_> {
    /// The text up to the next colon that has no backslash before it.
    fn next_field(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.0.find(|character| {
            let is_end = character == ':' && !escaped;
            escaped = character == '\\' && !escaped;
            is_end
        })?;
        let field = unescaped(&self.0[..end]);
        self.0 = &self.0[end + 1..];
        Some(field)
    }
}

fn unescaped(text: &str) -> String {
    let mut characters = text.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
#[path = "pass_file_tests.rs"]
mod tests;
