//! The modes as the settings and the app's closures have them.

use std::{fmt, sync::Arc};

use actix_web::{HttpRequest, HttpResponse};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::{
    core::snapshot::ModeStatus,
    engine::shared::Predicate,
    settings::{Access, ModeSettings},
    web::refusal::response::{Refusal, Renderer, ResponseContext},
};

/// Adds to what the status says of a mode.
pub(crate) type StatusDetails = Arc<dyn Fn(&ModeStatus) -> Map<String, Value> + Send + Sync>;

/// What settings and app say of a mode, apart from the rules and the refusals.
pub(crate) struct Mode {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    pub(crate) access: Access,
    /// How long before its start a window is announced; zero: not at all.
    pub(crate) announce: SignedDuration,
    /// How long it stays on when nobody says until when.
    pub(crate) time_out: Option<SignedDuration>,
    /// Whether it applies to a request, besides what the settings say; `None`: to all those.
    pub(crate) applies: Option<Predicate>,
    pub(crate) details: Option<StatusDetails>,
}

impl fmt::Debug for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mode")
            .field("key", &self.key)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl Mode {
    pub(crate) fn new(settings: &ModeSettings, closures: &ModeClosures) -> Self {
        let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self {
            key: settings.key.clone(),
            label: settings
                .label
                .clone()
                .unwrap_or_else(|| settings.key.clone()),
            help: settings.help.clone(),
            access: settings.access,
            announce: signed(settings.announce),
            time_out: settings.timeout.map(signed),
            applies: closures.applies.clone(),
            details: closures.details.clone(),
        }
    }
}

/// What only code can say of a mode.
#[derive(Clone, Default)]
pub(crate) struct ModeClosures {
    pub(crate) applies: Option<Predicate>,
    pub(crate) context: Option<ResponseContext>,
    pub(crate) renderer: Option<Renderer>,
    pub(crate) details: Option<StatusDetails>,
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
    pub fn configure(mut self, edit: impl FnOnce(&mut ModeSettings) + Send + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Applies the mode only to requests for which this holds, of those to which the settings
    /// `applies_to` apply it.
    ///
    /// It is asked while the mode is on, for each request and perhaps more than once.
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
