//! The modes as the settings and the app's closures have them.

use std::{fmt, sync::Arc};

use actix_web::{HttpRequest, HttpResponse};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::{
    core::{mode::Mode, status::modes::ModeStatus},
    settings::ModeSettings,
    web::{
        closures::{ModeClosures, ResponseContext},
        refusal::described::Refusal,
    },
};

/// What settings and app say of a mode.
pub(crate) fn mode(settings: &ModeSettings, closures: &ModeClosures) -> Mode {
    let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    Mode {
        key: settings.key.clone(),
        label: settings
            .label
            .clone()
            .unwrap_or_else(|| settings.key.clone()),
        help: settings.help.clone(),
        access: settings.access,
        announce: signed(settings.announce),
        time_out: settings.timeout.map(signed),
        has_condition: closures.applies.is_some(),
        details: closures.details.clone(),
    }
}

type ModeEdit = Box<dyn FnOnce(&mut ModeSettings) + Send>;

/// Sets one mode up in code: from [`Builder::mode`](crate::Builder::mode).
#[must_use = "the mode is set up by what the closure returns"]
pub struct ModeBuilder {
    pub(crate) edits: Vec<ModeEdit>,
    pub(crate) closures: ModeClosures,
}

impl fmt::Debug for ModeBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ModeBuilder")
            .finish_non_exhaustive()
    }
}

impl ModeBuilder {
    pub(crate) fn new() -> Self {
        Self {
            edits: Vec::new(),
            closures: ModeClosures::default(),
        }
    }

    /// Changes the mode's settings after they have been read.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().mode("shop", |mode| {
    ///     mode.configure(|settings| settings.label = Some("The shop".to_owned()))
    /// });
    /// ```
    pub fn configure(mut self, edit: impl FnOnce(&mut ModeSettings) + Send + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Applies the mode only to requests for which this holds, of those to which the settings
    /// `applies_to` apply it.
    ///
    /// It is asked while the mode is on, for each request and perhaps more than once.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().mode("shop", |mode| {
    ///     mode.applies_if(|request| request.headers().contains_key("x-customer"))
    /// });
    /// ```
    pub fn applies_if(
        mut self,
        applies: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.closures.applies = Some(Arc::new(applies));
        self
    }

    /// As [`Builder::response_context`](crate::Builder::response_context), for this mode.
    pub fn response_context(mut self, context: Map<String, Value>) -> Self {
        self.closures.context = Some(ResponseContext::Fixed(context));
        self
    }

    /// As [`Builder::response_context_with`](crate::Builder::response_context_with), for this mode.
    pub fn response_context_with(
        mut self,
        context: impl Fn(&HttpRequest, &Refusal) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.closures.context = Some(ResponseContext::PerRequest(Arc::new(context)));
        self
    }

    /// As [`Builder::response_renderer`](crate::Builder::response_renderer), for this mode.
    pub fn response_renderer(
        mut self,
        render: impl Fn(&HttpRequest, &Refusal) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.closures.renderer = Some(Arc::new(render));
        self
    }

    /// Adds to what the status says of the mode, as its `details`.
    ///
    /// It is asked each time that the status is, so it must not take long.
    pub fn status_details(
        mut self,
        details: impl Fn(&ModeStatus) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.closures.details = Some(Arc::new(details));
        self
    }
}

/// A mode as it is set up, in the order in which it answers.
#[derive(Clone)]
pub(crate) struct ConfiguredMode {
    pub(crate) settings: ModeSettings,
    pub(crate) closures: ModeClosures,
}
