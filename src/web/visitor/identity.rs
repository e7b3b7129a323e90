//! Who is asking: by default the visitor of the actix session.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use actix_session::{Session, SessionExt as _};
use actix_web::HttpRequest;
use serde_json::Value;

use crate::{core::visitor::Visitor, settings::SessionSettings};

/// A visitor who is still being looked up.
pub(crate) type VisitorFuture = Pin<Box<dyn Future<Output = Visitor>>>;

/// What a closure of the app's own is still finding out.
type ClosureFuture = Pin<Box<dyn Future<Output = Option<Visitor>>>>;

/// A closure of the app's own, which gives the visitor or the future that finds out.
type Closure<T> = Arc<dyn Fn(&HttpRequest) -> T + Send + Sync>;

/// The app's own way to find out who is asking. Where it says nothing, the session tells.
#[derive(Clone)]
pub(crate) enum IdentityClosure {
    Sync(Closure<Option<Visitor>>),
    Async(Closure<ClosureFuture>),
}

/// Finds out who is asking.
#[derive(Clone)]
pub(crate) enum Identity {
    Session(SessionKeys),
    Closure(IdentityClosure, SessionKeys),
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Session(_) => "Session",
            Self::Closure(IdentityClosure::Sync(_), _) => "Sync",
            Self::Closure(IdentityClosure::Async(_), _) => "Async",
        })
    }
}

/// A visitor, or the future that finds out.
pub(crate) enum Answer {
    Known(Visitor),
    Asked(VisitorFuture),
}

impl Identity {
    pub(crate) fn new(closure: Option<IdentityClosure>, settings: &SessionSettings) -> Self {
        let keys = SessionKeys {
            user: settings.user_key.as_str().into(),
            staff: settings.staff_key.as_str().into(),
            superuser: settings.superuser_key.as_str().into(),
        };
        match closure {
            None => Self::Session(keys),
            Some(closure) => Self::Closure(closure, keys),
        }
    }

    pub(crate) fn ask(&self, request: &HttpRequest) -> Answer {
        match self {
            Self::Session(keys) => Answer::Known(keys.visitor(&request.get_session())),
            Self::Closure(IdentityClosure::Sync(identify), keys) => Answer::Known(
                identify(request).unwrap_or_else(|| keys.visitor(&request.get_session())),
            ),
            Self::Closure(IdentityClosure::Async(identify), keys) => {
                let identified = identify(request);
                // The future must not keep the request; the session is apart from it.
                let (session, keys) = (request.get_session(), keys.clone());
                Answer::Asked(Box::pin(async move {
                    identified.await.unwrap_or_else(|| keys.visitor(&session))
                }))
            }
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
