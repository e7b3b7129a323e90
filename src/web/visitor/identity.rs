//! Who is asking: by default the visitor of the actix session.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use actix_session::{Session, SessionExt as _};
use actix_web::HttpRequest;
use serde_json::Value;

use crate::{core::visitor::Visitor, settings::SessionSettings};

/// A visitor who is still being looked up.
pub(crate) type VisitorFuture = Pin<Box<dyn Future<Output = Visitor>>>;

/// Finds out who is asking.
#[derive(Clone)]
pub(crate) enum Identity {
    Session(SessionKeys),
    Sync(Arc<dyn Fn(&HttpRequest) -> Visitor + Send + Sync>),
    Async(Arc<dyn Fn(&HttpRequest) -> VisitorFuture + Send + Sync>),
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Session(_) => "Session",
            Self::Sync(_) => "Sync",
            Self::Async(_) => "Async",
        })
    }
}

/// A visitor, or the future that finds out.
pub(crate) enum Answer {
    Known(Visitor),
    Asked(VisitorFuture),
}

impl Identity {
    pub(crate) fn of_session(settings: &SessionSettings) -> Self {
        Self::Session(SessionKeys {
            user: settings.user_key.as_str().into(),
            staff: settings.staff_key.as_str().into(),
            superuser: settings.superuser_key.as_str().into(),
        })
    }

    pub(crate) fn ask(&self, request: &HttpRequest) -> Answer {
        match self {
            Self::Session(keys) => Answer::Known(keys.visitor(&request.get_session())),
            Self::Sync(identify) => Answer::Known(identify(request)),
            Self::Async(identify) => Answer::Asked(identify(request)),
        }
    }

    pub(crate) async fn visitor(&self, request: &HttpRequest) -> Visitor {
        match self.ask(request) {
            Answer::Known(visitor) => visitor,
            Answer::Asked(visitor) => visitor.await,
        }
    }
}

/// Where the session holds who is asking.
#[derive(Debug, Clone)]
pub(crate) struct SessionKeys {
    user: Arc<str>,
    staff: Arc<str>,
    superuser: Arc<str>,
}

impl SessionKeys {
    /// The key that says who the session is of.
    pub(crate) fn user_key(&self) -> Arc<str> {
        Arc::clone(&self.user)
    }

    /// A session that nobody can be read from counts as nobody: what is in it came from outside.
    fn visitor(&self, session: &Session) -> Visitor {
        let id = match session.get::<Value>(&self.user) {
            Ok(Some(Value::Null)) | Ok(None) | Err(_) => return Visitor::anonymous(),
            Ok(Some(Value::String(id))) => id,
            Ok(Some(id)) => id.to_string(),
        };
        let flag = |key: &str| session.get::<bool>(key).ok().flatten().unwrap_or(false);
        Visitor {
            id: Some(id),
            authenticated: true,
            staff: flag(&self.staff),
            superuser: flag(&self.superuser),
        }
    }
}
