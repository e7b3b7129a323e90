//! Reads the text that derived `Debug` writes.

/// A value as `{:?}` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(String),
    /// A struct, a tuple, a variant or a number: its name, and what is in it. Fields of a tuple have
    /// no names.
    Named(&'a str, Vec<(&'a str, Value<'a>)>),
    List(Vec<Value<'a>>),
    Map,
}

impl<'a> Value<'a> {
    /// The field of a struct.
    pub(super) fn field(&self, name: &str) -> Option<&Value<'a>> {
        let Self::Named(_, fields) = self else {
            return None;
        };
        fields
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    }

    /// What an `Option` has.
    pub(super) fn option(&self) -> Option<Option<&Value<'a>>> {
        match self {
            Self::Named("None", _) => Some(None),
            Self::Named("Some", fields) => Some(Some(&fields.first()?.1)),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

/// Reads the whole of a text. `None`: it is not one of these.
pub(super) fn read(text: &str) -> Option<Value<'_>> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.rest.is_empty().then_some(value)
}

/// Scopes in scopes are a few; nothing that an app has comes near to this.
const DEEPEST: usize = 200;

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let depth = depth + 1;
        match self.rest.as_bytes().first()? {
            b'"' => self.text().map(Value::Text),
            b'[' => {
                self.take("[");
                let mut values = Vec::new();
                self.until("]", |reader| {
                    values.push(reader.value(depth)?);
                    Some(())
                })?;
                Some(Value::List(values))
            }
            b'{' => {
                self.take("{");
                self.until("}", |reader| {
                    reader.value(depth)?;
                    reader.take(": ").then_some(())?;
                    reader.value(depth)?;
                    Some(())
                })?;
                Some(Value::Map)
            }
            _ => {
                let end = self
                    .rest
                    .find([' ', ',', '(', ')', '[', ']', '{', '}', '"'])
                    .unwrap_or(self.rest.len());
                let name = &self.rest[..end];
                self.rest = &self.rest[end..];
                let mut fields = Vec::new();
                if self.take(" { ") {
                    self.until(" }", |reader| {
                        let (field, rest) = reader.rest.split_once(": ")?;
                        reader.rest = rest;
                        fields.push((field, reader.value(depth)?));
                        Some(())
                    })?;
                } else if self.take("(") {
                    self.until(")", |reader| {
                        fields.push(("", reader.value(depth)?));
                        Some(())
                    })?;
                } else if name.is_empty() {
                    return None;
                }
                Some(Value::Named(name, fields))
            }
        }
    }

    /// Items with commas between them, until they end.
    fn until(&mut self, end: &str, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.take(end) {
            return Some(());
        }
        loop {
            item(self)?;
            if self.take(end) {
                return Some(());
            }
            self.take(", ").then_some(())?;
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        loop {
            match characters.next()? {
                (end, '"') => {
                    self.rest = &self.rest[end + 1..];
                    return Some(text);
                }
                (_, '\\') => text.push(match characters.next()?.1 {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '0' => '\0',
                    'u' => {
                        let number: String = characters
                            .by_ref()
                            .map(|(_, character)| character)
                            .skip(1)
                            .take_while(|character| *character != '}')
                            .collect();
                        char::from_u32(u32::from_str_radix(&number, 16).ok()?)?
                    }
                    character @ ('"' | '\\' | '\'') => character,
                    _ => return None,
                }),
                (_, character) => text.push(character),
            }
        }
    }
}

#[cfg(test)]
#[path = "debug_text_tests.rs"]
mod tests;
