//! The closures of the app by which it has its say.

use std::{net::IpAddr, sync::Arc};

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::{core::mode::StatusDetails, web::refusal::described::Refusal};

/// A condition of the app under which a request passes.
pub(crate) type Predicate = Arc<dyn Fn(&HttpRequest) -> bool + Send + Sync>;

/// The app's own way to the client's address.
pub(crate) type AddressFinder = Arc<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

/// What the app does beyond ending the session when a visitor is logged out.
pub(crate) type LogoutHook = Arc<dyn Fn(&HttpRequest) + Send + Sync>;

/// What is added to the JSON body and to the context of the page.
#[derive(Clone)]
pub(crate) enum ResponseContext {
    None,
    Fixed(Map<String, Value>),
    PerRequest(ContextMaker),
}

/// Makes what is added, request by request.
pub(crate) type ContextMaker =
    Arc<dyn Fn(&HttpRequest, &Refusal) -> Map<String, Value> + Send + Sync>;

/// Makes a whole response instead of the crate.
pub(crate) type Renderer = Arc<dyn Fn(&HttpRequest, &Refusal) -> HttpResponse + Send + Sync>;

/// What only code can say of a mode.
#[derive(Clone, Default)]
pub(crate) struct ModeClosures {
    pub(crate) applies: Option<Predicate>,
    pub(crate) context: Option<ResponseContext>,
    pub(crate) renderer: Option<Renderer>,
    pub(crate) details: Option<StatusDetails>,
}
