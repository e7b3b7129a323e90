//! `response.cors`: whose scripts may read refusals.

use http::Uri;

use super::{
    reader::Section,
    values::{Faults, told},
};

/// The word that stands for every origin.
const ANY: &str = "*";

/// Whose scripts may read refusals: the key `response.cors`.
///
/// Browsers hide the answers of one origin from the scripts of another, unless the answer names the
/// other ([Fetch, CORS protocol](https://fetch.spec.whatwg.org/#http-cors-protocol)). It is about
/// refusals only: while the site is open, and for whoever gets through, the app answers for itself.
///
/// A preflight that would be refused is answered instead, with yes to all that it asks for, since
/// the app is not there to answer. What the browser then sends is judged like any other request, and
/// from somebody who is exempt it reaches the app. So name only origins from which the app takes
/// such requests while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorsSetting {
    /// A list of origins as browsers send them, such as `https://app.example.com`. Their scripts may
    /// send cookies along. The default, with none.
    Named(Vec<String>),
    /// `"*"`: every origin, without cookies.
    Any,
}

impl Default for CorsSetting {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

pub(super) fn read(section: &mut Section<'_>, name: &str) -> CorsSetting {
    let expected =
        "give a list of origins, such as [\"https://app.example.com\"], or \"*\" for all";
    match section.list_or_word(name, ANY, expected) {
        Some(origins) => CorsSetting::Named(origins),
        None => CorsSetting::Any,
    }
}

pub(super) fn check(key: &str, cors: &CorsSetting, faults: &mut Faults) {
    if let CorsSetting::Named(origins) = cors {
        faults.each(key, origins, origin_fault);
    }
}

/// An origin is compared letter by letter with what browsers send, so it must be written like that
/// ([HTML, serialization of an origin](https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin)).
fn origin_fault(origin: &str) -> Option<String> {
    let remedy = "give an origin as browsers send it, such as \"https://app.example.com\"";
    if origin == "null" {
        return told("stands for any sandboxed page or file, so it cannot be named; give origins");
    }
    if origin.contains('*') {
        return told("stars are not understood in a list; name each origin, or set cors = \"*\"");
    }
    if !origin.is_ascii() {
        return Some(format!("browsers send such a name as `xn--…`; {remedy}"));
    }
    if origin.contains(|c: char| c.is_ascii_uppercase()) {
        return told("browsers send origins in lower case; write it like that");
    }
    let Some((scheme, rest)) = origin.split_once("://") else {
        return Some(format!("there is no scheme; {remedy}"));
    };
    if rest.contains(['/', '?', '#']) {
        return Some(format!(
            "an origin ends with its host or port, without a slash behind; {remedy}"
        ));
    }
    let Ok(uri) = origin.parse::<Uri>() else {
        return told(remedy);
    };
    let usual = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    if usual.is_some() && uri.port_u16() == usual {
        return told("browsers leave out the usual port of a scheme; leave it out, too");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-._~:[]".contains(c);
    let is_good = uri
        .host()
        .is_some_and(|host| !host.is_empty() && (host == rest || uri.port_u16().is_some()))
        && (scheme.chars().chain(rest.chars())).all(is_plain);
    (!is_good).then(|| remedy.to_owned())
}

#[cfg(test)]
#[path = "cors_tests.rs"]
mod tests;
