//! `/plan.json` and `/plan.ics`: what is planned, for everybody.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_TYPE, EntityTag, VARY,
    },
    web::{self, Bytes},
};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use super::{
    answering::Answer,
    entity_tag::{IsKnown, entity_tag, unless_known},
    not_found,
    visible::Told,
};
use crate::{
    core::{
        public_plan::{PlannedEvent, PublicPlan},
        snapshot::Snapshot,
    },
    settings::PublicSettings,
    web::{calendar::calendar, maintenance::Maintenance, refusal::language::Catalogue},
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
struct Document {
    tag: EntityTag,
    bytes: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Calendar,
}

/// What anybody may know of what is planned.
#[derive(Debug, Serialize)]
struct Plan<'a> {
    windows: Vec<PlanEntry<'a>>,
}

impl Told for Plan<'_> {}

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

    fn document(
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

fn json(plan: &impl Told) -> Bytes {
    match serde_json::to_vec(plan) {
        Ok(plan) => plan.into(),
        // It is made of texts, numbers and times, which cannot fail.
        Err(error) => {
            tracing::error!(%error, "the plan cannot be put into JSON");
            Bytes::from_static(b"{\"windows\":[]}")
        }
    }
}

pub(super) async fn as_json(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    answer(&request, &maintenance, Form::Json).await
}

pub(super) async fn as_calendar(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    answer(&request, &maintenance, Form::Calendar).await
}

async fn answer(request: &HttpRequest, maintenance: &web::Data<Maintenance>, form: Form) -> Answer {
    let front = &maintenance.front;
    let Some(plan) = &front.plan_for_all else {
        return Err(not_found(request.clone(), maintenance.clone()).await);
    };
    let shared = &maintenance.engine.shared;
    let snapshot = shared.published.snapshot();
    let languages = &front.responses.languages;
    let catalogue = languages.get(languages.of_request(request));
    let document = plan.document(&snapshot, shared.clock.now(), form, catalogue);
    let (mut response, IsKnown(is_known)) = unless_known(request, &document.tag);
    // Asked for anew each time: what is planned may be called off at any time.
    response.insert_header((CACHE_CONTROL, "no-cache"));
    if form == Form::Calendar && languages.are_negotiated() {
        response.insert_header((VARY, "Accept-Language"));
    }
    if is_known {
        return Ok(response.finish());
    }
    match form {
        Form::Json => response.insert_header((CONTENT_TYPE, "application/json")),
        Form::Calendar => response
            .insert_header((CONTENT_TYPE, "text/calendar; charset=utf-8"))
            .insert_header((CONTENT_LANGUAGE, catalogue.header.clone()))
            .insert_header((CONTENT_DISPOSITION, "inline; filename=\"maintenance.ics\"")),
    };
    let response: HttpResponse = response.body(document.bytes);
    Ok(response)
}
