//! The names of rules.

use std::fmt;

/// The rule that decided about a request.
///
/// Its [name](Self::name) is what logs and `explain` show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The route is forced off: it is never refused.
    ForcedOffRoute,
    /// The route is forced on by its name or its pattern.
    ForcedOnRoute,
    /// The path matches a pattern that is forced on.
    ForcedOnPattern,
    /// The resource or scope is wrapped to be always refused.
    ForcedOnWrapper,
    /// No mode that applies to the request is pending or offline.
    Online,
    /// The path belongs to the admin scope.
    AdminScope,
    /// The path is `/robots.txt`.
    RobotsTxt,
    /// The request is for the very page that refused visitors are sent to.
    RedirectTarget,
    /// The exact path is exempt.
    ExemptPath,
    /// A prefix of the path is exempt.
    ExemptPrefix,
    /// The path belongs to the app's own admin.
    ExemptAdminSite,
    /// The path matches an exempt pattern.
    ExemptPattern,
    /// The route is exempt from this mode by its name or its pattern.
    ExemptRoute,
    /// The client's address is exempt.
    ExemptAddress,
    /// The client's address matches an exempt pattern.
    ExemptAddressPattern,
    /// The app runs under test.
    ExemptTests,
    /// A predicate of the app lets the request through; this is its name.
    Predicate(&'static str),
    /// The request carries an API key.
    ApiKey,
    /// A grant lets whoever has it look in.
    Grant,
    /// Anonymous visitors are exempt.
    Anonymous,
    /// Authenticated visitors are exempt.
    Authenticated,
    /// Staff is exempt.
    Staff,
    /// Superusers are exempt.
    Superuser,
    /// The mode leaves the site readable, and the request only reads.
    ReadOnly,
    /// The mode is closing, and the visitor is already in.
    AlreadyIn,
    /// The mode is opening, and the visitor's turn has come.
    TurnHasCome,
    /// No exemption matched.
    NoExemption,
}

impl Rule {
    /// The rule's name: lower case, words joined by hyphens. A predicate's is the one it was given.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForcedOffRoute => "forced-off-route",
            Self::ForcedOnRoute => "forced-on-route",
            Self::ForcedOnPattern => "forced-on-pattern",
            Self::ForcedOnWrapper => "forced-on-wrapper",
            Self::Online => "online",
            Self::AdminScope => "admin-scope",
            Self::RobotsTxt => "robots-txt",
            Self::RedirectTarget => "redirect-target",
            Self::ExemptPath => "exempt-path",
            Self::ExemptPrefix => "exempt-prefix",
            Self::ExemptAdminSite => "exempt-admin-site",
            Self::ExemptPattern => "exempt-pattern",
            Self::ExemptRoute => "exempt-route",
            Self::ExemptAddress => "exempt-address",
            Self::ExemptAddressPattern => "exempt-address-pattern",
            Self::ExemptTests => "exempt-tests",
            Self::Predicate(name) => name,
            Self::ApiKey => "api-key",
            Self::Grant => "grant",
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Superuser => "superuser",
            Self::ReadOnly => "read-only",
            Self::AlreadyIn => "already-in",
            Self::TurnHasCome => "turn-has-come",
            Self::NoExemption => "no-exemption",
        }
    }
}

impl Rule {
    /// Whether it refuses whatever the state is.
    pub(crate) fn is_forced_on(self) -> bool {
        matches!(
            self,
            Self::ForcedOnRoute | Self::ForcedOnPattern | Self::ForcedOnWrapper
        )
    }

    /// Whether it lets in a visitor who is inside from then on, and whom a drain waits for.
    pub(crate) fn is_inside(self) -> bool {
        matches!(self, Self::AlreadyIn | Self::TurnHasCome)
    }

    /// Whether it lets a request through by who sends it or from where, and would refuse the same of
    /// somebody else. What a predicate of the app goes by, nobody knows.
    pub(crate) fn is_personal(self) -> bool {
        match self {
            Self::ExemptAddress
            | Self::ExemptAddressPattern
            | Self::Predicate(_)
            | Self::ApiKey
            | Self::Grant
            | Self::Anonymous
            | Self::Authenticated
            | Self::Staff
            | Self::Superuser
            | Self::AlreadyIn
            | Self::TurnHasCome => true,
            Self::ForcedOffRoute
            | Self::ForcedOnRoute
            | Self::ForcedOnPattern
            | Self::ForcedOnWrapper
            | Self::Online
            | Self::AdminScope
            | Self::RobotsTxt
            | Self::RedirectTarget
            | Self::ExemptPath
            | Self::ExemptPrefix
            | Self::ExemptAdminSite
            | Self::ExemptPattern
            | Self::ExemptRoute
            | Self::ExemptTests
            | Self::ReadOnly
            | Self::NoExemption => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
