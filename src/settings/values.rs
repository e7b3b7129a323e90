//! What single values take, for all sections: each check says what would be right, or nothing.

use std::{fs, net::IpAddr, path::Path};

use http::Uri;
use ipnet::IpNet;
use regex::Regex;

use super::fault::Fault;
use crate::core::rules::address_texts::can_match_an_address;

/// Collects what the single checks say; each says what would be right, or nothing.
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn note(&mut self, key: &str, value: &str, message: Option<String>) {
        self.0
            .extend(message.map(|message| Fault::bad_value(key, value, message)));
    }

    pub(super) fn one(&mut self, key: &str, value: &str, fault: fn(&str) -> Option<String>) {
        self.note(key, value, fault(value));
    }

    pub(super) fn optional(
        &mut self,
        key: &str,
        value: Option<&str>,
        fault: fn(&str) -> Option<String>,
    ) {
        if let Some(value) = value {
            self.one(key, value, fault);
        }
    }

    pub(super) fn each(&mut self, key: &str, values: &[String], fault: fn(&str) -> Option<String>) {
        for (item, value) in values.iter().enumerate() {
            let fault =
                fault(value).map(|message| Fault::bad_value(key, value, message).with_item(item));
            self.0.extend(fault);
        }
    }

    /// A fault of one item of a list.
    pub(super) fn item(&mut self, key: &str, item: usize, value: &str, message: &str) {
        let fault = Fault::bad_value(key, value, message).with_item(item);
        self.0.push(fault);
    }

    /// A fault of a key as such, not of its value.
    pub(super) fn whole(&mut self, key: &str, message: &str) {
        self.0.push(Fault::new(key, message, super::Origin::Code));
    }
}

pub(super) fn told(message: &str) -> Option<String> {
    Some(message.to_owned())
}

pub(super) fn path_fault(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        told("give a path that starts with `/`")
    } else if path.contains(['?', '#']) {
        told("only the path is compared, never a query or fragment; remove what follows it")
    } else {
        None
    }
}

pub(super) fn prefix_fault(prefix: &str) -> Option<String> {
    let all = prefix.starts_with('/') && prefix.trim_end_matches('/').is_empty();
    if all {
        told("would exempt the whole site; name a part of it, or use forced = \"off\"")
    } else {
        path_fault(prefix)
    }
}

pub(super) fn address_fault(address: &str) -> Option<String> {
    if address.parse::<IpAddr>().is_ok() || address.parse::<IpNet>().is_ok() {
        return None;
    }
    let remedy = "give an address such as \"10.0.0.1\" or a block such as \"10.0.0.0/8\"";
    if address.contains('*') {
        return told("stars are not understood; give a block such as \"10.0.0.0/24\"");
    }
    if let Some((network, length)) = address.split_once('/')
        && let Ok(network) = network.parse::<IpAddr>()
    {
        let longest = if network.is_ipv4() { 32 } else { 128 };
        let length = crate::core::text::shown(length);
        return Some(format!(
            "`/{length}` is no prefix length; give one from 0 to {longest}"
        ));
    }
    if address.trim() != address {
        return Some(format!("white space around it; {remedy}"));
    }
    let like_a_name = address.contains(|c: char| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit());
    if like_a_name && !address.contains(':') {
        return Some(format!("names are not looked up; {remedy}"));
    }
    Some(format!("neither an IP address nor a CIDR block; {remedy}"))
}

/// A pattern of addresses, which must match the whole text of one.
pub(super) fn address_pattern_fault(pattern: &str) -> Option<String> {
    pattern_fault(pattern).or_else(|| {
        let is_good = can_match_an_address(pattern);
        (!is_good).then(|| {
            "can match no address: a pattern must match the whole of one, not its beginning; write \
             the rest, too, as in \"^127\\.0\\..*\", or a network in `addresses`, \"127.0.0.0/16\""
                .to_owned()
        })
    })
}

pub(super) fn pattern_fault(pattern: &str) -> Option<String> {
    if pattern.is_empty() {
        return told("an empty pattern would match everything; give one, or remove the item");
    }
    let error = Regex::new(pattern).err()?.to_string();
    // The lines above show the pattern and where in it the fault is.
    let last = error.lines().last().unwrap_or_default();
    let last = last.trim().trim_start_matches("error: ");
    Some(format!("not a regular expression: {last}"))
}

pub(super) fn folder_fault(folder: &Path) -> Option<String> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => told("not a folder; give the folder that holds the files"),
        Err(error) => Some(format!(
            "cannot be read ({error}); give an existing folder, absolute or relative to the \
             working directory"
        )),
    }
}

pub(super) fn message_fault(message: &str) -> Option<String> {
    let blank = message.trim().is_empty();
    blank.then(|| "give a text for visitors, or remove the key".to_owned())
}

pub(super) fn redirect_fault(target: &str) -> Option<String> {
    let remedy = "give an address such as \"https://status.example.com/\", or a path that starts \
                  with one `/`";
    // Browsers read a backslash as a slash, so `/\host` would leave the site.
    let unfit = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if target.contains(unfit) {
        return Some(format!(
            "white space, a backslash or a control character; {remedy}"
        ));
    }
    if target.starts_with("//") {
        return Some(format!("starts with `//`, which is another host; {remedy}"));
    }
    let fits = match target.parse::<Uri>() {
        Ok(_) if target.starts_with('/') => true,
        Ok(uri) => {
            let web = matches!(uri.scheme_str(), Some("http" | "https"));
            web && uri.host().is_some_and(|host| !host.is_empty())
        }
        Err(_) => false,
    };
    (!fits).then(|| remedy.to_owned())
}

#[cfg(test)]
#[path = "values_tests.rs"]
pub(crate) mod tests;

/// A file that is going to be written. `example` is the name of one.
pub(super) fn written_file_fault(file: &Path, example: &str) -> Option<String> {
    let names_a_file = file.file_name().is_some() && !file.to_string_lossy().ends_with('/');
    if !names_a_file || file.is_dir() {
        return Some(format!(
            "not the name of a file; give one, such as \"{example}\""
        ));
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => return None,
    };
    (!folder.is_dir()).then(|| {
        format!(
            "there is no folder {}; make it, so that the file can be written",
            crate::core::text::shown(&folder.to_string_lossy())
        )
    })
}
