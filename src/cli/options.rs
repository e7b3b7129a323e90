//! The options that every command has, and the handle that they lead to.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use clap::{ArgAction, Args};
use tracing_subscriber::EnvFilter;

use super::{context::Context, failure::Failure, output::Output};
use crate::{
    builder::Builder,
    settings::{Settings, StoreUrl},
};

/// Shown once, in the help of the program: in that of each command they would take the room.
pub(super) const OPTIONS_HELP: &str = "\
Options of every command:
  --settings FILE  Instead of maintenance.toml or what MAINTENANCE_SETTINGS names
  --store URL      Where the state is kept, instead of what the settings say
  --mode KEY       Which mode; the first one unless it is given
  --json           Print one JSON document
  -v, -vv, -vvv    Show the log on stderr: info, debug, trace
  -h, --help       Print help, also that of a command; -V prints the version";

#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    /// Instead of maintenance.toml or what MAINTENANCE_SETTINGS names
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    settings: Option<PathBuf>,
    /// Where the state is kept, instead of what the settings say
    #[arg(long, value_name = "URL", global = true, hide = true)]
    store: Option<String>,
    /// Which mode; the first one unless it is given
    #[arg(long, value_name = "KEY", global = true, hide = true)]
    mode: Option<String>,
    /// Print one JSON document
    #[arg(long, global = true, hide = true)]
    pub(super) json: bool,
    /// Show the log on stderr: info, debug, trace
    #[arg(short, long, action = ArgAction::Count, global = true, hide = true)]
    verbose: u8,
}

impl Options {
    /// Sets maintenance up as the app does.
    pub(super) async fn connect<'a>(
        &self,
        mut builder: Builder,
        output: &'a Output,
    ) -> Result<Context<'a>, Failure> {
        self.log();
        if let Some(store) = &self.store {
            StoreUrl::parse(store)
                .map_err(|message| Failure::usage(format!("--store {store}: {message}")))?;
        }
        if let Some(path) = &self.settings {
            builder = builder.settings(Settings::from_file(path)?);
        }
        let store = self.store.clone();
        // Only the builder knows what the settings are in the end.
        let settings = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&settings);
        builder = builder.configure(move |settings| {
            if let Some(store) = store {
                settings.store = store;
            }
            *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings.clone());
            without_pages(settings);
        });
        let maintenance = builder.build().await?;
        let settings = settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .unwrap_or_default();
        let context = Context::new(maintenance, settings, self.mode.clone(), output);
        context.known_mode()?;
        Ok(context)
    }

    /// Shows the log, if it is asked for. An app that has set up its own keeps it.
    fn log(&self) {
        let level = match self.verbose {
            0 => return,
            1 => "info",
            2 => "debug",
            _ => "trace",
        };
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(std::io::stderr)
            .with_ansi(super::output::is_coloured(&std::io::stderr()))
            .try_init();
    }
}

/// A command shows no page to visitors. The site must be brought back also from a folder in which
/// the templates are not.
fn without_pages(settings: &mut Settings) {
    let plain = crate::settings::ResponseSettings::default();
    settings.response.templates_dir = plain.templates_dir;
    settings.response.template = plain.template;
}
