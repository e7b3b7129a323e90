//! The options that every command has, and the handle that they lead to.

use std::{io, path::PathBuf, sync::Arc};

use clap::{
    ArgAction, Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use parking_lot::Mutex;
use tracing_subscriber::EnvFilter;

use super::{
    context::Context,
    failure::Failure,
    output::Output,
    site::{ApiOptions, ApiSite, Site, StoreSite, needs_the_store},
};
use crate::{
    core::{
        text::{escaped, without_password},
        words::Words,
    },
    settings::{Settings, StoreUrl, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE},
    web::setup::builder::Builder,
};

/// Shown once, in the help of the program: in that of each command they would take the room.
pub(super) const OPTIONS_HELP: &str = "\
Options of every command:
  --settings FILE  Instead of maintenance.toml or what
                   MAINTENANCE_SETTINGS names
  --store URL      Where the state is kept
  --url URL        A running site, by its API; see also
                   --token-file FILE, --ca-file FILE
  --mode KEY       Which mode, instead of the default one
  --json           Print one JSON document
  -v, -vv, -vvv    Show the log: info, debug, trace
  -h, --help       Print help; -V prints the version";

#[derive(Debug, Clone, Args)]
pub(super) struct Options {
    /// Instead of maintenance.toml or MAINTENANCE_SETTINGS
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    settings: Option<PathBuf>,
    /// Where the state is kept, instead of what the settings say
    #[arg(long, value_name = "URL", global = true, hide = true)]
    store: Option<String>,
    /// The admin scope of a running site, instead of its store
    #[arg(
        long,
        value_name = "URL",
        global = true,
        hide = true,
        conflicts_with_all = ["settings", "store"]
    )]
    url: Option<String>,
    /// The file that holds the token for --url, instead of MAINTENANCE_TOKEN
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    token_file: Option<PathBuf>,
    /// The authorities of the certificate of --url, in PEM, instead of the system's
    #[arg(long, value_name = "FILE", global = true, hide = true)]
    ca_file: Option<PathBuf>,
    /// Which mode; the default one unless it is given
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
        if let Some(options) = self.by_api()? {
            let (site, note) = ApiSite::connect(options).await?;
            if let Some(note) = note {
                output.warn(&note);
            }
            return self.context(Site::Api(Arc::new(site)), output);
        }
        if let Some(store) = &self.store {
            StoreUrl::parse(store).map_err(|message| {
                Failure::usage(format!("--store {}: {message}", without_password(store)))
            })?;
        }
        if let Some(path) = &self.settings {
            builder = builder.settings(Settings::from_file(path)?);
        }
        let store = self.store.clone();
        // Only the builder knows what the settings are in the end.
        let effective = Arc::new(Mutex::new(Settings::default()));
        let keep = Arc::clone(&effective);
        builder = builder.configure(move |settings| {
            if let Some(store) = store {
                settings.store = store;
            }
            *keep.lock() = settings.clone();
        });
        let maintenance = builder.of_a_tool().build().await?;
        let settings = effective.lock().clone();
        let site = Site::Store(Box::new(StoreSite {
            maintenance,
            settings,
        }));
        self.context(site, output)
    }

    fn context<'a>(&self, site: Site, output: &'a Output) -> Result<Context<'a>, Failure> {
        let context = Context::new(site, self.mode.clone(), output);
        context.known_mode()?;
        Ok(context)
    }

    /// Where the settings come from, in words; `None`: they are the site's, which is reached by its
    /// API. `has_settings`: an app brings its own.
    pub(super) fn settings_file(&self, has_settings: bool) -> Result<Option<String>, Failure> {
        if self.by_api()?.is_some() {
            return Ok(None);
        }
        let path = match (&self.settings, has_settings) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => return Ok(Some("the app's own".to_owned())),
            (None, false) => Settings::file_to_load(),
        };
        Ok(Some(match path {
            Some(path) => {
                let path = std::path::absolute(&path).unwrap_or(path);
                format!("read from {}", path.display())
            }
            None => "no file; what is not set is as by default".to_owned(),
        }))
    }

    /// Refuses what only the settings and the store of the site have, before it is called.
    pub(super) fn are_of_the_store(&self) -> Result<(), Failure> {
        match self.by_api()? {
            Some(_) => Err(needs_the_store()),
            None => Ok(()),
        }
    }

    /// How the site is reached, if by its API.
    fn by_api(&self) -> Result<Option<ApiOptions>, Failure> {
        let is_by_store = self.store.is_some() || self.settings.is_some();
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let of_environment = || variable(URL_VARIABLE).filter(|_| !is_by_store);
        let Some(url) = self.url.clone().or_else(of_environment) else {
            let given = [
                ("--token-file", &self.token_file),
                ("--ca-file", &self.ca_file),
            ];
            let given = given.iter().find(|(_, file)| file.is_some());
            return match given {
                Some((option, _)) => Err(Failure::usage(format!(
                    "{option} is for a site that is reached by --url; give that, too"
                ))),
                None => Ok(None),
            };
        };
        let token = variable(TOKEN_VARIABLE);
        let of_environment = || {
            let path = variable(TOKEN_FILE_VARIABLE).map(PathBuf::from);
            path.filter(|_| token.is_none())
        };
        Ok(Some(ApiOptions {
            url,
            token_file: self.token_file.clone().or_else(of_environment),
            token,
            ca_file: self.ca_file.clone(),
        }))
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
            .with_writer(|| Unheard)
            .log_internal_errors(false)
            // What is written is escaped.
            .with_ansi(false)
            .try_init();
    }
}

/// The standard error output, where somebody may listen or not. A terminal that is gone must not stop
/// what is under way.
struct Unheard;

impl io::Write for Unheard {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let shown = escaped(&String::from_utf8_lossy(text));
        let _ = io::stderr().write_all(shown.as_bytes());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads one of the words of an enum.
pub(super) fn word<T: Words + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let words = T::ALL.iter().map(|it| it.word());
    PossibleValuesParser::new(words)
        .try_map(|word| T::of_word(&word).ok_or("this is none of the words"))
}
