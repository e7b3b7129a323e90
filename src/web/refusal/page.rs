//! The page that visitors see, and the templates that it is made by.

use serde_json::{Map, Value};

use super::{
    described::Refusal,
    words::{addition, in_words},
};
use crate::{
    core::phase::Phase,
    web::refusal::{language::Catalogue, words::not_saved},
};

/// A page without its script looks again after this many seconds, or up to twice as many.
pub(super) const SHORTEST_REFRESH: u64 = 30;

/// What the page shows. All of the crate's own is in `maintenance`.
pub(super) fn page_context(
    refusal: &Refusal,
    catalogue: &Catalogue,
    links: &Links,
    extra: Map<String, Value>,
) -> tera::Context {
    let mut context = tera::Context::new();
    for (key, value) in &extra {
        context.insert(key.clone(), value);
    }
    let mut maintenance = match serde_json::to_value(refusal) {
        Ok(Value::Object(fields)) => fields,
        // A refusal is a struct of text and numbers, which always is an object.
        _ => Map::new(),
    };
    maintenance.insert("until_text".to_owned(), refusal.until.map(in_words).into());
    let reading_works = addition(catalogue, refusal).filter(|_| refusal.read_only);
    maintenance.insert("reading_works".to_owned(), reading_works.into());
    let not_saved = not_saved(catalogue, refusal);
    maintenance.insert("not_saved".to_owned(), not_saved.into());
    maintenance.insert("direction".to_owned(), catalogue.direction.as_str().into());
    maintenance.insert("refresh".to_owned(), links.refresh.into());
    maintenance.insert("script".to_owned(), links.script.clone().into());
    maintenance.insert("plan".to_owned(), links.plan.clone().into());
    let texts = catalogue.section("refusal").into_iter().flatten();
    let texts: Map<String, Value> = texts
        .map(|(key, text)| (key.clone(), text.as_str().into()))
        .collect();
    maintenance.insert("text".to_owned(), texts.into());
    let is_pending = refusal.phase == Phase::Pending;
    maintenance.insert("pending".to_owned(), is_pending.into());
    // Whoever is refused is past what is announced.
    maintenance.insert("scheduled".to_owned(), false.into());
    maintenance.insert("start".to_owned(), Value::Null);
    maintenance.insert("deadline".to_owned(), Value::Null);
    context.insert("maintenance_mode", &true);
    context.insert("maintenance", &maintenance);
    context
}

/// What a page leads to besides what it says.
#[derive(Debug)]
pub(super) struct Links {
    /// In how many seconds it looks again without its script.
    pub(super) refresh: u64,
    /// Where its script is.
    pub(super) script: Option<String>,
    /// Where the plan is for everybody.
    pub(super) plan: Option<String>,
}

impl Links {
    /// A page that looks again when it is over, and not at once with all others; nothing else yet.
    pub(super) fn looking_again(refusal: &Refusal) -> Self {
        let seconds = SHORTEST_REFRESH + fastrand::u64(0..=SHORTEST_REFRESH);
        let until = refusal.until.and(refusal.retry_after);
        Self {
            refresh: until.map_or(seconds, |until| until.min(seconds)),
            script: None,
            plan: None,
        }
    }
}
