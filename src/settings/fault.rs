//! What is wrong with the settings, and where.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use crate::core::text::shown;

/// Keys longer than this are no slips of the pen; nothing is suggested for them.
const LONGEST_SLIP: usize = 80;
/// What stands before the key in a variable's name.
pub(super) const PREFIX: &str = "MAINTENANCE_";

/// Where a faulty setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// A settings file.
    #[non_exhaustive]
    File {
        /// The file's path, as it was given.
        path: PathBuf,
        /// The line, from 1; `None` if the fault is the file's as a whole.
        line: Option<usize>,
    },
    /// A text that was given as such.
    #[non_exhaustive]
    Text {
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Variable(String),
    /// The app's own code, or a default.
    Code,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: None } => write!(formatter, "{}", path.display()),
            Self::File {
                path,
                line: Some(line),
            } => write!(formatter, "{}:{line}", path.display()),
            Self::Text { line } => write!(formatter, "line {line}"),
            Self::Variable(name) => formatter.write_str(&shown(name)),
            Self::Code => formatter.write_str("set in code"),
        }
    }
}

/// One thing that is wrong with the settings.
///
/// As text it is one line that says where it is, what it is and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    key: String,
    /// The item's place, where the key is a list.
    item: Option<usize>,
    value: Option<String>,
    message: String,
    /// The message names the key itself.
    whole: bool,
    origin: Origin,
}

impl Fault {
    /// A fault of one key, or of none if `key` is empty.
    pub(super) fn new(key: &str, message: impl Into<String>, origin: Origin) -> Self {
        Self {
            key: shown(key),
            item: None,
            value: None,
            message: message.into(),
            whole: false,
            origin,
        }
    }

    /// A key that no setting has.
    pub(super) fn unknown_key(key: &str, what_then: &str, origin: Origin) -> Self {
        let message = format!("unknown key `{}`{what_then}", shown(key));
        let mut fault = Self::new(key, message, origin);
        fault.whole = true;
        fault
    }

    /// A value that is not right; `message` says what would be.
    pub(super) fn bad_value(key: &str, value: &str, message: impl Into<String>) -> Self {
        let mut fault = Self::new(key, message, Origin::Code);
        fault.value = (!is_secret(&fault.key)).then(|| shown(value));
        fault
    }

    pub(super) fn with_item(mut self, item: usize) -> Self {
        self.item = Some(item);
        self
    }

    pub(super) fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The key as in the file, with its section: `response.status`. Empty if the fault is not
    /// one key's.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value that was given, shortened if it is long. `None` if the fault is not a value's,
    /// or if the value is a secret.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// What is wrong, or what would be right; without the place, the key and the value.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the fault comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin != Origin::Code {
            write!(formatter, "{}: ", self.origin)?;
        }
        if !self.key.is_empty() && !self.whole {
            match (&self.value, self.item) {
                (None, None) => write!(formatter, "`{}`: ", self.key)?,
                (None, Some(item)) => write!(formatter, "`{}`, item {}: ", self.key, item + 1)?,
                (Some(value), item) => {
                    let verb = if item.is_some() { "has" } else { "is" };
                    match value.as_str() {
                        "" => write!(formatter, "`{}` {verb} \"\": ", self.key)?,
                        value => write!(formatter, "`{}` {verb} `{value}`: ", self.key)?,
                    }
                }
            }
        }
        formatter.write_str(&self.message)
    }
}

/// Why the settings cannot be used: every fault at once.
///
/// As text it is a heading and one line per fault.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsError {
    faults: Vec<Fault>,
}

impl SettingsError {
    /// One value that turned out to be wrong only when it was used.
    pub(crate) fn of_value(key: &str, value: &str, message: impl Into<String>) -> Self {
        let mut fault = Fault::bad_value(key, value, message);
        fault.value = fault.value.filter(|value| !value.is_empty());
        Self {
            faults: vec![fault],
        }
    }

    /// Tells these faults and others at once.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.faults.extend(others.faults);
        self
    }

    /// `Ok` if there is no fault.
    pub(super) fn unless_empty(mut faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        // By line and by variable; those of the same place stay as they were found.
        faults.sort_by(|one, other| one.origin.cmp(&other.origin));
        Err(Self { faults })
    }

    /// The faults: those of the file by line, then those of the environment by variable, then
    /// those of code. Never empty.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(
            formatter,
            "{count} fault{plural} in the maintenance settings:"
        )?;
        for fault in &self.faults {
            write!(formatter, "\n  {fault}")?;
        }
        Ok(())
    }
}

/// The same text as `Display`: a `main` that returns the error shows it by `Debug`.
impl fmt::Debug for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for SettingsError {}

/// Where each key that was given comes from, by its text: `exempt.paths`, `exempt.paths[2]`.
#[derive(Debug, Default)]
pub(super) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    pub(super) fn record(&mut self, key: &str, origin: &Origin) {
        self.0.insert(key.to_owned(), origin.clone());
    }

    pub(super) fn record_item(&mut self, key: &str, item: usize, origin: &Origin) {
        self.0.insert(format!("{key}[{item}]"), origin.clone());
    }

    /// The fault with the place of its item, else of its key, else of the section around it.
    pub(super) fn locate(&self, fault: Fault) -> Fault {
        let item = fault.item.map(|item| format!("{}[{item}]", fault.key));
        let sections = std::iter::successors(Some(fault.key.as_str()), |key| {
            key.rsplit_once('.').map(|(section, _)| section)
        });
        let origin = item
            .as_deref()
            .into_iter()
            .chain(sections)
            .find_map(|key| self.0.get(key));
        match origin.cloned() {
            Some(origin) => fault.with_origin(origin),
            None => fault,
        }
    }
}

/// Whether the value of this key must not be shown. A key given in the place of the whole table
/// is as secret as one in its right place.
fn is_secret(key: &str) -> bool {
    key == "exempt.api_key"
        || key == "exempt.api_key.keys"
        || (key.starts_with("admin.tokens[") && key.ends_with("].hash"))
}

/// The variable that sets `key`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// The known key that `unknown` most likely stands for, if any is near enough.
///
/// Near are a slip in the name, the right name in the wrong section, and a wrong mark between
/// section and name.
pub(super) fn nearest<'k>(unknown: &str, known: &'k [String]) -> Option<&'k str> {
    if unknown.len() > LONGEST_SLIP {
        return None;
    }
    let unknown = unknown.to_lowercase();
    let (section, name) = split(&unknown);
    known
        .iter()
        .filter_map(|key| {
            let (key_section, key_name) = split(key);
            // Another section costs as much as one slip.
            let moved = usize::from(section != key_section);
            let by_name = slips(name, key_name).map(|slips| slips + moved);
            let by_key =
                slips(&unknown.replace('.', "_"), &key.replace('.', "_")).map(|slips| slips + 1);
            let distance = by_name.into_iter().chain(by_key).min()?;
            Some((distance, key.as_str()))
        })
        // The first of equals: the order of the known keys is that of the documentation.
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('.').unwrap_or(("", key))
}

/// How many slips lie between two names, if few enough for their length.
fn slips(one: &str, other: &str) -> Option<usize> {
    let slips = strsim::osa_distance(one, other);
    let shorter = one.chars().count().min(other.chars().count());
    (slips <= (shorter / 3).min(3)).then_some(slips)
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
