//! Reads the store, and takes over what it holds.

use tokio::time::Instant;

use super::{Driver, HAND_IS_DONE, Known, LOOK_EVERY};
use crate::{
    clock::chance::jittered,
    core::{
        excerpt::Excerpt,
        schedule::duration_in_words,
        state::{Document, decode::DecodeError},
        status::state_id::StateId,
    },
    engine::{
        change_error::ChangeError,
        driver::believe::{Believed, RepairReason},
        events, figures,
        patience::{self, within},
        pauses::{FIRST_RETRY, LONGEST_RETRY},
    },
    store::{Loaded, StoreError, Version},
};

impl Driver {
    pub(super) async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        let patience = || patience::of_answer(&*self.store);
        match within(Instant::now(), patience, self.store.load()).await {
            Ok(loaded) => loaded,
            Err(waited) => Err(StoreError::new(format!(
                "the store {} does not answer within {}",
                self.store.url(),
                duration_in_words(waited)
            ))),
        }
    }

    /// Reads the store and publishes what is new.
    pub(super) async fn reload(&self, known: &mut Known) {
        known.look_at = Some(Instant::now() + jittered(LOOK_EVERY));
        match self.load().await {
            Ok(loaded) => {
                let version = loaded.as_ref().map(|loaded| loaded.version.clone());
                let is_news =
                    known.at.is_none() || known.failure.is_some() || known.version != version;
                if is_news {
                    match self.believe(known, loaded.as_ref()) {
                        Ok(believed) => {
                            let stored = loaded.as_ref().map(|loaded| &*loaded.document);
                            let lacks = believed.lacks;
                            // It counts at once. That the store gets the rest may take its time.
                            self.adopt(known, believed, version, StateId::of(stored));
                            match lacks {
                                // A tool writes when it is told to.
                                _ if self.plan.is_tool => {}
                                Some(RepairReason::Lost) => {
                                    self.put_back(known, RepairReason::Lost).await
                                }
                                // Whose settings decide leaves the store to the others.
                                Some(RepairReason::Rest) if self.plan.forced.is_none() => {
                                    known.rest_at = Some(Instant::now() + jittered(HAND_IS_DONE));
                                }
                                Some(RepairReason::Rest) | None => {}
                            }
                        }
                        Err(error) => {
                            known.version = version;
                            self.fail(known, self.misunderstood(&error, loaded.as_ref()));
                            // What is stored changes only by somebody's hand, and then there is a
                            // hint.
                            known.retry = None;
                        }
                    }
                } else {
                    self.shared.freshness.is_confirmed(self.shared.clock.now());
                }
            }
            Err(error) => {
                self.fail(known, describe(&error));
                known.permanent = error.is_permanent().then_some(error);
            }
        }
    }

    pub(super) fn misunderstood(&self, error: &DecodeError, loaded: Option<&Loaded>) -> String {
        let content = loaded.map_or_else(String::new, |loaded| {
            String::from_utf8_lossy(&loaded.document).into_owned()
        });
        tracing::debug!(content = %Excerpt(&content), "what the store holds");
        format!(
            "what the store {} holds cannot be used: {error}",
            self.store.url()
        )
    }

    /// Takes over what is stored, and tells when the store is back.
    pub(super) fn adopt(
        &self,
        known: &mut Known,
        believed: impl Into<Believed>,
        version: Option<Version>,
        state_id: StateId,
    ) {
        let Believed {
            mut document,
            lacks,
        } = believed.into();
        if lacks != Some(RepairReason::Rest) {
            known.is_unnumbered = document.generation == 0;
        }
        if let (0, Some(last)) = (document.generation, &known.document) {
            // Written by hand, which counts as a change if it changes anything.
            document.generation = last.generation;
            if document != *last {
                document.generation = last.generation.saturating_add(1);
            }
        }
        if known.failure.take().is_some() {
            tracing::info!(
                event = events::STORE_BACK,
                store = %self.store.url(),
                "the maintenance store is back"
            );
        }
        known.before_hand = match lacks {
            Some(RepairReason::Rest) => {
                let known_before = known.before_hand.take().or_else(|| known.document.take());
                known_before.or_else(|| known.remembered.take().map(|copy| copy.document))
            }
            Some(RepairReason::Lost) | None => None,
        };
        known.is_owed = lacks == Some(RepairReason::Lost);
        known.rest_at = None;
        if version.is_none() && known.version.is_some() && lacks.is_none() {
            tracing::warn!(
                store = %self.store.url(),
                "the maintenance state was removed from the store, which means off"
            );
        }
        known.document = Some(document);
        known.state_id = state_id;
        known.version = version;
        known.at = Some(self.shared.clock.now());
        known.loss_told = false;
        known.retry = None;
        self.shared.freshness.is_confirmed(self.shared.clock.now());
        self.publish(known);
    }

    /// Takes note of a failure, tells it once, and tries again later.
    pub(super) fn fail(&self, known: &mut Known, error: String) {
        figures::store_failed();
        let pause = match known.retry {
            Some((_, pause)) => (pause * 2).min(LONGEST_RETRY),
            None => FIRST_RETRY,
        };
        known.retry = Some((Instant::now() + jittered(pause), pause));
        self.recall(known);
        if known.failure.as_ref() == Some(&error) {
            return;
        }
        let is_first = known.failure.is_none();
        match (is_first, &known.document) {
            (true, Some(_)) if known.at.is_none() => tracing::error!(
                event = events::STORE_FAILED,
                %error,
                when_store_fails = self.plan.when_store_fails.as_str(),
                "the maintenance store fails at start; what this node knew last counts"
            ),
            (true, Some(_)) => tracing::error!(
                event = events::STORE_FAILED,
                %error,
                when_store_fails = self.plan.when_store_fails.as_str(),
                "the maintenance store fails"
            ),
            (true, None) => tracing::error!(
                event = events::STORE_FAILED,
                %error,
                when_store_fails = self.plan.when_store_fails.as_str(),
                "the maintenance store fails at start, and nothing is known of what it holds"
            ),
            (false, _) => tracing::debug!(%error, "the maintenance store still fails"),
        }
        known.failure = Some(error);
        known.rest_at = None;
        self.publish(known);
    }

    /// What a change builds on when what is stored is damaged: the last good document. A newer
    /// format is not damage, and nothing known is nothing to build on.
    pub(super) fn last_good(
        &self,
        known: &Known,
        error: &DecodeError,
        loaded: Option<&Loaded>,
    ) -> Result<Document, ChangeError> {
        match (error, &known.document) {
            (DecodeError::Damaged(_), Some(document)) => {
                tracing::warn!(
                    %error,
                    content = %Excerpt(&String::from_utf8_lossy(
                        loaded.map_or(&[][..], |loaded| &loaded.document)
                    )),
                    "what the maintenance store holds is damaged and is replaced"
                );
                Ok(document.clone())
            }
            _ => Err(ChangeError::Store(StoreError::new(
                self.misunderstood(error, loaded),
            ))),
        }
    }
}

/// A store's error with what it follows from.
pub(super) fn describe(error: &StoreError) -> String {
    crate::core::text::chain(error)
}
