//! The texts of notices: in the language of whom they go to, or by a template of the settings.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use tera::{Context, Tera};

use crate::{
    core::{
        matcher::Matcher,
        mode::Mode,
        state::notice::{Interest, Notice},
        text::chain,
    },
    engine::notices::{Kind, NoticeDesk, Target, TextOf, data_of},
    settings::{NoticeSettings, Settings, SettingsError, TargetKind},
    web::refusal::language::{Catalogue, Languages},
};

/// Whom changes are told, by the settings.
///
/// # Errors
///
/// When a secret cannot be read any more, a language is not there, or a template is none.
pub(crate) fn desk(
    settings: &Settings,
    modes: &[Arc<Mode>],
    languages: &Languages,
    zone: Option<TimeZone>,
) -> Result<NoticeDesk, SettingsError> {
    let mut targets = Vec::new();
    let mut catalogues = Vec::new();
    for (place, notice) in settings.notices.iter().enumerate() {
        let fault = |name: &str, value: &str, message: String| {
            SettingsError::of_value(&format!("notice[{place}].{name}"), value, message)
        };
        let target = target(notice).map_err(|message| fault("secret", "", message))?;
        if let Some(text) = &notice.text {
            let mut tera = Tera::default();
            let read = tera.add_raw_template("text", text);
            read.map_err(|error| fault("text", text, chain(&error)))?;
        }
        let catalogue = match &notice.language {
            None => languages.all().nth(languages.default()),
            Some(tag) => languages.all().find(|it| it.tag == *tag),
        };
        let catalogue = catalogue.ok_or_else(|| {
            let tag = notice.language.as_deref().unwrap_or_default();
            fault("language", tag, "there is no such language".to_owned())
        })?;
        catalogues.push((target.name.clone(), catalogue.clone()));
        targets.push(target);
    }
    let labels: Vec<(String, String)> = modes
        .iter()
        .map(|mode| (mode.key.clone(), mode.label.clone()))
        .collect();
    let zone = zone.unwrap_or(TimeZone::UTC);
    let text: TextOf = Arc::new(move |notice, target| {
        let label = labels.iter().find(|(key, _)| *key == notice.mode);
        let label = label.map_or(notice.mode.as_str(), |(_, label)| label);
        let catalogue = catalogues.iter().find(|(name, _)| *name == target.name);
        let text = match catalogue {
            Some((_, catalogue)) => usual_text(notice, label, catalogue, &zone),
            None => String::new(),
        };
        match &target.text {
            None => Ok(text),
            Some(template) => by_template(template, notice, target, label, &text),
        }
    });
    Ok(NoticeDesk::new(targets, text))
}

fn target(notice: &NoticeSettings) -> Result<Target, String> {
    let kind = match notice.kind {
        TargetKind::Webhook => Kind::Webhook {
            secret: notice.read_secret()?,
        },
        TargetKind::Slack => Kind::Slack,
        TargetKind::Alertmanager => Kind::Alertmanager {
            matchers: notice
                .matchers
                .iter()
                .map(|text| Matcher::parse(text))
                .collect::<Result<_, _>>()?,
            time_to_live: notice.time_to_live.try_into().unwrap_or_default(),
        },
    };
    let url = notice.read_url()?;
    let mut target = Target::new(notice.called(), kind, url, notice.private);
    target.interest = Interest {
        kinds: notice.kinds(),
        modes: notice.modes.clone(),
    };
    target.text.clone_from(&notice.text);
    target.details = notice.details;
    Ok(target)
}

/// One line, and what visitors are told on another.
fn usual_text(notice: &Notice, label: &str, catalogue: &Catalogue, zone: &TimeZone) -> String {
    let time = |instant: Timestamp| {
        let zoned = instant.to_zoned(zone.clone());
        zoned.strftime("%Y-%m-%d %H:%M %:z").to_string()
    };
    let key = notice.kind.as_str().replace('-', "_");
    let mut text = format!("{label}: {}", catalogue.text("notice", &key));
    let mut message = notice.is.message.as_deref();
    if let Some((_, window)) = &notice.window {
        let ends = [window.start, window.end].map(|end| end.map(time));
        match ends {
            [Some(start), Some(end)] => text.push_str(&format!(", {start} – {end}")),
            [Some(start), None] => text.push_str(&format!(", {start}")),
            _ => {}
        }
        if let Some(title) = &window.title {
            text.push_str(&format!(" ({title})"));
        }
        message = window.message.as_deref();
    } else if let Some(until) = notice.is.until {
        let until = catalogue.filled("notice", "until", &[("time", &time(until))]);
        text.push_str(&format!(", {until}"));
    }
    if let Some(message) = message.filter(|it| !it.is_empty()) {
        text.push_str(&format!("\n{message}"));
    }
    text
}

fn by_template(
    template: &str,
    notice: &Notice,
    target: &Target,
    label: &str,
    text: &str,
) -> Result<String, String> {
    let mut told = data_of(notice, target, label, text);
    told.insert("kind".to_owned(), json!(notice.kind.as_str()));
    let context = Context::from_serialize(&told).map_err(|error| chain(&error))?;
    Tera::one_off(template, &context, false).map_err(|error| chain(&error))
}
