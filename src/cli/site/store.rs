//! A site by its settings and its store, as the app itself has them.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::Mutex;

use super::{
    DrainWishes, Emptiness, EndWish, Explained, GrantMade, GrantWishes, Hold, HoldWishes,
    OpeningWishes, Question, WindowChanges, WindowWishes, Wishes,
};
use crate::{
    cli::{failure::Failure, texts::given},
    core::{
        audit::AuditEntry,
        public_path::in_public,
        state::GrantKind,
        status::{grants::GrantStatus, period::PastPeriod, whole::Status},
        text::chain,
    },
    engine::{
        barrier::WaitError,
        changes::{Change, Changes, TurnOn},
        fleet::missing::Missing,
        grants::AddGrant,
        guard::Guarding,
        windows::Planned,
    },
    settings::Settings,
    web::maintenance::Maintenance,
};

/// How many entries of the audit are read at most, of which some may be asked for.
const MOST_OF_AUDIT: usize = 1000;

/// A handle of the same kind as the app's, and what it was made of.
pub(in crate::cli) struct StoreSite {
    pub(in crate::cli) maintenance: Maintenance,
    pub(in crate::cli) settings: Settings,
}

impl StoreSite {
    pub(super) fn default_mode(&self) -> String {
        self.maintenance.engine.default_mode()
    }

    pub(super) fn find_mode(&self, key: &str) -> Result<(), Failure> {
        self.maintenance.engine.find_mode(key)?;
        Ok(())
    }

    pub(super) fn time_zone(&self) -> Option<TimeZone> {
        self.maintenance.engine.shared.time_zone.clone()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.maintenance.engine.shared.clock.now()
    }

    /// Refuses to change a state that nobody else would ever see.
    pub(super) fn can_be_seen_by_the_app(&self) -> Result<(), Failure> {
        if self.status().store.url == "memory:" {
            return Err(Failure::store(
                "the store memory: lives inside of the app, out of reach for this program; \
                 give the app and this program a store that they can share, such as \
                 file:/var/lib/app/maintenance.state",
            ));
        }
        Ok(())
    }

    pub(super) fn status(&self) -> Status {
        self.maintenance.status()
    }

    pub(super) async fn ask_status(&self) -> Result<Status, String> {
        let asked = self.maintenance.ask_status().await;
        asked.map_err(|error| chain(&error))
    }

    pub(super) fn audit(&self) -> Result<Vec<AuditEntry>, Failure> {
        let audit = &self.maintenance.engine.shared.audit;
        match audit.latest(MOST_OF_AUDIT, |_| true) {
            Some(Ok(entries)) => Ok(entries),
            Some(Err(error)) => Err(Failure::failed(format!(
                "the file of the audit cannot be read: {error}"
            ))),
            None => Err(Failure::failed(
                "no file is kept of who did what: the setting `audit.file` names none",
            )),
        }
    }

    pub(super) fn history(&self) -> Vec<PastPeriod> {
        self.maintenance.history()
    }

    pub(super) fn explain(&self, question: &Question) -> Explained {
        self.maintenance.explain(&question.inquiry).into()
    }

    pub(super) async fn turn_on(&self, wishes: &Wishes) -> Result<Change, Failure> {
        let mut turn_on = self.maintenance.turn_on();
        turn_on = turn_on.mode(&wishes.mode).by(&wishes.by);
        turn_on = given(turn_on, &wishes.message, TurnOn::message);
        turn_on = given(turn_on, &wishes.reason, TurnOn::reason);
        turn_on = match wishes.end {
            Some(EndWish::At(end)) => turn_on.until(end),
            Some(EndWish::After(duration)) => turn_on.lasting(duration),
            Some(EndWish::Never) => turn_on.without_end(),
            None => turn_on,
        };
        if let Some(DrainWishes {
            timeout,
            on_timeout,
        }) = &wishes.drain
        {
            turn_on = turn_on.drain();
            turn_on = given(turn_on, timeout, TurnOn::drain_timeout);
            turn_on = given(turn_on, on_timeout, TurnOn::on_timeout);
        }
        if !wishes.allow.is_empty() {
            turn_on = turn_on.allow(&wishes.allow);
        }
        turn_on = given(turn_on, &wishes.park, TurnOn::park);
        Ok(turn_on.await?)
    }

    pub(super) async fn turn_off(
        &self,
        mode: &str,
        by: &str,
        how: OpeningWishes,
    ) -> Result<Change, Failure> {
        let turn_off = self.maintenance.turn_off().mode(mode).by(by);
        let turn_off = match how {
            OpeningWishes::AtOnce => turn_off,
            OpeningWishes::Over(over) => turn_off.over(over),
            OpeningWishes::Paused => turn_off.paused(),
        };
        Ok(turn_off.await?)
    }

    pub(super) async fn forget(&self, mode: &str, by: &str) -> Result<Change, Failure> {
        Ok(self.maintenance.forget(mode).by(by).await?)
    }

    pub(super) async fn plan(&self, wishes: &WindowWishes) -> Result<Planned, Failure> {
        let plan = self.maintenance.plan_window();
        let plan = plan.mode(&wishes.mode).by(&wishes.by);
        Ok(wishes.said.clone().plan(plan).await?)
    }

    pub(super) async fn change_window(&self, changes: &WindowChanges) -> Result<Planned, Failure> {
        let mut change = self.maintenance.change_window(&changes.id);
        change = change.by(&changes.by);
        if changes.no_end {
            change = change.without_end();
        }
        Ok(changes.said.clone().change(change).await?)
    }

    pub(super) async fn cancel(
        &self,
        id: &str,
        only_next: bool,
        by: &str,
    ) -> Result<Change, Failure> {
        let mut cancel = self.maintenance.cancel_window(id).by(by);
        if only_next {
            cancel = cancel.only_next();
        }
        Ok(cancel.await?)
    }

    pub(super) async fn grant(&self, wishes: &GrantWishes) -> Result<GrantMade, Failure> {
        let mut grant = self.maintenance.grant(&wishes.name).by(&wishes.by);
        grant = match wishes.kind {
            GrantKind::Token => grant.token(),
            _ => grant.link(),
        };
        grant = given(grant, &wishes.address, AddGrant::address);
        for mode in &wishes.modes {
            grant = grant.mode(mode);
        }
        for prefix in &wishes.prefixes {
            grant = grant.prefix(prefix);
        }
        grant = given(grant, &wishes.until, AddGrant::until);
        grant = given(grant, &wishes.lasting, AddGrant::lasting);
        let made = grant.await?;
        let secret = made.secret().map(str::to_owned);
        let front = &self.maintenance.front;
        let path = |secret: &str| {
            let path = format!("{}/enter/{secret}", front.admin_path);
            in_public(&front.public_path, &path)
        };
        let is_link = made.kind == GrantKind::Link;
        Ok(GrantMade {
            link: secret.as_deref().filter(|_| is_link).map(path),
            name: made.name,
            kind: made.kind,
            until: made.until,
            secret,
        })
    }

    pub(super) async fn grants(&self) -> Result<Vec<GrantStatus>, Failure> {
        self.ask_status().await.map_err(Failure::store)?;
        Ok(self.maintenance.grants())
    }

    pub(super) async fn revoke_grant(&self, name: &str, by: &str) -> Result<(), Failure> {
        self.maintenance.revoke_grant(name).by(by).await?;
        Ok(())
    }

    pub(super) async fn hold(&self, wishes: &Wishes, how: &HoldWishes) -> Result<Hold, Failure> {
        let within = how.within.as_ref().map(|token| token.reveal().to_owned());
        let mut guarding = self.maintenance.while_on().alone(within);
        guarding = guarding.name(&how.name).if_lost(how.if_lost);
        guarding = given(guarding, &how.lost_after, Guarding::lost_after);
        guarding = guarding.mode(&wishes.mode).by(&wishes.by);
        guarding = given(guarding, &wishes.message, Guarding::message);
        guarding = given(guarding, &wishes.reason, Guarding::reason);
        guarding = match wishes.end {
            Some(EndWish::At(end)) => guarding.until(end),
            Some(EndWish::After(duration)) => guarding.lasting(duration),
            Some(EndWish::Never) => guarding.without_end(),
            None => guarding,
        };
        if !wishes.allow.is_empty() {
            guarding = guarding.allow(&wishes.allow);
        }
        guarding = given(guarding, &wishes.park, Guarding::park);
        if how.exclusive {
            guarding = guarding.exclusive();
        }
        if let Some(DrainWishes {
            timeout,
            on_timeout,
        }) = &wishes.drain
        {
            guarding = guarding.drain();
            guarding = given(guarding, timeout, Guarding::drain_timeout);
            guarding = given(guarding, on_timeout, Guarding::on_timeout);
        }
        Ok(Hold::Guard(Box::new(guarding.enter().await?)))
    }

    pub(super) async fn until_empty(
        &self,
        mode: &str,
        at_most: Option<Duration>,
        told: Arc<Mutex<Vec<Missing>>>,
    ) -> Result<Emptiness, Failure> {
        let mut wait = self
            .maintenance
            .wait_until_empty()
            .mode(mode)
            .no_nodes()
            .on_progress(move |missing| *told.lock() = missing.to_vec());
        if let Some(at_most) = at_most {
            wait = wait.at_most(at_most);
        }
        match wait.safe().await {
            Ok(safe) => Ok(Emptiness::Empty(safe)),
            Err(WaitError::TimedOut { missing, .. }) => Ok(Emptiness::Missing(missing)),
            Err(WaitError::Reopened { .. }) => Ok(Emptiness::Reopened),
            Err(error @ WaitError::NoNodes { .. }) => Err(Failure::cancelled(error.to_string())),
            Err(WaitError::Change(error)) => Err(error.into()),
        }
    }

    pub(super) fn changes(&self) -> Changes {
        self.maintenance.subscribe()
    }
}
