//! The texts that come with a change.

use clap::Args;

/// What is said when a mode is switched on.
#[derive(Debug, Args)]
pub(super) struct Texts {
    /// What visitors are told
    #[arg(long, value_name = "TEXT")]
    pub(super) message: Option<String>,
    /// Why, for operators; visitors never see it
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
}

/// Applies what was given.
pub(super) fn given<B, T: Clone>(builder: B, value: &Option<T>, set: impl FnOnce(B, T) -> B) -> B {
    match value {
        Some(value) => set(builder, value.clone()),
        None => builder,
    }
}
