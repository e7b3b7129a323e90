//! Says in words why a request passes or not.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::{rules::rule::Rule, schedule::duration_in_words, snapshot::Snapshot};

/// The rule in words.
pub(super) fn why(
    rule: Rule,
    snapshot: &Snapshot,
    mode: Option<&str>,
    logout: bool,
    turn: Option<Timestamp>,
    grant: Option<&str>,
    now: Timestamp,
) -> String {
    let because = match rule {
        Rule::ForcedOffRoute => "The route is in `exempt.routes`: it is never refused.",
        Rule::ForcedOnRoute => "The route is in `forced_on.routes`: it is always refused.",
        Rule::ForcedOnPattern => {
            "The path matches one of `forced_on.patterns`: it is always refused."
        }
        Rule::ForcedOnWrapper => {
            "The resource is wrapped by `Maintenance::forced_on`: it is always refused."
        }
        Rule::Online => "No mode that applies is pending or offline.",
        Rule::AdminScope => {
            "The path belongs to the admin scope, which stays open so that maintenance can be ended."
        }
        Rule::RobotsTxt => "Crawlers may read /robots.txt, as `exempt.robots_txt` says.",
        Rule::RedirectTarget => {
            "This is the very page that refused visitors are sent to by `response.redirect`."
        }
        Rule::ExemptPath => "The path is one of `exempt.paths`.",
        Rule::ExemptPrefix => "The path begins with one of `exempt.prefixes`.",
        Rule::ExemptAdminSite => "The path belongs to the app's own admin, `exempt.admin_site`.",
        Rule::ExemptPattern => "The path matches one of `exempt.patterns`.",
        Rule::ExemptRoute => "The route is in `exempt.routes` of the mode.",
        Rule::ExemptAddress => "The address is one of `exempt.addresses`.",
        Rule::ExemptAddressPattern => "The address matches one of `exempt.address_patterns`.",
        Rule::ExemptTests => "The app runs under test, and `exempt.tests` is set.",
        Rule::Predicate(name) => {
            return with_phase(
                snapshot,
                mode,
                now,
                &format!("The app's own rule `{name}` holds."),
            );
        }
        Rule::ApiKey => "The request carries an API key.",
        Rule::Grant => {
            let because = match grant {
                Some(grant) => format!("The grant `{grant}` lets it look in."),
                None => "A grant lets it look in.".to_owned(),
            };
            return with_phase(snapshot, mode, now, &because);
        }
        Rule::Anonymous if logout => {
            "The visitor is logged out first, as `[logout]` says, and anonymous visitors get \
             through, as `exempt.anonymous` says."
        }
        Rule::Anonymous => "Anonymous visitors get through, as `exempt.anonymous` says.",
        Rule::Authenticated => {
            "Visitors who are logged in get through, as `exempt.authenticated` says."
        }
        Rule::Staff => "Staff gets through, as `exempt.staff` says.",
        Rule::Superuser => "Superusers get through, as `exempt.superusers` says.",
        Rule::ReadOnly => "The mode leaves the site readable, and the request only reads.",
        Rule::AlreadyIn => "The visitor is already in and may finish.",
        Rule::TurnHasCome => "The visitor's turn has come.",
        Rule::NoExemption if logout => {
            "The visitor is logged out first, as `[logout]` says, and no exemption holds."
        }
        Rule::NoExemption => match turn {
            Some(turn) => {
                let because = format!("The visitor's turn comes at {turn}.");
                return with_phase(snapshot, mode, now, &because);
            }
            None => "No exemption holds.",
        },
    };
    with_phase(snapshot, mode, now, because)
}

/// That the request would wait first.
pub(super) fn with_wait(why: &str, patience: Duration, reads: bool) -> String {
    let patience = duration_in_words(patience);
    if reads {
        format!("{why} It would wait up to {patience} for the mode to open.")
    } else {
        format!(
            "{why} If it has no body, or a small one, it would wait up to {patience} for the mode to open."
        )
    }
}

/// What is, and then what follows from it.
pub(super) fn with_phase(
    snapshot: &Snapshot,
    mode: Option<&str>,
    now: Timestamp,
    because: &str,
) -> String {
    match mode.and_then(|key| snapshot.mode(key)) {
        Some(mode) if mode.phase(now).is_maintenance() => {
            format!("The mode `{}` is {}. {because}", mode.key, mode.phase(now))
        }
        _ => because.to_owned(),
    }
}

pub(super) fn online(
    snapshot: &Snapshot,
    now: Timestamp,
    may_hear_of: &dyn Fn(&str) -> bool,
) -> String {
    if snapshot.closed_mode(now).is_some() {
        return "No mode that is pending or offline applies to this request.".to_owned();
    }
    let announced = snapshot
        .modes
        .iter()
        .filter(|mode| may_hear_of(&mode.key))
        .find_map(|mode| Some((&mode.key, mode.standing(now).start?)));
    match announced {
        Some((key, start)) => {
            format!("No mode is pending or offline. The mode `{key}` will be offline at {start}.")
        }
        None => "No mode is pending or offline.".to_owned(),
    }
}
