//! What the doctor looks at, one thing after the other.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rustix::fs::{Access, access};

use super::finding::Finding;
use crate::{
    cli::{
        context::Context,
        site::StoreSite,
        wording::{self, count, line},
    },
    core::{phase::Phase, skew, state::DEFAULT_MODE, status::whole::Status, text::chain},
    settings::{Settings, StoreUrl},
};

/// An answer that takes longer is worth a look: every change waits for several.
const SLOW: Duration = Duration::from_secs(2);
/// A token that expires sooner is to be replaced.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) const REMEDY_OF_STORE: &str = "see that the store runs, that its URL is right (`store`, MAINTENANCE_STORE) and that \
     you may read it";

/// Whether the app's templates can be rendered.
pub(super) fn of_pages(site: &StoreSite) -> Option<Finding> {
    let fault = site.maintenance.front.page_fault.as_ref()?;
    let remedy = "mend the template; until then an app does not start with it";
    Some(Finding::wrong("pages", fault.clone(), Some(remedy)))
}

/// Whether the store can be read and written, and how long that takes.
pub(super) async fn of_store(
    context: &Context<'_>,
    near: Option<&StoreSite>,
    status: &Status,
) -> Vec<Finding> {
    if let Err(unseen) = context.site.can_be_seen_by_the_app() {
        return vec![Finding::wrong("store", unseen.message, None)];
    }
    if let Some(error) = &status.store.error {
        return vec![
            Finding::wrong("store", error.clone(), Some(REMEDY_OF_STORE)),
            Finding::unknown("writing", "what cannot be read was not written to"),
        ];
    }
    let url = line(&status.store.url);
    let Some(site) = near else {
        return vec![
            Finding::right("store", format!("{url} is read by the site")),
            Finding::unknown("writing", "only the site can try that"),
        ];
    };
    let leases = &site.maintenance.engine.leases;
    let (is_stored, read) = match leases.try_reading().await {
        Ok(read) => read,
        Err(error) => {
            return vec![Finding::wrong(
                "store",
                chain(&error),
                Some(REMEDY_OF_STORE),
            )];
        }
    };
    let holds = if is_stored {
        ""
    } else {
        "; nothing is stored yet"
    };
    let file = match StoreUrl::parse(&status.store.url) {
        Ok(StoreUrl::File(path)) => Some(path),
        _ => None,
    };
    let mut findings = vec![timed("store", &format!("{url} is read"), read, holds)];
    let refused = file.as_deref().and_then(not_writable);
    findings.push(match refused {
        Some((folder, error)) => {
            let says = format!(
                "{} cannot write in {}: {error}",
                line(&context.by),
                folder.display()
            );
            let remedy = "run it as the app's user, or let your group write in the folder";
            Finding::wrong("writing", says, Some(remedy))
        }
        // A lease would leave its folder behind where nothing else is.
        None if file.is_some() && !is_stored => {
            Finding::right("writing", "the folder of the state can be written")
        }
        None => match leases.try_writing().await {
            Ok(written) => timed("writing", "a trial is written and gone", written, ""),
            Err(error) => {
                let remedy = "see that you may write there, and that there is room";
                Finding::wrong("writing", chain(&error), Some(remedy))
            }
        },
    });
    findings
}

/// What took so long, which may be too long.
fn timed(check: &'static str, what: &str, took: Duration, more: &str) -> Finding {
    let says = format!("{what} in {} ms{more}", took.as_millis());
    if took > SLOW {
        let remedy = "look at the way to the store and at what else it does: changes wait for it";
        Finding::wrong(check, format!("{says}, which is slow"), Some(remedy))
    } else {
        Finding::right(check, says)
    }
}

/// The folder of a file in which this process may not replace it, and why.
fn not_writable(file: &Path) -> Option<(PathBuf, io::Error)> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let error = access(folder, Access::WRITE_OK | Access::EXEC_OK).err()?;
    Some((folder.to_path_buf(), error.into()))
}

/// The clock of the machine that has looked against that of the store.
pub(super) fn of_clock(status: &Status) -> Finding {
    match status.store.clock_ahead_ms.map(SignedDuration::from_millis) {
        None => Finding::unknown(
            "clock",
            "the store has none to compare with, or does not tell",
        ),
        Some(ahead) if skew::is_told(ahead) => Finding::wrong(
            "clock",
            format!("the machine's is {} the store's", skew::in_words(ahead)),
            Some("have both machines set their clocks by the network (NTP)"),
        ),
        Some(_) => Finding::right("clock", "the store's shows the same time"),
    }
}

/// What is stored of modes that there are not.
pub(super) fn of_modes(status: &Status) -> Finding {
    let unknown: Vec<String> = status
        .unknown_modes
        .iter()
        .map(|mode| line(&mode.key))
        .collect();
    match (unknown.first(), status.forced) {
        (Some(first), _) => Finding::wrong(
            "modes",
            format!("stored, but not in the settings: {}", unknown.join(", ")),
            None,
        )
        .with_remedy(format!(
            "`maintenance forget {first}` removes it, unless another app uses the store"
        )),
        (None, Some(forced)) => Finding::right(
            "modes",
            format!(
                "forced {} by the settings, whatever is stored",
                forced.as_str()
            ),
        ),
        (None, None) => Finding::right("modes", "what is stored is in the settings"),
    }
}

/// Whom changes are told.
pub(super) fn of_notices(status: &Status) -> Finding {
    const NAME: &str = "notices";
    if status.notices.is_empty() {
        return Finding::right(NAME, "nobody is told of changes");
    }
    let failing = status.notices.iter().find(|it| it.error.is_some());
    match failing {
        Some(target) => {
            let error = target.error.as_deref().unwrap_or_default();
            Finding::wrong(NAME, format!("{}: {error}", target.name), None)
        }
        None => {
            let names: Vec<&str> = status.notices.iter().map(|it| it.name.as_str()).collect();
            Finding::right(NAME, format!("told are {}", names.join(", ")))
        }
    }
}

/// The file of the audit.
pub(super) fn of_audit(status: &Status) -> Finding {
    const NAME: &str = "audit";
    match &status.audit {
        None => Finding::right(NAME, "the settings name no file for it"),
        Some(audit) => match (&audit.error, audit.lost) {
            (Some(error), _) => Finding::wrong(NAME, error.clone(), None),
            (None, 0) => Finding::right(NAME, format!("written to {}", audit.file.display())),
            (None, lost) => Finding::wrong(
                NAME,
                format!("{lost} entries were lost, because too many waited for the file"),
                Some("see that the disk under it answers"),
            ),
        },
    }
}

/// The jobs that hold modes.
pub(super) fn of_holders(status: &Status, now: Timestamp, zone: &TimeZone) -> Vec<Finding> {
    const NAME: &str = "holders";
    let held = status.modes.iter();
    let held = held.filter_map(|mode| Some((&mode.key, mode.held.as_ref()?)));
    let findings: Vec<Finding> = held
        .map(|(key, held)| {
            let by = held.by.as_deref().map(|by| format!(" ({})", line(by)));
            let job = format!("{}{}", line(&held.name), by.unwrap_or_default());
            let since = wording::time_from_now(held.since, now, zone);
            let says = format!("{} is held by {job} since {since}", line(key));
            if held.is_lost() {
                return Finding::wrong(NAME, format!("{says}, which has died"), None).with_remedy(
                    format!(
                        "see whether its work is done; then run it again, or \
                         `maintenance --mode {} off`",
                        line(key)
                    ),
                );
            }
            if let Some(overdue) = held.overdue_since {
                let overdue = wording::time_from_now(overdue, now, zone);
                let says = format!("{says}; its announced end has passed: {overdue}");
                return Finding::unknown(NAME, says).with_remedy(format!(
                    "see how far the job is, and tell visitors another end: \
                     `maintenance --mode {} on --for DURATION`",
                    line(key)
                ));
            }
            match held.alive {
                Some(_) => Finding::right(NAME, format!("{says}, which lives")),
                None => Finding::unknown(NAME, format!("{says}; nobody can tell whether it lives")),
            }
        })
        .collect();
    match findings.is_empty() {
        true => vec![Finding::right(NAME, "no job holds a mode")],
        false => findings,
    }
}

/// The files for a web server.
pub(super) fn of_files(status: &Status) -> Finding {
    const NAME: &str = "files";
    let Some(files) = &status.web_server else {
        return Finding::right(NAME, "the settings name none for a web server");
    };
    if let Some(error) = &files.error {
        return Finding::wrong(NAME, error.clone(), None);
    }
    let phase = status.mode(DEFAULT_MODE).map(|mode| mode.phase);
    let is_offline = phase == Some(Phase::Offline);
    if let Some(flag) = &files.flag
        && flag.exists() != is_offline
    {
        let (there, means) = match is_offline {
            true => ("is not there", "goes on with a site that is offline"),
            false => ("is there", "keeps a site closed that is not offline"),
        };
        let says = format!(
            "the flag {} {there}, so that the web server {means}",
            flag.display()
        );
        let remedy = "see that an app runs which may write it; `touch` or `rm` it until then";
        return Finding::wrong(NAME, says, Some(remedy));
    }
    if let Some(page) = &files.page {
        let remedy = "`maintenance render --output FILE` writes it; let the web server read it";
        match fs::metadata(page) {
            Err(error) => {
                let says = format!("the page {} cannot be read: {error}", page.display());
                return Finding::wrong(NAME, says, Some(remedy));
            }
            Ok(found) if found.permissions().mode() & 0o004 == 0 => {
                let says = format!("the page {} is not for everybody to read", page.display());
                return Finding::unknown(NAME, says).with_remedy(remedy);
            }
            Ok(_) => {}
        }
    }
    Finding::right(NAME, "those for the web server are in step")
}

/// Tokens that count no more, or not much longer.
pub(super) fn of_tokens(settings: &Settings, now: Timestamp, zone: &TimeZone) -> Vec<Finding> {
    const NAME: &str = "tokens";
    let tokens = &settings.admin.tokens;
    let ends = tokens.iter().filter_map(|token| {
        let expires = token.expires?;
        (expires.duration_since(now) < SOON).then_some((token, expires))
    });
    let findings: Vec<Finding> = ends
        .map(|(token, expires)| {
            let name = line(&token.name);
            let has = if expires <= now {
                "has expired"
            } else {
                "expires"
            };
            let when = wording::time_from_now(expires, now, zone);
            Finding::wrong(NAME, format!("{name} {has}: {when}"), None).with_remedy(format!(
                "`maintenance token {name}` makes another; put it in its place, or take it out"
            ))
        })
        .collect();
    if !findings.is_empty() {
        return findings;
    }
    let number = u64::try_from(tokens.len()).unwrap_or(u64::MAX);
    vec![Finding::right(
        NAME,
        match tokens.len() {
            0 => "the settings have none".to_owned(),
            _ => format!(
                "{}, none of which expires within {} days",
                count(number, "token", "tokens"),
                SOON.as_hours() / 24
            ),
        },
    )]
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
