//! `[[notice]]`: whom changes are told.

use std::{fmt, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Uri;

use super::{
    Settings,
    reader::Section,
    values::{Faults, told},
};
use crate::{
    core::{
        matcher::Matcher,
        state::notice::NoticeKind,
        words::{Words as _, words},
    },
    settings::conversions::{boolean, duration, one_of, text},
};

/// What the secret of a webhook begins with (Standard Webhooks); the rest is Base64.
const SECRET_PREFIX: &str = "whsec_";
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// `notice.kind`: what kind of receiver it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// `webhook`: gets JSON, signed as [Standard Webhooks](https://www.standardwebhooks.com/) has it.
    #[default]
    Webhook,
    /// `slack`: a chat that takes what Slack's incoming webhooks take.
    Slack,
    /// `alertmanager`: gets a silence that lasts as long as the maintenance.
    Alertmanager,
}

words! {
    /// The word for it, as in the settings.
    pub TargetKind {
        Webhook = "webhook",
        Slack = "slack",
        Alertmanager = "alertmanager",
    }
}

/// `[[notice]]`: somebody whom changes are told. Needs the feature `notices`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoticeSettings {
    /// What it is called in the status and in the log. Default `None`: its kind and host, which then
    /// no other may have.
    pub name: Option<String>,
    /// Default [`TargetKind::Webhook`].
    pub kind: TargetKind,
    /// Where it is: an `http` or `https` URL. Needed, or `url_file`.
    pub url: String,
    /// A file that holds the URL, for one that is a secret.
    pub url_file: Option<PathBuf>,
    /// What a webhook is signed by: `whsec_` and 24 to 64 bytes in Base64. Default `None`: it is not
    /// signed.
    pub secret: Option<String>,
    /// A file that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// What it is told of. Default empty: everything.
    pub events: Vec<String>,
    /// The keys of the modes that it is told of. Default empty: all.
    pub modes: Vec<String>,
    /// Whether its name may resolve to a private or loopback address. Default `false`: only an address
    /// that stands in the URL itself may be one.
    pub private: bool,
    /// In which language the text is. Default `None`: as `language.default` says.
    pub language: Option<String>,
    /// A Tera template for the text, with `kind`, `mode`, `label`, `text` and what is told else.
    /// Default `None`: the text that comes along.
    pub text: Option<String>,
    /// Whether it is told also what is for operators: by whom and why. Default `false`.
    pub details: bool,
    /// Which alerts are silenced, each as `amtool` takes it: `team="shop"`, `instance=~"web.*"`. An
    /// Alertmanager needs one at least.
    pub matchers: Vec<String>,
    /// How long a silence lasts that nobody makes longer. From ten seconds to a day. Default 5 minutes.
    pub time_to_live: Duration,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            name: None,
            kind: TargetKind::default(),
            url: String::new(),
            url_file: None,
            secret: None,
            secret_file: None,
            events: Vec::new(),
            modes: Vec::new(),
            private: false,
            language: None,
            text: None,
            details: false,
            matchers: Vec::new(),
            time_to_live: Duration::from_secs(300),
        }
    }
}

impl NoticeSettings {
    /// What it is called.
    pub(crate) fn called(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let uri = self.read_url().ok().and_then(|url| url.parse::<Uri>().ok());
            let authority = uri.as_ref().and_then(Uri::authority);
            let place = authority.map_or_else(String::new, |it| match it.port_u16() {
                Some(port) => format!("{}:{port}", it.host()),
                None => it.host().to_owned(),
            });
            format!("{} {place}", self.kind.as_str()).trim().to_owned()
        })
    }

    /// The URL, from the file if it is there.
    pub(crate) fn read_url(&self) -> Result<String, String> {
        match &self.url_file {
            Some(path) => read_line(path),
            None => Ok(self.url.clone()),
        }
    }

    /// The bytes of the secret, from the file if it is there.
    pub(crate) fn read_secret(&self) -> Result<Option<Vec<u8>>, String> {
        let text = match (&self.secret_file, &self.secret) {
            (Some(path), _) => Some(read_line(path)?),
            (None, secret) => secret.clone(),
        };
        text.map(|text| secret_from_text(&text)).transpose()
    }

    /// What it is told of. What is no word is a fault by itself.
    #[cfg(feature = "notices")]
    pub(crate) fn kinds(&self) -> Vec<NoticeKind> {
        let words = self.events.iter();
        words.filter_map(|word| NoticeKind::of_word(word)).collect()
    }
}

fn read_line(path: &std::path::Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .map_err(|error| format!("cannot be read ({error}); give the file that holds it"))
}

fn secret_from_text(text: &str) -> Result<Vec<u8>, String> {
    let remedy = "give \"whsec_\" and 24 to 64 random bytes in Base64, as by \
                  `echo whsec_$(openssl rand -base64 32)`";
    let digits = text.strip_prefix(SECRET_PREFIX).ok_or(remedy)?;
    let bytes = STANDARD.decode(digits).map_err(|_| remedy)?;
    match (24..=64).contains(&bytes.len()) {
        true => Ok(bytes),
        false => Err(format!("the secret has {} bytes; {remedy}", bytes.len())),
    }
}

/// Shows everything but the secret and what of the URL may be one.
impl fmt::Debug for NoticeSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name: _,
            kind,
            url: _,
            url_file,
            secret,
            secret_file,
            events,
            modes,
            private,
            language,
            text,
            details,
            matchers,
            time_to_live,
        } = self;
        formatter
            .debug_struct("NoticeSettings")
            .field("name", &self.called())
            .field("kind", kind)
            .field("url", &format_args!("[hidden]"))
            .field("url_file", url_file)
            .field("secret", &secret.as_ref().map(|_| format_args!("[hidden]")))
            .field("secret_file", secret_file)
            .field("events", events)
            .field("modes", modes)
            .field("private", private)
            .field("language", language)
            .field("text", text)
            .field("details", details)
            .field("matchers", matchers)
            .field("time_to_live", time_to_live)
            .finish()
    }
}

pub(super) fn read(section: &mut Section<'_>) -> NoticeSettings {
    let default = NoticeSettings::default();
    NoticeSettings {
        name: section.optional("name", text, default.name),
        kind: section.value("kind", one_of, default.kind),
        url: section.value("url", text, default.url),
        url_file: section.optional("url_file", text, None).map(PathBuf::from),
        secret: section.optional("secret", text, default.secret),
        secret_file: section
            .optional("secret_file", text, None)
            .map(PathBuf::from),
        events: section.list("events", default.events),
        modes: section.list("modes", default.modes),
        private: section.value("private", boolean, default.private),
        language: section.optional("language", text, default.language),
        text: section.optional("text", text, default.text),
        details: section.value("details", boolean, default.details),
        matchers: section.list("matchers", default.matchers),
        time_to_live: section.value("time_to_live", duration, default.time_to_live),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    if !settings.notices.is_empty() && !cfg!(feature = "notices") {
        let message = "this program is built without the feature `notices`; add it, or remove this";
        faults.whole("notice", message);
    }
    let mut names = Vec::new();
    for (place, notice) in settings.notices.iter().enumerate() {
        let key = |name: &str| format!("notice[{place}].{name}");
        check_place(notice, &key, faults);
        let name = notice.called();
        if names.contains(&name) {
            let message = "another target is called the same; give each its own `name`".to_owned();
            faults.note(&key("name"), &name, Some(message));
        }
        names.push(name);
        for (item, word) in notice.events.iter().enumerate() {
            if NoticeKind::of_word(word).is_none() {
                let words: Vec<&str> = NoticeKind::ALL.iter().map(|it| it.as_str()).collect();
                let message = format!("give some of {}", words.join(", "));
                faults.item(&key("events"), item, word, &message);
            }
        }
        for (item, mode) in notice.modes.iter().enumerate() {
            if !settings.has_mode(mode) {
                let message = "no mode has this key; give one of those under `[[mode]]`";
                faults.item(&key("modes"), item, mode, message);
            }
        }
        let is_alertmanager = notice.kind == TargetKind::Alertmanager;
        if is_alertmanager && notice.matchers.is_empty() {
            let message = "say which alerts are to be silenced, such as [\"team=\\\"shop\\\"\"]";
            faults.whole(&key("matchers"), message);
        }
        for (item, text) in notice.matchers.iter().enumerate() {
            if let Err(message) = Matcher::parse(text) {
                faults.item(&key("matchers"), item, text, &message);
            }
        }
        let all_empty = |it: &String| Matcher::parse(it).is_ok_and(|it| it.fits_nothing());
        if is_alertmanager && !notice.matchers.is_empty() && notice.matchers.iter().all(all_empty) {
            let message = "these fit every alert; give one that needs a label to be there";
            faults.whole(&key("matchers"), message);
        }
        let life = notice.time_to_live;
        let fits = (SHORTEST_LIFE..=LONGEST_LIFE).contains(&life);
        faults.note(
            &key("time_to_live"),
            &format!("{life:?}"),
            (!fits).then(|| "give from ten seconds to a day".to_owned()),
        );
    }
}

fn check_place(notice: &NoticeSettings, key: &dyn Fn(&str) -> String, faults: &mut Faults) {
    let of_url = if notice.url_file.is_some() {
        "url_file"
    } else {
        "url"
    };
    // What stands there may be a secret, and is not repeated.
    let fault = match notice.read_url() {
        Ok(url) => url_fault(&url),
        Err(message) => Some(message),
    };
    if let Some(message) = fault {
        faults.whole(&key(of_url), &message);
    }
    if notice.url_file.is_some() && !notice.url.is_empty() {
        faults.whole(&key("url"), "there is `url_file`, too; give one of the two");
    }
    let of_secret = if notice.secret_file.is_some() {
        "secret_file"
    } else {
        "secret"
    };
    if let Err(message) = notice.read_secret() {
        faults.whole(&key(of_secret), &message);
    }
    if notice.secret.is_some() && notice.secret_file.is_some() {
        faults.whole(
            &key("secret"),
            "there is `secret_file`, too; give one of the two",
        );
    }
}

fn url_fault(url: &str) -> Option<String> {
    let remedy = "give a URL such as \"https://example.com/hook\"";
    let Ok(uri) = url.parse::<Uri>() else {
        return told(remedy);
    };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none_or(str::is_empty) {
        return told(remedy);
    }
    let has_login = uri.authority().is_some_and(|it| it.as_str().contains('@'));
    has_login.then(|| format!("a name and a password in it are not sent; {remedy}"))
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
