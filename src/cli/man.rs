//! `maintenance man`.

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory as _};
use serde_json::json;

use super::{Program, failure::Failure, output::Output};

/// Write the manual pages into a folder
#[derive(Debug, Args)]
#[command(after_help = "\
One page for the program, and one for each command. The
folder is made if it is not there.

Examples:
  maintenance man ~/.local/share/man/man1
  man maintenance-window-add")]
pub(super) struct Man {
    /// The folder
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self, output: &Output) -> Result<u8, Failure> {
        let folder = self.folder.display();
        let cannot = |error: std::io::Error| {
            Failure::failed(format!(
                "cannot write the manual pages into {folder}: {error}; name a folder that you may write in"
            ))
        };
        fs::create_dir_all(&self.folder).map_err(cannot)?;
        let program = Program::command().disable_help_subcommand(true);
        clap_mangen::generate_to(program, &self.folder).map_err(cannot)?;
        output.say(&json!({"folder": self.folder}), || {
            format!("the manual pages are in {folder}")
        });
        Ok(0)
    }
}
