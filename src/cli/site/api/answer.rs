//! What an answer means: a document, or why there is none, in words and as an exit code.

use serde::{Deserialize, de::DeserializeOwned};

use super::client::{Answer, Client, LONGEST_ANSWER, Unreached};
use crate::{cli::failure::Failure, engine::change_error::not_known};

/// What went wrong, as the site tells it (RFC 9457).
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    detail: String,
    /// Why a change was not made.
    #[serde(default)]
    code: Option<String>,
}

impl Client {
    /// The document that was asked for.
    ///
    /// # Errors
    ///
    /// What has become of the request instead.
    pub(super) fn document<T: DeserializeOwned>(
        &self,
        answer: Result<Answer, Unreached>,
        changes: bool,
    ) -> Result<T, Failure> {
        let answer = answer.map_err(|unreached| self.unreached(&unreached, changes))?;
        if !answer.is_success() {
            return Err(self.refused(&answer, changes));
        }
        match &answer.body {
            Some(body) => {
                serde_json::from_slice(body).map_err(|error| self.is_another(&answer, &error))
            }
            None => Err(Failure::failed(format!(
                "what answers at {} sends more than {LONGEST_ANSWER} bytes, which no site does; \
                 {EXAMPLE}",
                self.address()
            ))),
        }
    }

    /// Whether something was done of which there is nothing to tell.
    ///
    /// # Errors
    ///
    /// What has become of the request instead.
    pub(super) fn done(&self, answer: Result<Answer, Unreached>) -> Result<(), Failure> {
        let answer = answer.map_err(|unreached| self.unreached(&unreached, true))?;
        match answer.is_success() {
            true => Ok(()),
            false => Err(self.refused(&answer, true)),
        }
    }

    fn unreached(&self, unreached: &Unreached, changes: bool) -> Failure {
        let (address, why) = (self.address(), &unreached.why);
        Failure::store(if changes && unreached.may_have_been_sent {
            not_known(format!("{address} does not tell: {why}"))
        } else {
            format!("{address} cannot be reached: {why}")
        })
    }

    fn refused(&self, answer: &Answer, changes: bool) -> Failure {
        let address = self.address();
        let problem = match answer.is_problem() {
            true => {
                let body = answer.body.as_deref().unwrap_or_default();
                serde_json::from_slice(body).unwrap_or_default()
            }
            false => Problem::default(),
        };
        let detail = problem.detail.trim();
        if let Some(code) = &problem.code {
            return by_code(code, detail);
        }
        match answer.status {
            300..=399 => {
                let target = answer.location.as_deref().unwrap_or("nowhere");
                Failure::failed(format!(
                    "{address} points to {target}, which is not followed; give the right address \
                     as --url"
                ))
            }
            400 if !detail.is_empty() => Failure::usage(detail),
            status @ (401 | 403) if !self.has_token() => Failure::failed(format!(
                "{address} does nothing for somebody without a token ({status}); give one by \
                 MAINTENANCE_TOKEN or --token-file; `maintenance token NAME` makes one"
            )),
            status @ (401 | 403) if detail.is_empty() => Failure::failed(format!(
                "{address} refuses the token ({status}); a proxy may want another one"
            )),
            404 if !answer.is_problem() || !changes => Failure::failed(format!(
                "there is no maintenance API at {address} (404); {EXAMPLE}"
            )),
            status @ 500..=599 => {
                let why = match detail {
                    "" => format!("it answers {status}"),
                    detail => format!("it answers {status}: {detail}"),
                };
                Failure::store(if changes && status != 503 {
                    not_known(format!("{address} does not tell: {why}"))
                } else {
                    format!("{address} is out of reach: {why}")
                })
            }
            status if detail.is_empty() => {
                Failure::failed(format!("{address} refuses it with {status}"))
            }
            _ => Failure::failed(detail),
        }
    }

    /// Something else answers there than a site.
    fn is_another(&self, answer: &Answer, error: &serde_json::Error) -> Failure {
        let kind = match answer.content_type.as_str() {
            "" => "something without a type",
            kind => kind,
        };
        let why = match kind {
            "application/json" => format!(" ({error})"),
            _ => String::new(),
        };
        Failure::failed(format!(
            "what answers at {} is no maintenance API that this program knows: it sends \
             {kind}{why}; {EXAMPLE}",
            self.address()
        ))
    }
}

const EXAMPLE: &str =
    "is the address that of the admin scope, such as https://shop.example/maintenance-mode?";

/// A change that the site did not make, as it would be told by the store.
fn by_code(code: &str, detail: &str) -> Failure {
    let text = as_error(detail);
    match code {
        // Another site may be there in a moment, where this one shuts down.
        "stopped" => Failure::store(text),
        _ => Failure::of_change(code, text),
    }
}

/// A sentence as errors are told, which follow a colon.
fn as_error(sentence: &str) -> String {
    let text = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
