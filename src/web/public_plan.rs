//! The plan for everybody, as it is written for those who ask.

use actix_web::{http::header::EntityTag, web::Bytes};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use super::{calendar::calendar, entity_tag::entity_tag, refusal::language::Catalogue};
use crate::{
    core::{
        public_plan::{PlannedEvent, PublicPlan},
        snapshot::Snapshot,
    },
    settings::PublicSettings,
};

/// The plan for everybody, and what was written of it last: anybody may ask for it, as often as they
/// like.
#[derive(Debug)]
pub(crate) struct PlanForAll {
    /// Empty: those of all.
    modes: Vec<String>,
    written: Mutex<Written>,
}

/// What was written of one plan.
#[derive(Debug, Default)]
struct Written {
    /// The number of the snapshot; `None`: nothing was written yet.
    number: Option<u64>,
    plan: PublicPlan,
    documents: Vec<((Form, String), Document)>,
}

/// What is sent.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) tag: EntityTag,
    pub(crate) bytes: Bytes,
}

/// How the plan is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Calendar,
}

/// What anybody may know of what is planned.
#[derive(Debug, Serialize)]
struct Plan<'a> {
    windows: Vec<PlanEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct PlanEntry<'a> {
    uid: &'a str,
    sequence: u32,
    mode: &'a str,
    label: &'a str,
    title: Option<&'a str>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    cancelled: bool,
}

impl<'a> PlanEntry<'a> {
    fn new(event: &'a PlannedEvent) -> Self {
        Self {
            uid: &event.uid,
            sequence: event.sequence,
            mode: &event.mode,
            label: &event.label,
            title: event.title.as_deref(),
            start: event.start,
            end: event.end,
            cancelled: event.is_cancelled,
        }
    }
}

impl PlanForAll {
    /// `None`: nobody is told.
    pub(crate) fn new(settings: &PublicSettings) -> Option<Self> {
        settings.plan.then(|| Self {
            modes: settings.modes.clone(),
            written: Mutex::default(),
        })
    }

    fn is_public(&self, mode: &str) -> bool {
        self.modes.is_empty() || self.modes.iter().any(|key| key == mode)
    }

    /// What is sent to whoever asks.
    pub(crate) fn document(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
        form: Form,
        catalogue: &Catalogue,
    ) -> Document {
        let mut written = self.written.lock();
        let is_current = written.number == Some(snapshot.number)
            && (written.plan.from..written.plan.to).contains(&now);
        if !is_current {
            *written = Written {
                number: Some(snapshot.number),
                plan: snapshot.public_plan(now, |mode| self.is_public(mode)),
                documents: Vec::new(),
            };
        }
        let language = match form {
            // Data is the same in every language.
            Form::Json => String::new(),
            Form::Calendar => catalogue.tag.clone(),
        };
        let key = (form, language);
        if let Some((_, document)) = written.documents.iter().find(|(known, _)| *known == key) {
            return document.clone();
        }
        let events = &written.plan.events;
        let bytes = match form {
            Form::Json => json(&Plan {
                windows: events.iter().map(PlanEntry::new).collect(),
            }),
            Form::Calendar => {
                calendar(events, catalogue.text("refusal", "plan"), &catalogue.tag).into()
            }
        };
        let document = Document {
            tag: entity_tag(&bytes),
            bytes,
        };
        written.documents.push((key, document.clone()));
        document
    }
}

fn json(plan: &Plan<'_>) -> Bytes {
    match serde_json::to_vec(plan) {
        Ok(plan) => plan.into(),
        // It is made of texts, numbers and times, which cannot fail.
        Err(error) => {
            tracing::error!(%error, "the plan cannot be put into JSON");
            Bytes::from_static(b"{\"windows\":[]}")
        }
    }
}
