//! Keeps silences of an Alertmanager in step with the modes (its API, version 2).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;
use ureq::http::Method;

use super::target::{Kind, Refusal, Target};
use crate::core::state::notice::{Notices, Silence, SilenceStep, silence_step};

/// What one process knows of the silences of a target.
#[derive(Debug, Default, Clone)]
pub(super) struct Silences {
    /// Until when each lasts, by its id.
    lasts: BTreeMap<String, Timestamp>,
}

/// What came of a round.
pub(super) struct Round {
    /// The silences that there are now, by the keys of modes.
    pub(super) made: BTreeMap<String, Silence>,
    /// When the next one is due.
    pub(super) next: Option<Timestamp>,
    pub(super) failed: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    #[serde(rename = "silenceID")]
    silence_id: String,
}

#[derive(Deserialize)]
struct Looked {
    status: State,
}

#[derive(Deserialize)]
struct State {
    state: String,
}

impl Silences {
    /// Does what is due for each mode, which blocks.
    pub(super) fn round(&mut self, target: &Target, notices: &Notices, now: Timestamp) -> Round {
        let record = notices.targets.get(&target.name);
        let mut made = record.map(|it| it.silences.clone()).unwrap_or_default();
        let mut next: Option<Timestamp> = None;
        let mut failed = None;
        let Kind::Alertmanager { time_to_live, .. } = &target.kind else {
            return Round { made, next, failed };
        };
        let keys: std::collections::BTreeSet<String> =
            notices.told.keys().chain(made.keys()).cloned().collect();
        for key in keys {
            let told = notices.told.get(&key);
            let is_closed = target.interest.is_in_mode(&key)
                && told.is_some_and(|it| it.phase.is_maintenance());
            let known = made.get(&key);
            let lasts = known.map(|it| (it, self.lasts.get(&it.id).copied()));
            let step = silence_step(lasts, is_closed, *time_to_live, now);
            let done = match &step {
                SilenceStep::Wait(until) => {
                    next = next.into_iter().chain(*until).min();
                    continue;
                }
                SilenceStep::Make { until } => {
                    let since = now;
                    self.put(target, &key, None, since, *until)
                }
                SilenceStep::Extend { until } => match known.cloned() {
                    Some(known) => self.extend(target, &key, &known, now, *until),
                    None => continue,
                },
                SilenceStep::Expire => match known.cloned() {
                    Some(known) => expire(target, &known.id).map(|()| {
                        self.lasts.remove(&known.id);
                        None
                    }),
                    None => continue,
                },
            };
            match done {
                Ok(Some(silence)) => {
                    let half = *time_to_live / 2;
                    let due = now.saturating_add(half).unwrap_or(Timestamp::MAX);
                    next = next.into_iter().chain([due]).min();
                    made.insert(key, silence);
                }
                Ok(None) => {
                    made.remove(&key);
                }
                Err(refusal) => failed = Some(refusal),
            }
        }
        Round { made, next, failed }
    }

    fn extend(
        &mut self,
        target: &Target,
        mode: &str,
        known: &Silence,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Silence>, Refusal> {
        match self.put(target, mode, Some(&known.id), known.since, until) {
            // It has forgotten the silence, as after a restart without its data.
            Err(refusal) if matches!(refusal.status, Some(400 | 404)) => {
                self.lasts.remove(&known.id);
                self.put(target, mode, None, now, until)
            }
            other => other,
        }
    }

    fn put(
        &mut self,
        target: &Target,
        mode: &str,
        id: Option<&str>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Silence>, Refusal> {
        let Kind::Alertmanager { matchers, .. } = &target.kind else {
            return Ok(None);
        };
        let mut body = json!({
            "matchers": matchers,
            "startsAt": since,
            "endsAt": until,
            "createdBy": "actix-maintenance-mode",
            "comment": format!("{mode} is in maintenance; this ends by itself"),
        });
        if let Some(id) = id {
            body["id"] = json!(id);
        }
        let answer = target.call(
            &Method::POST,
            "/api/v2/silences",
            &[],
            Some(body.to_string()),
        )?;
        let made: Made = serde_json::from_slice(&answer).map_err(|error| Refusal {
            why: format!("it does not answer as an Alertmanager does ({error})"),
            status: None,
            wait: None,
        })?;
        if let Some(id) = id {
            self.lasts.remove(id);
        }
        self.lasts.insert(made.silence_id.clone(), until);
        let is_same = id == Some(made.silence_id.as_str());
        Ok(Some(Silence {
            since: if is_same {
                since
            } else {
                since.max(now_of(until, target))
            },
            id: made.silence_id,
        }))
    }
}

/// When a silence begins that was made anew with an end.
fn now_of(until: Timestamp, target: &Target) -> Timestamp {
    match &target.kind {
        Kind::Alertmanager { time_to_live, .. } => {
            until.saturating_sub(*time_to_live).unwrap_or(until)
        }
        _ => until.saturating_sub(SignedDuration::ZERO).unwrap_or(until),
    }
}

/// Ends a silence. One that is over, or that nobody knows any more, is ended.
fn expire(target: &Target, id: &str) -> Result<(), Refusal> {
    let path = format!("/api/v2/silence/{id}");
    let Err(refusal) = target.call(&Method::DELETE, &path, &[], None) else {
        return Ok(());
    };
    match refusal.status {
        Some(404) => Ok(()),
        None => Err(refusal),
        // It says no to ending what has ended, and does not say so.
        Some(_) => match target.call(&Method::GET, &path, &[], None) {
            Ok(body) => match serde_json::from_slice::<Looked>(&body) {
                Ok(looked) if looked.status.state == "expired" => Ok(()),
                _ => Err(refusal),
            },
            Err(looked) if looked.status == Some(404) => Ok(()),
            Err(_) => Err(refusal),
        },
    }
}
