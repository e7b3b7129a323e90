//! What a value of the settings says, as the type that is wanted.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    core::{schedule::whole_seconds, words::Words},
    settings::{reader::Expected, source::Value},
};

pub(super) fn boolean(value: &Value) -> Result<bool, Expected> {
    match value {
        Value::Boolean(boolean) => Ok(*boolean),
        Value::Variable(text) => match text.trim().to_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Ok(true),
            "false" | "off" | "no" | "0" => Ok(false),
            _ => Err("give true or false".to_owned()),
        },
        _ => Err("give true or false, without quotes".to_owned()),
    }
}

pub(super) fn text(value: &Value) -> Result<String, Expected> {
    match value {
        Value::Text(text) | Value::Variable(text) => Ok(text.clone()),
        _ => Err("give a text in quotes".to_owned()),
    }
}

/// A whole number that `T` can hold; `expected` says which.
pub(super) fn number<T: TryFrom<i64>>(
    expected: &str,
) -> impl FnOnce(&Value) -> Result<T, Expected> {
    move |value| {
        let number = match value {
            Value::Integer(number, _) => *number,
            Value::Variable(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| expected.to_owned())
    }
}

/// A number that may have a fraction; `expected` says which.
pub(super) fn fraction(expected: &str) -> impl FnOnce(&Value) -> Result<f64, Expected> {
    move |value| {
        let number = match value {
            Value::Integer(_, text) | Value::Other(text) => text.parse().ok(),
            Value::Variable(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| expected.to_owned())
    }
}

/// One of the words of an enum.
pub(super) fn one_of<T: Words>(value: &Value) -> Result<T, Expected> {
    let word = match value {
        Value::Text(word) => word.clone(),
        Value::Variable(word) => word.trim().to_lowercase(),
        _ => String::new(),
    };
    T::of_word(&word).ok_or_else(|| {
        let words: Vec<String> = T::ALL
            .iter()
            .map(|known| format!("\"{}\"", known.word()))
            .collect();
        format!("give one of {}", words.join(", "))
    })
}

/// An instant, with its offset, in quotes or as TOML itself writes it.
pub(super) fn instant(value: &Value) -> Result<Timestamp, Expected> {
    let read = match value {
        Value::Text(text) | Value::Variable(text) | Value::Other(text) => text.trim().parse().ok(),
        _ => None,
    };
    read.ok_or_else(|| "give date, time and offset, such as \"2027-01-01T00:00:00Z\"".to_owned())
}

/// A number of seconds, or a text such as `2h 30m`. A day has 24 hours here.
pub(super) fn duration(value: &Value) -> Result<Duration, Expected> {
    let read = match value {
        Value::Integer(seconds, _) => seconds.and_then(|seconds| u64::try_from(seconds).ok()),
        Value::Text(text) | Value::Variable(text) => whole_seconds(text),
        _ => None,
    };
    read.map(Duration::from_secs).ok_or_else(|| {
        "give a number of seconds, or a text such as \"90s\", \"1h\" or \"2h 30m\"; whole seconds, \
         not negative"
            .to_owned()
    })
}
