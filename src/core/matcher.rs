//! Which alerts are silenced: matchers, as `amtool` takes them.

use regex::Regex;
use serde::{Deserialize, Serialize};

/// One matcher, as the API of Alertmanager has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Matcher {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_regex: bool,
    pub(crate) is_equal: bool,
}

impl Matcher {
    /// Reads `name="value"`, with `=`, `!=`, `=~` or `!~`, and the quotation marks left out at will.
    ///
    /// # Errors
    ///
    /// What would be right.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let remedy = "give a matcher such as team=\"shop\" or instance=~\"web.*\"";
        let start = text.find(['=', '!']).ok_or(remedy)?;
        let (name, rest) = text.split_at(start);
        let name = name.trim();
        let (is_equal, is_regex, rest) = [
            ("=~", (true, true)),
            ("!~", (false, true)),
            ("!=", (false, false)),
            ("=", (true, false)),
        ]
        .iter()
        .find_map(|(sign, (is_equal, is_regex))| {
            Some((*is_equal, *is_regex, rest.strip_prefix(sign)?))
        })
        .ok_or(remedy)?;
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let begins = name.starts_with(|first: char| !first.is_ascii_digit());
        if !begins || !name.chars().all(is_name) {
            return Err(format!(
                "the name of a label is missing or not one; {remedy}"
            ));
        }
        let rest = rest.trim();
        let value = match rest.strip_prefix('"') {
            Some(_) => serde_json::from_str(rest).map_err(|_| remedy.to_owned())?,
            None if rest.contains(['"', ',', '{', '}']) => return Err(remedy.to_owned()),
            None => rest.to_owned(),
        };
        if is_regex && let Err(error) = anchored(&value) {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default();
            return Err(format!("not a regular expression ({})", why.trim()));
        }
        Ok(Self {
            name: name.to_owned(),
            value,
            is_regex,
            is_equal,
        })
    }

    /// Whether it also fits alerts that do not have the label.
    pub(crate) fn fits_nothing(&self) -> bool {
        let fits = match self.is_regex {
            true => anchored(&self.value).is_ok_and(|regex| regex.is_match("")),
            false => self.value.is_empty(),
        };
        fits == self.is_equal
    }
}

fn anchored(regex: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{regex})$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_as_amtool_reads_them() {
        let read = |text: &str| {
            let it = Matcher::parse(text).unwrap();
            (it.name, it.value, it.is_equal, it.is_regex)
        };
        let is = |name: &str, value: &str, is_equal, is_regex| {
            (name.to_owned(), value.to_owned(), is_equal, is_regex)
        };
        assert_eq!(read("team=\"shop\""), is("team", "shop", true, false));
        assert_eq!(read("team = shop"), is("team", "shop", true, false));
        assert_eq!(read("a=~\"web.*\""), is("a", "web.*", true, true));
        assert_eq!(read("a!=b"), is("a", "b", false, false));
        assert_eq!(read("a!~\"b\\\"c\""), is("a", "b\"c", false, true));
        for wrong in [
            "", "team", "=x", "1a=b", "a b=c", "a=\"b", "a=b,c=d", "a=~\"(\"", "a!b",
        ] {
            assert!(Matcher::parse(wrong).is_err(), "{wrong}");
        }
        for (text, fits) in [
            ("a=b", false),
            ("a=", true),
            ("a!=b", true),
            ("a=~\".*\"", true),
            ("a=~\".+\"", false),
        ] {
            assert_eq!(Matcher::parse(text).unwrap().fits_nothing(), fits, "{text}");
        }
    }
}
