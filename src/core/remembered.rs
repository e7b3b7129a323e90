//! What was worked out before, by what it was worked out of.

/// A few values by their keys. When it is full it begins anew: whoever sends ever new keys costs no
/// memory, and those that are used are soon back.
///
/// Few keys are found sooner one after the other than by a hash, and may be looked for by what they
/// are made of, without making one.
#[derive(Debug)]
pub(crate) struct Remembered<Key, Value> {
    most: usize,
    known: Vec<(Key, Value)>,
}

impl<Key, Value> Remembered<Key, Value> {
    /// Remembers at most so many.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            most,
            known: Vec::new(),
        }
    }

    /// What is remembered by the key that is meant.
    #[inline]
    pub(crate) fn get(&self, is_meant: impl Fn(&Key) -> bool) -> Option<&Value> {
        let (_, value) = self.known.iter().find(|(key, _)| is_meant(key))?;
        Some(value)
    }

    /// Remembers it in the place of what was remembered by the same key.
    pub(crate) fn insert(&mut self, key: Key, value: Value)
    where
        Key: PartialEq,
    {
        if let Some((_, known)) = self.known.iter_mut().find(|(known, _)| *known == key) {
            *known = value;
            return;
        }
        if self.known.len() >= self.most {
            self.known.clear();
        }
        self.known.push((key, value));
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

#[cfg(test)]
#[path = "remembered_tests.rs"]
mod tests;
