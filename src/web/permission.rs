//! Who may switch and who may see: superusers, or as the app's closures say.

use std::{fmt, pin::Pin, sync::Arc};

use crate::core::visitor::Visitor;

/// What somebody may do in the admin scope.
///
/// By default superusers may do everything and nobody else anything;
/// [`Builder::permission`](crate::Builder::permission) says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Switch a mode on and off, and plan and cancel its windows.
    Toggle,
    /// See a mode: the dashboard, the status, the history.
    See,
}

impl Permission {
    /// What it permits, as it follows "may".
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Toggle => "switch maintenance on and off",
            Self::See => "see the status of maintenance",
        }
    }
}

/// Whether somebody may, once it is known.
type PermitFuture = Pin<Box<dyn Future<Output = bool>>>;

type SyncPermit = Arc<dyn Fn(&Visitor, &str) -> bool + Send + Sync>;
type AsyncPermit = Arc<dyn Fn(Visitor, String) -> PermitFuture + Send + Sync>;

/// Who has a permission.
#[derive(Clone, Default)]
pub(crate) enum Permit {
    #[default]
    Superusers,
    Sync(SyncPermit),
    Async(AsyncPermit),
}

impl Permit {
    /// By a closure whose future tells.
    pub(crate) fn when<F>(permits: impl Fn(Visitor, String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = bool> + 'static,
    {
        Self::Async(Arc::new(move |visitor, mode| {
            Box::pin(permits(visitor, mode))
        }))
    }

    pub(crate) async fn permits(&self, visitor: &Visitor, mode: &str) -> bool {
        match self {
            Self::Superusers => visitor.superuser,
            Self::Sync(permits) => permits(visitor, mode),
            Self::Async(permits) => permits(visitor.clone(), mode.to_owned()).await,
        }
    }
}

/// Who has which permission.
#[derive(Clone, Default)]
pub(crate) struct Permissions {
    toggle: Permit,
    see: Permit,
}

impl fmt::Debug for Permissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Permissions")
            .finish_non_exhaustive()
    }
}

impl Permissions {
    pub(crate) fn set(&mut self, permission: Permission, permit: Permit) {
        match permission {
            Permission::Toggle => self.toggle = permit,
            Permission::See => self.see = permit,
        }
    }

    pub(crate) fn of(&self, permission: Permission) -> &Permit {
        match permission {
            Permission::Toggle => &self.toggle,
            Permission::See => &self.see,
        }
    }

    /// Whether only superusers have it.
    pub(crate) fn is_for_superusers(&self, permission: Permission) -> bool {
        matches!(self.of(permission), Permit::Superusers)
    }
}
