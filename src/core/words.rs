//! Words for the values of an enum, as settings, JSON, the program and the log have them.

/// An enum whose values have a word each, which is written once.
pub(crate) trait Words: Copy + 'static {
    /// Every value, in the order in which they are told.
    const ALL: &'static [Self];

    fn word(self) -> &'static str;

    /// What a word says.
    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.word() == word)
    }
}

/// Gives an enum its words: `as_str`, [`Words`] and, `in answers`, what serde writes, or `in JSON`,
/// what it writes and reads.
///
/// The words are lower case, joined by hyphens.
macro_rules! words {
    ($(#[$about:meta])* $visibility:vis $enum:ident { $($value:ident = $word:literal),+ $(,)? }) => {
        impl $enum {
            $(#[$about])*
            $visibility fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl $crate::core::words::Words for $enum {
            const ALL: &'static [Self] = &[$(Self::$value),+];

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    };
    ($(#[$about:meta])* $visibility:vis $enum:ident in answers { $($words:tt)+ }) => {
        $crate::core::words::words! { $(#[$about])* $visibility $enum { $($words)+ } }

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
    (
        $(#[$about:meta])*
        $visibility:vis $enum:ident in JSON { $($value:ident = $word:literal),+ $(,)? }
    ) => {
        $crate::core::words::words! {
            $(#[$about])*
            $visibility $enum in answers { $($value = $word),+ }
        }

        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::core::words::Words>::of_word(&word)
                    .ok_or_else(|| serde::de::Error::unknown_variant(&word, &[$($word),+]))
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
