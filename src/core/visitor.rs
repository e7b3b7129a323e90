//! Who is asking, as data.

use serde::{Deserialize, Serialize};

/// Who is asking, as far as maintenance cares.
///
/// ```
/// use actix_maintenance_mode::Visitor;
///
/// let alice = Visitor::user("alice").with_staff(true);
/// assert!(alice.authenticated && alice.staff && !alice.superuser);
/// assert!(!Visitor::anonymous().authenticated);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Visitor {
    /// Who it is; recorded as `by` when this visitor changes the state.
    pub id: Option<String>,
    /// Somebody who has logged in.
    pub authenticated: bool,
    /// A member of the staff.
    pub staff: bool,
    /// A superuser: may switch maintenance on and off.
    pub superuser: bool,
}

impl Visitor {
    /// Somebody who has not logged in.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Somebody who has logged in.
    pub fn user(id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            authenticated: true,
            ..Self::default()
        }
    }

    /// Says whether the visitor is a member of the staff.
    #[must_use]
    pub fn with_staff(mut self, staff: bool) -> Self {
        self.staff = staff;
        self
    }

    /// Says whether the visitor is a superuser.
    #[must_use]
    pub fn with_superuser(mut self, superuser: bool) -> Self {
        self.superuser = superuser;
        self
    }
}
