//! Who would ask.

use std::{fmt, str::FromStr};

use crate::core::{
    visitor::Visitor,
    words::{Words as _, words},
};

/// Who sends the request of an [`Inquiry`](crate::Inquiry).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Somebody who has not logged in. The default.
    #[default]
    Anonymous,
    /// Somebody who has logged in.
    Authenticated,
    /// A member of the staff.
    Staff,
    /// A superuser.
    Superuser,
}

impl Role {
    /// Every role, the humblest first.
    pub const ALL: [Self; 4] = [
        Self::Anonymous,
        Self::Authenticated,
        Self::Staff,
        Self::Superuser,
    ];

    pub(super) fn visitor(self) -> Visitor {
        Visitor {
            id: None,
            authenticated: self != Self::Anonymous,
            staff: self == Self::Staff,
            superuser: self == Self::Superuser,
        }
    }
}

words! {
    /// The role's word: `anonymous`, `authenticated`, `staff` or `superuser`.
    pub Role in answers {
        Anonymous = "anonymous",
        Authenticated = "authenticated",
        Staff = "staff",
        Superuser = "superuser",
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a text is no [`Role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no role; give anonymous, authenticated, staff or superuser")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of_word(text).ok_or(UnknownRole)
    }
}
