//! `PUT` and `DELETE` of `/modes/{key}`: the switch of a mode, for programs.

use std::time::Duration;

use actix_web::{HttpRequest, http::StatusCode, web};
use jiff::Timestamp;

use super::{
    answer::{Changed, document, faulty, not_changed, unread},
    answering::Answer,
    authorize::{authorize_change, sight},
    body::Members,
    held::{self, Held},
};
use crate::{
    core::{limits::MOST_ALLOWED, schedule::parse_duration, state::OnTimeout},
    engine::{
        changes::TurnOn,
        holding::{HoldWish, drop_lease},
    },
    web::{maintenance::Maintenance, request::query_pairs, visitor::session_notes::not_waited_for},
};

/// What the body of a `PUT` says.
#[derive(Debug)]
struct Wishes {
    reason: Option<String>,
    message: Option<String>,
    taken_away: TakenAway,
    /// With what is to be said of how it was read.
    until: Option<(Timestamp, Option<String>)>,
    lasting: Option<Duration>,
    drain: Option<DrainWishes>,
    held: Option<HoldWish>,
    /// `None`: nothing is said of that.
    allow: Option<Vec<String>>,
    /// How long requests wait; `ZERO` takes away what was said before.
    park: Option<Duration>,
}

/// What a `null` takes away from a mode that is on.
#[derive(Debug)]
struct TakenAway {
    reason: bool,
    message: bool,
    end: bool,
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
) -> Answer {
    let what = "switch maintenance on";
    let caller = authorize_change(&request, &maintenance, Some(&key), what).await?;
    let found = maintenance.engine.find_mode(&key);
    found.map_err(|error| not_changed(&request, &maintenance, &error))?;
    let members = Members::read(&request, body)
        .map_err(|unreadable| unread(&request, &maintenance, &unreadable))?;
    let wishes = Wishes::read(members, &maintenance)
        .map_err(|faults| faulty(&request, &maintenance, &faults))?;
    let note = wishes.until.as_ref().and_then(|(_, note)| note.clone());
    let mut turn_on = caller
        .asks(&maintenance)
        .turn_on()
        .mode(key.as_str())
        .by(caller.by());
    let held = match &wishes.held {
        Some(wish) => {
            let held = Held::put(wish, caller.by(), &maintenance).await;
            let held = held.map_err(|error| not_changed(&request, &maintenance, &error))?;
            turn_on = turn_on.held(held.hold.clone());
            Some(held)
        }
        None => None,
    };
    let change = match (wishes.add_to(turn_on).await, &held) {
        (Ok(change), _) => change,
        (Err(error), held) => {
            if let Some(held) = held {
                drop_lease(&maintenance.engine, &held.hold).await;
            }
            return Err(not_changed(&request, &maintenance, &error));
        }
    };
    if !caller.by_token() {
        not_waited_for(&request, &maintenance);
    }
    let sight = sight(&request, &maintenance).await;
    let id = held.map(|held| held.id);
    let changed = Changed::new(change, &sight)
        .with_warnings(note)
        .with_hold(id);
    Ok(document(StatusCode::OK, &changed))
}

/// The body is not looked at: what a `DELETE` says with one means nothing (RFC 9110, section
/// 9.3.5).
pub(super) async fn turn_off(
    request: HttpRequest,
    key: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let what = "switch maintenance off";
    let caller = authorize_change(&request, &maintenance, Some(&key), what).await?;
    let how = HowOff::read(request.query_string())
        .map_err(|faults| faulty(&request, &maintenance, &faults))?;
    let asked = caller.asks(&maintenance);
    let turn_off = || asked.turn_off().mode(key.as_str()).by(caller.by());
    let change = match how {
        HowOff::Forget => asked.forget(key.as_str()).by(caller.by()).await,
        HowOff::AtOnce => turn_off().await,
        HowOff::Over(over) => turn_off().over(over).await,
        HowOff::Paused => turn_off().paused().await,
    };
    let change = change.map_err(|error| not_changed(&request, &maintenance, &error))?;
    let sight = sight(&request, &maintenance).await;
    Ok(document(StatusCode::OK, &Changed::new(change, &sight)))
}

/// What the query of a `DELETE` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HowOff {
    AtOnce,
    Over(Duration),
    Paused,
    Forget,
}

impl HowOff {
    /// One of them at most: what is not understood must not do what was not meant.
    fn read(query: &str) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut said = Vec::new();
        for (name, value) in query_pairs(query) {
            match (name.as_str(), value.as_str()) {
                ("over", duration) => match parse_duration(duration) {
                    Ok(over) => said.push(Self::Over(over)),
                    Err(error) => faults.push(format!("`over`: {error}")),
                },
                ("forget", "true") => said.push(Self::Forget),
                ("pause", "true") => said.push(Self::Paused),
                ("forget" | "pause", "false") => {}
                ("forget" | "pause", _) => faults.push(format!("`{name}`: give true or false")),
                _ => faults.push(
                    "there is a parameter that is not known; known are over, pause and forget"
                        .to_owned(),
                ),
            }
        }
        if said.len() > 1 {
            faults.push("give only one of `over`, `pause` and `forget`".to_owned());
        }
        if faults.is_empty() {
            Ok(said.pop().unwrap_or(Self::AtOnce))
        } else {
            Err(faults)
        }
    }
}

impl Wishes {
    fn read(mut members: Members, maintenance: &Maintenance) -> Result<Self, Vec<String>> {
        let taken_away = TakenAway {
            reason: members.is_null("reason"),
            message: members.is_null("message"),
            end: members.is_null("until") || members.is_null("for"),
        };
        let allow_said = members.has("allow");
        let park_taken_away = members.is_null("park").then_some(Duration::ZERO);
        let wishes = Self {
            taken_away,
            reason: members.text("reason"),
            message: members.text("message"),
            until: members.time(
                "until",
                maintenance.engine.shared.time_zone.as_ref(),
                maintenance.engine.shared.clock.now(),
            ),
            lasting: members.duration("for"),
            drain: members.object_or_true("drain", |drain| DrainWishes {
                timeout: drain.duration("timeout"),
                on_timeout: drain.one_of("on_timeout"),
            }),
            held: members.object_or_true("held", held::wish),
            allow: allow_said.then(|| members.texts("allow", MOST_ALLOWED)),
            park: members.duration("park").or(park_taken_away),
        };
        let has_end = wishes.until.is_some() || wishes.lasting.is_some();
        if wishes.until.is_some() && wishes.lasting.is_some() || has_end && wishes.taken_away.end {
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
        if let Some(allow) = self.allow {
            turn_on = turn_on.allow(allow);
        }
        if let Some(park) = self.park {
            turn_on = turn_on.park(park);
        }
        if let Some(reason) = self.reason {
            turn_on = turn_on.reason(reason);
        }
        if let Some(message) = self.message {
            turn_on = turn_on.message(message);
        }
        if self.taken_away.reason {
            turn_on = turn_on.without_reason();
        }
        if self.taken_away.message {
            turn_on = turn_on.without_message();
        }
        if self.taken_away.end {
            turn_on = turn_on.without_end();
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
