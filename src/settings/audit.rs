//! `[audit]`: where it is written down who did what.

use std::path::PathBuf;

use super::{
    Settings,
    reader::Section,
    values::{Faults, written_file_fault},
};
use crate::settings::conversions::text;

/// `[audit]`: where it is written down who did what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuditSettings {
    /// A file to which a line of JSON is added for each change, each refused try and each use of a
    /// token. It is opened anew when it was renamed, so that it can be rotated. Default `None`: the
    /// log tells, and no file.
    pub file: Option<PathBuf>,
}

pub(super) fn read(section: &mut Section<'_>) -> AuditSettings {
    AuditSettings {
        file: section.optional("file", text, None).map(PathBuf::from),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    if let Some(file) = &settings.audit.file {
        let example = "/var/lib/app/maintenance.audit.jsonl";
        let fault = written_file_fault(file, example);
        faults.note("audit.file", &file.to_string_lossy(), fault);
    }
}
