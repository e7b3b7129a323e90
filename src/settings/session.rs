//! `[session]`: where the session says who is asking.

use super::{Settings, reader::Section, values::Faults};
use crate::settings::conversions::text;

/// `[session]`: the keys under which the Actix session says who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSettings {
    /// Present and not null: the visitor is logged in. Default `user_id`.
    pub user_key: String,
    /// True: the visitor is staff. Default `is_staff`.
    pub staff_key: String,
    /// True: the visitor is a superuser. Default `is_superuser`.
    pub superuser_key: String,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            user_key: "user_id".to_owned(),
            staff_key: "is_staff".to_owned(),
            superuser_key: "is_superuser".to_owned(),
        }
    }
}

pub(super) fn read(section: &mut Section<'_>) -> SessionSettings {
    let default = SessionSettings::default();
    SessionSettings {
        user_key: section.value("user_key", text, default.user_key),
        staff_key: section.value("staff_key", text, default.staff_key),
        superuser_key: section.value("superuser_key", text, default.superuser_key),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let session = &settings.session;
    faults.one("session.user_key", &session.user_key, session_key_fault);
    faults.one("session.staff_key", &session.staff_key, session_key_fault);
    faults.one(
        "session.superuser_key",
        &session.superuser_key,
        session_key_fault,
    );
}

fn session_key_fault(key: &str) -> Option<String> {
    let empty = key.is_empty();
    empty.then(|| "give the name of a session key".to_owned())
}
