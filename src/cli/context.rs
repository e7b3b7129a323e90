//! What every command works with.

use jiff::{Timestamp, tz::TimeZone};

use super::{failure::Failure, output::Output, site::Site};
use crate::core::{schedule::read_time, status::whole::Status, text::escaped};

pub(super) struct Context<'a> {
    pub(super) site: Site,
    pub(super) output: &'a Output,
    /// The mode that was named.
    pub(super) named_mode: Option<String>,
    /// Who gives the command.
    pub(super) by: String,
    /// The zone in which times are shown: that in which they are read, where the settings name one.
    pub(super) zone: TimeZone,
}

impl<'a> Context<'a> {
    pub(super) fn new(site: Site, named_mode: Option<String>, output: &'a Output) -> Self {
        Self {
            zone: site.time_zone().unwrap_or_else(TimeZone::system),
            site,
            output,
            named_mode,
            by: by(),
        }
    }

    /// The key of the mode that the command is about.
    pub(super) fn mode(&self) -> String {
        self.named_mode
            .clone()
            .unwrap_or_else(|| self.site.default_mode())
    }

    /// Refuses a mode that there is not, before anything else is done.
    pub(super) fn known_mode(&self) -> Result<(), Failure> {
        self.site.find_mode(&self.mode())
    }

    /// The status with the nodes and tasks of now. If they cannot be told, the store fails.
    pub(super) async fn fresh_status(&self) -> Status {
        match self.site.ask_status().await {
            Ok(status) => status,
            Err(error) => {
                let mut status = self.site.status();
                status.store.error.get_or_insert(error);
                status
            }
        }
    }

    /// Whether whoever holds a mode is alive, as far as anybody can tell.
    pub(super) async fn is_alive(&self, mode: &str) -> bool {
        let status = self.fresh_status().await;
        let held = status.mode(mode).and_then(|mode| mode.held.as_ref());
        held.is_none_or(|held| !held.is_lost())
    }

    /// The status, of the mode that was named if one was.
    pub(super) async fn shown_status(&self) -> Status {
        let mut status = self.fresh_status().await;
        if let Some(named) = &self.named_mode {
            status.modes.retain(|mode| mode.key == *named);
        }
        status
    }

    /// The status; a failure when the store is out of reach, because then nothing is known.
    pub(super) fn status(&self) -> Result<Status, Failure> {
        let status = self.site.status();
        match &status.store.error {
            Some(error) => Err(Failure::store(error.clone())),
            None => Ok(status),
        }
    }

    /// Refuses to change a state that nobody else would ever see.
    pub(super) fn can_be_seen_by_the_app(&self) -> Result<(), Failure> {
        self.site.can_be_seen_by_the_app()
    }

    /// Tells when a web server in front of the app may not know of a change.
    pub(super) fn warn_of_files(&self, status: &Status) {
        let files = status.web_server.as_ref();
        if let Some(error) = files.and_then(|files| files.error.as_ref()) {
            self.output.warn(error);
        }
    }

    /// Reads a time that was given as an option, and tells what may not have been meant so.
    pub(super) fn time(&self, option: &str, text: &str) -> Result<Timestamp, Failure> {
        let zone = self.site.time_zone();
        let now = self.now();
        let planned = read_time(text, zone.as_ref(), now, now)
            .map_err(|error| Failure::usage(format!("{option}: {error}")))?;
        if let Some(note) = &planned.note {
            self.output.warn(note);
        }
        Ok(planned.instant)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.site.now()
    }
}

/// Who gives the command: the user, also behind `sudo`, and the machine.
fn by() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    let user = named.or_else(|| {
        let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
        Some(user.name)
    });
    let host = crate::engine::node::host::name();
    // Anybody may have set the environment.
    escaped(&format!("{}@{host}", user.as_deref().unwrap_or("somebody")))
}
