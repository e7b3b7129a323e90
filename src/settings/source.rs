//! Where settings come from: TOML text and environment variables, as one tree.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ffi::OsString,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::fault::{Fault, Origin, PREFIX};
use crate::core::text::shown;

/// Names the settings file; not itself a setting.
pub(super) const SETTINGS_VARIABLE: &str = "MAINTENANCE_SETTINGS";

/// By this variable a command that runs during maintenance knows the job that it is a part of; an app
/// that it starts has it, too.
pub(crate) const PART_OF_VARIABLE: &str = "MAINTENANCE_PART_OF";

/// Tell the program `maintenance` where a running site is, and what it shows there; not settings of
/// an app, which may have the same environment.
pub(crate) const URL_VARIABLE: &str = "MAINTENANCE_URL";
pub(crate) const TOKEN_VARIABLE: &str = "MAINTENANCE_TOKEN";
pub(crate) const TOKEN_FILE_VARIABLE: &str = "MAINTENANCE_TOKEN_FILE";

/// The variables that are no settings.
const NO_SETTINGS: [&str; 5] = [
    PART_OF_VARIABLE,
    SETTINGS_VARIABLE,
    URL_VARIABLE,
    TOKEN_VARIABLE,
    TOKEN_FILE_VARIABLE,
];

/// No key has this many sections around it.
const DEEPEST: usize = 8;

/// The keys of one table, each with what it was given.
pub(super) type Entries = BTreeMap<String, Node>;

/// A value and where it was given.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// What an empty variable was laid over.
    pub(super) under: Option<Box<Node>>,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    /// `None`: too large for 64 bits.
    Integer(Option<i64>, String),
    Boolean(bool),
    /// What no setting takes, as it was written: a float, or a date or time.
    Other(String),
    List(Vec<Node>),
    Table(Entries),
    /// An environment variable's text; what it means depends on the key.
    Variable(String),
}

/// A text of settings and, if it was read from a file, that file's path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) text: &'s str,
    pub(super) path: Option<&'s Path>,
}

impl Source<'_> {
    fn origin(&self, line: usize) -> Origin {
        match self.path {
            Some(path) => Origin::File {
                path: PathBuf::from(path),
                line: Some(line),
            },
            None => Origin::Text { line },
        }
    }

    /// The tree of the text, or empty with one fault if the text is not TOML.
    pub(super) fn entries(&self, faults: &mut Vec<Fault>) -> Entries {
        match DeTable::parse(self.text) {
            Ok(table) => {
                let line_ends: Vec<usize> =
                    self.text.match_indices('\n').map(|(at, _)| at).collect();
                let place =
                    |offset: usize| self.origin(line_ends.partition_point(|&end| end < offset) + 1);
                entries(table.into_inner(), &place)
            }
            Err(error) => {
                // Only the parser's own words: the line itself may hold a secret.
                let offset = error.span().map_or(0, |span| span.start);
                let before = self.text.get(..offset).unwrap_or(self.text);
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
                let message = format!(
                    "not valid TOML at line {line}, column {column}: {}",
                    shown(error.message())
                );
                faults.push(Fault::new("", message, self.origin(line)));
                Entries::new()
            }
        }
    }
}

fn entries(table: DeTable<'_>, place: &dyn Fn(usize) -> Origin) -> Entries {
    table
        .into_iter()
        .map(|(key, value)| {
            // A section begins at its own header, which is where its key stands.
            let origin = place(key.span().start);
            let node = Node {
                value: value_of(value.into_inner(), place),
                origin,
                under: None,
            };
            (key.into_inner().into_owned(), node)
        })
        .collect()
}

fn value_of(value: DeValue<'_>, place: &dyn Fn(usize) -> Origin) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(integer) => Value::Integer(
            i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            integer.to_string(),
        ),
        DeValue::Float(float) => Value::Other(float.to_string()),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(datetime) => Value::Other(datetime.to_string()),
        DeValue::Array(array) => Value::List(
            array
                .into_iter()
                .map(|item: Spanned<DeValue<'_>>| Node {
                    origin: place(item.span().start),
                    value: value_of(item.into_inner(), place),
                    under: None,
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(entries(table, place)),
    }
}

/// The items of a TOML array that a variable holds.
pub(super) fn array_in_variable(text: &str, origin: &Origin) -> Option<Vec<Node>> {
    match value_of(DeValue::parse(text).ok()?.into_inner(), &|_| origin.clone()) {
        Value::List(items) => Some(items),
        _ => None,
    }
}

/// Lays the environment over what the text says.
pub(super) fn overlay(
    tree: &mut Entries,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    faults: &mut Vec<Fault>,
) {
    let mut variables: Vec<(String, OsString)> = variables
        .into_iter()
        // A name that is not UTF-8 is no known one; made readable, it is told as unknown.
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, _)| name.starts_with(PREFIX) && !NO_SETTINGS.contains(&&**name))
        .collect();
    // The environment has no order; the faults must have one.
    variables.sort();
    for (name, value) in variables {
        if is_service_link(&name, &value.to_string_lossy()) {
            continue;
        }
        let key = name[PREFIX.len()..].to_lowercase();
        let origin = Origin::Variable(name);
        // A tree as deep as a name can be long could exhaust the stack.
        if key.matches("__").count() > DEEPEST {
            let key = key.replace("__", ".");
            faults.push(Fault::unknown_key(&key, "; remove it", origin));
            continue;
        }
        match value.into_string() {
            Ok(value) => set(tree, &key, value, origin, faults),
            Err(_) => faults.push(Fault::new(
                &key.replace("__", "."),
                "the value is not valid UTF-8; give plain text",
                origin,
            )),
        }
    }
}

/// Sets one key of the tree, given as in a variable's name.
fn set(tree: &mut Entries, key: &str, value: String, origin: Origin, faults: &mut Vec<Fault>) {
    let (sections, name) = match key.rsplit_once("__") {
        Some((sections, name)) => (Some(sections), name),
        None => (None, key),
    };
    let mut entries = tree;
    let mut path = String::new();
    for section in sections
        .into_iter()
        .flat_map(|sections| sections.split("__"))
    {
        path.push_str(section);
        let node = entries.entry(section.to_owned()).or_insert_with(|| Node {
            value: Value::Table(Entries::new()),
            origin: origin.clone(),
            under: None,
        });
        if let Value::List(_) = node.value {
            faults.push(Fault::new(
                &path,
                "an array in the file, of which a variable cannot set a part; set it as a \
                 whole",
                origin,
            ));
            return;
        }
        if !matches!(node.value, Value::Table(_)) {
            // A variable that is empty says "unset", and there is nothing to tell about it.
            if !node.is_blank_variable() {
                faults.push(Fault::not_a_section(&path, &node.origin));
            }
            node.value = Value::Table(Entries::new());
            node.origin = origin.clone();
        }
        let Value::Table(inner) = &mut node.value else {
            return;
        };
        entries = inner;
        path.push('.');
    }
    path.push_str(name);
    let mut node = Node {
        value: Value::Variable(value),
        origin,
        under: None,
    };
    match entries.entry(name.to_owned()) {
        Entry::Vacant(vacant) => {
            vacant.insert(node);
        }
        Entry::Occupied(mut occupied) => match (&occupied.get().value, &occupied.get().origin) {
            // The file's section stays, so that its own faults are told too.
            (Value::Table(_), _) if !node.is_blank_variable() => {
                faults.push(Fault::not_a_section(&path, &node.origin));
            }
            (Value::Variable(_), Origin::Variable(other)) => {
                let message = format!("set twice, also by `{}`; keep one", shown(other));
                faults.push(Fault::new(&path, message, node.origin));
            }
            _ if node.is_blank_variable() => {
                let place = occupied.get_mut();
                std::mem::swap(place, &mut node);
                place.under = Some(Box::new(node));
            }
            _ => {
                occupied.insert(node);
            }
        },
    }
}

impl Node {
    /// Whether this is a variable that is set to nothing.
    pub(super) fn is_blank_variable(&self) -> bool {
        matches!(&self.value, Value::Variable(text) if text.trim().is_empty())
    }
}

impl Fault {
    /// A section that was given one value. The value is not shown: it may hold a secret.
    pub(super) fn not_a_section(key: &str, origin: &Origin) -> Self {
        let message = match origin {
            Origin::Variable(_) => format!(
                "a section; set its keys one by one, each by a variable `{}__…`",
                shown(&super::fault::variable_of(key))
            ),
            _ => format!("a section; write `[{}]` and its keys below", shown(key)),
        };
        Self::new(key, message, origin.clone())
    }
}

/// Whether Kubernetes or Docker made up the variable, for a service whose name starts with
/// "maintenance".
///
/// They set `{SERVICE}_SERVICE_HOST`, `{SERVICE}_SERVICE_PORT[_{NAME}]`, `{SERVICE}_PORT` and
/// `{SERVICE}_PORT_{NUMBER}_{PROTOCOL}[_…]` in every container beside the service; a link between
/// containers sets `{ALIAS}_NAME` and `{ALIAS}_ENV_{VARIABLE}`, too. No setting has such a name.
fn is_service_link(name: &str, value: &str) -> bool {
    let rest = &name[PREFIX.len()..];
    let is_of_the_prefix =
        matches!(rest, "PORT" | "NAME") || rest.starts_with("PORT_") || rest.starts_with("ENV_");
    if is_of_the_prefix {
        return true;
    }
    let rest = format!("_{rest}");
    // Whatever the other container has in its environment.
    if rest.contains("_ENV_") {
        return true;
    }
    if rest.contains("__") {
        return false;
    }
    let numbered_port = || {
        rest.match_indices("_PORT_").any(|(at, mark)| {
            let tail = &rest[at + mark.len()..];
            let protocol = tail.trim_start_matches(|c: char| c.is_ascii_digit());
            protocol.len() < tail.len()
                && ["_TCP", "_UDP", "_SCTP"]
                    .iter()
                    .any(|known| protocol.starts_with(known))
        })
    };
    rest.ends_with("_SERVICE_HOST")
        || rest.ends_with("_SERVICE_PORT")
        || rest.contains("_SERVICE_PORT_")
        || (rest.ends_with("_PORT") && value.contains("://"))
        || (rest.ends_with("_NAME") && is_link_name(value))
        || numbered_port()
}

/// `/web/db`: the link of a container by its alias.
fn is_link_name(value: &str) -> bool {
    let mut parts = value.split('/');
    parts.next() == Some("") && parts.clone().count() == 2 && parts.all(|part| !part.is_empty())
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
