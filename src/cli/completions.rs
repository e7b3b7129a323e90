//! `maintenance completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::{Program, failure::Failure, output::Output};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
They belong into these files:
bash: /etc/bash_completion.d/maintenance
zsh:  ~/.zfunc/_maintenance
fish: ~/.config/fish/completions/maintenance.fish

Examples:
  maintenance completions zsh > ~/.zfunc/_maintenance")]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, output: &Output) -> Result<u8, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut Program::command(),
            "maintenance",
            &mut text,
        );
        let text = String::from_utf8_lossy(&text);
        let document = json!({"shell": self.shell.to_string(), "completions": text});
        output.hand_out(&document, &text);
        Ok(0)
    }
}
