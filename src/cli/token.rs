//! `maintenance token`.

use clap::Args;
use serde_json::json;

use super::{failure::Failure, output::Output};
use crate::settings::{TokenSettings, token_name_fault};

/// Make a token for a program that uses the API
#[derive(Debug, Args)]
#[command(
    override_usage = "maintenance token <NAME>",
    after_help = "\
The token is shown once and kept nowhere. The line goes into
the settings, with more or less of what it may do.

Example: maintenance token deploy"
)]
pub(super) struct TokenCommand {
    /// What it is called in the settings and the log
    name: String,
}

impl TokenCommand {
    pub(super) fn run(self, output: &Output) -> Result<u8, Failure> {
        let name = self.name;
        if let Some(fault) = token_name_fault(&name) {
            return Err(Failure::usage(format!("the name of the token: {fault}")));
        }
        let (settings, secret) = TokenSettings::generate(&name).map_err(|error| {
            Failure::failed(format!("the system has no random numbers: {error}"))
        })?;
        let hash = settings.hash;
        // A text of JSON without control characters is one of TOML.
        let quoted = json!(name).to_string();
        let line = format!(
            "tokens = [{{ name = {quoted}, hash = \"{hash}\", toggle = true, see = true }}]"
        );
        let document = json!({"name": name, "token": secret, "hash": hash, "settings": line});
        output.say(&document, || {
            format!("token:    {secret}\nhash:     {hash}\nsettings: in [admin]: {line}")
        });
        Ok(0)
    }
}
