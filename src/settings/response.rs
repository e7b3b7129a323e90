//! `[response]`: how a refusal looks.

use std::{
    path::{Component, Path, PathBuf},
    time::Duration,
};

use super::{
    CorsSetting, Settings, cors,
    reader::Section,
    values::{Faults, folder_fault, message_fault, redirect_fault, told},
};
use crate::core::words::words;
use crate::settings::conversions::{boolean, duration, fraction, number, one_of, text};

/// What `response.status` takes.
pub(super) const STATUS_EXPECTED: &str = "give a number from 400 to 599";
/// What `response.retry_jitter` takes.
pub(super) const JITTER_EXPECTED: &str = "give a fraction from 0 to 1, such as 0.2";
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(365 * 24 * 3600);

/// `[response]`: how a refusal looks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResponseSettings {
    /// The HTTP status, from 400 to 599. Default 503.
    pub status: u16,
    /// What `Retry-After` says where the end is not known, in whole seconds, at most a year; zero
    /// for no such header. In the file a number of seconds or a text such as `"1h"`. Default one
    /// hour.
    pub retry_after: Duration,
    /// By how much of itself `Retry-After` is made longer at random, as a fraction from 0 to 1, so
    /// that clients do not come back all at once. Default 0.
    pub retry_jitter: f64,
    /// The form of the body. Default [`FormatSetting::Auto`].
    pub format: FormatSetting,
    /// The name of the HTML template. Default `503.html`.
    pub template: String,
    /// A folder of templates that override the embedded ones by name. Default `None`.
    pub templates_dir: Option<PathBuf>,
    /// The text for visitors. Default `None`: a general one.
    pub message: Option<String>,
    /// Whether the page loads the script of the admin scope, if there is one, by which it goes away
    /// by itself when the maintenance is over. Default `true`.
    pub script: bool,
    /// Where page requests are sent instead: an `http` or `https` URL, or a path on this site.
    /// Default `None`: no redirect.
    pub redirect: Option<String>,
    /// Origins whose scripts may read refusals, and whose preflights are answered while the site is
    /// closed. Default: none.
    pub cors: CorsSetting,
}

impl Default for ResponseSettings {
    fn default() -> Self {
        Self {
            status: 503,
            retry_after: Duration::from_secs(3600),
            retry_jitter: 0.0,
            format: FormatSetting::default(),
            template: "503.html".to_owned(),
            templates_dir: None,
            message: None,
            script: true,
            redirect: None,
            cors: CorsSetting::default(),
        }
    }
}

/// The form of a refusal's body: the key `response.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FormatSetting {
    /// `"auto"`: what the request's `Accept` prefers. The default.
    #[default]
    Auto,
    /// `"html"`: always a page.
    Html,
    /// `"json"`: always a JSON object.
    Json,
    /// `"problem"`: always problem details (RFC 9457).
    Problem,
    /// `"text"`: always plain text.
    Text,
}

words! {
    /// The word in the settings.
    pub(crate) FormatSetting {
        Auto = "auto",
        Html = "html",
        Json = "json",
        Problem = "problem",
        Text = "text",
    }
}

pub(super) fn read(section: &mut Section<'_>) -> ResponseSettings {
    let default = ResponseSettings::default();
    ResponseSettings {
        status: section.value("status", number(STATUS_EXPECTED), default.status),
        retry_after: section.value("retry_after", duration, default.retry_after),
        retry_jitter: section.value(
            "retry_jitter",
            fraction(JITTER_EXPECTED),
            default.retry_jitter,
        ),
        format: section.value("format", one_of::<FormatSetting>, default.format),
        template: section.value("template", text, default.template),
        templates_dir: section
            .optional("templates_dir", text, None)
            .map(PathBuf::from)
            .or(default.templates_dir),
        message: section.optional("message", text, default.message),
        script: section.value("script", boolean, default.script),
        redirect: section.optional("redirect", text, default.redirect),
        cors: cors::read(section, "cors"),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let response = &settings.response;
    faults.note(
        "response.status",
        &response.status.to_string(),
        status_fault(response.status),
    );
    faults.note(
        "response.retry_after",
        &format!("{:?}", response.retry_after),
        retry_after_fault(response.retry_after),
    );
    faults.note(
        "response.retry_jitter",
        &response.retry_jitter.to_string(),
        (!(0.0..=1.0).contains(&response.retry_jitter)).then(|| JITTER_EXPECTED.to_owned()),
    );
    faults.one("response.template", &response.template, template_fault);
    if let Some(folder) = &response.templates_dir {
        let shown = folder.to_string_lossy();
        faults.note("response.templates_dir", &shown, folder_fault(folder));
    }
    faults.optional(
        "response.message",
        response.message.as_deref(),
        message_fault,
    );
    faults.optional(
        "response.redirect",
        response.redirect.as_deref(),
        redirect_fault,
    );
    cors::check("response.cors", &response.cors, faults);
}

pub(super) fn status_fault(status: u16) -> Option<String> {
    (!(400..=599).contains(&status)).then(|| STATUS_EXPECTED.to_owned())
}

pub(super) fn retry_after_fault(retry_after: Duration) -> Option<String> {
    if retry_after > LONGEST_RETRY_AFTER {
        told("give at most one year, which is 31536000 seconds")
    } else if retry_after.subsec_nanos() != 0 {
        told("give whole seconds")
    } else {
        None
    }
}

pub(super) fn template_fault(template: &str) -> Option<String> {
    let path = Path::new(template);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let names_a_file = plain && path.file_name().is_some() && !template.ends_with('/');
    let fits = names_a_file && !template.contains(char::is_control);
    (!fits).then(|| {
        "give a file's name such as \"503.html\", or a relative path without `.` and `..`"
            .to_owned()
    })
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
