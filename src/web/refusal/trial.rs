//! Renders each page once at the start: a mistake in a template is found then, and not by the first
//! visitor who is refused.

use jiff::{SignedDuration, Timestamp};

use super::{
    described::Refusal,
    of_mode::ModeResponse,
    page::{Links, SHORTEST_REFRESH, page_context},
    responses::Responses,
};
use crate::{
    core::{phase::Phase, rules::rule::Rule},
    settings::Access,
    web::{closures::ResponseContext, mode::ConfiguredMode, refusal::negotiate::ResponseFormat},
};

/// What is always there.
const ALWAYS_THERE: [&str; 2] = ["maintenance", "maintenance_mode"];

/// A page that cannot be rendered.
#[derive(Debug)]
pub(crate) struct PageFault {
    pub(crate) template: String,
    pub(crate) message: String,
}

impl Responses {
    /// Renders the page of each mode as it is in each phase.
    ///
    /// # Errors
    ///
    /// When one of them cannot be rendered.
    pub(crate) fn try_pages(&self, modes: &[ConfiguredMode]) -> Result<(), PageFault> {
        let now = Timestamp::now();
        for (own, mode) in self.modes.iter().zip(modes) {
            if !self.is_known(own) {
                continue;
            }
            for sample in samples(&mode.settings.key, own.access, now) {
                self.try_page(own, &sample)?;
            }
        }
        Ok(())
    }

    /// Whether the template is used, and sees nothing that only a request can tell.
    fn is_known(&self, own: &ModeResponse) -> bool {
        if own.renderer.is_some() {
            return false;
        }
        if !matches!(own.context, ResponseContext::PerRequest(_)) {
            return true;
        }
        let needed = self.templates.variables(&own.template);
        let is_there = |name: &String| ALWAYS_THERE.contains(&name.as_str());
        needed.is_some_and(|needed| needed.iter().all(is_there))
    }

    fn try_page(&self, own: &ModeResponse, sample: &Refusal) -> Result<(), PageFault> {
        let catalogue = self.languages.get(self.languages.default());
        let links = Links {
            refresh: SHORTEST_REFRESH,
            script: Some("/".to_owned()),
            plan: Some("/".to_owned()),
        };
        let context = page_context(sample, catalogue, &links, own.fixed_context());
        match self.templates.render(&own.template, &context) {
            Ok(_) => Ok(()),
            Err(message) => Err(PageFault {
                template: own.template.clone(),
                message: format!("the page cannot be rendered: {message}"),
            }),
        }
    }
}

/// What a template may tell apart.
fn samples(mode: &str, access: Access, now: Timestamp) -> Vec<Refusal> {
    let later = now + SignedDuration::from_hours(1);
    let mut samples = Vec::new();
    for phase in [Phase::Offline, Phase::Pending, Phase::Opening] {
        for until in [None, Some(later)] {
            for sent in [false, true] {
                samples.push(Refusal {
                    mode: mode.to_owned(),
                    label: mode.to_owned(),
                    phase,
                    access,
                    read_only: access == Access::ReadOnly,
                    message: "…".to_owned(),
                    language: "en".to_owned(),
                    since: until.map(|_| now),
                    until,
                    retry_after: until.map(|_| 3600),
                    sent,
                    rule: Rule::NoExemption,
                    format: ResponseFormat::Html,
                });
            }
        }
    }
    samples
}
