//! Whose scripts may read the page, as the rules of every web server say it.

use super::ExportError;
use crate::settings::CorsSetting;

/// Whose scripts may read the page.
pub(super) enum Readers {
    Nobody,
    Any,
    Named(Vec<String>),
}

impl Readers {
    /// # Errors
    ///
    /// When an origin has characters that no origin has: web servers give some of them a meaning.
    pub(super) fn new(setting: &CorsSetting) -> Result<Self, ExportError> {
        let named = match setting {
            CorsSetting::Any => return Ok(Self::Any),
            CorsSetting::Named(named) if named.is_empty() => return Ok(Self::Nobody),
            CorsSetting::Named(named) => named,
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "+-._~:/[]".contains(c);
        match named.iter().find(|origin| !origin.chars().all(is_plain)) {
            Some(unfit) => Err(ExportError::Unfit(unfit.clone())),
            None => Ok(Self::Named(named.clone())),
        }
    }

    /// `None`: nobody's from elsewhere, so the rules say nothing of it. An empty list: everybody's.
    pub(super) fn origins(&self) -> Option<&[String]> {
        match self {
            Self::Nobody => None,
            Self::Any => Some(&[]),
            Self::Named(named) => Some(named),
        }
    }
}
