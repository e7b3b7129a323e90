//! Changes the stored state on request.

use tokio::time::Instant;

use super::{
    Driver, Known,
    command::{Changed, Command, Operation},
    load::describe,
};
use crate::{
    core::{
        audit::{AuditEntry, Author, changes},
        limits,
        schedule::duration_in_words,
        state::{
            applied::{Applied, applied},
            settle::settled_up_to,
        },
        status::state_id::StateId,
    },
    engine::{
        change_error::ChangeError,
        driver::{
            believe::{Believed, random_name},
            outcome::Fate,
        },
        events,
        patience::{self, within},
        pauses::FIRST_RETRY,
    },
    store::{Saved, StoreError},
};

impl Driver {
    /// Writes down what was changed. It is in force already, and waits for nothing here but its caller.
    async fn audit(&self, entries: Vec<AuditEntry>) {
        if entries.is_empty() {
            return;
        }
        for entry in entries {
            self.shared.audit.note(entry);
        }
        self.shared.audit.written().await;
    }

    pub(super) async fn change(&self, known: &mut Known, command: Command) {
        known.is_quiet = !command.call_hooks;
        // Conflicts and waiting for its turn included.
        let patience = || patience::of_change(&*self.store);
        let outcome = match within(
            command.asked_at,
            patience,
            self.apply(
                known,
                &command.operation,
                command.says.as_deref(),
                &command.author,
            ),
        )
        .await
        {
            Ok(outcome) => outcome,
            Err(waited) => {
                let error = StoreError::new(format!(
                    "the store {} did not take the change within {}",
                    self.store.url(),
                    duration_in_words(waited)
                ));
                match self.last_look(known).await {
                    Some(changed) => Ok(changed),
                    None if known.asked.is_some() => Err(ChangeError::NotKnown(error)),
                    None => Err(ChangeError::Store(error)),
                }
            }
        };
        known.is_quiet = false;
        if let Err(error) = &outcome {
            tracing::error!(
                event = events::CHANGE_FAILED,
                %error,
                "a change of maintenance failed"
            );
        }
        // When the caller hears of the change, the web server knows it too.
        self.follow(known).await;
        // The caller may have gone; the change is made all the same.
        let _ = command.reply.send(outcome);
    }

    /// Applies an operation to what is stored, again and again until nobody else was faster. `said`
    /// is the mode whose switch somebody throws by it; the audit tells who `author` is.
    pub(super) async fn apply(
        &self,
        known: &mut Known,
        operation: &Operation,
        said: Option<&str>,
        author: &Author,
    ) -> Result<Changed, ChangeError> {
        known.asked = None;
        let mut loaded = match self.load().await {
            Ok(loaded) => loaded,
            Err(error) => {
                self.fail(known, describe(&error));
                return Err(ChangeError::Store(error));
            }
        };
        loop {
            let version = loaded.as_ref().map(|loaded| loaded.version.clone());
            let (stored, lacks, damaged) = match self.believe(known, loaded.as_ref()) {
                Ok(Believed { document, lacks }) => (document, lacks, false),
                Err(error) => {
                    let last = self.last_good(known, &error, loaded.as_ref())?;
                    (last, None, true)
                }
            };
            let now = self.shared.clock.now();
            // What is over for everybody leaves the document by the way.
            let settled = settled_up_to(&stored, known.agreement.horizon(now));
            let before = settled.as_ref().unwrap_or(&stored);
            let Applied {
                seen,
                operated,
                next,
            } = applied(before, said, now, operation);
            if let Some(after) = &operated {
                let seen = seen.as_ref().unwrap_or(before);
                limits::check(seen, after, || after.encode().len())?;
            }
            let changed = operated.is_some() || damaged;
            // Where a store may have forgotten, also that it is so already is to be stored: else
            // what somebody remembers would count more than what was said now.
            let is_to_be_said = said.is_some() && self.store.may_lose_state();
            // What is stored must not stay damaged although nothing is to change: the next process
            // to start would know nothing.
            let next = next.or(settled).or_else(|| {
                let is_to_be_stored = lacks.is_some() || damaged || is_to_be_said;
                is_to_be_stored.then(|| stored.clone())
            });
            let Some(mut next) = next else {
                let is_news = known.version != version || known.failure.is_some();
                if is_news || known.at.is_none() {
                    let content = loaded.as_ref().map(|loaded| &*loaded.document);
                    self.adopt(known, stored, version, StateId::of(content));
                }
                return Ok(Changed {
                    changed: false,
                    snapshot: self.shared.published.stored(),
                });
            };
            let newest = known
                .document
                .as_ref()
                .map_or(0, |document| document.generation)
                .max(stored.generation);
            next.generation = newest.saturating_add(1);
            if let Some(key) = said.filter(|_| is_to_be_said) {
                next.modes.entry(key.to_owned()).or_default();
            }
            let next = next.with_said(now).signed(&stored, said, now, random_name);
            let content = next.encode();
            known.asked = Some(next.clone());
            let saved = self.store.save(&content, version.as_ref()).await;
            match saved {
                Ok(Saved::Stored(version)) => {
                    known.asked = None;
                    known.has_saved = true;
                    let entries = changes(&stored, &next, author, now);
                    self.adopt(known, next, Some(version), StateId::of(Some(&content)));
                    self.audit(entries).await;
                    return Ok(Changed {
                        changed,
                        snapshot: self.shared.published.stored(),
                    });
                }
                Ok(Saved::Conflict(newer)) => {
                    known.asked = None;
                    loaded = newer;
                }
                Err(error) => {
                    // It may be stored all the same, and no hint may tell.
                    known.look_at = Some(Instant::now() + FIRST_RETRY);
                    match self.fate_of(known, &next, version.as_ref()).await {
                        // It can be seen, and may be gone after a crash.
                        Fate::Done(_) if error.is_of_durability() => {
                            known.asked = None;
                            return Err(ChangeError::NotKnown(error));
                        }
                        Fate::Done(done) => {
                            known.asked = None;
                            tracing::warn!(
                                error = describe(&error),
                                "the maintenance store has taken a change, and says that it failed"
                            );
                            self.audit(changes(&stored, &next, author, now)).await;
                            return Ok(Changed { changed, ..done });
                        }
                        Fate::AsBefore => {
                            known.asked = None;
                            return Err(ChangeError::Store(error));
                        }
                        Fate::Overtaken(newer) => {
                            known.asked = None;
                            loaded = newer;
                        }
                        Fate::NotKnown => return Err(ChangeError::NotKnown(error)),
                    }
                }
            }
        }
    }
}
