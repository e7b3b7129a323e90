//! `PUT` and `DELETE` of `/modes/{key}`: the switch of a mode, for programs.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::{
    answer::{Changed, faulty, not_changed, problem},
    authorize::authorize_change,
    body::{Members, Unreadable},
};
use crate::{
    core::state::OnTimeout,
    engine::changes::TurnOn,
    web::{maintenance::Maintenance, visitor::session_notes::not_waited_for},
};

/// What the body of a `PUT` says.
#[derive(Debug)]
struct Wishes {
    reason: Option<String>,
    message: Option<String>,
    /// With what is to be said of how it was read.
    until: Option<(Timestamp, Option<String>)>,
    lasting: Option<Duration>,
    drain: Option<DrainWishes>,
}

#[derive(Debug)]
struct DrainWishes {
    timeout: Option<Duration>,
    on_timeout: Option<OnTimeout>,
}

pub(super) async fn turn_on(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    key: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let what = "switch maintenance on";
    let by = match authorize_change(&request, &maintenance, Some(&key), what).await {
        Ok(by) => by,
        Err(response) => return response,
    };
    if let Err(error) = maintenance.find_mode(&key) {
        return not_changed(&request, &maintenance, &error);
    }
    let wishes = match Members::read(&request, body) {
        Ok(members) => Wishes::read(members, &maintenance),
        Err(unreadable) => return unread(&request, &maintenance, &unreadable),
    };
    let wishes = match wishes {
        Ok(wishes) => wishes,
        Err(faults) => return faulty(&request, &maintenance, &faults),
    };
    let note = wishes.until.as_ref().and_then(|(_, note)| note.clone());
    let turn_on = maintenance.turn_on().mode(key.as_str()).by(by.by());
    match wishes.add_to(turn_on).await {
        Ok(change) => {
            if !by.by_token() {
                not_waited_for(&request, &maintenance.shared);
            }
            let mut changed = Changed::new(change);
            changed.warnings.extend(note);
            changed.answer(&request, &maintenance, by).await
        }
        Err(error) => not_changed(&request, &maintenance, &error),
    }
}

/// The body is not looked at: what a `DELETE` says with one means nothing (RFC 9110, section
/// 9.3.5).
pub(super) async fn turn_off(
    request: HttpRequest,
    key: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let what = "switch maintenance off";
    let by = match authorize_change(&request, &maintenance, Some(&key), what).await {
        Ok(by) => by,
        Err(response) => return response,
    };
    match maintenance.turn_off().mode(key.as_str()).by(by.by()).await {
        Ok(change) => {
            Changed::new(change)
                .answer(&request, &maintenance, by)
                .await
        }
        Err(error) => not_changed(&request, &maintenance, &error),
    }
}

/// Tells why a body was not read.
pub(super) fn unread(
    request: &HttpRequest,
    maintenance: &Maintenance,
    unreadable: &Unreadable,
) -> HttpResponse {
    let detail = format!("{unreadable} Nothing was changed.");
    problem(
        request,
        maintenance,
        unreadable.status(),
        "Not understood",
        &detail,
        &[],
    )
}

impl Wishes {
    fn read(mut members: Members, maintenance: &Maintenance) -> Result<Self, Vec<String>> {
        let wishes = Self {
            reason: members.text("reason"),
            message: members.text("message"),
            until: members.time("until", maintenance.shared.time_zone.as_ref()),
            lasting: members.duration("for"),
            drain: members.object_or_true("drain", |drain| DrainWishes {
                timeout: drain.duration("timeout"),
                on_timeout: drain.choice(
                    "on_timeout",
                    &[
                        ("offline", OnTimeout::Offline),
                        ("cancel", OnTimeout::Cancel),
                    ],
                ),
            }),
        };
        if wishes.until.is_some() && wishes.lasting.is_some() {
            members.contradict("until", "for");
        }
        let faults = members.into_faults();
        if faults.is_empty() {
            Ok(wishes)
        } else {
            Err(faults)
        }
    }

    fn add_to(self, mut turn_on: TurnOn) -> TurnOn {
        if let Some(reason) = self.reason {
            turn_on = turn_on.reason(reason);
        }
        if let Some(message) = self.message {
            turn_on = turn_on.message(message);
        }
        if let Some((until, _)) = self.until {
            turn_on = turn_on.until(until);
        }
        if let Some(duration) = self.lasting {
            turn_on = turn_on.lasting(duration);
        }
        if let Some(drain) = self.drain {
            turn_on = turn_on.drain();
            if let Some(timeout) = drain.timeout {
                turn_on = turn_on.drain_timeout(timeout);
            }
            if let Some(on_timeout) = drain.on_timeout {
                turn_on = turn_on.on_timeout(on_timeout);
            }
        }
        turn_on
    }
}
