//! Whether the values make sense: of the keys that stand in no section, and of every section.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{
    Settings, admin, audit, client, drain, exempt,
    fault::Fault,
    forced_on, language, live, mode, node, notice, park, public, response, session,
    values::{Faults, redirect_fault, told},
    web_server,
};
use crate::{
    core::public_path::is_plain,
    store::url::{StoreUrl, without_password},
};

/// Every fault of the values, in the order of the keys.
pub(super) fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    let Settings {
        store,
        store_timeout,
        admin_path,
        public_path,
        login_url,
        default_mode,
        time_zone,
        ..
    } = settings;

    let store_fault = StoreUrl::parse(store).err();
    faults.note("store", &without_password(store), store_fault);
    let is_too_short = *store_timeout < Duration::from_secs(2);
    faults.note(
        "store_timeout",
        &format!("{store_timeout:?}"),
        is_too_short.then(|| "give at least 2 seconds".to_owned()),
    );
    faults.one("admin_path", admin_path, admin_path_fault);
    faults.optional("public_path", public_path.as_deref(), public_path_fault);
    faults.optional("login_url", login_url.as_deref(), redirect_fault);
    let is_inside = |login: &&str| is_under(admin_path, login);
    if let Some(login) = login_url.as_deref().filter(is_inside) {
        let message = "is in the admin scope, which would send visitors there again and again; \
                       give the app's own log-in page";
        faults.note("login_url", login, Some(message.to_owned()));
    }
    if let Some(key) = default_mode
        && !settings.has_mode(key)
    {
        let message = "no mode has this key; give one of those under `[[mode]]`";
        faults.note("default_mode", key, Some(message.to_owned()));
    }
    faults.optional("time_zone", time_zone.as_deref(), time_zone_fault);

    let sections = [
        exempt::check,
        forced_on::check,
        response::check,
        language::check,
        session::check,
        client::check,
        drain::check,
        park::check,
        web_server::check,
        node::check,
        public::check,
        audit::check,
        notice::check,
        mode::check,
        admin::check,
        live::check,
    ];
    for check in sections {
        check(settings, &mut faults);
    }
    faults.0
}

fn admin_path_fault(path: &str) -> Option<String> {
    let unfit = |c: char| matches!(c, '?' | '#' | '{' | '}') || c.is_whitespace() || c.is_control();
    if !path.starts_with('/') {
        told("give a path that starts with `/`, such as \"/maintenance-mode\"")
    } else if path == "/" {
        told("would take the whole site; give a path of its own, such as \"/maintenance-mode\"")
    } else if path.contains("//") {
        told("an empty segment; write one `/` instead of `//`")
    } else if path.contains(unfit) {
        told("give a plain path, without `?`, `#`, `{`, `}` and white space")
    } else {
        None
    }
}

fn public_path_fault(path: &str) -> Option<String> {
    if is_plain(path.trim_end_matches('/')) {
        return None;
    }
    told(
        "give the plain path that the proxy strips, such as \"/shop\": letters, digits and `._~-` \
         after each `/`; leave it out where none is stripped",
    )
}

/// Whether a path is the admin path or below it.
fn is_under(admin_path: &str, path: &str) -> bool {
    let admin_path = admin_path.trim_end_matches('/');
    path.split(['?', '#'])
        .next()
        .and_then(|path| path.strip_prefix(admin_path))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn time_zone_fault(name: &str) -> Option<String> {
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() => None,
        _ => told(
            "no such time zone in this system's database; give an IANA name such as \
             \"Europe/Rome\", and see that the database (often the package tzdata) is installed",
        ),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
