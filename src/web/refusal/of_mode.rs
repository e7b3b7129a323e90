//! What one mode answers, and how the app's closures change it.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::HeaderValue},
};
use serde_json::{Map, Value};

use crate::{
    settings::{Access, FormatSetting, ModeSettings, ResponseSettings},
    web::{
        closures::{ModeClosures, Renderer, ResponseContext},
        refusal::negotiate::ResponseFormat,
    },
};

/// Chooses the form of a refusal, or leaves it to `Accept`.
pub(crate) type FormatChooser = Arc<dyn Fn(&HttpRequest) -> Option<ResponseFormat> + Send + Sync>;

/// How the form of a refusal is chosen.
#[derive(Clone)]
pub(crate) enum FormatChoice {
    Negotiated,
    Fixed(ResponseFormat),
    PerRequest(FormatChooser),
}

impl From<FormatSetting> for FormatChoice {
    fn from(setting: FormatSetting) -> Self {
        match setting {
            FormatSetting::Auto => Self::Negotiated,
            FormatSetting::Html => Self::Fixed(ResponseFormat::Html),
            FormatSetting::Json => Self::Fixed(ResponseFormat::Json),
            FormatSetting::Problem => Self::Fixed(ResponseFormat::Problem),
            FormatSetting::Text => Self::Fixed(ResponseFormat::Text),
        }
    }
}

/// What one mode answers.
#[derive(Clone)]
pub(super) struct ModeResponse {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<u64>,
    pub(super) template: String,
    pub(super) message: Option<String>,
    pub(super) redirect: Option<HeaderValue>,
    pub(super) access: Access,
    pub(super) context: ResponseContext,
    pub(super) renderer: Option<Renderer>,
}

impl ModeResponse {
    pub(super) fn new(settings: &ResponseSettings) -> Result<Self, String> {
        Ok(Self {
            status: status_code(settings.status)?,
            retry_after: some_seconds(settings.retry_after),
            template: settings.template.clone(),
            message: settings.message.clone(),
            redirect: settings.redirect.as_deref().map(location).transpose()?,
            access: Access::None,
            context: ResponseContext::None,
            renderer: None,
        })
    }

    /// The same with what a mode says otherwise.
    pub(super) fn of_mode(
        &self,
        mode: &ModeSettings,
        closures: &ModeClosures,
    ) -> Result<Self, String> {
        let own = self.clone();
        Ok(Self {
            status: mode
                .status
                .map(status_code)
                .transpose()?
                .unwrap_or(own.status),
            retry_after: mode.retry_after.map_or(own.retry_after, some_seconds),
            template: mode.template.clone().unwrap_or(own.template),
            message: mode.message.clone().or(own.message),
            redirect: match mode.redirect.as_deref() {
                Some(target) => Some(location(target)?),
                None => own.redirect,
            },
            access: mode.access,
            context: closures.context.clone().unwrap_or(own.context),
            renderer: closures.renderer.clone().or(own.renderer),
        })
    }

    pub(super) fn fixed_context(&self) -> Map<String, Value> {
        match &self.context {
            ResponseContext::Fixed(context) => context.clone(),
            ResponseContext::PerRequest(_) | ResponseContext::None => Map::new(),
        }
    }
}

pub(super) fn status_code(status: u16) -> Result<StatusCode, String> {
    StatusCode::from_u16(status).map_err(|_| format!("{status} is no status"))
}

pub(super) fn some_seconds(duration: Duration) -> Option<u64> {
    Some(duration.as_secs()).filter(|seconds| *seconds > 0)
}

pub(super) fn location(target: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(target).map_err(|_| format!("`{target}` cannot be sent as a Location"))
}
