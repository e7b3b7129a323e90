//! Who would ask.

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::core::visitor::Visitor;

/// Who sends the request of an [`Inquiry`](crate::Inquiry).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
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

    /// The role's word: `anonymous`, `authenticated`, `staff` or `superuser`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Superuser => "superuser",
        }
    }

    pub(super) fn visitor(self) -> Visitor {
        Visitor {
            id: None,
            authenticated: self != Self::Anonymous,
            staff: self == Self::Staff,
            superuser: self == Self::Superuser,
        }
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
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}
