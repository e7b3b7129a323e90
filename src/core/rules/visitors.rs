//! Who gets through.

use crate::core::{rules::rule::Rule, visitor::Visitor};

/// The exemptions by who is asking, and who is logged out.
#[derive(Debug, Clone, Default)]
pub(crate) struct VisitorRules {
    pub(crate) anonymous: bool,
    pub(crate) authenticated: bool,
    pub(crate) staff: bool,
    pub(crate) superusers: bool,
    pub(crate) logout_authenticated: bool,
    pub(crate) logout_staff: bool,
    pub(crate) logout_superusers: bool,
}

impl VisitorRules {
    /// Whether any rule needs to know who is asking.
    pub(crate) fn need_visitor(&self) -> bool {
        self.anonymous
            || self.authenticated
            || self.staff
            || self.superusers
            || self.logout_authenticated
            || self.logout_staff
            || self.logout_superusers
    }

    pub(crate) fn logs_out(&self, visitor: &Visitor) -> bool {
        if visitor.superuser {
            self.logout_superusers
        } else if visitor.staff {
            self.logout_staff
        } else {
            visitor.authenticated && self.logout_authenticated
        }
    }

    pub(crate) fn exemption(&self, visitor: &Visitor) -> Option<Rule> {
        if visitor.superuser && self.superusers {
            Some(Rule::Superuser)
        } else if visitor.staff && self.staff {
            Some(Rule::Staff)
        } else if visitor.authenticated && self.authenticated {
            Some(Rule::Authenticated)
        } else if !visitor.authenticated && self.anonymous {
            Some(Rule::Anonymous)
        } else {
            None
        }
    }
}
