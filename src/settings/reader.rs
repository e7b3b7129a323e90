//! Reads the tree of keys by a schema: what is read is removed, and what is left is unknown.
//!
//! The schema is the code that reads. It runs over sections that were not given too, so that every
//! name it asks for is known and can be suggested.

use super::{
    fault::{Fault, Origin, Origins, nearest, variable_of},
    source::{Entries, Node, Value, array_in_variable},
};

/// What one pass over the tree finds.
#[derive(Debug, Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
    origins: Origins,
    /// Every key of the schema, without the places in arrays of tables.
    known: Vec<String>,
    unknown: Vec<Unknown>,
}

/// A key that the schema did not ask for.
#[derive(Debug)]
struct Unknown {
    /// As the fault tells it.
    path: String,
    /// As the schema would name it.
    schema: String,
    origin: Origin,
}

impl Reader {
    /// Reads the whole tree.
    pub(super) fn read<T>(
        &mut self,
        entries: Entries,
        schema: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        Section {
            reader: self,
            entries,
            path: String::new(),
            schema: String::new(),
        }
        .read(schema)
    }

    /// The faults of the keys and their types, and where each key was given.
    pub(super) fn finish(mut self) -> (Vec<Fault>, Origins) {
        for unknown in &self.unknown {
            let what_then = match nearest(&unknown.schema, &self.known) {
                Some(key) => match &unknown.origin {
                    Origin::Variable(_) => {
                        format!(", did you mean `{key}` (`{}`)?", variable_of(key))
                    }
                    _ => format!(", did you mean `{key}`?"),
                },
                None => format!("; known here: {}", self.neighbours(&unknown.schema)),
            };
            let origin = unknown.origin.clone();
            self.faults
                .push(Fault::unknown_key(&unknown.path, &what_then, origin));
        }
        (self.faults, self.origins)
    }

    /// The known keys of the section, or of the top level if the section is unknown itself.
    fn neighbours(&self, unknown: &str) -> String {
        let section = unknown.rsplit_once('.').map_or("", |(section, _)| section);
        let inside = |section: &str| -> Vec<&str> {
            let names = self.known.iter().filter_map(|key| {
                let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
                (parent == section).then_some(name)
            });
            names.collect()
        };
        let mut names = inside(section);
        if names.is_empty() {
            names = inside("");
        }
        names.join(", ")
    }
}

/// One table while it is read.
pub(super) struct Section<'r> {
    reader: &'r mut Reader,
    entries: Entries,
    path: String,
    schema: String,
}

/// What a value should have been.
pub(super) type Expected = String;

impl Section<'_> {
    fn read<T>(mut self, schema: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let read = schema(&mut self);
        for (name, node) in std::mem::take(&mut self.entries) {
            let path = join(&self.path, &name);
            let schema = join(&self.schema, &name);
            note_unknown(path, schema, node, &mut self.reader.unknown);
        }
        read
    }

    /// A value that has a default. An empty variable is none: what is below it counts.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        kind: impl FnOnce(&Value) -> Result<T, Expected>,
        default: T,
    ) -> T {
        let given = match self.take(name) {
            Some(node) if node.is_blank_variable() => node.under.map(|under| *under),
            given => given,
        };
        match given {
            Some(node) => self.convert(name, &node, kind).unwrap_or(default),
            None => default,
        }
    }

    /// A value that may be absent; an empty variable makes it so.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        kind: impl FnOnce(&Value) -> Result<T, Expected>,
        default: Option<T>,
    ) -> Option<T> {
        match self.take(name) {
            Some(node) if node.is_blank_variable() => None,
            Some(node) => self.convert(name, &node, kind).or(default),
            None => default,
        }
    }

    /// A list of texts.
    pub(super) fn list(&mut self, name: &str, default: Vec<String>) -> Vec<String> {
        let Some(node) = self.take(name) else {
            return default;
        };
        let path = join(&self.path, name);
        let items = match node.value {
            Value::List(items) => items,
            // A variable's array begins with a bracket; everything else is split at commas.
            Value::Variable(text) if text.trim_start().starts_with('[') => {
                let text = text.trim();
                match array_in_variable(text, &node.origin) {
                    Some(items) => items,
                    None => {
                        let expected = "begins with `[` but is not a TOML array; give a list such \
                                        as [\"one\", \"two\"]";
                        self.fault(&path, Some(text), expected.to_owned(), &node.origin);
                        return default;
                    }
                }
            }
            Value::Variable(text) => {
                let items = text.split(',').map(str::trim);
                return items
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
            other => {
                let expected = "give a list of texts, such as [\"one\", \"two\"]".to_owned();
                self.fault(&path, other.shown(), expected, &node.origin);
                return default;
            }
        };
        let mut texts = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            match item.value {
                Value::Text(text) => {
                    // By its place among the good ones, which is what the later checks see.
                    self.reader
                        .origins
                        .record_item(&path, texts.len(), &item.origin);
                    texts.push(text);
                }
                other => {
                    let value = other.shown().unwrap_or("a list or table");
                    let fault = Fault::bad_value(&path, value, "give a text in quotes")
                        .with_item(place)
                        .with_origin(item.origin);
                    self.reader.faults.push(fault);
                }
            }
        }
        texts
    }

    /// A list of texts, or one word that stands for all that there may be: then `None`. `expected` says
    /// what would be right.
    pub(super) fn list_or_word(
        &mut self,
        name: &str,
        word: &str,
        expected: &str,
    ) -> Option<Vec<String>> {
        match self.entries.get(name).map(|node| &node.value) {
            Some(Value::Text(text) | Value::Variable(text)) if text.trim() == word => {
                self.take(name);
                None
            }
            None | Some(Value::List(_) | Value::Variable(_)) => Some(self.list(name, Vec::new())),
            Some(_) => {
                self.optional(name, |_| Err::<(), _>(expected.to_owned()), None);
                Some(Vec::new())
            }
        }
    }

    /// A section that is as good as empty if it is not given.
    pub(super) fn section<T>(
        &mut self,
        name: &str,
        schema: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        let entries = self.table(name, false).unwrap_or_default();
        self.inner(name, entries, schema)
    }

    /// A section that means something by being there; an empty variable takes it away.
    pub(super) fn optional_section<T>(
        &mut self,
        name: &str,
        schema: impl FnOnce(&mut Section<'_>) -> T,
    ) -> Option<T> {
        match self.table(name, true) {
            Some(entries) => Some(self.inner(name, entries, schema)),
            None => {
                self.learn(name, schema);
                None
            }
        }
    }

    /// An array of tables, `[[name]]`; in a variable a TOML array of inline tables.
    pub(super) fn sections<T>(
        &mut self,
        name: &str,
        mut schema: impl FnMut(&mut Section<'_>) -> T,
    ) -> Vec<T> {
        self.learn(name, &mut schema);
        let Some(node) = self.take(name) else {
            return Vec::new();
        };
        let items = match node.value {
            Value::List(items) => Some(items),
            Value::Variable(text) => array_in_variable(text.trim(), &node.origin),
            _ => None,
        };
        let path = join(&self.path, name);
        let expected = || format!("give an array of tables, each under `[[{name}]]`");
        let Some(items) = items else {
            self.fault(&path, None, expected(), &node.origin);
            return Vec::new();
        };
        let mut read = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            let name_here = format!("{name}[{place}]");
            let Value::Table(entries) = item.value else {
                self.fault(&path, None, expected(), &item.origin);
                continue;
            };
            let path = join(&self.path, &name_here);
            self.reader.origins.record(&path, &item.origin);
            let section = Section {
                schema: join(&self.schema, name),
                reader: self.reader,
                entries,
                path,
            };
            read.push(section.read(&mut schema));
        }
        read
    }

    /// Takes what a key was given, and notes that there is such a key.
    fn take(&mut self, name: &str) -> Option<Node> {
        self.know(name);
        let node = self.entries.remove(name)?;
        self.reader
            .origins
            .record(&join(&self.path, name), &node.origin);
        Some(node)
    }

    fn know(&mut self, name: &str) {
        let key = join(&self.schema, name);
        if !self.reader.known.contains(&key) {
            self.reader.known.push(key);
        }
    }

    fn table(&mut self, name: &str, optional: bool) -> Option<Entries> {
        let node = self.take(name)?;
        if optional && node.is_blank_variable() {
            return None;
        }
        match node.value {
            Value::Table(entries) => Some(entries),
            _ => {
                let path = join(&self.path, name);
                self.reader
                    .faults
                    .push(Fault::not_a_section(&path, &node.origin));
                None
            }
        }
    }

    fn inner<T>(
        &mut self,
        name: &str,
        entries: Entries,
        schema: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        Section {
            path: join(&self.path, name),
            schema: join(&self.schema, name),
            reader: self.reader,
            entries,
        }
        .read(schema)
    }

    /// Runs the schema of an absent section only for the names in it.
    fn learn<T>(&mut self, name: &str, schema: impl FnOnce(&mut Section<'_>) -> T) {
        self.know(name);
        let faults = self.reader.faults.len();
        self.inner(name, Entries::new(), schema);
        self.reader.faults.truncate(faults);
    }

    fn convert<T>(
        &mut self,
        name: &str,
        node: &Node,
        kind: impl FnOnce(&Value) -> Result<T, Expected>,
    ) -> Option<T> {
        match kind(&node.value) {
            Ok(value) => Some(value),
            Err(expected) => {
                let path = join(&self.path, name);
                self.fault(&path, node.value.shown(), expected, &node.origin);
                None
            }
        }
    }

    fn fault(&mut self, path: &str, value: Option<&str>, expected: Expected, origin: &Origin) {
        let fault = match value {
            Some(value) => Fault::bad_value(path, value, expected).with_origin(origin.clone()),
            None => Fault::new(path, expected, origin.clone()),
        };
        self.reader.faults.push(fault);
    }
}

impl Value {
    /// The value as a fault repeats it; lists and tables are not repeated.
    fn shown(&self) -> Option<&str> {
        match self {
            Self::Text(text)
            | Self::Variable(text)
            | Self::Integer(_, text)
            | Self::Other(text) => Some(text),
            Self::Boolean(true) => Some("true"),
            Self::Boolean(false) => Some("false"),
            Self::List(_) | Self::Table(_) => None,
        }
    }
}

/// Notes a key that nobody asked for: a section of the file once, but each variable below it.
fn note_unknown(path: String, schema: String, node: Node, unknown: &mut Vec<Unknown>) {
    let from_variable = matches!(node.origin, Origin::Variable(_));
    if let Value::Table(entries) = node.value {
        for (name, node) in entries {
            if from_variable || matches!(node.origin, Origin::Variable(_)) {
                let (path, schema) = (join(&path, &name), join(&schema, &name));
                note_unknown(path, schema, node, unknown);
            }
        }
        if from_variable {
            return;
        }
    }
    unknown.push(Unknown {
        path,
        schema,
        origin: node.origin,
    });
}

pub(super) fn join(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
