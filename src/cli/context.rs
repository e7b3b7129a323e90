//! What every command works with.

use jiff::{Timestamp, tz::TimeZone};

use super::{failure::Failure, output::Output};
use crate::{
    core::{
        schedule::read_time,
        status::whole::Status,
        text::{chain, escaped},
    },
    settings::Settings,
    web::maintenance::Maintenance,
};

pub(super) struct Context<'a> {
    pub(super) maintenance: Maintenance,
    pub(super) settings: Settings,
    pub(super) output: &'a Output,
    /// The mode that was named.
    pub(super) named_mode: Option<String>,
    /// Who gives the command.
    pub(super) by: String,
    /// The zone in which times are shown: that in which they are read, where the settings name one.
    pub(super) zone: TimeZone,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        maintenance: Maintenance,
        settings: Settings,
        named_mode: Option<String>,
        output: &'a Output,
    ) -> Self {
        let zone = maintenance.engine.shared.time_zone.clone();
        Self {
            zone: zone.unwrap_or_else(TimeZone::system),
            maintenance,
            settings,
            output,
            named_mode,
            by: by(),
        }
    }

    /// The key of the mode that the command is about.
    pub(super) fn mode(&self) -> String {
        self.named_mode
            .clone()
            .unwrap_or_else(|| self.maintenance.engine.default_mode())
    }

    /// Refuses a mode that there is not, before anything else is done.
    pub(super) fn known_mode(&self) -> Result<(), Failure> {
        self.maintenance.engine.find_mode(&self.mode())?;
        Ok(())
    }

    /// The status with the nodes and tasks of now. If they cannot be told, the store fails.
    pub(super) async fn fresh_status(&self) -> Status {
        match self.maintenance.ask_status().await {
            Ok(status) => status,
            Err(error) => {
                let mut status = self.maintenance.status();
                status.store.error.get_or_insert_with(|| chain(&error));
                status
            }
        }
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
        let status = self.maintenance.status();
        match &status.store.error {
            Some(error) => Err(Failure::store(error.clone())),
            None => Ok(status),
        }
    }

    /// Refuses to change a state that nobody else would ever see.
    pub(super) fn can_be_seen_by_the_app(&self) -> Result<(), Failure> {
        if self.maintenance.status().store.url == "memory:" {
            return Err(Failure::store(
                "the store memory: lives inside of the app, out of reach for this program; \
                 give the app and this program a store that they can share, such as \
                 file:/var/lib/app/maintenance.state",
            ));
        }
        Ok(())
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
        let zone = self.maintenance.engine.shared.time_zone.as_ref();
        let now = self.now();
        let planned = read_time(text, zone, now, now)
            .map_err(|error| Failure::usage(format!("{option}: {error}")))?;
        if let Some(note) = &planned.note {
            self.output.warn(note);
        }
        Ok(planned.instant)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.maintenance.engine.shared.clock.now()
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
