//! `[logout]`: whose session ends during maintenance.

use super::reader::Section;
use crate::settings::conversions::boolean;

/// `[logout]`: whose session ends when they meet the maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogoutSettings {
    /// Visitors who are logged in. Default `false`.
    pub authenticated: bool,
    /// Visitors who are staff. Default `None`: as `authenticated`.
    pub staff: Option<bool>,
    /// Superusers. Default `None`: as `authenticated`.
    pub superusers: Option<bool>,
}

pub(super) fn read(section: &mut Section<'_>) -> LogoutSettings {
    let default = LogoutSettings::default();
    LogoutSettings {
        authenticated: section.value("authenticated", boolean, default.authenticated),
        staff: section.optional("staff", boolean, default.staff),
        superusers: section.optional("superusers", boolean, default.superusers),
    }
}
