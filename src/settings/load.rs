//! From a file and the environment to settings, with every fault on the way.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    Forced, Settings, SettingsError, WhenCutOff, WhenStoreFails, WhenUnknownAtStart, admin, audit,
    check, client, drain, exempt,
    fault::{Fault, Origin},
    forced_on, language, live, logout, mode, node, notice, park, public,
    reader::{Reader, Section},
    response, session,
    source::{Entries, SETTINGS_VARIABLE, Source, overlay},
    web_server,
};
use crate::settings::conversions::{duration, one_of, text};

/// What is read if no file is named and there is such a file.
const DEFAULT_FILE: &str = "maintenance.toml";

impl Settings {
    /// Reads the file that `MAINTENANCE_SETTINGS` names, or `maintenance.toml` in the working
    /// directory if there is one, and lays the environment over it.
    ///
    /// # Errors
    ///
    /// When the named file cannot be read, and when anything in the file or in the environment is
    /// wrong. The error tells every fault.
    pub fn load() -> Result<Self, SettingsError> {
        whole(Self::load_with_faults())
    }

    /// As [`load`](Self::load), but where something is wrong also what could be read: for those who
    /// look for further faults, so that all are told at once.
    pub(crate) fn load_with_faults() -> (Self, Result<(), SettingsError>) {
        match env::var_os(SETTINGS_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => from_path(Path::new(&path), env::vars_os()),
            // Only a file that is not there is no file: one that cannot be looked at is a fault,
            // and so is a link to nowhere.
            None => match fs::symlink_metadata(DEFAULT_FILE) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    tracing::debug!("no {DEFAULT_FILE} in the working directory: default settings");
                    read_after(Vec::new(), None, env::vars_os())
                }
                _ => from_path(Path::new(DEFAULT_FILE), env::vars_os()),
            },
        }
    }

    /// The file that [`load`](Self::load) reads; `None`: there is none.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) fn file_to_load() -> Option<PathBuf> {
        let named = env::var_os(SETTINGS_VARIABLE).filter(|path| !path.is_empty());
        let found = || fs::symlink_metadata(DEFAULT_FILE).is_ok();
        let path = named.map(PathBuf::from);
        path.or_else(|| found().then(|| PathBuf::from(DEFAULT_FILE)))
    }

    /// Reads this file, and lays the environment over it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and when anything in it or in the environment is wrong. The
    /// error tells every fault.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        whole(from_path(path.as_ref(), env::vars_os()))
    }

    /// Reads settings from TOML text alone, without the environment.
    ///
    /// # Errors
    ///
    /// When anything in the text is wrong. The error tells every fault.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        read(Some(Source { text, path: None }), [])
    }

    /// Tells whether the settings make sense, for those whose fields were changed in code. What
    /// was loaded has passed this already.
    ///
    /// # Errors
    ///
    /// When a value is not right. The error tells every fault.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.exempt.anonymous && self.exempt.authenticated {
            tracing::warn!(
                "`exempt.anonymous` and `exempt.authenticated` are both true: maintenance refuses \
                 nobody"
            );
        }
        SettingsError::unless_empty(check::check(self))
    }
}

fn from_path(
    path: &Path,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Settings, Result<(), SettingsError>) {
    // Absolute, so that the log says which of several such files it was.
    let shown = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    let unreadable = match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => {
            tracing::info!(file = %shown.display(), "read the maintenance settings");
            let source = Source {
                text: &text,
                path: Some(path),
            };
            return read_after(Vec::new(), Some(source), variables);
        }
        Ok(Err(_)) => "the file is not valid UTF-8; save it as such".to_owned(),
        Err(error) => format!("cannot read the settings file {}: {error}", shown.display()),
    };
    let origin = Origin::File {
        path: PathBuf::from(path),
        line: None,
    };
    read_after(vec![Fault::new("", unreadable, origin)], None, variables)
}

/// Reads settings from a text and from the environment over it; touches neither itself.
pub(super) fn read(
    source: Option<Source<'_>>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Settings, SettingsError> {
    whole(read_after(Vec::new(), source, variables))
}

/// The settings, if nothing is wrong with them.
fn whole(
    (settings, found): (Settings, Result<(), SettingsError>),
) -> Result<Settings, SettingsError> {
    found.map(|()| settings)
}

/// As [`read`], but tells these faults too.
fn read_after(
    mut faults: Vec<Fault>,
    source: Option<Source<'_>>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Settings, Result<(), SettingsError>) {
    let mut entries = source.map_or_else(Entries::new, |source| source.entries(&mut faults));
    overlay(&mut entries, variables, &mut faults);
    let mut reader = Reader::default();
    let settings = reader.read(entries, schema);
    let (type_faults, origins) = reader.finish();
    faults.extend(type_faults);
    faults.extend(
        check::check(&settings)
            .into_iter()
            .map(|fault| origins.locate(fault)),
    );
    let found = SettingsError::unless_empty(faults);
    (settings, found)
}

fn schema(root: &mut Section<'_>) -> Settings {
    let default = Settings::default();
    Settings {
        store: root.value("store", text, default.store),
        store_timeout: root.value("store_timeout", duration, default.store_timeout),
        forced: root.optional("forced", one_of::<Forced>, default.forced),
        when_store_fails: root.value(
            "when_store_fails",
            one_of::<WhenStoreFails>,
            default.when_store_fails,
        ),
        when_cut_off: root.value("when_cut_off", one_of::<WhenCutOff>, default.when_cut_off),
        when_unknown_at_start: root.value(
            "when_unknown_at_start",
            one_of::<WhenUnknownAtStart>,
            default.when_unknown_at_start,
        ),
        admin_path: root.value("admin_path", text, default.admin_path),
        public_path: root.optional("public_path", text, default.public_path),
        login_url: root.optional("login_url", text, default.login_url),
        default_mode: root.optional("default_mode", text, default.default_mode),
        time_zone: root.optional("time_zone", text, default.time_zone),
        admin: root.section("admin", admin::read),
        live: root.section("live", live::read),
        exempt: root.section("exempt", exempt::read),
        forced_on: root.section("forced_on", forced_on::read),
        response: root.section("response", response::read),
        language: root.section("language", language::read),
        logout: root.section("logout", logout::read),
        session: root.section("session", session::read),
        client: root.section("client", client::read),
        drain: root.section("drain", drain::read),
        park: root.section("park", park::read),
        web_server: root.section("web_server", web_server::read),
        node: root.section("node", node::read),
        public: root.section("public", public::read),
        audit: root.section("audit", audit::read),
        notices: root.sections("notice", notice::read),
        modes: root.sections("mode", mode::schema),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
